"""The catalogue of events: each kind found from its data on the right days, entered ones matched, nobody approached amiss."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from contacts import agenda, event
from contacts.event import EventRefused
from contacts.event_catalogue import ENTERED, KINDS
from contacts.models import ContactEvent, ContactTask, EventMatch
from contacts.reasons import reason_of
from customers.assets import ensure_partitions
from customers.models import (
    ConsentRecord,
    Customer,
    DailyAsset,
    Hobby,
    ImportantDate,
    ProfileValue,
    Relation,
    Segment,
    SegmentMember,
    Tier,
    TierChange,
    TransactionEvent,
)
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    ContactLogFactory,
    HoldingFactory,
    ProductFactory,
    StaffFactory,
    daily_assets,
    monthly_asset,
)

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 5)  # a Thursday, in the first days of a month


def managed(**values):
    return AssignmentFactory(**{f"customer__{name}": value for name, value in values.items()}).customer


def reasons(customer, on=ON) -> dict[str, ContactTask]:
    agenda.refresh_tasks(branch_id=customer.branch_id, on=on)
    open_ones = ContactTask.objects.open().filter(customer=customer, source="event")
    return {task.reason: task for task in open_ones}


def before(days: int) -> date:
    return ON - timedelta(days=days)


def moved(customer, change, *, base=500_000, ago=1):
    daily_assets(customer, {before(ago + 1): base, before(ago): base + change})


def transaction(customer, kind, ago, amount=0):
    TransactionEvent.objects.create(
        customer=customer, kind=kind, data_date=before(ago), amount=amount, external_id=f"{kind}-{ago}-{customer.pk}"
    )


def important(customer, kind, day, *, lunar=False, name="外孙"):
    ImportantDate.objects.create(customer=customer, kind=kind, name=name, day=day, lunar=lunar)


def archive(customer, field, value):
    ProfileValue.objects.create(customer=customer, field=field, value=value)


def child(customer, year):
    Relation.objects.create(customer=customer, kind="child", name="小宝", birth_year=year, consented=True)


def idle(customer, amount, days=30):
    first = ON.replace(day=1)
    ensure_partitions(before(60), ON)
    for ago in range(1, days + 1):
        DailyAsset.objects.create(customer=customer, data_date=first - timedelta(days=ago), demand=amount)


def slide(customer, *averages):
    month = ON.replace(day=1)
    for average in averages:
        month = (month - timedelta(days=1)).replace(day=1)
        monthly_asset(customer, month, average)


def rated(customer, kind, ago):
    TierChange.objects.create(
        customer=customer,
        on=before(ago),
        kind=kind,
        from_tier=Tier.PLATINUM,
        to_tier=Tier.GOLD,
        month_avg=Decimal(400_000),
    )


def loan(customer, then, now):
    ensure_partitions(before(60), ON)
    for ago, balance in ((2, then), (1, now)):
        DailyAsset.objects.create(customer=customer, data_date=before(ago), loan_balance=balance)


SCENES = [
    ("large_in", lambda c: moved(c, 50_000), True),
    ("large_in", lambda c: moved(c, 49_999), False),
    ("large_out", lambda c: moved(c, -50_000), True),
    ("large_out", lambda c: moved(c, -50_000, ago=4), True),
    ("large_out", lambda c: moved(c, -50_000, ago=5), False),
    ("family_birthday", lambda c: important(c, "family_birthday", "11-12"), True),
    ("family_birthday", lambda c: important(c, "family_birthday", "11-13"), False),
    ("anniversary", lambda c: important(c, "anniversary", "11-08"), True),
    ("anniversary", lambda c: important(c, "anniversary", "11-09"), False),
    ("anniversary", lambda c: archive(c, "wedding_date", "1999-11-08"), True),
    ("anniversary", lambda c: archive(c, "wedding_date", "1999-11-04"), False),
    ("retirement", lambda c: archive(c, "retirement_date", "2027-05-04"), True),
    ("retirement", lambda c: archive(c, "retirement_date", "2027-05-05"), False),
    ("idle_cash", lambda c: idle(c, 50_000), True),
    ("idle_cash", lambda c: idle(c, 49_999), False),
    ("idle_cash", lambda c: idle(c, 90_000, days=29), False),
    ("redeem", lambda c: transaction(c, "redeem", 1, 100_000), True),
    ("redeem", lambda c: transaction(c, "redeem", 1, 99_999), False),
    ("payroll_in", lambda c: transaction(c, "payroll", 1, 10_000), True),
    ("payroll_in", lambda c: transaction(c, "payroll", 1, 9_999), False),
    ("payroll_stop", lambda c: transaction(c, "payroll", 45, 10_000), True),
    ("payroll_stop", lambda c: transaction(c, "payroll", 44, 10_000), False),
    ("payroll_stop", lambda c: transaction(c, "payroll", 56, 10_000), False),
    ("dormant", lambda c: transaction(c, "login", 90), True),
    ("dormant", lambda c: transaction(c, "login", 89), False),
    ("card_inactive", lambda c: transaction(c, "card_issue", 30), True),
    ("card_inactive", lambda c: transaction(c, "card_issue", 29), False),
    ("card_inactive", lambda c: (transaction(c, "card_issue", 30), transaction(c, "card_spend", 3, 88)), False),
    ("loan_done", lambda c: loan(c, 120_000, 0), True),
    ("loan_done", lambda c: loan(c, 120_000, 1), False),
    ("tier_reached", lambda c: rated(c, "reached", 4), True),
    ("tier_watch", lambda c: rated(c, "watch", 10), True),
    ("tier_watch", lambda c: rated(c, "watch", 11), False),
    ("tier_down", lambda c: rated(c, "down", 4), True),
    ("aum_slide", lambda c: slide(c, 85_000, 90_000, 95_000, 100_000), True),
    ("aum_slide", lambda c: slide(c, 85_001, 90_000, 95_000, 100_000), False),
    ("aum_slide", lambda c: slide(c, 80_000, 95_000, 90_000, 100_000), False),
]


@pytest.mark.parametrize(("code", "scene", "found"), SCENES)
def test_each_kind_is_found_within_its_limits(code, scene, found):
    customer = managed()
    scene(customer)
    tasks = reasons(customer)
    assert (code in tasks) is found
    for language in ("zh-hans", "en") if found else ():
        with translation.override(language):
            words = reason_of(tasks[code], on=ON, viewer=customer.manager)
        assert words.sentence and words.chip and "{" not in words.sentence


@pytest.mark.parametrize(
    ("tier", "change", "average", "found"),
    [
        (Tier.GOLD, 50_000, 900_000, True),
        (Tier.PLATINUM, 99_999, 900_000, False),
        (Tier.PLATINUM, 100_000, 900_000, True),
        (Tier.PLATINUM, 60_000, 300_000, True),  # a fifth of the month average
        (Tier.DIAMOND, 199_999, 1_200_000, False),
        (Tier.DIAMOND, 200_000, 1_200_000, True),
    ],
)
def test_a_move_is_large_by_tier_or_by_its_share(tier, change, average, found):
    customer = managed(service_tier=tier, month_avg=Decimal(average))
    moved(customer, change)
    assert ("large_in" in reasons(customer)) is found


@pytest.mark.parametrize(("year", "code", "found"), [
    (2021, "child_school", False), (2005, "child_exam", False), (2009, "child_exam", True), (2012, "child_exam", True),
    (2011, "child_exam", False),
])  # fmt: skip
def test_children_come_up_in_their_years(year, code, found):
    customer = managed()
    child(customer, year)
    on = date(2027, 5, 1)
    agenda.refresh_tasks(branch_id=customer.branch_id, on=on)
    assert ContactTask.objects.open().filter(reason=code).exists() is found
    child(customer, 2021)
    agenda.refresh_tasks(branch_id=customer.branch_id, on=date(2027, 6, 2))
    assert ContactTask.objects.open().filter(reason="child_school", due_on="2027-08-31").exists()


@pytest.mark.parametrize(
    ("assessed", "found"), [("2025-11-05", True), ("2025-12-05", True), ("2025-12-06", False), ("2025-11-04", False)]
)
def test_a_risk_assessment_that_expires_within_thirty_days(assessed, found):
    customer = managed(risk_grade=3, risk_assessed_on=date.fromisoformat(assessed))
    assert ("risk_expiring" in reasons(customer)) is found


def test_what_happened_keeps_its_day_of_action_and_is_written_once():
    """A Friday's outflow is to be answered on Monday, whenever it is found again."""
    customer = managed()
    friday = date(2026, 11, 13)
    daily_assets(customer, {friday - timedelta(days=1): 500_000, friday: 400_000})
    for on in (date(2026, 11, 14), date(2026, 11, 15), date(2026, 11, 16)):
        task = reasons(customer, on)["large_out"]
        assert (task.due_on, task.stake) == (date(2026, 11, 16), 100_000)
    assert ContactTask.objects.filter(reason="large_out").count() == 1
    assert "large_out" not in reasons(customer, date(2026, 11, 18))


