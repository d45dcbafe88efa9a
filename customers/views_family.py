"""Family and relations, assets elsewhere, gifts, and the marks of how a customer wants to be treated."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from customers import adjustment, care
from customers import reveal as revealing
from customers.archive import family
from customers.models import AdjustmentRequest, Customer, ExternalAsset, Gift, ImportantDate, Relation
from customers.views import may_view
from customers.views_detail import visible_customer
from staff.refusal import Refused
from staff.roles import HEADS
from staff.shell import render_page

may_edit = permission_required("customers.edit_profile", raise_exception=True)


class RelationForm(forms.Form):
    """Reads somebody close; a customer number names one in sight."""

    kind = forms.ChoiceField(choices=Relation.Kind.choices)
    number = forms.CharField(max_length=32, required=False)
    name = forms.CharField(max_length=80, required=False)
    birth_year = forms.IntegerField(min_value=1900, max_value=2100, required=False)
    occupation = forms.CharField(max_length=40, required=False)
    school = forms.CharField(max_length=40, required=False)
    consented = forms.BooleanField(required=False)


class ExternalAssetForm(forms.ModelForm):
    class Meta:
        model = ExternalAsset
        fields = ["bank", "kind", "amount", "due_on"]


class GiftForm(forms.ModelForm):
    class Meta:
        model = Gift
        fields = ["kind", "what", "occasion", "on", "cost", "reaction"]


class ImportantDateForm(forms.Form):
    """Reads a day of the year; a leap month of the lunar calendar is written with a minus."""

    kind = forms.ChoiceField(choices=ImportantDate.Kind.choices)
    name = forms.CharField(max_length=40)
    month = forms.IntegerField(min_value=-12, max_value=12)
    number = forms.IntegerField(min_value=1, max_value=31)
    lunar = forms.BooleanField(required=False)


@require_GET
@may_view
def panel_family(request, pk):
    """Who belongs to the customer, the household in sight, assets elsewhere, gifts, marks."""
    customer, viewer = visible_customer(request, pk), request.user
    seen = Customer.objects.visible_to(viewer)
    relations = family.relations_of(customer)
    others = set(seen.filter(pk__in=[one.pk for _row, one, _mine in relations if one]).values_list("pk", flat=True))
    context = {
        "customer": customer,
        "relations": [
            {"row": row, "other": one if one and one.pk in others else None, "hidden": bool(one) and one.pk not in others,
             "mine": mine}
            for row, one, mine in relations
        ],
        "household": family.household_of(customer, viewer=viewer),
        "assets": customer.external_assets.current().order_by("-amount"),
        "dates": [(row, family.words_of_day(row)) for row in customer.important_dates.current().order_by("kind", "pk")],
        "has_birthdays": customer.important_dates.current().filter(kind="family_birthday").exists(),
        "date_kinds": ImportantDate.Kind.choices,
        "sealed": {"field": revealing.Field.FAMILY_BIRTHDAYS.value, "label": revealing.Field.FAMILY_BIRTHDAYS.label,
                   "may": viewer.has_perm("customers.reveal_sensitive"), "purposes": revealing.Purpose.choices},
        "asked": AdjustmentRequest.objects.open().filter(customer=customer, kind="low_disturb").exists(),
        "gifts": customer.gifts.current().order_by("-on", "-pk")[:20],
        "kinds": Relation.Kind.choices,
        "asset_kinds": ExternalAsset.Kind.choices,
        "gift_kinds": Gift.Kind.choices,
        "may_edit": viewer.has_perm("customers.edit_profile"),
        "flags": [
            {"flag": flag, "label": label, "on": getattr(customer, flag),
             "mine": flag not in care.HEADS_ALONE or viewer.role in HEADS}
            for flag, label in (
                ("do_not_contact", _("Do not contact")), ("low_disturb", _("Low disturbance")), ("key_customer", _("Key customer"))
            )
        ],
        "today": localdate(),
    }  # fmt: skip
    return render_page(request, "customers/panel_family.html", context, partial="panel")


def _back(customer):
    return redirect(f"{customer.get_absolute_url()}?tab=family")


@require_POST
@may_edit
def family_add(request, pk, kind):
    """Note a relation, an asset elsewhere or a gift."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    add = {"relation": _add_relation, "asset": _add_asset, "gift": _add_gift, "date": _add_date}.get(kind)
    if add is None:
        raise Http404
    try:
        add(request, customer)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back(customer)


def _read(form):
    if not form.is_valid():
        words = "; ".join(f"{form.fields[name].label or name}: {errors[0]}" for name, errors in form.errors.items())
        raise Refused(words)
    return form.cleaned_data


def _add_relation(request, customer) -> None:
    said = _read(RelationForm(request.POST))
    number, relative = said.pop("number").strip(), None
    if number:
        relative = Customer.objects.visible_to(request.user).filter(customer_no=number).first()
        if relative is None:
            raise Refused(_("No customer of this number is in your sight; give a name instead."))
        said = {"kind": said["kind"], "consented": said["consented"]}
    family.add_relation(customer=customer, by=request.user, relative=relative, **said)
    messages.success(request, _("Noted"))


def _add_asset(request, customer) -> None:
    family.add_external_asset(customer=customer, by=request.user, **_read(ExternalAssetForm(request.POST)))
    messages.success(request, _("Noted"))


def _add_gift(request, customer) -> None:
    said = _read(GiftForm(request.POST))
    repeated = family.repeated(customer.gifts.current(), said["kind"], on=said["on"])
    family.add_gift(customer=customer, by=request.user, **said)
    if repeated:
        ideas = "、".join(family.ideas_for(customer, said["kind"], on=said["on"]))
        messages.warning(
            request, _("The same kind of gift as last year; think of something else: {ideas}").format(ideas=ideas)
        )
    else:
        messages.success(request, _("Noted"))


def _add_date(request, customer) -> None:
    family.add_important_date(customer=customer, by=request.user, **_read(ImportantDateForm(request.POST)))
    messages.success(request, _("Noted"))


ROWS = {"relation": Relation, "asset": ExternalAsset, "gift": Gift, "date": ImportantDate}


@require_POST
@may_edit
def family_end(request, pk, kind, row):
    """End what was noted on this customer."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    if kind not in ROWS:
        raise Http404
    family.end_row(row=get_object_or_404(ROWS[kind].objects.filter(customer=customer), pk=row), by=request.user)
    return _back(customer)


@require_POST
@permission_required("customers.ask_adjustment", raise_exception=True)
def care_ask(request, pk):
    """Ask the branch head that a customer be disturbed less."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    reason = " ".join(request.POST.get("reason", "").split())
    try:
        if not reason:
            raise Refused(_("Say why."))
        adjustment.ask(customer=customer, by=request.user, reason=reason, kind=adjustment.Kind.LOW_DISTURB)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Asked; the branch head decides"))
    return _back(customer)


@require_POST
@may_edit
def care_mark(request, pk):
    """Set or lift a mark of how the customer wants to be treated."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    try:
        care.set_flag(
            customer=customer, flag=request.POST.get("flag", ""), value=request.POST.get("value") == "1",
            reason=request.POST.get("reason", ""), by=request.user,
        )  # fmt: skip
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back(customer)
