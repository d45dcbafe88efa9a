"""The pages of feedback: a customer's on Customer 360, an outlet's complaints with their deadlines, answering and settling."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import care, feedback
from contacts.models import Feedback
from customers.models import Customer
from staff.refusal import Refused
from staff.shell import render_page

SHOWN = 100

may_see = permission_required("customers.view_customer", raise_exception=True)
may_serve = permission_required("contacts.log_contact", raise_exception=True)


class FeedbackForm(forms.ModelForm):
    """Reads what a customer said; `feedback.enter` writes it."""

    score = forms.TypedChoiceField(
        label=Feedback._meta.get_field("score").verbose_name, required=False, coerce=int, empty_value=None,
        choices=[("", "—"), *((n, str(n)) for n in range(1, 6))],
    )  # fmt: skip

    class Meta:
        model = Feedback
        fields = ("kind", "area", "score", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 2})}


@require_GET
@may_see
def panel_feedback(request, pk):
    """A customer's feedback, how the last 90 days were, and the form that adds to it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    return render(request, "contacts/panel_feedback.html", _context(request, customer))


@require_POST
@may_serve
def feedback_enter(request, pk):
    """Write down what the customer said."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = FeedbackForm(request.POST)
    if form.is_valid():
        try:
            feedback.enter(customer=customer, by=request.user, on=localdate(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Kept; a complaint is on Today until it is settled"))
            return redirect(f"{customer.get_absolute_url()}?tab=feedback")
    context = _context(request, customer) | {"form": form}
    return render(request, "contacts/panel_feedback.html", context, status=422)


@require_POST
@may_serve
def feedback_step(request, pk):
    """Note the answer, or the outcome."""
    shown = get_object_or_404(Feedback.objects.visible_to(request.user), pk=pk)
    words = request.POST.get("words", "")
    acts = {
        "answer": lambda: feedback.answer(feedback=shown, text=words, by=request.user, on=localdate()),
        "settle": lambda: feedback.settle(feedback=shown, outcome=words, by=request.user, on=localdate()),
    }
    act = acts.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Kept"))
    return redirect(f"{shown.customer.get_absolute_url()}?tab=feedback")


@require_GET
@may_see
def feedback_list(request):
    """The open complaints in sight by their next deadline, and what else was said of late."""
    seen = Feedback.objects.visible_to(request.user).select_related("customer__manager")
    waiting = sorted(seen.open_complaints()[:SHOWN], key=lambda row: row.due_on)
    context = {
        "waiting": waiting,
        "latest": seen.exclude(pk__in=[row.pk for row in waiting])[:SHOWN],
        "on": localdate(),
    }
    return render_page(request, "contacts/feedback_list.html", context)


def _context(request, customer: Customer) -> dict:
    on = localdate()
    known = care.care_of(customer, on)
    return {
        "customer": customer,
        "rows": customer.feedback.select_related("entered_by", "answered_by", "settled_by"),
        "care": known,
        "warnings": known.warnings(on),
        "form": FeedbackForm(),
        "may_serve": request.user.has_perm("contacts.log_contact"),
        "on": on,
    }
