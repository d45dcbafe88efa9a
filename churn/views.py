"""Early warning: the list of alerts with its figures, the outcome of each, and the reasons in Customer 360."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from churn import alert_page, alerts, estimator, training
from churn.forms import TABS, AlertFilterForm, SettleForm
from churn.models import ChurnAlert, ChurnScore
from churn.views_model import model_panel
from customers.models import Customer
from staff.masking import name_for
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Scope
from staff.shell import render_page, wants_part

TEMPLATE = "churn/alert_list.html"

may_view = permission_required("churn.view_alert", raise_exception=True)
may_handle = permission_required("churn.handle_alert", raise_exception=True)


@require_GET
@may_view
def alert_list(request):
    """The page; `tab`, `manager` and `reason` filter it, `open` opens a row in place, `after` asks for the rows that follow."""
    context = list_context(request)
    if request.GET.get("after") and wants_part(request):
        return render(request, f"{TEMPLATE}#more", context)
    if not wants_part(request):
        context |= side_context(request)
    return render_page(request, TEMPLATE, context, partial="list")


def list_context(request, *, opened: int | None = None, settle_form: SettleForm | None = None) -> dict:
    """Return the strip, the tabs and the rows: a constant number of queries.

    Args:
        opened: the alert that stands open, in place of the one in the address.
        settle_form: the form of the open one, when it was refused.
    """
    on, scope = localdate(), ChurnAlert.objects.visible_to(request.user)
    form = AlertFilterForm(request.GET, managers=managers_of(request.user))
    tab = form.tab_asked
    figures = alert_page.figures_of(scope, on=on)
    chosen = alert_page.of_tab(form.filter(scope), tab)
    rows, after = alert_page.page_after(chosen, tab=tab, after=request.GET.get("after", ""), on=on)
    opened = opened or form.opened
    shown = next((row for row in rows if row.alert.pk == opened), None)
    return {
        "on": on,
        "form": form,
        "tab": tab,
        "figures": figures,
        "tabs": _tabs(request, tab, figures),
        "rows": rows,
        "opened": shown.alert.pk if shown else None,
        "detail": alert_page.detail_of(shown.alert) if shown else None,
        "settle_form": settle_form or SettleForm(),
        "verdicts": ChurnAlert.Verdict.choices,
        "query": _query(request),
        "next_url": f"{reverse('churn:alert_list')}?{_query(request, after=after)}" if after else "",
        "sees_managers": request.user.scope in (Scope.BENEATH, Scope.ALL),
        "may_handle": request.user.has_perm("churn.handle_alert"),
        "may_log": request.user.has_perm("contacts.log_contact"),
        "look_back": alert_page.LOOK_BACK,
    }


def managers_of(viewer: Staff):
    """Return the managers whose customers the viewer supervises; none for those who see only their own."""
    if viewer.scope not in (Scope.BENEATH, Scope.ALL):
        return Staff.objects.none()
    alerts_in_sight = ChurnAlert.objects.visible_to(viewer)
    return Staff.objects.filter(pk__in=alerts_in_sight.values("customer__manager"))


def side_context(request) -> dict:
    """Return the model panel of those who may see it."""
    if not request.user.has_perm("churn.view_model"):
        return {"panel": None}
    return {"panel": model_panel(request.user)}


def _query(request, **more) -> str:
    kept = {key: request.GET[key] for key in ("tab", "manager", "reason") if request.GET.get(key)}
    return urlencode(kept | {key: value for key, value in more.items() if value})


def _tabs(request, tab: str, figures: dict) -> list[dict]:
    labels = {"waiting": _("To handle"), "working": _("Being followed up"), "settled": _("Settled")}
    return [
        {
            "label": labels[code],
            "url": f"{reverse('churn:alert_list')}?{urlencode({'tab': code})}",
            "count": figures[code],
            "active": code == tab,
        }
        for code in TABS
    ]


# --- actions of a row ----------------------------------------------------------------------------------


def _alert(request, pk: int) -> ChurnAlert:
    return get_object_or_404(ChurnAlert.objects.visible_to(request.user).select_related("customer"), pk=pk)


def _answer(request, message: str, *, undo_url: str = "", kind: str = "ok", status: int = 200, **context):
    """Answer an action: to htmx the list that has changed and a toast, else the page and a message."""
    if not wants_part(request):
        (messages.error if kind == "error" else messages.success)(request, message)
        return redirect(f"{reverse('churn:alert_list')}?{_query(request)}")
    page = list_context(request, **context) | {"toast": message, "undo_url": undo_url, "toast_kind": kind}
    return render(request, "churn/alert_parts.html", page, status=status)


@require_POST
@may_handle
def alert_settle(request, pk):
    """Give an alert its outcome and the cause."""
    alert = _alert(request, pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        said = " ".join(error for errors in form.errors.values() for error in errors)
        return _answer(request, said, kind="error", status=422, opened=pk, settle_form=form)
    try:
        alert = alerts.settle(alert=alert, by=request.user, on=localdate(), **form.cleaned_data)
    except Refused as refusal:
        return _answer(request, str(refusal), kind="error", status=409)
    message = _("{name}: {outcome}").format(
        name=name_for(request.user, alert.customer.name), outcome=alert.get_status_display()
    )
    return _answer(request, message, undo_url=reverse("churn:alert_reopen", args=[pk]))


@require_POST
@may_handle
def alert_follow_up(request, pk):
    """Say that somebody is on it."""
    try:
        alert = alerts.follow_up(alert=_alert(request, pk), by=request.user, on=localdate())
    except Refused as refusal:
        return _answer(request, str(refusal), kind="error", status=409)
    return _answer(request, _("{name} is being followed up").format(name=name_for(request.user, alert.customer.name)))


@require_POST
@may_handle
def alert_reopen(request, pk):
    """Take an outcome back on its day."""
    try:
        alert = alerts.reopen(alert=_alert(request, pk), by=request.user, on=localdate())
    except Refused as refusal:
        return _answer(request, str(refusal), kind="error", status=409)
    return _answer(request, _("Outcome of {name} taken back").format(name=name_for(request.user, alert.customer.name)))


# --- Customer 360 --------------------------------------------------------------------------------------


@require_GET
@may_view
def panel_reasons(request, pk):
    """The newest score of a customer: level, what it means in plain numbers, every reason with its points."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    scores = ChurnScore.objects.visible_to(request.user).filter(customer=customer)
    score = scores.select_related("model").order_by("-data_date").first()
    alert = ChurnAlert.objects.visible_to(request.user).open().filter(customer=customer).first()
    context = {
        "customer": customer,
        "score": score,
        "bars": alert_page.bars_of(score.reasons, most=7) if score else [],
        "tenths": round(score.probability * 10) if score else None,
        "start": starting_probability(score) if score else None,
        "alert": alert,
        "settle_form": SettleForm(),
        "may_handle": request.user.has_perm("churn.handle_alert"),
        "horizon": training.HORIZON_DAYS,
    }
    return render_page(request, "churn/panel_reasons.html", context, partial="panel")


def starting_probability(score: ChurnScore) -> float:
    """Return the probability of the average customer, from which the reasons' points count; 0 for the scorecard."""
    if score.model is None:
        return 0.0
    return float(estimator.sigmoid(estimator.starting_log_odds(score.model.parameters)))
