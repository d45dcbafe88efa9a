"""How well a model would have done on the bank's own past: folds in time, calibration, figures. No database.

Training always ends the horizon before the first test date, so that every label it learns from was known by
then. Figures are of VIP rows; intervals are drawn by customer, because a customer's months are alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from churn import estimator
from churn.features import DIRECTIONS

TOP = 0.10
DRAWS = 80
CALIBRATION_GROUPS = 2
MIN_LOSSES = 5
"""Losses among the training rows below which a fold is left out."""


@dataclass
class Rows:
    """Training or test rows: x (n, k), y (n,) 0/1, customer (n,), period (n,) place in time, is_vip (n,), money (n,) yuan,
    rule (n,): the simple rule's score, higher is riskier."""

    x: np.ndarray
    y: np.ndarray
    customer: np.ndarray
    period: np.ndarray
    is_vip: np.ndarray
    money: np.ndarray
    rule: np.ndarray

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


def learn_logistic(rows: Rows, names) -> Callable:
    """Fit the bank's model; return a function x → calibrated probabilities."""
    parameters = fit_calibrated(rows, names)
    return lambda x: estimator.probabilities(parameters, x, names)


def fit_calibrated(rows: Rows, names) -> dict:
    """Fit on all rows; calibrate on VIP rows by scores of models that had not seen the customer."""

    def log_odds(train: Rows, test: Rows):
        raw = estimator.fit(train.x, train.y, names, directions=DIRECTIONS)
        return estimator.starting_log_odds(raw) + estimator.contributions(raw, test.x, names).sum(axis=1)

    slope, offset = _platt_unseen(rows, log_odds)
    return estimator.calibrated(estimator.fit(rows.x, rows.y, names, directions=DIRECTIONS), slope, offset)


def learn_trees(rows: Rows, names) -> Callable:
    """Fit gradient boosting of small trees for comparison; return a function x → calibrated probabilities."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # 100 MB that only training needs

    medians = np.nan_to_num(np.nanmedian(np.where(np.isnan(rows.x).all(axis=0), 0, rows.x), axis=0))

    def fitted(train: Rows):
        model = HistGradientBoostingClassifier(
            max_leaf_nodes=8,
            learning_rate=0.05,
            max_iter=150,
            l2_regularization=10,
            min_samples_leaf=40,
            random_state=1,
        )
        return model.fit(_filled(train.x, medians), train.y)

    def log_odds(train: Rows, test: Rows):
        return fitted(train).decision_function(_filled(test.x, medians))

    slope, offset = _platt_unseen(rows, log_odds)
    model = fitted(rows)
    return lambda x: estimator.sigmoid(slope * model.decision_function(_filled(x, medians)) + offset)


def _filled(x, medians):
    return np.where(np.isnan(x), medians, x)


def _platt_unseen(rows: Rows, log_odds: Callable) -> tuple[float, float]:
    """Return Platt's slope and offset from VIP rows, each scored by a model without that customer."""
    group = group_of(rows.customer)
    scores = np.full(len(rows), np.nan)
    for number in range(CALIBRATION_GROUPS):
        test = (group == number) & rows.is_vip
        train = group != number
        if test.any() and rows.y[train].sum() >= MIN_LOSSES:
            scores[test] = log_odds(rows.take(train), rows.take(test))
    known = ~np.isnan(scores)
    if len(np.unique(rows.y[known])) < 2:
        return 1.0, 0.0
    return estimator.platt(scores[known], rows.y[known])


