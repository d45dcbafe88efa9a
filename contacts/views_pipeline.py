"""The pipeline beside the board: the progress table (商机进程表) and the analysis with forecast, funnel and lost reasons."""

from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import board, pipeline_analysis
from contacts.models import Opportunity
from staff import formats
from staff.models import Branch
from staff.refusal import Refused
from staff.roles import HEADS, Scope
from staff.shell import render_page

Stage = Opportunity.Stage
SIZE = 100
OPEN_STAGES = (*board.COLUMNS, Stage.ON_HOLD)

may_view = permission_required("customers.view_customer", raise_exception=True)


def tabs(active: str) -> list[dict]:
    """Return the three looks at the pipeline."""
    looks = (
        ("board", "contacts:opportunity_list", _("Board")),
        ("table", "contacts:opportunity_table", _("Progress table")),
        ("analysis", "contacts:opportunity_analysis", _("Analysis")),
    )
    return [{"label": label, "url": reverse(route), "active": key == active} for key, route, label in looks]


class TableForm(forms.Form):
    """Which open opportunities: of a stage, of a kind, only what is overdue, only the viewer's own."""

    stage = forms.ChoiceField(
        choices=[("", gettext_lazy("All stages")), *((stage.value, stage.label) for stage in OPEN_STAGES)], required=False,
        label=gettext_lazy("Stage"),
    )  # fmt: skip
    kind = forms.ChoiceField(
        choices=[("", gettext_lazy("All kinds")), *Opportunity.Kind.choices], required=False, label=gettext_lazy("Kind")
    )
    overdue = forms.BooleanField(required=False, label=gettext_lazy("Only overdue"))
    mine = forms.BooleanField(required=False, label=gettext_lazy("Only mine"))
    after = forms.IntegerField(required=False, min_value=0, max_value=100_000)


@require_GET
@may_view
def opportunity_table(request):
    """Open opportunities as rows, the next step first; `stage`, `kind`, `overdue`, `mine` and `after` (rows passed over)."""
    on, form = timezone.localdate(), TableForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    rows = board.visible_opportunities(
        staff=request.user, mine=bool(asked.get("mine")), kind=asked.get("kind") or "", on=on
    )
    rows = rows.open()
    if asked.get("stage"):
        rows = rows.filter(stage=asked["stage"])
    if asked.get("overdue"):
        rows = rows.filter(Q(next_action_on__lt=on) | Q(resume_on__lt=on, stage=Stage.ON_HOLD))
    passed = asked.get("after") or 0
    placed = rows.select_related("customer", "owner", "product").defer(
        "customer__id_no", "customer__mobile", "customer__address"
    )
    found = list(placed.order_by("next_action_on", "pk")[passed : passed + SIZE + 1])
    kept = {name: value for name, value in asked.items() if value and name != "after"}
    context = {
        "form": form,
        "cards": [board.card_of(opportunity, on) for opportunity in found[:SIZE]],
        "totals": pipeline_analysis.totals_of(rows),
        "next_url": f"?{urlencode(kept | {'after': passed + SIZE})}" if len(found) > SIZE else "",
        "passed": passed,
        "tabs": tabs("table"),
        "sees_others": request.user.scope != Scope.OWN,
    }
    return render_page(request, "contacts/opportunity_table.html", context)


# --- analysis ------------------------------------------------------------------------------------------


class TargetForm(forms.Form):
    """Reads an outlet's target of a month; `pipeline_analysis.set_target` writes it."""

    month = forms.DateField(
        label=gettext_lazy("Month"), input_formats=["%Y-%m"],
        widget=forms.DateInput(format="%Y-%m", attrs={"type": "month", "class": "form-control"}),
    )  # fmt: skip
    amount = forms.DecimalField(
        label=gettext_lazy("Target in yuan"), min_value=1, max_digits=16, decimal_places=2,
        widget=forms.NumberInput(attrs={"class": "form-control", "step": 10_000}),
    )  # fmt: skip


@require_GET
@may_view
def opportunity_analysis(request):
    """Forecast with pace against target, funnel, lost reasons; of what the viewer may see."""
    return render_page(request, "contacts/opportunity_analysis.html", _analysis(request))


def _analysis(request, form: TargetForm | None = None) -> dict:
    on, staff = timezone.localdate(), request.user
    rows = Opportunity.objects.visible_to(staff)
    rows = rows.filter(owner=staff) if staff.scope == Scope.OWN else rows
    branches = Branch.objects.all() if staff.scope == Scope.ALL else Branch.objects.under(staff.branch_id)
    months = pipeline_analysis.forecast(rows, branches if staff.scope != Scope.OWN else [], on=on)
    steps, lost = pipeline_analysis.funnel(rows, on=on), pipeline_analysis.lost_reasons(rows, on=on)
    return {
        "tabs": tabs("analysis"),
        "months": months,
        "forecast": _forecast_chart(months),
        "forecast_title": _forecast_title(months),
        "pace": pipeline_analysis.pace_of(months, on=on),
        "steps": steps,
        "most": max((step.number for step in steps), default=0) or 1,
        "slowest": pipeline_analysis.slowest(steps),
        "lost": lost,
        "win_rate": pipeline_analysis.win_rate(rows, on=on),
        "look_back": pipeline_analysis.LOOK_BACK,
        "may_set": staff.role in HEADS,
        "form": form or TargetForm(initial={"month": on.replace(day=1)}),
    }


def _forecast_chart(months: list) -> dict:
    scale = 10_000 if formats.chinese() else 1_000
    series = (("won", _("won"), "--ok"), ("weighted", _("weighted"), "--primary"), ("target", _("target"), "--ink-3"))
    return {
        "labels": [f"{month.first:%Y-%m}" for month in months],
        "series": [
            {
                "name": label, "color": color,
                "data": [None if (value := getattr(month, name)) is None else float(value) / scale for month in months],
            }
            for name, label, color in series
        ],
        "unit": formats.column_unit(),
    }  # fmt: skip


def _forecast_title(months: list) -> str:
    ahead = sum(month.weighted for month in months[pipeline_analysis.MONTHS_BACK :])
    return _("Forecast: {money} weighted in six months").format(money=formats.money(ahead))


@require_POST
@may_view
def target_set(request):
    """Keep the target of the viewer's outlet."""
    form = TargetForm(request.POST)
    if request.user.role not in HEADS:
        return redirect("contacts:opportunity_analysis")
    if form.is_valid():
        try:
            pipeline_analysis.set_target(
                branch=request.user.branch, by=request.user, on=timezone.localdate(), **form.cleaned_data
            )
        except Refused as refusal:
            form.add_error("month", str(refusal))
        else:
            messages.success(request, _("The target is kept."))
            return redirect("contacts:opportunity_analysis")
    return render_page(request, "contacts/opportunity_analysis.html", _analysis(request, form), status=422)
