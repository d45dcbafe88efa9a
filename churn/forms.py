"""What the pages of early warning read."""

from django import forms
from django.utils.translation import gettext_lazy as _

from churn.models import AlertPolicy, ChurnAlert, ImpactAssessment, LossReview
from churn.reasons import CAUSES
from staff.models import Staff

TABS = ("waiting", "working", "settled")


class AlertFilterForm(forms.Form):
    """Which alerts: `tab`, those of one manager, those led by one reason, and the row that stands open."""

    tab = forms.ChoiceField(choices=[(tab, tab) for tab in TABS], required=False)
    manager = forms.ModelChoiceField(Staff.objects.none(), label=_("Manager"), required=False)
    reason = forms.ChoiceField(choices=[("", ""), *CAUSES.items()], label=_("Reason"), required=False)
    open = forms.IntegerField(min_value=1, required=False)

    def __init__(self, *args, managers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["manager"].queryset = managers

    def filter(self, queryset):
        """Keep what was asked for; the tab is the page's question."""
        asked = self.cleaned_data if self.is_valid() else {}
        if asked.get("manager"):
            queryset = queryset.filter(customer__manager=asked["manager"])
        if asked.get("reason"):
            queryset = queryset.filter(score__reasons__0__code=asked["reason"])
        return queryset

    @property
    def tab_asked(self) -> str:
        return (self.cleaned_data.get("tab") if self.is_valid() else "") or TABS[0]

    @property
    def opened(self) -> int | None:
        return self.cleaned_data.get("open") if self.is_valid() else None


class SettleForm(forms.Form):
    """Reads how an alert ended; `alerts.settle` writes it."""

    status = forms.ChoiceField(choices=[(status.value, status.label) for status in ChurnAlert.OUTCOMES])
    cause = forms.ChoiceField(
        choices=[("", _("Cause…")), *ChurnAlert.Cause.choices],
        label=_("Cause"),
        error_messages={"required": _("Choose the cause.")},
    )
    note = forms.CharField(max_length=200, required=False, label=_("Note"))


class JudgeForm(forms.Form):
    """Reads what a manager says of an alert; `alerts.judge` writes it."""

    verdict = forms.ChoiceField(choices=ChurnAlert.Verdict.choices, label=_("Was the alert right?"))
    note = forms.CharField(max_length=200, required=False, label=_("Why it is wrong"))


class ReviewForm(forms.ModelForm):
    """Reads the review of a lost diamond customer; `alerts.review_loss` writes it."""

    findings = forms.CharField(
        label=_("What happened"), widget=forms.Textarea(attrs={"rows": 3, "class": "form-control"})
    )
    lesson = forms.CharField(
        label=_("What is done otherwise from now on"), widget=forms.Textarea(attrs={"rows": 2, "class": "form-control"})
    )

    class Meta:
        model = LossReview
        fields = ("findings", "lesson")


class PolicyForm(forms.ModelForm):
    """Reads how many alerts are given out and how many only watched; `policy.set_policy` writes it."""

    class Meta:
        model = AlertPolicy
        fields = ("weekly_capacity", "holdout_percent", "valid_from")
        labels = {"valid_from": _("In force from")}
        widgets = {
            "weekly_capacity": forms.NumberInput(attrs={"class": "form-control", "min": 1, "max": 200}),
            "holdout_percent": forms.NumberInput(attrs={"class": "form-control", "min": 0, "max": 50}),
            "valid_from": forms.DateInput(attrs={"class": "form-control", "type": "date"}),
        }

    def clean_weekly_capacity(self):
        return self._within("weekly_capacity", 1, 200)

    def clean_holdout_percent(self):
        return self._within("holdout_percent", 0, 50)

    def _within(self, name: str, low: int, high: int) -> int:
        value = self.cleaned_data[name]
        if not low <= value <= high:
            raise forms.ValidationError(_("Between {low} and {high}.").format(low=low, high=high))
        return value

    def validate_unique(self):
        """A policy laid down for the same day is replaced."""


class AssessmentForm(forms.ModelForm):
    """Reads the record of a personal information impact assessment."""

    class Meta:
        model = ImpactAssessment
        fields = ("purpose", "risks", "measures")
        widgets = {name: forms.Textarea(attrs={"rows": 2, "class": "form-control"}) for name in fields}
