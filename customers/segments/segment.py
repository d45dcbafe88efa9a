"""Making, changing and retiring segments."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Segment, SegmentMember
from customers.segments import membership
from customers.segments.rule import parse
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

LARGEST_FIXED = 5_000
"""So many customers a fixed list holds at most."""


class SegmentRefused(Refused):
    """The segment cannot be kept so; the message says why."""

    code = "segment_refused"


class SegmentConflict(SegmentRefused):
    """Somebody changed the segment meanwhile."""

    code = "segment_conflict"


@transaction.atomic
def make(*, name: str, purpose: str, by: Staff, on: date, rule=None, customers: list[int] | None = None) -> Segment:
    """Make a segment of the maker's branch, by a rule or as a fixed list of customers, with its members of today.

    Raises:
        SegmentRefused, RuleRefused: the name is taken or empty, the rule cannot be read, the list is too long.
    """
    if (rule is None) == (customers is None):
        raise SegmentRefused(_("Give a rule, or the customers of a fixed list."))
    if customers is not None and not 0 < len(customers) <= LARGEST_FIXED:
        raise SegmentRefused(_("A fixed list has 1 to {n} customers.").format(n=f"{LARGEST_FIXED:,}"))
    kept = parse(rule).as_json() if rule is not None else None
    segment = _written(Segment(name=_named(name), purpose=purpose.strip(), rule=kept, branch_id=by.branch_id, owner=by))
    for pk in customers or ():
        SegmentMember.objects.create(segment=segment, customer_id=pk, since=on)
    membership.refresh(segment, on=on)
    audit.record("segment.made", segment, by=by, name=segment.name)
    segment.refresh_from_db()
    return segment


@transaction.atomic
def change(*, segment: Segment, version: int, name: str, purpose: str, rule, by: Staff, on: date) -> Segment:
    """Change a segment that is still as the page showed it; its members follow at once.

    Raises:
        SegmentConflict: it is not. SegmentRefused, RuleRefused: as in `make`.
    """
    held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if held.version != version or held.retired_at is not None:
        raise SegmentConflict(_("Somebody has changed “{name}” meanwhile; look at it again.").format(name=held.name))
    held.name, held.purpose = _named(name), purpose.strip()
    if held.rule is not None:
        held.rule = parse(rule).as_json()
    held.version += 1
    _written(held)
    membership.refresh(held, on=on)
    audit.record("segment.changed", held, by=by, name=held.name)
    held.refresh_from_db()
    return held


def _named(name: str) -> str:
    name = " ".join(name.split())[:40]
    if not name:
        raise SegmentRefused(_("Give the segment a name."))
    return name


def _written(segment: Segment) -> Segment:
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        if "segment_name_once_a_branch" not in str(error):
            raise
        raise SegmentRefused(_("There is a segment “{name}” already.").format(name=segment.name)) from error
    return segment


@transaction.atomic
def retire(*, segment: Segment, by: Staff, on: date) -> Segment:
    """Take a segment out of use: its members and its history stay as they are. Again changes nothing."""
    held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if held.retired_at is None:
        held.retired_at = timezone.now()
        held.save(update_fields=["retired_at"])
        audit.record("segment.retired", held, by=by, name=held.name)
    return held


@transaction.atomic
def restore(*, segment: Segment, by: Staff, on: date) -> Segment:
    """Take a retired segment into use again, with the members it means today.

    Raises:
        SegmentRefused: another one has taken the name.
    """
    held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if held.retired_at is not None:
        held.retired_at = None
        _written(held)
        membership.refresh(held, on=on)
        audit.record("segment.restored", held, by=by, name=held.name)
    return held
