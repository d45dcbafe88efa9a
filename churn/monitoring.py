"""How the model does: figures of its back-test in words, charts, and whether its features have drifted."""

import math

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from churn import training
from churn.models import ChurnModelVersion, ScoringRun
from customers.effect import Effect
from customers.effect_words import effect_words
from staff import formats

WATCH, CHANGED = 0.10, 0.25
"""Population stability index from which a feature is watched, and from which it has changed."""

LEAST_SHARE = 1e-4
LEAST_ROWS = 20
"""Rows that a bin must have for a sentence to rest on it."""

LABELS = {
    "end_to_base": gettext_lazy("Balance ÷ 90-day average"),
    "last7_to_base": gettext_lazy("Last 7 days ÷ 90-day average"),
    "block_to_base": gettext_lazy("30 days ÷ 90-day average"),
    "low_to_base": gettext_lazy("Lowest of 30 days ÷ 90-day average"),
    "end_to_month_ago": gettext_lazy("Balance ÷ 30 days ago"),
    "end_to_two_months_ago": gettext_lazy("Balance ÷ 60 days ago"),
    "last7_to_block": gettext_lazy("Last 7 days ÷ 30 days"),
    "first_step": gettext_lazy("Average ÷ 30 days before"),
    "second_step": gettext_lazy("Average a month ago ÷ two months ago"),
    "falling_blocks": gettext_lazy("Months falling in a row"),
    "base_to_quarter_before": gettext_lazy("90 days ÷ quarter before"),
    "end_to_peak": gettext_lazy("Balance ÷ best month"),
    "end_to_high": gettext_lazy("Balance ÷ highest of 90 days"),
    "outflow_0": gettext_lazy("Outflow, 30 days"),
    "outflow_1": gettext_lazy("Outflow, 31–60 days back"),
    "outflow_2": gettext_lazy("Outflow, 61–90 days back"),
    "net_flow": gettext_lazy("Net flow, 30 days"),
    "inflow_0": gettext_lazy("Inflow, 30 days"),
    "inflow_to_usual": gettext_lazy("Inflow ÷ usual inflow"),
    "swing_of_year": gettext_lazy("Swings of the year"),
    "range_0": gettext_lazy("Range of 30 days"),
    "demand_share": gettext_lazy("Share at call"),
    "demand_rise": gettext_lazy("Rise of money at call"),
    "due_30": gettext_lazy("Maturing within 30 days"),
    "matured_30": gettext_lazy("Matured in 30 days"),
    "term_share": gettext_lazy("Share in term products"),
    "kinds_held": gettext_lazy("Kinds of product held"),
    "kinds_lost": gettext_lazy("Kinds of product given up"),
    "invested_share": gettext_lazy("Share in funds, insurance, gold"),
    "days_since_contact": gettext_lazy("Days since the last valid contact"),
    "manager_changed": gettext_lazy("Manager changed in 180 days"),
    "size": gettext_lazy("Size of assets"),
    "tenure": gettext_lazy("Length of the relation"),
    "age": gettext_lazy("Age"),
    "on_watch": gettext_lazy("On watch"),
    "season_sin": gettext_lazy("Season"),
    "season_cos": gettext_lazy("Season (quarter later)"),
    training.SCORE: gettext_lazy("The probability itself"),
}
FIGURES = (
    ("pr_auc", gettext_lazy("PR-AUC"), 3),
    ("roc_auc", gettext_lazy("ROC-AUC"), 3),
    ("lift", gettext_lazy("Lift in the riskiest tenth"), 2),
    ("capture", gettext_lazy("Leavings in the riskiest tenth"), "percent"),
    ("capture_money", gettext_lazy("Lost money in the riskiest tenth"), "percent"),
    ("lift_5", gettext_lazy("Lift in the riskiest twentieth"), 2),
    ("capture_5", gettext_lazy("Leavings in the riskiest twentieth"), "percent"),
    ("capture_money_5", gettext_lazy("Lost money in the riskiest twentieth"), "percent"),
    ("brier", gettext_lazy("Brier score"), 4),
    ("ece", gettext_lazy("Calibration error (ECE)"), 4),
    ("rows", gettext_lazy("VIP rows tested"), 0),
    ("customers", gettext_lazy("Customers"), 0),
    ("losses", gettext_lazy("Of them left"), 0),
)
CANDIDATES = {
    "logistic": gettext_lazy("Logistic, monotone"),
    "trees": gettext_lazy("Boosted trees"),
    "forest": gettext_lazy("Random trees"),
    "blend": gettext_lazy("Mean of the three"),
    "scorecard": gettext_lazy("Scorecard"),
    "rule": gettext_lazy("Rule: 7 days ÷ 90 days"),
}


