"""The model: its figures beside early warning, the page that compares versions, and how it is computed."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Max, Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from churn import estimator, features, levels, monitoring, reasons, training
from churn.alerts import DUE_DAYS, LEAST_AT_RISK, QUIET_DAYS
from churn.models import ChurnModelVersion, Level, ScoringRun
from staff.models import Branch, Staff
from staff.refusal import Refused
from staff.roles import Scope

PANEL_DRIFT = 4
VERSIONS = 12
"""Versions compared on the page, the newest."""


def branches_of(viewer: Staff):
    """Return the branches whose figures a viewer sees."""
    return Branch.objects.all() if viewer.scope == Scope.ALL else Branch.objects.under(viewer.branch_id)


def model_panel(viewer: Staff) -> dict:
    """Return what stands beside the alerts: version, four figures, calibration, lift, drift. Three queries at most."""
    version = training.in_force()
    run = last_run(viewer)
    if version is None:
        return {"version": None, "run": run}
    drift = monitoring.drift_of(version, branches_of(viewer))
    return {"version": version, "run": run, "drift": drift[:PANEL_DRIFT]} | charts_of(version, drift)


def last_run(viewer: Staff) -> dict:
    """Return when the newest scores were written, how many and in how many seconds: day, at, scored, seconds."""
    runs = ScoringRun.objects.filter(branch__in=branches_of(viewer))
    newest = runs.order_by("-data_date").values("data_date")[:1]
    return runs.filter(data_date=newest).aggregate(
        day=Max("data_date"), at=Max("scored_at"), scored=Sum("scored"), seconds=Sum("seconds")
    )


def charts_of(version: ChurnModelVersion, drift: list[dict]) -> dict:
    """Return the charts of a version's back-test with their findings as titles."""
    backtest = version.backtest
    return {
        "figures": version.figures,
        "calibration": monitoring.calibration_chart(backtest),
        "calibration_title": monitoring.calibration_title(backtest),
        "lift": monitoring.lift_chart(backtest),
        "lift_title": monitoring.lift_title(backtest),
        "drift_title": monitoring.drift_title(drift),
    }


@require_GET
@permission_required("churn.view_model", raise_exception=True)
def model(request):
    """Every version side by side with its back-test; the chosen one (`version`) in full."""
    versions = list(ChurnModelVersion.objects.select_related("released_by").order_by("-trained_at", "-pk")[:VERSIONS])
    context = {"versions": versions, "gate": monitoring.gate_words(), "losses_needed": training.MIN_LOSSES}
    if versions:
        asked = request.GET.get("version")
        in_force = next((each for each in versions if each.status == ChurnModelVersion.Status.RELEASED), versions[0])
        context |= _version_context(next((each for each in versions if each.name == asked), in_force), request.user)
        columns = [(each.name, each.figures) for each in versions]
        context["side_by_side"] = monitoring.figure_rows(columns)
    context["may_release"] = request.user.has_perm("churn.release_model")
    return render(request, "churn/model.html", context)


def _version_context(version: ChurnModelVersion, viewer: Staff) -> dict:
    drift = monitoring.drift_of(version, branches_of(viewer))
    candidates = version.backtest["candidates"]
    columns = [(label, candidates[name]) for name, label in monitoring.CANDIDATES.items() if name in candidates]
    return {
        "version": version,
        "training": version.backtest["training"],
        "heads": [head for head, _figures in columns],
        "figure_rows": monitoring.figure_rows(columns),
        "folds": [fold | {"chosen": fold.get(version.algorithm, {})} for fold in version.backtest["folds"]],
        "honest_word": monitoring.honest_word(version),
        "drift": drift,
        "levels": version.parameters["levels"],
        "is_whole": estimator.fingerprint(version.parameters) == version.sha256,
    } | charts_of(version, drift)


@require_POST
@permission_required("churn.release_model", raise_exception=True)
def model_release(request, pk):
    """Put a version in force."""
    version = get_object_or_404(ChurnModelVersion, pk=pk)
    try:
        training.release(version=version, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, _("Model {name} is in force; the next night scores with it.").format(name=version.name)
        )
    return redirect(f"{reverse('churn:model')}?version={version.name}")


@require_GET
@permission_required("churn.view_alert", raise_exception=True)
def how(request):
    """How a probability comes about, in words, with the numbers of the version in force."""
    version = training.in_force()
    groups: dict[str, list] = {code: [] for code in reasons.REASONS}
    for name, code in features.FEATURES.items():
        groups[code].append(monitoring.LABELS[name])
    limits = version.parameters["levels"] if version else levels.chosen([])
    context = {
        "version": version,
        "figures": version.figures if version else {},
        "groups": [(reasons.cause(code), labels) for code, labels in groups.items()],
        "feature_count": len(features.NAMES),
        "start": float(estimator.sigmoid(estimator.starting_log_odds(version.parameters))) if version else None,
        "limits": limits,
        "hard_share": levels.HARD_SHARE,
        "hard_amount": levels.HARD_AMOUNT,
        "threshold": training.THRESHOLD,
        "horizon": training.HORIZON_DAYS,
        "history_days": features.HISTORY_DAYS,
        "losses_needed": training.MIN_LOSSES,
        "due_high": DUE_DAYS[Level.HIGH],
        "due_medium": DUE_DAYS[Level.MEDIUM],
        "quiet_days": QUIET_DAYS,
        "least": LEAST_AT_RISK,
    }
    return render(request, "churn/how.html", context)
