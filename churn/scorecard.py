"""The bank's scorecard, which scores until there are losses enough to learn from (domain.md §14). Pure numpy.

Points are percentage points: they add up to the probability, capped at 100.
"""

import numpy as np

from churn import features

LARGE_OUT = 0.20
"""Share of AUM that left within 30 days from which the outflow counts as large (domain.md §8, large_out)."""

LARGE_OUT_AMOUNT = 50_000
MATURITY_SHARE = 0.30
FALLING_MONTHS = 3


def points(x, history: features.History) -> dict[str, np.ndarray]:
    """Return the points of each reason: {reason: (n,)}."""
    column = dict(zip(features.NAMES, x.T, strict=True))
    change = column["end_to_month_ago"] - 1
    out = (column["outflow_0"] >= LARGE_OUT) & (history.outflow[:, 0] >= LARGE_OUT_AMOUNT)
    contact = column["days_since_contact"]
    return {
        "fall": np.select([change <= -0.30, change <= -0.15], [30, 15], 0),
        "trend": np.where(column["falling_blocks"] >= FALLING_MONTHS, 10, 0),
        "outflow": np.where(out, 20, 0),
        "maturity": np.where(column["due_30"] >= MATURITY_SHARE, 10, 0),
        "breadth": np.select([column["kinds_held"] <= 1, column["kinds_held"] == 2], [10, 5], 0),
        "contact": np.select([contact >= 90, contact >= 60], [15, 10], 0),
        "relation": np.where(column["on_watch"] > 0, 10, 0),
    }


def probabilities(scored: dict[str, np.ndarray]) -> np.ndarray:
    """Return (n,) probabilities of the points, 0–1."""
    return np.minimum(sum(scored.values()), 100) / 100
