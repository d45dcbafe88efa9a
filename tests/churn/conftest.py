"""A model that was not trained but written down, so that tests of scoring and alerts are quick and exact."""

import pytest
from django.utils import timezone

from churn import estimator, features
from churn.models import ChurnModelVersion


def written_model(**changes) -> ChurnModelVersion:
    """Release a model of two features: how far the balance has fallen, and the season, which never counts."""
    fall = {
        "name": "end_to_base", "median": 1.0, "edges": [0.0, 0.5, 1.0], "mean": [0.9, 0.9], "scale": [0.5, 0.5],
        "weights": [-2.0, -1.5],
    }  # fmt: skip
    contact = {
        "name": "days_since_contact", "median": 30.0, "edges": [0.0, 365.0], "mean": [0.5], "scale": [0.5], "weights": [0.2],
    }  # fmt: skip
    parameters = {
        "members": [{"form": "lines", "features": [fall, contact], "intercept": -2.5}],
        "slope": 1.0,
        "offset": 0.0,
        "levels": {"high": 0.6, "medium": 0.3, "by": "rule", "share": 0.04},
        "drift": {"end_to_base": {"edges": [0.5, 0.9], "shares": [0.1, 0.2, 0.7]}},
        "names": list(features.NAMES),
    }
    figures = {
        "pr_auc": 0.5, "roc_auc": 0.84, "lift": 4.7, "capture": 0.47, "capture_money": 0.44, "brier": 0.071, "ece": 0.01,
        "rows": 9000, "customers": 3214, "losses": 500, "base_rate": 0.05,
    }  # fmt: skip
    report = {
        "candidates": {"logistic": figures, "trees": figures | {"pr_auc": 0.52}, "rule": figures | {"pr_auc": 0.4}},
        "folds": [],
        "calibration": [{"predicted": 0.4, "actual": 0.38, "share": 0.1, "rows": 900}],
        "lift": [{"rows": 900, "losses": 235, "lift": 4.7}],
        "training": {
            "rows": 20000, "customers": 4000, "vip_rows": 15000, "losses": 900, "vip_losses": 700, "floor": 100000.0,
        },
    }  # fmt: skip
    values = {
        "name": "2026-10-31", "algorithm": "logistic", "trained_at": timezone.now(), "data_from": "2024-05-01",
        "data_to": "2026-10-31", "parameters": parameters, "sha256": estimator.fingerprint(parameters),
        "backtest": report, "passed_gate": True, "status": "released",
    }  # fmt: skip
    return ChurnModelVersion.objects.create(**(values | changes))


@pytest.fixture
def model(db):
    return written_model()
