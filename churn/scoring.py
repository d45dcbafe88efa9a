"""Score a branch as of a day: one read, arrays, one merge. Run again it replaces that day's scores by equal ones."""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from time import perf_counter

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from churn import estimator, features, levels, panel, reasons, scorecard, training
from churn.models import ChurnModelVersion, Level, ScoringRun
from customers.feed.staging import copy_into
from customers.standing import set_churn_standing


@dataclass
class Scored:
    """Probabilities (n,) 0–1 and the percentage points of each reason (n, reasons), of which `codes` are the names."""

    probability: np.ndarray
    codes: list[str]
    points: np.ndarray
    limits: dict


@transaction.atomic
def score_branch(*, branch_id: int, on: date) -> int:
    """Write the ChurnScore of every customer of a branch with 90 days of history, and bring their own rows up to it.

    Raises:
        ModelDamaged: the released model's numbers are not those that were trained; nothing is scored.
    """
    began = perf_counter()
    version = training.released()
    night = panel.read_night(branch_id=branch_id, on=on)
    if not len(night.ids):
        return 0
    x = features.vector(night.history)
    scored = by_model(version.parameters, x) if version else by_scorecard(x, night.history)
    level = levels.levels_of(scored.probability, scored.limits, fall=night.fall, aum=night.aum)
    _write(night, x, scored, level, version=version, on=on)
    set_churn_standing(select=_STANDING, params={"branch": branch_id, "on": on})
    ScoringRun.objects.update_or_create(
        branch_id=branch_id,
        data_date=on,
        defaults={
            "model": version,
            "scored_at": timezone.now(),
            "scored": len(night.ids),
            "seconds": perf_counter() - began,
            "bins": _bins(version, x[night.history.is_vip], scored.probability[night.history.is_vip]),
        },
    )
    return len(night.ids)


def by_model(parameters: dict, x) -> Scored:
    """Score rows x: (n, k) by a version's numbers; each feature's part counts towards its reason."""
    start = estimator.starting_log_odds(parameters)
    added = estimator.contributions(parameters, x, features.NAMES)
    by_feature = estimator.points(start, added)
    owners = list(features.FEATURES.values())
    codes = [code for code in reasons.REASONS if code in owners]
    grouped = np.column_stack([by_feature[:, [owner == code for owner in owners]].sum(axis=1) for code in codes])
    return Scored(estimator.sigmoid(start + added.sum(axis=1)), codes, grouped, parameters["levels"])


def by_scorecard(x, history: features.History) -> Scored:
    """Score by the bank's scorecard, while there is no model."""
    scored = scorecard.points(x, history)
    return Scored(
        scorecard.probabilities(scored), list(scored), np.column_stack(list(scored.values())), levels.chosen([])
    )


def _write(night: panel.Night, x, scored: Scored, level, *, version: ChurnModelVersion | None, on: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        copy_into(
            "fresh_scores",
            ("customer_id", "probability", "level", "money_at_risk", "reasons"),
            _rows(night, x, scored, level),
        )
        cursor.execute(_MERGE, {"on": on, "model": version.pk if version else None})


def _rows(night: panel.Night, x, scored: Scored, level):
    """Yield the rows to write; all reasons of those who need attention, the strongest of the others."""
    figures = {code: values for code, values in reasons.figures_of(x, night.history).items() if code in scored.codes}
    order = np.argsort(-np.abs(scored.points), axis=1, kind="stable")
    hard = levels.falls_hard(night.fall, night.aum)
    for row in range(len(night.ids)):
        keep = None if level[row] > Level.LOW else reasons.KEPT
        codes = [scored.codes[place] for place in order[row, :keep]]
        stored = reasons.strongest_first(
            {code: float(scored.points[row, scored.codes.index(code)]) for code in codes},
            {code: {name: values[row] for name, values in figures[code].items()} for code in codes},
            keep=keep,
        )
        if hard[row]:
            stored.insert(0, _one_day(night.fall[row], night.aum[row]))
        probability = float(scored.probability[row])
        at_risk = Decimal(probability) * Decimal(float(night.aum[row]))
        yield night.ids[row], f"{probability:.6f}", level[row], f"{at_risk:.2f}", json.dumps(stored)


def _one_day(fall: float, aum: float) -> dict:
    figures = {"amount": round(float(fall), 2), "share": round(float(fall / (aum + fall)), 4)}
    return {"code": reasons.ONE_DAY, "points": 0.0, "figures": figures}


def _bins(version: ChurnModelVersion | None, x, probability) -> dict:
    """Count the rows of x, and their probabilities, in the bins that the version's training rows had."""
    if version is None:
        return {}
    columns = dict(zip(features.NAMES, x.T, strict=True)) | {training.SCORE: probability}
    return {
        name: training.bin_counts(columns[name], np.array(bins["edges"])).tolist()
        for name, bins in version.parameters["drift"].items()
        if name in columns
    }


_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS fresh_scores
    (customer_id bigint, probability float8, level smallint, money_at_risk numeric, reasons jsonb) ON COMMIT DROP;
TRUNCATE fresh_scores
"""

_MERGE = """
INSERT INTO churn_churnscore AS s (customer_id, data_date, model_id, probability, level, money_at_risk, reasons)
SELECT customer_id, %(on)s, %(model)s, probability, level, money_at_risk, reasons FROM fresh_scores ORDER BY customer_id
ON CONFLICT (customer_id, data_date) DO UPDATE SET
    model_id = excluded.model_id, probability = excluded.probability, level = excluded.level,
    money_at_risk = excluded.money_at_risk, reasons = excluded.reasons
WHERE (s.model_id, s.probability, s.level, s.money_at_risk, s.reasons)
   IS DISTINCT FROM
      (excluded.model_id, excluded.probability, excluded.level, excluded.money_at_risk, excluded.reasons)
"""

# A day scored again later says nothing about customers who have a newer score.
_STANDING = """
SELECT s.customer_id, s.probability AS churn_probability, s.level AS churn_level, s.money_at_risk
FROM churn_churnscore s JOIN customers_customer c ON c.id = s.customer_id
WHERE c.branch_id = %(branch)s AND s.data_date = %(on)s
  AND NOT EXISTS (SELECT FROM churn_churnscore n WHERE n.customer_id = s.customer_id AND n.data_date > s.data_date)
"""
