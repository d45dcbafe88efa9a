"""How good scores were against what happened: figures, intervals, curves. No database.

`rows` are `churn.backtest.Rows`. Intervals are drawn by customer, because a customer's months are alike.
"""

import numpy as np

TOP, NARROW = 0.10, 0.05
"""Shares of the riskiest that figures look at."""

DRAWS = 80
DEFINED = (
    "pr_auc", "roc_auc", "lift", "capture", "capture_money", "lift_5", "capture_5", "capture_money_5", "brier", "ece",
)  # fmt: skip
"""Figures that need both: some who left, some who stayed."""


def figures(rows, guess) -> dict:
    """Return the figures of scores against what happened; None where they are not defined."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    y, losses = rows.y, int(rows.y.sum())
    result = {"rows": len(y), "customers": len(np.unique(rows.customer)), "losses": losses}
    result["base_rate"] = float(y.mean()) if len(y) else None
    if not 0 < losses < len(y):
        return result | dict.fromkeys(DEFINED)
    narrow, wide = _at_top(rows, guess, NARROW), _at_top(rows, guess, TOP)
    return result | {
        "pr_auc": float(average_precision_score(y, guess)),
        "roc_auc": float(roc_auc_score(y, guess)),
        **wide,
        **{f"{name}_5": value for name, value in narrow.items()},
        "brier": float(brier_score_loss(y, guess)),
        "ece": expected_error(y, guess),
    }


def _at_top(rows, guess, share: float) -> dict:
    """Return lift, and capture by customers and by money, among the riskiest share."""
    top, lost = _top(guess, share), rows.money * rows.y
    return {
        "lift": float(rows.y[top].mean() / rows.y.mean()),
        "capture": float(rows.y[top].sum() / rows.y.sum()),
        "capture_money": float(lost[top].sum() / lost.sum()) if lost.sum() else None,
    }


def _top(guess, share: float = TOP) -> np.ndarray:
    """Return the places of the riskiest share."""
    count = max(1, int(np.ceil(share * len(guess))))
    return np.argsort(-guess, kind="stable")[:count]


def parts(rows, guess, labels) -> list[dict]:
    """Return the figures of each part of the rows: {"label", **figures}, the largest first.

    Args:
        labels: (n,) the part of each row.
    """
    found = []
    for label in np.unique(labels):
        within = labels == label
        found.append({"label": int(label)} | figures(rows.take(within), guess[within]))
    return sorted(found, key=lambda part: -part["rows"])


def precision_curve(y, guess, points: int = 40) -> list[dict]:
    """Return precision and recall when the riskiest 1, 2, … of `points` parts are named: {"recall", "precision"}."""
    order = np.argsort(-guess, kind="stable")
    found = np.cumsum(y[order])
    named = np.unique(np.ceil(np.linspace(0, 1, points + 1)[1:] ** 2 * len(y)).astype(int))
    return [{"recall": float(found[n - 1] / found[-1]), "precision": float(found[n - 1] / n)} for n in named]


def expected_error(y, guess, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size: mean |predicted − actual|."""
    order = np.argsort(guess, kind="stable")
    parts = np.array_split(order, bins)
    return float(sum(len(part) * abs(guess[part].mean() - y[part].mean()) for part in parts if len(part)) / len(y))


def calibration_table(y, guess, bins: int = 10) -> list[dict]:
    """Return what was said and what happened, by tenths of the probability scale that hold rows."""
    place = np.minimum((guess * bins).astype(int), bins - 1)
    return [
        {
            "predicted": float(guess[place == each].mean()),
            "actual": float(y[place == each].mean()),
            "share": float((place == each).mean()),
            "rows": int((place == each).sum()),
        }
        for each in range(bins)
        if (place == each).any()
    ]


def lift_table(y, guess, bins: int = 10) -> list[dict]:
    """Return ten groups from the riskiest down: rows, losses, lift over the average."""
    order = np.argsort(-guess, kind="stable")
    return [
        {"rows": len(part), "losses": int(y[part].sum()), "lift": float(y[part].mean() / y.mean())}
        for part in np.array_split(order, bins)
        if len(part) and y.mean() > 0
    ]


def intervals(rows, guess, *, draws: int = DRAWS, seed: int = 7) -> dict:
    """Return 95 % intervals by drawing customers with replacement: {figure: [low, high]}."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(seed)
    customers, place = np.unique(rows.customer, return_inverse=True)
    found: dict[str, list] = {"pr_auc": [], "roc_auc": [], "lift": [], "ece": []}
    order = np.argsort(place, kind="stable")
    for _draw in range(draws):
        counts = np.bincount(rng.integers(0, len(customers), len(customers)), minlength=len(customers))
        repeated = np.repeat(order, counts[place[order]])
        y, g = rows.y[repeated], guess[repeated]
        if not 0 < y.sum() < len(y):
            continue
        top = _top(g)
        found["pr_auc"].append(average_precision_score(y, g))
        found["roc_auc"].append(roc_auc_score(y, g))
        found["lift"].append(y[top].mean() / y.mean())
        found["ece"].append(expected_error(y, g))
    return {name: [float(v) for v in np.percentile(values, [2.5, 97.5])] for name, values in found.items() if values}
