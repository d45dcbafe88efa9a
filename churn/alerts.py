"""Alerts: opened at night for VIP and potential customers whose risk is medium or high, settled by people.

A customer has one open alert at most. When the level rises, the open one rises with it; after one was
settled, the same level is left alone for a while (domain.md §14). A manager is given so many new ones a week as the policy
says, those first by which most money can be expected to be saved; the rest wait in the list. While head office has a
hold-out switched on, a few drawn by lot are only watched, so that help can be measured (`churn.outcomes`).
"""

from datetime import date, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from churn.models import AlertPolicy, ChurnAlert, Level, LossReview
from contacts import agenda
from contacts.models import ContactTask
from contacts.opportunity_sources import Source
from customers.models import Tier
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
REVIEW_DAYS = 10
"""Working days to the review after a diamond customer has left (domain.md §14, assumption)."""


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
    """Open and raise the alerts of a branch by the scores of a day, for the morning after; return how many are given out.

    Run again it changes nothing.
    """
    morning = on + timedelta(days=1)
    policy = AlertPolicy.objects.in_force(morning)
    params = {
        "branch": branch_id,
        "on": on,
        "morning": morning,
        "due_high": due_day(Level.HIGH, morning),
        "due_medium": due_day(Level.MEDIUM, morning),
        "least": LEAST_AT_RISK,
        "quiet": morning - timedelta(days=QUIET_DAYS),
        "quiet_lost": morning - timedelta(days=QUIET_DAYS_LOST),
        "week": morning - timedelta(days=morning.weekday()),
        "capacity": policy.weekly_capacity,
        "holdout": policy.holdout_percent / 100,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEGUN, params)
        cursor.execute(_RAISE, params)
        cursor.execute(_OPEN, params)
        if policy.holdout_percent:
            cursor.execute(_DRAW, params)
        cursor.execute(_SEND, params)
    fresh = news(branch_id=branch_id, on=on)
    agenda.open_tasks(_task(alert) for alert in fresh)
    return len(fresh)


def news(*, branch_id: int, on: date) -> list[ChurnAlert]:
    """Return the alerts that the night of a day gave out or raised and nobody has settled, most money first."""
    told = Q(sent_on=on + timedelta(days=1)) | Q(sent_on__isnull=False, score__data_date=on)
    alerts = ChurnAlert.objects.open().filter(told, customer__branch=branch_id)
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


OPPORTUNITIES = Source("churn_alert", "retention", gettext_lazy("Keep the assets: early warning"), 30, """
    SELECT 'alert:' || a.id, a.customer_id, '', '', NULL::bigint, a.money_at_risk, a.level = 3, %(until)s::date
      FROM churn_churnalert a JOIN customers_customer c ON c.id = a.customer_id
     WHERE c.branch_id = %(branch)s AND a.sent_on BETWEEN %(since)s AND %(on)s AND a.status IN ('open', 'working')""")  # fmt: skip
"""What has been given out becomes an opportunity to keep the assets."""

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
    SELECT a.level, a.status, a.opened_on, a.closed_on FROM churn_churnalert a
    WHERE a.customer_id = c.id ORDER BY a.opened_on DESC LIMIT 1
) last ON true
WHERE c.branch_id = %(branch)s AND s.data_date = %(on)s AND s.level >= 2
  AND c.relation_status <> 'closed' AND (c.service_tier >= 1 OR c.relation_status = 'potential')
  AND (s.money_at_risk >= %(least)s OR s.reasons -> 0 ->> 'code' = 'one_day')
  AND (last.level IS NULL
       OR (last.status NOT IN ('open', 'working')
           AND (CASE WHEN last.status = 'watched'
                     THEN last.opened_on <= %(quiet_lost)s OR s.reasons -> 0 ->> 'code' = 'one_day'
                     WHEN last.status = 'lost' THEN last.closed_on <= %(quiet_lost)s
                     ELSE s.level > last.level OR last.closed_on <= %(quiet)s END)))
ORDER BY s.customer_id
ON CONFLICT DO NOTHING
"""

# The number drawn depends on customer and morning only, so that a night run again draws the same. Nobody whose
# money left in one day takes part, nor the quarter with most money at risk.
_DRAW = """
WITH drawn AS (
    SELECT a.id, ('x' || substr(md5(a.customer_id || ':' || a.opened_on), 1, 8))::bit(32)::bigint / 4294967296.0 AS lot
    FROM churn_churnalert a
    JOIN customers_customer c ON c.id = a.customer_id
    JOIN churn_churnscore s ON s.id = a.score_id
    WHERE c.branch_id = %(branch)s AND a.opened_on = %(morning)s AND a.status = 'open'
      AND a.sent_on IS NULL AND a.lot IS NULL AND s.reasons -> 0 ->> 'code' <> 'one_day'
      AND a.money_at_risk < (
          SELECT percentile_cont(0.75) WITHIN GROUP (ORDER BY b.money_at_risk) FROM churn_churnalert b
          JOIN customers_customer d ON d.id = b.customer_id
          WHERE d.branch_id = %(branch)s AND b.opened_on > %(quiet_lost)s)
)
UPDATE churn_churnalert a SET
    lot = d.lot, status = CASE WHEN d.lot < %(holdout)s THEN 'watched' ELSE 'open' END, updated_at = now()
