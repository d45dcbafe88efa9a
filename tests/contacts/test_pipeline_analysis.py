"""The pipeline looked at: forecast and pace, funnel with its slowest stage, why business is lost, the progress table."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from contacts import pipeline_analysis
from contacts.models import Opportunity, OpportunityStageHistory, SalesTarget
from staff.models import Branch
from staff.roles import Role
from tests.factories import AssignmentFactory, OpportunityFactory, StaffFactory, sign_in

ON = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_the_day():
    with time_machine.travel(NOW, tick=False):
        yield


def opportunity(stage="new", amount=None, expected_on=None, path=(), kind="upgrade", **values) -> Opportunity:
    """One of its own customer, with the days on which it entered each stage of `path` (days ago)."""
    if stage in ("won", "lost"):
        values.setdefault("closed_on", ON)
    if stage == "lost":
        values.setdefault("lost_reason", "yield")
    made = OpportunityFactory(stage=stage, expected_amount=amount, expected_on=expected_on, kind=kind, **values)
    for step, days in path:
        OpportunityStageHistory.objects.create(opportunity=made, to_stage=step, at=NOW - timedelta(days=days))
    return made


def everything():
    return Opportunity.objects.all()


def test_totals_weigh_each_amount_by_the_probability_of_its_stage():
    opportunity("new", 100_000)
    opportunity("proposed", 200_000)
    opportunity("agreed", 50_000, ON)

    found = pipeline_analysis.totals_of(everything().open())

    assert (found["number"], found["amount"], found["weighted"]) == (3, 350_000, 10_000 + 100_000 + 40_000)


def test_the_forecast_puts_what_is_late_into_this_month_and_counts_what_was_won():
    opportunity("agreed", 50_000, date(2026, 9, 3))  # late: still to come
    opportunity("proposed", 200_000, date(2027, 1, 20))
    opportunity("proposed", 900_000, date(2027, 12, 1))  # beyond the window
    opportunity("won", 70_000, ON, result_amount=Decimal(60_000), closed_on=date(2026, 11, 3))
    opportunity("won", 70_000, ON, result_amount=Decimal(80_000), closed_on=date(2026, 9, 30))

    months = {month.first: month for month in pipeline_analysis.forecast(everything(), Branch.objects.all(), on=ON)}

    assert list(months) == [date(2026, m, 1) for m in (8, 9, 10, 11, 12)] + [date(2027, m, 1) for m in (1, 2, 3, 4)]
    assert (months[date(2026, 11, 1)].weighted, months[date(2026, 11, 1)].won) == (40_000, 60_000)
    assert (months[date(2027, 1, 1)].expected, months[date(2027, 1, 1)].weighted) == (200_000, 100_000)
    assert months[date(2026, 9, 1)].won == 80_000
    assert sum(month.number for month in months.values()) == 2


def test_the_pace_compares_the_target_with_the_days_gone():
    head = StaffFactory(role=Role.BRANCH_HEAD)
    opportunity("won", 1, ON, result_amount=Decimal(60_000), closed_on=ON)
    pipeline_analysis.set_target(branch=head.branch, month=ON, amount=Decimal(100_000), by=head, on=ON)
    pipeline_analysis.set_target(
        branch=head.branch, month=ON, amount=Decimal(120_000), by=head, on=ON
    )  # again: replaced

    pace = pipeline_analysis.pace_of(pipeline_analysis.forecast(everything(), [head.branch], on=ON), on=ON)

    assert (pace.target, pace.share, pace.due) == (120_000, 0.5, pytest.approx(25 / 30))
    assert pace.is_behind
    with pytest.raises(pipeline_analysis.TargetRefused):
        pipeline_analysis.set_target(branch=head.branch, month=date(2026, 10, 1), amount=Decimal(1), by=head, on=ON)


def test_the_funnel_counts_who_came_as_far_in_board_order_with_the_median_days():
    opportunity("new", path=[("new", 20)])
    opportunity("contacted", path=[("new", 20), ("contacted", 18)])  # skipped `planned`: came past it all the same
    opportunity("proposed", path=[("new", 30), ("planned", 26), ("contacted", 20), ("proposed", 4)])
    opportunity("lost", path=[("new", 9), ("contacted", 8), ("lost", 1)])

    steps = pipeline_analysis.funnel(everything(), on=ON)

    assert [step.number for step in steps] == [4, 3, 3, 1, 0, 0]
    assert steps[3].conversion == pytest.approx(1 / 3)
    assert steps[0].days == pytest.approx(2)  # 2, 4, 1
    assert steps[2].days == pytest.approx((16 + 7) / 2)
    assert pipeline_analysis.slowest(steps).stage == "contacted"


def test_lost_business_by_reason_most_often_first():
    for _ in range(3):
        opportunity("lost", 10_000, lost_reason="yield")
    opportunity("lost", 90_000, lost_reason="service")
    opportunity("lost", 90_000, lost_reason="service", closed_on=ON - timedelta(days=400))

    found = pipeline_analysis.lost_reasons(everything(), on=ON)

    assert [(row["lost_reason"], row["number"], row["money"], row["share"]) for row in found] == [
        ("yield", 3, 30_000, 0.75), ("service", 1, 90_000, 0.25),
    ]  # fmt: skip
    assert pipeline_analysis.win_rate(everything(), on=ON) == 0.0


# --- the pages -------------------------------------------------------------------------------------------


@pytest.fixture
def own(db):
    return AssignmentFactory(customer__name="沈雅琴")


def test_the_progress_table_filters_and_adds_up(client, own):
    opportunity("proposed", 200_000, customer=own.customer, owner=own.staff, title="基金定投", next_action_on=ON)
    opportunity(
        "new",
        100_000,
        customer=own.customer,
        owner=own.staff,
        title="养老年金",
        kind="cross_sell",
        next_action_on=ON - timedelta(days=3),
    )
    opportunity("new", 100_000, title="他人的")
    sign_in(client, own.staff)

    page = client.get("/opportunities/table/").content.decode()
    late = client.get("/opportunities/table/?overdue=1").content.decode()
    proposed = client.get("/opportunities/table/?stage=proposed").content.decode()

    assert "基金定投" in page and "养老年金" in page and "他人的" not in page
    assert "养老年金" in late and "基金定投" not in late
    assert "基金定投" in proposed and "养老年金" not in proposed


def test_the_table_and_the_analysis_take_the_same_queries_however_many_there_are(
    client, own, django_assert_max_num_queries
):
    sign_in(client, own.staff)
    client.get("/opportunities/table/")
    for n in range(5):
        opportunity(
            "new",
            1_000,
            customer=own.customer,
            owner=own.staff,
            kind="cross_sell",
            category=["fund", "card", "loan", "gold", "wealth"][n],
        )
    with django_assert_max_num_queries(20):
        client.get("/opportunities/table/")
    with django_assert_max_num_queries(24):
        client.get("/opportunities/analysis/")


def test_only_a_head_sets_the_target(client, own):
    sign_in(client, own.staff)
    client.post("/opportunities/target/", {"month": "2026-12", "amount": "500000"})
    assert not SalesTarget.objects.exists()

    head = StaffFactory(role=Role.BRANCH_HEAD, branch=own.customer.branch)
    sign_in(client, head)
    assert client.post("/opportunities/target/", {"month": "2026-10", "amount": "500000"}).status_code == 422
    assert client.post("/opportunities/target/", {"month": "2026-12", "amount": "500000"}).status_code == 302
    assert SalesTarget.objects.get().month == date(2026, 12, 1)
    assert client.get("/opportunities/analysis/").status_code == 200
