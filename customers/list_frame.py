"""What stands around the rows of the list: tabs and views with counts, chips, heads, the order, who can be chosen."""

from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import Sum
from django.urls import reverse
from django.utils.timezone import localdate

from customers import list_page
from customers.columns import Column, offered
from customers.filter_chips import chips
from customers.list_rows import MARKS
from customers.listing import Listing
from customers.load import percent_of
from customers.models import Customer, Load, Product, SavedView
from staff.models import Staff
from staff.roles import Scope

TABS_LAST = 60
"""Seconds for which the counts of tabs hold for a viewer who sees many outlets."""


def frame(request, listing: Listing, columns: list[Column]) -> dict:
    """Return tabs with counts, chips, heads, counts. One statement counts all; the tabs of a viewer who sees many
    outlets are counted behind the page (`tabs_url`), for that may take seconds."""
    viewer, scope = request.user, Customer.objects.visible_to(request.user)
    own = viewer.scope == Scope.OWN
    kept = cache.get(_tabs_key(viewer)) if viewer.sees_many else None
    if viewer.sees_many:
        in_scope, total = list_page.capped_counts([scope, listing.customers])
        counts = kept or []
    else:
        *counts, total = list_page.capped_counts([*_presets(listing, scope), listing.customers])
        in_scope = counts[0]
    return {
        "tabs": tabs(listing, counts),
        "tabs_url": "" if counts else f"{reverse('customers:list_tabs')}?{listing.url()}",
        "total": list_page.count_words(total),
        "in_scope": list_page.count_words(in_scope),
        "scope_sum": scope.aggregate(sum=Sum("aum"))["sum"] if own and not viewer.sees_bands else None,
        "chips": []
        if listing.faults
        else [chip | {"url": f"?{listing.url(without=chip['name'])}"} for chip in chips(listing.filters.form)],
        "heads": heads(listing.order, listing),
        "sorts": sorts(listing, viewer),
        "more_heads": more_heads(columns, viewer),
        "column_choices": [
            {"key": column.key, "label": column.label, "on": column in columns}
            for column in offered(viewer)
            if column.key != "name"
        ],
        "form": listing.filters.form,
        "sheet_url": f"{reverse('customers:filter_sheet')}?{listing.url()}",
        "export_query": urlencode({"query": listing.url()}),
        "is_filtered": bool(listing.query),
        "receivers": receivers(viewer),
        "legend": [{"mark": mark, "label": Product.Category(code).label} for code, mark in MARKS.items()],
    }


def tabs(listing: Listing, counts: list[int]) -> list[dict]:
    """Return the tabs as {label, url, count, active}; without counts as long as nothing is counted."""
    filtered, known = urlencode(listing.query), [*map(list_page.count_words, counts)]
    return [
        {
            "label": label,
            "url": f"{reverse('customers:customer_list')}?{urlencode(values, doseq=True)}",
            "count": known[place] if known else "",
            "active": not listing.view_id and filtered == urlencode(values, doseq=True),
        }
        for place, (label, values) in enumerate(list_page.VIEWS)
    ]


def counted_tabs(request, listing: Listing) -> list[dict]:
    """Return the tabs with their counts, which hold for a minute."""
    scope = Customer.objects.visible_to(request.user)
    counts = list_page.capped_counts(_presets(listing, scope))
    cache.set(_tabs_key(request.user), counts, TABS_LAST)
    return tabs(listing, counts)


def _presets(listing: Listing, scope):
    return [listing.filters.kept(scope, values) for _label, values in list_page.VIEWS]


def _tabs_key(viewer: Staff) -> str:
    return f"list-tabs:{viewer.pk}:{localdate()}"


def views_frame(listing: Listing, views: list[SavedView], view: SavedView | None, columns: list[Column]) -> dict:
    """Return what the page shows of saved views: all, the open one, and how far the list went away from it."""
    keys = [column.key for column in columns]
    return {
        "saved": [
            {"view": each, "url": f"?{urlencode({'view': each.pk})}&{each.query}" if each.query else f"?view={each.pk}"}
            for each in views
        ],
        "view": view,
        "view_changed": view is not None and (listing.question != view.query or bool(listing.columns)),
        "view_url": f"?{urlencode({'view': view.pk})}&{view.query}" if view else "",
        "can_save": view is None and bool(listing.query),
        "keys": keys,
    }


def receivers(viewer: Staff) -> list[dict]:
    """Return whom the customers chosen could be given to, for those who assign: [{pk, name, percent}]."""
    if not viewer.has_perm("customers.assign_customer"):
        return []
    members = Staff.objects.members_of(viewer.branch_id).active()
    loads = Load.objects.filter(staff__in=members, capacity__gt=0).select_related("staff").order_by("staff__name")
    return [
        {"pk": row.staff_id, "name": row.staff.name, "percent": percent_of(row.units, row.full_capacity)}
        for row in loads
    ]


def heads(order: list_page.Order, listing: Listing) -> dict:
    """Return {column: query of a click on its head}, with the key and direction in force."""
    queries = {key: listing.url(order=order.clicked(key)) or "sort=-aum" for key in list_page.SORTS}
    return {"key": order.key, "direction": order.direction} | queries


def barred(viewer) -> set[str]:
    """Return the orders that would tell a viewer what he may not read."""
    found = {"name"} if viewer.sees_names_masked else set()
    return found | set(list_page.BY_MONEY[1:]) if viewer.sees_bands else found


def more_heads(columns: list[Column], viewer) -> list[dict]:
    """Return [{label, numeric, sort}] of the columns that the page does not draw itself; no sort where it is barred."""
    return [
        {
            "label": column.label,
            "numeric": column.numeric,
            "sort": "" if column.sort in barred(viewer) else column.sort,
        }
        for column in columns
        if not column.drawn
    ]


def sorts(listing: Listing, viewer) -> list[dict]:
    """Return [{key, label, url, click, active}] of the orders that a viewer may choose, for the control beside the count."""
    hidden = barred(viewer)
    found = []
    for key, label in list_page.LABELS.items():
        if key not in hidden:
            order = listing.order if key == listing.order.key else list_page.Order(key, list_page.SORTS[key].descending)
            url = listing.url(order=order) or "sort=-aum"
            click = listing.url(order=listing.order.clicked(key)) or "sort=-aum"
            active = key == listing.order.key
            found.append({"key": key, "label": label, "url": f"?{url}", "click": f"?{click}", "active": active})
    return found
