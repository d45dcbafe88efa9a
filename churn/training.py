"""Train the bank's model on its own past, prove it forward in time, release it by the gate or by a person."""

import json
from collections.abc import Callable
from datetime import date

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from churn import accuracy, backtest, estimator, features, levels, panel, scorecard
from churn.models import ChurnModelVersion
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

HORIZON_MONTHS = 3
HORIZON_DAYS = 90
THRESHOLD = 0.5
MIN_LOSSES = 50
"""Past losses of VIP customers without which no model is trained."""

GATE_AUC = 0.70
GATE_LIFT = 3.0
"""The release gate of domain.md §14, on the forward folds."""

LEAST_MONEY = 0.1
"""Rows below this share of the VIP floor teach nothing about VIP money and are left out."""

DRIFT_BINS = 10
SCORE = "score"
"""The name under which the probability itself is watched for drift, beside the features."""

Status = ChurnModelVersion.Status


class TooFewLosses(Refused):
    """The bank's past holds too few leavings to learn from."""

    code = "too_few_losses"


class ModelDamaged(Refused):
    """The stored numbers are not those that were trained."""

    code = "model_damaged"


class GateNotPassed(Refused):
    code = "gate_not_passed"


def train(*, on: date, by: Staff | None = None, track: Callable = iter) -> ChurnModelVersion:
    """Train on the whole months up to a day and store the version with its back-test.

    It is released at once when it passes the gate and none is in force; else it waits as a candidate.

    Args:
        track: wraps the loop over the folds, for a bar in the terminal.

    Raises:
        TooFewLosses: fewer than MIN_LOSSES leavings of VIP customers are known.
    """
    months, rows = learnable(on=on)
    proved = prove(rows, track=track)
    chosen = backtest.winner(proved["candidates"])
    report = report_of(months, rows, proved, chosen)
    return _store(months, rows, _parameters(rows, proved, chosen), report, chosen, by=by)


def learnable(*, on: date) -> tuple[panel.Months, backtest.Rows]:
    """Return the whole months up to a day and the rows to learn from.

    Raises:
        TooFewLosses
    """
    months = panel.read_months(on=on)
    rows = panel_rows(months) if months else None
    losses = int(rows.y[rows.is_vip].sum()) if rows else 0
    if months is None or rows is None or losses < MIN_LOSSES:
        raise TooFewLosses(
            _("{losses} past losses are known, {needed} are needed; the scorecard goes on scoring.").format(
                losses=losses, needed=MIN_LOSSES
            )
        )
    return months, rows


def prove(rows: backtest.Rows, *, track: Callable = iter) -> dict:
    """Return the back-test of all candidates on folds that march forward, as `backtest.run` does."""
    folds = backtest.forward_folds(rows.period, gap=HORIZON_MONTHS)
    return backtest.run(rows, features.NAMES, backtest.masks(rows.period, folds), track=track)


def panel_rows(months: panel.Months) -> backtest.Rows:
    """Return a row for each customer and month end with 90 days behind it and 90 days after it."""
    parts = [_rows_at(months, place) for place in range(features.BLOCKS - 1, months.count - HORIZON_MONTHS)]
    if not parts:
        return _rows_at(months, 0).take(slice(0, 0))
    return backtest.joined(parts)


def _rows_at(months: panel.Months, place: int) -> backtest.Rows:
    history = months.history(place)
    future = months.figures["average"][:, place + 1 : place + 1 + HORIZON_MONTHS]
    y = features.left(future, history.base, threshold=THRESHOLD)
    rows = ~np.isnan(history.base) & ~np.isnan(y) & (history.base >= LEAST_MONEY * history.floor)
    history = history.take(rows)
    x = features.vector(history)
    return backtest.Rows(
        x=x,
        y=y[rows],
        customer=months.ids[rows].astype(np.int64),
        period=np.full(rows.sum(), place),
        is_vip=history.is_vip,
        money=history.base,
        rule=-x[:, features.NAMES.index("last7_to_base")],
        scorecard=scorecard.probabilities(scorecard.points(x, history)),
        tier=np.searchsorted(months.floors, history.base, side="right"),
        branch=months.branches[rows],
    )


def _parameters(rows: backtest.Rows, proved: dict, chosen: str) -> dict:
    """Return the released numbers: the winner fitted on everything, its levels, and what its features looked like."""
    models = {chosen: backtest.MODELS[chosen]}
    fitted = backtest.learn(rows, features.NAMES, models=models).parameters(chosen)
    tested = proved["scores"].get(chosen, np.zeros(0))
    vip = rows.x[rows.is_vip]
    newest = vip[rows.period[rows.is_vip] > rows.period.max() - 12]
    drift = drift_bins(newest)
    if len(tested):
        drift[SCORE] = _bins_of(tested)
    return estimator.plain(fitted | {"levels": levels.chosen(tested), "drift": drift, "names": list(features.NAMES)})


def drift_bins(x) -> dict:
    """Return for each feature the edges of its tenths in training and the share of rows in each: {name: {edges, shares}}."""
    bins = {}
    for name, column in zip(features.NAMES, x.T, strict=True):
        known = column[~np.isnan(column)]
        if len(known):
            bins[name] = _bins_of(known)
    return bins


def _bins_of(known) -> dict:
    edges = np.unique(np.percentile(known, np.linspace(0, 100, DRIFT_BINS + 1)[1:-1]))
    return {"edges": edges.tolist(), "shares": (bin_counts(known, edges) / len(known)).tolist()}


