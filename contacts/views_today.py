"""Today: the ranked list of the day with its figures, putting off and dismissing."""

from collections import defaultdict
from datetime import date, timedelta
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from contacts import agenda, calendar, meters, regime
from contacts.forms import DismissForm, SnoozeForm
from contacts.models import ContactLog, ContactTask
from contacts.reasons import CAUSES
from customers.models import Customer
from customers.working_days import working_days_left
from staff import formats
from staff.refusal import Refused
from staff.shell import render_page, wants_part

ROWS = 30
"""Rows drawn at first; the rest on demand."""

MOST_AT_ONCE = 200

KINDS = ("all", "alert", "regime", "event", "opportunity", "manual", "done")


@require_GET
@permission_required("contacts.log_contact", raise_exception=True)
def today(request):
    """The page; `kind` filters it, `month` chooses the calendar's month, `all` draws every row."""
    context = today_context(request)
    return render_page(request, "contacts/today.html", context | side_context(request, context["work"]))


def today_context(request) -> dict:
    """Return what the list, the tabs and the figures of Today show: a constant number of queries."""
    staff, on = request.user, timezone.localdate()
    kind = chosen_kind(request)
    rules = regime.rules_in_force(on)
    work = agenda.today(staff=staff, on=on, kind="all" if kind == "done" else kind)
    limit = None if "all" in request.GET else ROWS
    groups = work.groups(limit)
    drawn = [row for _code, rows in groups for row in rows]
    words = agenda.last_words_of([row.customer.pk for row in drawn])
    for row in drawn:
        row.meter = meters.meter_of(row.customer, rules)
        row.last_words = words.get(row.customer.pk, "") if row.lead.task.reason != "planned" else ""
    done = done_of(staff=staff, on=on)
    return {
        "on": on,
        "kind": kind,
        "work": work,
        "groups": [{"code": code, "title": _group_title(code), "rows": rows} for code, rows in groups],
        "shown": len(work.shown[:limit]),
        "first_customer": work.shown[0].customer if work.shown else None,
        "tabs": _tabs(kind, work, done),
        "done": done,
        "strip": meters.strip_of(staff=staff, on=on, rules=rules),
        "rules": rules,
        "days_left_month": working_days_left(on, regime.month_of(on).last),
        "days_left_week": working_days_left(on, regime.week_of(on).last),
        "lunar": calendar.lunar_day(on),
        "snooze_days": snooze_days(on),
    }


def chosen_kind(request) -> str:
    """Return the tab: of the form, of the address, or of the page that htmx asks from; all of them otherwise."""
    given = request.POST.get("kind") or request.GET.get("kind") or query_behind(request).get("kind")
    return given if given in KINDS else "all"


def query_behind(request) -> QueryDict:
    """Return the query of the page from which htmx sends a request, empty where there is none."""
    current = request.htmx.current_url if wants_part(request) else None
    return QueryDict(urlsplit(current or "").query)


def is_behind(request) -> bool:
    """Say whether Today is the page behind the drawer: as the form says, else by the address that htmx asks from."""
    given = request.POST.get("behind") or request.GET.get("behind")
    if given:
        return given == "today"
    path = urlsplit((request.htmx.current_url if wants_part(request) else None) or "").path
    return path in ("", reverse("contacts:today")) or path.endswith("/log/")


def side_context(request, work: agenda.Today) -> dict:
    """Return what stands beside the list: the month, today's plans, money at risk by cause."""
    staff, on = request.user, timezone.localdate()
    month = _month_of(request.GET.get("month", ""), on)
    return {
        "month": month,
        "weeks": calendar.month_for(staff=staff, month=month, on=on),
        "month_before": (month - timedelta(days=1)).strftime("%Y-%m"),
        "month_after": (regime.month_of(month).last + timedelta(days=1)).strftime("%Y-%m"),
        "plans": [
            (row, item)
            for row in work.rows
            for item in row.items
            if item.task.source in ("manual", "opportunity") and item.task.due_on == on
        ],
        "causes": causes_of(work),
    }


def causes_of(work: agenda.Today) -> list[dict]:
    """Return the money at risk of open alerts by their first cause, largest first, as shares of the largest."""
    money: dict[str, object] = defaultdict(int)
    for row in work.rows:
        for item in row.items:
            if item.task.source == ContactTask.Source.ALERT:
                reasons = item.task.figures.get("reasons") or [{"code": ""}]
                money[str(CAUSES.get(reasons[0]["code"], _("Other")))] += item.task.stake
    ordered = sorted(money.items(), key=lambda pair: -pair[1])[:5]
    top = ordered[0][1] if ordered else 0
    return [{"label": label, "money": sum_, "share": int(100 * sum_ / top) if top else 0} for label, sum_ in ordered]


def done_of(*, staff, on: date) -> dict:
    """Return what a member did on a day: contacts written down, and reminders dismissed."""
    logs = ContactLog.objects.standing().filter(staff=staff, entered_on=on).select_related("customer")
    dismissed = ContactTask.objects.filter(
        closed_by=staff, closed_on=on, status=ContactTask.Status.DISMISSED
    ).select_related("customer")
    return {"logs": list(logs.order_by("-pk")), "dismissed": list(dismissed.order_by("-pk"))}


