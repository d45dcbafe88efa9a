"""Doors of actions on many customers: the bulk bar, export, and the head's list of requests for re-assignment."""

from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import adjustment, bulk, export, list_memory, tags
from customers.columns import chosen as chosen_columns
from customers.columns import offered
from customers.filter_chips import chips
from customers.listing import Listing
from customers.models import AdjustmentRequest, Customer
from staff.models import Staff
from staff.refusal import Refused
from staff.shell import render_page

may_view = permission_required("customers.view_customer", raise_exception=True)
may_export = permission_required("customers.export_customer", raise_exception=True)
may_assign = permission_required("customers.assign_customer", raise_exception=True)

PLAN_AHEAD = timedelta(days=180)


class TagForm(forms.Form):
    """Reads a tag."""

    word = forms.CharField(label=gettext_lazy("Tag"), max_length=tags.LONGEST)

    def detail(self):
        return self.cleaned_data["word"]


class PlanForm(forms.Form):
    """Reads until when to contact, and what for."""

    due_on = forms.DateField(label=gettext_lazy("Contact until"))
    note = forms.CharField(label=gettext_lazy("Purpose"), max_length=60, required=False)

    def clean_due_on(self):
        due_on = self.cleaned_data["due_on"]
        if not localdate() <= due_on <= localdate() + PLAN_AHEAD:
            raise forms.ValidationError(_("Choose a day from today to half a year ahead."))
        return due_on

    def detail(self):
        return self.cleaned_data["due_on"].isoformat()


class AdjustForm(forms.Form):
    """Reads why somebody else should look after the customers."""

    reason = forms.CharField(label=gettext_lazy("Reason"), min_length=4, max_length=120)

    def detail(self):
        return ""


class AssignForm(forms.Form):
    """Reads the receiver: a member of one's own branch."""

    to = forms.ModelChoiceField(label=gettext_lazy("Receiver"), queryset=Staff.objects.none())

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = Staff.objects.members_of(by.branch_id).active().filter(load__isnull=False)

    def detail(self):
        return self.cleaned_data["to"].name


FORMS = {"tag": TagForm, "untag": TagForm, "plan": PlanForm, "adjust": AdjustForm}


def _form(action: str, request):
    if action == "assign":
        return AssignForm(request.POST, by=request.user)
    return FORMS[action](request.POST)


def chosen_ids(data) -> list[int]:
    """Return the ids that were ticked; one that is no number is nobody's."""
    found = data.getlist("chosen")
    if not all(pk.isdecimal() and len(pk) <= 18 for pk in found):
        raise Http404
    return [int(pk) for pk in found]


def _frozen(request, listing: Listing, most: int = bulk.LARGEST) -> list[int]:
    try:
        everyone = request.POST.get("everyone") == "1"
        return bulk.freeze(listing, viewer=request.user, chosen=chosen_ids(request.POST), everyone=everyone, most=most)
    except Customer.DoesNotExist:
        raise Http404 from None


def _listing(request) -> Listing:
    return Listing.read(request, QueryDict(request.POST.get("query", "")[:2000]))


def _back(listing: Listing) -> str:
    url = reverse("customers:customer_list")
    return f"{url}?{listing.url()}" if listing.url() else url


def _to_job(job, back: str):
    return redirect(f"{job.get_absolute_url()}?{urlencode({'back': back})}")


@require_POST
@may_view
def bulk_action(request):
    """Start an action on the customers that were ticked, or on all of the list: they are frozen here."""
    action = request.POST.get("action", "")
    if action not in bulk.ACTIONS:
        raise Http404
    if not request.user.has_perm(bulk.ACTIONS[action].permission):
        raise PermissionDenied
    listing = _listing(request)
    form = _form(action, request)
    try:
        selection = _frozen(request, listing)
        if not form.is_valid():
            messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
            return redirect(_back(listing))
        params = {name: getattr(value, "pk", None) or str(value) for name, value in form.cleaned_data.items()}
        job = bulk.start(action=action, by=request.user, selection=selection, params=params, detail=form.detail())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(_back(listing))
    return _to_job(job, _back(listing))


class ExportForm(forms.Form):
    """Reads what an export holds and what it is for."""

    purpose = forms.CharField(
        label=gettext_lazy("Purpose"), min_length=4, max_length=100,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        help_text=gettext_lazy("Kept in the audit trail, and written at the end of the file."),
    )  # fmt: skip
    file_format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=export.Format.choices,
        initial=export.Format.XLSX,
        widget=forms.RadioSelect,
    )
    columns = forms.MultipleChoiceField(label=gettext_lazy("Columns"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args, viewer, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["columns"].choices = [(one.key, one.label) for one in offered(viewer) if one.exported]


@require_http_methods(["GET", "POST"])
@may_export
def customer_export(request):
    """Ask what for and which columns, tell the limit; then start the export of who is in the list now."""
    asked = request.POST if request.method == "POST" else request.GET
    listing = Listing.read(request, QueryDict(asked.get("query", "")[:2000]))
    limit = export.limit_of(request.user)
    begun = "purpose" in request.POST
    choice = list_memory.choice_of(request.user)
    usual = [one.key for one in chosen_columns(choice.columns, request.user) if one.exported]
    form = ExportForm(request.POST if begun else None, viewer=request.user, initial={"columns": usual})
    selection, refusal = [], ""
    chosen = chosen_ids(request.POST)
    try:
        if chosen and request.POST.get("everyone") != "1":
            selection = _frozen(request, listing, most=limit)
        else:
            selection = bulk.freeze(listing, viewer=request.user, everyone=True, most=limit)
        if begun and form.is_valid():
            words = "; ".join(f"{chip['label']} {chip['words']}" for chip in chips(listing.filters.form))
            job = export.ask(by=request.user, selection=selection, filters=words, **form.cleaned_data)
            return _to_job(job, _back(listing))
    except Customer.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        refusal = str(error)
    context = {
        "form": form,
        "query": listing.url(),
        "chosen": chosen if request.POST.get("everyone") != "1" else [],
        "number": len(selection),
        "limit": limit,
        "who_may_more": export.who_may_more(request.user),
        "refusal": refusal,
        "chips": [] if listing.faults else chips(listing.filters.form),
        "back": _back(listing),
    }
    return render_page(request, "customers/export.html", context, status=422 if begun else 200)


@require_GET
@may_assign
def adjustment_list(request):
    """The requests for re-assignment that wait for an answer, and those answered lately."""
    wishes = AdjustmentRequest.objects.visible_to(request.user)
    related = ("customer__manager", "asked_by", "settled_by")
    context = {
        "open": wishes.open().select_related(*related).order_by("asked_at", "pk")[:200],
        "settled": wishes.exclude(settled_at=None).select_related(*related).order_by("-settled_at")[:20],
    }
    return render_page(request, "customers/adjustment_list.html", context)


@require_POST
@may_assign
def adjustment_settle(request, pk):
    """Answer a request: done, or the customer stays."""
    wish = get_object_or_404(AdjustmentRequest.objects.visible_to(request.user), pk=pk)
    outcome = request.POST.get("outcome", "")
    if outcome not in AdjustmentRequest.Outcome.values:
        raise Http404
    try:
        adjustment.settle(wish=wish, by=request.user, outcome=outcome)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("customers:adjustment_list")
