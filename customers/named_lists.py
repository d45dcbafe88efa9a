"""Named lists (名单制管理): making one, whom it leaves out and why, working it off, and what overlaps with it (S0-3, S0-22)."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer, CustomerList, CustomerListMember, Segment
from customers.reach import Skip, why_not
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

LARGEST = 5_000
"""So many customers a list takes at most (S3-23)."""

State = CustomerListMember.State


class ListRefused(Refused):
    """The list, or the change of a line, is not possible; the message says why."""

    code = "list_refused"


@dataclass(frozen=True)
class Draft:
    """Who would be on a list: ids to be taken, those left out by reason, and how many are on other lists of that week."""

    taken: list[int]
    skipped: list[tuple[Skip, int]]
    overlapping: list[int]


def draft(customers, *, purpose: str, due_on: date, channel: str = "") -> Draft:
    """Say who of some customers would be on a list for a purpose; those in sight are the caller's to choose."""
    judged = customers.annotate(skip=why_not(purpose, channel)).order_by("-aum", "pk").values_list("pk", "skip")
    rows = list(judged[: LARGEST + 1])
    if len(rows) > LARGEST:
        raise ListRefused(_("A list has at most {n} customers; narrow the choice.").format(n=f"{LARGEST:,}"))
    taken = [pk for pk, skip in rows if not skip]
    counts = Counter(skip for _pk, skip in rows if skip)
    monday = due_on - timedelta(days=due_on.weekday())
    others = CustomerListMember.objects.filter(
        customer__in=taken, customer_list__closed_at=None,
        customer_list__due_on__range=(monday, monday + timedelta(days=6)),
    )  # fmt: skip
    overlapping = sorted(set(others.values_list("customer", flat=True)))
    return Draft(taken, [(Skip(code), number) for code, number in counts.most_common()], overlapping)


@transaction.atomic
def make(
    *, name: str, purpose: str, task: str, due_on: date, customers, by: Staff, on: date,
    segment: Segment | None = None, drop_overlap: bool = False,
) -> tuple[CustomerList, Draft]:  # fmt: skip
    """Make a list of those who may be approached for its purpose; return it with who was left out.

    Args:
        customers: a queryset within the maker's sight.
        drop_overlap: leave out those who are on another list due the same week.

    Raises:
        ListRefused: the day is past, nobody is left, or there are too many.
    """
    if due_on < on:
        raise ListRefused(_("Choose a day from today on."))
    found = draft(customers, purpose=purpose, due_on=due_on)
    taken = [pk for pk in found.taken if not (drop_overlap and pk in set(found.overlapping))]
    if not taken:
        raise ListRefused(_("Nobody of them may be approached for this purpose."))
    made = CustomerList.objects.create(
        name=name, purpose=purpose, task=task, due_on=due_on, branch_id=by.branch_id, segment=segment, made_by=by
    )
    CustomerListMember.objects.bulk_create(
        (CustomerListMember(customer_list=made, customer_id=pk) for pk in taken), batch_size=1000
    )
    audit.record("list.made", made, by=by, name=name, number=len(taken))
    return made, found


@transaction.atomic
def add(*, customer_list: CustomerList, customer: Customer, by: Staff) -> CustomerListMember:
    """Put one more customer on an open list; who is on it already stays as he is.

    Raises:
        ListRefused: the list is closed, or he may not be approached for its purpose.
    """
    if customer_list.closed_at is not None:
        raise ListRefused(_("The list is closed."))
    reason = Customer.objects.filter(pk=customer.pk).values_list(why_not(customer_list.purpose), flat=True).first()
    if reason:
        raise ListRefused(str(Skip(reason).label))
    member, created = CustomerListMember.objects.get_or_create(customer_list=customer_list, customer=customer)
    if not created:
        raise ListRefused(_("is on the list already"))
    return member


@transaction.atomic
def set_state(*, member: CustomerListMember, state: str, note: str, by: Staff) -> CustomerListMember:
    """Say how far a customer of a list is; the trail keeps the state before.

    Raises:
        ListRefused: the list is closed, or there is no such state.
    """
    member = (
        CustomerListMember.objects.select_for_update(of=("self",)).select_related("customer_list").get(pk=member.pk)
    )
    if member.customer_list.closed_at is not None:
        raise ListRefused(_("The list is closed."))
    if state not in State.values:
        raise ListRefused(_("Choose a state from the list."))
    before = member.state
    member.state, member.note, member.changed_by, member.changed_at = state, note.strip()[:120], by, timezone.now()
    member.save(update_fields=["state", "note", "changed_by", "changed_at"])
    audit.record("list.worked", member.customer, by=by, list=member.customer_list.name, old=before, new=state)
    return member


@transaction.atomic
def close(*, customer_list: CustomerList, by: Staff, open_again: bool = False) -> CustomerList:
    """Close a list, or open it again; its lines stay as they are."""
    customer_list = CustomerList.objects.select_for_update().get(pk=customer_list.pk)
    closed = customer_list.closed_at is not None
    if closed == open_again:
        customer_list.closed_at = None if open_again else timezone.now()
        customer_list.save(update_fields=["closed_at"])
        audit.record("list.reopened" if open_again else "list.closed", customer_list, by=by, name=customer_list.name)
    return customer_list


HANDLED = Count("members", filter=~Q(members__state=State.OPEN))


def progress(members) -> list[dict]:
    """Return [{owner, total, handled, percent}] of a list's lines by who looks after the customer now, the least done first."""
    rows = (
        members.values("customer__manager__name").annotate(total=Count("pk"), handled=Count("pk", filter=~Q(state=State.OPEN)))
        .order_by()
    )  # fmt: skip
    found = [
        {"owner": row["customer__manager__name"], "total": row["total"], "handled": row["handled"],
         "percent": percent(row["handled"], row["total"])}
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row["percent"], row["owner"] or ""))


def percent(handled: int, total: int) -> int:
    """Return the completion: what is no longer unhandled, of all (45 of 60 → 75)."""
    return 100 * handled // total if total else 0
