"""Forms that read what the pages of this room are asked."""

from django import forms
from django.utils.translation import gettext_lazy as _

from staff.models import NightRun, Staff
from staff.trail_words import ACTIONS


class AuditFilterForm(forms.Form):
    """Reads which events of the trail are looked for."""

    staff_no = forms.CharField(label=_("Employee number"), max_length=20, required=False)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=[("", _("All actions")), *ACTIONS.items()])
    on = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def filter(self, events):
        """Keep the events asked for; of a form that is not valid, none."""
        if not self.is_valid():
            return events.none()
        asked = self.cleaned_data
        if asked["staff_no"]:
            events = events.filter(staff__staff_no=asked["staff_no"].strip())
        if asked["action"]:
            events = events.filter(action=asked["action"])
        if asked["on"]:
            events = events.filter(at__date=asked["on"])
        return events


class NightForm(forms.Form):
    """Reads which night is looked at; the newest if none."""

    date = forms.DateField(required=False)

    def run(self) -> NightRun | None:
        runs = NightRun.objects.order_by("-business_date")
        asked = self.cleaned_data.get("date") if self.is_valid() else None
        return runs.filter(business_date=asked).first() if asked else runs.first()


class PreferencesForm(forms.Form):
    """Reads any of the preferences; what is not sent stays as it is."""

    language = forms.ChoiceField(label=_("Language"), choices=Staff.Language, required=False)
    theme = forms.ChoiceField(label=_("Theme"), choices=Staff.Theme, required=False)
    single_keys = forms.ChoiceField(
        label=_("Single-key shortcuts"), choices=[("on", _("On")), ("off", _("Off"))], required=False
    )

    def chosen(self) -> dict:
        """Return the preferences that were sent, as columns of Staff."""
        sent = {name: value for name, value in self.cleaned_data.items() if value}
        if "single_keys" in sent:
            sent["single_keys"] = sent["single_keys"] == "on"
        return sent
