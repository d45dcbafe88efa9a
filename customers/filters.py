"""The filters of the customer list: what the address says, as a queryset and as chips."""

from datetime import timedelta
from decimal import Decimal

import django_filters as filters
from django import forms
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.birthdays import birthdays
from customers.models import Customer, Product, RelationStatus, Tier, TierRule, TierState
from customers.search import matching
from staff.formats import WAN, round_money
from staff.models import Branch, Staff

LONGEST = 3650
"""Days beyond which a filter by days has no meaning."""

TIERS = [(tier.code, tier.label) for tier in reversed(Tier)]
LEVELS = [(level.name.lower(), level.label) for level in reversed(Customer.ChurnLevel)]


class WholeNumberFilter(filters.Filter):
    field_class = forms.IntegerField


def number_box(**attributes):
    return forms.NumberInput(attrs={"class": "form-control", "inputmode": "decimal"} | attributes)


def ticks(label, **options):
    """Return a filter by any of several choices."""
    return filters.MultipleChoiceFilter(label=label, widget=forms.CheckboxSelectMultiple, **options)


def pick(label, **options):
    """Return a filter by one of several choices."""
    widget = forms.Select(attrs={"class": "form-select"})
    return filters.ChoiceFilter(label=label, widget=widget, empty_label=_("All"), **options)


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


def branches(request):
    """Return the institutions a viewer may choose among."""
    return Branch.objects.under(request.user.branch_id).active().order_by("path")


def managers(request):
    """Return the members of staff who may look after customers within the viewer's branch."""
    return Staff.objects.members_of(request.user.branch_id).active().filter(load__isnull=False).order_by("name", "pk")


