"""Keeping a proposal as a draft, applying it, and what became of those that were applied (domain.md §6)."""

from collections.abc import Collection, Mapping
from datetime import date

from django.db import transaction
from django.db.models import Count, Q

from customers import assignment
from customers.assignment import Line
from customers.models import Assignment, ProposalRecord
from staff.models import Branch, Staff

Status = ProposalRecord.Status


@transaction.atomic
def keep_draft(*, branch: Branch, receivers: Mapping[int, int], unticked: Collection[int], by: Staff) -> ProposalRecord:
    """Keep how `by` changed the proposal of an outlet, in place of the draft kept before.

    Args:
        receivers: {customer: staff} who differ from the proposal.
        unticked: the customers whose lines are not to be applied.
    """
    drop_draft(branch=branch, by=by)
    choices = {"to": {str(pk): to for pk, to in receivers.items()}, "unticked": sorted(unticked)}
    return ProposalRecord.objects.create(branch=branch, made_by=by, status=Status.DRAFT, choices=choices)


def draft_of(*, branch: Branch, by: Staff) -> ProposalRecord | None:
    """Return the draft that `by` keeps for an outlet."""
    return ProposalRecord.objects.filter(branch=branch, made_by=by, status=Status.DRAFT).first()


def drop_draft(*, branch: Branch, by: Staff) -> None:
    """Give up the draft, if there is one: a note to oneself, that nothing depends on."""
    ProposalRecord.objects.filter(branch=branch, made_by=by, status=Status.DRAFT).delete()


@transaction.atomic
def apply(
    *,
    branch: Branch,
    lines: Collection[Line],
    figures: Mapping,
    by: Staff,
    on: date,
    changed: int = 0,
    reason: str = "",
) -> list[Assignment]:
    """Assign the lines of a proposal, all or none, and keep it in the history of the outlet.

    Args:
        figures: what proved the proposal (`branch_proposal.as_figures`).
        changed: how many receivers a person chose instead of those proposed.

    Raises:
        LinesRefused: as `assignment.assign_many`; nothing is kept.
    """
    kept = ProposalRecord.objects.create(
        branch=branch, made_by=by, status=Status.APPLIED, figures={**figures, "applied": len(lines), "changed": changed}
    )
    rows = assignment.assign_many(lines=lines, by=by, on=on, source="auto", reason=reason, proposal=kept)
    drop_draft(branch=branch, by=by)
    return rows


def history(viewer, branch: Branch):
    """Return the applied proposals of an outlet, newest first, with how many of their relations still `hold`."""
    rows = ProposalRecord.objects.visible_to(viewer).filter(branch=branch, status=Status.APPLIED)
    return rows.select_related("made_by").annotate(hold=Count("assignments", filter=Q(assignments__end=None)))
