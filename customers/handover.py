"""The verbs of handing over: draft, submit, take or send back, approve, come into effect, cancel, reverse (domain.md §6).

History and authorship stay: the old relation ends, a new one begins. What the floors above move along with a customer
(opportunities, the first talk) they do where `along` lets them know.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import assignment, branch_proposal, load
from customers.models import Assignment, Customer, Handover, HandoverLine, Tier
from customers.proposal import Waiting, propose
from customers.quota_rules import QuotaRules
from customers.ties import ties_of
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS

Status, State, Reason = Handover.Status, HandoverLine.State, Handover.Reason
BACKUP = Assignment.Role.BACKUP

NOTE_LENGTH = 10
FIRST_TALK_DAYS = 5
"""Working days within which the new manager talks with the customer (assumption)."""

logger = logging.getLogger(__name__)

_along: list[Callable[[Iterable[HandoverLine], date, Staff], None]] = []


class HandoverRefused(Refused):
    """This step of a hand-over is not possible; the message says why, and of whom."""

    code = "handover_refused"


_work: list[Callable[[Iterable[int]], Iterable[int]]] = []


def open_work(customers: Iterable[int]) -> list[int]:
    """Return a customer's number for each open opportunity of theirs, as the floor above knows."""
    pks = list(customers)
    return [pk for reader in _work for pk in reader(pks)]


def work_by(reader: Callable) -> None:
    """Let this function of the floor above name the customers of open opportunities among some, one each."""
    _work[:] = [reader]


def along(mover: Callable) -> None:
    """Let this function of a floor above move along what belongs to the lines of a hand-over that comes into effect."""
    if mover not in _along:
        _along.append(mover)


@transaction.atomic
def draft(
    *, giver: Staff, customers, reason: str, effective_on: date, by: Staff, on: date, until: date | None = None
) -> Handover:
    """Begin a hand-over of a member's customers (a queryset), with the best receivers that the optimiser finds.

    Raises:
        HandoverRefused: the day is past, a cover has no end, no customer is chosen, or one is on another open hand-over.
    """
    if effective_on < on:
        raise HandoverRefused(_("Choose a day from today on."))
    if (reason == Reason.LEAVE) != (until is not None) or (until and until < effective_on):
        raise HandoverRefused(_("A cover during leave, and only that, ends on a day after it begins."))
    chosen = list(customers.filter(manager=giver).visible_to(by).order_by("-service_tier", "-aum", "pk"))
    if not chosen:
        raise HandoverRefused(_("No customer of this member is chosen."))
    busy = HandoverLine.objects.filter(customer__in=chosen, handover__in=Handover.objects.open()).select_related(
        "customer"
    )
    if names := [line.customer.name for line in busy[:5]]:
        raise HandoverRefused(_("On another open hand-over already: {names}").format(names="、".join(names)))
    made = Handover.objects.create(
        branch=giver.branch, giver=giver, reason=reason, effective_on=effective_on, until=until, made_by=by
    )
    receivers = {} if until else _best_receivers(chosen, giver, on)
    HandoverLine.objects.bulk_create(
        HandoverLine(handover=made, customer=customer, to_id=receivers.get(customer.pk)) for customer in chosen
    )
    audit.record("handover.drafted", giver, by=by, kind=reason, number=len(chosen), day=effective_on)
    return made


def _best_receivers(customers: list[Customer], giver: Staff, on: date) -> dict[int, int]:
    """Return {customer: member} as the optimiser shares a book among the rest of the outlet."""
    members = [one for one in branch_proposal.load_members(giver.branch_id) if one.id != giver.pk]
    waiting = [Waiting(one.pk, Tier(one.load_class), one.aum, one.year_avg) for one in customers]
    known = ties_of(
        Customer.objects.filter(pk__in=[one.pk for one in customers]), {one.id: one.skills for one in members}, on=on
    )
    held = QuotaRules.in_force(on)
    found = propose(waiting, members, quotas=held.of_manager, mode=held.rule.gold_routing_mode, ties=known)
    return {line.customer.id: line.member_id for line in found.lines}


