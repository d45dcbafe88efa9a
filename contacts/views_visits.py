"""The pages of planned meetings: planning one, its preparation sheet, giving it up."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import preparation, visit
from contacts.models import VisitPlan
from customers.models import Customer
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page

may_see = permission_required("customers.view_customer", raise_exception=True)
may_serve = permission_required("contacts.log_contact", raise_exception=True)


class VisitForm(forms.ModelForm):
    """Reads a meeting; `visit.plan` keeps it."""

    companions = forms.ModelMultipleChoiceField(
        Staff.objects.none(), required=False, label=gettext_lazy("Colleagues who come along"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("They see the customer until 7 days after the meeting."),
    )  # fmt: skip

    class Meta:
        model = VisitPlan
        fields = ("on", "at", "way", "place", "aim")
        widgets = {
            "on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            "at": forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
            "aim": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        colleagues = Staff.objects.members_of(viewer.branch_id).active().exclude(pk=viewer.pk)
        self.fields["companions"].queryset = colleagues.order_by("role", "staff_no")


@may_serve
def visit_plan(request, pk):
    """The form of a meeting with a customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    on = localdate()
    form = VisitForm(request.POST or None, viewer=request.user, initial={"on": on, "at": "10:00"})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = visit.plan(
                customer=customer, at_day=said["on"], at=said["at"], way=said["way"], aim=said["aim"], place=said["place"],
                companions=said["companions"], by=request.user, on=on,
            )  # fmt: skip
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Meeting planned; this is what to prepare"))
            return redirect(made)
    context = {"form": form, "customer": customer}
    return render_page(request, "contacts/visit_form.html", context, status=422 if form.errors else 200)


@require_GET
@may_see
def visit_page(request, pk):
    """A planned meeting with its preparation sheet, to read and to print."""
    shown = get_object_or_404(
        VisitPlan.objects.visible_to(request.user).select_related("customer", "staff", "log"), pk=pk
    )
    context = {
        "visit": shown,
        "companions": shown.companions.order_by("staff_no"),
        "sheet": preparation.sheet_of(customer=shown.customer, viewer=request.user, on=localdate()),
        "warnings": visit.warnings(shown.customer, at_day=shown.on, at=shown.at),
        "may_cancel": shown.status == "planned" and request.user.pk == shown.staff_id,
    }
    return render_page(request, "contacts/visit.html", context)


@require_POST
@may_serve
def visit_cancel(request, pk):
    """Give a planned meeting up."""
    shown = get_object_or_404(VisitPlan.objects.visible_to(request.user).filter(staff=request.user), pk=pk)
    try:
        visit.cancel(visit=shown, by=request.user, on=localdate())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Meeting cancelled"))
    return redirect(shown.customer)
