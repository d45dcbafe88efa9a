"""The model is plain numbers: additive, monotone where said so, honest after calibration, proof against change."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn import accuracy, backtest, estimator

NAMES = ["fall", "noise", "rise"]


def drawn(n=4000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, 3))
    chance = 1 / (1 + np.exp(3 + 1.6 * x[:, 0] - 0.8 * x[:, 2]))
    return x, (rng.random(n) < chance).astype(float), chance


@cache
def once_fitted() -> dict:
    x, y, _chance = drawn()
    member = estimator.fit("lines", x, y, NAMES, directions={"fall": -1, "rise": 1})
    return estimator.together([member])


@pytest.fixture
def fitted():
    return once_fitted()


def test_the_points_of_the_reasons_add_up_to_the_probability_exactly(fitted):
    x, _y, _chance = drawn(200, seed=5)
    start = estimator.starting_log_odds(fitted)
    added = estimator.contributions(fitted, x, NAMES)

    points = estimator.points(start, added)

    starting = 100 * estimator.sigmoid(np.array([start]))
    np.testing.assert_allclose(
        starting + points.sum(axis=1), 100 * estimator.probabilities(fitted, x, NAMES), atol=1e-9
    )


@settings(max_examples=50, deadline=None)
@given(st.floats(-4, 4), st.floats(0, 3), st.floats(-3, 3))
def test_a_larger_fall_never_lowers_the_risk(value, more, noise):
    here = estimator.probabilities(once_fitted(), np.array([[value, noise, 0.0]]), NAMES)
    deeper = estimator.probabilities(once_fitted(), np.array([[value - more, noise, 0.0]]), NAMES)

    assert deeper[0] >= here[0] - 1e-12


def test_it_finds_what_drives_leaving(fitted):
    x, y, chance = drawn(4000, seed=9)

    guess = estimator.probabilities(fitted, x, NAMES)

    assert accuracy.figures(rows_of(x, y), guess)["roc_auc"] > 0.75
    assert np.corrcoef(guess, chance)[0, 1] > 0.9


def rows_of(x, y, **changes):
    n = len(y)
    values = {"x": x, "y": y, "customer": np.arange(n), "period": np.zeros(n, int), "is_vip": np.ones(n, bool)}
    values |= {"money": np.ones(n), "rule": -x[:, 0], "scorecard": np.zeros(n)}
    values |= {"tier": np.zeros(n), "branch": np.zeros(n)}
    return backtest.Rows(**(values | changes))


def test_the_numbers_survive_a_json_column_and_any_change_shows_in_the_fingerprint(fitted):
    stored = json.loads(json.dumps(fitted))

    assert estimator.fingerprint(stored) == estimator.fingerprint(fitted)
    stored["members"][0]["features"][0]["weights"][0] += 1e-9
    assert estimator.fingerprint(stored) != estimator.fingerprint(fitted)


def test_a_missing_value_counts_as_the_median(fitted):
    known = np.array([[fitted["members"][0]["features"][0]["median"], 0.3, 0.1]])
    missing = np.array([[np.nan, 0.3, 0.1]])

    assert estimator.probabilities(fitted, known, NAMES) == estimator.probabilities(fitted, missing, NAMES)


def test_platt_makes_overconfident_scores_honest():
    x, y, chance = drawn(20_000)
    loud = 3 * np.log(chance / (1 - chance))

    slope, offset = estimator.platt(loud, y)

    assert accuracy.expected_error(y, estimator.sigmoid(slope * loud + offset)) < 0.01


# --- folds and figures ----------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(st.integers(6, 60), st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))
def test_training_always_ends_the_horizon_before_the_test_and_tests_never_overlap(count, gap, tests, length):
    folds = backtest.forward_folds(range(count), gap=gap, tests=tests, length=length)

    for fold in folds:
        assert fold.train_to + gap <= fold.test_from <= fold.test_to < count
    for one, following in zip(folds, folds[1:], strict=False):
        assert one.test_to < following.test_from


def test_the_figures_are_what_they_are_called():
    y = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 1.0])
    guess = np.array([0.9, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    rows = rows_of(np.zeros((10, 3)), y, money=np.array([300.0] + [1.0] * 8 + [100.0]))

    found = accuracy.figures(rows, guess)

    assert (found["lift"], found["capture"], found["capture_money"]) == (5.0, 0.5, 0.75)
    assert found["losses"] == 2


def test_all_months_of_a_customer_fall_into_one_group():
    groups = backtest.group_of(np.repeat(np.arange(1, 2000), 3)).reshape(-1, 3)

    assert (groups == groups[:, :1]).all()
    assert 0.4 < groups[:, 0].mean() < 0.6
