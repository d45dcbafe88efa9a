"""What people enter about contacts and opportunities, as typed values; the verbs write it."""

from dataclasses import dataclass
from datetime import date

from django import forms
from django.core.validators import MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts import contact_log
from contacts.log_hints import hints_in
from contacts.models import ContactLog, ContactTask, Opportunity
from contacts.pipeline import NEEDS
from customers.models import Customer, Product

SAID_REASONS = [choice for choice in Opportunity.LostReason.choices if choice[0] != Opportunity.LostReason.LAPSED]
"""Why people say that something was lost; what lapsed, the night says."""

REACHED, NOT_REACHED = "reached", "not_reached"

PHRASES = {
    "event": [_("Compares other banks' rates"), _("Talks it over with the family"), _("Will renew"), _("Not for now")],
    "alert": [_("Needs the money elsewhere"), _("Compares other banks' rates"), _("Unhappy with the service"),
              _("Will stay")],
    "regime": [_("All is well"), _("Has a new need"), _("Wants to meet"), _("Not for now")],
    "opportunity": [_("Is interested"), _("Talks it over with the family"), _("Wants the details"), _("Not for now")],
    "manual": [_("All is well"), _("Has a new need"), _("Wants to meet"), _("Not for now")],
}  # fmt: skip
"""What customers often say, by the kind of reason that leads."""

PURPOSES = {"alert": "retention", "event": "after_sale", "opportunity": "needs"}
"""The purpose that a kind of reason suggests; care otherwise."""


@dataclass(frozen=True)
class Offer:
    """An opportunity that the contact could open."""

    code: str
    opens: contact_log.NewOpportunity


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **options):
        super().__init__(format="%Y-%m-%d", **options)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **options):
        super().__init__(format="%Y-%m-%dT%H:%M", **options)


class ContactForm(forms.Form):
    """Reads a contact with one customer; `contact_log.log_contact` writes it.

    Offers only the customer's own open tasks and opportunities, so that no foreign id gets through.
    """

    channel = forms.ChoiceField(label=_("Way"), choices=ContactLog.Channel)
    result = forms.ChoiceField(label=_("Result"), choices=[(REACHED, _("Reached")), (NOT_REACHED, _("Not reached"))])
    at = forms.DateTimeField(label=_("Time"), widget=MomentInput, input_formats=["%Y-%m-%dT%H:%M"])
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=1, max_value=600)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ContactLog.Purpose)
    summary = forms.CharField(
        label=_("What the customer said"), required=False, max_length=2000, widget=forms.Textarea({"rows": 3})
    )
    phrases = forms.MultipleChoiceField(required=False)
    closes = forms.ModelMultipleChoiceField(ContactTask.objects.none(), required=False)
    moves = forms.ModelMultipleChoiceField(Opportunity.objects.none(), required=False)
    opens = forms.MultipleChoiceField(required=False)
    learns = forms.MultipleChoiceField(required=False)
    next_choice = forms.DateField(required=False)
    next_contact_on = forms.DateField(label=_("Another day"), required=False, widget=DateInput)
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, customer: Customer, phrases, offers, may_move: bool, may_learn: bool, **kwargs):
        super().__init__(*args, **kwargs)
        words = f"{self['summary'].value() or ''}{''.join(self['phrases'].value() or [])}"
        self.hints = hints_in(words, customer) if may_learn else []
        self.fields["learns"].choices = [(hint.code, hint.label) for hint in self.hints]
        self.offers = {offer.code: offer for offer in offers}
        self.fields["phrases"].choices = [(str(phrase), phrase) for phrase in phrases]
        self.fields["closes"].queryset = ContactTask.objects.filter(customer=customer)
        if may_move:
            self.fields["moves"].queryset = Opportunity.objects.open().filter(customer=customer)
        self.fields["opens"].choices = [(code, code) for code in self.offers]

    def said(self) -> str:
        """Return the words to keep: the phrases that were ticked, then what was written."""
        return "；".join([*self.cleaned_data["phrases"], self.cleaned_data["summary"].strip()]).strip("；")

    def keywords(self) -> dict:
        """Return the keywords of `log_contact` that people enter."""
        data = self.cleaned_data
        reached = data["result"] == REACHED
        return {
            "channel": data["channel"],
            "result": contact_log.REACHED[data["channel"]] if reached else ContactLog.Result.NOT_REACHED,
            "at": data["at"],
            "summary": self.said(),
            "minutes": data["minutes"] if reached else None,
            "purpose": data["purpose"],
            "next_contact_on": data["next_contact_on"] or data["next_choice"],
            "closes": [task.pk for task in data["closes"]] if reached else [],
            "moves": data["moves"] if reached else [],
            "opens": [self.offers[code].opens for code in data["opens"]] if reached else [],
            "learns": data["learns"] if reached else [],
            "idempotency_key": data["key"] or None,
        }