class CustomerFilter(filters.FilterSet):
    """Filters on top of `visible_to`; every filter is one parameter of the address.

    Amounts are in 10,000 yuan, changes in percent, the rest in days or codes.
    """

    q = filters.CharFilter(label=_("Name, pinyin, last 4 digits"), method="by_text", max_length=60)
    tier = ticks(_("Tier"), choices=TIERS, method="by_tier")
    relation = ticks(_("Relation"), choices=RelationStatus.choices, field_name="relation_status")
    aum_min = amount(_("AUM from"), method="by_aum_min")
    aum_max = amount(_("AUM to"), method="by_aum_max")
    change_min = ratio(_("30-day change from"), method="by_change_min")
    change_max = ratio(_("30-day change to"), method="by_change_max")
    near = whole(_("To the next tier, within"), min_value=1, max_value=50, method="by_near")
    state = pick(_("Rating"), choices=TierState.choices, field_name="tier_state")
    regime = ticks(_("Contact regime"), choices=Customer.ContactState.choices, field_name="contact_state")
    contact_within = days(_("Contacted within"), method="by_contact_within")
    contact_before = days(_("Not contacted for"), method="by_contact_before")
    due_within = days(_("Contact due within"), method="by_due_within")
    churn = ticks(_("Churn risk"), choices=LEVELS, method="by_churn")
    matures = days(_("Matures within"), method="by_matures")
    birthday = whole(_("Birthday within"), min_value=0, max_value=60, method="by_birthday")
    holds = pick(_("Holds"), choices=Product.Category.choices, method="by_holds")
    lacks = pick(_("Does not hold"), choices=Product.Category.choices, method="by_lacks")
    tag = filters.CharFilter(
        label=_("Tag"), method="by_tag", max_length=20, widget=forms.TextInput(attrs={"class": "form-control"})
    )
    manager = filters.ModelChoiceFilter(
        label=_("Manager"), queryset=managers, null_label=_("Nobody"), null_value="none", empty_label=_("All"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    branch = filters.ModelChoiceFilter(
        label=_("Branch"), queryset=branches, method="by_branch", empty_label=_("All"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    class Meta:
        model = Customer
        fields: list[str] = []

    def __init__(self, *args, viewer, on, **kwargs):
        super().__init__(*args, **kwargs)
        self.viewer, self.on = viewer, on
        if viewer.sees_bands:
            for name in ("aum_min", "aum_max"):  # asking often enough would tell the amount
                del self.filters[name]
        if not viewer.has_perm("customers.assign_customer"):
            del self.filters["manager"], self.filters["branch"]

    def kept(self, customers, values: dict):
        """Keep those whom {filter: value} names, without reading any address: the views of the list."""
        for name, value in values.items():
            customers = self.filters[name].filter(customers, value)
        return customers

    def by_text(self, customers, name, value):
        return matching(customers, value, self.viewer)

    def by_tier(self, customers, name, codes):
        return customers.filter(service_tier__in=[Tier.from_code(code) for code in codes]) if codes else customers

    def by_aum_min(self, customers, name, value):
        return customers.filter(aum__gte=value * WAN)

    def by_aum_max(self, customers, name, value):
        return customers.filter(aum__lte=value * WAN)

    def by_change_min(self, customers, name, value):
        return customers.filter(aum_30d_before__gt=0, aum__gte=F("aum_30d_before") * (1 + value / Decimal(100)))

    def by_change_max(self, customers, name, value):
        return customers.filter(aum_30d_before__gt=0, aum__lte=F("aum_30d_before") * (1 + value / Decimal(100)))

    def by_near(self, customers, name, percent):
        """Keep those whose month average lies at most so many percent below the floor of a tier above theirs."""
        close = Q(pk__in=[])
        for tier, floor in TierRule.objects.floors(self.on).items():
            if tier > Tier.GENERAL:
                least = floor * (100 - Decimal(percent)) / 100
                close |= Q(service_tier__lt=tier, month_avg__gte=least, month_avg__lt=floor)
        return customers.filter(close)

    def by_contact_within(self, customers, name, number):
        return customers.filter(last_contact_on__gte=self.on - timedelta(days=number))

    def by_contact_before(self, customers, name, number):
        """Keep those whose last contact is so many days ago or more, and those never contacted."""
        latest = self.on - timedelta(days=number)
        return customers.filter(Q(last_contact_on=None) | Q(last_contact_on__lte=latest))

    def by_due_within(self, customers, name, number):
        return customers.filter(next_contact_due_on__lte=self.on + timedelta(days=number))

    def by_churn(self, customers, name, names):
        levels = [Customer.ChurnLevel[name.upper()] for name in names]
        return customers.filter(churn_level__in=levels) if levels else customers

    def by_matures(self, customers, name, number):
        return customers.filter(next_maturity_on__range=(self.on, self.on + timedelta(days=number)))

    def by_birthday(self, customers, name, number):
        falling = birthdays(self.on, self.on + timedelta(days=number))
        lunar = [name for name, _day, is_lunar in falling if is_lunar]
        born = Q(pk__in=[])
        for month, numbers in _months(name for name, _day, is_lunar in falling if not is_lunar).items():
            born |= Q(birth_date__month=month, birth_date__day__in=numbers)
        return customers.filter(Q(lunar_birthday__in=lunar) | (Q(lunar_birthday="") & born))

    def by_holds(self, customers, name, category):
        return customers.filter(product_marks__contains=category)

    def by_lacks(self, customers, name, category):
        return customers.exclude(product_marks__contains=category)

    def by_tag(self, customers, name, tag):
        return customers.filter(tags__contains=[tag])

    def by_branch(self, customers, name, branch):
        return customers.filter(branch__in=Branch.objects.under(branch.pk))


def _months(names) -> dict[int, list[int]]:
    """Return {month: days} of names such as 11-25."""
    found: dict[int, list[int]] = {}
    for name in names:
        month, number = name.split("-")
        found.setdefault(int(month), []).append(int(number))
    return found


WITHIN = pgettext_lazy("filter", "within {n} days")
FOR = pgettext_lazy("filter", "{n} days or more")

WORDS = {
    "aum_min": (_("AUM"), "≥ {money}"),
    "aum_max": (_("AUM"), "≤ {money}"),
    "change_min": (_("30-day change"), "≥ {n}%"),
    "change_max": (_("30-day change"), "≤ {n}%"),
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
    if words:
        number = f"{value.normalize():f}" if isinstance(value, Decimal) else value
        return words.format(n=number, money=round_money(value * WAN))
    if isinstance(value, list):
        labels = dict(field.choices)
        return ", ".join(str(labels[one]) for one in value)
    if value == "none":
        return str(_("Nobody"))
    labels = dict(getattr(field, "choices", ())) if isinstance(value, str) else {}
    return str(labels.get(value, value))
