"""The pages of an outlet: its weeks as a heat map, rules by window, the customers behind each figure; the morning meeting."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import compliance, morning
from contacts.festivals import coming
from contacts.models import Compliance, Escalation, FrequencyRule
from staff.models import Branch
from staff.refusal import Refused
from staff.shell import render_page

SHOWN, OVERDUE_SHOWN = 200, 30
SHOWABLE_RULES = [code.value for code in FrequencyRule.Code if code != FrequencyRule.Code.GOLD_INACTIVE]

may_see = permission_required("contacts.view_compliance", raise_exception=True)


@require_GET
@may_see
def compliance_page(request):
    """How an outlet, or a member, keeps the regime: the heat map, each rule's windows, what is overdue."""
    on, branch, outlets = localdate(), *_outlet(request)
    mondays, lines = compliance.heat_of(viewer=request.user, branch=branch, on=on)
    days, late = compliance.overdue(viewer=request.user, on=on)
    late = late.filter(customer__branch=branch) if request.user.sees_many else late
    context = {
        "branch": branch,
        "outlets": outlets,
        "mondays": mondays,
        "lines": lines,
        "rules": compliance.rules_of(viewer=request.user, branch=branch, on=on),
        "days": days,
        "late": late[:OVERDUE_SHOWN],
        "late_count": late.count(),
        "escalation": _escalation(request.user) if request.user.has_perm("customers.edit_rules") else [],
    }
    return render_page(request, "contacts/compliance.html", context)


def _escalation(viewer) -> list[tuple[str, str, int]]:
    """Return (name of the field, who, days) of each step."""
    held = dict(Escalation.objects.values_list("role", "days"))
    labels = dict(Escalation._meta.get_field("role").choices)
    return [(f"days-{role}", labels[role], held.get(role, "")) for role in compliance.ESCALATES]


@require_POST
@permission_required("customers.edit_rules", raise_exception=True)
def escalation_set(request):
    """Keep from how many days overdue each step looks at a task of the regime."""
    said = {role: request.POST.get(f"days-{role}", "") for role in compliance.ESCALATES}
    days = {role: int(text) for role, text in said.items() if text.isascii() and text.isdigit() and len(text) < 4}
    try:
        compliance.set_escalation(days=days, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Kept"))
    return redirect("contacts:compliance")


@require_GET
@may_see
def compliance_window(request, rule, first):
    """The customers behind a figure: who missed a window, or all of it, of whom."""
    if rule not in SHOWABLE_RULES:
        raise Http404
    try:
        day = date.fromisoformat(first)
    except ValueError:
        raise Http404 from None
    branch, _outlets = _outlet(request)
    rows = Compliance.objects.visible_to(request.user).filter(branch=branch, rule=rule, window_first=day)
    state = request.GET.get("state", Compliance.State.MISSED)
    state = state if state in Compliance.State.values else Compliance.State.MISSED
    shown = (
        rows.filter(state=state).select_related("customer", "staff").order_by("staff__staff_no", "-customer__aum", "pk")
    )
    context = {
        "branch": branch,
        "rule": FrequencyRule.Code(rule),
        "first": day,
        "last": rows.values_list("window_last", flat=True).first(),
        "state": state,
        "states": [(value, label, rows.filter(state=value).count()) for value, label in Compliance.State.choices],
        "rows": shown[:SHOWN],
    }
    return render_page(request, "contacts/compliance_window.html", context)


@require_GET
@permission_required("customers.assign_customer", raise_exception=True)
def morning_sheet(request):
    """The sheet of an outlet's morning meeting, to show and to print."""
    branch, outlets = _outlet(request)
    sheet = morning.sheet_of(viewer=request.user, branch=branch, on=localdate())
    context = {
        "branch": branch,
        "outlets": outlets,
        "sheet": sheet,
        "on": localdate(),
        "festivals": coming(localdate()),
    }
    return render_page(request, "contacts/morning.html", context)


def _outlet(request) -> tuple[Branch, list[Branch]]:
    """Return the outlet to show and those to choose from; a member's own for who sees only his."""
    if not request.user.sees_many:
        return request.user.branch, []
    outlets = Branch.objects.under(request.user.branch_id).active().outlets().order_by("code")
    asked = request.GET.get("branch", "")
    if asked:
        return get_object_or_404(outlets, pk=asked if asked.isdigit() and len(asked) < 19 else 0), list(outlets)
    own = outlets.filter(pk=request.user.branch_id).first()
    return own or outlets.first() or request.user.branch, list(outlets)
