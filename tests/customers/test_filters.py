"""Each filter of the list keeps exactly whom its rule names: held against the rule in Python on random customers."""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from customers.filters import CustomerFilter
from customers.models import Assignment, ConsentRecord, Customer, Hobby, ProfileValue, RelationStatus, Resource
from customers.relative_dates import How, Relative, years_before
from customers.suitability import year_later
from staff.roles import Role
from tests.factories import BranchFactory, CustomerFactory, LoadFactory, StaffFactory

TODAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 20, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
RULES = {
    "gender=f": lambda c: c.gender == "f",
    "age_min=60": lambda c: c.birth_date and age(c) >= 60,
    "age_max=40": lambda c: c.birth_date and age(c) <= 40,
    "age_min=30&age_max=30": lambda c: c.birth_date and age(c) == 30,
    "occupation=商": lambda c: "商" in c.occupation,
    "employer=医院": lambda c: "医院" in c.employer,
    "occupation_class=merchant&occupation_class=scholar": lambda c: c.told.get("occupation_class") in ("merchant", "scholar"),
    "temperament=quiet": lambda c: c.told.get("temperament") == "quiet",
    "orientation=value": lambda c: c.told.get("orientation") == "value",
    "hobby=掼蛋，茶": lambda c: {"掼蛋", "茶"} & c.likes,
    "needs_resource=医疗": lambda c: "医疗" in c.wants,
    "tags=quiet,vip": lambda c: {"quiet", "vip"} & set(c.tags),
    "tags_all=quiet,vip": lambda c: {"quiet", "vip"} <= set(c.tags),
    "tag=vip": lambda c: "vip" in c.tags,
    "completeness_min=50": lambda c: c.archive_completeness >= 50,
    "completeness_max=49": lambda c: c.archive_completeness <= 49,
    "grade=c3&grade=none": lambda c: c.risk_grade in (3, None),
    "grade=c1": lambda c: c.risk_grade == 1,
    "grade_expires=next30": lambda c: c.risk_assessed_on and 0 <= (year_later(c.risk_assessed_on) - TODAY).days <= 30,
    "grade_expires=over1": lambda c: c.risk_assessed_on and year_later(c.risk_assessed_on) < TODAY,
    "grade_expires=never": lambda c: c.risk_assessed_on is None,
    "consent=marketing": lambda c: "marketing" in c.consenting,
    "consent=marketing&consent=care": lambda c: {"marketing", "care"} <= c.consenting,
    "no_consent=marketing": lambda c: "marketing" not in c.consenting,
    "do_not_contact=yes": lambda c: c.do_not_contact,
    "low_disturb=no": lambda c: not c.low_disturb,
    "key_customer=yes": lambda c: c.key_customer,
    "value_class=mvc&value_class=bzc": lambda c: c.value_class in ("mvc", "bzc"),
    "quintile=1": lambda c: c.contribution_quintile == 1,
    "clv_min=10": lambda c: c.clv is not None and c.clv >= 100_000,
    "clv_max=10": lambda c: c.clv is not None and c.clv <= 100_000,
    "key_group=vip&key_group=loan": lambda c: {"vip", "loan"} & set(c.key_groups),
    "potential=reached": lambda c: "reached" in c.potential_reasons,
    "products_min=2": lambda c: len(c.product_marks.split()) >= 2,
    "products_max=0": lambda c: not c.product_marks,
    "month_avg_min=30": lambda c: c.month_avg >= 300_000,
    "year_avg_max=30.5": lambda c: c.year_avg <= 305_000,
    "private=yes": lambda c: c.is_private_banking,
    "signed=quarter": lambda c: c.signed_on and date(2026, 10, 1) <= c.signed_on <= date(2026, 12, 31),
    "signed=month": lambda c: c.signed_on and (c.signed_on.year, c.signed_on.month) == (2026, 11),
    "opened=over365": lambda c: c.opened_on and (TODAY - c.opened_on).days >= 365,
    "opened_how=last&opened_days=365": lambda c: c.opened_on and 0 <= (TODAY - c.opened_on).days <= 365,
    "contact=last30": lambda c: c.last_contact_on and 0 <= (TODAY - c.last_contact_on).days <= 30,
    "contact=never": lambda c: c.last_contact_on is None,
    "due=next14": lambda c: c.next_contact_due_on and 0 <= (c.next_contact_due_on - TODAY).days <= 14,
    "due=week": lambda c: c.next_contact_due_on and date(2026, 11, 23) <= c.next_contact_due_on <= date(2026, 11, 29),
    "maturity=beyond30": lambda c: c.next_maturity_on and (c.next_maturity_on - TODAY).days >= 30,
    "managed=over100": lambda c: c.held_since and (TODAY - c.held_since).days >= 100,
    "managed=last99": lambda c: c.held_since and (TODAY - c.held_since).days <= 99,
    "managed=never": lambda c: c.held_since is None,
    "relation=signed&gender=m&completeness_min=20": lambda c: (
        c.relation_status == "signed" and c.gender == "m" and c.archive_completeness >= 20
    ),
}  # fmt: skip


def age(customer) -> int:
    born = customer.birth_date
    return TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))


