"""Whether the contacts that the regime asks for can be made in a month, by working days (domain.md §7).

Contacts are reckoned in calls: a meeting stands for two, as in the either-or rules. What a member can do is not guessed:
it is what he did on the working days of late.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When

from contacts import regime
from contacts.models import ContactLog
from customers.load import MANAGERS
from customers.models import Customer, Handover, RelationStatus, Tier
from customers.working_days import is_working_day
from staff.models import Branch, Staff

PACE_DAYS = 60
"""Working days over which a member's pace is measured."""

STRETCH = Decimal("1.5")
"""Up to so many times the own pace a month is tight; above it is out of reach (assumption)."""

MEETING = 2
"""One meeting stands for two calls (domain.md §7)."""


@dataclass(frozen=True)
class Feasibility:
    """One member's month: customers by rule, calls needed, working days present, and calls a working day of late."""

    staff: Staff
    diamond: int
    platinum: int
    others: int
    calls: int
    days: int
    pace: Decimal

    @property
    def customers(self) -> int:
        return self.diamond + self.platinum + self.others

    @property
    def per_day(self) -> Decimal:
        """Return the calls needed on each working day; all of them where the member has no day at all."""
        return Decimal(self.calls) / max(self.days, 1)

    @property
    def state(self) -> str:
        """Return ok within the own pace, tight up to STRETCH times it, else out."""
        if self.calls and not self.days:
            return "out"
        if self.per_day <= self.pace:
            return "ok"
        return "tight" if self.per_day <= STRETCH * self.pace else "out"


@dataclass(frozen=True)
class Month:
    """The month of an outlet: the window, its working days, the members who hold customers, the least possible first."""

    window: regime.Window
    working_days: int
    members: list[Feasibility]

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.members)

    @property
    def per_day(self) -> Decimal:
        return Decimal(self.calls) / max(self.working_days, 1)

    @property
    def pace(self) -> Decimal:
        return sum((one.pace for one in self.members), Decimal(0))

    @property
    def beyond(self) -> int:
        """Return how many members cannot make it at their pace."""
        return sum(one.state == "out" for one in self.members)


def month_of_branch(*, viewer, branch: Branch, on: date) -> Month:
    """Return the feasibility of the month after `on` for the members of an outlet; five queries."""
    window = regime.month_of(regime.month_of(on).last + timedelta(days=1))
    rules = regime.rules_in_force(window.first)
    days = [day for day in _days(window.first, window.last) if is_working_day(day)]
    staff = Staff.objects.active().filter(branch=branch, load__isnull=False).order_by("staff_no")
    books = _books(viewer, branch, window)
    pace, away = _pace(staff, on), _away(staff, window)
    members = [
        Feasibility(
            one,
            diamond=books[one.pk]["diamond"],
            platinum=books[one.pk]["platinum"],
            others=books[one.pk]["others"],
            calls=_calls(books[one.pk], rules, window, len(days) if one.role in MANAGERS else 0),
            days=sum(not any(first <= day <= last for first, last in away.get(one.pk, ())) for day in days),
            pace=pace.get(one.pk, Decimal(0)),
        )
        for one in staff
        if one.pk in books
    ]
    rank = {"out": 0, "tight": 1, "ok": 2}
    members.sort(key=lambda one: (rank[one.state], -one.per_day))
    return Month(window, len(days), members)


def _days(first: date, last: date):
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _books(viewer, branch: Branch, window: regime.Window) -> dict[int, dict]:
    """Return {member: customers by the rule that binds them}; `quiet` are those not met yet in a quarter that has begun."""
    monthly = Q(relation_status=RelationStatus.SIGNED, low_disturb=False)
    diamond, platinum = monthly & Q(service_tier=Tier.DIAMOND), monthly & Q(service_tier=Tier.PLATINUM)
    others = ~(diamond | platinum)
    in_quarter = regime.quarter_of(window.first).first < window.first
    unmet = others & Q(contact_count=0) if in_quarter else others
    rows = Customer.objects.visible_to(viewer).assignable().filter(branch=branch, manager__isnull=False).order_by()
    rows = rows.values("manager").annotate(
        diamond=Count("pk", filter=diamond),
        platinum=Count("pk", filter=platinum),
        others=Count("pk", filter=others),
        quiet=Count("pk", filter=unmet),
    )
    return {row["manager"]: row for row in rows}


def _calls(book: dict, rules: regime.Rules, window: regime.Window, working_days: int) -> int:
    """Return the calls that a book asks for in a month: the monthly rules, the month's share of the quarter, ten a week.

    `working_days` of 0 stands for a role that the weekly rule does not bind.
    """
    monthly = sum(book[tier.code] * rules.monthly[tier][0] for tier in (Tier.DIAMOND, Tier.PLATINUM))
    quarter = regime.quarter_of(window.first)
    months_left = quarter.last.month - window.first.month + 1
    quarterly = -(-book["quiet"] * rules.quarterly // months_left)
    customers = book["diamond"] + book["platinum"] + book["others"]
    weekly = regime.weekly_requirement(customers, rules.weekly) * working_days // 5
    return max(monthly + quarterly, weekly)


def _pace(staff, on: date) -> dict[int, Decimal]:
    """Return {member: calls a working day} over the last PACE_DAYS working days before `on`."""
    first, number = on, 0
    while number < PACE_DAYS:
        first -= timedelta(days=1)
        number += is_working_day(first)
    worth = Case(When(counts_as="meeting", then=Value(MEETING)), default=Value(1), output_field=IntegerField())
    logs = ContactLog.objects.valid().filter(staff__in=staff, on__gte=first, on__lt=on).order_by()
    return {row["staff"]: Decimal(row["calls"]) / PACE_DAYS for row in logs.values("staff").annotate(calls=Sum(worth))}


def _away(staff, window: regime.Window) -> dict[int, list[tuple[date, date]]]:
    """Return {member: [(first, last)]} of the leaves that a cover is arranged for."""
    found: dict[int, list[tuple[date, date]]] = {}
    covers = Handover.objects.filter(
        giver__in=staff,
        reason=Handover.Reason.LEAVE,
        status__in=[Handover.Status.APPROVED, Handover.Status.EFFECTIVE],
        effective_on__lte=window.last,
        until__gte=window.first,
    )
    for giver, first, last in covers.values_list("giver", "effective_on", "until"):
        found.setdefault(giver, []).append((first, last))
    return found
