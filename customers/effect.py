"""Did it help? One estimator for activities, messages and early warning: a difference of means within strata. Pure numpy.

Who was treated is compared with who was not: drawn at random (a hold-out), or alike by strata (matched: same tier,
size, outlet …). Within a stratum the arms are compared; the strata are weighed by their treated members, so the
figure speaks of those who were treated. The interval is Welch's, which lets the arms vary differently.
"""

from dataclasses import dataclass

import numpy as np

LEAST = 20
"""Members of an arm below which nothing is said (assumption): a mean of money over fewer is one rich customer's."""

LEAST_IN_STRATUM = 2
LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """What the treatment changed, in the unit of the outcome for one treated member; None where it cannot be said.

    `treated`, `control`: members compared; `left_out`: treated without anybody alike. `total` = estimate × treated.
    """

    treated: int
    control: int
    left_out: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self) -> str:
        """Return "too_few", "helped", "harmed" or "unclear" (the interval holds zero)."""
        if self.estimate is None or self.low is None or self.high is None:
            return "too_few"
        return "helped" if self.low > 0 else "harmed" if self.high < 0 else "unclear"

    @property
    def total(self) -> float | None:
        """Return what all treated members together gained."""
        return None if self.estimate is None else self.estimate * self.treated


def measure(outcome, treated, stratum=None) -> Effect:
    """Compare two arms.

    Args:
        outcome: (n,) what is measured, such as the change of assets in yuan; NaN rows are left out.
        treated: (n,) true for who was treated.
        stratum: (n,) whole numbers; only members of one stratum are compared. None: everybody with everybody.
    """
    outcome, treated = np.asarray(outcome, float), np.asarray(treated, bool)
    stratum = np.zeros(len(outcome), int) if stratum is None else np.asarray(stratum)
    known = ~np.isnan(outcome)
    outcome, treated, stratum = outcome[known], treated[known], stratum[known]
    pairs = []
    for each in np.unique(stratum):
        here = stratum == each
        ours, theirs = outcome[here & treated], outcome[here & ~treated]
        if len(ours) >= LEAST_IN_STRATUM and len(theirs) >= LEAST_IN_STRATUM:
            pairs.append((ours, theirs))
    count = sum(len(ours) for ours, _theirs in pairs)
    others = sum(len(theirs) for _ours, theirs in pairs)
    left_out = int(treated.sum()) - count
    if count < LEAST or others < LEAST:
        return Effect(count, others, left_out)
    weights = np.array([len(ours) / count for ours, _theirs in pairs])
    gaps = np.array([ours.mean() - theirs.mean() for ours, theirs in pairs])
    estimate = float(weights @ gaps)
    reach = _half_width(pairs, weights)
    return Effect(count, others, left_out, estimate, estimate - reach, estimate + reach)


def _half_width(pairs, weights) -> float:
    """Return half of the interval's width: Welch's, with Satterthwaite's degrees of freedom over all arms."""
    from scipy.stats import t  # a second of import that only this needs

    parts, freedoms = [], []
    for weight, arms in zip(weights, pairs, strict=True):
        for arm in arms:
            parts.append(weight**2 * arm.var(ddof=1) / len(arm))
            freedoms.append(len(arm) - 1)
    variance = sum(parts)
    if not variance:
        return 0.0
    freedom = variance**2 / sum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
    return float(t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance))


def bands(values, *, count: int = 5) -> np.ndarray:
    """Return the band of each value among `count` bands of equal size, 0 the lowest: strata by size."""
    values = np.asarray(values, float)
    edges = np.quantile(values, np.linspace(0, 1, count + 1)[1:-1]) if len(values) else []
    return np.searchsorted(edges, values, side="right")
