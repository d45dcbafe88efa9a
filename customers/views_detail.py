"""Customer 360: the head, the figures, the tabs; its panels load from their own addresses. And the reveal of a masked field."""

from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from customers import list_page, regime_meter
from customers import reveal as revealing
from customers.models import Assignment, Customer, DailyAsset, RelationStatus
from customers.search import SEALED
from customers.suitability import age_on
from customers.views import Listing, may_view
from staff import audit
from staff.refusal import Refused
from staff.shell import render_page, wants_part

NET_DAYS = 90


@dataclass(frozen=True)
class Panel:
    """A panel that loads from its own address, named so that no room above is imported; `rows` of its skeleton."""

    route: str
    title: str
    tabs: tuple[str, ...]
    rail: bool = False
    rows: int = 3
    trigger: str = "load"
    permission: str = ""


TABS = {
    "overview": _("Overview"),
    "ledger": _("Ledger"),
    "holdings": _("Holdings"),
    "opportunities": _("Opportunities"),
    "profile": _("Profile"),
    "family": _("Family and relations"),
    "team": _("Service team"),
    "feedback": _("Feedback and complaints"),
    "consents": _("Consents"),
    "history": _("Changes and views"),
}

PANELS = (
    Panel("customers:panel_ladder", _("Tier"), ("overview",), rows=2),
    Panel("customers:panel_assets", _("Asset trend"), ("overview", "holdings"), rows=5),
    Panel("customers:panel_holdings", _("Holdings"), ("overview", "holdings"), rows=4, trigger="revealed"),
    Panel("contacts:panel_timeline", _("Ledger"), ("overview", "ledger"), rows=5, trigger="revealed"),
    Panel("churn:panel_reasons", _("Churn reasons"), ("overview",), rail=True, rows=4, permission="churn.view_alert"),
    Panel("contacts:panel_opportunities", _("Opportunities"), ("overview", "opportunities"), rail=True, rows=2),
    Panel("customers:panel_suitability", _("Suitability"), ("overview", "holdings"), rail=True, rows=2),
    Panel(
        "customers:panel_completeness",
        _("Completeness of the archive"),
        ("overview",),
        rail=True,
        rows=3,
        trigger="revealed",
    ),
    Panel("customers:panel_profile", _("Profile"), ("profile",), rows=8),
    Panel(
        "customers:panel_coverage",
        _("Product coverage"),
        ("overview", "holdings"),
        rail=True,
        rows=3,
        trigger="revealed",
    ),
    Panel("customers:panel_value", _("Value"), ("overview",), rail=True, rows=3, trigger="revealed"),
    Panel("customers:panel_team", _("Service team"), ("overview", "team"), rail=True, rows=2, trigger="revealed"),
    Panel("customers:panel_family", _("Family and relations"), ("family",), rows=6),
    Panel("contacts:panel_feedback", _("Feedback and complaints"), ("feedback",), rows=4),
    Panel("customers:panel_consents", _("Consents"), ("consents",), rows=5),
    Panel("customers:panel_history", _("Changes and views"), ("history",), rows=5),
)
"""In the order of the page; a panel in the rail of the overview takes the whole width on its own tab."""


def panels_of(customer: Customer, tab: str, viewer) -> list[dict]:
    """Return the panels of a tab with their addresses; those the viewer may not see, or whose room is not there, are left out."""
    found = []
    for panel in PANELS:
        if tab not in panel.tabs or (panel.permission and not viewer.has_perm(panel.permission)):
            continue
        try:
            url = reverse(panel.route, args=[customer.pk])
        except NoReverseMatch:
            continue
        found.append(
            {
                "panel": panel,
                "name": panel.route.split("panel_")[1],
                "url": url,
                "rail": panel.rail and tab == "overview",
            }
        )
    return found


def visible_customer(request, pk: int) -> Customer:
    """Return a customer in sight without the sealed columns, or 404."""
    customers = Customer.objects.visible_to(request.user).select_related("manager", "branch").defer(*SEALED)
    return get_object_or_404(customers, pk=pk)


@require_GET
@may_view
def customer_detail(request, pk):
    stayed = Customer.objects.visible_to(request.user).filter(merged_from=pk).values_list("pk", flat=True).first()
    if stayed:
        return redirect("customers:customer_detail", stayed)
    customer = visible_customer(request, pk)
    audit.record("customer.viewed", customer, by=request.user)
    tab = request.GET.get("tab", "overview")
    tab = tab if tab in TABS else "overview"
    origin = request.GET.get("from", "")[:1000]
    context = (
        facts_of(request, customer)
        | _head_of(customer)
        | {
            "tab": tab,
            "panels": panels_of(customer, tab, request.user),
            "tabs": _tabs(customer, tab, origin),
            "around": _around(request, customer, origin, tab),
            "revealable": _revealable(request, customer),
            "purposes": revealing.Purpose.choices,
        }
    )
    return render_page(request, "customers/customer_detail.html", context)


