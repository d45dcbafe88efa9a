"""The asset chart of Customer 360: balances by group of kinds over 3, 12 or 36 months, for charts.js."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer, DailyAsset, MonthlyAsset, Tier, TierChange, TierRule
from staff import formats

RANGES = (3, 12, 36)
"""Months shown; 3 by the day, the others by the end of each month."""

GROUPS = (
    (gettext_lazy("Time deposits and bonds"), "--chart-d", ("time_deposit", "structured", "bond")),
    (gettext_lazy("Demand and custody cash"), "--chart-p", ("demand", "custody_cash")),
    (gettext_lazy("Wealth and trust"), "--event", ("wealth", "trust")),
    (gettext_lazy("Funds and gold"), "--chart-g", ("fund", "gold")),
    (gettext_lazy("Insurance"), "--opp", ("insurance",)),
)
"""The ten kinds in five groups, from the bottom: name, colour, kinds."""

COLOUR_KEYS = {"--chart-d": "c-d", "--chart-p": "c-p", "--event": "c-event", "--chart-g": "c-g", "--opp": "c-opp"}

KINDS = tuple(kind for _name, _colour, kinds in GROUPS for kind in kinds)


def chart_of(customer: Customer, *, months: int, on: date) -> dict:
    """Return the data of the chart in the unit of the reader's language; two queries, three with changes of tier.

    Months without a row and days without a balance stay gaps.
    """
    points = _days(customer, on) if months == 3 else _months(customer, months, on)
    unit = _unit()
    present = [group for group in GROUPS if any(row and any(row[kind] for kind in group[2]) for _day, row in points)]
    floors = TierRule.objects.floors(on)
    return {
        "unit": formats.column_unit(),
        "labels": [_label(day, months) for day, _row in points],
        "series": [
            {
                "name": str(name),
                "color": colour,
                "data": [
                    None if row is None else round(float(sum(row[kind] for kind in kinds) / unit), 4)
                    for _day, row in points
                ],
            }
            for name, colour, kinds in present
        ],
        "lines": [
            {"name": f"{tier.label} {formats.round_money(floor)}", "value": float(floor / unit)}
            for tier, floor in floors.items()
            if tier > Tier.GENERAL
        ],
        "marks": _marks(customer, points, months),
    }


def _unit() -> Decimal:
    """Return the yuan of one unit of the chart, which `formats.column_unit` names."""
    return formats.WAN if formats.chinese() else Decimal(1000)


def _label(day: date, months: int) -> str:
    return f"{day:%m-%d}" if months == 3 else f"{day:%y-%m}"


def _days(customer: Customer, on: date) -> list[tuple[date, dict | None]]:
    """Return a row for each of the last 92 days up to the newest balance, None where there is none."""
    last = customer.data_date or on
    first = last - timedelta(days=91)
    found = DailyAsset.objects.filter(customer=customer, data_date__range=(first, last)).values("data_date", *KINDS)
    rows = {row["data_date"]: row for row in found}
    begins = min(rows, default=last)
    return [(day, rows.get(day)) for day in (begins + timedelta(days=n) for n in range((last - begins).days + 1))]


def _months(customer: Customer, months: int, on: date) -> list[tuple[date, dict | None]]:
    """Return a row for each month: balances at its end, of the newest day in the month that runs."""
    last = (customer.data_date or on).replace(day=1)
    first = _months_before(last, months)
    found = MonthlyAsset.objects.filter(customer=customer, month__range=(first, last)).values("month", *KINDS)
    rows = {row["month"]: row for row in found}
    begins = min(rows, default=last)
    return [(month, rows.get(month)) for month in _each_month(begins, last)]


def _months_before(month: date, number: int) -> date:
    place = month.year * 12 + month.month - 1 - number
    return date(place // 12, place % 12 + 1, 1)


def _each_month(first: date, last: date) -> list[date]:
    months, month = [], first
    while month <= last:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months


def _marks(customer: Customer, points, months: int) -> list[dict]:
    """Return the changes of tier as marks on the line: {index, name}."""
    if not points:
        return []
    kinds = [TierChange.Kind.UP, TierChange.Kind.DOWN]
    changes = TierChange.objects.filter(customer=customer, kind__in=kinds, on__gte=points[0][0]).order_by("on")
    places = {_label(day, months): index for index, (day, _row) in enumerate(points)}
    marks = [
        {
            "index": places.get(_label(change.on, months)),
            "name": f"{change.get_kind_display()} {Tier(change.to_tier).label}",
        }
        for change in changes
    ]
    return [mark for mark in marks if mark["index"] is not None]


def finding(data: dict) -> str:
    """Return what the chart shows in one sentence: from how much to how much."""
    rows = zip(*(one["data"] for one in data["series"]), strict=True)
    totals = [sum(values) for values in rows if None not in values]
    if not totals:
        return _("No balances in this time")
    unit = _unit()
    first, last = (formats.money(Decimal(str(total)) * unit) for total in (totals[0], totals[-1]))
    return _("Assets from {first} to {last}").format(first=first, last=last)


def legend(data: dict) -> list[dict]:
    """Return [{key, name}] of the series shown, `key` the class of the coloured square."""
    return [{"key": COLOUR_KEYS[one["color"]], "name": one["name"]} for one in data["series"]]
