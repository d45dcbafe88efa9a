"""Whether early warning is right and whether acting on it helps; how much of it is given out; the record of its impact."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from churn import monitoring, outcomes, training
from churn.forms import AssessmentForm, PolicyForm
from churn.models import AlertPolicy, ChurnAlert, ChurnModelVersion
from churn.policy import set_policy
from churn.views_model import branches_of
from customers.models import Tier
from staff import audit
from staff.models import Branch, NightRun
from staff.refusal import Refused
from staff.shell import render_page

TEMPLATE = "churn/outcomes.html"
MOST_BRANCHES = 20

may_view = permission_required("churn.view_model", raise_exception=True)
may_decide = permission_required("churn.release_model", raise_exception=True)


@require_GET
@may_view
def outcome_page(request):
    """Calibration and alerts as they were lived, the effect of acting, the policy, the assessments."""
    return render_page(request, TEMPLATE, context_of(request))


def context_of(request, **forms) -> dict:
    """Return the page's context; `policy_form` and `assessment_form` in place of empty ones."""
    branches, on = branches_of(request.user), localdate()
    version = training.in_force()
    backtest = version.backtest if version else {}
    lived, right, help_given = (
        outcomes.calibration(branches),
        outcomes.precision(branches),
        outcomes.help_given(branches),
    )
    said = outcomes.verdicts(branches)
    policy = AlertPolicy.objects.in_force(on)
    return {
        "version": version,
        "lived": lived,
        "lived_chart": monitoring.lived_chart(lived),
        "lived_title": monitoring.lived_title(lived),
        "right": right,
        "right_chart": monitoring.precision_chart(right),
        "right_title": monitoring.precision_title(right),
        "curve": monitoring.curve_chart(backtest),
        "curve_title": monitoring.curve_title(backtest),
        "effect": monitoring.help_words(help_given["all"]),
        "effects": [
            (head, [(label or _("scorecard"), monitoring.help_words(found)) for label, found in help_given[key]])
            for key, head in (("by_model", _("By model")), ("by_playbook", _("By what was done")))
        ],
        "verdicts": [(verdict.label, said.get(verdict.value, 0)) for verdict in ChurnAlert.Verdict],
        "by_tier": [(Tier(part["label"]).label, part) for part in backtest.get("by_tier", [])],
        "by_branch": _by_branch(backtest, branches),
        "policy": policy,
        "coming": AlertPolicy.objects.filter(valid_from__gt=on).order_by("valid_from"),
        "policy_form": PolicyForm(instance=AlertPolicy(**_values(policy))),
        "assessments": version.assessments.select_related("by").order_by("-at") if version else [],
        "assessment_form": AssessmentForm(),
        "may_decide": request.user.has_perm("churn.release_model"),
        "data_date": NightRun.objects.last_complete_date(),
        "on": on,
    } | forms


def _values(policy: AlertPolicy) -> dict:
    return {"weekly_capacity": policy.weekly_capacity, "holdout_percent": policy.holdout_percent}


def _by_branch(backtest: dict, branches) -> list[tuple[str, dict]]:
    """Return the figures of the outlets in sight, the largest first."""
    parts = {part["label"]: part for part in backtest.get("by_branch", [])}
    names = dict(
        Branch.objects.filter(pk__in=set(parts) & set(branches.values_list("pk", flat=True))).values_list("pk", "name")
    )
    return [(names[key], part) for key, part in parts.items() if key in names][:MOST_BRANCHES]


@require_POST
@may_decide
def policy_set(request):
    """Keep how many alerts are given out from a later day on."""
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return render_page(request, TEMPLATE, context_of(request, policy_form=form), status=422)
    try:
        policy = set_policy(**form.cleaned_data, by=request.user, on=localdate())
    except Refused as refusal:
        form.add_error("valid_from", str(refusal))
        return render_page(request, TEMPLATE, context_of(request, policy_form=form), status=422)
    messages.success(request, _("Kept; in force from {day}.").format(day=policy.valid_from.isoformat()))
    return redirect("churn:outcomes")


@require_POST
@may_decide
def assessment_add(request, pk):
    """Keep the record of an impact assessment of a version; it never changes."""
    version = get_object_or_404(ChurnModelVersion, pk=pk)
    form = AssessmentForm(request.POST)
    if not form.is_valid():
        return render_page(request, TEMPLATE, context_of(request, assessment_form=form), status=422)
    form.instance.model, form.instance.by = version, request.user
    audit.record("model.assessed", version, by=request.user, assessment=form.save().pk)
    messages.success(request, _("The assessment is on record."))
    return redirect("churn:outcomes")
