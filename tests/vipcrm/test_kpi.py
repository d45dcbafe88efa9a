"""Figures of domain.md §15 by outlet: counted by hand on a small bank, read by the API, only what is in sight."""

from datetime import date
from decimal import Decimal

import pytest

from tests.api.test_core_bank import Core
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    CustomerFactory,
    HoldingFactory,
    OpportunityFactory,
    ProductFactory,
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
