"""A branch scored as of a day: everybody with 90 days of history, once, and the same however often."""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from churn import panel, scoring, training
from churn.models import ChurnScore, ScoringRun
from churn.views import starting_probability
from customers.models import Customer
from tests.churn.panels import write_days
from tests.factories import BranchFactory, ContactLogFactory, CustomerFactory

ON = date(2026, 11, 24)

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch(db):
    return BranchFactory()


def customer_with(branch, amounts, **values) -> Customer:
    customer = CustomerFactory(branch=branch, **values)
    write_days(customer, ON, amounts)
    return customer


def fallen(branch, share=0.3, **values):
    return customer_with(branch, [500_000] * 80 + [int(500_000 * share)] * 20, **values)


def test_a_fall_scores_higher_than_calm_and_the_customers_row_says_so(branch, model):
    calm, falling = customer_with(branch, [300_000] * 100), fallen(branch)

    assert scoring.score_branch(branch_id=branch.pk, on=ON) == 2

    calm.refresh_from_db()
    falling.refresh_from_db()
    assert falling.churn_probability > 0.5 > 0.2 > calm.churn_probability
    assert (calm.churn_level, falling.churn_level > 1) == (1, True)
    score = ChurnScore.objects.get(customer=falling)
    assert score.model == model
    assert score.money_at_risk == falling.money_at_risk
    assert float(score.money_at_risk) == pytest.approx(score.probability * 150_000, abs=1)


def test_the_reasons_add_up_to_the_score(branch, model):
    fallen(branch)
    scoring.score_branch(branch_id=branch.pk, on=ON)

    score = ChurnScore.objects.get()

    assert 100 * starting_probability(score) + sum(r["points"] for r in score.reasons) == pytest.approx(
        100 * score.probability, abs=0.1
    )
    assert score.reasons[0]["code"] == "fall"
    assert score.reasons[0]["figures"] == {"change": -0.7, "from": 500_000.0, "to": 150_000.0}


def test_scoring_again_writes_the_same_rows(branch, model):
    fallen(branch)
    scoring.score_branch(branch_id=branch.pk, on=ON)
    before = list(ChurnScore.objects.values())

    scoring.score_branch(branch_id=branch.pk, on=ON)

    assert list(ChurnScore.objects.values()) == before
    assert ScoringRun.objects.count() == 1


def test_less_than_90_days_of_history_is_not_scored(branch, model):
    newcomer = customer_with(branch, [300_000] * 60)

    assert scoring.score_branch(branch_id=branch.pk, on=ON) == 0

    newcomer.refresh_from_db()
    assert newcomer.churn_probability is None


def test_balances_and_contacts_after_the_day_change_no_score(branch, model):
    customer = fallen(branch)
    scoring.score_branch(branch_id=branch.pk, on=ON)
    before = ChurnScore.objects.get().probability
    write_days(customer, ON + timedelta(days=5), [1] * 5)
    ContactLogFactory(customer=customer, on=ON + timedelta(days=2))

    scoring.score_branch(branch_id=branch.pk, on=ON)

    assert ChurnScore.objects.get(data_date=ON).probability == before


def test_an_older_day_scored_later_leaves_the_customers_row_at_the_newest(branch, model):
    customer = customer_with(branch, [500_000] * 100 + [100_000])
    scoring.score_branch(branch_id=branch.pk, on=ON)
    customer.refresh_from_db()
    newest = customer.churn_probability

    scoring.score_branch(branch_id=branch.pk, on=ON - timedelta(days=2))

    customer.refresh_from_db()
    assert customer.churn_probability == newest
    assert ChurnScore.objects.filter(customer=customer).count() == 2


def test_half_of_the_money_in_one_day_is_high_whatever_the_model_says(branch, model):
    customer = customer_with(branch, [600_000] * 99 + [300_000])

    scoring.score_branch(branch_id=branch.pk, on=ON)

    score = ChurnScore.objects.get(customer=customer)
    assert score.level == 3
    assert score.reasons[0] == {"code": "one_day", "points": 0.0, "figures": {"amount": 300_000.0, "share": 0.5}}


def test_without_a_model_the_scorecard_scores(branch):
    fallen(branch)

    scoring.score_branch(branch_id=branch.pk, on=ON)

    score = ChurnScore.objects.get()
    assert score.model is None
    # -70 % in 30 days 30, a large outflow 20, one kind of product 10; contact is not known without any record
    assert {reason["code"]: reason["points"] for reason in score.reasons} == {
        "fall": 30, "outflow": 20, "breadth": 10,
    }  # fmt: skip
    assert score.probability == 0.6


def test_a_damaged_model_scores_nothing(branch, model):
    fallen(branch)
    model.parameters["intercept"] = -1.0
    model.save(update_fields=["parameters"])

    with pytest.raises(training.ModelDamaged):
        scoring.score_branch(branch_id=branch.pk, on=ON)

    assert not ChurnScore.objects.exists()


def test_other_branches_are_left_alone(branch, model):
    elsewhere = fallen(BranchFactory())
    fallen(branch)

    scoring.score_branch(branch_id=branch.pk, on=ON)

    assert not ChurnScore.objects.filter(customer=elsewhere).exists()


def test_a_night_reads_blocks_of_30_days_newest_first(branch):
    customer_with(branch, [100_000] * 10 + [100_000] * 30 + [200_000] * 30 + [300_000] * 30)

    history = panel.read_night(branch_id=branch.pk, on=ON).history

    assert history.average.tolist() == [[300_000.0, 200_000.0, 100_000.0]]
    assert history.inflow.tolist() == [[100_000.0, 100_000.0, 0.0]]
    assert history.base.tolist() == [200_000.0]


def test_a_number_of_queries_that_does_not_grow(branch, model, django_assert_max_num_queries):
    for _n in range(3):
        fallen(branch)
    with django_assert_max_num_queries(22) as few:
        scoring.score_branch(branch_id=branch.pk, on=ON)
    for _n in range(12):
        fallen(branch)
    with django_assert_max_num_queries(len(few.captured_queries)):
        scoring.score_branch(branch_id=branch.pk, on=ON)

    assert ChurnScore.objects.count() == 15
    assert ChurnScore.objects.filter(money_at_risk__gt=Decimal(0)).count() == 15


def test_the_command_scores_a_past_day_alike_whatever_came_later_and_writes_the_file(branch, model, tmp_path):
    def exported(name):
        path = tmp_path / name
        call_command(
            "score_churn", "--as-of", ON.isoformat(), "--export", str(path), stdout=StringIO(), stderr=StringIO()
        )
        return path.read_text()

    calm, falling = CustomerFactory(branch=branch), CustomerFactory(branch=branch)
    write_days(calm, ON, [200_000] * 91)
    write_days(falling, ON, [200_000] * 81 + [40_000] * 10)
    before = exported("before.csv")

    write_days(calm, ON + timedelta(days=20), [9_000] * 20)
    Customer.objects.filter(pk=falling.pk).update(relation_status="closed")

    assert exported("after.csv") == before
    head, *rows = before.splitlines()
    assert head == "customer_no,as_of,score"
    assert sorted(row.split(",")[0] for row in rows) == sorted([calm.customer_no, falling.customer_no])
