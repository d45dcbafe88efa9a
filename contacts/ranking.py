"""In which order to act: the rank of a reason, and the group it falls in. Pure arithmetic.

    points = 50 × money + 35 × urgency + 15 × tier

- money = log10(1 + stake ÷ 10,000 yuan) ÷ 3, at most 1: ¥100,000 gives 0.35, ¥1,000,000 0.67, ¥10,000,000 1.
- urgency = 1 − days left ÷ period that the rule allows: 0 when the period begins, 1 on the last day,
  above 1 once overdue, at most 2.
- tier = 0 general, 1/3 gold, 2/3 platinum, 1 diamond.

The stake is the money that may be lost or won: money at risk for alerts, contacts due and birthdays,
what matures for maturities, the expected amount for opportunities.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

MONEY_POINTS, URGENCY_POINTS, TIER_POINTS = 50, 35, 15
MOST_OVERDUE = 2.0
FIRST_ROWS = 5
"""How many rows at most are "do first"."""


@dataclass(frozen=True)
class Rank:
    """The points of one reason, and what they are made of."""

    money: float
    urgency: float
    tier: float

    @property
    def points(self) -> float:
        return self.money + self.urgency + self.tier


def money_share(stake: Decimal) -> float:
    """Return 0–1 for the money at stake in yuan, by its order of magnitude."""
    return min(math.log10(1 + float(stake) / 10_000) / 3, 1.0)


def urgency(due_on: date, allowed_days: int, on: date) -> float:
    """Return 0 when the allowed period begins, 1 on its last day, at most 2 when overdue."""
    used = 1 - (due_on - on).days / max(allowed_days, 1)
    return min(max(used, 0.0), MOST_OVERDUE)


def rank(*, stake: Decimal, due_on: date, allowed_days: int, tier: int, on: date) -> Rank:
    """Return the rank of a reason to act on a day."""
    return Rank(
        money=MONEY_POINTS * money_share(stake),
        urgency=URGENCY_POINTS * urgency(due_on, allowed_days, on),
        tier=TIER_POINTS * tier / 3,
    )


def group_of(*, due_on: date, on: date, is_pressing: bool, first_left: bool) -> str:
    """Return the group of a row: what is due or pressing (a high alert) is `first` while there is room, then `today`."""
    if due_on <= on or is_pressing:
        return "first" if first_left else "today"
    return "week" if due_on <= on + timedelta(days=7) else "later"
