"""How the filters in force read on the page: chips, and the sheet they are chosen on."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.relative_dates import Relative
from staff.formats import WAN, round_money

WITHIN = pgettext_lazy("filter", "within {n} days")
FOR = pgettext_lazy("filter", "{n} days or more")

WORDS = {
    "aum_min": (_("AUM"), "≥ {money}"),
    "aum_max": (_("AUM"), "≤ {money}"),
    "change_min": (_("30-day change"), "≥ {n}%"),
    "change_max": (_("30-day change"), "≤ {n}%"),
    "month_avg_min": (_("Month average"), "≥ {money}"),
    "month_avg_max": (_("Month average"), "≤ {money}"),
    "year_avg_min": (_("Year average"), "≥ {money}"),
    "year_avg_max": (_("Year average"), "≤ {money}"),
    "clv_min": (_("CLV"), "≥ {money}"),
    "clv_max": (_("CLV"), "≤ {money}"),
    "age_min": (_("Age"), "≥ {n}"),
    "age_max": (_("Age"), "≤ {n}"),
    "completeness_min": (_("Archive"), "≥ {n}%"),
    "completeness_max": (_("Archive"), "≤ {n}%"),
    "products_min": (_("Kinds of products"), "≥ {n}"),
    "products_max": (_("Kinds of products"), "≤ {n}"),
    "near": (_("To the next tier"), "{n}%"),
    "contact_within": (_("Last contact"), WITHIN),
    "contact_before": (_("Not contacted"), FOR),
    "due_within": (_("Contact due"), WITHIN),
    "matures": (_("Matures"), WITHIN),
    "birthday": (_("Birthday"), WITHIN),
}
"""How a chip reads where the value is a number; other chips show the label and the chosen words."""


def chips(form) -> list[dict]:
    """Return [{name, label, words}] for each filter in force; `q` is in the search field already."""
    found = []
    for name, value in form.cleaned_data.items():
        if name == "q" or value in (None, "", []):
            continue
        label, words = WORDS.get(name, (form.fields[name].label, ""))
        found.append({"name": name, "label": label, "words": _words(form.fields[name], value, str(words))})
    return found


def _words(field, value, words: str) -> str:
    if isinstance(value, Relative):
        return value.words
    if words:
        number = f"{value.normalize():f}" if isinstance(value, Decimal) else value
        return words.format(n=number, money=round_money(value * WAN))
    if isinstance(value, list):
        labels = dict(getattr(field, "choices", ()))
        return ", ".join(str(labels.get(one, one)) for one in value)
    if value == "none":
        return str(_("Nobody"))
    labels = dict(getattr(field, "choices", ())) if isinstance(value, str) else {}
    return str(labels.get(value, value))


SHEET = (
    (_("Tier and money"), (
        "tier", "relation", "state", "private", "aum_min", "aum_max", "change_min", "change_max", "month_avg_min",
        "month_avg_max", "year_avg_min", "year_avg_max", "near", "potential", "key_group",
    )),
    (_("Contact and risk of leaving"), ("churn", "regime", "contact", "due", "do_not_contact", "low_disturb")),
    (_("Products and suitability"), (
        "holds", "lacks", "products_min", "products_max", "maturity", "grade", "grade_expires",
    )),
    (_("The person"), (
        "gender", "age_min", "age_max", "birthday", "occupation_class", "occupation", "employer", "temperament",
        "orientation", "hobby", "needs_resource", "tags", "tags_all", "completeness_min", "completeness_max",
        "consent", "no_consent",
    )),
    (_("Value and service"), (
        "value_class", "quintile", "clv_min", "clv_max", "key_customer", "signed", "opened", "managed", "manager",
        "branch", "segment",
    )),
)  # fmt: skip
"""The filters of the sheet, grouped as people think of them; other names of an address are older forms of these."""

SUFFIXES = {
    "aum_min": "wan", "aum_max": "wan", "month_avg_min": "wan", "month_avg_max": "wan", "year_avg_min": "wan",
    "year_avg_max": "wan", "clv_min": "wan", "clv_max": "wan", "change_min": "%", "change_max": "%", "near": "%",
    "completeness_min": "%", "completeness_max": "%", "birthday": "days",
}  # fmt: skip


def sheet(form) -> list[dict]:
    """Return [{title, fields: [{field, suffix, ticks, wide}], open}] of the filters that a viewer has."""
    units = {"wan": _("10,000 yuan"), "days": pgettext_lazy("unit", "days")}
    groups = []
    for title, names in SHEET:
        fields = [
            {
                "field": form[name],
                "suffix": units.get(SUFFIXES.get(name, ""), SUFFIXES.get(name, "")),
                "ticks": form[name].widget_type == "checkboxselectmultiple",
            }
            for name in names
            if name in form.fields
        ]
        asked = any(form.cleaned_data.get(one["field"].name) not in (None, "", []) for one in fields)
        groups.append({"title": title, "fields": fields, "open": asked or not groups})
    return groups


def leftovers(form, query: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the filters of an address that the sheet does not show; it carries them along."""
    shown = {name for _title, names in SHEET for name in names} | {"q"}
    return [(name, value) for name, value in query if name not in shown]
