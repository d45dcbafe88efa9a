"""Doors of the personal archive: the panel, a field edited in place, its history, interests, consents."""

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import reveal as revealing
from customers.archive import consents, interests, values
from customers.archive.fields import BY_CODE, LISTS, Kind
from customers.archive.page import archive_of, entry_of
from customers.models import ConsentRecord, Hobby, ProfileValue, Resource, Source
from customers.views import may_view
from customers.views_detail import visible_customer
from staff.refusal import Refused
from staff.shell import render_page, wants_part, with_toast

may_edit = permission_required("customers.edit_profile", raise_exception=True)

PANEL = "customers/panel_profile.html"
FIELD = "customers/archive_field.html"
CONSENTS = "customers/panel_consents.html"
HISTORY_ROWS = 20


@require_GET
@may_view
def panel_profile(request, pk):
    """The archive: every field with its value, where it comes from and how old it is."""
    customer = visible_customer(request, pk)
    return render_page(request, PANEL, _archive_context(request, customer), partial="panel")


@require_GET
@may_view
def panel_completeness(request, pk):
    """How complete the archive is, what to ask next, what is missing or old."""
    customer = visible_customer(request, pk)
    context = _archive_context(request, customer)
    return render_page(request, "customers/panel_completeness.html", context, partial="panel")


def _archive_context(request, customer) -> dict:
    archive = archive_of(customer, now=timezone.now(), viewer=request.user)
    return {
        "customer": customer,
        "archive": archive,
        "few_missing": archive.missing[:3],
        "few_stale": archive.stale[:3],
        "may_edit": request.user.has_perm("customers.edit_profile"),
        "may_reveal": request.user.has_perm("customers.reveal_sensitive"),
        "purposes": revealing.Purpose.choices,
        "hobby_words": interests.HOBBIES,
        "resource_words": interests.RESOURCES,
        "levels": Hobby.Level.choices,
        "urgencies": Resource.Urgency.choices,
        "directions": Resource.Direction.choices,
    }


class ValueForm(forms.Form):
    """Reads one field of the archive, with the row that its writer saw; `values.set_value` keeps it."""

    source = forms.ChoiceField(label=gettext_lazy("Where from"), choices=Source.choices, initial=Source.CUSTOMER)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, field, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["said"] = _input_of(field)
        self.fields["source"].widget.attrs["class"] = "form-select"
        self.order_fields(["said", "source", "seen"])

    def values(self) -> dict:
        return {name: self.cleaned_data[name] for name in ("said", "source", "seen")}


