"""Working days by the Chinese public calendar, make-up days (调休) included."""

from datetime import date, timedelta
from functools import cache

import holidays


@cache
def _calendar() -> holidays.HolidayBase:
    """Return the calendar; next year's is an estimate until the State Council decides."""
    return holidays.country_holidays("CN", language="zh_CN")


@cache
def is_working_day(day: date) -> bool:
    """Say whether the bank works on a day."""
    return _calendar().is_working_day(day)


def add_working_days(day: date, number: int) -> date:
    """Return the day that comes `number` working days after a day; with 0 the day itself, or the next that works."""
    while number > 0 or not is_working_day(day):
        day += timedelta(days=1)
        if is_working_day(day):
            number -= 1
    return day


def working_days_between(start: date, end: date) -> int:
    """Return how many working days lie in [start, end); 0 where the end is not after the start."""
    return sum(is_working_day(start + timedelta(days=n)) for n in range((end - start).days))


def working_days_left(on: date, last: date) -> int:
    """Return the working days from a day to the last one, both included."""
    return working_days_between(on, last + timedelta(days=1))
