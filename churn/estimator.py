"""A model in plain numbers: one form or the mean of several in log-odds, calibrated by Platt. No pickle is loaded.

Forms: `churn.lines` (a sum of broken lines) and `churn.trees` (sums of small trees). In each the log-odds are a
sum over features, so they are in the mean: what a feature adds is exact, nothing is estimated after the fact.
`parameters` is {"members": [numbers of each form], "slope", "offset"} and what training adds to it.
"""

import hashlib
import json

import numpy as np

from churn import lines, trees


def fit(form: str, x, y, names, *, directions=None) -> dict:
    """Fit one form on rows x: (n, k), labels y: (n,) in {0, 1}; return its plain numbers.

    Args:
        directions: feature → +1 where more can only raise the risk, −1 where it can only lower it; for lines.
    """
    if form == "lines":
        return plain(lines.fit(x, y, names, directions=directions or {}))
    return plain(getattr(trees, form)(x, y))


def contributions(parameters: dict, x, names) -> np.ndarray:
    """Return (n, k) what each feature adds to the calibrated log-odds against the average customer of training."""
    members = parameters["members"]
    added = [
        lines.contributions(member, x, names) if member["form"] == "lines" else trees.contributions(member, x)
        for member in members
    ]
    return sum(added) * (parameters["slope"] / len(members))


def starting_log_odds(parameters: dict) -> float:
    """Return the calibrated log-odds of the average customer, to which contributions are added."""
    members = parameters["members"]
    starts = [lines.start(member) if member["form"] == "lines" else trees.start(member) for member in members]
    return sum(starts) / len(members) * parameters["slope"] + parameters["offset"]


def log_odds(parameters: dict, x, names) -> np.ndarray:
    """Return (n,) calibrated log-odds."""
    return starting_log_odds(parameters) + contributions(parameters, x, names).sum(axis=1)


def probabilities(parameters: dict, x, names) -> np.ndarray:
    """Return (n,) calibrated probabilities, 0–1."""
    return sigmoid(log_odds(parameters, x, names))


def together(members: list[dict], slope: float = 1.0, offset: float = 0.0) -> dict:
    """Return the parameters of the mean of fitted forms, with Platt's slope and offset."""
    return plain({"members": members, "slope": slope, "offset": offset})


def points(start: float, added) -> np.ndarray:
    """Share out the distance between the starting probability and each customer's, in percentage points.

    The points of a row add up to its probability minus the starting one, exactly: each log-odds contribution
    is multiplied by the mean slope of the logistic curve on the way (Aumann–Shapley values of the curve).

    Args:
        start: log-odds of the average customer.
        added: (n, m) contributions in log-odds.
    """
    distance = added.sum(axis=1)
    before, after = sigmoid(np.full(len(added), start)), sigmoid(start + distance)
    flat = np.abs(distance) < 1e-9
    slope = np.where(flat, before * (1 - before), (after - before) / np.where(flat, 1, distance))
    return 100 * added * slope[:, None]


def platt(log_odds, y) -> tuple[float, float]:
    """Return (slope, offset) that make log-odds of unseen rows honest (Platt's scaling)."""
    from sklearn.linear_model import LogisticRegression  # 100 MB that only training needs

    model = LogisticRegression(C=1e6, solver="lbfgs", max_iter=500)
    model.fit(np.asarray(log_odds).reshape(-1, 1), y)
    return max(float(model.coef_[0, 0]), 0.05), float(model.intercept_[0])


def sigmoid(log_odds) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(log_odds, -40, 40)))


def plain(value):
    """Return the parameters with floats of 12 digits and no negative zero, so that they survive a JSON column unchanged."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.12g}") + 0.0
    return value.item() if isinstance(value, np.generic) else value


def fingerprint(parameters: dict) -> str:
    """Return the SHA-256 of the parameters' canonical JSON."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
