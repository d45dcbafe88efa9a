"""The pages of introductions: whom customers brought, what came of it, whether they were thanked."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import introduction
from contacts.models import CustomerIntroduction
from customers.models import Customer
from staff.refusal import Refused
from staff.shell import render_page, take_step

SHOWN = 100

may_serve = permission_required("contacts.log_contact", raise_exception=True)


class IntroductionForm(forms.ModelForm):
    """Reads whom a customer introduced; `introduction.enter` writes it."""

    class Meta:
        model = CustomerIntroduction
        fields = ["name", "mobile_last4", "relation", "note"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"


@require_GET
@permission_required("customers.view_customer", raise_exception=True)
def introduction_list(request):
    """The introductions in sight with what they brought; those not thanked first."""
    became = Customer.objects.visible_to(request.user).filter(pk=OuterRef("customer"))
    rows = CustomerIntroduction.objects.visible_to(request.user).annotate(is_seen=Exists(became))
    rows = rows.select_related("introducer", "customer", "opportunity", "thanked_by", "entered_by")
    context = {
        "rows": rows.order_by("thanked_on", "-pk")[:SHOWN],
        "results": introduction.results_of(viewer=request.user),
        "may_serve": request.user.has_perm("contacts.log_contact"),
    }
    return render_page(request, "contacts/introductions.html", context)


@may_serve
def introduction_new(request, pk):
    """Note whom a customer introduced."""
    customer, form = _customer(request, pk), IntroductionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            introduction.enter(introducer=customer, by=request.user, on=localdate(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The introduction is kept"))
            return redirect("contacts:introduction_list")
    context = {"customer": customer, "form": form, "title": _("Note an introduction")}
    return render_page(request, "contacts/request_form.html", context, status=422 if form.errors else 200)


@require_POST
@may_serve
def introduction_step(request, pk):
    """Say which customer it became (`customer_no` in sight), or how the introducer was thanked (`words`)."""
    row = get_object_or_404(CustomerIntroduction.objects.visible_to(request.user), pk=pk)
    made = {"introduction": row, "by": request.user, "on": localdate()}

    def link():
        number = request.POST.get("customer_no", "").strip()
        customer = Customer.objects.visible_to(request.user).filter(customer_no=number).first()
        if customer is None:
            raise introduction.IntroductionRefused(_("No customer of this number is in your sight."))
        introduction.link(customer=customer, **made)

    acts = {"link": link, "thank": lambda: introduction.thank(how=request.POST.get("words", ""), **made)}
    take_step(request, acts)
    return redirect("contacts:introduction_list")


def _customer(request, pk) -> Customer:
    return get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
