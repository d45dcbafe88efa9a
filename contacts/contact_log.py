"""Logging a contact, and taking it back: one transaction each, from the words to the meters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import agenda, log_hints, pipeline, regime, report, visit
from contacts.models import ContactLog, ContactLogVersion, ContactTask, Opportunity
from customers.models import Customer
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

Channel, Result = ContactLog.Channel, ContactLog.Result

REACHED = {
    Channel.PHONE: Result.CONNECTED,
    Channel.OFFICE: Result.MET,
    Channel.VISIT: Result.MET,
    Channel.VIDEO: Result.MET,
    Channel.WECHAT: Result.REPLIED,
    Channel.SMS: Result.REPLIED,
    Channel.EMAIL: Result.REPLIED,
}
"""The result with which each way counts; the other one everywhere is "not reached"."""

PLAN_DAYS = 365
CLOCK_SKEW = timedelta(minutes=5)
"""A contact may be dated this far ahead: clocks of phones differ."""


class NotOpenToYou(Refused):
    """The customer is not among those the member of staff may see."""

    code = "not_visible"


class BadContact(Refused):
    """What was entered cannot be a contact; `field` names the input."""

    code = "bad_contact"

    def __init__(self, message, field=None):
        super().__init__(message)
        self.field = field


class AlreadyVoided(Refused):
    code = "already_voided"


@dataclass(frozen=True)
class NewOpportunity:
    """An opportunity that a contact brought up: opened with the contact, already contacted."""

    kind: str
    title: str
    expected_amount: object = None
    expected_on: date | None = None
    next_action_on: date | None = None


@transaction.atomic
def log_contact(
    *,
    customer: Customer,
    by: Staff,
    channel: str,
    result: str,
    at: datetime,
    on: date,
    summary: str,
    purpose: str = ContactLog.Purpose.CARE,
    minutes: int | None = None,
    next_contact_on: date | None = None,
    closes: Iterable[int] = (),
    moves: Iterable[Opportunity] = (),
    opens: Iterable[NewOpportunity] = (),
    learns: Iterable[str] = (),
    idempotency_key: str | None = None,
) -> ContactLog:
    """Write a contact down, close the tasks it served, move what it moved, and refresh the customer's meters.

    Args:
        at: when the contact took place (aware); `on` is the bank's day of entering it.
        closes: ids of open tasks of this customer; nothing is closed if the customer was not reached.
        moves: opportunities of this customer that thereby become "contacted".
        learns: codes of `log_hints` that are kept in the archive; nothing is if the customer was not reached.
        idempotency_key: a repeated one returns the contact of the first time and changes nothing.

    Raises:
        NotOpenToYou, BadContact, and what `pipeline` refuses; nothing is written then.
    """
    # The customer's row is the lock under which contacts of one customer queue up.
    seen = Customer.objects.visible_to(by).select_for_update(no_key=True, of=("self",)).filter(pk=customer.pk).first()
    if seen is None:
        raise NotOpenToYou(_("You may not log contacts with this customer."))
    if idempotency_key:
        earlier = ContactLog.objects.filter(idempotency_key=idempotency_key).first()
        if earlier:
            return _replayed(earlier, customer=seen, by=by)
    _check(channel=channel, result=result, at=at, on=on, summary=summary, next_contact_on=next_contact_on)
    log = ContactLog.objects.create(
        customer=seen,
        staff=by,
        channel=channel,
        result=result,
        at=at,
        on=timezone.localdate(at),
        entered_on=on,
        minutes=minutes,
        purpose=purpose,
        summary=summary.strip(),
        next_contact_on=next_contact_on,
        idempotency_key=idempotency_key or None,
    )
    if result != Result.NOT_REACHED:
        _close_served(log, closes, on=on)
        _move_along(log, moves=moves, opens=opens, on=on)
        log_hints.learn(customer=seen, codes=learns, by=by)
    _plan_next(log, on=on)
    if report.is_required(log):
        report.begin(log=log, on=on)
        visit.held(log=log, on=on)
    regime.refresh_customer(customer=seen, on=on)
    audit.record("contact.logged", log, by=by, channel=channel, result=result, day=log.on.isoformat())
    return log


@transaction.atomic
def void(*, log: ContactLog, by: Staff, on: date) -> ContactLog:
    """Take a contact back: it no longer counts, what it closed is open again, what it moved moves back."""
    Customer.objects.select_for_update(no_key=True).get(pk=log.customer_id)
    log = ContactLog.objects.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=log.pk)
    if log.voided_at is not None:
        raise AlreadyVoided(_("This contact has been taken back already."))
    log.voided_at, log.voided_by = timezone.now(), by
    log.save(update_fields=["voided_at", "voided_by"])
    _move_back(log, by=by, on=on)
    report.drop(log=log, on=on)
    visit.not_held(log=log)
    log.closed_tasks.update(
        status=ContactTask.Status.OPEN, closed_by_log=None, closed_on=None, closed_by=None, snoozed_until=None
    )
    ContactTask.objects.open().filter(key=_plan_key(log)).update(status=ContactTask.Status.EXPIRED, closed_on=on)
    regime.refresh_customer(customer=log.customer, on=on)
    audit.record("contact.voided", log, by=by, day=log.on.isoformat())
    return log


CORRECTED = ("channel", "result", "at", "minutes", "purpose", "summary")


@transaction.atomic
def correct(
    *, log: ContactLog, by: Staff, on: date, channel: str, at: datetime, minutes: int | None, purpose: str, summary: str
) -> ContactLog:
    """Give a contact of one's own other words or facts; the earlier version is kept, and what it closed and moved stays.

    A contact that is moved to another day counts as entered on the day of the correction.

    Raises:
        NotOpenToYou: somebody else's. AlreadyVoided: taken back.
        BadContact: the way does not fit the result, it lies in the future, it has a report, or nothing is said.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=log.customer_id)
    log = ContactLog.objects.select_for_update(no_key=True, of=("self",)).select_related("customer").get(pk=log.pk)
    if log.staff_id != by.pk:
        raise NotOpenToYou(_("Only who had a contact corrects it."))
    if log.voided_at is not None:
        raise AlreadyVoided(_("This contact has been taken back already."))
    reached = log.result != Result.NOT_REACHED
    result = REACHED[channel] if reached else Result.NOT_REACHED
    if channel != log.channel and hasattr(log, "report"):
        raise BadContact(_("It has a report: take the contact back, or add to the report."), "channel")
    _check(channel=channel, result=result, at=at, on=on, summary=summary, next_contact_on=None)
    ContactLogVersion.objects.create(log=log, corrected_by=by, **{name: getattr(log, name) for name in CORRECTED})
    day = timezone.localdate(at)
    log.entered_on = log.entered_on if day == log.on else on
    log.channel, log.result, log.at, log.on = channel, result, at, day
    log.minutes, log.purpose, log.summary = minutes, purpose, summary.strip()
    log.save(update_fields=["channel", "result", "at", "on", "entered_on", "minutes", "purpose", "summary"])
    log.refresh_from_db(fields=["counts_as"])
    if report.is_required(log) and not hasattr(log, "report"):
        report.begin(log=log, on=on)
    regime.refresh_customer(customer=log.customer, on=on)
    audit.record("contact.corrected", log, by=by, day=log.on.isoformat())
    return log


