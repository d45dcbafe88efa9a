"""Alerts: who gets one, when again, how it ends, and what the morning's mail says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from churn import alert_mail, alerts
from churn import policy as set_policy
from churn.models import AlertPolicy, ChurnAlert, ChurnScore, LossReview
from contacts.models import ContactTask
from customers.models import RelationStatus, Tier
from staff.models import AuditEvent, OutboxEmail
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, StaffFactory

ON = date(2026, 11, 24)
MORNING = ON + timedelta(days=1)
FALL = {"code": "fall", "points": 40.0, "figures": {"change": -0.34, "from": 3.0, "to": 2.0}}
CALM = {"code": "contact", "points": -3.0, "figures": {"days": 6}}

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch(db):
    return BranchFactory()


def scored(customer, level=3, on=ON, money="218000.00") -> ChurnScore:
    return ChurnScore.objects.create(
        customer=customer, data_date=on, probability={1: 0.1, 2: 0.4, 3: 0.76}[level], level=level,
        money_at_risk=Decimal(money), reasons=[FALL, CALM],
    )  # fmt: skip


def opened(branch, on=ON) -> int:
    return alerts.open_alerts(branch_id=branch.pk, on=on)


@pytest.fixture
def alert(branch):
    own = AssignmentFactory(customer__branch=branch, customer__service_tier=Tier.DIAMOND, customer__name="陈国栋")
    scored(own.customer)
    opened(branch)
    return ChurnAlert.objects.select_related("customer__manager").get()


@pytest.mark.parametrize(
    ("values", "level", "is_alerted"),
    [
        ({"service_tier": Tier.GOLD}, 3, True),
        ({"service_tier": Tier.GOLD}, 2, True),
        ({"service_tier": Tier.GOLD}, 1, False),
        ({"service_tier": Tier.GENERAL, "relation_status": RelationStatus.POTENTIAL}, 2, True),
        ({"service_tier": Tier.GENERAL, "relation_status": RelationStatus.NONE}, 3, False),
        ({"service_tier": Tier.GOLD, "relation_status": RelationStatus.CLOSED}, 3, False),
    ],
)
def test_vip_and_potential_customers_at_medium_or_high_risk_get_an_alert(branch, values, level, is_alerted):
    scored(CustomerFactory(branch=branch, **values), level)

    assert opened(branch) == int(is_alerted)


def test_money_that_has_gone_already_opens_no_alert_unless_it_went_in_one_day(branch):
    scored(CustomerFactory(branch=branch), money="9999.99")
    one_day = scored(CustomerFactory(branch=branch), money="11.00")
    one_day.reasons = [{"code": "one_day", "points": 0.0, "figures": {"amount": 900000.0, "share": 1.0}}, FALL]
    one_day.save(update_fields=["reasons"])

    assert opened(branch) == 1
    assert ChurnAlert.objects.get().customer == one_day.customer


def test_an_alert_opens_for_the_morning_with_its_due_day_and_its_reminder(alert):
    assert (alert.opened_on, alert.due_on, alert.level) == (MORNING, date(2026, 11, 26), 3)
    task = ContactTask.objects.get()
    assert (task.key, task.customer, task.stake) == (f"alert:{alert.pk}", alert.customer, alert.money_at_risk)
    assert (task.due_on, task.allowed_days) == (alert.due_on, 1)
    assert [reason["code"] for reason in task.figures["reasons"]] == [
        "fall"
    ]  # what speaks for staying is no reason to act


def test_running_again_opens_nothing_twice(branch, alert):
    opened(branch)

    assert ChurnAlert.objects.count() == 1
    assert ContactTask.objects.count() == 1


def test_an_open_alert_rises_with_the_level_and_does_not_fall_with_it(branch):
    customer = CustomerFactory(branch=branch)
    scored(customer, 2)
    opened(branch)
    before = ChurnAlert.objects.get()
    scored(customer, 3, on=ON + timedelta(days=1))

    assert opened(branch, ON + timedelta(days=1)) == 1

    after = ChurnAlert.objects.get()
    assert (before.level, after.level) == (2, 3)
    assert after.due_on < before.due_on
    assert ContactTask.objects.get().figures["level"] == 3
    scored(customer, 2, on=ON + timedelta(days=2))
    assert opened(branch, ON + timedelta(days=2)) == 0
    assert ChurnAlert.objects.get().level == 3


@pytest.mark.parametrize(
    ("status", "level", "days_later", "is_alerted"),
    [
        ("retained", 2, 13, False),
        ("retained", 2, 14, True),
        ("retained", 3, 5, True),
        ("false_alarm", 2, 13, False),
        ("lost", 3, 30, False),
        ("lost", 2, 90, True),
    ],
)
def test_after_an_outcome_the_same_level_is_left_alone_for_a_while(branch, status, level, days_later, is_alerted):
    customer = CustomerFactory(branch=branch)
    scored(customer, 2)
    opened(branch)
    head = StaffFactory(role=Role.BRANCH_HEAD, branch=branch)
    alerts.settle(alert=ChurnAlert.objects.get(), by=head, on=MORNING, status=status, cause="price")
    again = ON + timedelta(days=days_later)
    scored(customer, level, on=again)

    opened(branch, again)

    assert ChurnAlert.objects.open().exists() == is_alerted


def test_settling_keeps_outcome_and_cause_closes_the_reminder_and_leaves_a_trail(alert):
    by = alert.customer.manager

    alerts.settle(alert=alert, by=by, on=MORNING, status="retained", cause="price", note="  续存三年期  ")

    alert.refresh_from_db()
    assert (alert.status, alert.cause, alert.note) == ("retained", "price", "续存三年期")
    assert (alert.closed_on, alert.closed_by) == (MORNING, by)
    assert ContactTask.objects.get().status == "done"
    event = AuditEvent.objects.get()
    assert (event.action, event.staff, event.figures["before"]) == ("alert.settled", by, "open")


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"cause": ""}, alerts.CauseMissing),
        ({"cause": "weather"}, alerts.CauseMissing),
        ({"status": "open"}, Exception),
    ],
)
def test_an_outcome_without_its_cause_is_refused_and_changes_nothing(alert, values, refusal):
    with pytest.raises(refusal):
        alerts.settle(
            **(
                {"alert": alert, "by": alert.customer.manager, "on": MORNING, "status": "lost", "cause": "price"}
                | values
            )
        )

    alert.refresh_from_db()
    assert alert.status == "open"
    assert ContactTask.objects.get().status == "open"


def test_an_alert_is_settled_once(alert):
    by = alert.customer.manager
    alerts.settle(alert=alert, by=by, on=MORNING, status="lost", cause="competitor")

    with pytest.raises(alerts.AlertSettled):
        alerts.settle(alert=alert, by=by, on=MORNING, status="retained", cause="price")

    alert.refresh_from_db()
    assert alert.status == "lost"


def test_an_outcome_is_taken_back_on_its_day_only(alert):
    by = alert.customer.manager
    alerts.settle(alert=alert, by=by, on=MORNING, status="lost", cause="competitor")

    with pytest.raises(alerts.TooLateToUndo):
        alerts.reopen(alert=alert, by=by, on=MORNING + timedelta(days=1))
    alerts.reopen(alert=alert, by=by, on=MORNING)

    alert.refresh_from_db()
    assert (alert.status, alert.cause, alert.closed_on, alert.closed_by) == ("open", "", None, None)
    assert ContactTask.objects.get().status == "open"


def test_a_contact_since_it_opened_moves_an_alert_on(branch, alert):
    assert ChurnAlert.objects.to_handle().exists()
    alert.customer.last_contact_on = MORNING
    alert.customer.save(update_fields=["last_contact_on"])

    assert not ChurnAlert.objects.to_handle().exists()
    assert ChurnAlert.objects.in_progress().get() == alert
    opened(branch)
    assert ChurnAlert.objects.get().status == "working"


def test_alerts_of_others_are_out_of_sight(alert):
    colleague = StaffFactory(branch=alert.customer.branch)
    elsewhere = StaffFactory(role=Role.BRANCH_HEAD)
    head = StaffFactory(role=Role.BRANCH_HEAD, branch=alert.customer.branch)

    seen = [
        ChurnAlert.objects.visible_to(viewer).count() for viewer in (alert.customer.manager, head, colleague, elsewhere)
    ]

    assert seen == [1, 1, 0, 0]


# --- the morning's mail ---------------------------------------------------------------------------------


@pytest.fixture
def head(branch):
    return StaffFactory(role=Role.BRANCH_HEAD, branch=branch, language="en", email="head@bank.example")


def test_a_manager_gets_the_own_customers_with_masked_names_once(branch, alert):
    assert alert_mail.post_mails(branch_id=branch.pk, on=ON) == 1
    assert alert_mail.post_mails(branch_id=branch.pk, on=ON) == 0

    mail = OutboxEmail.objects.get()
    assert mail.to == alert.customer.manager.email
    for body in (mail.text, mail.html):
        assert "陈**" in body
        assert "陈国栋" not in body
        assert "21.8 万" in body
        assert "2026-11-26" in body


def test_a_teller_who_looks_after_a_customer_reads_bands_and_is_sent_to_today(branch, alert):
    manager = alert.customer.manager
    manager.role = Role.TELLER
    manager.save(update_fields=["role"])

    alert_mail.post_mails(branch_id=branch.pk, on=ON)

    mail = OutboxEmail.objects.get()
    assert "20–50 万" in mail.text
    assert "21.8 万" not in mail.text + mail.html
    assert mail.text.count("/today/") == 1


def test_the_head_gets_a_digest_in_the_own_language(branch, alert, head):
    alert_mail.post_mails(branch_id=branch.pk, on=ON)

    mail = OutboxEmail.objects.get(to="head@bank.example")
    assert mail.subject == "Early warning: 1 new alert"
    assert "1 high, 0 medium, ¥218K at risk" in mail.text
    assert alert.customer.manager.name in mail.text
    assert "陈国栋" not in mail.text + mail.html
    assert "Assets fell 34% in 30 days" in mail.text


def test_without_new_alerts_the_head_gets_one_line_and_managers_nothing(branch, head):
    AssignmentFactory(customer__branch=branch)

    assert alert_mail.post_mails(branch_id=branch.pk, on=ON) == 1

    mail = OutboxEmail.objects.get()
    assert mail.subject == "Early warning: nothing new"
    assert len(mail.text.strip().splitlines()) == 1


def test_a_settled_alert_is_not_mailed_and_an_overdue_one_is_named_to_the_head(branch, alert, head):
    late = ON + timedelta(days=5)

    alert_mail.post_mails(branch_id=branch.pk, on=late)

    mail = OutboxEmail.objects.get()
    assert "overdue: 1" in mail.text


# --- how many are given out, and to whom it is not told -------------------------------------------------


def policy(capacity=10, holdout=0):
    return AlertPolicy.objects.create(
        valid_from=ON - timedelta(days=30), weekly_capacity=capacity, holdout_percent=holdout
    )


def book(branch, *moneys, manager=None):
    """Customers of one manager, each scored with so much money at risk."""
    manager = manager or StaffFactory(branch=branch, role=Role.RELATIONSHIP_MANAGER)
    for money in moneys:
        own = AssignmentFactory(customer__branch=branch, customer__service_tier=Tier.GOLD, staff=manager)
        scored(own.customer, money=str(money))
    return manager


def test_a_manager_is_given_so_many_a_week_most_money_first_and_the_rest_wait(branch):
    policy(capacity=2)
    book(branch, 30_000, 90_000, 50_000)

    assert opened(branch) == 2

    given = ChurnAlert.objects.filter(sent_on=MORNING)
    assert sorted(given.values_list("money_at_risk", flat=True)) == [50_000, 90_000]
    assert ChurnAlert.objects.get(sent_on=None).money_at_risk == 30_000
    assert ContactTask.objects.filter(source="alert").count() == 2
    assert opened(branch) == 2  # the same night again
    assert ChurnAlert.objects.filter(sent_on=None).count() == 1


def test_who_waits_is_given_out_in_the_next_week_with_a_due_day_of_its_own(branch):
    policy(capacity=1)
    book(branch, 90_000, 30_000)
    opened(branch)
    following = ON + timedelta(days=7)

    alerts.open_alerts(branch_id=branch.pk, on=following)

    late = ChurnAlert.objects.get(money_at_risk=30_000)
    assert late.sent_on == following + timedelta(days=1)
    assert late.due_on == alerts.due_day(late.level, late.sent_on)


def test_an_alert_that_waits_is_never_overdue(branch):
    policy(capacity=1)
    book(branch, 90_000, 30_000)
    opened(branch)

    assert [a.money_at_risk for a in ChurnAlert.objects.overdue(ON + timedelta(days=60))] == [90_000]


def test_money_that_left_in_one_day_is_told_whatever_the_weeks_number(branch):
    policy(capacity=1)
    manager = book(branch, 900_000)
    gone = AssignmentFactory(customer__branch=branch, customer__service_tier=Tier.GOLD, staff=manager).customer
    score = scored(gone, money="5000")
    score.reasons = [{"code": "one_day", "points": 0.0, "figures": {"amount": 300_000, "share": 0.9}}]
    score.save()

    opened(branch)

    assert set(ChurnAlert.objects.filter(sent_on=MORNING).values_list("customer_id", flat=True)) >= {gone.pk}


def test_the_hold_out_is_drawn_by_lot_stays_the_same_and_is_seen_by_nobody(branch):
    policy(capacity=200, holdout=50)
    manager = book(branch, *range(20_000, 80_000, 1_000))
    opened(branch)

    watched = ChurnAlert.objects.filter(status="watched")
    drawn = ChurnAlert.objects.exclude(lot=None)
    assert 0.3 < watched.count() / drawn.count() < 0.7
    assert drawn.count() == 45  # three quarters: never the highest money
    assert max(drawn.values_list("money_at_risk", flat=True)) < 65_000
    before = set(watched.values_list("pk", flat=True))
    opened(branch)
    assert set(ChurnAlert.objects.filter(status="watched").values_list("pk", flat=True)) == before
    assert not ChurnAlert.objects.visible_to(manager).filter(status="watched").exists()
    assert not ContactTask.objects.filter(customer__churn_alerts__status="watched").exists()


def test_without_a_hold_out_nobody_is_drawn(branch):
    policy(holdout=0, capacity=200)
    book(branch, *range(20_000, 40_000, 1_000))
    opened(branch)

    assert not ChurnAlert.objects.exclude(lot=None).exists()


# --- the case --------------------------------------------------------------------------------------------


def test_a_lost_diamond_customer_asks_the_head_for_a_review(alert):
    head = StaffFactory(branch=alert.customer.branch, role=Role.BRANCH_HEAD)

    alerts.settle(alert=alert, by=head, on=MORNING, status="lost", cause="competitor")

    review = LossReview.objects.get(alert=alert)
    assert review.due_on == date(2026, 12, 9)  # 10 working days
    alerts.review_loss(review=review, findings="他行利率上浮", lesson="到期前两周先谈", by=head, on=MORNING)
    with pytest.raises(alerts.AlertSettled):
        alerts.review_loss(review=review, findings="再写", lesson="再写", by=head, on=MORNING)


def test_an_outcome_taken_back_takes_the_unwritten_review_back(alert):
    head = StaffFactory(branch=alert.customer.branch, role=Role.BRANCH_HEAD)
    alerts.settle(alert=alert, by=head, on=MORNING, status="lost", cause="competitor")

    alerts.reopen(alert=alert, by=head, on=MORNING)

    assert not LossReview.objects.exists()


def test_a_wrong_alert_says_why(alert):
    manager = alert.customer.manager
    with pytest.raises(alerts.WhyMissing):
        alerts.judge(alert=alert, by=manager, verdict="wrong", note=" ")

    judged = alerts.judge(alert=alert, by=manager, verdict="wrong", note="资金转给儿子，仍在本行")

    assert (judged.verdict, judged.status) == ("wrong", "open")
    with pytest.raises(IntegrityError), transaction.atomic():
        ChurnAlert.objects.filter(pk=alert.pk).update(verdict_note="")


def test_a_policy_never_changes_what_has_been_sent(branch):
    by = StaffFactory(role=Role.RETAIL_ADMIN)
    with pytest.raises(set_policy.PolicyRefused):
        set_policy.set_policy(weekly_capacity=5, holdout_percent=10, valid_from=ON, by=by, on=ON)

    set_policy.set_policy(weekly_capacity=5, holdout_percent=10, valid_from=MORNING, by=by, on=ON)

    assert AlertPolicy.objects.in_force(ON).weekly_capacity == 10
    assert AlertPolicy.objects.in_force(MORNING).weekly_capacity == 5


def test_what_is_overdue_for_longer_than_two_working_days_is_told_to_the_president(alert):
    president = StaffFactory(
        role=Role.SUB_BRANCH_PRESIDENT, branch=alert.customer.branch, email="president@bank.test", language="zh-hans"
    )
    due = alert.due_on  # 26 November, a Thursday

    def posted(on):
        alert_mail.post_mails(branch_id=alert.customer.branch_id, on=on)
        return list(OutboxEmail.objects.filter(to=president.email))

    assert posted(due + timedelta(days=3)) == []  # for the morning of Monday, 30 November: two working days
    (mail,) = posted(due + timedelta(days=4))
    assert "陈**" in mail.text and "陈国栋" not in mail.text
    assert posted(due + timedelta(days=4)) == [mail]
