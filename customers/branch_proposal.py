"""The proposal of one outlet: who waits and who could take whom, read from the database; the same for page, API, command."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Case, F, Max, OuterRef, Q, Subquery, When

from customers import ties
from customers.load import book_of, extra_places
from customers.models import Assignment, Customer, Handover, HandoverLine, Load, RelationStatus, Tier
from customers.proposal import Member, Proposal, Waiting, propose
from customers.quota_rules import QuotaRules
from staff.models import Branch
from staff.roles import Role


def waiting_of_branch(viewer, branch: Branch):
    """Return the customers of an outlet who wait, in the order of the proposal, with the manager before."""
    return with_manager_before(Customer.objects.visible_to(viewer).waiting().filter(branch=branch)).order_by(
        "-waits_as", "-aum", "pk"
    )


def with_manager_before(customers):
    """Add to customers as what they wait, and whose they were last."""
    # What was undone or given on within the day is no relation to return to.
    ended = Assignment.objects.primary().filter(customer=OuterRef("pk"), end__gt=F("start")).order_by("-end", "-pk")
    return customers.annotate(
        waits_as=Case(When(relation_status=RelationStatus.SIGNED, then=F("service_tier")), default=0),
        previous=Subquery(ended.values("staff")[:1]),
        previous_name=Subquery(ended.values("staff__name")[:1]),
    )


def load_waiting(customers) -> list[Waiting]:
    """Read a queryset of those who wait, annotated with `waits_as` and `previous`, as values in one query."""
    rows = customers.values_list("pk", "waits_as", "aum", "year_avg", "previous")
    return [Waiting(pk, Tier(waits_as), *rest) for pk, waits_as, *rest in rows]


MOVABLE_AFTER_DAYS = 90
"""Whoever came to a manager within so many days is not moved again (assumption: the watch of a hand-over)."""


def load_movable(viewer, branch: Branch, members: Mapping[int, Member], on: date) -> list[Waiting]:
    """Return who of an outlet may go to another manager so that others find a place; everybody else is locked.

    Locked are those a head has locked, the head's own, who came of late, who is on an open hand-over, and the customers
    of members above a limit, for whom letting go makes no room.
    """
    strained = [pk for pk, member in members.items() if member.book.units_over or any(member.book.over.values())]
    under_way = HandoverLine.objects.filter(handover__in=Handover.objects.open()).values("customer")
    rows = (
        Assignment.objects.open()
        .primary()
        .filter(staff__in=members, locked=False, start__lte=on - timedelta(days=MOVABLE_AFTER_DAYS))
        .filter(customer__in=Customer.objects.visible_to(viewer).assignable().filter(branch=branch))
        .exclude(staff__role=Role.BRANCH_HEAD)
        .exclude(staff__in=strained)
        .exclude(customer__in=under_way)
        .annotate(
            kind=Case(
                When(customer__relation_status=RelationStatus.SIGNED, then=F("customer__service_tier")), default=0
            )
        )
    )
    values = rows.values_list("customer", "kind", "customer__aum", "customer__year_avg", "staff")
    return [Waiting(pk, Tier(kind), aum, year_avg, staff, staff) for pk, kind, aum, year_avg, staff in values]


def load_members(branch_id: int) -> list[Member]:
    """Read the members of one branch who hold customers, with their loads, in one query."""
    rows = Load.objects.of_branch(branch_id).select_related("staff").order_by("staff__staff_no")
    rows = rows.annotate(last_start=Max("staff__assignments__start", filter=Q(staff__assignments__end=None)))
    return [
        Member(
            row.staff_id,
            row.staff.staff_no,
            row.staff.name,
            row.staff.role,
            book_of(row),
            row.last_start,
            row.staff.skills,
            row.staff.capacity_factor,
        )
        for row in rows
    ]


def propose_branch(
    *,
    viewer,
    branch: Branch,
    on: date,
    forced: Mapping[int, int] | None = None,
    rules: QuotaRules | None = None,
    moving: bool = False,
) -> tuple[Proposal, dict[int, Member]]:
    """Return the best sharing of those who wait at an outlet, as far as `viewer` sees them, and its members.

    Args:
        forced: {customer: member} whose receiver is fixed.
        rules: other quotas than those in force, to see what they would do.
        moving: present relations may move too, as few as possible and only where that lets others find a place.
    """
    everyone = waiting_of_branch(viewer, branch)
    members = {member.id: member for member in load_members(branch.pk)}
    known = ties.ties_of(everyone.order_by(), {member.id: member.skills for member in members.values()}, on=on)
    if rules is not None:
        members = _under(rules, members, on)
    held = rules or QuotaRules.in_force(on)
    waiting = load_waiting(everyone)
    if moving:
        waiting += load_movable(viewer, branch, members, on)
    found = propose(
        waiting,
        members.values(),
        quotas=held.of_manager,
        mode=held.rule.gold_routing_mode,
        ties=known,
        forced=forced,
    )
    return found, members


def _under(rules: QuotaRules, members: Mapping[int, Member], on: date) -> dict[int, Member]:
    """Return the members with their books as a set of rules would have them."""
    places = extra_places(members, on=on)
    return {
        pk: replace(member, book=rules.book(member.book, member.role, member.factor, places.get(pk, {})))
        for pk, member in members.items()
    }


@dataclass(frozen=True)
class Cost:
    """What it would cost to give a customer to a member and share the rest best: per aim more than the proposal has.

    `left` customers without a manager, `broken` relations, `aside` gold customers at the side, `even` points of evenness
    and ties; `fits` is false where the customer himself would be left.
    """

    fits: bool
    left: int
    broken: int
    aside: int
    even: float


def cost_of(*, viewer, branch: Branch, on: date, customer: int, member: int) -> Cost:
    """Answer "why not this member?": the proposal once more with that customer fixed to the member, compared aim by aim."""
    best, _members = propose_branch(viewer=viewer, branch=branch, on=on)
    other, _members = propose_branch(viewer=viewer, branch=branch, on=on, forced={customer: member})
    mine, theirs = ({aim.name: aim.value for aim in one.aims} for one in (best, other))
    left = sum(theirs.get(f"left_{tier}", 0) - mine.get(f"left_{tier}", 0) for tier in range(4))
    return Cost(
        fits=any(line.customer.id == customer for line in other.lines),
        left=round(left),
        broken=round(theirs.get("broken", 0) - mine.get("broken", 0)),
        aside=round(theirs.get("aside", 0) - mine.get("aside", 0)),
        even=round(theirs.get("even", 0) - mine.get("even", 0), 1),
    )


def as_figures(proposal: Proposal) -> dict:
    """Return what proves a proposal: its objective and bound, the gap in parts, seconds, counts, each aim."""
    last = proposal.aims[-1] if proposal.aims else None
    return {
        "objective": last.value if last else 0,
        "bound": last.bound if last else 0,
        "gap": proposal.gap,
        "seconds": round(proposal.seconds, 3),
        "assigned": len(proposal.lines),
        "unassigned": len(proposal.left_over),
        "managers_short": float(round(proposal.managers_short, 2)),
        "aims": [
            {"name": aim.name, "value": aim.value, "bound": round(aim.bound, 2), "gap": aim.gap}
            for aim in proposal.aims
        ],
    }
