"""One text for a segment: written by one person, approved by another, then a draft for each member who may get it."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import asset_effect, message_templates, messages
from contacts.event import SKIPS
from contacts.models import MessageBatch, OutboundMessage
from customers.effect import Effect
from customers.models import Customer, Segment
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

SKIPPED = {
    **SKIPS,
    "no_mobile": gettext_lazy("no mobile number"),
    "no_email": gettext_lazy("no e-mail address"),
    "cap": gettext_lazy("two marketing messages in seven days"),
}


LEFT = (OutboundMessage.Status.SENT, OutboundMessage.Status.DELIVERED)
"""A message that reached its customer, as far as is known."""


class BatchRefused(Refused):
    """This text cannot go to this segment; the message says why."""

    code = "message_batch_refused"


@dataclass(frozen=True)
class Outlook:
    """How many members would get a text, and how many would not and why: [(words, how many)]."""

    gets: int
    skipped: list[tuple[str, int]]


def members_of(segment: Segment, *, viewer):
    """Return the customers of a segment in the viewer's sight."""
    times = segment.members.current().values("customer")
    return Customer.objects.visible_to(viewer).filter(pk__in=times, merged_into=None)


def outlook(*, segment: Segment, purpose: str, viewer) -> Outlook:
    """Count who of the segment would get a text for a purpose now: one query."""
    counts = _counts(members_of(segment, viewer=viewer), purpose)
    return Outlook(counts.pop("", 0), in_words(counts))


def in_words(skipped: dict[str, int]) -> list[tuple[str, int]]:
    """Return {why: how many} in words, the most first."""
    return [(str(SKIPPED.get(why, why)), n) for why, n in sorted(skipped.items(), key=lambda one: -one[1])]


def skipped_members(*, segment: Segment, purpose: str, author, viewer, limit: int = 50) -> list[tuple[Customer, str]]:
    """Return members in the author's and the viewer's sight who would get no text now, with why, the largest first."""
    members = members_of(segment, viewer=author).filter(pk__in=Customer.objects.visible_to(viewer))
    rows = messages.judged_over_channels(members, purpose).exclude(skip="").order_by("-aum", "pk")
    return [(one, str(SKIPPED.get(one.skip, one.skip))) for one in rows[:limit]]


def effects_of(batch: MessageBatch, *, on: date) -> dict[int, Effect | None]:
    """Return what an approved text did to assets: {days after: Effect, None while those days lie ahead}.

    Members who got none are in neither arm: why they were left out says something of them.
    """
    done_on = timezone.localdate(batch.decided_at)
    got = list(batch.messages.filter(status__in=LEFT).values_list("customer", flat=True))
    members = (
        batch.segment.members.filter(since__lte=done_on).exclude(customer__in=got).values_list("customer", flat=True)
    )
    return {
        days: asset_effect.of(
            treated=got, neither=list(members), branch_id=batch.made_by.branch_id, on=done_on, days=days
        ) if done_on + timedelta(days=days) < on else None
        for days in asset_effect.HORIZONS
    }  # fmt: skip


@transaction.atomic
def propose(*, segment: Segment, purpose: str, body: str, by: Staff) -> MessageBatch:
    """Put a text before somebody else; nothing is drafted until it is approved.

    Raises:
        BatchRefused: `by` may not write to customers, the segment is out of use, or nobody would get it.
        TemplateRefused: the words do not fit.
    """
    if not by.has_perm("contacts.release_message"):
        raise BatchRefused(_("Messages are written by managers and the branch head."))
    if segment.retired_at is not None:
        raise BatchRefused(_("The segment is out of use."))
    body = message_templates.fitting(body, message_templates.COMMON)
    if not outlook(segment=segment, purpose=purpose, viewer=by).gets:
        raise BatchRefused(_("None of your customers in this segment may get it."))
    made = MessageBatch.objects.create(segment=segment, purpose=purpose, body=body, made_by=by)
    audit.record("message_batch.proposed", made, by=by, segment=segment.pk, purpose=purpose)
    return made


@transaction.atomic
def approve(*, batch: MessageBatch, by: Staff) -> MessageBatch:
    """Draft the text for each member in the author's sight who may get it now; people release the drafts.

    Raises:
        BatchRefused: it does not wait for approval, or `by` wrote it or may not approve.
    """
    batch = _waiting(batch, by)
    if batch.made_by_id == by.pk:
        raise BatchRefused(_("Somebody else approves what you wrote."))
    members = members_of(batch.segment, viewer=batch.made_by)
    counts = _counts(members, batch.purpose)
    pattern = OutboundMessage(
        kind=OutboundMessage.BATCH,
        purpose=batch.purpose,
        batch=batch,
        body=batch.body,
        occasion_on=timezone.localdate(),
    )
    counts.pop("", None)
    batch.drafted, batch.skipped = messages.draft_over_channels(pattern, members, {}), counts
    batch.status, batch.decided_by, batch.decided_at = MessageBatch.Status.APPROVED, by, timezone.now()
    batch.save(update_fields=["drafted", "skipped", "status", "decided_by", "decided_at"])
    audit.record("message_batch.approved", batch, by=by, drafted=batch.drafted)
    return batch


@transaction.atomic
def decline(*, batch: MessageBatch, by: Staff) -> MessageBatch:
    """Let a text that waits go no further; its author may take it back so.

    Raises:
        BatchRefused: it does not wait, or `by` neither wrote it nor may approve.
    """
    batch = _waiting(batch, by)
    batch.status, batch.decided_by, batch.decided_at = MessageBatch.Status.DECLINED, by, timezone.now()
    batch.save(update_fields=["status", "decided_by", "decided_at"])
    audit.record("message_batch.declined", batch, by=by)
    return batch


def _waiting(batch: MessageBatch, by: Staff) -> MessageBatch:
    held = MessageBatch.objects.select_for_update(of=("self",)).select_related("segment", "made_by").get(pk=batch.pk)
    if held.status != MessageBatch.Status.WAITING:
        raise BatchRefused(_("This text does not wait for approval any more."))
    if held.made_by_id != by.pk and not by.has_perm("contacts.edit_template"):
        raise BatchRefused(_("Texts for a segment are approved by the branch head or head office."))
    return held


def _counts(customers, purpose: str) -> dict[str, int]:
    rows = messages.judged_over_channels(customers, purpose).order_by().values_list("skip").annotate(n=Count("pk"))
    return dict(rows)
