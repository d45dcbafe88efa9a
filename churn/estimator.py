"""A logistic model that is plain numbers: each feature a broken line, their sum the log-odds. Pure numpy to score.

Every feature is cut to the range seen in training and enters as a straight line plus hinges at its
quantiles, standardised. The log-odds are a sum over features, so what a feature adds is exact; nothing
has to be estimated after the fact, and no pickle is loaded.
"""

import hashlib
import json
from collections.abc import Iterable

import numpy as np
from sklearn.linear_model import LogisticRegression

CUT = (0.5, 99.5)
"""Percentiles to which a feature is cut."""

KNOTS = (10, 50, 90)
"""Percentiles at which its line may bend."""

STRENGTH = 0.02
"""C of the ridge penalty on standardised columns: strong, because leavings are few."""


class Shapes:
    """How each feature becomes columns: learnt from training rows, kept as plain lists."""

    def __init__(self, features: list[dict]):
        self.features = features

    @classmethod
    def learn(cls, x, names: Iterable[str]) -> "Shapes":
        """Take the range, the bends and the scales from training rows x: (n, k)."""
        features = []
        for name, column in zip(names, x.T, strict=True):
            known = column[~np.isnan(column)]
            if not len(known):
                continue
            low, high = np.percentile(known, CUT)
            knots = [knot for knot in np.unique(np.percentile(known, KNOTS)) if low < knot < high]
            shape = {"name": name, "median": float(np.median(known)), "low": float(low), "high": float(high)}
            shape["knots"] = [float(knot) for knot in knots]
            if high > low:
                features.append(_with_scales(shape, column))
        return cls(features)

    def columns(self, x, names) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, columns) standardised columns, and for each the place of its feature."""
        places = {name: place for place, name in enumerate(names)}
        parts = [(_bent(shape, x[:, places[shape["name"]]]) - shape["mean"]) / shape["scale"] for shape in self.features]
        owners = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
        return np.hstack(parts), owners


def _bent(shape: dict, column) -> np.ndarray:
    """Return the feature's line and its hinges: (n, 1 + knots)."""
    value = np.where(np.isnan(column), shape["median"], column)
    value = np.clip(value, shape["low"], shape["high"])
    return np.column_stack([value, *[np.maximum(value - knot, 0) for knot in shape["knots"]]])


def _with_scales(shape: dict, column) -> dict:
    bent = _bent(shape, column)
    spread = bent.std(axis=0)
    kept = [bool(s > 1e-9) for s in spread]
    shape["knots"] = [knot for knot, keep in zip(shape["knots"], kept[1:], strict=True) if keep]
    bent = _bent(shape, column)
    return shape | {"mean": bent.mean(axis=0).tolist(), "scale": np.maximum(bent.std(axis=0), 1e-9).tolist()}


def fit(x, y, names, *, strength: float = STRENGTH) -> dict:
    """Fit the model on rows x: (n, k), labels y: (n,) in {0, 1}; return its parameters, not yet calibrated."""
    names = list(names)
    shapes = Shapes.learn(x, names)
    columns, owners = shapes.columns(x, names)
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=60)
    model.fit(columns, y)
    weights = model.coef_[0]
    features = [shape | {"weights": weights[owners == place].tolist()} for place, shape in enumerate(shapes.features)]
    return plain({"features": features, "intercept": float(model.intercept_[0]), "slope": 1.0, "offset": 0.0})


def contributions(parameters: dict, x, names) -> np.ndarray:
    """Return (n, features) what each feature adds to the calibrated log-odds against the average customer of training."""
    names = list(names)
    places = {name: place for place, name in enumerate(names)}
    added = [
        ((_bent(shape, x[:, places[shape["name"]]]) - shape["mean"]) / shape["scale"]) @ np.array(shape["weights"])
        for shape in parameters["features"]
    ]
    return np.column_stack(added) * parameters["slope"]


def starting_log_odds(parameters: dict) -> float:
    """Return the calibrated log-odds of the average customer, to which contributions are added."""
    return parameters["intercept"] * parameters["slope"] + parameters["offset"]


def probabilities(parameters: dict, x, names) -> np.ndarray:
    """Return (n,) calibrated probabilities, 0–1."""
    return sigmoid(starting_log_odds(parameters) + contributions(parameters, x, names).sum(axis=1))


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
    model = LogisticRegression(C=1e6, solver="lbfgs", max_iter=500)
    model.fit(np.asarray(log_odds).reshape(-1, 1), y)
    return max(float(model.coef_[0, 0]), 0.05), float(model.intercept_[0])


def calibrated(parameters: dict, slope: float, offset: float) -> dict:
    """Return the parameters with Platt's slope and offset put in."""
    return plain(parameters | {"slope": slope, "offset": offset})


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
