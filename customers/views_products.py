"""The catalogue of products, and on Customer 360: coverage, assessment, advice against a purchase."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.cache import cache
from django.db.models import Count, Sum
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from customers import assessment, catalogue, suitability
from customers.coverage import coverage_of
from customers.models import Customer, Holding, Product
from customers.search import SEALED
from customers.views import may_view
from customers.views_detail import visible_customer
from staff.refusal import Refused
from staff.shell import render_page

may_edit = permission_required("customers.edit_profile", raise_exception=True)

MATCHES = 50
HELD_LASTS = 3600
"""Seconds for which the holders of all products hold for those who see many outlets."""


@require_GET
@may_view
def product_list(request):
    """What the bank sells, easy before difficult, with who in sight holds it and how much."""
    held, everybody = _held(request.user)
    products = list(Product.objects.on_sale(localdate()).order_by("ladder_rank", "category", "code"))
    for product in products:
        product.holders, product.amount = held.get(product.pk, (0, None))
    return render_page(request, "customers/product_list.html", {"products": products, "everybody": everybody})


def _held(viewer) -> tuple[dict, int]:
    """Return {product: (holders, yuan)} in sight, and how many customers are; an hour old for those who see many outlets."""
    key = f"products-held:{viewer.scope}:{viewer.branch_id}:{localdate()}"
    kept = cache.get(key) if viewer.sees_many else None
    if kept is None:
        rows = Holding.objects.visible_to(viewer).active().order_by().values_list("product")
        held = {
            pk: (holders, amount)
            for pk, holders, amount in rows.annotate(Count("customer", distinct=True), Sum("amount"))
        }
        kept = held, Customer.objects.visible_to(viewer).exclude(relation_status="closed").count()
        if viewer.sees_many:
            cache.set(key, kept, HELD_LASTS)
    return kept


@require_GET
@may_view
def product_detail(request, pk):
    """One product: who holds it and until when, and whom it suits who does not hold its kind, the most money first."""
    product, on, viewer = get_object_or_404(Product, pk=pk), localdate(), request.user
    holdings = Holding.objects.visible_to(viewer).active().filter(product=product)
    seen = (
        Customer.objects.visible_to(viewer)
        .vip()
        .may_receive("marketing")
        .exclude(product_marks__contains=product.category)
    )
    matches = seen.select_related("manager").defer(*SEALED).order_by("-aum", "pk")[: MATCHES * 4]
    suited = [one for one in matches if suitability.judge(suitability.offer_to(one, product, on=on)).allowed][:MATCHES]
    context = {
        "product": product,
        "holdings": holdings.select_related("customer__manager").order_by("matures_on", "-amount")[:MATCHES],
        "figures": holdings.aggregate(amount=Sum("amount"), holders=Count("customer", distinct=True)),
        "matches": suited,
        "most": MATCHES,
        "needs": suitability.needs_of(product.category, is_agency=product.is_agency),
    }
    return render_page(request, "customers/product_detail.html", context)


class ProductForm(forms.ModelForm):
    """Reads what head office says of a product; `catalogue.change` keeps it."""

    risk_level = forms.TypedChoiceField(
        label=gettext_lazy("Risk level"), required=False, coerce=int, empty_value=None,
        choices=[("", "—"), *((level, f"R{level}") for level in range(1, 6))],
    )  # fmt: skip

    class Meta:
        model = Product
        fields = catalogue.CHANGEABLE
        labels = {
            "name": gettext_lazy("Name"),
            "min_amount": gettext_lazy("Least amount, yuan"),
            "on_sale_from": gettext_lazy("On sale from"),
            "on_sale_to": gettext_lazy("On sale until"),
            "selling_points": gettext_lazy("Selling points"),
        }
        widgets = {
            "selling_points": forms.Textarea(attrs={"rows": 5}),
            "on_sale_from": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "on_sale_to": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }


@permission_required("customers.edit_product", raise_exception=True)
def product_edit(request, pk):
    """The form of a product, and its change."""
    product = get_object_or_404(Product, pk=pk)
    form = ProductForm(request.POST or None, instance=get_object_or_404(Product, pk=pk))
    if request.method == "POST" and form.is_valid():
        try:
            catalogue.change(product=product, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Product saved"))
            return redirect(product)
    status = 422 if form.errors else 200
    return render_page(request, "customers/product_form.html", {"product": product, "form": form}, status=status)


@require_GET
@may_view
def panel_coverage(request, pk):
    """Categories held, open and barred, in the order of the ladder; bundles that are not complete."""
    customer = visible_customer(request, pk)
    cells, bundles = coverage_of(customer, on=localdate())
    context = {
        "customer": customer,
        "cells": cells,
        "held": sum(cell.state == "held" for cell in cells),
        "bundles": [{"label": bundle.label, "missing": "、".join(missing)} for bundle, missing in bundles],
    }
    return render_page(request, "customers/panel_coverage.html", context, partial="panel")


class AssessmentForm(forms.Form):
    """Reads a grade, and that the customer confirmed a different one again."""

    grade = forms.TypedChoiceField(
        label=gettext_lazy("Risk grade"), choices=list(suitability.GRADES.items()), coerce=int
    )
    confirmed = forms.BooleanField(required=False)


class AdviceForm(forms.Form):
    """Reads which purchase was advised against, and why."""

    product = forms.ModelChoiceField(queryset=Product.objects.all())
    amount = forms.DecimalField(min_value=1, max_digits=14, decimal_places=2, required=False)
    reason = forms.CharField(max_length=200)


@require_POST
@may_edit
def assess(request, pk):
    """Record a risk assessment of today."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = AssessmentForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(_("Choose a risk grade."))
        assessment.record_assessment(customer=customer, by=request.user, on=localdate(), **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Assessment recorded; it holds for 12 months"))
    return redirect(f"{customer.get_absolute_url()}?tab=holdings")


@require_POST
@may_edit
def advise(request, pk):
    """Record advice against a purchase."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = AdviceForm(request.POST)
    try:
        if not form.is_valid():
            raise Refused(_("Say which product, and why you advise against it."))
        assessment.advise_against(customer=customer, by=request.user, on=localdate(), **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Advice against the purchase recorded"))
    return redirect(f"{customer.get_absolute_url()}?tab=holdings")