@transaction.atomic
def write(*, handover: Handover, receivers: dict[int, int | None], notes: dict[int, str], by: Staff) -> Handover:
    """Change receivers and notes of a draft, {line: …}; a line that is changed is open again.

    Raises:
        HandoverRefused: it is no draft, or a receiver is the giver or not of the branch.
    """
    handover = _locked(handover, Status.DRAFT)
    able = set(Staff.objects.members_of(handover.branch_id).active().values_list("pk", flat=True)) - {handover.giver_id}
    for line in handover.lines.all():
        to, note = receivers.get(line.pk, line.to_id), notes.get(line.pk, line.note).strip()[:600]
        if to is not None and to not in able:
            raise HandoverRefused(_("A receiver works at the outlet and is not the giver."))
        if (to, note) != (line.to_id, line.note):
            line.to_id, line.note, line.state, line.answer = to, note, State.OPEN, ""
            line.save(update_fields=["to", "note", "state", "answer"])
    audit.record("handover.changed", handover.giver, by=by, number=handover.lines.count())
    return handover


@transaction.atomic
def submit(*, handover: Handover, by: Staff) -> Handover:
    """Put a draft before its receivers.

    Raises:
        HandoverRefused: a line has no receiver, or no note of at least NOTE_LENGTH characters.
    """
    handover = _locked(handover, Status.DRAFT)
    lines = list(handover.lines.select_related("customer"))
    if names := [line.customer.name for line in lines if line.to_id is None]:
        raise HandoverRefused(_("Without a receiver: {names}").format(names="、".join(names[:5])))
    if names := [line.customer.name for line in lines if len(line.note) < NOTE_LENGTH]:
        text = _("Write for each customer what is open and was promised, at least {n} characters: {names}")
        raise HandoverRefused(text.format(n=NOTE_LENGTH, names="、".join(names[:5])))
    return _moved(handover, Status.SUBMITTED, by)


@transaction.atomic
def answer(*, handover: Handover, by: Staff, lines: Iterable[int], takes: bool, why: str = "") -> Handover:
    """Take lines as their receiver, or send them back with the reason; all taken, the branch head's turn comes.

    Raises:
        HandoverRefused: it waits for nobody, the lines are another's, or no reason is given for sending back.
    """
    handover = _locked(handover, Status.SUBMITTED)
    why = " ".join(why.split())
    mine = handover.lines.filter(pk__in=list(lines), to=by)
    if not mine:
        raise HandoverRefused(_("These customers do not come to you."))
    if not takes and not why:
        raise HandoverRefused(_("Say why you send them back."))
    mine.update(state=State.TAKEN if takes else State.BACK, answer="" if takes else why[:200])
    audit.record("handover.answered", handover.giver, by=by, result="taken" if takes else "back", reason=why[:120])
    if not takes:
        return _moved(handover, Status.DRAFT, by)
    if not handover.lines.exclude(state=State.TAKEN).exists():
        return _moved(handover, Status.ACCEPTED, by)
    return handover


@transaction.atomic
def approve(*, handover: Handover, by: Staff, on: date) -> Handover:
    """Let an accepted hand-over come into effect on its day: at once when that has come, else by the night before.

    Raises:
        HandoverRefused: it was not accepted, or the approver is not the branch head.
        assignment.LinesRefused: on its day some lines do not fit; nothing is moved.
    """
    if by.role not in HEADS:
        raise HandoverRefused(_("The branch head approves."))
    handover = _locked(handover, Status.ACCEPTED)
    handover.approved_by, handover.approved_at = by, timezone.now()
    handover.save(update_fields=["approved_by", "approved_at"])
    _moved(handover, Status.APPROVED, by)
    return take_effect(handover=handover, on=on) if handover.effective_on <= on else handover


