"""Trees as plain numbers: they say what scikit-learn's say, and their Shapley values are those of the definition."""

import json
from itertools import combinations
from math import factorial

import numpy as np
import pytest

from churn import backtest, estimator, trees

NAMES = ["a", "b", "c", "d"]


def drawn(n=1500, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 4))
    x[rng.random((n, 4)) < 0.03] = np.nan
    known = np.nan_to_num(x)
    chance = 1 / (1 + np.exp(2 - known[:, 0] - known[:, 1] * known[:, 2]))
    return x, (rng.random(n) < chance).astype(float)


@pytest.fixture(scope="module")
def grown():
    x, y = drawn()
    return {"boosting": trees.boosting(x, y, max_iter=20), "forest": trees.forest(x, y, n_estimators=15)}


def test_boosting_in_plain_numbers_says_what_the_library_says(grown):
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y = drawn()
    known = trees.filled(x, trees.medians_of(x))
    library = HistGradientBoostingClassifier(**(trees.BOOSTING | {"max_iter": 20})).fit(known, y)

    ours = trees.start(grown["boosting"]) + trees.contributions(grown["boosting"], x).sum(axis=1)

    np.testing.assert_allclose(ours, library.decision_function(known), atol=1e-9)


def test_a_forest_in_plain_numbers_says_what_the_library_says(grown):
    from sklearn.ensemble import ExtraTreesClassifier

    x, y = drawn()
    known = trees.filled(x, trees.medians_of(x))
    library = ExtraTreesClassifier(**(trees.FOREST | {"n_estimators": 15})).fit(known, y)

    ours = trees.start(grown["forest"]) + trees.contributions(grown["forest"], x).sum(axis=1)

    np.testing.assert_allclose(estimator.sigmoid(ours), library.predict_proba(known)[:, 1], atol=1e-9)


def expected(tree: dict, row, known: set, node: int = 0) -> float:
    """The tree's mean when only some features are known: the definition, walked down."""
    feature = tree["feature"][node]
    if feature < 0:
        return tree["value"][node]
    left, right = tree["left"][node], tree["right"][node]
    if feature in known:
        return expected(tree, row, known, left if row[feature] <= tree["threshold"][node] else right)
    share = tree["cover"][left] / tree["cover"][node]
    return share * expected(tree, row, known, left) + (1 - share) * expected(tree, row, known, right)


def by_definition(tree: dict, row, count: int) -> list[float]:
    """Shapley values over all sets of the other features."""
    values = []
    for feature in range(count):
        others = [other for other in range(count) if other != feature]
        value = 0.0
        for size in range(count):
            weight = factorial(size) * factorial(count - 1 - size) / factorial(count)
            for known in combinations(others, size):
                gain = expected(tree, row, {*known, feature}) - expected(tree, row, set(known))
                value += weight * gain
        values.append(value)
    return values


@pytest.mark.parametrize("form", ["boosting", "forest"])
def test_the_tables_hold_the_shapley_values_of_the_definition(grown, form):
    x, _y = drawn(40, seed=7)
    member = grown[form]
    known = trees.filled(x, np.array(member["medians"]))
    for tree in member["trees"][:6]:
        alone = {"form": "boosting", "base": 0.0, "medians": member["medians"], "trees": [tree]}

        found = trees.contributions(alone, x)

        wanted = [by_definition(tree, row, 4) for row in known]
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_the_mean_of_forms_is_additive_and_survives_json():
    x, y = drawn()
    members = [estimator.fit(form, x, y, NAMES) for form in ("lines", "boosting", "forest")]
    blend = json.loads(json.dumps(estimator.together(members, slope=0.8, offset=-0.1)))

    start, added = estimator.starting_log_odds(blend), estimator.contributions(blend, x, NAMES)

    np.testing.assert_allclose(
        100 * estimator.probabilities(blend, x, NAMES),
        100 * estimator.sigmoid(start) + estimator.points(start, added).sum(axis=1),
    )
    singles = [estimator.log_odds(estimator.together([member]), x, NAMES) for member in members]
    np.testing.assert_allclose(start + added.sum(axis=1), 0.8 * sum(singles) / 3 - 0.1)


def test_a_tree_too_large_for_a_table_is_refused():
    x, y = drawn()

    with pytest.raises(ValueError, match="questions"):
        trees.contributions(trees.boosting(x, y, max_leaf_nodes=30, max_iter=1, min_samples_leaf=5), x)


def test_the_simplest_of_equal_candidates_wins():
    assert backtest.winner({"logistic": {"pr_auc": 0.4}, "blend": {"pr_auc": 0.4}}) == "logistic"
    assert backtest.winner({"logistic": {"pr_auc": 0.4}, "trees": {"pr_auc": 0.5}, "rule": {"pr_auc": 0.9}}) == "trees"
