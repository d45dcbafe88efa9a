"""In which order to act: the rank of a reason, and the group it falls in. Pure arithmetic.

    points = 50 × money + 35 × urgency + 15 × tier

- money = log10(1 + stake ÷ 10,000 yuan) ÷ 3, at most 1: ¥100,000 gives 0.35, ¥1,000,000 0.67, ¥10,000,000 1.
- urgency = 1 − days left ÷ (allowed days + 1): a short period begins higher than a long one, 1 is the last
  day, above 1 is overdue, 1.5 the most.
- tier = 0 general, 1/3 gold, 2/3 platinum, 1 diamond.

The stake is the money that may be lost or won: money at risk for alerts, contacts due and birthdays, what
matures for maturities, the expected amount × the stage's probability for opportunities.

A high churn alert is pressing: it leads its row and stands before everything else. The rows that are
due come next; five rows in all are "do first", the other due ones are "today".
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

MONEY_POINTS, URGENCY_POINTS, TIER_POINTS = 50, 35, 15
MOST_OVERDUE = 1.5
FIRST_ROWS = 5
"""How many rows are "do first", unless more are pressing."""


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
    """Return the share of the allowed period that is used up, today included: 1 on its last day, at most 1.5."""
    used = 1 - (due_on - on).days / (allowed_days + 1)
    return min(max(used, 0.0), MOST_OVERDUE)


def rank(*, stake: Decimal, due_on: date, allowed_days: int, tier: int, on: date) -> Rank:
    """Return the rank of a reason to act on a day."""
    return Rank(
        money=MONEY_POINTS * money_share(stake),
        urgency=URGENCY_POINTS * urgency(due_on, allowed_days, on),
        tier=TIER_POINTS * tier / 3,
    )


def group_of(*, due_on: date, on: date, is_pressing: bool, first_so_far: int) -> str:
    """Return the group of the next row in order: first, today, week or later."""
    if is_pressing or (due_on <= on and first_so_far < FIRST_ROWS):
        return "first"
    if due_on <= on:
        return "today"
    return "week" if due_on <= on + timedelta(days=7) else "later"
