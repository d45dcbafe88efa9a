"""What became of scores and alerts, once their 90 days are over: calibration as it was lived, and whether acting helped."""

from datetime import date, timedelta

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth

from churn import panel, playbook, training
from churn.models import ChurnAlert, ScoreOutcome
from customers import effect
from customers.assets import month_start

HORIZON = training.HORIZON_DAYS
LOOK_BACK = 2 * HORIZON
"""Days after opening within which an alert's outcome is still looked for."""


@transaction.atomic
def measure_branch(*, branch_id: int, on: date) -> int:
    """Write the outcomes that have become known by the end of a day; return how many. Run again it changes nothing."""
    params = {"branch": branch_id, "on": on, "horizon": HORIZON, "oldest": on - timedelta(days=LOOK_BACK)}
    params |= {"threshold": training.THRESHOLD, "floor": panel.vip_floor(on)}
    scored = _scored_day(on)
    params |= {
        "scored": scored,
        "first": panel.months_before(month_start(scored), 2),
        "next": scored + timedelta(days=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_ALERTS, params)
        written = cursor.rowcount
        cursor.execute(_SCORES, params)
        return written + cursor.rowcount


def _scored_day(on: date) -> date:
    """Return the newest month's end that has three whole months after it on a day."""
    after_newest = month_start(on + timedelta(days=1))
    return panel.months_before(after_newest, training.HORIZON_MONTHS) - timedelta(days=1)


# Days without a balance count in no average; an alert whose customer has none in a period stays unknown.
_ALERTS = """
WITH due AS (
    SELECT a.id, a.customer_id, s.data_date AS day
    FROM churn_churnalert a
    JOIN churn_churnscore s ON s.id = a.score_id
    JOIN customers_customer c ON c.id = a.customer_id
    WHERE c.branch_id = %(branch)s AND a.after_avg IS NULL
      AND s.data_date <= %(on)s::date - %(horizon)s AND a.opened_on > %(oldest)s
), known AS (
    SELECT d.id, avg(b.total) FILTER (WHERE b.data_date <= d.day) AS base,
           avg(b.total) FILTER (WHERE b.data_date BETWEEN d.day + 1 AND d.day + 30) AS one,
           avg(b.total) FILTER (WHERE b.data_date BETWEEN d.day + 31 AND d.day + 60) AS two,
           avg(b.total) FILTER (WHERE b.data_date BETWEEN d.day + 61 AND d.day + 90) AS three
    FROM due d JOIN customers_dailyasset b
      ON b.customer_id = d.customer_id AND b.data_date BETWEEN d.day - 89 AND d.day + 90
    GROUP BY d.id
)
UPDATE churn_churnalert a SET
    base_avg = k.base, after_avg = k.three, "left" = least(k.one, k.two, k.three) <= %(threshold)s * k.base
FROM known k WHERE k.id = a.id AND k.base IS NOT NULL AND k.three IS NOT NULL
"""

_SCORES = """
INSERT INTO churn_scoreoutcome (branch_id, data_date, model_id, tenth, rows, said, "left")
SELECT %(branch)s, %(scored)s, max(s.model_id), least(floor(s.probability * 10), 9), count(*), sum(s.probability),
       count(*) FILTER (WHERE m.lowest <= %(threshold)s * m.base)
FROM churn_churnscore s
JOIN customers_customer c ON c.id = s.customer_id
JOIN LATERAL (
    SELECT avg(month_avg) FILTER (WHERE month < %(next)s) AS base,
           min(month_avg) FILTER (WHERE month >= %(next)s) AS lowest,
           count(*) FILTER (WHERE month >= %(next)s) AS months
    FROM customers_monthlyasset
    WHERE customer_id = s.customer_id AND month >= %(first)s AND month < %(next)s::date + interval '3 months'
) m ON m.months = 3 AND m.base >= %(floor)s
WHERE c.branch_id = %(branch)s AND s.data_date = %(scored)s
GROUP BY 4
ON CONFLICT DO NOTHING
"""


# --- read ----------------------------------------------------------------------------------------------


def calibration(branches) -> list[dict]:
    """Return what was said and what happened by month's end, newest first: day, rows, said and left as shares."""
    rows = ScoreOutcome.objects.filter(branch__in=branches).values("data_date")
    rows = rows.annotate(n=Sum("rows"), said=Sum("said"), gone=Sum("left")).order_by("-data_date")[:12]
    return [
        {"day": row["data_date"], "rows": row["n"], "said": row["said"] / row["n"], "left": row["gone"] / row["n"]}
        for row in rows
    ]


def precision(branches) -> list[dict]:
    """Return how many alerts of each month were right, oldest first: month, alerts whose outcome is known, left."""
    alerts = ChurnAlert.objects.filter(customer__branch__in=branches, left__isnull=False)
    rows = alerts.values(month=TruncMonth("opened_on")).annotate(
        known=Count("id"), gone=Count("id", filter=Q(left=True))
    )
    return [row | {"share": row["gone"] / row["known"]} for row in rows.order_by("month")]


def verdicts(branches) -> dict[str, int]:
    """Return how many alerts managers called true, known or wrong: {verdict: number}."""
    alerts = ChurnAlert.objects.filter(customer__branch__in=branches).exclude(verdict="")
    return {row["verdict"]: row["n"] for row in alerts.values("verdict").annotate(n=Count("id")).order_by()}


def help_given(branches) -> dict:
    """Return what acting changed, in yuan an alert, against those drawn to be only watched.

    Returns:
        {"all": Effect, "by_model": [(name, Effect)], "by_playbook": [(words, Effect)]}; the change of average assets
        from the 90 days before to days 61–90 after. Only alerts that took part in the draw are compared.
    """
    drawn = ChurnAlert.objects.filter(customer__branch__in=branches, lot__isnull=False, after_avg__isnull=False)
    rows = list(drawn.select_related("score__model"))
    change = np.array([float(alert.after_avg - alert.base_avg) for alert in rows])
    acted = np.array([alert.status != ChurnAlert.Status.WATCHED for alert in rows], bool)

    def of_groups(labels: list) -> list[tuple]:
        labels = np.array(labels, object)
        return [
            (label, effect.measure(change[labels == label], acted[labels == label])) for label in dict.fromkeys(labels)
        ]

    return {
        "all": effect.measure(change, acted),
        "by_model": of_groups([alert.score.model.name if alert.score.model else "" for alert in rows]),
        "by_playbook": of_groups([playbook.words_for(alert.score.reasons) for alert in rows]),
    }
