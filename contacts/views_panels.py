"""What Customer 360 loads from this room: the ledger of everything that happened, and the opportunities."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import board, contact_log, next_product
from contacts.contact_log import CLOCK_SKEW
from contacts.forms import NoteForm
from contacts.models import CommunicationReport, ContactLog, OpportunityStageHistory
from customers.models import Customer, Tier, TierChange
from staff.refusal import Refused
from staff.shell import wants_part

ENTRIES = 12
"""Entries of the ledger drawn at a time."""

KINDS = ("all", "contacts", "stages", "tiers")

WAY_ICONS = {
    "phone": "phone",
    "office": "users",
    "visit": "map-pin",
    "video": "device-mobile",
    "wechat": "brand-wechat",
    "sms": "message-2",
    "email": "mail",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `hue` colours its sign."""

    at: datetime
    icon: str
    hue: str
    title: str
    meta: str
    text: str
    who: str
    voided: bool = False
    void_url: str = ""
    correct_url: str = ""
    report_url: str = ""


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def panel_timeline(request, pk):
    """The ledger: contacts, stage moves and changes of tier in one stream, newest first."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    return render(request, "contacts/panel_timeline.html", timeline_context(request, customer))


def timeline_context(request, customer: Customer) -> dict:
    """Return the entries of one kind or all, before a moment: at most four queries, each of one page."""
    kind = request.GET.get("kind", "all")
    kind = kind if kind in KINDS else "all"
    before = parse_datetime(request.GET.get("before", "").replace(" ", "+")) or timezone.now() + CLOCK_SKEW
    if timezone.is_naive(before):
        before = timezone.make_aware(before)
    entries = []
    if kind in ("all", "contacts"):
        entries += _contacts(customer, before, request.user)
    if kind in ("all", "stages"):
        entries += _stages(customer, before)
    if kind in ("all", "tiers"):
        entries += _tiers(customer, before)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = entries[:ENTRIES]
    url = reverse("contacts:panel_timeline", args=[customer.pk])
    labels = {"all": _("All"), "contacts": _("Contacts"), "stages": _("Opportunities"), "tiers": _("Tiers")}
    return {
        "customer": customer,
        "entries": shown,
        "kind": kind,
        "is_more": "before" in request.GET,
        "more_url": f"{url}?kind={kind}&before={shown[-1].at.isoformat()}" if len(entries) > ENTRIES else "",
        "tabs": [{"label": labels[k], "url": f"{url}?kind={k}", "active": k == kind} for k in KINDS],
        "url": f"{url}?kind={kind}",
        "ways": ContactLog.Channel.choices,
        "note_key": uuid4().hex,
        "may_log": request.user.has_perm("contacts.log_contact"),
    }


def _contacts(customer: Customer, before: datetime, viewer) -> list[Entry]:
    logs = customer.contact_logs.filter(at__lt=before).select_related("staff").annotate(corrected=Count("versions"))
    logs = logs.order_by("-at")[: ENTRIES + 1]
    reports = {one.log_id: one for one in CommunicationReport.objects.visible_to(viewer).filter(customer=customer)}
    today = timezone.localdate()
    return [
        Entry(
            at=log.at,
            icon=WAY_ICONS[log.channel],
            hue="" if log.result != ContactLog.Result.NOT_REACHED else "over",
            title=log.get_channel_display(),
            meta=" · ".join(_log_facts(log)),
            text=log.summary,
            who=log.staff.name,
            voided=log.voided_at is not None,
            void_url=reverse("contacts:log_void", args=[log.pk]) + "?behind=other"
            if log.voided_at is None and log.staff_id == viewer.pk and log.entered_on == today
            else "",
            correct_url=reverse("contacts:log_correct", args=[log.pk])
            if log.voided_at is None and log.staff_id == viewer.pk
            else "",
            report_url=reports[log.pk].get_absolute_url() if log.pk in reports else "",
        )
        for log in logs
    ]


def _log_facts(log: ContactLog) -> list[str]:
    facts = [_("{minutes} min").format(minutes=log.minutes)] if log.minutes else []
    facts.append(log.get_result_display())
    if log.is_late:
        facts.append(_("entered late"))
    if log.corrected:
        facts.append(_("corrected"))
    if log.voided_at is not None:
        facts.append(_("taken back"))
    return facts


def _stages(customer: Customer, before: datetime) -> list[Entry]:
    moves = (
        OpportunityStageHistory.objects.filter(opportunity__customer=customer, at__lt=before)
        .select_related("opportunity", "by")
        .order_by("-at")[: ENTRIES + 1]
    )
    return [
        Entry(
            at=move.at,
            icon="target-arrow",
            hue="opp",
            title=_("“{title}”").format(title=move.opportunity.title),
            meta=_("now at {stage}").format(stage=move.get_to_stage_display()),
            text=move.note,
            who=move.by.name if move.by else _("system"),
        )
        for move in moves
    ]


def _tiers(customer: Customer, before: datetime) -> list[Entry]:
    changes = TierChange.objects.filter(customer=customer, on__lt=timezone.localdate(before)).order_by("-on", "-pk")
    midnight = datetime.min.time()
    return [
        Entry(
            at=timezone.make_aware(datetime.combine(change.on, midnight)),
            icon="star",
            hue="ok" if change.to_tier >= change.from_tier else "over",
            title=change.get_kind_display(),
            meta=f"{Tier(change.from_tier).label} → {Tier(change.to_tier).label}",
            text="",
            who=_("system"),
        )
        for change in changes[: ENTRIES + 1]
    ]


@require_POST
@permission_required("contacts.log_contact", raise_exception=True)
def note(request, pk):
    """The one line above the ledger: a contact in which the customer was reached, just now."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = NoteForm(request.POST)
    context = {"toast": _("Write down in one sentence what the customer said."), "toast_kind": "error"}
    if form.is_valid():
        channel = form.cleaned_data["channel"] or ContactLog.Channel.PHONE
        try:
            written = contact_log.log_contact(
                customer=customer,
                by=request.user,
                channel=channel,
                result=contact_log.REACHED[channel],
                at=timezone.now(),
                on=timezone.localdate(),
                summary=form.cleaned_data["summary"],
                idempotency_key=form.cleaned_data["key"] or None,
            )
        except Refused as refusal:
            context["toast"] = str(refusal)
        else:
            message = _("Contact with {name} logged").format(name=customer.name)
            context = {"toast": message, "undo_url": reverse("contacts:log_void", args=[written.pk]) + "?behind=other"}
    if not wants_part(request):
        return redirect(customer)
    return render(request, "contacts/panel_timeline.html", timeline_context(request, customer) | context)


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def panel_opportunities(request, pk):
    """The open opportunities of a customer, and the newest closed ones."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    on = timezone.localdate()
    opened = customer.opportunities.open().select_related("product", "owner").order_by("next_action_on", "pk")
    closed = customer.opportunities.exclude(pk__in=opened.values("pk")).order_by("-closed_on")
    context = {
        "customer": customer,
        "cards": [board.card_of(opportunity, on) for opportunity in opened],
        "closed": closed[:5],
        "may_move": (may_move := request.user.has_perm("contacts.move_opportunity")),
        "next_products": next_product.suggestions_for(customer, by=request.user, on=on) if may_move else [],
    }
    return render(request, "contacts/panel_opportunities.html", context)
