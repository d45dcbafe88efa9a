"""A sum of broken lines, one a feature: the logistic form of the model, as plain numbers. Pure numpy.

Every feature is cut to the range seen in training and enters as ramps between its quantiles. Where the
direction is plain (money that left never speaks for staying) the line may only go that way, so that
reasons read sensibly although features overlap. What a feature adds to the log-odds is exact.
"""

from collections.abc import Iterable, Mapping

import numpy as np

CUT = (0.5, 99.5)
"""Percentiles to which a feature is cut."""

KNOTS = (10, 50, 90)
"""Percentiles at which its line may bend."""

STRENGTH = 50.0
"""Ridge penalty on standardised columns: strong, because leavings are few."""

STEPS = 30
SWEEPS = 40
CLOSE = 1e-3


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
            edges = np.unique(np.round(np.percentile(known, (CUT[0], *KNOTS, CUT[1])), 9))
            if len(edges) > 1:
                shape = {"name": name, "median": float(np.median(known)), "edges": edges.tolist()}
                ramps = _ramps(shape, column)
                scale = np.maximum(ramps.std(axis=0), 0.02)
                features.append(shape | {"mean": ramps.mean(axis=0).tolist(), "scale": scale.tolist()})
        return cls(features)

    def columns(self, x, names) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, columns) standardised columns, and for each the place of its feature."""
        places = {name: place for place, name in enumerate(names)}
        parts = [_standard(shape, x[:, places[shape["name"]]]) for shape in self.features]
        owners = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
        return np.hstack(parts), owners


def _ramps(shape: dict, column) -> np.ndarray:
    """Return how far the value has come between each two edges, 0–1: (n, edges − 1)."""
    edges = np.array(shape["edges"])
    value = np.where(np.isnan(column), shape["median"], column)[:, None]
    return np.clip((value - edges[:-1]) / np.diff(edges), 0, 1)


def _standard(shape: dict, column) -> np.ndarray:
    return (_ramps(shape, column) - shape["mean"]) / shape["scale"]


def fit(x, y, names, *, directions: Mapping[str, int], strength: float = STRENGTH) -> dict:
    """Fit the lines on rows x: (n, k), labels y: (n,) in {0, 1}; return plain numbers.

    Args:
        directions: feature → +1 where more can only raise the risk, −1 where it can only lower it.
    """
    names = list(names)
    shapes = Shapes.learn(x, names)
    columns, owners = shapes.columns(x, names)
    signs = np.array([directions.get(shape["name"], 0) for shape in shapes.features])[owners]
    intercept, weights = _newton(columns, np.asarray(y, float), signs, strength)
    features = [shape | {"weights": weights[owners == place].tolist()} for place, shape in enumerate(shapes.features)]
    return {"form": "lines", "features": features, "intercept": intercept}


def _newton(columns, y, signs, strength: float) -> tuple[float, np.ndarray]:
    """Minimise the penalised log-loss where weights keep the given signs: Newton steps, each a bounded quadratic problem."""
    rate = np.clip(y.mean(), 1e-6, 1 - 1e-6)
    table = np.hstack([np.ones((len(y), 1)), columns])
    penalty = np.r_[1e-9, np.full(columns.shape[1], strength)]
    low = np.r_[-np.inf, np.where(signs > 0, 0, -np.inf)]
    high = np.r_[np.inf, np.where(signs < 0, 0, np.inf)]
    weights = np.r_[np.log(rate / (1 - rate)), np.zeros(columns.shape[1])]
    loss = _loss(table, y, weights, penalty)
    for _step in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(table @ weights, -40, 40)))
        spread = np.maximum(p * (1 - p), 1e-6)
        curve = (table * spread[:, None]).T @ table
        curve[np.diag_indices_from(curve)] += penalty
        slope = table.T @ (p - y) + penalty * weights
        wanted = _bounded(curve, curve @ weights - slope, weights, low, high)
        step, length = wanted - weights, 1.0
        while (tried := _loss(table, y, weights + length * step, penalty)) > loss and length > 1e-4:
            length /= 2
        weights = weights + length * step
        if loss - tried < CLOSE * len(y) * 1e-4:
            break
        loss = tried
    return float(weights[0]), weights[1:]


def _loss(table, y, weights, penalty) -> float:
    log_odds = table @ weights
    return float((np.logaddexp(0, log_odds) - y * log_odds).sum() + (penalty * weights**2).sum() / 2)


def _bounded(curve, target, start, low, high) -> np.ndarray:
    """Minimise ½ wᵀ·curve·w − target·w within the bounds, by coordinate descent from a feasible start."""
    weights = start.copy()
    rest = curve @ weights - target
    for _sweep in range(SWEEPS):
        moved = 0.0
        for place in range(len(weights)):
            wanted = min(max(weights[place] - rest[place] / curve[place, place], low[place]), high[place])
            change = wanted - weights[place]
            if change:
                weights[place] = wanted
                rest += change * curve[place]
                moved = max(moved, abs(change))
        if moved < CLOSE:
            break
    return weights


def contributions(member: dict, x, names) -> np.ndarray:
    """Return (n, len(names)) what each feature adds to the log-odds against the average customer of training."""
    places = {name: place for place, name in enumerate(names)}
    added = np.zeros(x.shape)
    for shape in member["features"]:
        place = places[shape["name"]]
        added[:, place] = _standard(shape, x[:, place]) @ np.array(shape["weights"])
    return added


def start(member: dict) -> float:
    """Return the log-odds of the average customer of training."""
    return member["intercept"]
