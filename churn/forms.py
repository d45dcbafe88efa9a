"""What the pages of early warning read."""

from django import forms
from django.utils.translation import gettext_lazy as _

from churn import alerts
from churn.models import ChurnAlert
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

    status = forms.ChoiceField(choices=[(status.value, status.label) for status in alerts.OUTCOMES])
    cause = forms.ChoiceField(
        choices=[("", _("Cause…")), *ChurnAlert.Cause.choices],
        label=_("Cause"),
        error_messages={"required": _("Choose the cause.")},
    )
    note = forms.CharField(max_length=200, required=False, label=_("Note"))
