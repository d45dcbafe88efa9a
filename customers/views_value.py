"""The value panel of Customer 360, and the branch head's page of customers below zero."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import value
from customers.models import BelowZero, Product
from customers.models.assets import ASSET_KIND_LABELS
from customers.views import may_view
from customers.views_detail import visible_customer
from staff.refusal import Refused
from staff.shell import render_page

may_decide = permission_required("customers.assign_customer", raise_exception=True)

LABELS = ASSET_KIND_LABELS | {
    "loan": gettext_lazy("Loans"),
    "card_spend": gettext_lazy("Card spend"),
    "service_cost": pgettext_lazy("value", "Contacts"),
}
MONTHS = 13
"""So many months of value the trend looks back."""


@require_GET
@may_view
def panel_value(request, pk):
    """Class, explicit, potential and growth value, lifetime value, the parts of each; not for those who see bands."""
    customer = visible_customer(request, pk)
    context = {"customer": customer}
    if not request.user.sees_bands:
        months = list(customer.values_by_month.order_by("-month")[:MONTHS])
        newest = months[0] if months else None
        parts = newest.parts if newest else {}
        categories = dict(Product.Category.choices) | {"elsewhere": _("assets at other banks")}
        context |= {
            "newest": newest,
            "year_ago": months[-1] if len(months) == MONTHS else None,
            "ev": [(LABELS[name], amount) for name, amount in parts.get("ev", {}).items() if amount],
            "pv": [(categories[name], amount) for name, amount in parts.get("pv", {}).items()],
            "parts": parts,
            "years": value.YEARS,
        }
    return render_page(request, "customers/panel_value.html", context, partial="panel")


@require_GET
@may_decide
def below_zero_list(request):
    """Customers whose lifetime value fell below zero and wait for a decision; and those decided lately."""
    rows = BelowZero.objects.visible_to(request.user).select_related("customer__manager", "decided_by")
    context = {
        "open": rows.open()[:200],
        "decided": rows.filter(decided_at__isnull=False).order_by("-decided_at")[:20],
    }
    return render_page(request, "customers/below_zero_list.html", context)


@require_POST
@may_decide
def below_zero_decide(request, pk):
    """Confirm that a customer is below zero, or say that he is not."""
    proposal = get_object_or_404(BelowZero.objects.visible_to(request.user), pk=pk)
    try:
        value.decide(proposal=proposal, confirmed=request.POST.get("confirmed") == "1", by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Decided"))
    return redirect("customers:below_zero_list")
