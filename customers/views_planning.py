"""The page of planning: how many people the customers take, what other quotas would do, and keeping them."""

from collections.abc import Mapping
from dataclasses import replace

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import quota_rules, staffing
from customers.ladder import rating_day
from customers.load import MANAGERS
from customers.models import AssignmentRule, Tier
from customers.quota_rules import PARAMETERS, QuotaRules, code_of
from staff import formats
from staff.models import Branch
from staff.refusal import Refused
from staff.roles import Role
from staff.shell import render_page

TEMPLATE = "customers/planning.html"
ROWS, FULL_ROWS = 200, 30

may_view = permission_required("customers.view_rules", raise_exception=True)
may_edit = permission_required("customers.edit_rules", raise_exception=True)


class QuotaForm(forms.ModelForm):
    """Reads a set of quotas, the load limit and the gold routing; one field for each (role, tier) that has a quota."""

    effective_from = forms.DateField(
        label=gettext_lazy("In force from"), widget=forms.DateInput(attrs={"type": "date", "class": "form-control"})
    )

    class Meta:
        model = AssignmentRule
        fields = PARAMETERS

    def __init__(self, *args, held: QuotaRules, **kwargs):
        super().__init__(*args, **kwargs)
        self.held = held
        for role, tiers in held.quotas.items():
            for tier, quota in tiers.items():
                number = forms.IntegerField(min_value=1, max_value=2000, initial=quota.number)
                number.label = f"{Role(role).label} · {tier.label if tier else _('Potential')}"
                self.fields[code_of((role, tier))] = number
        self.fields["load_limit"].widget.attrs |= {"min": 100, "max": 300, "step": 5}
        for name in PARAMETERS:
            self.fields[name].initial = getattr(held.rule, name)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "form-select" if name == "gold_routing_mode" else "form-control"

    def rules(self) -> QuotaRules:
        """Return what was read."""
        said = self.cleaned_data
        quotas = {
            role: {tier: replace(quota, number=said[code_of((role, tier))]) for tier, quota in tiers.items()}
            for role, tiers in self.held.quotas.items()
        }
        return QuotaRules(quotas, AssignmentRule(**{name: said[name] for name in PARAMETERS}))

    def grid(self):
        """Return [(role, [bound field or None per tier, diamond first])]: managers first."""
        roles = sorted(self.held.quotas, key=lambda role: (role not in MANAGERS, list(Role).index(Role(role))))
        return [
            (
                Role(role).label,
                [self[code_of((role, tier))] if tier in self.held.quotas[role] else None for tier in reversed(Tier)],
            )
            for role in roles
        ]


@require_GET
@may_view
def planning(request):
    """Show the need of the outlets in sight, or of one, and a form to try other quotas."""
    held = QuotaRules.in_force(localdate())
    form = QuotaForm(held=held, initial={"effective_from": rating_day(localdate()).isoformat()})
    return render_page(request, TEMPLATE, _context(request, request.GET, form, held))


@require_POST
@may_view
def planning_simulate(request):
    """Show what the quotas of the form would do; nothing is written."""
    on = localdate()
    held = QuotaRules.in_force(on)
    form = QuotaForm({"effective_from": on.isoformat()} | request.POST.dict(), held=held)
    context = _context(request, request.POST, form, held)
    if form.is_valid():
        then = form.rules()
        try:
            quota_rules.check(then)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            branches = [context["branch"]] if context["branch"] else context["outlets"]
            outcome = staffing.simulate(viewer=request.user, branches=branches, now=held, then=then, on=on)
            context |= {
                "outcome": outcome,
                "changes": _changes(held.differences(then)),
                "full": outcome.full[:FULL_ROWS],
            }
            context |= {"sums": (outcome.total("before"), outcome.total("after"))}
    return render_page(request, TEMPLATE, context, status=422 if form.errors else 200)


@require_POST
@may_edit
def planning_save(request):
    """Keep the quotas for the day they begin."""
    on = localdate()
    held = QuotaRules.in_force(on)
    form = QuotaForm(request.POST, held=held)
    if form.is_valid():
        begins = form.cleaned_data["effective_from"]
        try:
            quota_rules.save(rules=form.rules(), effective_from=begins, by=request.user, on=on)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved; in force from {day}.").format(day=formats.day(begins, today=on)))
            return redirect("customers:planning")
    return render_page(request, TEMPLATE, _context(request, request.POST, form, held), status=422)


@require_POST
@may_edit
def planning_withdraw(request, pk):
    """Take back quotas that lie ahead."""
    rule = get_object_or_404(AssignmentRule, pk=pk)
    try:
        quota_rules.withdraw(effective_from=rule.effective_from, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The rules were withdrawn; those in force go on."))
    return redirect("customers:planning")


def _changes(differences: Mapping) -> list[dict]:
    """Return [{label, before, after}] of what differs, in words."""
    return [
        {"label": _label(key), "before": _said(key, before), "after": _said(key, after)}
        for key, (before, after) in differences.items()
    ]


def _label(key) -> str:
    if key in PARAMETERS:
        return str(AssignmentRule._meta.get_field(key).verbose_name)
    role, tier = key
    return f"{Role(role).label} · {Tier(tier).label if tier else _('Potential')}"


def _said(key, value) -> str:
    return str(AssignmentRule.Routing(value).label) if key == "gold_routing_mode" else f"{value:,}"


def _context(request, data, form: QuotaForm, held: QuotaRules) -> dict:
    on = localdate()
    outlets = list(Branch.objects.under(request.user.branch_id).active().outlets().order_by("code"))
    asked = str(data.get("branch", ""))
    branch = next((outlet for outlet in outlets if str(outlet.pk) == asked), None)
    if asked and branch is None:
        raise Http404
    branch = branch or (outlets[0] if len(outlets) == 1 else None)
    rows = staffing.needs(viewer=request.user, branches=[branch] if branch else outlets, rules=held)
    before, coming = held, []
    for rule in AssignmentRule.objects.ahead(on).select_related("made_by"):
        following = QuotaRules.in_force(rule.effective_from)
        coming.append({"rule": rule, "changes": _changes(before.differences(following))})
        before = following
    return {
        "form": form,
        "outlets": outlets,
        "branch": branch,
        "need": rows[0] if branch else None,
        "rows": [] if branch else rows[:ROWS],
        "row_count": len(rows),
        "short": sum(1 for need in rows if need.missing > 0),
        "coming": coming,
        "tiers": [tier.label if tier else _("Potential") for tier in reversed(Tier)],
        "may_edit": request.user.has_perm("customers.edit_rules"),
    }
