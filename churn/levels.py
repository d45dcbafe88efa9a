"""From a probability to a level: the bank's limits, or those that fit its capacity to act. Pure functions."""

import numpy as np

from churn.models import Level

HIGH = 0.60
MEDIUM = 0.30
"""Probability from which a customer is high or medium (domain.md §14)."""

FEWEST, MOST = 0.02, 0.06
"""Share of VIP customers that alerts may name: fewer would miss leavings, more could not be handled."""

HIGH_SHARE = 0.3
"""Part of the named that is high where the limits are chosen by capacity."""

HARD_SHARE = 0.5
HARD_AMOUNT = 200_000
"""A one-day outflow of this share of AUM and of this many yuan is high, whatever the model says (domain.md §14)."""


def chosen(tested) -> dict:
    """Return the limits of a version: the bank's own where they name 2–6 % of tested VIP rows, else by capacity.

    Args:
        tested: (n,) probabilities of the back-test's VIP rows; none gives the bank's own.
    """
    limits = {"high": HIGH, "medium": MEDIUM, "by": "rule", "share": None}
    if not len(tested):
        return limits
    share = float((tested >= MEDIUM).mean())
    if FEWEST <= share <= MOST:
        return limits | {"share": share}
    wanted = FEWEST if share < FEWEST else MOST
    medium = float(np.quantile(tested, 1 - wanted))
    high = float(np.quantile(tested, 1 - wanted * HIGH_SHARE))
    return {
        "high": max(high, medium),
        "medium": medium,
        "by": "capacity",
        "share": float((tested >= medium).mean()),
    }


def levels_of(probability, limits: dict, *, fall, aum) -> np.ndarray:
    """Return (n,) levels 1–3.

    Args:
        fall: (n,) yuan by which AUM fell on the day itself; NaN unknown.
        aum: (n,) yuan at the end of the day.
    """
    level = np.where(
        probability >= limits["high"], int(Level.HIGH), np.where(probability >= limits["medium"], int(Level.MEDIUM), 1)
    )
    return np.where(falls_hard(fall, aum), int(Level.HIGH), level)


def falls_hard(fall, aum) -> np.ndarray:
    """Say where the hard rule holds: (n,)."""
    fall = np.nan_to_num(fall)
    return (fall >= HARD_AMOUNT) & (fall >= HARD_SHARE * (aum + fall))
