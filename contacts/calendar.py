"""The month beside Today: which days hold plans, events or large maturities; and the next two weeks of one customer."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import get_language
from lunar_python import Solar

from contacts import regime
from contacts.models import ContactTask
from customers.models import Holding
from customers.working_days import is_working_day
from staff.models import Staff

LARGE_MATURITY = Decimal(500_000)
"""Yuan maturing on one day from which the day is marked red (assumption)."""


@dataclass
class Day:
    """One day of a calendar: how many plans and events it holds, and the money that matures."""

    on: date
    is_out: bool = False
    is_today: bool = False
    plans: int = 0
    maturing: Decimal = field(default_factory=Decimal)

    @property
    def is_large(self) -> bool:
        return self.maturing >= LARGE_MATURITY

    @property
    def is_working(self) -> bool:
        return is_working_day(self.on)


def weeks_between(first: date, last: date, *, today: date, month: int | None = None) -> list[list[Day]]:
    """Return whole weeks from Monday that hold [first, last]; days outside the month are marked as out."""
    start, end = regime.week_of(first).first, regime.week_of(last).last
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    marked = [Day(on=day, is_out=month is not None and day.month != month, is_today=day == today) for day in days]
    return [marked[n : n + 7] for n in range(0, len(marked), 7)]


def month_for(*, staff: Staff, month: date, on: date) -> list[list[Day]]:
    """Return the weeks of a month with the plans, events and maturities of a member's customers: two queries."""
    window = regime.month_of(month)
    weeks = weeks_between(window.first, window.last, today=on, month=window.first.month)
    start, end = weeks[0][0].on, weeks[-1][-1].on
    plans: dict[date, int] = defaultdict(int)
    dated = ContactTask.objects.of_manager(staff).open().filter(due_on__range=(start, end))
    for source, due_on in dated.exclude(source=ContactTask.Source.REGIME).values_list("source", "due_on"):
        plans[due_on] += source != ContactTask.Source.ALERT
    maturing = dict(
        Holding.objects.maturing(start=start, end=end + timedelta(days=1))
        .filter(customer__manager=staff)
        .values_list("matures_on")
        .annotate(total=Sum("amount"))
    )
    for day in (day for week in weeks for day in week):
        day.plans, day.maturing = plans.get(day.on, 0), maturing.get(day.on, Decimal(0))
    return weeks


def fortnight_for(*, staff: Staff, on: date) -> list[list[Day]]:
    """Return this week and the next, with how many plans each day already holds; on a weekend one week more."""
    weeks = weeks_between(on, on + timedelta(days=9), today=on)
    planned = ContactTask.objects.of_manager(staff).open().filter(due_on__range=(on, weeks[-1][-1].on))
    plans: dict[date, int] = defaultdict(int)
    for due_on in planned.exclude(source__in=["regime", "alert"]).values_list("due_on", flat=True):
        plans[due_on] += 1
    for day in (day for week in weeks for day in week):
        day.plans = plans.get(day.on, 0)
    return weeks


def lunar_day(on: date) -> str:
    """Return the day of the lunar calendar in Chinese (农历十月十一); empty in other languages."""
    if not (get_language() or "").startswith("zh"):
        return ""
    lunar = Solar.fromYmd(on.year, on.month, on.day).getLunar()
    return f"农历{lunar.getMonthInChinese()}月{lunar.getDayInChinese()}"