def _move_back(log: ContactLog, *, by: Staff, on: date) -> None:
    """Take back the moves of a contact that nothing followed, and end what only it had opened."""
    for stage_move in log.stage_moves.order_by("-id"):
        opportunity = Opportunity.objects.get(pk=stage_move.opportunity_id)
        if opportunity.stage != stage_move.to_stage:
            continue
        if stage_move.from_stage:
            pipeline.undo_move(opportunity=opportunity, by=by, on=timezone.localdate(stage_move.at))
        else:
            reason = Opportunity.LostReason.OTHER
            pipeline.move(opportunity=opportunity, to="lost", by=by, on=on, lost_reason=reason, note=_("taken back"))


def _replayed(earlier: ContactLog, *, customer: Customer, by: Staff) -> ContactLog:
    """Return the contact that was written the first time; the key of somebody else's is refused."""
    if earlier.customer_id != customer.pk or earlier.staff_id != by.pk:
        raise BadContact(_("This form was used for another contact; open it again."))
    return earlier


def _check(*, channel, result, at, on, summary, next_contact_on) -> None:
    if result not in (REACHED[channel], Result.NOT_REACHED):
        raise BadContact(
            _("“{result}” does not fit “{channel}”.").format(
                result=Result(result).label, channel=Channel(channel).label
            ),
            "result",
        )
    if at > timezone.now() + CLOCK_SKEW or timezone.localdate(at) > on:
        raise BadContact(_("A contact cannot lie in the future."), "at")
    if result != Result.NOT_REACHED and not summary.strip():
        raise BadContact(_("Write down in one sentence what the customer said."), "summary")
    if next_contact_on is not None and not on <= next_contact_on <= on + timedelta(days=PLAN_DAYS):
        raise BadContact(_("The next contact must lie within a year from today."), "next_contact_on")


def _close_served(log: ContactLog, closes: Iterable[int], *, on: date) -> None:
    log.customer.tasks.open().filter(pk__in=list(closes)).update(
        status=ContactTask.Status.DONE, closed_by_log=log, closed_on=on, closed_by=log.staff, snoozed_until=None
    )


def _move_along(log: ContactLog, *, moves, opens, on: date) -> None:
    moved = list(moves)
    for opportunity in moved:
        if opportunity.customer_id != log.customer_id:
            raise BadContact(_("This opportunity belongs to another customer."))
    for new in opens:
        fields = {"expected_amount": new.expected_amount, "expected_on": new.expected_on}
        moved.append(
            pipeline.open_opportunity(
                customer=log.customer,
                kind=new.kind,
                title=new.title,
                owner=log.staff,
                by=log.staff,
                on=on,
                source="contact",
                contact_log=log,
                next_action_on=new.next_action_on or log.next_contact_on,
                **fields,
            )
        )
    for opportunity in moved:
        pipeline.move(
            opportunity=opportunity, to=Opportunity.Stage.CONTACTED, by=log.staff, on=on, contact_log=log,
            note=log.summary[:200],
        )  # fmt: skip
    if moved:
        log.opportunity = moved[0]
        log.save(update_fields=["opportunity"])
    # Any contact touches what is open with the customer: it is not stalled.
    log.customer.opportunities.open().filter(last_touched_on__lt=log.on).update(last_touched_on=log.on)


def _plan_key(log: ContactLog) -> str:
    return f"planned:{log.pk}"


def _plan_next(log: ContactLog, *, on: date) -> None:
    """Make the next contact a task; an older plan of the same person for the customer gives way to it."""
    if log.next_contact_on is None:
        return
    log.customer.tasks.open().filter(reason="planned", key__startswith="planned:").update(
        status=ContactTask.Status.EXPIRED, closed_on=on
    )
    agenda.open_tasks(
        [
            {
                "key": _plan_key(log),
                "customer_id": log.customer_id,
                "source": ContactTask.Source.MANUAL,
                "reason": "planned",
                "figures": {"note": log.summary[:60]},
                "opened_on": on,
                "due_on": log.next_contact_on,
                "allowed_days": max((log.next_contact_on - on).days, 1),
                "opportunity_id": None,
            }
        ]
    )
