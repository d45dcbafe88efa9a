"""Signed, potential or neither: how each customer of the demo bank stands to it (domain.md §3). Arrays of length n."""

from datetime import date, timedelta

import numpy as np

from customers.models import RelationStatus
from vipcrm.demo.money import History
from vipcrm.demo.ratings import RULE, Ratings

STILL_SIGNED = 40_000 * 100
"""Month average in cents from which half of those who fell below gold stay signed."""

PAYROLL_INDICATOR = 10_000
"""Yuan of monthly pay from which somebody below the tiers is a potential VIP (domain.md §3, assumption)."""


def draw_relations(rng, history: History, rated: Ratings, *, gold_floor, month_avg) -> tuple[np.ndarray, list]:
    """Return statuses and signing days; month_avg is that of the last rated month, in cents."""
    n = len(month_avg)
    fell = np.zeros(n, bool)
    for customer, _on, kind, _before, after, _average in rated.changes:
        if kind == "down" and after == 0:
            fell[customer] = True
    signed = rated.service > 0
    stays = fell & ~signed & (month_avg >= STILL_SIGNED) & (rng.random(n) < 0.5)
    near = month_avg >= int(gold_floor * RULE.near_share * 100)
    indicator = (history.purses.pay >= PAYROLL_INDICATOR) & (rng.random(n) < 0.3)
    status = np.full(n, RelationStatus.NONE.value, dtype=object)
    status[near | indicator] = RelationStatus.POTENTIAL.value
    status[fell & ~near] = RelationStatus.TERMINATED.value
    status[signed | stays] = RelationStatus.SIGNED.value
    return status, signing_days(rng, history, rated, status)


def signing_days(rng, history: History, rated: Ratings, status) -> list:
    """Return the day of signing, for those who signed before the months kept a day in the years before."""
    back = rng.integers(20, 1500, len(status)).tolist()
    days = []
    for place, state in enumerate(status):
        if state not in (RelationStatus.SIGNED, RelationStatus.TERMINATED):
            days.append(None)
        elif rated.signed_on[place] is not None:
            days.append(rated.signed_on[place])
        elif history.opened[place] >= 0:
            days.append(min(history.day(history.opened[place]) + timedelta(days=back[place] % 30), history.last))
        else:
            days.append(history.months[0] - timedelta(days=back[place]))
    return days


def opening_days(rng, history: History) -> list[date]:
    """Return when the account was opened; those there from the start long before the oldest product they hold."""
    back = rng.integers(2000, 6500, len(history.opened)).tolist()
    return [
        history.day(opened) if opened >= 0 else history.begins - timedelta(days=back[place])
        for place, opened in enumerate(history.opened.tolist())
    ]
