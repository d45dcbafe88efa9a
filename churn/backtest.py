"""How well a model would have done on the bank's own past: folds in time, calibration, figures. No database.

Training always ends the horizon before the first test date, so that every label it learns from was known by
then. Figures are of VIP rows; intervals are drawn by customer, because a customer's months are alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from churn import estimator
from churn.accuracy import figures, intervals
from churn.features import DIRECTIONS

CALIBRATION_GROUPS = 2
MIN_LOSSES = 5
"""Losses among the training rows below which a form is not calibrated."""

MODELS = {
    "logistic": ("lines",),
    "trees": ("boosting",),
    "forest": ("forest",),
    "blend": ("lines", "boosting", "forest"),
}
"""Candidates that may be released, each the mean of some forms in log-odds; the simplest first."""


@dataclass
class Rows:
    """Training or test rows: x (n, k), y (n,) 0/1, customer (n,), period (n,) place in time, is_vip (n,), money (n,) yuan,
    rule (n,): the simple rule's score, higher is riskier; scorecard (n,): the bank's scorecard, 0–1;
    tier, branch (n,): what the figures are split by, 0 where there is nothing to split."""

    x: np.ndarray
    y: np.ndarray
    customer: np.ndarray
    period: np.ndarray
    is_vip: np.ndarray
    money: np.ndarray
    rule: np.ndarray
    scorecard: np.ndarray
    tier: np.ndarray
    branch: np.ndarray

    def take(self, rows) -> "Rows":
        return Rows(**{name: value[rows] for name, value in vars(self).items()})

    def __len__(self):
        return len(self.y)


@dataclass(frozen=True)
class Fold:
    """Train on periods up to `train_to`, test on [test_from, test_to]; at least the horizon lies between."""

    train_to: int
    test_from: int
    test_to: int


def forward_folds(periods, *, gap: int, tests: int = 3, length: int = 3, least_training: int = 3) -> list[Fold]:
    """Return folds that march forward through the newest periods.

    Args:
        gap: periods that a label looks ahead; training ends that many before the first test period.
    """
    periods = sorted(set(periods))
    folds = []
    last = len(periods) - 1
    for back in range(tests - 1, -1, -1):
        test_to = last - back * length
        test_from = test_to - length + 1
        if test_from < 0:
            continue
        train_to = periods[test_from] - gap
        if sum(period <= train_to for period in periods) >= least_training:
            folds.append(Fold(train_to, periods[test_from], periods[test_to]))
    return folds


def masks(periods, folds: list[Fold]) -> list[tuple]:
    """Return for each fold (training rows, test rows, what is told of it), the rows as masks over `periods`: (n,)."""
    return [
        (periods <= fold.train_to, (periods >= fold.test_from) & (periods <= fold.test_to), vars(fold))
        for fold in folds
    ]


@dataclass
class Learned:
    """Forms fitted on the same rows, and for each candidate the scale that makes their mean honest.

    `members`: form → its plain numbers; `scales`: candidate → (slope, offset) of Platt.
    """

    names: tuple
    models: dict[str, tuple]
    members: dict[str, dict]
    scales: dict[str, tuple[float, float]]

    def probabilities(self, x) -> dict[str, np.ndarray]:
        """Return each candidate's calibrated probabilities of rows x."""
        raw = {form: _raw(member, x, self.names) for form, member in self.members.items()}
        return {
            name: estimator.sigmoid(self.scales[name][0] * _mean_of(raw, forms) + self.scales[name][1])
            for name, forms in self.models.items()
        }

    def parameters(self, name: str) -> dict:
        """Return the numbers of one candidate, as `churn.estimator` scores by them."""
        return estimator.together([self.members[form] for form in self.models[name]], *self.scales[name])


