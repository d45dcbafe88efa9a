"""What fits next: in ladder order, with why, and what forbids it, said and not hidden."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from contacts import next_product
from contacts.models import Feedback
from customers.models import ConsentRecord, Customer, Holding, Product
from staff.models import Qualification
from tests.factories import AssignmentFactory, OpportunityFactory

ON = date(2026, 11, 25)

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(db):
    Product.objects.all().delete()
    row = AssignmentFactory(customer__risk_grade=3, customer__risk_assessed_on=ON - timedelta(days=30))
    ConsentRecord.objects.create(customer=row.customer, purpose="marketing", channel="phone", granted=True)
    for kind in ("wealth", "fund"):
        Qualification.objects.create(
            staff=row.staff, kind=kind, valid_from=ON - timedelta(days=99), valid_until=ON + timedelta(days=99)
        )
    return row


def product(code, category, *, risk=None, name=None) -> Product:
    rank = next_product.coverage.LADDER[category]
    return Product.objects.create(code=code, name=name or code, category=category, risk_level=risk, ladder_rank=rank)


def holds(customer, item, *, matures_on=None, amount=100_000):
    Holding.objects.create(
        customer=customer,
        product=item,
        amount=Decimal(amount),
        opened_on=ON - timedelta(days=300),
        matures_on=matures_on,
    )


def suggested(own) -> list[next_product.Suggestion]:
    return next_product.suggestions_for(own.customer, by=own.staff, on=ON)


def test_easy_ones_come_first_and_what_is_held_does_not_come(own):
    holds(own.customer, product("存款", "deposit"))
    product("基金", "fund", risk=3)
    product("掌上银行", "channel")
    product("理财", "wealth", risk=2)

    assert [each.category for each in suggested(own)] == ["channel", "wealth", "fund"]
    assert suggested(own)[0].reasons and not suggested(own)[0].forbids


def test_what_is_not_suitable_stays_at_the_end_with_the_reason(own):
    product("高风险基金", "fund", risk=5)
    product("稳健理财", "wealth", risk=2)
    product("汽车贷款", "loan")

    assert [(each.category, bool(each.forbids)) for each in suggested(own)] == [
        ("loan", False), ("wealth", False), ("fund", True),
    ]  # fmt: skip
    Customer.objects.filter(pk=own.customer.pk).update(risk_grade=5)
    own.customer.refresh_from_db()
    assert next(each for each in suggested(own) if each.category == "fund").forbids == ()


def test_a_category_declined_lately_waits_90_days(own):
    product("基金", "fund", risk=2)
    deal = OpportunityFactory(
        customer=own.customer, owner=own.staff, kind="cross_sell", category="fund", stage="lost", lost_reason="no_need",
        closed_on=ON - timedelta(days=40),
    )  # fmt: skip
    assert suggested(own)[0].forbids

    type(deal).objects.update(closed_on=ON - timedelta(days=90))

    assert suggested(own)[0].forbids == ()


def test_without_consent_or_with_a_complaint_nothing_may_be_offered(own):
    product("掌上银行", "channel")
    Feedback.objects.create(
        customer=own.customer, kind="complaint", area="software", text="x", received_on=ON, answer_due=ON, settle_due=ON,
        entered_by=own.staff,
    )  # fmt: skip
    ConsentRecord.objects.create(customer=own.customer, purpose="marketing", channel="phone", granted=False)

    assert len(suggested(own)[0].forbids) == 2


def test_money_that_falls_due_asks_for_a_successor_although_the_category_is_held(own):
    holds(own.customer, product("存款", "deposit"), matures_on=ON + timedelta(days=9), amount=300_000)

    (only,) = suggested(own)

    assert only.category == "deposit"
    assert "30" in only.reasons[0]