FROM drawn d WHERE d.id = a.id
"""

# Expected saving: money at risk × the share of alerts led by the same reason that ended retained (one of two before
# any has). Money that left in one day is told the same day, whatever the week's number.
_SEND = """
WITH rates AS (
    SELECT s.reasons -> 0 ->> 'code' AS code,
           (count(*) FILTER (WHERE a.status = 'retained') + 1.0) / (count(*) + 2.0) AS saved
    FROM churn_churnalert a JOIN churn_churnscore s ON s.id = a.score_id
    WHERE a.status IN ('retained', 'lost') GROUP BY 1
), waiting AS (
    SELECT a.id, c.manager_id, s.reasons -> 0 ->> 'code' = 'one_day' AS hard,
           row_number() OVER (
               PARTITION BY c.manager_id
               ORDER BY s.reasons -> 0 ->> 'code' = 'one_day' DESC, a.money_at_risk * coalesce(r.saved, 0.5) DESC, a.id
           ) AS place,
           (SELECT count(*) FROM churn_churnalert o JOIN customers_customer k ON k.id = o.customer_id
            WHERE k.manager_id = c.manager_id AND o.sent_on >= %(week)s) AS given
    FROM churn_churnalert a
    JOIN customers_customer c ON c.id = a.customer_id
    JOIN churn_churnscore s ON s.id = a.score_id
    LEFT JOIN rates r ON r.code = s.reasons -> 0 ->> 'code'
    WHERE c.branch_id = %(branch)s AND a.status = 'open' AND a.sent_on IS NULL AND a.opened_on <= %(morning)s
)
UPDATE churn_churnalert a SET
    sent_on = %(morning)s, due_on = CASE a.level WHEN 3 THEN %(due_high)s ELSE %(due_medium)s END::date, updated_at = now()
FROM waiting w
WHERE w.id = a.id AND (w.hard OR w.manager_id IS NULL OR w.place + w.given <= %(capacity)s)
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
    if status not in ChurnAlert.OUTCOMES:
        raise Refused(_("Say how it ended: retained, left or false alarm."))
    if cause not in ChurnAlert.Cause.values:
        raise CauseMissing(_("Choose the cause."))
    before = alert.status
    alert.status, alert.cause, alert.note = status, cause, note.strip()[:200]
    alert.closed_on, alert.closed_by = on, by
    alert.save(update_fields=["status", "cause", "note", "closed_on", "closed_by", "updated_at"])
    if status == Status.LOST and alert.customer.tier == Tier.DIAMOND:
        LossReview.objects.get_or_create(alert=alert, defaults={"due_on": add_working_days(on, REVIEW_DAYS)})
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
    if alert.status not in ChurnAlert.OUTCOMES or alert.closed_on != on:
        raise TooLateToUndo(_("An outcome can be taken back on the day it was given."))
    begun = alert.customer.last_contact_on is not None and alert.customer.last_contact_on >= alert.opened_on
    alert.status = Status.WORKING if begun else Status.OPEN
    alert.cause, alert.note, alert.closed_on, alert.closed_by = "", "", None, None
    try:
        with transaction.atomic():
            alert.save(update_fields=["status", "cause", "note", "closed_on", "closed_by", "updated_at"])
    except IntegrityError as error:
        raise TooLateToUndo(_("A new alert has been opened for this customer since.")) from error
    LossReview.objects.filter(alert=alert, done_on=None).delete()
    closed = ContactTask.objects.filter(key=task_key(alert), status=ContactTask.Status.DONE, closed_by_log=None)
    closed.filter(closed_on=on).update(status=ContactTask.Status.OPEN, closed_on=None, closed_by=None)
    audit.record("alert.reopened", alert, by=by)
    return alert


class WhyMissing(Refused):
    code = "why_missing"


@transaction.atomic
def judge(*, alert: ChurnAlert, by: Staff, verdict: str, note: str = "") -> ChurnAlert:
    """Keep what a manager says of the alert itself: true, known before, or wrong and why. It is data, never a label.

    Raises:
        WhyMissing: "wrong" without a reason.
    """
    alert = _locked(alert)
    note = note.strip()[:200]
    if verdict == ChurnAlert.Verdict.WRONG and not note:
        raise WhyMissing(_("Say what is wrong with it, such as money moved to a relative here."))
    alert.verdict, alert.verdict_note = ChurnAlert.Verdict(verdict), note
    alert.save(update_fields=["verdict", "verdict_note", "updated_at"])
    audit.record("alert.judged", alert, by=by, verdict=verdict)
    return alert


@transaction.atomic
def review_loss(*, review: LossReview, findings: str, lesson: str, by: Staff, on: date) -> LossReview:
    """Keep the review of a lost diamond customer: what happened, what is done otherwise from now on.

    Raises:
        AlertSettled: it has been written already.
    """
    review = LossReview.objects.select_for_update().get(pk=review.pk)
    if review.done_on:
        raise AlertSettled(_("This review has been written already."))
    review.findings, review.lesson, review.done_by, review.done_on = findings.strip(), lesson.strip(), by, on
    review.save()
    audit.record("alert.loss_reviewed", review.alert, by=by)
    return review
