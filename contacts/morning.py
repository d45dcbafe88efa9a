"""The sheet of the morning meeting (晨会): what each member of an outlet has to do today, on one page."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, F, Sum

from contacts import ranking, regime
from contacts.models import CommunicationReport, ContactLog, ContactTask, Feedback, Opportunity
from contacts.reasons import Reason, reason_of
from customers.load import MANAGERS
from customers.models import Customer, Holding
from staff.models import Branch, Staff

RESTING_DAYS, RESTING = 30, 10
"""From so many days untouched an opportunity is the head's business (domain.md §9); so many are named."""

FIRST = 5
"""So many customers of a member are named."""


@dataclass(frozen=True)
class First:
    """One customer whom a member sees to first, with the reason in words."""

    customer: Customer
    reason: Reason


@dataclass
class Member:
    """One member's morning: how much is due and overdue, the week so far, and whom to see to first."""

    staff: Staff
    due: int = 0
    overdue: int = 0
    week_done: int = 0
    week_required: int = 0
    reports: int = 0
    maturing: Decimal = field(default_factory=Decimal)
    first: list[First] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """The morning of an outlet; `complaints` are open, `yesterday` how many contacts were made on the last day.

    `resting`: opportunities that nobody has touched for RESTING_DAYS, the largest first.
    """

    members: list[Member]
    complaints: int
    yesterday: int
    resting: list[Opportunity]


def sheet_of(*, viewer, branch: Branch, on: date) -> Sheet:
    """Return the sheet of an outlet for a day, from what `viewer` sees; eleven queries, however many members."""
    people = Staff.objects.active().filter(branch=branch, load__isnull=False).order_by("staff_no")
    members = {one.pk: Member(one) for one in people}
    customers = Customer.objects.visible_to(viewer).filter(branch=branch)
    tasks = ContactTask.objects.filter(customer__in=customers).due(on).filter(due_on__lte=on)
    ranked: dict[int, list[tuple[float, ContactTask]]] = defaultdict(list)
    for task in tasks.select_related("customer").defer("customer__id_no", "customer__mobile", "customer__address"):
        member = members.get(task.customer.manager_id)
        if member is None:
            continue
        member.due += 1
        member.overdue += task.due_on < on
        points = ranking.rank(
            stake=task.stake, due_on=task.due_on, allowed_days=task.allowed_days, tier=task.customer.service_tier, on=on
        ).points
        ranked[member.staff.pk].append((points, task))
    for pk, rows in ranked.items():
        members[pk].first = _first(rows, viewer, on)
    _weeks(members, on)
    for author, number in _counts(
        CommunicationReport.objects.filter(author__in=members, status__in=["draft", "returned"]), "author"
    ):
        members[author].reports = number
    due = Holding.objects.maturing(start=on, end=on + timedelta(days=1)).filter(customer__in=customers)
    for manager, money in due.order_by().values_list("customer__manager").annotate(Sum("amount")):
        if manager in members:
            members[manager].maturing = money
    return Sheet(
        members=[one for one in members.values() if one.due or one.week_required or one.first],
        complaints=Feedback.objects.open_complaints().filter(customer__in=customers).count(),
        resting=list(
            Opportunity.objects.open()
            .filter(customer__in=customers, last_touched_on__lte=on - timedelta(days=RESTING_DAYS))
            .select_related("customer", "owner")
            .order_by(F("expected_amount").desc(nulls_last=True), "pk")[:RESTING]
        ),
        yesterday=ContactLog.objects.valid().filter(customer__in=customers, on=on - timedelta(days=1)).count(),
    )


def _first(rows: list[tuple[float, ContactTask]], viewer, on: date) -> list[First]:
    """Return the strongest reasons, one a customer."""
    named: dict[int, First] = {}
    for _points, task in sorted(rows, key=lambda row: (-row[0], row[1].pk)):
        if task.customer_id not in named and len(named) < FIRST:
            named[task.customer_id] = First(task.customer, reason_of(task, on=on, viewer=viewer))
    return list(named.values())


def _weeks(members: dict[int, Member], on: date) -> None:
    """Fill in how many customers each manager has contacted this week, of how many."""
    week, rules = regime.week_of(on), regime.rules_in_force(on)
    managers = [pk for pk, one in members.items() if one.staff.role in MANAGERS]
    held = dict(_counts(Customer.objects.filter(manager__in=managers), "manager"))
    logs = ContactLog.objects.valid().filter(
        staff__in=managers, on__range=(week.first, on), customer__manager__in=managers
    )
    done: dict[int, set[int]] = defaultdict(set)
    for staff, customer, manager in logs.values_list("staff", "customer", "customer__manager"):
        if staff == manager:
            done[staff].add(customer)
    for pk in managers:
        members[pk].week_done = len(done[pk])
        members[pk].week_required = regime.weekly_requirement(held.get(pk, 0), rules.weekly)


def _counts(rows, by: str):
    return rows.order_by().values_list(by).annotate(Count("pk"))