# --- Entered events ------------------------------------------------------------------------------------


@pytest.fixture
def head():
    return StaffFactory(role=Role.BRANCH_HEAD, language="en")


def consent(customer, purpose="marketing", granted=True):
    ConsentRecord.objects.create(
        customer=customer, purpose=purpose, channel="sms", granted=granted, at="2026-01-01T00:00Z"
    )


def publish(head, **values):
    usual = {"kind": "social", "title": "存款利率下调", "occurs_on": ON, "by": head, "branch": head.branch, "on": ON}
    return event.publish(**usual | values)


def test_an_event_reaches_the_holders_of_a_product_and_lapses_when_it_is_over(head):
    holder, other = (managed(branch=head.branch) for _each in range(2))
    product = ProductFactory(name="安鑫90天")
    HoldingFactory(customer=holder, product=product)

    made = publish(head, kind="yield_change", product=product, title="安鑫90天收益下调")

    (task,) = ContactTask.objects.open().filter(reason="yield_change")
    assert (task.customer, task.figures["title"]) == (holder, "安鑫90天收益下调")
    assert made.expires_on == ON + timedelta(days=7) and not made.matches.filter(customer=other).exists()
    assert "yield_change" in reasons(holder, ON + timedelta(days=7))
    assert "yield_change" not in reasons(holder, ON + timedelta(days=8))


