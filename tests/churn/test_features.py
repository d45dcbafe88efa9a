"""What is known of a customer on a day, and nothing of what comes after it."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn import benchmark_berka, features
from churn.facts import Facts
from tests.churn.panels import facts_of, feature, steady

NAN = float("nan")
DAY = date(2026, 11, 24).toordinal()


def changed(name, first, **more):
    values = np.full((1, 3), 200_000.0)
    values[0, 0] = first
    return steady(**{name: values}, **more)


@pytest.mark.parametrize(
    ("history", "name", "expected"),
    [
        (steady(), "end_to_base", 1.0),
        (changed("end", 132_000.0), "end_to_month_ago", 0.66),
        (changed("last7", 100_000.0), "last7_to_base", 0.5),
        (changed("outflow", 50_000.0), "outflow_0", 0.25),
        (steady(), "falling_blocks", 0.0),
        (steady(average=np.array([[100.0, 200.0, 300.0]]) * 1000), "falling_blocks", 2.0),
        (steady(older=np.full((1, 9), NAN)), "base_to_quarter_before", 1.0),
        (steady(older=np.full((1, 9), 400_000.0)), "end_to_peak", 0.5),
        (steady(due=np.array([60_000.0]), kinds={"time_deposit": np.full((1, 3), 200_000.0)}), "due_30", 0.3),
        (steady(due=np.array([60_000.0]), kinds={"time_deposit": np.full((1, 3), 10_000.0)}), "due_30", 0.05),
        (steady(contact_days=np.array([300.0])), "days_since_contact", 180.0),
        (steady(contact_days=np.array([12.0])), "days_since_contact", 12.0),
        (steady(), "size", float(np.log(2))),
    ],
)
def test_a_feature_says_what_its_name_says(history, name, expected):
    assert feature(history, name) == pytest.approx(expected)


def test_every_feature_counts_towards_a_reason_and_is_a_number_even_for_an_empty_purse():
    empty = steady(amount=0.0, tenure_days=np.array([10.0]), age=np.array([40.0]))

    vector = features.vector(empty)

    assert vector.shape == (1, len(features.NAMES))
    known = ~np.isnan(vector[0])
    assert [name for name, is_known in zip(features.NAMES, known, strict=True) if not is_known] == [
        "days_since_contact"
    ]
    assert np.isfinite(vector[0][known]).all()


@pytest.mark.parametrize(
    ("future", "expected"),
    [
        ([90, 90, 90], 0.0),
        ([90, 50, 90], 1.0),
        ([90, 51, 90], 0.0),
        ([90, NAN, 90], NAN),
        ([40, NAN, NAN], 1.0),
    ],
)
def test_leaving_is_an_average_at_half_of_the_90_days_before_in_any_of_three_months(future, expected):
    label = features.left(np.array([future], float), np.array([100.0]), threshold=0.5)

    assert label[0] == pytest.approx(expected, nan_ok=True)


def test_a_contact_entered_or_voided_later_is_not_known_yet():
    late = facts_of([1.0], contacts=[(1, DAY - 5, DAY + 1, NAN), (1, DAY - 40, DAY - 40, DAY + 5)])

    assert late.on(DAY)["contact_days"][0] == 40
    assert late.on(DAY + 5)["contact_days"][0] == 10  # the older one is voided, the newer one entered


@pytest.mark.parametrize(("first_record", "expected"), [(DAY - 30, NAN), (DAY - 200, 200.0)])
def test_never_contacted_says_something_once_the_records_go_back_far_enough(first_record, expected):
    facts = facts_of([1.0, 2.0], contacts=[(2, first_record, first_record, NAN)])

    assert facts.on(DAY)["contact_days"][0] == pytest.approx(expected, nan_ok=True)


def test_an_own_first_manager_is_no_change_of_manager():
    facts = facts_of([1.0, 2.0], managers=[(1, DAY - 5), (2, DAY - 400), (2, DAY - 5)])

    assert facts.on(DAY)["manager_changes"].tolist() == [0, 1]


def test_what_falls_due_was_held_on_the_day():
    facts = facts_of(
        [1.0], holdings=[(1, 10.0, DAY - 9, DAY + 30), (1, 20.0, DAY + 1, DAY + 20), (1, 40.0, DAY - 90, DAY)]
    )

    assert facts.on(DAY)["due"][0] == 10
    assert facts.on(DAY)["matured"][0] == 40


# --- nothing of the future ------------------------------------------------------------------------------

days = st.integers(DAY - 400, DAY + 120)
events = st.lists(st.tuples(days, st.integers(0, 20), st.one_of(st.none(), days)), max_size=12)


def scrambled(table: dict, keys: tuple, shift: int) -> dict:
    """Return the table with everything dated after DAY moved, and later voidings taken away."""
    moved = {name: values.copy() for name, values in table.items()}
    for key in keys:
        later = moved[key] > DAY
        moved[key][later] += shift
    return moved


@settings(max_examples=60, deadline=None)
@given(events, events, events, st.integers(1, 300))
def test_moving_everything_after_the_day_changes_no_fact(contacts, steps, managers, shift):
    facts = facts_of(
        [1.0],
        contacts=[(1, on, on + wait, NAN if void is None else void) for on, wait, void in contacts],
        watches=[(1, on, wait % 2) for on, wait, _void in steps],
        managers=[(1, on) for on, _wait, _void in managers],
        holdings=[(1, 100.0, on, on + 30 + wait) for on, wait, _void in steps if on + 30 + wait <= DAY],
    )
    moved = Facts(
        ids=facts.ids,
        contacts=scrambled(facts.contacts, ("entered", "voided"), shift),
        watches=scrambled(facts.watches, ("on",), shift),
        managers=scrambled(facts.managers, ("start",), shift),
        holdings=facts.holdings,
    )

    for name, values in facts.on(DAY).items():
        np.testing.assert_array_equal(values, moved.on(DAY)[name], err_msg=name)


def ledger(seed: int) -> benchmark_berka.Ledger:
    balance = np.abs(np.cumsum(np.random.default_rng(seed).normal(0, 5_000, (400, 6)), axis=0) + 60_000)
    return benchmark_berka.Ledger(date(2025, 1, 1), np.arange(6), balance)


def future_changes_features(vector_on, *, seed: int, shift: float) -> bool:
    """Say whether features as of a day move when the balances after it are scrambled: the test of any feature."""
    on = date(2025, 1, 1) + timedelta(days=200)
    before, after = ledger(seed), ledger(seed)
    after.balance[201:] = after.balance[201:][::-1] * shift + shift
    return not np.array_equal(vector_on(before, on), vector_on(after, on), equal_nan=True)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 5))
def test_scrambling_the_balances_after_the_day_changes_no_feature(seed, shift):
    assert not future_changes_features(
        lambda book, on: features.vector(benchmark_berka.history_on(book, on)), seed=seed, shift=shift
    )


@given(st.integers(0, 100))
@settings(max_examples=5, deadline=None)
def test_a_feature_that_peeks_is_caught_by_the_same_test(seed):
    def peeking(book, on):
        at = book.day(on)
        return np.column_stack([features.vector(benchmark_berka.history_on(book, on)), book.balance[at + 1]])

    assert future_changes_features(peeking, seed=seed, shift=0.5)
