"""Rating: rises fast, falls slowly (domain.md §3)."""

from datetime import date
from decimal import Decimal

import hypothesis
import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from customers.models import RatingRule, RelationStatus, Tier, TierChange, TierRule, TierState
from customers.rating import rate_branch, tier_for
from tests.factories import AssignmentFactory, CustomerFactory, monthly_asset

FLOORS = {Tier.GENERAL: 0, Tier.GOLD: 100_000, Tier.PLATINUM: 500_000, Tier.DIAMOND: 1_000_000}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("month_avg", "tier"),
    [
        ("0", Tier.GENERAL),
        ("99999.99", Tier.GENERAL),
        ("100000", Tier.GOLD),
        ("499999.99", Tier.GOLD),
        ("500000", Tier.PLATINUM),
        ("1000000", Tier.DIAMOND),
    ],
)
def test_a_tier_begins_at_its_floor(month_avg, tier):
    assert tier_for(Decimal(month_avg), FLOORS) == tier


@given(st.decimals(0, 10**8, places=2), st.decimals(0, 10**8, places=2))
def test_more_money_never_means_a_lower_tier(one, other):
    assert (tier_for(one, FLOORS) <= tier_for(other, FLOORS)) or one > other


def rate_months(customer, averages, year=2026):
    """Give a customer month averages from January on and rate after each."""
    for number, average in enumerate(averages, start=1):
        first = date(year, number, 1)
        last = date(year, number + 1, 1) - (date(year, 1, 2) - date(year, 1, 1))
        monthly_asset(customer, first, average)
        rate_branch(branch_id=customer.branch_id, on=last)
    customer.refresh_from_db()


def test_a_platinum_customer_below_the_floor_is_watched_at_once_and_falls_after_three_months():
    customer = CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM)

    rate_months(customer, [480_000])
    assert (customer.service_tier, customer.tier_state) == (Tier.PLATINUM, TierState.WATCH)

    for number, average in ((2, 460_000), (3, 450_000)):
        monthly_asset(customer, date(2026, number, 1), average)
        rate_branch(branch_id=customer.branch_id, on=date(2026, number, 28 if number == 2 else 31))
    customer.refresh_from_db()

    assert (customer.service_tier, customer.tier_state) == (Tier.GOLD, TierState.NORMAL)
    assert list(TierChange.objects.order_by("on").values_list("kind", "on", "from_tier", "to_tier", "month_avg")) == [
        ("watch", date(2026, 2, 1), Tier.PLATINUM, Tier.PLATINUM, Decimal(480_000)),
        ("down", date(2026, 4, 1), Tier.PLATINUM, Tier.GOLD, Decimal(450_000)),
    ]


def test_one_month_at_the_floor_clears_the_watch():
    customer = CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM)

    rate_months(customer, [480_000, 500_000])

    assert (customer.tier_state, customer.months_below_floor) == (TierState.NORMAL, 0)
    assert list(TierChange.objects.order_by("on").values_list("kind", flat=True)) == ["watch", "cleared"]


def test_money_alone_does_not_raise_the_service_tier():
    customer = CustomerFactory(service_tier=Tier.GOLD)

    rate_months(customer, [600_000])

    assert (customer.service_tier, customer.asset_tier) == (Tier.GOLD, Tier.PLATINUM)
    assert TierChange.objects.get().kind == TierChange.Kind.REACHED


def test_an_unsigned_customer_near_gold_becomes_potential():
    customer = CustomerFactory(
        service_tier=Tier.GENERAL, asset_tier=Tier.GENERAL, relation_status=RelationStatus.NONE, signed_on=None
    )

    rate_months(customer, [80_000])

    assert customer.relation_status == RelationStatus.POTENTIAL


