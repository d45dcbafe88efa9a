"""Nominating a potential VIP customer from the record, and taking it back."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from customers import nomination
from customers.models import Customer, Nomination
from staff.refusal import Refused
from staff.shell import render_page

may_nominate = permission_required("customers.nominate_customer", raise_exception=True)


class NominationForm(forms.Form):
    """Reads the reason; `nomination.nominate` keeps it."""

    reason = forms.CharField(
        label=gettext_lazy("Why this could be a VIP customer"),
        max_length=120,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("For instance: a shop newly opened, a house sold, pay that moves to us."),
    )


@may_nominate
def nominate(request, pk):
    """The form in the drawer, and the nomination."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = NominationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            nomination.nominate(customer=customer, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("reason", str(refusal))
        else:
            messages.success(request, _("{name} is nominated").format(name=customer.name))
            return redirect(customer)
    status = 422 if form.errors else 200
    context = {"customer": customer, "form": form}
    return render_page(request, "customers/nomination_form.html", context, partial="drawer", status=status)


@require_POST
@may_nominate
def withdraw(request, pk):
    """End a nomination of a customer in sight; the trail keeps who did."""
    kept = get_object_or_404(Nomination.objects.visible_to(request.user), pk=pk)
    try:
        nomination.withdraw(nomination=kept, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Nomination taken back"))
    return redirect("contacts:potential_list")