def psi(counts, shares) -> float:
    """Return the population stability index of counts against the shares of training."""
    total = sum(counts) or 1
    pairs = [(max(count / total, LEAST_SHARE), max(share, LEAST_SHARE)) for count, share in zip(counts, shares)]
    return sum((now - then) * math.log(now / then) for now, then in pairs)


def drift_of(version: ChurnModelVersion, branches) -> list[dict]:
    """Return how far each feature of the newest scores has moved from training, farthest first: one query.

    Args:
        branches: queryset of the branches to look at.
    """
    runs = [run for run in ScoringRun.objects.newest(branches) if run.model_id == version.pk]
    found = []
    for name, bins in version.parameters["drift"].items():
        columns = [run.bins[name] for run in runs if name in run.bins and not name.startswith("season")]
        counts = [sum(column) for column in zip(*columns, strict=True)]
        if sum(counts):
            value = psi(counts, bins["shares"])
            found.append(
                {"label": LABELS.get(name, name), "psi": value, "state": drift_state(value), "rows": sum(counts)}
            )
    return sorted(found, key=lambda row: -row["psi"])


def drift_state(value: float) -> str:
    return "changed" if value >= CHANGED else "watch" if value >= WATCH else "steady"


def drift_title(drift: list[dict]) -> str:
    """Return the finding about drift."""
    moved = sum(row["state"] != "steady" for row in drift)
    if not drift:
        return _("Drift: nothing scored by this model yet")
    return _("Drift: {count} features to look at").format(count=moved) if moved else _("Drift: every feature is steady")


def calibration_chart(backtest: dict) -> dict:
    return {"points": backtest["calibration"]}


def calibration_title(backtest: dict) -> str:
    """Return the finding about calibration: what was said near 40 %, and what happened."""
    solid = [part for part in backtest["calibration"] if part["rows"] >= LEAST_ROWS]
    if not solid:
        return _("Calibration: too few rows")
    part = min(solid, key=lambda each: abs(each["predicted"] - 0.4))
    return _("Calibration: of those said to leave with {said}, {left} left").format(
        said=formats.percent(part["predicted"]), left=formats.percent(part["actual"])
    )


def lift_chart(backtest: dict) -> dict:
    groups = backtest["lift"]
    return {
        "labels": [str(number) for number in range(1, len(groups) + 1)],
        "series": [{"name": _("Times the average"), "color": "--primary", "data": [group["lift"] for group in groups]}],
        "lines": [{"name": _("average"), "value": 1}],
        "dim_after": 0,
        "unit": "×",
    }


def lift_title(backtest: dict) -> str:
    groups = backtest["lift"]
    if not groups:
        return _("Lift: too few rows")
    return _("Lift: in the riskiest tenth {times} times the average left").format(
        times=formats.decimal(groups[0]["lift"], 1)
    )


def honest_word(version: ChurnModelVersion) -> str:
    """Return how a version compares with what was tried beside it, in a sentence; "" without a back-test."""
    reached = {name: found["pr_auc"] for name, found in version.backtest["candidates"].items() if found.get("pr_auc")}
    ours, rule = reached.get(version.algorithm), reached.get("rule")
    if ours is None or rule is None:
        return ""
    words = _("The rule alone reaches {rule} PR-AUC, this model ({name}) {ours}.").format(
        rule=formats.decimal(rule, 3), ours=formats.decimal(ours, 3), name=CANDIDATES[version.algorithm]
    )
    better = [name for name in CANDIDATES if reached.get(name, 0) > ours]
    if not better:
        return f"{words} " + _("Nothing that was tried beside it did better.")
    others = "; ".join(f"{CANDIDATES[name]} {formats.decimal(reached[name], 3)}" for name in better)
    return f"{words} " + _("Better on these folds: {others}.").format(others=others)