def people(rng, branch) -> list[Customer]:
    """Write 70 customers whose every column a filter asks for is drawn; each remembers what the archive says."""

    def day(back, ahead):
        return None if rng.random() < 0.2 else TODAY + timedelta(days=rng.randint(-back, ahead))

    found = []
    for _n in range(70):
        signed = day(500, 0)
        customer = CustomerFactory(
            branch=branch, gender=rng.choice(["m", "f", ""]), birth_date=day(30000, -6000), signed_on=signed,
            relation_status=RelationStatus.SIGNED if signed else RelationStatus.POTENTIAL,
            occupation=rng.choice(["个体工商户", "教师", "商人", ""]), employer=rng.choice(["市医院", "学校", ""]),
            tags=rng.sample(["quiet", "vip", "gift"], rng.randint(0, 3)), archive_completeness=rng.randint(0, 100),
            risk_grade=rng.choice([None, 1, 2, 3]), risk_assessed_on=day(500, 0), opened_on=day(900, 0),
            do_not_contact=rng.random() < 0.3, low_disturb=rng.random() < 0.3, key_customer=rng.random() < 0.3,
            is_private_banking=rng.random() < 0.3, value_class=rng.choice(["mvc", "mgc", "bzc", "general", ""]),
            contribution_quintile=rng.choice([None, 1, 2, 5]), clv=rng.choice([None, Decimal(100_000), Decimal(5)]),
            key_groups=rng.sample(["vip", "loan", "card"], rng.randint(0, 2)), month_avg=rng.randint(1, 60) * 10_000,
            potential_reasons=rng.sample(["reached", "loan"], rng.randint(0, 2)), year_avg=rng.randint(1, 60) * 10_000,
            product_marks=" ".join(rng.sample(["deposit", "wealth", "card"], rng.randint(0, 3))),
            last_contact_on=day(60, 0), next_contact_due_on=day(20, 20), next_maturity_on=day(0, 60),
        )  # fmt: skip
        archive(rng, customer)
        found.append(customer)
    return found


def archive(rng, customer) -> None:
    customer.told, customer.likes, customer.wants, customer.consenting = {}, set(), set(), set()
    codes = {
        "occupation_class": ["merchant", "scholar", "other"],
        "temperament": ["quiet", "lively"],
        "orientation": ["value"],
    }
    for field, choices in codes.items():
        if rng.random() < 0.6:
            customer.told[field] = rng.choice(choices)
            ProfileValue.objects.create(customer=customer, field=field, value="old", ended_at=NOON)
            ProfileValue.objects.create(customer=customer, field=field, value=customer.told[field])
    for word in rng.sample(["掼蛋", "茶", "户外"], rng.randint(0, 2)):
        ended = rng.random() < 0.3
        Hobby.objects.create(customer=customer, word=word, ended_at=NOON if ended else None)
        customer.likes |= set() if ended else {word}
    for word in rng.sample(["医疗", "教育"], rng.randint(0, 2)):
        Resource.objects.create(customer=customer, word=word, direction="need")
        customer.wants.add(word)
    Resource.objects.create(customer=customer, word="医疗", direction="offer")
    standing = {}
    for n in range(rng.randint(0, 8)):
        key = rng.choice(["marketing", "care"]), rng.choice(["phone", "sms"])
        standing[key] = rng.random() < 0.6
        ConsentRecord.objects.create(
            customer=customer, purpose=key[0], channel=key[1], granted=standing[key], at=NOON + timedelta(hours=n // 2)
        )
    customer.consenting = {purpose for (purpose, _channel), granted in standing.items() if granted}
    customer.held_since = TODAY - timedelta(days=rng.randint(0, 300)) if rng.random() < 0.7 else None


@pytest.mark.django_db
def test_each_filter_keeps_exactly_whom_its_rule_names():
    rng = random.Random(20261125)
    branch = BranchFactory()
    found = people(rng, branch)
    manager = LoadFactory(
        staff__branch=branch, capacity=60_000, full_capacity=60_000, gold_limit=None, potential_limit=None
    ).staff
    for customer in found:
        if customer.held_since:
            Assignment.objects.create(customer=customer, staff=manager, start=customer.held_since)
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD)

    wrong = []
    for query, rule in RULES.items():
        kept = {customer.pk for customer in found if rule(customer)}
        assert 0 < len(kept) < len(found), f"{query} proves nothing"
        shown = CustomerFilter(
            QueryDict(query), queryset=Customer.objects.visible_to(head), request=SimpleNamespace(user=head),
            viewer=head, on=TODAY,
        )  # fmt: skip
        assert shown.form.is_valid(), (query, shown.form.errors)
        if set(shown.qs.values_list("pk", flat=True)) != kept:
            wrong.append(query)
    assert wrong == []


SPANS = st.builds(
    lambda how, days: Relative(how, days if how in (How.LAST, How.OVER, How.NEXT, How.BEYOND) else 0),
    st.sampled_from(How), st.integers(0, 3650),
)  # fmt: skip


@given(SPANS)
def test_a_span_is_read_back_as_it_is_written(span):
    assert Relative.read(str(span)) == span


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_today_lies_in_this_week_month_and_quarter(on):
    for how, longest in ((How.WEEK, 7), (How.MONTH, 31), (How.QUARTER, 92)):
        first, last = Relative(how).bounds(on)
        assert first <= on <= last and (last - first).days < longest


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(1999, 12, 31)), st.integers(0, 130)
)
def test_who_is_so_old_was_born_by_that_day(on, born, years):
    old = on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    assert (born <= years_before(on, years)) == (old >= years)


@pytest.mark.parametrize("text", ["", "last", "lastx", "last99999", "next-1", "week3", "month1", "last3651"])
def test_a_span_that_cannot_be_read_is_said(text):
    with pytest.raises(ValueError):
        Relative.read(text)