def snooze_days(on: date) -> list[tuple[str, str]]:
    """Return the days that a click puts off to: (ISO date, words)."""
    monday = on + timedelta(days=7 - on.weekday())
    return [
        ((on + timedelta(days=1)).isoformat(), _("Tomorrow")),
        ((on + timedelta(days=3)).isoformat(), _("In 3 days")),
        (monday.isoformat(), _("Next Monday")),
    ]


def _month_of(text: str, on: date) -> date:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return on.replace(day=1)
    return month if 1900 < month.year < 2100 else on.replace(day=1)  # the lunar calendar's years


def _group_title(code: str) -> str:
    return {"first": _("Do first"), "today": pgettext("group", "Today"), "week": _("This week"), "later": _("Later")}[
        code
    ]


def _tabs(kind: str, work: agenda.Today, done: dict) -> list[dict]:
    counts = work.counts | {"done": len(done["logs"]) + len(done["dismissed"])}
    labels = {
        "all": _("All"),
        "alert": _("Alerts"),
        "regime": _("Contact due"),
        "event": pgettext("tasks", "Events"),
        "opportunity": _("Opportunities"),
        "manual": _("Planned"),
        "done": _("Done"),
    }
    url = reverse("contacts:today")
    return [
        {
            "label": labels[code],
            "url": url if code == "all" else f"{url}?kind={code}",
            "count": counts[code],
            "active": code == kind,
        }
        for code in KINDS
        if code != "manual" or counts["manual"] or kind == "manual"
    ]


# --- actions of a row ------------------------------------------------------------------------------


def answer(request, message: str, *, undo_url: str = "", kind: str = "ok", drawer: dict | None = None):
    """Answer an action on Today: to htmx the parts that changed and a toast, else the page and a message.

    Args:
        drawer: context of the drawer to show next; without one an open drawer closes.
    """
    if not wants_part(request):
        (messages.error if kind == "error" else messages.success)(request, message)
        return redirect("contacts:today")
    context = {"toast": message, "undo_url": undo_url, "toast_kind": kind, "oob": True, "is_today": is_behind(request)}
    if context["is_today"]:
        context |= today_context(request)
    elif undo_url:
        context["undo_url"] = f"{undo_url}?behind=other"
    response = render(request, "contacts/today_parts.html", context | (drawer or {}))
    response["HX-Trigger"] = "contacts-changed"
    if drawer:
        response["HX-Replace-Url"] = reverse("contacts:log", args=[drawer["customer"].pk])
    return response


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def snooze(request, pk):
    """Put off what a customer asks for; `back` undoes it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return answer(request, _("Choose a day."), kind="error")
    try:
        agenda.put_off(customer=customer, until=form.cleaned_data["until"], by=request.user, on=timezone.localdate())
    except Refused as refusal:
        return answer(request, str(refusal), kind="error")
    until = form.cleaned_data["until"]
    message = _("{name} put off until {day}").format(
        name=customer.name, day=formats.day(until, today=timezone.localdate())
    )
    return answer(request, message, undo_url=reverse("contacts:snooze_undo", args=[pk]))


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def snooze_undo(request, pk):
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    agenda.bring_back(customer=customer, by=request.user)
    return answer(request, _("{name} is back in the list").format(name=customer.name))


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def snooze_many(request):
    """Put off what the ticked customers ask for: `customer`, `until` in the form."""
    form, asked = SnoozeForm(request.POST), _keys(request.POST.getlist("customer"))
    if not form.is_valid() or not asked:
        return answer(request, _("Tick customers and choose a day."), kind="error")
    until, on = form.cleaned_data["until"], timezone.localdate()
    customers = Customer.objects.visible_to(request.user).filter(pk__in=asked)
    done = agenda.put_off_many(customers=customers, until=until, by=request.user, on=on)
    message = ngettext("{n} customer put off until {day}", "{n} customers put off until {day}", len(done))
    undo_url = f"{reverse('contacts:snooze_many_undo')}?{urlencode({'customer': done}, doseq=True)}"
    return answer(request, message.format(n=len(done), day=formats.day(until, today=on)), undo_url=undo_url)


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def snooze_many_undo(request):
    """Bring the customers in the address back."""
    customers = Customer.objects.visible_to(request.user).filter(pk__in=_keys(request.GET.getlist("customer")))
    for customer in customers:
        agenda.bring_back(customer=customer, by=request.user)
    message = ngettext("{n} customer is back in the list", "{n} customers are back in the list", len(customers))
    return answer(request, message.format(n=len(customers)))


def _keys(texts: list[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19][:MOST_AT_ONCE]


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def dismiss(request, pk):
    """Take one reminder off the list, with a reason."""
    task = get_object_or_404(ContactTask.objects.visible_to(request.user).select_related("customer"), pk=pk)
    form = DismissForm(request.POST)
    if not form.is_valid():
        return answer(request, _("Say why nothing needs to be done."), kind="error")
    try:
        agenda.dismiss(task=task, reason=form.cleaned_data["reason"], by=request.user, on=timezone.localdate())
    except Refused as refusal:
        return answer(request, str(refusal), kind="error")
    message = _("Reminder for {name} dismissed").format(name=task.customer.name)
    return answer(request, message, undo_url=reverse("contacts:dismiss_undo", args=[pk]))


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def dismiss_undo(request, pk):
    task = get_object_or_404(ContactTask.objects.visible_to(request.user).select_related("customer"), pk=pk)
    try:
        agenda.reopen(task=task, by=request.user)
    except Refused as refusal:
        return answer(request, str(refusal), kind="error")
    return answer(request, _("{name} is back in the list").format(name=task.customer.name))
