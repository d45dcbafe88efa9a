"""The kinds of filters that the list is made of: ticks, a pick, numbers, money, spans of days."""

import django_filters as filters
from django import forms
from django.utils.translation import gettext_lazy as _

from customers.relative_dates import COUNTED, LONGEST, How, Relative, unreadable


class WholeNumberFilter(filters.Filter):
    field_class = forms.IntegerField


class RelativeWidget(forms.MultiWidget):
    """A span and its days: two fields on the page, one word in the address."""

    use_fieldset = True

    def __init__(self, attrs=None):
        spans = [("", "—"), *How.choices]
        number = forms.NumberInput(attrs={"class": "form-control", "min": 0, "max": LONGEST, "inputmode": "numeric"})
        widgets = {"how": forms.Select(attrs={"class": "form-select"}, choices=spans), "days": number}
        super().__init__(widgets, attrs)
        self.widgets[0].attrs["aria-label"], self.widgets[1].attrs["aria-label"] = _("span of days"), _("days")

    def decompress(self, value):
        if isinstance(value, str) and value:
            try:
                value = Relative.read(value)
            except ValueError:
                return [None, None]
        return [value.how.value, value.days if value.how in COUNTED else None] if value else [None, None]

    def value_from_datadict(self, data, files, name):
        """Return the word: as the address has it, else put together of the two fields."""
        if data.get(name):
            return data[name]
        how, days = data.get(f"{name}_how", ""), data.get(f"{name}_days", "").strip()
        return f"{how}{days}" if how in COUNTED else how

    def value_omitted_from_data(self, data, files, name):
        return name not in data and f"{name}_how" not in data


class RelativeField(forms.Field):
    widget = RelativeWidget

    def clean(self, value):
        if not value:
            return None
        try:
            return Relative.read(value)
        except ValueError:
            raise forms.ValidationError(unreadable(), code="invalid") from None


class RelativeFilter(filters.Filter):
    """Keeps those whose day in a column lies in a span seen from today."""

    field_class = RelativeField

    def filter(self, customers, value):
        return customers.filter(value.condition(self.field_name, self.parent.on)) if value else customers


class WordsField(forms.CharField):
    """Words with commas or spaces between; at most ten."""

    def clean(self, value):
        text = super().clean(value) or ""
        for mark in "，、;；":
            text = text.replace(mark, ",")
        return [word.strip() for word in text.split(",") if word.strip()][:10]


class WordsFilter(filters.Filter):
    field_class = WordsField


def number_box(**attributes):
    return forms.NumberInput(attrs={"class": "form-control", "inputmode": "decimal"} | attributes)


def text_box():
    return forms.TextInput(attrs={"class": "form-control"})


def ticks(label, **options):
    """Return a filter by any of several choices."""
    return filters.MultipleChoiceFilter(label=label, widget=forms.CheckboxSelectMultiple, **options)


def pick(label, **options):
    """Return a filter by one of several choices."""
    widget = forms.Select(attrs={"class": "form-select"})
    return filters.ChoiceFilter(label=label, widget=widget, empty_label=_("All"), **options)


def yes_or_no(label, **options):
    return pick(label, choices=[("yes", _("Yes")), ("no", _("No"))], **options)


def whole(label, **options):
    return WholeNumberFilter(label=label, widget=number_box(), **options)


def days(label, **options):
    """Return a filter by a number of days."""
    return whole(label, min_value=0, max_value=LONGEST, **options)


def amount(label, **options):
    """Return a filter by money in units of 10,000 yuan, as people type it."""
    return filters.NumberFilter(
        label=label, widget=number_box(step="any"), min_value=0, max_digits=9, decimal_places=2, **options
    )


def ratio(label, **options):
    """Return a filter by a percentage."""
    bounds = {"min_value": -100, "max_value": 1000, "max_digits": 6, "decimal_places": 1}
    return filters.NumberFilter(label=label, widget=number_box(step="any"), **bounds, **options)


def relative(label, column: str = "", **options):
    """Return a filter by a span of days seen from today."""
    return RelativeFilter(label=label, field_name=column or None, **options)


def words(label, **options):
    """Return a filter by several words."""
    return WordsFilter(label=label, max_length=120, widget=text_box(), **options)