def test_rating_the_same_month_again_changes_nothing():
    customer = CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM)
    rate_months(customer, [480_000, 460_000, 450_000])
    before = (customer.service_tier, customer.tier_state, customer.months_below_floor, TierChange.objects.count())

    rate_branch(branch_id=customer.branch_id, on=date(2026, 3, 31))
    customer.refresh_from_db()

    assert (
        customer.service_tier,
        customer.tier_state,
        customer.months_below_floor,
        TierChange.objects.count(),
    ) == before


def test_a_private_banking_customer_has_six_months():
    customer = CustomerFactory(
        service_tier=Tier.DIAMOND, asset_tier=Tier.DIAMOND, is_private_banking=True, aum=7_000_000
    )

    rate_months(customer, [900_000] * 5)
    assert customer.service_tier == Tier.DIAMOND

    monthly_asset(customer, date(2026, 6, 1), 900_000)
    rate_branch(branch_id=customer.branch_id, on=date(2026, 6, 30))
    customer.refresh_from_db()
    assert customer.service_tier == Tier.PLATINUM


def test_a_fall_moves_the_managers_load_and_not_the_customer():
    assignment = AssignmentFactory(customer__service_tier=Tier.PLATINUM, customer__asset_tier=Tier.PLATINUM)

    rate_months(assignment.customer, [480_000, 460_000, 450_000])
    assignment.staff.load.refresh_from_db()

    assert assignment.customer.manager == assignment.staff
    assert (assignment.staff.load.platinum, assignment.staff.load.gold) == (0, 1)


def test_a_change_keeps_the_figures_that_caused_it():
    customer = CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM)

    rate_months(customer, [480_000, 460_000, 450_000])

    watch, down = TierChange.objects.filter(customer=customer).order_by("on")
    assert (watch.kind, watch.on, watch.figures) == (
        "watch",
        date(2026, 2, 1),
        {"measure": "month_avg", "floor": "500000.00", "reached": "100000.00", "below": {"2026-01": "480000.00"}},
    )
    assert (down.kind, down.on) == ("down", date(2026, 4, 1))
    assert down.figures["below"] == {"2026-01": "480000.00", "2026-02": "460000.00", "2026-03": "450000.00"}


def test_the_parameters_of_the_day_decide():
    customer = CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM)
    RatingRule.objects.create(effective_from=date(2026, 2, 1), months_until_down=1, rating_measure="year_avg")
    monthly_asset(customer, date(2026, 1, 1), 900_000, year_avg=300_000)

    rate_branch(branch_id=customer.branch_id, on=date(2026, 1, 31))
    customer.refresh_from_db()

    assert (customer.asset_tier, customer.service_tier) == (Tier.GOLD, Tier.GOLD)
    assert TierChange.objects.get(kind="down").figures["measure"] == "year_avg"


def test_a_threshold_takes_effect_on_its_day_and_not_before():
    customer = CustomerFactory(service_tier=Tier.GOLD, asset_tier=Tier.GOLD)
    TierRule.objects.create(tier=Tier.PLATINUM, floor=300_000, effective_from=date(2026, 3, 1))

    rate_months(customer, [350_000])
    assert customer.asset_tier == Tier.GOLD

    monthly_asset(customer, date(2026, 2, 1), 350_000)
    rate_branch(branch_id=customer.branch_id, on=date(2026, 2, 28))
    customer.refresh_from_db()
    assert customer.asset_tier == Tier.PLATINUM


@given(averages=st.lists(st.integers(0, 2_000_000), min_size=1, max_size=5), more=st.integers(0, 1_000_000))
@hypothesis.settings(max_examples=25, deadline=None)
def test_more_money_in_the_last_month_never_rates_lower(averages, more):
    with transaction.atomic():
        poor, rich = (CustomerFactory(service_tier=Tier.PLATINUM, asset_tier=Tier.PLATINUM) for _ in range(2))
        rate_months(poor, averages)
        rate_months(rich, [*averages[:-1], averages[-1] + more])

        assert (poor.service_tier, poor.asset_tier) <= (rich.service_tier, rich.asset_tier)
        transaction.set_rollback(True)
