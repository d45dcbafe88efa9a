"""The month beside Today: which days hold plans, events or large maturities; and the next two weeks of one customer."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from lunar_python import Solar

from contacts import regime
from contacts.festivals import festival_on
from contacts.models import ContactTask
from contacts.reasons import reason_of
from customers.models import Customer, Holding
from customers.working_days import is_working_day
from staff.models import Staff

UNDATED = (ContactTask.Source.REGIME, ContactTask.Source.ALERT)
"""What is due by a day without belonging to it."""

DAY_ENTRIES = 4
"""So many entries of a day stand in the month; the others behind a number."""

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
    entries: list["Entry"] = field(default_factory=list)

    @property
    def is_large(self) -> bool:
        return self.maturing >= LARGE_MATURITY

    @property
    def is_working(self) -> bool:
        return is_working_day(self.on)

    @property
    def festival(self) -> str:
        """Return the festival of the day, in Chinese as it is called; empty on other days."""
        found = festival_on(self.on)
        return found.name if found else ""

    @property
    def shown(self) -> list["Entry"]:
        return self.entries[:DAY_ENTRIES]

    @property
    def more(self) -> int:
        return max(0, len(self.entries) - DAY_ENTRIES)


@dataclass(frozen=True)
class Entry:
    """One thing of a day: a customer with what is due, or what matures; `kind` is the hue."""

    kind: str
    customer: Customer
    words: str


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
    _fill([day for week in weeks for day in week], staff)
    return weeks


def days_for(*, staff: Staff, first: date, last: date, on: date) -> list[Day]:
    """Return the days from `first` to `last` as `month_for` fills them."""
    days = [Day(on=first + timedelta(days=n)) for n in range((last - first).days + 1)]
    _fill(days, staff)
    return days


def page_for(*, staff: Staff, month: date, on: date) -> list[list[Day]]:
    """Return the weeks of a month with every entry of each day, in words; two queries more."""
    weeks = month_for(staff=staff, month=month, on=on)
    days = {day.on: day for week in weeks for day in week}
    dated = ContactTask.objects.of_manager(staff).open().filter(due_on__in=days).exclude(source__in=UNDATED)
    for task in dated.select_related("customer").order_by("-stake", "pk"):
        said = reason_of(task, on=on, viewer=staff)
        days[task.due_on].entries.append(Entry(said.kind, task.customer, said.chip))
    held = Holding.objects.maturing(start=min(days), end=max(days) + timedelta(days=1))
    for holding in held.filter(customer__manager=staff).select_related("customer", "product").order_by("-amount"):
        words = _("{product} matures").format(product=holding.product.name)
        days[holding.matures_on].entries.append(Entry("plain", holding.customer, words))
    return weeks


def _fill(days: list[Day], staff: Staff) -> None:
    """Count the plans and events of each day and sum what matures: two queries."""
    start, end = days[0].on, days[-1].on
    dated = ContactTask.objects.of_manager(staff).open().filter(due_on__range=(start, end)).exclude(source__in=UNDATED)
    plans = Counter(dated.values_list("due_on", flat=True))
    maturing = dict(
        Holding.objects.maturing(start=start, end=end + timedelta(days=1))
        .filter(customer__manager=staff)
        .values_list("matures_on")
        .annotate(total=Sum("amount"))
    )
    for day in days:
        day.plans, day.maturing = plans.get(day.on, 0), maturing.get(day.on, Decimal(0))


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
