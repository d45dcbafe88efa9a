"""Figures of domain.md §15 by outlet: counted by hand on a small bank, read by the API, only what is in sight."""

from datetime import date
from decimal import Decimal

import pytest

from churn.models import ChurnAlert, ChurnScore
from customers.models import RiskAssessment, Tier, TierChange
from tests.api.test_core_bank import Core
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    CustomerFactory,
    HoldingFactory,
    OpportunityFactory,
    ProductFactory,
    monthly_asset,
)
from vipcrm.kpi import KPIS, figures_of

pytestmark = pytest.mark.django_db
SINCE, UNTIL = date(2026, 11, 1), date(2026, 11, 30)


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="kpis:read")


def found(core) -> dict:
    return {
        one.kpi: (one.numerator, one.denominator) for one in figures_of(viewer=core.client, since=SINCE, until=UNTIL)
    }


def test_nothing_to_divide_by_is_no_figure(core):
    assert {one.value for one in figures_of(viewer=core.client, since=SINCE, until=UNTIL)} == {None}


def test_figures_are_counted_in_sight_only(core, outlet):
    held = AssignmentFactory(customer__branch=outlet, staff__branch=outlet)
    CustomerFactory(branch=outlet)
    for category in ("wealth", "fund", "gold"):
        HoldingFactory(customer=held.customer, product=ProductFactory(category=category))
    for purpose, day in (("care", 20), ("product", 21), ("care", 1)):
        ContactLogFactory(customer=held.customer, staff=held.staff, purpose=purpose, on=date(2026, 11, day))
    ContactLogFactory(customer=held.customer, staff=held.staff, purpose="care", on=date(2026, 10, 30))
    for stage, kind in (("won", "retention"), ("lost", "cross_sell")):
        OpportunityFactory(
            customer=held.customer, owner=held.staff, stage=stage, kind=kind, closed_on=date(2026, 11, 5),
            lost_reason="" if stage == "won" else "price", result_amount=1 if stage == "won" else None,
        )  # fmt: skip
    AssignmentFactory()  # elsewhere

    kpis = found(core)
    assert set(kpis) == set(KPIS)
    assert kpis["ownership_coverage"] == (1, 2)
    assert kpis["quarter_coverage"] == (1, 1)
    assert kpis["product_coverage"] == (3, 2)
    assert kpis["cross_sell_rate"] == (1, 2)
    assert kpis["care_balance"] == (2, 3)
    assert kpis["opportunity_conversion"] == (1, 2)

    said = core.get(f"/api/v1/kpis/?since={SINCE}&until={UNTIL}").json()
    assert {one["branch"] for one in said["results"]} == {"CZ01"}
    value = next(one["value"] for one in said["results"] if one["kpi"] == "care_balance")
    assert Decimal(value) == Decimal("0.6667")
    assert core.get("/api/v1/kpis/?since=2026-12-01&until=2026-11-01").status_code == 422


def test_growth_is_counted_from_the_base(core, outlet):
    risen = CustomerFactory(branch=outlet, service_tier=Tier.PLATINUM, aum=600_000, year_avg=500_000)
    sunk = CustomerFactory(branch=outlet, service_tier=Tier.GENERAL, aum=10_000, year_avg=90_000, month_avg=0)
    CustomerFactory(branch=outlet, service_tier=Tier.DIAMOND, aum=0, year_avg=0, month_avg=0)
    for customer, end in ((risen, 400_000), (sunk, 100_000)):
        monthly_asset(customer, date(2026, 10, 1), end)
    monthly_asset(risen, date(2026, 9, 1), 1)
    for customer, kind, tiers in (
        (risen, "up", (Tier.GENERAL, Tier.PLATINUM)),
        (sunk, "down", (Tier.GOLD, Tier.GENERAL)),
    ):
        TierChange.objects.create(
            customer=customer, on=date(2026, 11, 1), kind=kind, from_tier=tiers[0], to_tier=tiers[1], month_avg=0
        )

    kpis = found(core)
    # At the base stood a gold and a diamond customer: 1 + 7; platinum came and gold went: 2 - 1.
    assert kpis["weighted_new_vip"] == (1, 8)
    assert kpis["downgrade_rate"] == (1, 2)
    assert kpis["aum_growth"] == (110_000, 500_000)
    assert kpis["year_average_growth"] == (90_000, 500_000)


def test_an_outlet_that_lost_its_last_vip_is_told(core, outlet):
    gone = CustomerFactory(branch=outlet, service_tier=Tier.GENERAL)
    TierChange.objects.create(
        customer=gone, on=date(2026, 11, 1), kind="down", from_tier=Tier.GOLD, to_tier=Tier.GENERAL, month_avg=0
    )
    assert found(core)["downgrade_rate"] == (1, 1)
    assert found(core)["weighted_new_vip"] == (-1, 1)


def test_alerts_count_as_handled_when_the_customer_was_reached_in_time(core, outlet):
    for reached_on in (date(2026, 11, 4), date(2026, 11, 9), None):
        held = AssignmentFactory(customer__branch=outlet, staff__branch=outlet)
        score = ChurnScore.objects.create(
            customer=held.customer, data_date=date(2026, 11, 2), probability=0.7, level=3, money_at_risk=1
        )
        ChurnAlert.objects.create(
            customer=held.customer, score=score, opened_on=date(2026, 11, 3), level=3, probability=0.7,
            money_at_risk=1, due_on=date(2026, 11, 5), sent_on=date(2026, 11, 3),
        )  # fmt: skip
        if reached_on:
            ContactLogFactory(customer=held.customer, staff=held.staff, on=reached_on)
    assert found(core)["alert_handling"] == (1, 3)


def test_sales_are_suitable_by_the_assessment_of_their_day(core, outlet):
    customer, product = CustomerFactory(branch=outlet), ProductFactory(risk_level=3)
    RiskAssessment.objects.create(customer=customer, grade=3, assessed_on=date(2025, 11, 10), external_id="R1")
    for day in (9, 20):  # the assessment ends in between
        HoldingFactory(customer=customer, product=product, opened_on=date(2026, 11, day))
    assert found(core)["suitability"] == (1, 2)
