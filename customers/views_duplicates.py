"""The pages of duplicates: pairs that may be one person, two records side by side, merging and parting."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import duplicates, merge
from customers.models import Customer, CustomerMerge
from customers.suitability import GRADES
from staff.refusal import Refused
from staff.shell import render_page

may_merge = permission_required("customers.merge_customer", raise_exception=True)

LABELS = {
    "name": gettext_lazy("Name"),
    "gender": pgettext_lazy("of a person", "Gender"),
    "birth_date": gettext_lazy("Birth date"),
    "lunar_birthday": gettext_lazy("Lunar birthday"),
    "id_no": gettext_lazy("Identity number"),
    "mobile": gettext_lazy("Mobile"),
    "address": gettext_lazy("Address"),
    "occupation": gettext_lazy("Occupation"),
    "employer": gettext_lazy("Employer"),
    "needs": pgettext_lazy("of a customer", "Looks for"),
    "special_care": gettext_lazy("Special care"),
    "risk_grade": gettext_lazy("Risk grade"),
    "opened_on": pgettext_lazy("day", "Opened"),
}


@require_GET
@may_merge
def duplicate_list(request):
    """The pairs that may be one person, and the merges of late, which can be parted."""
    merges = CustomerMerge.objects.visible_to(request.user).standing().select_related("kept", "dropped", "by")
    context = {"pairs": duplicates.pairs(request.user), "merges": merges[:20]}
    return render_page(request, "customers/duplicate_list.html", context)


@require_http_methods(["GET", "POST"])
@may_merge
def duplicate_pair(request, pk, other):
    """Two records side by side, with a choice for each field in which they differ; and the merge, or "not the same"."""
    seen = Customer.objects.visible_to(request.user).select_related("manager", "branch")
    kept, dropped = get_object_or_404(seen, pk=pk), get_object_or_404(seen, pk=other)
    if request.method == "POST" and "not_same" in request.POST:
        duplicates.say_not_same(one=kept, other=dropped, by=request.user)
        messages.success(request, _("Remembered: they are two people"))
        return redirect("customers:duplicate_list")
    usual = merge.usual_choice(kept, dropped)
    if request.method == "POST":
        choices = {name: request.POST.get(f"field-{name}", usual[name]) for name in usual}
        try:
            merge.merge(kept=kept, dropped=dropped, choices=choices, by=request.user, on=localdate())
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("customers:duplicate_list")
        messages.success(request, _("Merged into {name}; it can be parted again").format(name=kept.name))
        return redirect(kept)
    context = {
        "kept": kept,
        "dropped": dropped,
        "rows": [
            {"name": name, "label": LABELS[name], "kept": _shown(kept, name), "dropped": _shown(dropped, name),
             "choice": usual[name]}
            for name in usual
        ],
        "same": [{"label": LABELS[name], "value": _shown(kept, name)} for name in merge.FIELDS if name not in usual],
    }  # fmt: skip
    return render_page(request, "customers/duplicate_pair.html", context)


def _shown(customer: Customer, name: str) -> str:
    """Return a value as the page shows it: sealed ones masked."""
    if name in merge.SEALED:
        return getattr(customer, f"{name}_masked")
    if name == "gender":
        return customer.get_gender_display() if customer.gender else ""
    if name == "risk_grade":
        return str(GRADES.get(customer.risk_grade, ""))
    value = getattr(customer, name)
    return "" if value is None else str(value)


@require_POST
@may_merge
def merge_undo(request, pk):
    """Part two records again."""
    merged = get_object_or_404(CustomerMerge.objects.visible_to(request.user), pk=pk)
    try:
        merge.unmerge(merged=merged, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The records are two again"))
    return redirect("customers:duplicate_list")