@transaction.atomic
def take_effect(*, handover: Handover, on: date) -> Handover:
    """Move the customers: relations end and begin, work goes along; a cover adds a backup and leaves the primary."""
    handover = _locked(handover, Status.APPROVED)
    by = handover.approved_by
    lines = [
        line
        for line in handover.lines.select_related("customer", "to")
        if line.customer.manager_id == handover.giver_id  # who went elsewhere meanwhile stays there
    ]
    if handover.is_cover:
        made = Assignment.objects.bulk_create(
            Assignment(customer=line.customer, staff=line.to, role=BACKUP, start=on, source="cover", assigned_by=by)
            for line in lines
        )
    else:
        # `seen`: whoever is re-assigned between this reading and the locks is not taken from the third.
        moves = [
            assignment.Line(line.customer, line.to, assignment.Seen(handover.giver_id, line.customer.load_class))
            for line in lines
        ]
        made = assignment.assign_many(
            lines=moves, by=by, on=on, source="transfer", reason=str(handover.get_reason_display())
        )
    for line, row in zip(lines, made, strict=True):
        line.assignment = row
    HandoverLine.objects.bulk_update(lines, ["assignment"])
    for mover in _along:
        mover(lines, on, by)
    return _moved(handover, Status.EFFECTIVE, by)


@transaction.atomic
def cancel(*, handover: Handover, by: Staff) -> Handover:
    """Give up a hand-over that is not in effect."""
    handover = _locked(handover, Status.DRAFT, Status.SUBMITTED, Status.ACCEPTED, Status.APPROVED)
    return _moved(handover, Status.CANCELLED, by)


@transaction.atomic
def reverse(*, handover: Handover, by: Staff, on: date) -> list[Handover]:
    """Begin to hand those back who are still with their receivers: a draft for each receiver, notes carried over.

    Raises:
        HandoverRefused: it is not in effect, was reversed before, or the giver works here no more.
    """
    handover = _locked(handover, Status.EFFECTIVE)
    if handover.is_cover or Handover.objects.filter(reverses=handover).exists():
        raise HandoverRefused(_("This hand-over was reversed already, or was a cover."))
    if not handover.giver.is_active:
        raise HandoverRefused(_("{name} works here no more.").format(name=handover.giver.name))
    drafts, first = [], handover
    for to in dict.fromkeys(line.to for line in handover.lines.select_related("to")):
        lines = {line.customer_id: line for line in handover.lines.filter(to=to, customer__manager=to)}
        if not lines:
            continue
        back = Handover.objects.create(
            branch=handover.branch, giver=to, reason=Reason.OTHER, effective_on=on, made_by=by, reverses=first
        )
        first = None
        HandoverLine.objects.bulk_create(
            HandoverLine(handover=back, customer_id=pk, to=handover.giver, note=line.note) for pk, line in lines.items()
        )
        drafts.append(back)
    if not drafts:
        raise HandoverRefused(_("None of the customers is with a receiver any more."))
    audit.record("handover.reversed", handover.giver, by=by, number=len(drafts))
    return drafts


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring into effect what was approved for the morning after `on`, and end covers whose last day was `on`."""
    morning = date.fromordinal(on.toordinal() + 1)
    ready = Handover.objects.filter(branch=branch_id, status=Status.APPROVED, effective_on__lte=morning)
    done = []
    for one in ready.order_by("pk"):
        try:
            done.append(take_effect(handover=one, on=morning))
        except load.Busy:
            raise  # passes by itself: the night tries the step again
        except Refused as refusal:  # who no longer fits holds up this hand-over, not the night; its page says so
            logger.warning("hand-over not in effect", extra={"handover": one.pk, "why": refusal.code})
    over = HandoverLine.objects.filter(handover__branch=branch_id, handover__until__lte=on, assignment__end=None)
    ended = Assignment.objects.filter(pk__in=over.values("assignment"), role=BACKUP).update(end=morning)
    return len(done) + ended


def _locked(handover: Handover, *statuses: str) -> Handover:
    found = (
        Handover.objects.select_for_update(of=("self",))
        .select_related("giver", "branch", "approved_by")
        .get(pk=handover.pk)
    )
    if found.status not in statuses:
        raise HandoverRefused(_("The hand-over is at “{status}” meanwhile.").format(status=found.get_status_display()))
    return found


def _moved(handover: Handover, status: str, by: Staff) -> Handover:
    handover.status = status
    handover.save(update_fields=["status"])
    audit.record(f"handover.{status}", handover.giver, by=by, number=handover.lines.count(), day=handover.effective_on)
    return handover