def bin_counts(values, edges) -> np.ndarray:
    """Return how many values fall into each of the len(edges) + 1 bins."""
    known = values[~np.isnan(values)]
    return np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)


def report_of(months: panel.Months, rows: backtest.Rows, proved: dict, chosen: str) -> dict:
    """Return the back-test as JSON: figures a candidate and fold, curves and parts of the winner, counts."""
    test, scores = proved["test"], proved["scores"].get(chosen)
    has_test = bool(len(test)) and 0 < test.y.sum() < len(test)
    periods = [{**fold, **{key: months.end_of(fold[key]).isoformat() for key in _PERIODS}} for fold in proved["folds"]]
    return estimator.plain(
        {
            "candidates": proved["candidates"],
            "chosen": chosen,
            "folds": periods,
            "calibration": accuracy.calibration_table(test.y, scores) if has_test else [],
            "lift": accuracy.lift_table(test.y, scores) if has_test else [],
            "precision": accuracy.precision_curve(test.y, scores) if has_test else [],
            "by_tier": accuracy.parts(test, scores, test.tier) if has_test else [],
            "by_branch": accuracy.parts(test, scores, test.branch) if has_test else [],
            "training": {
                "rows": len(rows),
                "customers": len(np.unique(rows.customer)),
                "vip_rows": int(rows.is_vip.sum()),
                "losses": int(rows.y.sum()),
                "vip_losses": int(rows.y[rows.is_vip].sum()),
                "floor": months.floor,
            },
        }
    )


_PERIODS = ("train_to", "test_from", "test_to")


def passes_gate(report: dict, chosen: str) -> bool:
    """Say whether a candidate reaches the gate on the forward folds: AUC and lift in the top tenth."""
    figures = report["candidates"].get(chosen, {})
    return (figures.get("roc_auc") or 0) >= GATE_AUC and (figures.get("lift") or 0) >= GATE_LIFT


@transaction.atomic
def _store(months, rows, parameters: dict, report: dict, chosen: str, *, by: Staff | None) -> ChurnModelVersion:
    parameters, report = json.loads(json.dumps(parameters)), json.loads(json.dumps(report))
    newest = int(rows.period.max()) + HORIZON_MONTHS
    data_to = months.end_of(newest)
    version = ChurnModelVersion.objects.create(
        name=_free_name(data_to),
        algorithm=chosen,
        trained_at=timezone.now(),
        data_from=panel.month_at(months.first),
        data_to=data_to,
        horizon_days=HORIZON_DAYS,
        drop_threshold=THRESHOLD,
        parameters=parameters,
        sha256=estimator.fingerprint(parameters),
        backtest=report,
        passed_gate=passes_gate(report, chosen),
    )
    audit.record(
        "model.trained", version, by=by, algorithm=chosen, passed_gate=version.passed_gate, data_to=data_to.isoformat()
    )
    if version.passed_gate and in_force(lock=True) is None:
        version = _put_in_force(version, by=by)
    return version


def _free_name(data_to: date) -> str:
    """Return a name that says what the version was trained on: the last day, with a number from the second one on."""
    taken = set(ChurnModelVersion.objects.filter(name__startswith=data_to.isoformat()).values_list("name", flat=True))
    names = (data_to.isoformat() + (f"-{number}" if number > 1 else "") for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def in_force(*, lock: bool = False) -> ChurnModelVersion | None:
    """Return the released version, unchecked; None before the first."""
    versions = ChurnModelVersion.objects.filter(status=Status.RELEASED)
    return (versions.select_for_update() if lock else versions).first()


def released() -> ChurnModelVersion | None:
    """Return the version in force, its numbers checked against their fingerprint; None before the first.

    Raises:
        ModelDamaged: the numbers are not those that were trained.
    """
    version = in_force()
    if version is not None:
        check(version)
    return version


def check(version: ChurnModelVersion) -> None:
    """Refuse a version whose numbers have changed since training."""
    if estimator.fingerprint(version.parameters) != version.sha256:
        raise ModelDamaged(
            _("Model {name} is damaged: its numbers do not fit their fingerprint. Nothing is scored by it.").format(
                name=version.name
            )
        )


@transaction.atomic
def release(*, version: ChurnModelVersion, by: Staff) -> ChurnModelVersion:
    """Put a version in force in place of the present one; an older one again is a roll-back.

    Raises:
        ModelDamaged, GateNotPassed
    """
    version = ChurnModelVersion.objects.select_for_update().get(pk=version.pk)
    check(version)
    if not version.passed_gate:
        raise GateNotPassed(
            _("Model {name} does not reach the gate: AUC {auc}, lift {lift}.").format(
                name=version.name, auc=GATE_AUC, lift=GATE_LIFT
            )
        )
    if version.status == Status.RELEASED:
        return version
    return _put_in_force(version, by=by)


def _put_in_force(version: ChurnModelVersion, *, by: Staff | None) -> ChurnModelVersion:
    before = in_force(lock=True)
    if before is not None:
        before.status = Status.RETIRED
        before.save(update_fields=["status"])
    version.status, version.released_by = Status.RELEASED, by
    version.save(update_fields=["status", "released_by"])
    audit.record("model.released", version, by=by, instead_of=before.name if before else "")
    return version
