"""Sums of small decision trees as plain numbers, with exact Shapley values. Pure numpy; scikit-learn only to grow them.

A tree here has at most MAX_LEAVES leaves, so it asks at most MAX_LEAVES − 1 questions. A customer's answers are a
number of so many bits, and for every such number the Shapley values of the tree's features are worked out once
(path-dependent TreeSHAP: an unknown answer counts by the share of training rows on either side). Explaining a
customer is then one look into a table for each tree, exact and as fast as scoring him.
"""

import json
from functools import lru_cache
from math import factorial

import numpy as np

MAX_LEAVES = 12
"""Leaves of a tree: 2 ** 11 answers still fit a small table."""

BOOSTING = {
    "max_leaf_nodes": 8, "learning_rate": 0.05, "max_iter": 150, "l2_regularization": 10, "min_samples_leaf": 40,
    "early_stopping": False, "random_state": 1,
}  # fmt: skip
LONG = {"max_iter": 800, "learning_rate": 0.08, "l2_regularization": 1, "min_samples_leaf": 20, "max_features": 0.5}
FOREST = {"n_estimators": 100, "max_leaf_nodes": MAX_LEAVES, "max_features": 0.5, "random_state": 1}
SURE = 1e-4
"""A forest's shares are kept this far from 0 and 1 before they become log-odds."""


def boosting(x, y, **changes) -> dict:
    """Grow gradient-boosted trees on rows x: (n, k), labels y: (n,); return plain numbers, sums in log-odds."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # 100 MB that only training needs

    medians = medians_of(x)
    model = HistGradientBoostingClassifier(**(BOOSTING | changes)).fit(filled(x, medians), y)
    trees = [_boosted(predictors[0].nodes) for predictors in model._predictors]
    base = float(np.asarray(model._baseline_prediction).ravel()[0])
    return {"form": "boosting", "base": base, "medians": medians.tolist(), "trees": trees}


def long_boosting(x, y) -> dict:
    """Grow many more, weaker bound trees: for tables in which a customer has one row and the label is plain to see."""
    return boosting(x, y, **LONG)


def forest(x, y, **changes) -> dict:
    """Grow extremely randomised trees; return plain numbers, whose mean is a probability."""
    from sklearn.ensemble import ExtraTreesClassifier

    medians = medians_of(x)
    model = ExtraTreesClassifier(**(FOREST | changes)).fit(filled(x, medians), y)
    trees = [_grown(each.tree_, 1 / len(model.estimators_)) for each in model.estimators_]
    return {"form": "forest", "base": 0.0, "medians": medians.tolist(), "trees": trees}


def medians_of(x) -> np.ndarray:
    """Return each column's median of known values, 0 where none is known."""
    return np.nan_to_num(np.nanmedian(np.where(np.isnan(x).all(axis=0), 0, x), axis=0))


def filled(x, medians) -> np.ndarray:
    """Return x with medians for what is not known, in the precision in which trees compare."""
    return np.where(np.isnan(x), medians, x).astype(np.float32).astype(np.float64)


def _boosted(nodes) -> dict:
    return {
        "feature": np.where(nodes["is_leaf"], -1, nodes["feature_idx"].astype(int)).tolist(),
        "threshold": np.where(nodes["is_leaf"], 0.0, nodes["num_threshold"]).tolist(),
        "left": nodes["left"].astype(int).tolist(),
        "right": nodes["right"].astype(int).tolist(),
        "value": np.where(nodes["is_leaf"], nodes["value"], 0.0).tolist(),
        "cover": nodes["count"].astype(float).tolist(),
    }


def _grown(tree, weight: float) -> dict:
    leaf = tree.children_left < 0
    share = tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1)
    return {
        "feature": np.where(leaf, -1, tree.feature).tolist(),
        "threshold": np.where(leaf, 0.0, tree.threshold).tolist(),
        "left": np.maximum(tree.children_left, 0).tolist(),
        "right": np.maximum(tree.children_right, 0).tolist(),
        "value": np.where(leaf, share * weight, 0.0).tolist(),
        "cover": tree.weighted_n_node_samples.tolist(),
    }


