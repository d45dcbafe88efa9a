"""What the coming ratings would find if the customer's money stayed as it is, or changed by an amount: exact, from the days so far.

Pure functions. Amounts are yuan; a day's balance is that of its end, so that money which comes on a day counts from that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from customers.ladder import rating_day
from customers.models import Tier
from customers.rating import tier_for

CENT = Decimal("0.01")


@dataclass(frozen=True)
class MonthSoFar:
    """The running month: the sum of the days counted, how many they are, the last of them, and its balance."""

    balances: Decimal
    days: int
    last: date
    aum: Decimal


@dataclass(frozen=True)
class Coming:
    """What one rating would find: its day, the month's average, the tier of it."""

    rated_on: date
    month_avg: Decimal
    tier: Tier


def coming(
    so_far: MonthSoFar, *, floors: Mapping[Tier, Decimal], change: Decimal = Decimal(0), since: date | None = None
) -> list[Coming]:
    """Return the next two ratings if AUM changes by an amount on a day (the day after the last counted by default).

    A balance never falls below nothing. A change before the days to come counts from the first of them.
    """
    first_open = so_far.last + timedelta(days=1)
    since = max(since or first_open, first_open)
    end = rating_day(so_far.last)
    later = max(so_far.aum + change, Decimal(0))
    rest = (end - first_open).days
    changed = max(0, (end - since).days) if since < end else 0
    total = so_far.balances + so_far.aum * (rest - changed) + later * changed
    following = rating_day(end)
    whole = (following - end).days
    after = max(0, (following - max(since, end)).days)
    next_total = so_far.aum * (whole - after) + later * after
    averages = ((end, total / (so_far.days + rest)), (following, next_total / whole))
    found = []
    for day, average in averages:
        rounded = average.quantize(CENT)
        found.append(Coming(day, rounded, tier_for(rounded, floors)))
    return found