def group_of(customer) -> np.ndarray:
    """Return each customer's group, 0 or 1: fixed by the key, so that all months of one fall together."""
    return (np.asarray(customer, np.int64) * 2654435761 % 2**32 // 2**12) % CALIBRATION_GROUPS


def learn_rule(rows: Rows, names) -> Callable:
    """Calibrate the simple rule (last 7 days ÷ 90-day average) alone; return a function of its score."""
    slope, offset = estimator.platt(rows.rule[rows.is_vip], rows.y[rows.is_vip])
    return lambda rule: estimator.sigmoid(slope * rule + offset)


CANDIDATES = {"logistic": learn_logistic, "trees": learn_trees, "rule": learn_rule}


def run(rows: Rows, names, folds: list[Fold], *, track: Callable = iter) -> dict:
    """Score each fold's VIP rows by models of its past; return figures a candidate, and the scored rows.

    Returns:
        {"candidates": {name: figures}, "folds": [...], "test": Rows, "scores": {name: (n,)}}
    """
    tested, scores, notes = [], {name: [] for name in CANDIDATES}, []
    for fold in track(folds):
        train = rows.take(rows.period <= fold.train_to)
        test = rows.take((rows.period >= fold.test_from) & (rows.period <= fold.test_to) & rows.is_vip)
        if train.y[train.is_vip].sum() < MIN_LOSSES or not len(test):
            continue
        tested.append(test)
        note = {"train_to": fold.train_to, "test_from": fold.test_from, "test_to": fold.test_to}
        note |= {"train_rows": len(train), "rows": len(test), "losses": int(test.y.sum())}
        for name, learn in CANDIDATES.items():
            guess = learn(train, names)(test.rule if name == "rule" else test.x)
            scores[name].append(guess)
            note[name] = figures(test, guess)
        notes.append(note)
    if not tested:
        return {"candidates": {}, "folds": [], "test": rows.take(slice(0, 0)), "scores": {}}
    test = Rows(**{name: np.concatenate([getattr(each, name) for each in tested]) for name in vars(tested[0])})
    scores = {name: np.concatenate(parts) for name, parts in scores.items()}
    candidates = {name: figures(test, guess) | {"intervals": intervals(test, guess)} for name, guess in scores.items()}
    return {"candidates": candidates, "folds": notes, "test": test, "scores": scores}


def figures(rows: Rows, guess) -> dict:
    """Return the figures of scores against what happened; None where they are not defined."""
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    y, losses = rows.y, int(rows.y.sum())
    result = {"rows": len(y), "customers": len(np.unique(rows.customer)), "losses": losses}
    result["base_rate"] = float(y.mean()) if len(y) else None
    if not 0 < losses < len(y):
        return result | dict.fromkeys(["pr_auc", "roc_auc", "lift", "capture", "capture_money", "brier", "ece"])
    top = _top(guess)
    lost = rows.money * y
    return result | {
        "pr_auc": float(average_precision_score(y, guess)),
        "roc_auc": float(roc_auc_score(y, guess)),
        "lift": float(y[top].mean() / y.mean()),
        "capture": float(y[top].sum() / losses),
        "capture_money": float(lost[top].sum() / lost.sum()) if lost.sum() else None,
        "brier": float(brier_score_loss(y, guess)),
        "ece": expected_error(y, guess),
    }


def _top(guess) -> np.ndarray:
    """Return the places of the riskiest tenth."""
    count = max(1, int(np.ceil(TOP * len(guess))))
    return np.argsort(-guess, kind="stable")[:count]


def expected_error(y, guess, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size: mean |predicted − actual|."""
    order = np.argsort(guess, kind="stable")
    parts = np.array_split(order, bins)
    return float(sum(len(part) * abs(guess[part].mean() - y[part].mean()) for part in parts if len(part)) / len(y))


def calibration_table(y, guess, bins: int = 10) -> list[dict]:
    """Return what was said and what happened, by tenths of the probability scale that hold rows."""
    place = np.minimum((guess * bins).astype(int), bins - 1)
    return [
        {
            "predicted": float(guess[place == each].mean()),
            "actual": float(y[place == each].mean()),
            "share": float((place == each).mean()),
            "rows": int((place == each).sum()),
        }
        for each in range(bins)
        if (place == each).any()
    ]


def lift_table(y, guess, bins: int = 10) -> list[dict]:
    """Return ten groups from the riskiest down: rows, losses, lift over the average."""
    order = np.argsort(-guess, kind="stable")
    return [
        {"rows": len(part), "losses": int(y[part].sum()), "lift": float(y[part].mean() / y.mean())}
        for part in np.array_split(order, bins)
        if len(part) and y.mean() > 0
    ]


def intervals(rows: Rows, guess, *, draws: int = DRAWS, seed: int = 7) -> dict:
    """Return 95 % intervals by drawing customers with replacement: {figure: [low, high]}."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(seed)
    customers, place = np.unique(rows.customer, return_inverse=True)
    found: dict[str, list] = {"pr_auc": [], "roc_auc": [], "lift": [], "ece": []}
    order = np.argsort(place, kind="stable")
    for _draw in range(draws):
        counts = np.bincount(rng.integers(0, len(customers), len(customers)), minlength=len(customers))
        repeated = np.repeat(order, counts[place[order]])
        y, g = rows.y[repeated], guess[repeated]
        if not 0 < y.sum() < len(y):
            continue
        top = _top(g)
        found["pr_auc"].append(average_precision_score(y, g))
        found["roc_auc"].append(roc_auc_score(y, g))
        found["lift"].append(y[top].mean() / y.mean())
        found["ece"].append(expected_error(y, g))
    return {name: [float(v) for v in np.percentile(values, [2.5, 97.5])] for name, values in found.items() if values}
