"""The estimator of effects: right on data whose effect is known, honest where there is too little."""

import numpy as np
import pytest

from customers import effect


def simulated_bank(seed: int, *, true_effect: float, people: int = 400, share: float = 0.3):
    """Change of assets of customers whose wealth is skewed, some treated by lot; the effect differs from one to the next."""
    rng = np.random.default_rng(seed)
    wealth = rng.lognormal(12.5, 0.7, people)
    treated = rng.random(people) < share
    change = wealth * rng.normal(-0.05, 0.15, people)
    return change + treated * rng.normal(true_effect, 8_000, people), treated, wealth


def covers(found: effect.Effect, truth: float) -> bool:
    return found.low <= truth <= found.high


@pytest.mark.parametrize("true_effect", [0.0, 15_000.0])
def test_the_interval_covers_the_truth_in_93_to_97_of_100_simulated_banks(true_effect):
    hits = [
        covers(effect.measure(change, treated), true_effect)
        for change, treated, _wealth in (simulated_bank(seed, true_effect=true_effect) for seed in range(1000))
    ]

    assert 0.93 <= np.mean(hits) <= 0.97


def test_matched_by_strata_it_covers_the_truth_where_the_rich_are_invited_more_often():
    hits, naive = [], []
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        tier = rng.integers(0, 3, 600)
        treated = rng.random(600) < np.array([0.1, 0.3, 0.5])[tier]
        change = tier * 20_000 + rng.normal(0, 30_000, 600) + treated * 10_000
        hits.append(covers(effect.measure(change, treated, tier), 10_000))
        naive.append(covers(effect.measure(change, treated), 10_000))

    assert 0.93 <= np.mean(hits) <= 0.97
    assert np.mean(naive) < 0.5  # the test can fail: without matching the rich make it look better


def test_too_few_is_said_and_not_a_figure():
    found = effect.measure(np.arange(30.0), np.arange(30) < 19)

    assert (found.verdict, found.estimate, found.total) == ("too_few", None, None)
    assert (found.treated, found.control) == (19, 11)


def test_who_has_nobody_alike_is_left_out_and_counted():
    outcome = np.r_[np.ones(50), np.zeros(50), np.full(5, 1_000.0)]
    treated = np.r_[np.ones(50), np.zeros(50), np.ones(5)]
    stratum = np.r_[np.zeros(100), np.ones(5)]

    found = effect.measure(outcome, treated, stratum)

    assert (found.estimate, found.treated, found.control, found.left_out) == (1.0, 50, 50, 5)
    assert (found.verdict, found.total) == ("helped", 50.0)


def test_a_verdict_needs_an_interval_without_zero():
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 100, 200)
    treated = np.arange(200) % 2 == 0

    assert effect.measure(noise, treated).verdict == "unclear"
    assert effect.measure(noise + treated * 500, treated).verdict == "helped"
    assert effect.measure(noise - treated * 500, treated).verdict == "harmed"


def test_an_unknown_outcome_counts_in_no_arm():
    outcome = np.r_[np.ones(40), np.zeros(40), [np.nan] * 9]

    found = effect.measure(outcome, np.r_[np.ones(40), np.zeros(40), np.ones(9)])

    assert (found.treated, found.control) == (40, 40)


def test_bands_are_of_equal_size():
    assert np.bincount(effect.bands(np.random.default_rng(1).lognormal(0, 2, 500))).tolist() == [100] * 5
