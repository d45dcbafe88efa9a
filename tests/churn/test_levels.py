"""From probability to level, from score to words, by tables."""

from datetime import date

import numpy as np
import pytest
from django.utils import translation

from churn import alerts, features, levels, monitoring, reasons, scorecard, training
from churn.models import Level
from tests.churn.panels import steady

LIMITS = {"high": 0.6, "medium": 0.3}


@pytest.mark.parametrize(
    ("probability", "fall", "aum", "expected"),
    [
        (0.29, 0, 1_000_000, Level.LOW),
        (0.30, 0, 1_000_000, Level.MEDIUM),
        (0.60, 0, 1_000_000, Level.HIGH),
        (0.05, 200_000, 200_000, Level.HIGH),
        (0.05, 199_999, 100_000, Level.LOW),
        (0.05, 300_000, 301_000, Level.LOW),
        (0.05, float("nan"), 10, Level.LOW),
    ],
)
def test_the_level_follows_the_limits_and_the_hard_rule(probability, fall, aum, expected):
    found = levels.levels_of(np.array([probability]), LIMITS, fall=np.array([fall]), aum=np.array([aum]))

    assert found[0] == expected


def test_the_banks_limits_stand_where_they_name_two_to_six_percent():
    tested = np.r_[np.full(960, 0.05), np.full(40, 0.7)]

    assert levels.chosen(tested) == {"high": 0.6, "medium": 0.3, "by": "rule", "share": 0.04}


@pytest.mark.parametrize(("top", "share"), [(0.2, 0.02), (0.9, 0.06)])
def test_otherwise_the_limits_fit_the_capacity(top, share):
    tested = np.linspace(0, top, 1000)

    found = levels.chosen(tested)

    assert found["by"] == "capacity"
    assert (tested >= found["medium"]).mean() == pytest.approx(share, abs=0.002)
    assert found["high"] > found["medium"]


def test_the_scorecard_adds_its_points():
    history = steady(
        end=np.array([[130_000.0, 200_000.0, 200_000.0]]),
        outflow=np.array([[70_000.0, 0, 0]]),
        contact_days=np.array([95.0]),
    )

    scored = scorecard.points(features.vector(history), history)

    assert {code: points[0] for code, points in scored.items() if points[0]} == {
        "fall": 30, "outflow": 20, "breadth": 10, "contact": 15,
    }  # fmt: skip
    assert scorecard.probabilities(scored)[0] == 0.75


@pytest.mark.parametrize(
    ("code", "figures", "expected"),
    [
        ("fall", {"change": -0.34}, "Assets fell 34% in 30 days"),
        ("fall", {"change": 0.0}, "Assets level over 30 days"),
        ("outflow", {"amount": 1_200_000, "share": 0.34}, "¥1.20M left in 30 days (34% of assets)"),
        ("maturity", {"amount": 300_000.0, "share": 0.35}, "¥300K matures within 30 days (35% of assets)"),
        ("contact", {"days": 86}, "86 days without a valid contact"),
        ("one_day", {"amount": 2_000_000, "share": 0.6}, "¥2.00M left in one day (60% of assets)"),
        ("of_an_older_version", {}, "of_an_older_version"),
    ],
)
def test_a_reason_is_a_sentence_with_its_figure(code, figures, expected):
    with translation.override("en"):
        assert reasons.sentence({"code": code, "points": 1, "figures": figures}) == expected


def test_every_reason_has_words_and_every_feature_a_label():
    assert set(reasons.REASONS) == set(features.FEATURES.values())
    assert set(reasons.SENTENCES) == set(reasons.CAUSES) == {*reasons.REASONS, reasons.ONE_DAY}
    assert set(monitoring.LABELS) == {*features.NAMES, training.SCORE}


@pytest.mark.parametrize(
    ("level", "opened", "due"),
    [
        (Level.HIGH, date(2026, 11, 25), date(2026, 11, 26)),
        (Level.MEDIUM, date(2026, 11, 25), date(2026, 11, 30)),
        (Level.HIGH, date(2026, 9, 30), date(2026, 10, 8)),
    ],
)
def test_the_first_contact_is_due_in_working_days_over_weekends_and_golden_week(level, opened, due):
    assert alerts.due_day(level, opened) == due


def test_psi_is_zero_without_drift_and_grows_with_it():
    assert monitoring.psi([10, 10], [0.5, 0.5]) == 0
    assert monitoring.drift_state(monitoring.psi([55, 45], [0.5, 0.5])) == "steady"
    assert monitoring.drift_state(monitoring.psi([90, 10], [0.5, 0.5])) == "changed"
