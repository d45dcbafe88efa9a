"""The page of potential VIP customers."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from contacts import potential_page
from customers.potential import Reason
from staff.shell import render_page, wants_part

TEMPLATE = "contacts/potential_list.html"


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def potential_list(request):
    """Who could become a VIP customer; `reason`, `waiting` and `untouched` in the address, `after` a place in the list."""
    on, viewer = localdate(), request.user
    reason = request.GET.get("reason", "")
    reason = reason if reason in Reason.values else ""
    chosen = {"waiting": request.GET.get("waiting") == "1", "untouched": request.GET.get("untouched") == "1"}
    since = on - timedelta(days=potential_page.TOUCHED_DAYS) if chosen["untouched"] else None
    everybody = potential_page.potential_customers(viewer=viewer, on=on)
    customers = potential_page.narrowed(everybody, waiting=chosen["waiting"], untouched_since=since)
    place = potential_page.read_place(request.GET.get("after", ""))
    rows, following = potential_page.rows_after(potential_page.narrowed(customers, reason=reason), place=place, on=on)
    query = {name: "1" for name, on_ in chosen.items() if on_}
    here = reverse("contacts:potential_list")
    context = {
        "rows": rows,
        "days": potential_page.TOUCHED_DAYS,
        "sees_managers": viewer.has_perm("customers.assign_customer") or viewer.has_perm("customers.export_customer"),
        "next_url": f"{here}?{urlencode(query | {'reason': reason, 'after': following})}" if following else "",
    }
    if place and wants_part(request):
        return render(request, f"{TEMPLATE}#more", context)
    counts = potential_page.counts_of(customers)
    context |= {
        "chosen": chosen,
        "reason": reason,
        "funnel": potential_page.funnel_of(everybody, viewer=viewer, on=on),
        "tabs": [
            {
                "label": label,
                "count": counts[code],
                "url": f"{here}?{urlencode(query | ({'reason': code} if code else {}))}",
                "active": code == reason,
            }
            for code, label in [("", _("All")), *Reason.choices]
            if counts[code] or code in ("", reason)
        ],
    }
    return render_page(request, TEMPLATE, context, partial="list")