def learn(rows: Rows, names, *, models=None, directions=DIRECTIONS) -> Learned:
    """Fit every form on all rows; calibrate each candidate on VIP rows, scored by forms that had not seen the customer."""
    models = models or MODELS
    forms = dict.fromkeys(form for members in models.values() for form in members)
    unseen = {form: np.full(len(rows), np.nan) for form in forms}
    group = group_of(rows.customer)
    for number in range(CALIBRATION_GROUPS):
        train, test = rows.take(group != number), (group == number) & rows.is_vip
        if test.any() and train.y.sum() >= MIN_LOSSES:
            for form in forms:
                member = estimator.fit(form, train.x, train.y, names, directions=directions)
                unseen[form][test] = _raw(member, rows.x[test], names)
    scales = {name: _scale(_mean_of(unseen, members), rows.y) for name, members in models.items()}
    fitted = {form: estimator.fit(form, rows.x, rows.y, names, directions=directions) for form in forms}
    return Learned(tuple(names), models, fitted, scales)


def _raw(member: dict, x, names) -> np.ndarray:
    return estimator.log_odds(estimator.together([member]), x, names)


def _mean_of(raw: dict, forms: tuple) -> np.ndarray:
    return sum(raw[form] for form in forms) / len(forms)


def _scale(scores, y) -> tuple[float, float]:
    known = ~np.isnan(scores)
    return estimator.platt(scores[known], y[known]) if len(np.unique(y[known])) == 2 else (1.0, 0.0)


def group_of(customer) -> np.ndarray:
    """Return each customer's group, 0 or 1: fixed by the key, so that all months of one fall together."""
    return (np.asarray(customer, np.int64) * 2654435761 % 2**32 // 2**12) % CALIBRATION_GROUPS


def by_rule(train: Rows, test: Rows) -> np.ndarray:
    """Return the probabilities of the simple rule alone (last 7 days ÷ 90-day average), calibrated."""
    slope, offset = estimator.platt(train.rule[train.is_vip], train.y[train.is_vip])
    return estimator.sigmoid(slope * test.rule + offset)


def winner(candidates: dict, models=None) -> str:
    """Return the releasable candidate with the best PR-AUC; the simplest of equals."""
    return max(models or MODELS, key=lambda name: candidates.get(name, {}).get("pr_auc") or 0)


def run(rows: Rows, names, folds: list, *, models=None, directions=DIRECTIONS, track: Callable = iter) -> dict:
    """Score each fold's VIP rows by models of its past; return figures a candidate, and the scored rows.

    Args:
        folds: of (train, test, note): masks of rows, and what is told of the fold.

    Returns:
        {"candidates": {name: figures}, "folds": [...], "test": Rows, "scores": {name: (n,)}}
    """
    models = models or MODELS
    tested, notes = [], []
    scores: dict[str, list] = {name: [] for name in (*models, "rule", "scorecard")}
    for train, test, note in track(folds):
        train, test = rows.take(train), rows.take(test & rows.is_vip)
        if not len(test) or train.y[train.is_vip].sum() < MIN_LOSSES:
            continue
        guesses = learn(train, names, models=models, directions=directions).probabilities(test.x)
        guesses |= {"rule": by_rule(train, test), "scorecard": test.scorecard}
        tested.append(test)
        for name, guess in guesses.items():
            scores[name].append(guess)
        notes.append(
            note
            | {"train_rows": len(train), "rows": len(test), "losses": int(test.y.sum())}
            | {name: figures(test, guess) for name, guess in guesses.items()}
        )
    if not tested:
        return {"candidates": {}, "folds": [], "test": rows.take(slice(0, 0)), "scores": {}}
    test = joined(tested)
    told = {name: np.concatenate(parts) for name, parts in scores.items()}
    candidates = {name: figures(test, guess) | {"intervals": intervals(test, guess)} for name, guess in told.items()}
    return {"candidates": candidates, "folds": notes, "test": test, "scores": told}


def joined(parts: list[Rows]) -> Rows:
    """Return several sets of rows as one."""
    return Rows(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})