def contributions(member: dict, x) -> np.ndarray:
    """Return (n, k) what each feature adds to the log-odds against the average of the training rows: exact Shapley values."""
    tables = _tables(json.dumps(member["trees"]))
    x = filled(x, np.array(member["medians"]))
    added = np.zeros(x.shape)
    for table in tables:
        answers = np.zeros(len(x), np.int64)
        for bit, (feature, threshold) in enumerate(zip(table.features, table.thresholds, strict=True)):
            answers |= (x[:, feature] <= threshold).astype(np.int64) << bit
        added[:, table.used] += table.shapley[answers]
    if member["form"] == "boosting":
        return added
    share = _mean(member)
    reached = share + added.sum(axis=1)
    distance = reached - share
    flat = np.abs(distance) < 1e-12
    slope = np.where(flat, 0, (_log_odds(reached) - _log_odds(share)) / np.where(flat, 1, distance))
    return added * slope[:, None]


def start(member: dict) -> float:
    """Return the log-odds from which contributions count: the trees' mean over the training rows."""
    mean = _mean(member)
    return mean if member["form"] == "boosting" else float(_log_odds(mean))


def _mean(member: dict) -> float:
    return member["base"] + sum(table.mean for table in _tables(json.dumps(member["trees"])))


def _log_odds(share):
    kept = np.clip(share, SURE, 1 - SURE)
    return np.log(kept / (1 - kept))


class Table:
    """One tree's Shapley values for every possible set of answers.

    `features`, `thresholds`: question by question; `used`: the features asked about; `shapley`: (2 ** questions,
    len(used)), row = the answers as bits, 1 for "at most the threshold"; `mean`: the tree's mean over training rows.
    """

    def __init__(self, tree: dict):
        self.tree = tree
        questions = [node for node, feature in enumerate(tree["feature"]) if feature >= 0]
        if len(questions) >= MAX_LEAVES:
            raise ValueError(f"a tree asks {len(questions)} questions, at most {MAX_LEAVES - 1} can be explained")
        self.bits = {node: bit for bit, node in enumerate(questions)}
        self.features = [tree["feature"][node] for node in questions]
        self.thresholds = [tree["threshold"][node] for node in questions]
        self.used = sorted(set(self.features))
        self.answers = np.arange(2 ** len(questions))
        self.shapley = np.zeros((len(self.answers), len(self.used)))
        self.mean = 0.0
        self._walk(0, {}, 1.0)

    def _walk(self, node: int, path: dict, reach: float) -> None:
        """Add the leaves beneath a node; `path`: feature → (share of training rows that go this way, who does)."""
        tree = self.tree
        feature = tree["feature"][node]
        if feature < 0:
            self.mean += reach * tree["value"][node]
            self._add_leaf(path, tree["value"][node])
            return
        yes = (self.answers >> self.bits[node] & 1).astype(bool)
        for child, goes in ((tree["left"][node], yes), (tree["right"][node], ~yes)):
            share = tree["cover"][child] / tree["cover"][node]
            before, did = path.get(feature, (1.0, True))
            self._walk(child, path | {feature: (before * share, did & goes)}, reach * share)

    def _add_leaf(self, path: dict, value: float) -> None:
        """Add one leaf's Shapley values: over all orders, what knowing a feature changes of the chance to come here."""
        count = len(path)
        for feature, (share, goes) in path.items():
            ways = [np.ones(len(self.answers))] + [np.zeros(len(self.answers)) for _ in range(count - 1)]
            for other, (other_share, other_goes) in path.items():
                if other != feature:  # ways[s]: the sum over sets of s known others
                    for known in range(count - 1, 0, -1):
                        ways[known] = ways[known] * other_share + ways[known - 1] * other_goes
                    ways[0] = ways[0] * other_share
            weights = [factorial(s) * factorial(count - 1 - s) / factorial(count) for s in range(count)]
            chance = sum(weight * way for weight, way in zip(weights, ways, strict=True))
            self.shapley[:, self.used.index(feature)] += value * chance * (goes - share)


@lru_cache(maxsize=8)
def _tables(trees: str) -> tuple[Table, ...]:
    return tuple(Table(tree) for tree in json.loads(trees))
