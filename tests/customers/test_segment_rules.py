"""The rules of segments: what can be said, what is refused, and that SQL and Python agree on every customer."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.archive.fields import Goal, Occupation, Temperament
from customers.models import ConsentRecord, Customer, Hobby, Product, ProfileValue, Resource, Tier
from customers.potential import KeyGroup, Reason
from customers.segments import kinds
from customers.segments.dimensions import ALL, BY_CODE
from customers.segments.rule import RuleRefused, facts_of, parse
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

ON = date(2026, 11, 26)


def found(rule) -> set[int]:
    return set(Customer.objects.filter(parse(rule).q(ON)).values_list("pk", flat=True))


def judged(rule, customers) -> set[int]:
    facts, read = facts_of(list(customers)), parse(rule)
    return {pk for pk, one in facts.items() if read.test(one, ON)}


def told(customer, **values):
    for field, value in values.items():
        ProfileValue.objects.create(customer=customer, field=field, value=value)


def test_the_segment_of_the_specification_across_traditional_groups():
    """(商户 or 代发 or 存管 or 老年) and hobby 掼蛋 (S4-12)."""
    rule = {"all": [
        {"field": "group", "op": "in", "value": ["merchant", "payroll", "custody", "elderly"]},
        {"field": "hobby", "op": "in", "value": ["掼蛋"]},
    ]}  # fmt: skip
    merchant, payroll, elder, young, quiet = (CustomerFactory(birth_date=date(1990, 1, 1)) for _n in range(5))
    told(merchant, occupation_class="merchant")
    Customer.objects.filter(pk=payroll.pk).update(key_groups=["payroll"])
    Customer.objects.filter(pk=elder.pk).update(birth_date=date(1966, 11, 26))
    Customer.objects.filter(pk=quiet.pk).update(key_groups=["custody"])
    for customer in (merchant, payroll, elder, young):
        Hobby.objects.create(customer=customer, word="掼蛋")

    assert found(rule) == {merchant.pk, payroll.pk, elder.pk}
    assert judged(rule, Customer.objects.all()) == found(rule)


def test_c3_and_above_who_are_executives():
    """“C3 及以上 且 企业高管” (S2-38)."""
    rule = {"all": [
        {"field": "grade", "op": "in", "value": ["c3", "c4", "c5"]},
        {"field": "occupation", "op": "in", "value": ["executive"]},
    ]}  # fmt: skip
    yes, cautious, other = CustomerFactory(risk_grade=3), CustomerFactory(risk_grade=2), CustomerFactory(risk_grade=5)
    told(yes, occupation_class="executive"), told(cautious, occupation_class="executive")
    told(other, occupation_class="official")

    assert found(rule) == {yes.pk}


def test_what_is_not_known_fulfils_nothing_and_its_negation_everything():
    unknown = CustomerFactory(risk_grade=None, birth_date=None)
    for leaf in (
        {"field": "grade", "op": "in", "value": ["c1"]},
        {"field": "age", "op": "from", "value": "18"},
        {"field": "age", "op": "below", "value": "90"},
        {"field": "clv", "op": "below", "value": "5"},
        {"field": "temperament", "op": "in", "value": ["quiet"]},
    ):
        assert found(leaf) == set()
        assert found({"not": leaf}) == {unknown.pk}
        assert found({"not": {"not": leaf}}) == set()


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (None, "at rule)"),
        ({}, "at rule)"),
        ({"all": []}, "rule.all)"),
        ({"all": [{"field": "moon", "op": "in", "value": ["x"]}]}, "rule.all[0].field)"),
        ({"field": "tier", "op": "from", "value": ["gold"]}, "rule.op)"),
        ({"field": "tier", "op": "in", "value": ["silver"]}, "rule.value)"),
        ({"field": "tier", "op": "in", "value": []}, "rule.value)"),
        ({"field": "tier", "op": "in", "value": "gold"}, "rule.value)"),
        ({"field": "aum", "op": "from", "value": "NaN"}, "rule.value)"),
        ({"field": "aum", "op": "from", "value": "1.234"}, "rule.value)"),
        ({"field": "age", "op": "from", "value": "18.5"}, "rule.value)"),
        ({"field": "contact", "op": "when", "value": "soon"}, "rule.value)"),
        ({"field": "private", "op": "is", "value": False}, "rule.value)"),
        ({"field": "hobby", "op": "in", "value": ["掼蛋"], "least": 9}, "rule.value)"),
        ({"field": "tier", "op": "in", "value": ["gold"], "colour": 1}, "at rule)"),
        ({"not": {"not": {"not": {"not": {"not": {"field": "private", "op": "is", "value": True}}}}}}, "not.not"),
        ({"any": [{"field": "private", "op": "is", "value": True}] * 31}, "30"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_is_refused_with_its_place(rule, place):
    with pytest.raises(RuleRefused) as refused:
        parse(rule)
    assert place.replace("at rule)", "rule").rstrip(")") in str(refused.value)


def test_a_rule_is_written_as_it_was_read():
    rule = {
        "all": [
            {"not": {"field": "hobby", "op": "in", "value": ["掼蛋"], "least": 2}},
            {
                "any": [
                    {"field": "aum", "op": "from", "value": "30"},
                    {"field": "contact", "op": "when", "value": "over90"},
                ]
            },
        ]
    }
    assert parse(rule).as_json() == rule


# --- SQL and Python agree --------------------------------------------------------------------------


def leaves(dimension):
    kind = dimension.kind
    if isinstance(kind, kinds.Choice):
        codes = sorted(kind.codes())
        value = st.lists(st.sampled_from(codes), min_size=1, max_size=3, unique=True)
        least = st.sampled_from([None, *range(1, len(kind.scale) + 1)])
    elif isinstance(kind, kinds.Day):
        value = st.sampled_from(["last30", "over30", "next30", "beyond10", "week", "month", "quarter", "never"])
        least = st.none()
    elif isinstance(kind, kinds.Flag):
        value, least = st.just(True), st.none()
    elif isinstance(kind, kinds.Tags):
        value, least = st.lists(st.sampled_from(["甲", "乙"]), min_size=1, max_size=2, unique=True), st.none()
    else:
        value = st.integers(max(kind.least, -20), min(kind.most, 120)).map(str)
        least = st.none()
    return st.builds(
        lambda op, value, least: {"field": dimension.code, "op": op, "value": value} | ({"least": least} if least else {}),
        st.sampled_from(kind.ops), value, least,
    )  # fmt: skip


RULES = st.recursive(
    st.sampled_from(ALL).flatmap(leaves),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


def nests(rule, depth=1) -> bool:
    inner = rule.get("all") or rule.get("any") or ([rule["not"]] if "not" in rule else [])
    return depth <= 5 and all(nests(part, depth + 1) for part in inner)


NEAR = st.one_of(st.none(), st.integers(-120, 120).map(lambda n: ON + timedelta(days=n)))
MONEY = st.integers(-5, 130).map(lambda n: Decimal(n) * 10_000)


@st.composite
def people(draw):
    row = {
        "service_tier": draw(st.sampled_from(Tier)), "gender": draw(st.sampled_from(["m", "f", ""])),
        "birth_date": draw(st.one_of(st.none(), st.dates(date(1930, 1, 1), date(2015, 1, 1)))),
        "risk_grade": draw(st.one_of(st.none(), st.integers(1, 5))), "risk_assessed_on": draw(NEAR),
        "aum": abs(draw(MONEY)), "aum_30d_before": draw(st.one_of(st.none(), MONEY.map(abs))),
        "month_avg": draw(MONEY.map(abs)), "year_avg": draw(MONEY.map(abs)), "clv": draw(st.one_of(st.none(), MONEY)),
        "tags": draw(st.lists(st.sampled_from(["甲", "乙", "丙"]), unique=True)),
        "key_groups": draw(st.lists(st.sampled_from(KeyGroup.values), unique=True, max_size=3)),
        "potential_reasons": draw(st.lists(st.sampled_from(Reason.values), unique=True, max_size=2)),
        "product_marks": " ".join(draw(st.lists(st.sampled_from(Product.Category.values), unique=True, max_size=4))),
        "is_private_banking": draw(st.booleans()), "low_disturb": draw(st.booleans()),
        "last_contact_on": draw(NEAR), "next_maturity_on": draw(NEAR), "opened_on": draw(NEAR),
        "churn_level": draw(st.sampled_from([None, 1, 2, 3])), "value_class": draw(st.sampled_from(["", "mvc", "bzc"])),
        "contribution_quintile": draw(st.sampled_from([None, 1, 5])), "archive_completeness": draw(st.integers(0, 100)),
    }  # fmt: skip
    told_of = {
        "occupation_class": draw(st.sampled_from([None, *Occupation.values])),
        "temperament": draw(st.sampled_from([None, *Temperament.values])),
        "goals": draw(st.one_of(st.none(), st.lists(st.sampled_from(Goal.values), min_size=1, unique=True))),
    }
    hobbies = draw(st.dictionaries(st.sampled_from(["掼蛋", "茶"]), st.integers(1, 3)))
    consents = draw(st.lists(st.tuples(st.sampled_from(["marketing", "care"]), st.booleans()), max_size=3))
    return row, told_of, hobbies, consents


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(people(), min_size=1, max_size=4), st.lists(RULES.filter(nests), min_size=4, max_size=8))
def test_sql_and_python_agree_on_random_rules(drawn, rules):
    with transaction.atomic():
        for row, told_of, hobbies, consents in drawn:
            customer = CustomerFactory()
            Customer.objects.filter(pk=customer.pk).update(**row)
            told(customer, **{field: value for field, value in told_of.items() if value is not None})
            for word, level in hobbies.items():
                Hobby.objects.create(customer=customer, word=word, level=level)
                Resource.objects.create(
                    customer=customer, direction="need", word="教育", urgency=level
                ) if word == "茶" else None
            for purpose, granted in consents:
                ConsentRecord.objects.create(customer=customer, purpose=purpose, channel="phone", granted=granted)
        everybody = list(Customer.objects.all())
        for rule in rules:
            assert found(rule) == judged(rule, everybody), rule
        transaction.set_rollback(True)


def test_every_dimension_of_the_catalogue_has_its_own_code():
    assert len(BY_CODE) == len(ALL)
