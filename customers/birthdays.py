"""On which days birthdays fall, by the solar and by the lunar calendar. Pure functions."""

from datetime import date, timedelta
from functools import lru_cache

from lunar_python import LunarYear, Solar


def birthdays(on: date, until: date) -> list[tuple[str, date, bool]]:
    """Return (name of the birthday, day it falls on, is lunar) for the days of [on, until].

    Names are 'MM-DD' for the solar calendar and `Customer.lunar_birthday` for the lunar one. 29 February
    falls on the 28th in common years; a leap month's day falls in the plain month when the year has no such
    leap month; the 30th of a month with 29 days falls on the 29th (domain.md §8).
    """
    found = []
    for day in (on + timedelta(days=n) for n in range((until - on).days + 1)):
        found.append((day.strftime("%m-%d"), day, False))
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found.append(("02-29", day, False))
        found += [(name, day, True) for name in lunar_names(day)]
    return found


@lru_cache(maxsize=1024)  # each page of the list asks for the same 38 days
def lunar_names(day: date) -> tuple[str, ...]:
    """Return the lunar birthdays kept on a solar day, as `Customer.lunar_birthday` writes them."""
    lunar = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    year, month, number = LunarYear.fromYear(lunar.getYear()), lunar.getMonth(), lunar.getDay()
    numbers = [number]
    if number == 29 and year.getMonth(month).getDayCount() == 29:
        numbers.append(30)
    months = [month]
    if month > 0 and year.getLeapMonth() != month:
        months.append(-month)
    return tuple(f"{m}-{n}" for m in months for n in numbers)