def figure_rows(versions: list[tuple[str, dict]]) -> list[dict]:
    """Return figures side by side: one row a figure, one cell for each (name, figures), with its interval.

    Args:
        versions: (column head, figures of one candidate).
    """
    return [
        {"label": label, "cells": [_cell(figures, key, digits) for _head, figures in versions]}
        for key, label, digits in FIGURES
    ]


def _cell(figures: dict, key: str, digits) -> dict:
    value = figures.get(key)
    interval = figures.get("intervals", {}).get(key)
    words = ""
    if interval:
        words = f"{formats.decimal(interval[0], 3)}–{formats.decimal(interval[1], 3)}"
    shown = formats.percent(value) if digits == "percent" else formats.decimal(value, digits)
    return {"value": shown, "interval": words}


def gate_words() -> str:
    return _("Gate: AUC ≥ {auc}, lift ≥ {lift}").format(
        auc=formats.decimal(training.GATE_AUC, 2), lift=formats.decimal(training.GATE_LIFT, 0)
    )


# --- what has become of it -----------------------------------------------------------------------------


def lived_chart(months: list[dict]) -> dict:
    """Return what was said and what happened by month's end, oldest first (`outcomes.calibration`)."""
    months = months[::-1]
    return {
        "labels": [f"{month['day']:%Y-%m}" for month in months],
        "series": [
            {"name": _("said"), "color": "--ink-3", "data": [month["said"] for month in months], "dashed": True},
            {"name": _("left"), "color": "--primary", "data": [month["left"] for month in months]},
        ],
        "percent": True,
        "min": 0,
    }


def lived_title(months: list[dict]) -> str:
    """Return the finding about calibration as it was lived."""
    if not months:
        return _("Calibration in use: the first outcomes are known 90 days after the first month's end")
    rows = sum(month["rows"] for month in months)
    said = sum(month["said"] * month["rows"] for month in months) / rows
    left = sum(month["left"] * month["rows"] for month in months) / rows
    return _("Calibration in use: {said} were said to leave, {left} left").format(
        said=formats.percent(said, 1), left=formats.percent(left, 1)
    )


def precision_chart(months: list[dict]) -> dict:
    """Return the share of alerts that were right, month by month (`outcomes.precision`)."""
    return {
        "labels": [f"{month['month']:%Y-%m}" for month in months],
        "series": [{"name": _("left"), "color": "--primary", "data": [month["share"] for month in months]}],
        "percent": True,
    }


def precision_title(months: list[dict]) -> str:
    """Return the finding about alerts."""
    known = sum(month["known"] for month in months)
    if not known:
        return _("Alerts: no outcome known yet")
    return _("Alerts: {share} of {known} were followed by the money leaving").format(
        share=formats.percent(sum(month["gone"] for month in months) / known), known=formats.decimal(known, 0)
    )


def curve_chart(backtest: dict) -> dict:
    """Return precision against recall of the back-test."""
    points = backtest.get("precision", [])
    return {
        "labels": [formats.percent(point["recall"]) for point in points],
        "series": [{"name": _("precision"), "color": "--primary", "data": [point["precision"] for point in points]}],
        "percent": True,
        "min": 0,
    }


def curve_title(backtest: dict) -> str:
    """Return the finding about precision and recall: at half of the leavings."""
    points = [point for point in backtest.get("precision", []) if point["recall"] >= 0.5]
    if not points:
        return _("Precision and recall: too few rows")
    return _("Precision and recall: to find half of the leavings, {share} of those named leave").format(
        share=formats.percent(points[0]["precision"])
    )


def help_words(found: Effect) -> str:
    """Return what acting changed, in a sentence with its interval and numbers."""
    numbers = _("{treated} acted on, {control} only watched").format(treated=found.treated, control=found.control)
    return effect_words(found, numbers)
