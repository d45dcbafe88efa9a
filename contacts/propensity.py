"""Would a propensity model offer products to the right customers sooner than our rule does? A back-test on a real campaign.

The data are the 41,188 calls of a Portuguese bank that sold deposits by telephone (`data/bank_marketing`), in the order in which they
were made. Only what was known before a call may be used, so its duration is not; only the future counts, so each fold is learnt from all
calls before it. All were offered the same rung of the ladder: the rule ranks them by what else it looks at, whether they bought or declined
lately and how often they were approached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from staff.refusal import Refused

FILE = "bank-additional-full.csv.xz"
CALLS = 41_188
FOLDS = 5
TOP = 0.2
"""The share of customers that are approached first."""

TURNS = 400
"""Draws of the bootstrap behind each interval."""

UNKNOWN_BEFORE = ["duration"]
"""Columns that say how the call went."""


class PropensityRefused(Refused):
    """The data are not those of the campaign; the message says what is missing."""

    code = "propensity_refused"


@dataclass(frozen=True)
class Figures:
    """One way of ranking on all forward folds: success among those approached first, and how well it ranks."""

    name: str
    success: float
    success_low: float
    success_high: float
    roc_auc: float
    pr_auc: float


@dataclass(frozen=True)
class Comparison:
    """Every way side by side; `gain` is model less rule in success among the first, with its 95 % interval."""

    calls: int
    bought: float
    ways: list[Figures]
    best: str
    gain: float
    gain_low: float
    gain_high: float

    @property
    def is_better(self) -> bool:
        return self.gain_low > 0


def rule_scores(calls: pd.DataFrame) -> np.ndarray:
    """Rank as the ladder does: who bought before comes first, who declined last, and who was approached less often before others."""
    outcome = calls["poutcome"].map({"success": 2, "nonexistent": 1, "failure": 0}).to_numpy(float)
    return outcome - np.minimum(calls["campaign"].to_numpy(float), 99) / 100


def _logistic():
    words = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", min_frequency=50), make_column_selector(dtype_exclude="number")),
        remainder=StandardScaler(),
    )
    return make_pipeline(words, LogisticRegression(C=0.1, max_iter=2_000))


def _boosted():
    words = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder="passthrough",
    )
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.05, max_leaf_nodes=15, random_state=7)
    return make_pipeline(words, trees)


MODELS: dict[str, Callable] = {"logistic": _logistic, "boosted trees": _boosted}


def compare(folder: Path, *, track: Callable = iter) -> Comparison:
    """Rank the calls of each fold by the rule and by models learnt from the calls before it.

    Raises:
        PropensityRefused: the file is not there, or is not that of the campaign.
    """
    calls = _read(folder)
    bought = (calls.pop("y") == "yes").to_numpy()
    calls = calls.drop(columns=UNKNOWN_BEFORE)
    edges = np.linspace(0, len(calls), FOLDS + 2, dtype=int)[1:]
    ranked: dict[str, list] = {name: [] for name in ("rule", *MODELS)}
    firsts: dict[str, list] = {name: [] for name in ranked}
    for begin, end in track(list(zip(edges, edges[1:], strict=False))):
        ahead = calls.iloc[begin:end]
        scores = {"rule": rule_scores(ahead)} | {
            name: make().fit(calls.iloc[:begin], bought[:begin]).predict_proba(ahead)[:, 1]
            for name, make in MODELS.items()
        }
        for name, said in scores.items():
            # Folds differ in how much is bought: ranks within a fold, not scores, are put together.
            place = pd.Series(said).rank(pct=True, method="average").to_numpy()
            ranked[name].append(place)
            firsts[name].append(_first(said))
    truth = bought[edges[0] :]
    chosen = {name: np.concatenate(parts) for name, parts in firsts.items()}
    ways = [_figures(name, np.concatenate(ranked[name]), chosen[name], truth) for name in ranked]
    best = max(ways[1:], key=lambda way: way.success)
    gain, low, high = _difference(chosen[best.name], chosen["rule"], truth)
    return Comparison(len(truth), float(truth.mean()), ways, best.name, gain, low, high)


def _read(folder: Path) -> pd.DataFrame:
    path = folder / FILE
    if not path.is_file():
        raise PropensityRefused(f"{path.name} is not in the folder; give the one of data/bank_marketing.")
    calls = pd.read_csv(path, sep=None, engine="python")
    if len(calls) != CALLS or not {"y", "poutcome", "campaign", "duration"} <= set(calls.columns):
        raise PropensityRefused(f"{path.name} is not the campaign of {CALLS:,} calls.")
    return calls


def _first(scores: np.ndarray) -> np.ndarray:
    """Say of each whether he is among the share approached first; ties are broken by lot."""
    lot = np.random.default_rng(7).random(len(scores))
    order = np.lexsort((lot, -scores))
    first = np.zeros(len(scores), bool)
    first[order[: round(TOP * len(scores))]] = True
    return first


def _figures(name: str, ranks: np.ndarray, first: np.ndarray, truth: np.ndarray) -> Figures:
    draws = _draws(len(truth))
    rates = [truth[draw][first[draw]].mean() for draw in draws]
    low, high = np.percentile(rates, [2.5, 97.5])
    return Figures(
        name, float(truth[first].mean()), low, high, roc_auc_score(truth, ranks), average_precision_score(truth, ranks)
    )


def _difference(one: np.ndarray, other: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Return how much more often those approached first bought by one way than by the other, with its 95 % interval."""
    gains = [truth[draw][one[draw]].mean() - truth[draw][other[draw]].mean() for draw in _draws(len(truth))]
    low, high = np.percentile(gains, [2.5, 97.5])
    return float(truth[one].mean() - truth[other].mean()), float(low), float(high)


def _draws(number: int):
    random = np.random.default_rng(11)
    return (random.integers(0, number, number) for _turn in range(TURNS))
