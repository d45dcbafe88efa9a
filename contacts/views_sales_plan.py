"""What the record of an opportunity adds to its stages: the sales plan, who helps; and opening many from a named list."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contacts import opportunity_sources, sales_plan
from contacts.models import Opportunity, SalesPlan
from customers.models import CustomerList, Product
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page, take_step

may_move = permission_required("contacts.move_opportunity", raise_exception=True)


class PlanForm(forms.ModelForm):
    """Reads a sales plan; `sales_plan.keep` writes it."""

    class Meta:
        model = SalesPlan
        fields = ["goal", "products", "steps", "scripts", "timing", "competitor"]
        widgets = {
            name: forms.Textarea(attrs={"rows": 3, "class": "form-control"}) for name in ("steps", "scripts")
        } | {
            name: forms.TextInput(attrs={"class": "form-control"})
            for name in ("goal", "products", "timing", "competitor")
        }


class ListForm(forms.Form):
    """What is opened for the members of a list."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=Opportunity.Kind.choices,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category, for a cross-sale"), choices=[("", "—"), *Product.Category.choices], required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip


@may_move
def opportunity_plan(request, pk):
    """The plan of an opportunity: its form, and keeping it."""
    opportunity = _visible(request, pk)
    held = SalesPlan.objects.filter(opportunity=opportunity).first()
    form = PlanForm(request.POST or None, instance=held)
    if request.method == "POST" and form.is_valid():
        try:
            sales_plan.keep(opportunity=opportunity, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The sales plan is kept"))
            return redirect(opportunity)
    context = {"opportunity": opportunity, "form": form}
    status = 422 if form.errors else 200
    return render_page(request, "contacts/opportunity_plan.html", context, partial="drawer", status=status)


@require_POST
@may_move
def opportunity_helper(request, pk):
    """Ask a colleague to help with an opportunity, or let him go: `step` and `staff` in the form."""
    opportunity, chosen = _visible(request, pk), request.POST.get("staff", "")
    people = Staff.objects.active().members_of(request.user.branch_id)
    staff = get_object_or_404(people, pk=chosen if chosen.isdecimal() else None)
    asked = {"opportunity": opportunity, "staff": staff, "by": request.user, "on": localdate()}
    acts = {"add": lambda: sales_plan.add_helper(**asked), "remove": lambda: sales_plan.remove_helper(**asked)}
    take_step(request, acts)
    return redirect(opportunity)


@permission_required("customers.manage_segment", raise_exception=True)
def list_opportunities(request, pk):
    """Open an opportunity for each member of a named list who is still to be done."""
    held, form = get_object_or_404(CustomerList.objects.visible_to(request.user), pk=pk), ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            done = opportunity_sources.open_from_list(
                customer_list=held, by=request.user, on=localdate(), **form.cleaned_data
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            said = _("Opportunities opened: {n}; who has one, or declined lately, was passed over")
            messages.success(request, said.format(n=done))
            return redirect(held)
    context = {"list": held, "form": form}
    return render_page(request, "contacts/list_opportunities.html", context, status=422 if form.errors else 200)


def _visible(request, pk) -> Opportunity:
    return get_object_or_404(Opportunity.objects.visible_to(request.user).select_related("customer"), pk=pk)