def _input_of(field):
    """Return the form field that suits a field of the archive."""
    if field.kind == Kind.CHOICES:
        return forms.MultipleChoiceField(
            label=field.label, choices=field.choices.choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    if field.kind in (Kind.CHOICE, Kind.BOOL):
        choices = field.choices.choices if field.choices else [("true", _("Yes")), ("false", _("No"))]
        widget = forms.Select(attrs={"class": "form-select"})
        return forms.ChoiceField(label=field.label, choices=[("", "—"), *choices], required=False, widget=widget)
    attributes = {"class": "form-control", "autocomplete": "off"}
    if field.kind == Kind.DATE:
        return forms.DateField(
            label=field.label, required=False, widget=forms.DateInput(attrs=attributes | {"type": "date"})
        )
    return forms.CharField(
        label=field.label, required=False, max_length=field.max_length, widget=forms.TextInput(attrs=attributes)
    )


@require_http_methods(["GET", "POST"])
@may_edit
def profile_field(request, pk, code):
    """Edit a field in place: the form with its history, and what was written. `show` asks for the row alone."""
    customer = visible_customer(request, pk)
    field = BY_CODE.get(code)
    if field is None or field.column or field.code in LISTS:
        raise Http404(code)
    row = ProfileValue.objects.current().filter(customer=customer, field=code).select_related("by").first()
    if request.method == "GET" and "show" in request.GET and wants_part(request):
        return _row(request, customer, field, row)
    form = ValueForm(request.POST or None, field=field, initial=_initial(field, row))
    conflict, status = None, 200
    if request.method == "POST":
        if form.is_valid():
            try:
                kept = values.set_value(customer=customer, code=code, by=request.user, **form.values())
            except values.Conflict as refusal:
                conflict, status = refusal, 409
            except Refused as refusal:
                form.add_error("said", str(refusal))
            else:
                return _written(request, customer, field, kept)
        status = status if conflict else 422
    context = {
        "customer": customer,
        "field": field,
        "form": form,
        "earlier": _history(customer, field),
        "conflict": conflict,
        "theirs": entry_of(customer, field, conflict.current, now=timezone.now(), viewer=request.user)
        if conflict
        else None,
    }
    return render_page(request, FIELD, context, partial="form", status=status)


def _initial(field, row) -> dict:
    if row is None:
        return {}
    said = "" if field.mask else str(row.value).lower() if field.kind == Kind.BOOL else row.value
    return {"seen": row.pk, "said": said, "source": row.source}


def _history(customer, field) -> list[dict]:
    rows = ProfileValue.objects.filter(customer=customer, field=field.code).exclude(ended_at=None).select_related("by")
    return [
        {"row": row, "words": values.words_of(field, row.value)} for row in rows.order_by("-at", "-pk")[:HISTORY_ROWS]
    ]


def _row(request, customer, field, row):
    entry = entry_of(customer, field, row, now=timezone.now(), viewer=request.user)
    context = _row_context(request, customer) | {"entry": entry}
    return render(request, f"{FIELD}#row", context)


def _row_context(request, customer) -> dict:
    return {
        "customer": customer,
        "may_edit": True,
        "may_reveal": request.user.has_perm("customers.reveal_sensitive"),
        "purposes": revealing.Purpose.choices,
    }


def _written(request, customer, field, kept):
    if not wants_part(request):
        return redirect(_tab(customer, "profile"))
    return with_toast(_row(request, customer, field, kept), _("{label} saved.").format(label=field.label))


def _tab(customer, tab: str) -> str:
    return f"{customer.get_absolute_url()}?tab={tab}"


@require_POST
@may_edit
def profile_restore(request, pk, value):
    """Write an earlier value of a field again."""
    customer = visible_customer(request, pk)
    earlier = get_object_or_404(ProfileValue.objects.filter(customer=customer).exclude(ended_at=None), pk=value)
    field = BY_CODE[earlier.field]
    row = ProfileValue.objects.current().filter(customer=customer, field=earlier.field).first()
    kept = values.restore(earlier=earlier, by=request.user, seen=row.pk if row else None)
    return _written(request, customer, field, kept)


@require_POST
@may_edit
def profile_confirm(request, pk, value):
    """Write a value again as it is: it still holds, as of now."""
    customer = visible_customer(request, pk)
    row = get_object_or_404(ProfileValue.objects.filter(customer=customer), pk=value)
    try:
        kept = values.restore(earlier=row, by=request.user, seen=row.pk)
    except values.Conflict as refusal:
        return with_toast(_row(request, customer, BY_CODE[row.field], refusal.current), str(refusal), kind="error")
    return _written(request, customer, BY_CODE[row.field], kept)


class InterestForm(forms.Form):
    """Reads a hobby or a resource; customers.archive.interests keeps it."""

    kind = forms.ChoiceField(choices=[("hobby", ""), ("need", ""), ("offer", "")])
    word = forms.CharField(max_length=20)
    level = forms.TypedChoiceField(choices=Hobby.Level.choices, coerce=int, required=False, empty_value=1)
    urgency = forms.TypedChoiceField(choices=Resource.Urgency.choices, coerce=int, required=False, empty_value=1)
    earns = forms.BooleanField(required=False)
    note = forms.CharField(max_length=120, required=False)


@require_POST
@may_edit
def interest_add(request, pk):
    """Note a hobby, a need or an offer."""
    customer, form = visible_customer(request, pk), InterestForm(request.POST)
    problem = "" if form.is_valid() else _("Choose a word from the list.")
    if not problem:
        said = form.cleaned_data
        about = {"customer": customer, "word": said["word"], "source": Source.CUSTOMER, "by": request.user}
        try:
            if said["kind"] == "hobby":
                interests.add_hobby(**about, level=said["level"], earns=said["earns"])
            else:
                interests.add_resource(**about, direction=said["kind"], urgency=said["urgency"], note=said["note"])
        except Refused as refusal:
            problem = str(refusal)
    return _lists(request, customer, problem)


@require_POST
@may_edit
def interest_end(request, pk, kind, row):
    """End a hobby, a need or an offer."""
    customer = visible_customer(request, pk)
    model = {"hobby": Hobby, "resource": Resource}.get(kind)
    if model is None:
        raise Http404(kind)
    interests.end(row=get_object_or_404(model.objects.filter(customer=customer), pk=row), by=request.user)
    return _lists(request, customer, "")


def _lists(request, customer, problem: str):
    if not wants_part(request):
        return redirect(_tab(customer, "profile"))
    customer.refresh_from_db(fields=["archive_completeness"])
    response = render(
        request, f"{PANEL}#interests", _archive_context(request, customer), status=422 if problem else 200
    )
    return with_toast(response, problem, kind="error") if problem else response


@require_GET
@may_view
def panel_consents(request, pk):
    """Who may be written to about what, and over which channel."""
    customer = visible_customer(request, pk)
    return render_page(request, CONSENTS, _consent_context(request, customer), partial="panel")


def _consent_context(request, customer) -> dict:
    held = consents.consents_of(customer)
    return {
        "customer": customer,
        "channels": consents.Channel.choices,
        "grid": [
            {
                "purpose": purpose,
                "label": purpose.label,
                "cells": [{"channel": channel, "row": held.get((purpose, channel))} for channel in consents.Channel],
            }
            for purpose in consents.Purpose
        ],
        "history": ConsentRecord.objects.filter(customer=customer)
        .select_related("by")
        .order_by("-at", "-id")[:HISTORY_ROWS],
        "may_edit": request.user.has_perm("customers.edit_profile"),
    }


class ConsentForm(forms.Form):
    """Reads a grant or a withdrawal; `consents.record` keeps it."""

    purpose = forms.ChoiceField(choices=consents.Purpose.choices)
    channel = forms.ChoiceField(choices=consents.Channel.choices)
    granted = forms.TypedChoiceField(choices=[("yes", ""), ("no", "")], coerce=lambda said: said == "yes")
    evidence = forms.CharField(max_length=120, required=False)


@require_POST
@may_edit
def consent_record(request, pk):
    """Write a consent of a customer."""
    customer, form = visible_customer(request, pk), ConsentForm(request.POST)
    problem = "" if form.is_valid() else _("Say for what, over which channel, and whether it is granted.")
    if not problem:
        try:
            consents.record(customer=customer, by=request.user, **form.cleaned_data)
        except Refused as refusal:
            problem = str(refusal)
    if not wants_part(request):
        return redirect(_tab(customer, "consents"))
    status = 422 if problem else 200
    response = render(request, f"{CONSENTS}#panel", _consent_context(request, customer), status=status)
    return with_toast(response, problem, kind="error") if problem else response
