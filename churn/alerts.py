"""Alerts: opened at night for VIP and potential customers whose risk is medium or high, settled by people.

A customer has one open alert at most. When the level rises, the open one rises with it; after one was
settled, the same level is left alone for a while (domain.md §14).
"""

from datetime import date, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from churn.models import ChurnAlert, Level
from contacts import agenda
from contacts.models import ContactTask
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

QUIET_DAYS = 14
"""Days after settling within which the same level opens no new alert (domain.md §14)."""

QUIET_DAYS_LOST = 90
"""The same after the outcome "left": the model's horizon, in which the past fall still colours the features."""

LEAST_AT_RISK = 10_000
"""Yuan at risk below which no alert opens: the money has gone already, or there is little to keep (assumption).

A large sum that left in one day is told all the same, once.
"""

DUE_DAYS = {Level.HIGH: 1, Level.MEDIUM: 3}
"""Working days to the first contact (domain.md §14)."""

Status = ChurnAlert.Status
OUTCOMES = (Status.RETAINED, Status.LOST, Status.FALSE_ALARM)


class AlertSettled(Refused):
    code = "alert_settled"


class CauseMissing(Refused):
    code = "cause_missing"


class TooLateToUndo(Refused):
    code = "too_late_to_undo"


def due_day(level: Level, opened_on: date) -> date:
    """Return the working day by which an alert's first contact is due."""
    return add_working_days(opened_on, DUE_DAYS[level])


@transaction.atomic
def open_alerts(*, branch_id: int, on: date) -> int:
    """Open and raise the alerts of a branch by the scores of a day, for the morning after; return how many.

    Run again it changes nothing.
    """
    morning = on + timedelta(days=1)
    params = {
        "branch": branch_id,
        "on": on,
        "morning": morning,
        "due_high": due_day(Level.HIGH, morning),
        "due_medium": due_day(Level.MEDIUM, morning),
        "least": LEAST_AT_RISK,
        "quiet": morning - timedelta(days=QUIET_DAYS),
        "quiet_lost": morning - timedelta(days=QUIET_DAYS_LOST),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN, params)
        cursor.execute(_RAISE, params)
        cursor.execute(_OPEN, params)
    fresh = news(branch_id=branch_id, on=on)
    agenda.open_tasks(_task(alert) for alert in fresh)
    return len(fresh)


def news(*, branch_id: int, on: date) -> list[ChurnAlert]:
    """Return the alerts that the night of a day opened or raised and nobody has settled, most money first."""
    alerts = ChurnAlert.objects.open().filter(customer__branch=branch_id, score__data_date=on)
    return list(alerts.select_related("customer__manager", "score").order_by("-money_at_risk", "-id"))


def task_key(alert: ChurnAlert) -> str:
    """Return the key of the alert's task in Today."""
    return f"alert:{alert.pk}"


def _task(alert: ChurnAlert) -> dict:
    return {
        "key": task_key(alert),
        "customer_id": alert.customer_id,
        "source": ContactTask.Source.ALERT,
        "reason": "alert",
        "figures": {
            "level": alert.level,
            "probability": alert.probability,
            "money_at_risk": str(alert.money_at_risk),
            "reasons": [reason for reason in alert.score.reasons if reason["points"] >= 0][:3],
        },
        "stake": alert.money_at_risk,
        "opened_on": alert.opened_on,
        "due_on": alert.due_on,
        "allowed_days": DUE_DAYS[Level(alert.level)],
    }


_BEGUN = """
UPDATE churn_churnalert a SET status = 'working', updated_at = now()
FROM customers_customer c
WHERE c.id = a.customer_id AND c.branch_id = %(branch)s AND a.status = 'open' AND c.last_contact_on >= a.opened_on
"""

_RAISE = """
UPDATE churn_churnalert a SET
    level = s.level, score_id = s.id, probability = s.probability, money_at_risk = s.money_at_risk,
    due_on = least(a.due_on, CASE s.level WHEN 3 THEN %(due_high)s ELSE %(due_medium)s END::date), updated_at = now()
FROM churn_churnscore s JOIN customers_customer c ON c.id = s.customer_id
WHERE a.customer_id = s.customer_id AND c.branch_id = %(branch)s AND s.data_date = %(on)s
  AND a.status IN ('open', 'working') AND s.level > a.level AND a.opened_on <= %(morning)s
"""

