"""Days as a filter names them, seen from today: within the last 30 days, this quarter, in the next week. Pure functions."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

LONGEST = 3650
"""Days beyond which a filter by days has no meaning."""

FORM = re.compile(r"(last|over|next|beyond)([0-9]{1,4})|(week|month|quarter|never)")


class How(models.TextChoices):
    """How a day is looked at; the first four take a number of days."""

    LAST = "last", pgettext_lazy("relative day", "within the last … days")
    OVER = "over", pgettext_lazy("relative day", "… days ago or more")
    NEXT = "next", pgettext_lazy("relative day", "within the next … days")
    BEYOND = "beyond", pgettext_lazy("relative day", "in … days or more")
    WEEK = "week", pgettext_lazy("relative day", "this week")
    MONTH = "month", pgettext_lazy("relative day", "this month")
    QUARTER = "quarter", pgettext_lazy("relative day", "this quarter")
    NEVER = "never", pgettext_lazy("relative day", "not known")


COUNTED = (How.LAST, How.OVER, How.NEXT, How.BEYOND)


@dataclass(frozen=True)
class Relative:
    """A span of days seen from today; `days` is 0 where `how` takes none."""

    how: How
    days: int = 0

    @classmethod
    def read(cls, text: str) -> "Relative":
        """Read what an address carries: last30, over90, next7, week.

        Raises:
            ValueError: it is none of these, or has too many days.
        """
        found = FORM.fullmatch(text)
        if not found:
            raise ValueError(text)
        if found[3]:
            return cls(How(found[3]))
        if int(found[2]) > LONGEST:
            raise ValueError(text)
        return cls(How(found[1]), int(found[2]))

    def __str__(self):
        return f"{self.how.value}{self.days if self.how in COUNTED else ''}"

    @property
    def words(self) -> str:
        return str(self.how.label).replace("…", str(self.days))

    def bounds(self, on: date) -> tuple[date | None, date | None]:
        """Return the first and the last day of the span, None where it is open."""
        span = timedelta(days=self.days)
        match self.how:
            case How.LAST:
                return on - span, on
            case How.OVER:
                return None, on - span
            case How.NEXT:
                return on, on + span
            case How.BEYOND:
                return on + span, None
            case How.WEEK:
                first = on - timedelta(days=on.weekday())
                return first, first + timedelta(days=6)
            case How.MONTH:
                return months(on.replace(day=1), 1)
            case How.QUARTER:
                return months(on.replace(month=3 * ((on.month - 1) // 3) + 1, day=1), 3)
        return None, None

    def condition(self, column: str, on: date) -> Q:
        """Return the condition on a column of days."""
        if self.how == How.NEVER:
            return Q(**{column: None})
        first, last = self.bounds(on)
        found = Q(**{f"{column}__gte": first}) if first else Q()
        return found & Q(**{f"{column}__lte": last}) if last else found

    def covers(self, day: date | None, on: date) -> bool:
        """Say of one day what `condition` says of a column."""
        if self.how == How.NEVER or day is None:
            return self.how == How.NEVER and day is None
        first, last = self.bounds(on)
        return (first is None or first <= day) and (last is None or day <= last)


def months(first: date, number: int) -> tuple[date, date]:
    """Return the first and the last day of so many months that begin on a first."""
    after = first.month - 1 + number
    following = date(first.year + after // 12, after % 12 + 1, 1)
    return first, following - timedelta(days=1)


def years_before(on: date, years: int) -> date:
    """Return the last day of birth of those who are at least so old: 28 February where there is no 29th."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)


def unreadable() -> str:
    return _("Choose a span and give its days, up to 3,650.")
