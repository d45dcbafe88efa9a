"""The pages of cases and outcomes: the manager's verdict, the loss review, the explanation, the policy."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine

from churn.models import AlertPolicy, ChurnAlert, ImpactAssessment, LossReview, ScoreOutcome
from customers.models import Tier
from staff.models import AuditEvent
from staff.roles import Role
from tests.churn.conftest import written_model
from tests.churn.test_alerts import MORNING, opened, scored
from tests.factories import AssignmentFactory, BranchFactory, StaffFactory, sign_in

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_the_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def alert(db):
    branch = BranchFactory()
    own = AssignmentFactory(customer__branch=branch, customer__service_tier=Tier.DIAMOND, customer__name="陈国栋")
    scored(own.customer)
    opened(branch)
    return ChurnAlert.objects.select_related("customer__manager", "customer__branch").get()


@pytest.fixture
def head(alert):
    return StaffFactory(role=Role.BRANCH_HEAD, branch=alert.customer.branch, language="en")


@pytest.fixture
def office(db):
    return StaffFactory(role=Role.RETAIL_ADMIN, branch=BranchFactory(), language="en")


def test_a_manager_says_whether_the_alert_was_right_and_wrong_needs_a_reason(client, alert):
    sign_in(client, alert.customer.manager)
    url = f"/churn/{alert.pk}/judge/"

    client.post(url, {"verdict": "wrong", "note": ""})
    alert.refresh_from_db()
    assert alert.verdict == ""

    client.post(url, {"verdict": "known", "note": ""})
    alert.refresh_from_db()
    assert alert.verdict == "known"
    page = client.get(f"/churn/?open={alert.pk}").content.decode()
    assert 'value="known" checked' in page


def test_a_lost_diamond_customer_is_reviewed_by_the_head(client, alert, head):
    sign_in(client, head)
    client.post(f"/churn/{alert.pk}/settle/", {"status": "lost", "cause": "competitor", "note": ""})
    review = LossReview.objects.get()
    assert f"/churn/reviews/{review.pk}/" in client.get("/churn/reviews/").content.decode()

    assert client.post(f"/churn/reviews/{review.pk}/", {"findings": "他行利率高", "lesson": ""}).status_code == 422
    client.post(f"/churn/reviews/{review.pk}/", {"findings": "他行利率高", "lesson": "到期前先谈"})

    review.refresh_from_db()
    assert (review.done_by, review.done_on) == (head, MORNING)
    assert "到期前先谈" in client.get("/churn/reviews/").content.decode()


def test_a_manager_reads_reviews_of_the_own_customers_and_writes_none(client, alert):
    review = LossReview.objects.create(alert=alert, due_on=MORNING)
    sign_in(client, alert.customer.manager)

    client.post(f"/churn/reviews/{review.pk}/", {"findings": "x", "lesson": "y"})

    review.refresh_from_db()
    assert review.done_on is None


def test_the_explanation_tells_what_is_used_and_is_recorded(client, alert, model):
    sign_in(client, alert.customer.manager)

    page = client.get(f"/churn/customers/{alert.customer_id}/explanation/").content.decode()

    assert "It decides nothing" in page or "不作任何决定" in page
    assert AuditEvent.objects.filter(action="customer.score_explained").count() == 1


def test_an_alert_that_waits_for_a_place_says_so(client, alert, head):
    ChurnAlert.objects.update(sent_on=None)
    sign_in(client, head)

    assert "waits for a place" in client.get("/churn/").content.decode()


def test_the_page_of_outcomes_is_honest_before_anything_is_known(client, head):
    sign_in(client, head)

    page = client.get("/churn/outcomes/").content.decode()

    assert "Too few to say: 0 acted on, 0 only watched" in page
    assert "The hold-out is off" in page


def test_the_page_of_outcomes_shows_what_was_said_and_what_happened(client, alert, head):
    version = written_model(name="other", status="retired")
    ScoreOutcome.objects.create(
        branch=alert.customer.branch, data_date=date(2026, 7, 31), model=version, tenth=1, rows=200, said=30.0, left=28
    )
    ScoreOutcome.objects.create(
        branch=BranchFactory(), data_date=date(2026, 7, 31), model=version, tenth=1, rows=9, said=3.0, left=9
    )
    ChurnAlert.objects.update(left=True, base_avg=Decimal(9), after_avg=Decimal(1))
    sign_in(client, head)

    page = client.get("/churn/outcomes/").content.decode()

    assert "15.0% were said to leave, 14.0% left" in page
    assert "100% of 1 were followed by the money leaving" in page


def test_head_office_sets_the_policy_from_tomorrow_and_a_head_may_not(client, head, office):
    asked = {"weekly_capacity": 6, "holdout_percent": 10, "valid_from": "2026-11-26"}
    sign_in(client, head)
    assert client.post("/churn/outcomes/policy/", asked).status_code == 403

    sign_in(client, office)
    assert client.post("/churn/outcomes/policy/", asked | {"valid_from": "2026-11-25"}).status_code == 422
    assert client.post("/churn/outcomes/policy/", asked | {"holdout_percent": 80}).status_code == 422
    assert client.post("/churn/outcomes/policy/", asked).status_code == 302
    assert client.post("/churn/outcomes/policy/", asked | {"weekly_capacity": 7}).status_code == 302

    policy = AlertPolicy.objects.get()
    assert (policy.weekly_capacity, policy.holdout_percent, policy.set_by) == (7, 10, office)


def test_an_assessment_is_kept_and_never_changes(client, office, model):
    sign_in(client, office)
    said = {"purpose": "提前发现资金流失", "risks": "可能被多打扰", "measures": "每周上限，可拒绝"}

    assert client.post(f"/churn/model/{model.pk}/assessments/", said).status_code == 302

    assert "可能被多打扰" in client.get("/churn/outcomes/").content.decode()
    record = ImpactAssessment.objects.get()
    record.risks = "无"
    with pytest.raises(Exception, match="Cannot update"):
        record.save()
