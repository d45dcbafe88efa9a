"""Outcomes: known 90 days later from balances, compared with what was said, and by lot with who was only watched."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from churn import outcomes
from churn.models import ChurnAlert, ChurnScore, ScoreOutcome
from customers.models import Tier
from staff.models import Branch
from tests.churn.panels import write_days, write_months
from tests.factories import BranchFactory, CustomerFactory

ON = date(2026, 11, 24)
SCORED = ON - timedelta(days=90)

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch(db):
    return BranchFactory()


def alerted(branch, before, after, *, status="open", day=SCORED, **values) -> ChurnAlert:
    customer = CustomerFactory(branch=branch, service_tier=Tier.GOLD)
    write_days(customer, day + timedelta(days=90), [before] * 90 + list(after))
    score = ChurnScore.objects.create(
        customer=customer, data_date=day, probability=0.5, level=2, money_at_risk=Decimal(50_000),
        reasons=[{"code": "fall", "points": 30.0, "figures": {"change": -0.3, "from": 3.0, "to": 2.0}}],
    )  # fmt: skip
    return ChurnAlert.objects.create(
        customer=customer, score=score, opened_on=day + timedelta(days=1), level=2, probability=0.5,
        money_at_risk=Decimal(50_000), due_on=day + timedelta(days=4), status=status, **values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("after", "left"),
    [
        ([200_000] * 90, False),
        ([200_000] * 30 + [90_000] * 30 + [200_000] * 30, True),  # one 30-day average is enough
        ([101_000] * 90, False),
        ([100_000] * 90, True),
    ],
)
def test_an_alerts_outcome_is_known_from_the_90_days_after(branch, after, left):
    alert = alerted(branch, 200_000, after)

    outcomes.measure_branch(branch_id=branch.pk, on=ON)

    alert.refresh_from_db()
    assert (alert.left, alert.base_avg) == (left, 200_000)
    assert alert.after_avg == pytest.approx(Decimal(sum(after[60:])) / 30)


def test_before_the_90_days_are_over_nothing_is_known(branch):
    alert = alerted(branch, 200_000, [200_000] * 90)

    outcomes.measure_branch(branch_id=branch.pk, on=ON - timedelta(days=1))

    alert.refresh_from_db()
    assert alert.left is None


def test_measuring_again_changes_nothing(branch):
    alerted(branch, 200_000, [50_000] * 90)
    outcomes.measure_branch(branch_id=branch.pk, on=ON)
    before = list(ChurnAlert.objects.values())

    assert outcomes.measure_branch(branch_id=branch.pk, on=ON) == 0
    assert list(ChurnAlert.objects.values()) == before


def test_scores_of_a_months_end_meet_what_happened(branch):
    customers = [CustomerFactory(branch=branch) for _ in range(4)]
    money = np.full((4, 6), 300_000.0)
    money[0, 4] = 100_000.0  # left in the second month after
    money[3, :] = 5_000.0  # no VIP: not counted
    write_months(customers, money, last=date(2026, 10, 31))
    for customer, p in zip(customers, (0.62, 0.12, 0.13, 0.9), strict=True):
        ChurnScore.objects.create(
            customer=customer, data_date=date(2026, 7, 31), probability=p, level=1, money_at_risk=Decimal(1), reasons=[]
        )

    outcomes.measure_branch(branch_id=branch.pk, on=ON)

    rows = ScoreOutcome.objects.order_by("tenth").values_list("data_date", "tenth", "rows", "left")
    assert list(rows) == [(date(2026, 7, 31), 1, 2, 0), (date(2026, 7, 31), 6, 1, 1)]
    (month,) = outcomes.calibration(Branch.objects.all())
    assert (month["rows"], month["left"]) == (3, pytest.approx(1 / 3))
    assert month["said"] == pytest.approx((0.62 + 0.12 + 0.13) / 3)


def test_help_is_the_difference_to_those_only_watched_and_silent_while_they_are_few(branch):
    rng = np.random.default_rng(3)
    for n in range(50):
        watched = n % 2 == 0
        kept = (80_000 if watched else 140_000) + rng.integers(0, 9_000)
        alerted(
            branch, 200_000, [int(kept)] * 90, status="watched" if watched else "open", lot=0.04 if watched else 0.6
        )
    alerted(branch, 200_000, [200_000] * 90)  # was not in the draw
    outcomes.measure_branch(branch_id=branch.pk, on=ON)

    found = outcomes.help_given(Branch.objects.all())

    assert (found["all"].treated, found["all"].control, found["all"].verdict) == (25, 25, "helped")
    assert 55_000 < found["all"].estimate < 65_000
    ChurnAlert.objects.filter(status="watched").update(lot=None)
    assert outcomes.help_given(Branch.objects.all())["all"].verdict == "too_few"


def test_precision_counts_alerts_whose_outcome_is_known(branch):
    alerted(branch, 200_000, [50_000] * 90)
    alerted(branch, 200_000, [200_000] * 90)
    outcomes.measure_branch(branch_id=branch.pk, on=ON)

    (month,) = outcomes.precision(Branch.objects.all())
    assert (month["known"], month["gone"], month["share"]) == (2, 1, 0.5)
