"""The customer list and the search of the palette."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.db.models import Sum
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET

from customers import list_page
from customers.filters import CustomerFilter, chips
from customers.list_rows import MARKS, amount_of, rows_of
from customers.load import percent_of
from customers.models import Customer, Load, Product, RelationStatus
from customers.search import MAX_LENGTH, hits, matching
from staff.models import Staff
from staff.roles import Scope
from staff.shell import render_page, wants_part

may_view = permission_required("customers.view_customer", raise_exception=True)

TEMPLATE = "customers/customer_list.html"
PALETTE_ROWS = 8


@dataclass(frozen=True)
class Listing:
    """What an address of the list asks for: `filters` without what is blank, the order, and what was wrong with it."""

    filters: CustomerFilter
    query: list[tuple[str, str]]
    order: list_page.Order
    faults: list[str]

    @classmethod
    def read(cls, request, data) -> "Listing":
        """Read the parameters; what cannot be read is named in `faults`, and then the list stays empty."""
        scope = Customer.objects.visible_to(request.user)
        filters = CustomerFilter(data, queryset=scope, request=request, viewer=request.user, on=localdate())
        form, faults = filters.form, []
        if not form.is_valid():
            faults = [f"{form.fields[name].label}: {error}" for name, errors in form.errors.items() for error in errors]
        try:
            order = list_page.Order.read(data.get("sort", ""), request.user)
        except list_page.BadAddress as bad:
            order, faults = list_page.Order.read("", request.user), [*faults, str(bad)]
        query = [(name, value) for name in form.fields for value in data.getlist(name) if value]
        return cls(filters, query, order, faults)

    @property
    def customers(self):
        return Customer.objects.none() if self.faults else self.filters.qs

    def url(self, *, without: str = "", order: list_page.Order | None = None, **more) -> str:
        """Return the query of this list, without one filter, in another order, or with more parameters."""
        query = [(name, value) for name, value in self.query if name != without]
        order = order or self.order
        sort = [] if str(order) == "-aum" else [("sort", str(order))]
        return urlencode(query + sort + list(more.items()))


@require_GET
@may_view
def customer_list(request):
    """The list: filters, order and place are in the address. `after` asks for the rows that follow a place."""
    listing = Listing.read(request, request.GET)
    faults = list(listing.faults)
    place = None
    if "after" in request.GET and not faults:
        try:
            place = listing.order.read_place(request.GET["after"])
        except list_page.BadAddress as bad:
            faults.append(str(bad))
            listing = replace(listing, faults=faults)
    context = _rows(request, listing, place) | {"listing": listing, "faults": faults}
    if place and wants_part(request):
        return render(request, f"{TEMPLATE}#more", context)
    context |= _frame(request, listing)
    response = render_page(request, TEMPLATE, context, partial="list", status=422 if faults else 200)
    if wants_part(request) and not faults:
        response["HX-Push-Url"] = f"{request.path}?{listing.url()}" if listing.url() else request.path
    return response


def _rows(request, listing: Listing, place) -> dict:
    customers, more = list_page.rows_after(listing.customers, listing.order, place)
    before = request.GET.get("seen", "")
    shown = len(customers) + (int(before) if place and re.fullmatch(r"[0-9]{1,6}", before) else 0)
    total = request.GET.get("total", "")
    next_url = ""
    if more:
        next_url = f"{request.path}?{listing.url(after=list_page.place_of(customers[-1]), seen=shown)}"
    return {
        "rows": rows_of(customers, viewer=request.user, on=localdate()),
        "shown": shown,
        "next_url": next_url,
        "link": "?" + urlencode({"from": listing.url()}) if listing.url() else "",
        "selects": request.user.has_perm("customers.assign_customer"),
        "sees_managers": request.user.scope in (Scope.BENEATH, Scope.ALL),
        "total": total if re.fullmatch(r"[0-9,]{1,9}\+?", total) else "",
    }


def _frame(request, listing: Listing) -> dict:
    """Return what stands around the rows: tabs with counts, chips, heads, counts. One statement counts all."""
    scope = Customer.objects.visible_to(request.user)
    views = [listing.filters.kept(scope, values) for _label, values in list_page.VIEWS]
    *counts, total = list_page.capped_counts([*views, listing.customers])
    filtered = urlencode(listing.query)
    own = request.user.scope == Scope.OWN
    return {
        "tabs": [
            {
                "label": label,
                "url": f"?{urlencode(values, doseq=True)}",
                "count": list_page.count_words(count),
                "active": filtered == urlencode(values, doseq=True),
            }
            for (label, values), count in zip(list_page.VIEWS, counts, strict=True)
        ],
        "total": list_page.count_words(total),
        "in_scope": list_page.count_words(counts[0]),
        "scope_sum": scope.aggregate(sum=Sum("aum"))["sum"] if own and not request.user.sees_bands else None,
        "chips": []
        if listing.faults
        else [chip | {"url": f"?{listing.url(without=chip['name'])}"} for chip in chips(listing.filters.form)],
        "heads": _heads(listing.order, listing),
        "form": listing.filters.form,
        "is_filtered": bool(listing.query),
        "receivers": _receivers(request.user),
        "legend": [{"mark": mark, "label": Product.Category(code).label} for code, mark in MARKS.items()],
    }


def _receivers(viewer: Staff) -> list[dict]:
    """Return whom the customers chosen could be given to, for those who assign: [{pk, name, percent}]."""
    if not viewer.has_perm("customers.assign_customer"):
        return []
    members = Staff.objects.members_of(viewer.branch_id).active()
    loads = Load.objects.filter(staff__in=members, capacity__gt=0).select_related("staff").order_by("staff__name")
    return [
        {"pk": row.staff_id, "name": row.staff.name, "percent": percent_of(row.units, row.full_capacity)}
        for row in loads
    ]


def _heads(order: list_page.Order, listing: Listing) -> dict:
    """Return {column: query of a click on its head}, with the key and direction in force."""
    queries = {key: listing.url(order=order.clicked(key)) or "sort=-aum" for key in list_page.SORTS}
    return {"key": order.key, "direction": order.direction} | queries


@require_GET
@may_view
def search(request):
    """The palette's results for `q`; without htmx the list with the same search."""
    text = request.GET.get("q", "").strip()[:MAX_LENGTH]
    if not wants_part(request):
        query = urlencode({"q": text}) if text else ""
        return redirect(f"{reverse('customers:customer_list')}?{query}")
    found = hits(request.user, text, PALETTE_ROWS)
    context = {"q": text, "hits": [_palette_row(hit, request.user) for hit in found], "first": None, "total": ""}
    if found:
        everyone = matching(Customer.objects.visible_to(request.user), text, request.user)
        context["total"] = list_page.count_words(list_page.capped_counts([everyone])[0])
        context["first"] = found[0].customer
    return render(request, "customers/search.html", context)


def _palette_row(hit, viewer: Staff) -> dict:
    customer = hit.customer
    potential = customer.relation_status == RelationStatus.POTENTIAL
    return {
        "customer": customer,
        "hit": hit,
        "tier": "potential" if potential else customer.tier,
        "amount": amount_of(customer.aum, viewer),
    }
