"""The back-test of propensity against the rule: it can say yes, it can say no, and it does not look ahead."""

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from contacts import propensity

ROWS = 3_000


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """A writer of campaigns: `buys` says of each call how likely it is, by the columns; returns the folder."""
    monkeypatch.setattr(propensity, "CALLS", ROWS)
    monkeypatch.setattr(propensity, "TURNS", 100)

    def write(buys, *, told=False):
        random = np.random.default_rng(3)
        calls = pd.DataFrame(
            {
                "age": random.integers(20, 80, ROWS),
                "job": random.choice(["admin.", "services"], ROWS),
                "duration": 200,
                "campaign": random.integers(1, 5, ROWS),
                "poutcome": random.choice(["nonexistent", "failure", "success"], ROWS, p=[0.8, 0.15, 0.05]),
            }
        )
        bought = random.random(ROWS) < buys(calls)
        if told:
            calls["duration"] = np.where(bought, 900, 10)
        calls["y"] = np.where(bought, "yes", "no")
        calls.to_csv(tmp_path / propensity.FILE, sep=";", index=False)
        return tmp_path

    return write


def test_a_model_that_knows_more_than_the_rule_beats_it(campaign):
    found = propensity.compare(campaign(lambda calls: np.where(calls["age"] > 60, 0.5, 0.05)))
    assert found.is_better
    assert found.gain > 0.2
    assert found.calls == ROWS - ROWS // 6


def test_where_there_is_nothing_to_know_no_model_is_better(campaign):
    found = propensity.compare(campaign(lambda calls: np.full(len(calls), 0.1)))
    assert not found.is_better
    assert found.gain_low < 0 < found.gain_high


def test_where_the_rule_says_all_no_model_is_better(campaign):
    found = propensity.compare(campaign(lambda calls: np.where(calls["poutcome"] == "success", 0.9, 0.05)))
    assert not found.is_better


def test_how_long_the_call_was_is_not_known_before_it(campaign):
    found = propensity.compare(campaign(lambda calls: np.full(len(calls), 0.2), told=True))
    assert max(way.roc_auc for way in found.ways) < 0.6


def test_another_file_is_refused_with_its_name(campaign, tmp_path):
    with pytest.raises(CommandError, match=propensity.FILE):
        call_command("backtest_next_product", str(tmp_path))
    folder = campaign(lambda calls: np.full(len(calls), 0.2))
    pd.read_csv(folder / propensity.FILE, sep=";").head(100).to_csv(folder / propensity.FILE, sep=";")
    with pytest.raises(CommandError, match="is not the campaign"):
        call_command("backtest_next_product", str(folder))
