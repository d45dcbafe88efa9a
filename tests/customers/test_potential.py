"""Why somebody is a potential VIP, and the four key groups (domain.md §3)."""

from datetime import date
from decimal import Decimal

import pytest

from customers.assets import ensure_partitions
from customers.models import DailyAsset, RatingRule, RelationStatus, Tier, TransactionEvent
from customers.potential import refresh_branch
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)


def customer_with(
    *, month_avg=0, service_tier=Tier.GENERAL, asset_tier=Tier.GENERAL, marks="", relation_status=RelationStatus.NONE,
    signed_on=None, **balances,
):  # fmt: skip
    """Make a customer whose row was brought up to Monday, with that day's balances."""
    customer = CustomerFactory(
        service_tier=service_tier, asset_tier=asset_tier, month_avg=Decimal(month_avg), product_marks=marks,
        data_date=MONDAY, relation_status=relation_status, signed_on=signed_on,
    )  # fmt: skip
    ensure_partitions(MONDAY, MONDAY)
    DailyAsset.objects.create(customer=customer, data_date=MONDAY, **balances)
    return customer


def refreshed(customer):
    refresh_branch(branch_id=customer.branch_id, on=MONDAY)
    customer.refresh_from_db()
    return customer


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({"month_avg": "79999.99"}, []),
        ({"month_avg": 80_000}, ["near_threshold"]),
        ({"month_avg": "99999.99"}, ["near_threshold"]),
        ({"month_avg": 130_000, "asset_tier": Tier.GOLD}, ["reached"]),
        ({"month_avg": 420_000, "service_tier": Tier.GOLD, "asset_tier": Tier.GOLD}, ["near_threshold"]),
        ({"month_avg": 800_000, "service_tier": Tier.PLATINUM, "asset_tier": Tier.PLATINUM}, ["near_threshold"]),
        ({"month_avg": 420_000, "service_tier": Tier.PLATINUM, "asset_tier": Tier.GOLD}, []),
        ({"month_avg": 450_000, "asset_tier": Tier.GOLD}, ["reached", "near_threshold"]),
        ({"month_avg": 60_000, "loan_balance": 400_000}, ["loan"]),
        ({"month_avg": 60_000, "loan_balance": "299999.99"}, []),
        ({"month_avg": 20_000, "custody_cash": 10_000}, ["custody"]),
        ({"month_avg": 200_000, "service_tier": Tier.GOLD, "asset_tier": Tier.GOLD, "loan_balance": 400_000}, []),
    ],
)
def test_reasons_follow_averages_tiers_and_indicators(facts, reasons):
    assert refreshed(customer_with(**facts)).potential_reasons == reasons


@pytest.mark.parametrize(
    ("events", "reasons"),
    [
        ([("payroll", 10_000, date(2026, 9, 10)), ("payroll", 10_000, date(2026, 10, 10)),
          ("payroll", 10_000, date(2026, 11, 10))], ["payroll"]),
        ([("payroll", 10_000, date(2026, 9, 10)), ("payroll", 10_000, date(2026, 10, 10)),
          ("payroll", "9999.99", date(2026, 11, 10))], []),
        ([("payroll", 60_000, date(2026, 8, 23))], []),
        ([("payroll", 60_000, date(2026, 8, 24))], ["payroll"]),
        ([("card_spend", 30_000, date(2025, 11, 24)), ("card_spend", 20_000, MONDAY)], ["card"]),
        ([("card_spend", 50_000, date(2025, 11, 23))], []),
        ([("card_spend", 50_000, date(2026, 11, 24))], []),
        ([("inflow", 500_000, MONDAY)], []),
    ],
)  # fmt: skip
def test_pay_and_card_spend_make_a_potential_customer(events, reasons):
    customer = customer_with(month_avg=20_000)
    for number, (kind, amount, day) in enumerate(events):
        TransactionEvent.objects.create(
            customer=customer, kind=kind, amount=Decimal(amount), data_date=day, external_id=f"E{number}"
        )

    assert refreshed(customer).potential_reasons == reasons
    assert customer.relation_status == ("potential" if reasons else "none")


def test_a_reason_makes_nobody_potential_who_has_signed_or_left():
    signed = customer_with(
        month_avg=90_000, relation_status=RelationStatus.SIGNED, signed_on=MONDAY, loan_balance=400_000
    )
    assert refreshed(signed).relation_status == RelationStatus.SIGNED


@pytest.mark.parametrize(
    ("facts", "groups"),
    [
        ({}, []),
        ({"service_tier": Tier.GOLD}, ["vip"]),
        ({"loan_balance": 1, "marks": "deposit wealth"}, ["loan", "wealth"]),
        ({"card_outstanding": 10}, ["card"]),
        ({"service_tier": Tier.DIAMOND, "marks": "card fund loan"}, ["vip", "loan", "wealth", "card"]),
    ],
)
def test_somebody_may_be_in_several_key_groups(facts, groups):
    assert refreshed(customer_with(**facts)).key_groups == groups


def test_the_share_of_the_next_floor_is_a_parameter():
    RatingRule.objects.create(effective_from=MONDAY, near_percent=50)

    assert refreshed(customer_with(month_avg=50_000)).potential_reasons == ["near_threshold"]


def test_a_second_run_changes_nobody():
    customer = customer_with(month_avg=90_000, loan_balance=500_000)

    assert refresh_branch(branch_id=customer.branch_id, on=MONDAY) == 1
    assert refresh_branch(branch_id=customer.branch_id, on=MONDAY) == 0