_OPEN = """
INSERT INTO churn_churnalert
    (customer_id, score_id, opened_on, level, probability, money_at_risk, due_on, status, cause, note, updated_at)
SELECT s.customer_id, s.id, %(morning)s, s.level, s.probability, s.money_at_risk,
       CASE s.level WHEN 3 THEN %(due_high)s ELSE %(due_medium)s END::date, 'open', '', '', now()
FROM churn_churnscore s
JOIN customers_customer c ON c.id = s.customer_id
LEFT JOIN LATERAL (
    SELECT a.level, a.status, a.closed_on FROM churn_churnalert a
    WHERE a.customer_id = c.id ORDER BY a.opened_on DESC LIMIT 1
) last ON true
WHERE c.branch_id = %(branch)s AND s.data_date = %(on)s AND s.level >= 2
  AND c.relation_status <> 'closed' AND (c.service_tier >= 1 OR c.relation_status = 'potential')
  AND (s.money_at_risk >= %(least)s OR s.reasons -> 0 ->> 'code' = 'one_day')
  AND (last.level IS NULL
       OR (last.status NOT IN ('open', 'working')
           AND (CASE WHEN last.status = 'lost' THEN last.closed_on <= %(quiet_lost)s
                     ELSE s.level > last.level OR last.closed_on <= %(quiet)s END)))
ORDER BY s.customer_id
ON CONFLICT DO NOTHING
"""


# --- by hand -------------------------------------------------------------------------------------------


def _locked(alert: ChurnAlert) -> ChurnAlert:
    return ChurnAlert.objects.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=alert.pk)


def _locked_open(alert: ChurnAlert) -> ChurnAlert:
    alert = _locked(alert)
    if alert.status not in (Status.OPEN, Status.WORKING):
        raise AlertSettled(
            _("This alert has been settled already: {status}.").format(status=alert.get_status_display())
        )
    return alert


@transaction.atomic
def follow_up(*, alert: ChurnAlert, by: Staff, on: date) -> ChurnAlert:
    """Mark that somebody is on it."""
    alert = _locked_open(alert)
    alert.status = Status.WORKING
    alert.save(update_fields=["status", "updated_at"])
    audit.record("alert.followed_up", alert, by=by, on=on.isoformat())
    return alert


@transaction.atomic
def settle(*, alert: ChurnAlert, by: Staff, on: date, status: str, cause: str, note: str = "") -> ChurnAlert:
    """Close an alert with its outcome and the cause; its reminder leaves Today.

    Raises:
        AlertSettled, CauseMissing
    """
    alert = _locked_open(alert)
    if status not in OUTCOMES:
        raise Refused(_("Say how it ended: retained, left or false alarm."))
    if cause not in ChurnAlert.Cause.values:
        raise CauseMissing(_("Choose the cause."))
    before = alert.status
    alert.status, alert.cause, alert.note = status, cause, note.strip()[:200]
    alert.closed_on, alert.closed_by = on, by
    alert.save(update_fields=["status", "cause", "note", "closed_on", "closed_by", "updated_at"])
    agenda.close_tasks(keys=[task_key(alert)], on=on, by=by)
    audit.record("alert.settled", alert, by=by, status=status, cause=cause, before=before)
    return alert


@transaction.atomic
def reopen(*, alert: ChurnAlert, by: Staff, on: date) -> ChurnAlert:
    """Take an outcome back, on the day that it was given; the reminder stands in Today again.

    Raises:
        TooLateToUndo: settled on another day, or a new alert has been opened since.
    """
    alert = _locked(alert)
    if alert.status not in OUTCOMES or alert.closed_on != on:
        raise TooLateToUndo(_("An outcome can be taken back on the day it was given."))
    begun = alert.customer.last_contact_on is not None and alert.customer.last_contact_on >= alert.opened_on
    alert.status = Status.WORKING if begun else Status.OPEN
    alert.cause, alert.note, alert.closed_on, alert.closed_by = "", "", None, None
    try:
        with transaction.atomic():
            alert.save(update_fields=["status", "cause", "note", "closed_on", "closed_by", "updated_at"])
    except IntegrityError as error:
        raise TooLateToUndo(_("A new alert has been opened for this customer since.")) from error
    closed = ContactTask.objects.filter(key=task_key(alert), status=ContactTask.Status.DONE, closed_by_log=None)
    closed.filter(closed_on=on).update(status=ContactTask.Status.OPEN, closed_on=None, closed_by=None)
    audit.record("alert.reopened", alert, by=by)
    return alert