class CorrectionForm(forms.Form):
    """Reads what a contact should have said; `contact_log.correct` keeps it."""

    channel = forms.ChoiceField(label=_("Way"), choices=ContactLog.Channel)
    at = forms.DateTimeField(label=_("Time"), widget=MomentInput, input_formats=["%Y-%m-%dT%H:%M"])
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=1, max_value=600)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=ContactLog.Purpose)
    summary = forms.CharField(
        label=_("What the customer said"), required=False, max_length=2000, widget=forms.Textarea({"rows": 4})
    )


class NoteForm(forms.Form):
    """The one line above a customer's ledger: a call, reached, and what was said."""

    summary = forms.CharField(label=_("What the customer said"), max_length=2000)
    channel = forms.ChoiceField(label=_("Way"), choices=ContactLog.Channel, required=False)
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class SnoozeForm(forms.Form):
    until = forms.DateField(label=_("Until"), widget=DateInput)


class DismissForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200)


class OpportunityForm(forms.ModelForm):
    """Reads a new opportunity of one customer among those the member of staff sees."""

    class Meta:
        model = Opportunity
        fields = [
            "customer", "kind", "title", "category", "product", "expected_amount", "expected_on", "next_action",
            "next_action_on",
        ]  # fmt: skip
        labels = {
            "customer": _("Customer"),
            "kind": _("Kind"),
            "title": _("Title"),
            "category": _("Product category"),
            "product": _("Product"),
            "expected_amount": _("Expected amount"),
            "expected_on": _("Expected date"),
            "next_action": _("Next step"),
            "next_action_on": _("Day"),
        }
        widgets = {"expected_on": DateInput, "next_action_on": DateInput}

    def __init__(self, *args, staff, customer: Customer | None = None, on: date | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        seen = Customer.objects.visible_to(staff).order_by("-aum", "-id")
        self.fields["customer"].queryset = seen
        # A select of a hundred thousand customers is no choice: offer the one at hand, else the largest.
        offered = [customer] if customer else list(seen.only("pk", "name", "customer_no")[:200])
        self.fields["customer"].choices = [(c.pk, f"{c.name} {c.customer_no}") for c in offered]
        self.fields["product"].queryset = Product.objects.order_by("ladder_rank", "name")
        self.fields["product"].empty_label = "—"
        self.fields["kind"].choices = Opportunity.Kind.choices
        self.fields["category"].choices = [("", "—"), *Product.Category.choices]
        self.fields["expected_amount"].validators.append(MinValueValidator(0))
        self.fields["next_action_on"].widget.attrs["min"] = (on or timezone.localdate()).isoformat()

    def clean(self):
        """Take the product's category where none was chosen."""
        data = super().clean()
        if data.get("product") and not data.get("category"):
            data["category"] = data["product"].category
        return data


class MoveForm(forms.Form):
    """Reads what a stage needs; only the fields of that stage are there (`pipeline.NEEDS`)."""

    next_action = forms.CharField(label=_("Next step"), max_length=80, required=False)
    next_action_on = forms.DateField(label=_("Day"), required=False, widget=DateInput)
    product = forms.ModelChoiceField(Product.objects.none(), label=_("Product"), required=False)
    expected_amount = forms.DecimalField(
        label=_("Expected amount, yuan"), required=False, min_value=0, max_digits=18, decimal_places=2
    )
    expected_on = forms.DateField(label=_("Expected date"), required=False, widget=DateInput)
    result_amount = forms.DecimalField(
        label=_("Amount achieved, yuan"), required=False, min_value=0, max_digits=18, decimal_places=2
    )
    lost_reason = forms.ChoiceField(label=_("Why it was lost"), required=False, choices=[("", "—"), *SAID_REASONS])
    dual_record_no = forms.CharField(label=_("Dual recording number"), max_length=40, required=False)
    resume_on = forms.DateField(label=_("Resumes on"), required=False, widget=DateInput)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args, stage: str, opportunity: Opportunity, **kwargs):
        kwargs.setdefault("initial", {name: getattr(opportunity, name, None) for name in NEEDS[stage]})
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(NEEDS[stage]):
            del self.fields[name]
        if "dual_record_no" in self.fields and not opportunity.is_recorded:
            del self.fields["dual_record_no"]
        if "product" in self.fields:
            self.fields["product"].queryset = Product.objects.order_by("ladder_rank", "name")
