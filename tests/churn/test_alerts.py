"""Alerts: who gets one, when again, how it ends, and what the morning's mail says."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from churn import alert_mail, alerts
from churn.models import ChurnAlert, ChurnScore
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
