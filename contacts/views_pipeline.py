"""The pipeline beside the board: the progress table (商机进程表) and the analysis with forecast, funnel and lost reasons."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.cache import cache
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import board, pipeline_analysis
from contacts.models import Opportunity
from contacts.opportunity_sources import WORDS
from staff import formats
from staff.models import Branch
from staff.refusal import Refused
from staff.roles import HEADS, Scope
from staff.shell import render_page

Stage = Opportunity.Stage
SIZE = 100
FIGURES_LAST = 600
"""Seconds for which figures of many outlets are kept."""

OPEN_STAGES = (*board.COLUMNS, Stage.ON_HOLD)

may_view = permission_required("customers.view_customer", raise_exception=True)


def looks(active: str, filters: board.Filters) -> dict:
    """Return what the three looks at the pipeline share: their tabs, which keep the filters, and what may be chosen."""
    known = (
        ("board", "contacts:opportunity_list", _("Board")),
        ("table", "contacts:opportunity_table", _("Progress table")),
        ("analysis", "contacts:opportunity_analysis", _("Analysis")),
    )
    return {
        "tabs": [
            {"label": label, "url": f"{reverse(route)}?{filters.query()}", "active": key == active}
            for key, route, label in known
        ],
        "chosen": filters,
        "kinds": Opportunity.Kind.choices,
        "sources": WORDS.items(),
    }


@require_GET
@may_view
def opportunity_table(request):
    """Open opportunities as rows, the next step first; `stage` and `after` (rows passed over) besides the shared filters."""
    on, query = timezone.localdate(), request.GET
    filters = board.filters_of(query, staff=request.user)
    stage = query.get("stage", "") if query.get("stage", "") in OPEN_STAGES else ""
    after = query.get("after", "")
    passed = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0
    rows = board.visible_opportunities(staff=request.user, filters=filters, on=on).open()
    rows = rows.filter(stage=stage) if stage else rows
    placed = rows.select_related("customer", "owner", "product").defer(
        "customer__id_no", "customer__mobile", "customer__address"
    )
    found = list(placed.order_by("next_action_on", "pk")[passed : passed + SIZE + 1])
    context = {
        "stage": stage,
        "stages": [(one.value, one.label) for one in OPEN_STAGES],
        "cards": [board.card_of(opportunity, on) for opportunity in found[:SIZE]],
        "totals": kept_for_many(request.user, f"table:{stage}", filters, on, lambda: pipeline_analysis.totals_of(rows)),
        "first_url": f"?{filters.query(stage=stage)}",
        "next_url": f"?{filters.query(stage=stage, after=passed + SIZE)}" if len(found) > SIZE else "",
        "passed": passed,
        **looks("table", filters),
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
    filters = board.filters_of(request.GET, staff=staff)
    rows = board.visible_opportunities(staff=staff, filters=filters, on=on)
    kept = kept_for_many(staff, "pipeline", filters, on, lambda: _figures(rows, staff, on))
    months, steps, lost = kept["months"], kept["steps"], kept["lost"]
    return {
        **looks("analysis", filters),
        "months": months,
        "forecast": _forecast_chart(months),
        "forecast_title": _forecast_title(months),
        "pace": pipeline_analysis.pace_of(months, on=on),
        "steps": steps,
        "most": max((step.number for step in steps), default=0) or 1,
        "slowest": pipeline_analysis.slowest(steps),
        "lost": lost,
        "win_rate": kept["win_rate"],
        "look_back": pipeline_analysis.LOOK_BACK,
        "may_set": staff.role in HEADS,
        "form": form or TargetForm(initial={"month": on.replace(day=1)}),
    }


def kept_for_many(staff, name: str, filters: board.Filters, on, count):
    """Return what `count` says, numbers alone; a few minutes old for those who see many outlets, for whom it takes seconds."""
    if not staff.sees_many or filters.mine:
        return count()
    key = f"{name}:{staff.scope}:{staff.branch_id}:{on}:{get_language()}:{filters.query()}"
    kept = cache.get(key)
    if kept is None:
        kept = count()
        cache.set(key, kept, FIGURES_LAST)
    return kept


def _figures(rows, staff, on) -> dict:
    branches = Branch.objects.all() if staff.scope == Scope.ALL else Branch.objects.under(staff.branch_id)
    return {
        "months": pipeline_analysis.forecast(rows, branches if staff.scope != Scope.OWN else [], on=on),
        "steps": pipeline_analysis.funnel(rows, on=on),
        "lost": pipeline_analysis.lost_reasons(rows, on=on),
        "win_rate": pipeline_analysis.win_rate(rows, on=on),
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