@require_GET
@may_view
def customer_facts(request, pk):
    """The strip of figures alone: read again after a contact was logged."""
    customer = visible_customer(request, pk)
    if wants_part(request):
        return render(request, "customers/customer_detail.html#facts", facts_of(request, customer))
    return customer_detail(request, pk)


def facts_of(request, customer: Customer) -> dict:
    """Return the figures of the strip; `net` is the change of AUM over 90 days, None where the bank knows no balance of then."""
    on = localdate()
    before = (customer.data_date or on) - timedelta(days=NET_DAYS)
    then = DailyAsset.objects.filter(customer=customer, data_date=before).values_list("total", flat=True).first()
    return {
        "customer": customer,
        "net": None if then is None else customer.aum - then,
        "meter": regime_meter.meters_of([customer], on).get(customer.pk),
        "is_alarming": (customer.churn_level or 0) >= Customer.ChurnLevel.MEDIUM,
    }


def _head_of(customer: Customer) -> dict:
    adviser = Assignment.objects.open().filter(customer=customer, role=Assignment.Role.ADVISER).select_related("staff")
    potential = customer.relation_status == RelationStatus.POTENTIAL
    return {
        "age": age_on(customer.birth_date, localdate()),
        "tier_shown": "potential" if potential else customer.tier,
        "adviser": next((row.staff for row in adviser), None),
    }


def _tabs(customer: Customer, tab: str, origin: str) -> list[dict]:
    query = QueryDict(mutable=True)
    if origin:
        query["from"] = origin
    items = []
    for name, label in TABS.items():
        query["tab"] = name
        if name == "overview":
            del query["tab"]
        url = f"{customer.get_absolute_url()}?{query.urlencode()}" if query else customer.get_absolute_url()
        items.append({"label": label, "url": url, "active": name == tab})
    return items


def _around(request, customer: Customer, origin: str, tab: str) -> dict:
    """Return where the customer stands in the list it came from: {list_url, place, previous, next}."""
    listing = Listing.read(request, QueryDict(origin))
    before, after, place = list_page.neighbours(listing.customers, listing.order, customer.pk)
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in (("from", origin), ("tab", tab)) if value not in ("", "overview")})
    tail = f"?{query.urlencode()}" if query else ""
    detail = [reverse("customers:customer_detail", args=[pk]) + tail if pk else "" for pk in (before, after)]
    return {
        "list_url": f"{reverse('customers:customer_list')}?{listing.url()}",
        "place": list_page.count_words(place) if place else "",
        "previous": detail[0],
        "next": detail[1],
    }


def _revealable(request, customer: Customer) -> list[dict]:
    """Return the masked fields of the head: [{field, icon, label, masked, may_reveal}], those that are known."""
    may = request.user.has_perm("customers.reveal_sensitive")
    fields = (
        (revealing.Field.ID_NO, "id", customer.id_no_masked),
        (revealing.Field.MOBILE, "phone", customer.mobile_masked),
    )
    return [
        {"field": field.value, "icon": icon, "label": field.label, "masked": masked, "may_reveal": may}
        for field, icon, masked in fields
        if masked
    ]


class RevealForm(forms.Form):
    """Reads which field and why; `reveal.reveal` shows it."""

    field = forms.ChoiceField(choices=revealing.Field.choices)
    purpose = forms.ChoiceField(choices=revealing.Purpose.choices)


@require_POST
@permission_required("customers.reveal_sensitive", raise_exception=True)
@never_cache
def reveal(request, pk):
    """Answer one field in clear as bare text, or on a page of its own without scripts."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = RevealForm(request.POST)
    if not form.is_valid():
        return HttpResponse(
            _("Say which field, and why you need it."), status=422, content_type="text/plain; charset=utf-8"
        )
    field = revealing.Field(form.cleaned_data["field"])
    purpose = revealing.Purpose(form.cleaned_data["purpose"])
    try:
        value = revealing.reveal(customer=customer, field=field, purpose=purpose, by=request.user, on=localdate())
    except Refused as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain; charset=utf-8")
    if wants_part(request):
        return HttpResponse(value, content_type="text/plain; charset=utf-8")
    return render(request, "customers/revealed.html", {"customer": customer, "label": field.label, "value": value})
