"""The customer list and the search of the palette."""

import re
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.views.decorators.http import require_GET

from customers import list_frame, list_memory, list_page
from customers.columns import Look, cells, chosen
from customers.filter_chips import leftovers, sheet
from customers.list_markup import table_rows
from customers.list_rows import amount_of, rows_of
from customers.listing import Listing
from customers.models import Customer, Product, RelationStatus
from customers.search import MAX_LENGTH, hits, matching
from staff.models import Staff
from staff.shell import render_page, wants_part

may_view = permission_required("customers.view_customer", raise_exception=True)

TEMPLATE = "customers/customer_list.html"
PALETTE_ROWS = 8


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
    choice = list_memory.choice_of(request.user)
    views = list_memory.views_of(request.user) if not place else []
    view = next((each for each in views if each.pk == listing.view_id), None)
    columns = chosen(listing.columns or (view and view.columns) or choice.columns, request.user)
    context = _rows(request, listing, place, columns) | {"listing": listing, "faults": faults}
    if place and wants_part(request):
        return render(request, f"{TEMPLATE}#more", context)
    context |= list_frame.frame(request, listing, columns) | list_frame.views_frame(listing, views, view, columns)
    context |= {"layout": choice.layout, "may_export": request.user.has_perm("customers.export_customer")}
    response = render_page(request, TEMPLATE, context, partial="list", status=422 if faults else 200)
    if wants_part(request) and not faults:
        response["HX-Push-Url"] = f"{request.path}?{listing.url()}" if listing.url() else request.path
    return response


def _rows(request, listing: Listing, place, columns) -> dict:
    customers, more = list_page.rows_after(listing.customers, listing.order, place)
    before = request.GET.get("seen", "")
    shown = len(customers) + (int(before) if place and re.fullmatch(r"[0-9]{1,6}", before) else 0)
    total = request.GET.get("total", "")
    next_url = ""
    if more:
        cols = ",".join(column.key for column in columns)
        next_url = f"{request.path}?{listing.url(after=list_page.place_of(customers[-1]), seen=shown, cols=cols)}"
    rows = rows_of(customers, viewer=request.user, on=localdate())
    look = Look(request.user, localdate())
    if any(not column.drawn for column in columns):
        rows = [replace(row, more=cells(row.customer, columns, look)) for row in rows]
    link = "?" + urlencode({"from": listing.url()}) if listing.url() else ""
    keys = {column.key for column in columns}
    return {
        "rows": rows,
        "written": table_rows(rows, columns=keys, link=link, bands=request.user.sees_bands, on=localdate()),
        "shown": shown,
        "next_url": next_url,
        "selects": True,
        "cols": {column.key: True for column in columns},
        "total": total if re.fullmatch(r"[0-9,]{1,9}\+?", total) else "",
    }


@require_GET
@may_view
def list_tabs(request):
    """The tabs of the list with their counts, fetched behind a page that would have waited for them."""
    tabs = list_frame.counted_tabs(request, Listing.read(request, request.GET))
    return render(request, f"{TEMPLATE}#tabs", {"tabs": tabs})


@require_GET
@may_view
def filter_sheet(request):
    """The sheet on which filters are chosen: fetched when it is opened, a page of its own without scripts."""
    listing = Listing.read(request, request.GET, every=True)
    form = listing.filters.form
    form.is_valid()
    context = {
        "form": form,
        "groups": sheet(form),
        "leftovers": leftovers(form, listing.query),
        "order": listing.order,
    }
    return render_page(request, "customers/filter_sheet.html", context, partial="sheet")


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
    if len(text) > 1:
        named = Q(name__icontains=text) | Q(code__istartswith=text)
        context["products"] = Product.objects.on_sale(localdate()).filter(named).order_by("ladder_rank", "code")[:4]
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
