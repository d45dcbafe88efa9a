"""What may be offered to whom: the one rule; assessments and their limits; coverage and bundles; advice against a purchase."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from django.utils.timezone import localdate
from hypothesis import given
from hypothesis import strategies as st

from customers import assessment, catalogue, suitability
from customers.coverage import Bundle, grid, lacking
from customers.models import AdviceAgainst, Product
from customers.suitability import INVESTMENTS, Offer, check, judge
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    CustomerFactory,
    HoldingFactory,
    LoadFactory,
    ProductFactory,
    StaffFactory,
)

TODAY = date(2026, 11, 19)


def offer(**values):
    usual = {
        "category": "wealth", "risk_level": 2, "is_agency": False, "grade": 3, "assessed_on": date(2026, 3, 1), "age": 40,
        "on": TODAY,
    }  # fmt: skip
    return Offer(**usual | values)


@pytest.mark.parametrize("category", INVESTMENTS)
@pytest.mark.parametrize("grade", range(1, 6))
@pytest.mark.parametrize("risk", range(1, 6))
def test_a_product_fits_up_to_the_customers_grade(category, grade, risk):
    assert judge(offer(category=category, grade=grade, risk_level=risk)).allowed == (risk <= grade)


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"grade": None}, "no risk assessment"),
        ({"assessed_on": None}, "no risk assessment"),
        ({"assessed_on": date(2025, 11, 18)}, "expired"),
        ({"assessed_on": date(2025, 11, 19)}, ""),
        ({"risk_level": 4}, "above what the customer can bear"),
        ({"amount": Decimal(300_001), "ability": Decimal(300_000)}, "beyond what the customer can pay"),
        ({"amount": Decimal(300_000), "ability": Decimal(300_000)}, ""),
        ({"amount": Decimal(9_000_000)}, ""),
        ({"category": "deposit", "risk_level": 1, "grade": None}, ""),
        ({"category": "channel", "risk_level": None, "grade": None}, ""),
        ({"category": "insurance", "risk_level": None, "grade": None}, ""),
    ],
)
def test_what_refuses_an_offer(values, refused):
    with translation.override("en"):
        verdict = judge(offer(**values))
    assert verdict.allowed == (not refused)
    assert not refused or refused in verdict.refusals[0]


@pytest.mark.parametrize(
    ("values", "reminders", "needs"),
    [
        ({}, 0, 1),
        ({"age": 64}, 0, 1),
        ({"age": 65}, 1, 1),
        ({"category": "insurance", "risk_level": None, "age": 70}, 1, 2),
        ({"category": "deposit", "age": 80}, 0, 0),
        ({"category": "gold"}, 0, 0),
        ({"category": "gold", "is_agency": True}, 0, 1),
    ],
)
def test_what_an_offer_asks_for_besides(values, reminders, needs):
    verdict = judge(offer(**values))
    assert (len(verdict.reminders), len(verdict.needs)) == (reminders, needs)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.dates(date(2025, 1, 1), TODAY))
def test_a_higher_grade_or_a_milder_product_is_never_refused_more(grade, more, risk, assessed_on):
    low, high = sorted((grade, more))
    less = judge(offer(grade=low, risk_level=risk, assessed_on=assessed_on)).allowed
    assert judge(offer(grade=high, risk_level=risk, assessed_on=assessed_on)).allowed >= less
    mild, wild = sorted((risk, more))
    stricter = judge(offer(grade=grade, risk_level=wild, assessed_on=assessed_on)).allowed
    assert judge(offer(grade=grade, risk_level=mild, assessed_on=assessed_on)).allowed >= stricter


def test_a_refused_offer_raises_with_the_words():
    with pytest.raises(suitability.Unsuitable):
        check(offer(risk_level=5))


# --- Coverage and bundles --------------------------------------------------------------------------


def test_a_bundle_tells_what_is_lacking_in_ladder_order():
    """Merchant holding 市场通 and 惠农e贷, lacking 掌银 and 信用卡 → 市场商户组合: 缺 掌银、信用卡 (S0-12)."""
    held = {"市场通智能 POS", "惠农 e 贷", "活利丰", "时时付"}
    assert lacking(held) == [(Bundle.MERCHANT, ["掌上银行", "信用卡"])]
    assert lacking(held | {"掌上银行", "绿钻信用卡"}) == []
    assert lacking({"活利丰"}) == []
    with translation.override("zh-hans"):
        assert str(Bundle.MERCHANT.label) == "市场商户组合"


@pytest.mark.django_db
def test_the_grid_is_held_open_or_barred_with_why_in_ladder_order():
    customer = CustomerFactory(risk_grade=2, risk_assessed_on=TODAY)
    products = [
        Product(category=category, risk_level=risk)
        for category, risk in (("private", 4), ("fund", 3), ("fund", 2), ("card", None), ("channel", None))
    ]
    cells = grid(customer, products, held={"card"}, on=TODAY)
    assert [(cell.category, cell.state) for cell in cells] == [
        ("channel", "open"), ("card", "held"), ("fund", "open"), ("private", "barred"),
    ]  # fmt: skip
    assert cells[-1].why


# --- Assessments -----------------------------------------------------------------------------------


@pytest.fixture
def served(db):
    row = AssignmentFactory(
        staff=LoadFactory(staff__language="en").staff,
        customer__risk_grade=3,
        customer__risk_assessed_on=date(2025, 1, 1),
    )
    return row.customer, row.staff


def test_a_new_assessment_holds_and_a_different_grade_is_confirmed_again(served):
    customer, by = served
    with pytest.raises(assessment.AssessmentRefused):
        assessment.record_assessment(customer=customer, grade=4, confirmed=False, by=by, on=TODAY)
    made = assessment.record_assessment(customer=customer, grade=4, confirmed=True, by=by, on=TODAY)
    customer.refresh_from_db()
    assert (customer.risk_grade, customer.risk_assessed_on, made.confirmed) == (4, TODAY, True)


def test_two_a_day_and_eight_in_twelve_months_are_the_most(served):
    customer, by = served
    for ago in (300, 300, 200, 200, 100, 100, 0):
        on = TODAY - timedelta(days=ago)
        assessment.record_assessment(customer=customer, grade=3, confirmed=False, by=by, on=on)
    with pytest.raises(assessment.AssessmentRefused):
        assessment.record_assessment(customer=customer, grade=3, confirmed=False, by=by, on=TODAY - timedelta(days=100))
    assessment.record_assessment(customer=customer, grade=3, confirmed=False, by=by, on=TODAY)
    with pytest.raises(assessment.AssessmentRefused):
        assessment.record_assessment(customer=customer, grade=3, confirmed=False, by=by, on=TODAY + timedelta(days=1))
    assessment.record_assessment(customer=customer, grade=3, confirmed=False, by=by, on=TODAY + timedelta(days=70))


def test_a_manager_assesses_and_advises_on_the_record(client, served):
    customer, by = served
    product = ProductFactory(name="代销资管", category="private", risk_level=4)
    client.force_login(by)
    client.post(f"/customers/{customer.pk}/assess/", {"grade": "3"})
    client.post(f"/customers/{customer.pk}/advise/", {"product": product.pk, "amount": "", "reason": "期限不合适"})
    client.post(f"/customers/{customer.pk}/advise/", {"product": product.pk, "reason": ""})

    panel = client.get(f"/customers/{customer.pk}/suitability/").content.decode()
    assert "期限不合适" in panel and "R1 to R3" in panel
    assert AdviceAgainst.objects.count() == 1


# --- The catalogue ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_catalogue_shows_holders_and_whom_a_product_suits(client):
    head = LoadFactory(staff__role=Role.BRANCH_HEAD, staff__language="en").staff
    product = ProductFactory(name="稳享一号", category="wealth", risk_level=2)
    holder = CustomerFactory(branch=head.branch, name="持有人", service_tier=1)
    HoldingFactory(customer=holder, product=product, amount=500_000)
    values = {"branch": head.branch, "service_tier": 1, "risk_assessed_on": localdate()}
    suited = CustomerFactory(name="合适人", risk_grade=3, **values)
    cautious = CustomerFactory(name="保守人", risk_grade=1, **values)
    silent = CustomerFactory(name="未授权", risk_grade=3, **values)
    for customer in (suited, cautious):
        customer.consents.create(purpose="marketing", channel="phone", granted=True)
    client.force_login(head)

    assert "稳享一号" in client.get("/products/").content.decode()
    page = client.get(f"/products/{product.pk}/").content.decode()
    assert "持有人" in page and "合适人" in page
    assert cautious.name not in page and silent.name not in page


@pytest.mark.django_db
def test_head_office_changes_a_product_and_the_trail_keeps_what_was_before():
    office = StaffFactory(role=Role.RETAIL_ADMIN)
    product = ProductFactory(category="fund", risk_level=3)
    catalogue.change(product=product, by=office, risk_level=4, selling_points="先讲风险")
    product.refresh_from_db()
    assert (product.risk_level, product.selling_points) == (4, "先讲风险")
    assert AuditEvent.objects.filter(action="product.changed", staff=office).count() == 1
    with pytest.raises(catalogue.ProductRefused):
        catalogue.change(product=product, by=office, risk_level=None)
    with pytest.raises(catalogue.ProductRefused):
        catalogue.change(product=product, by=office, on_sale_from=TODAY, on_sale_to=TODAY - timedelta(days=1))