def test_who_is_skipped_and_why_is_kept(head):
    product = ProductFactory(risk_level=2)
    suits = {"branch": head.branch, "risk_grade": 3, "risk_assessed_on": ON - timedelta(days=30)}
    told, silent, quiet, pitched, alone, timid = (managed(**suits) for _each in range(6))
    Customer.objects.filter(pk=quiet.pk).update(low_disturb=True)
    Customer.objects.filter(pk=timid.pk).update(risk_grade=1)
    alone_relation = alone.assignments.get()
    alone_relation.end = ON
    alone_relation.save()
    for customer in (told, quiet, pitched, alone, timid):
        consent(customer)
    ContactLogFactory(customer=pitched, staff=pitched.manager, purpose="product", on=ON - timedelta(days=6))

    made = publish(head, kind="new_product", product=product, title="安鑫180天发行")

    skips = dict(made.matches.values_list("customer", "skip"))
    assert skips == {
        told.pk: "", silent.pk: "no_consent", quiet.pk: "low_disturb", pitched.pk: "pitch_cap", alone.pk: "no_manager",
    }  # fmt: skip
    again = publish(head, kind="promotion", product=product, title="加息券")
    assert again.matches.get(customer=told).skip == "pitch_cap", "one product event in seven days"
    assert dict(event.skipped(made, head)).keys() == {str(event.SKIPS[code]) for code in skips.values() if code}


@pytest.mark.parametrize(
    "values",
    [{"kind": "large_in"}, {"title": "  "}, {"occurs_on": ON - timedelta(days=9)}, {}],
)
def test_an_event_that_may_not_be_is_refused_and_nothing_is_kept(head, values):
    customer = managed(branch=head.branch)
    with pytest.raises(EventRefused):
        publish(head, **({"customer": customer} | values if values else {}))
    assert not ContactEvent.objects.exists()


def test_the_same_external_id_changes_nothing(head):
    customer = managed(branch=head.branch)
    first = publish(head, customer=customer, external_id="E-1")
    assert publish(head, customer=customer, external_id="E-1", title="另一条").pk == first.pk
    assert EventMatch.objects.count() == 1


def test_a_withdrawn_event_takes_its_tasks_back(head):
    customer = managed(branch=head.branch)
    made = publish(head, customer=customer)
    assert "social" in reasons(customer)
    event.withdraw(event=made, by=head, on=ON)
    assert "social" not in reasons(customer)
    with pytest.raises(EventRefused):
        event.withdraw(event=made, by=head, on=ON)


def test_customers_of_another_branch_are_not_concerned(head):
    elsewhere = managed()
    publish(head, customer=elsewhere)
    assert not EventMatch.objects.exists()


def test_the_catalogue_names_what_people_enter():
    assert {"bulletin", "social", "life_change", "competitor"} <= set(ENTERED)
    assert all(kind.purpose for code, kind in KINDS.items() if code in ENTERED)


def test_an_event_concerns_those_most_who_hold_the_product_and_whom_its_words_name(head):
    product = ProductFactory(category="wealth", risk_level=1)
    like = ProductFactory(category="wealth")
    holder, tagged, alike, plain = (managed(branch=head.branch, service_tier=Tier.GOLD) for _each in range(4))
    for customer, held in ((holder, product), (alike, like)):
        HoldingFactory(customer=customer, product=held)
    Customer.objects.filter(pk=tagged.pk).update(tags=["茶友"])
    Hobby.objects.create(customer=tagged, word="书画", level=1, by=head)
    segment = Segment.objects.create(name="s", branch=head.branch, owner=head)
    for customer in (holder, tagged, alike, plain):
        SegmentMember.objects.create(segment=segment, customer=customer, since=ON)
        consent(customer)
    made = publish(head, kind="new_product", title="茶友书画专属理财", product=product, segment=segment)
    points = dict(made.matches.values_list("customer", "relevance"))
    assert [points[customer.pk] for customer in (holder, tagged, alike, plain)] == [50, 60, 40, 20]
