"""Referrals, questions and their answers; applications for a special product."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contacts import referral, special
from contacts.models import SpecialApplication, StaffReferral
from customers.models import Customer
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role
from staff.shell import render_page, take_step

SHOWN = 60
may_see = permission_required("customers.view_customer", raise_exception=True)
may_serve = permission_required("contacts.log_contact", raise_exception=True)
may_sell = permission_required("contacts.move_opportunity", raise_exception=True)


def _customer(request, pk: int) -> Customer:
    return get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)


def _dressed(form):
    for field in form.fields.values():
        chooses = isinstance(field.widget, forms.Select)
        field.widget.attrs["class"] = "form-select" if chooses else "form-control"
    return form


class ReferralForm(forms.Form):
    """Reads a referral or a question; `referral.send` writes it. Offers colleagues of the outlet and above, and specialists."""

    kind = forms.ChoiceField(label=gettext_lazy("What it is"), choices=StaffReferral.Kind.choices)
    receiver = forms.ModelChoiceField(Staff.objects.none(), label=gettext_lazy("To"))
    need = forms.CharField(
        label=gettext_lazy("What the customer needs"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )
    credit_percent = forms.IntegerField(
        label=gettext_lazy("The receiver's share of the success, %"), min_value=0, max_value=100, initial=50
    )

    def __init__(self, *args, viewer: Staff, **kwargs):
        super().__init__(*args, **kwargs)
        others = (
            Staff.objects.active().exclude(pk=viewer.pk).exclude(role__in=[Role.AUDITOR, Role.SYS_ADMIN, Role.TRAINER])
        )
        near = viewer.branch.path.strip("/").split("/")
        self.fields["receiver"].queryset = others.filter(branch__in=near) | others.filter(role=Role.PRODUCT_SPECIALIST)
        _dressed(self)


@may_serve
def referral_new(request, pk):
    """Pass a customer on, or ask an expert about him."""
    customer, form = _customer(request, pk), ReferralForm(request.POST or None, viewer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            referral.send(customer=customer, by=request.user, on=localdate(), **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Sent; an answer is due within a working day."))
            return redirect("contacts:referral_list")
    context = {"customer": customer, "form": form, "title": _("Refer or ask")}
    return render_page(request, "contacts/request_form.html", context, status=422 if form.errors else 200)


@require_GET
def referral_list(request):
    """What I have to answer, what I sent, and the answers that everybody may read."""
    seen = Customer.objects.visible_to(request.user).filter(pk=OuterRef("customer"))
    mine = StaffReferral.objects.select_related("customer", "sender", "receiver").annotate(is_seen=Exists(seen))
    words = request.GET.get("q", "").strip()[:60]
    shared = mine.filter(kind=StaffReferral.Kind.QUESTION, is_shared=True)
    if words:
        shared = shared.filter(need__icontains=words) | shared.filter(result__icontains=words)
    context = {
        "got": mine.waiting_for(request.user),
        "sent": mine.filter(sender=request.user)[:SHOWN],
        "closed": mine.filter(receiver=request.user, status__in=["done", "returned"])[:SHOWN],
        "shared": shared[:SHOWN],
        "words": words,
        "on": localdate(),
    }
    return render_page(request, "contacts/referrals.html", context)


@require_POST
def referral_step(request, pk):
    """Take on, finish or return what one was asked."""
    row = get_object_or_404(StaffReferral, pk=pk, receiver=request.user)
    words = request.POST.get("words", "")
    acts = {
        "accept": lambda: referral.accept(referral=row, by=request.user, on=localdate()),
        "finish": lambda: referral.finish(
            referral=row, result=words, by=request.user, on=localdate(), is_shared=bool(request.POST.get("share"))
        ),
        "return": lambda: referral.give_back(referral=row, why=words, by=request.user, on=localdate()),
    }
    take_step(request, acts)
    return redirect("contacts:referral_list")


# --- special products ----------------------------------------------------------------------------------


class SpecialForm(forms.ModelForm):
    """Reads an application with our price beside the other bank's; `special.apply` writes it."""

    class Meta:
        model = SpecialApplication
        fields = ("product", "amount", "months", "list_rate", "asked_rate", "competitor", "competitor_rate", "reason")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        _dressed(self)


@may_sell
def special_new(request, pk):
    """Apply for a special product for a customer."""
    customer = _customer(request, pk)
    form = SpecialForm(request.POST or None, instance=special.draft_of(customer, request.user))
    if request.method == "POST" and form.is_valid():
        is_draft = request.POST.get("step") == "draft"
        try:
            (special.keep_draft if is_draft else special.apply)(customer=customer, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Kept as a draft.") if is_draft else _("Sent for approval."))
            return redirect("contacts:special_list")
    context = {"customer": customer, "form": form, "title": _("Apply for a special product"), "may_draft": True}
    return render_page(request, "contacts/request_form.html", context, status=422 if form.errors else 200)


@require_GET
@may_see
def special_list(request):
    """The applications in sight: those that wait for the viewer first."""
    theirs = Q(status=SpecialApplication.Status.DRAFT) & ~Q(applicant=request.user)
    rows = SpecialApplication.objects.visible_to(request.user).exclude(theirs).select_related("customer", "applicant")
    rows = list(rows.prefetch_related("decisions__by")[:SHOWN])
    waiting = [row for row in rows if special.may_decide(row, request.user)]
    context = {
        "waiting": waiting,
        "others": [row for row in rows if row not in waiting],
        "on": localdate(),
        "may_use": request.user.has_perm("contacts.move_opportunity"),
    }
    return render_page(request, "contacts/specials.html", context)


@require_POST
@may_see
def special_step(request, pk):
    """Approve, reject or use an application, or throw one's draft away."""
    row = get_object_or_404(SpecialApplication.objects.visible_to(request.user), pk=pk)
    step, note = request.POST.get("step", ""), request.POST.get("note", "")
    if step == "use" and not request.user.has_perm("contacts.move_opportunity"):
        raise Http404
    acts = {
        "approve": lambda: special.decide(application=row, approve=True, note=note, by=request.user, on=localdate()),
        "reject": lambda: special.decide(application=row, approve=False, note=note, by=request.user, on=localdate()),
        "discard": lambda: special.discard(application=row, by=request.user),
        "use": lambda: special.use(application=row, by=request.user, on=localdate()),
    }
    take_step(request, acts)
    return redirect("contacts:special_list")
