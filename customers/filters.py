"""The filters of the customer list: what the address says, as a queryset."""

from datetime import timedelta
from decimal import Decimal

import django_filters as filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from customers.birthdays import birthdays
from customers.filter_kinds import amount, days, pick, ratio, relative, text_box, ticks, whole, yes_or_no
from customers.filters_of_people import PeopleFilters
from customers.models import (
    Customer,
    Product,
    RelationStatus,
    Segment,
    SegmentMember,
    Tier,
    TierRule,
    TierState,
)
from customers.search import matching
from staff.formats import WAN
from staff.models import Branch, Staff

TIERS = [(tier.code, tier.label) for tier in reversed(Tier)]
LEVELS = [(level.name.lower(), level.label) for level in reversed(Customer.ChurnLevel)]


EXACT = (
    "aum_min", "aum_max", "month_avg_min", "month_avg_max", "year_avg_min", "year_avg_max", "clv_min", "clv_max",
)  # fmt: skip
"""Filters that those who see bands have not: asking often enough would tell the amount."""


def branches(request):
    """Return the institutions a viewer may choose among."""
    return Branch.objects.under(request.user.branch_id).active().order_by("path")


def managers(request):
    """Return the members of staff who may look after customers within the viewer's branch."""
    return Staff.objects.members_of(request.user.branch_id).active().filter(load__isnull=False).order_by("name", "pk")


def segments(request):
    """Return the segments a viewer may choose among."""
    return Segment.objects.visible_to(request.user).active()


class CustomerFilter(PeopleFilters):
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
    month_avg_min = amount(_("Month average from"), method="by_least")
    month_avg_max = amount(_("Month average to"), method="by_most")
    year_avg_min = amount(_("Year average from"), method="by_least")
    year_avg_max = amount(_("Year average to"), method="by_most")
    private = yes_or_no(_("Private banking"), field_name="is_private_banking", method="by_private")
    near = whole(_("To the next tier, within"), min_value=1, max_value=50, method="by_near")
    state = pick(_("Rating"), choices=TierState.choices, field_name="tier_state")
    regime = ticks(_("Contact regime"), choices=Customer.ContactState.choices, field_name="contact_state")
    contact_within = days(_("Contacted within"), method="by_contact_within")
    contact_before = days(_("Not contacted for"), method="by_contact_before")
    due_within = days(_("Contact due within"), method="by_due_within")
    contact = relative(_("Last contact"), "last_contact_on")
    due = relative(_("Contact due"), "next_contact_due_on")
    maturity = relative(_("Next maturity"), "next_maturity_on")
    churn = ticks(_("Churn risk"), choices=LEVELS, method="by_churn")
    matures = days(_("Matures within"), method="by_matures")
    birthday = whole(_("Birthday within"), min_value=0, max_value=60, method="by_birthday")
    holds = pick(_("Holds"), choices=Product.Category.choices, method="by_holds")
    lacks = pick(_("Does not hold"), choices=Product.Category.choices, method="by_lacks")
    tag = filters.CharFilter(label=_("Tag"), method="by_tag", max_length=20, widget=text_box())
    manager = filters.ModelChoiceFilter(
        label=_("Manager"), queryset=managers, null_label=_("Nobody"), null_value="none", empty_label=_("All"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    segment = filters.ModelChoiceFilter(
        label=_("Segment"), queryset=segments, method="by_segment", empty_label=_("All"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    branch = filters.ModelChoiceFilter(
        label=_("Branch"), queryset=branches, method="by_branch", empty_label=_("All"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    class Meta:
        model = Customer
        fields: list[str] = []

    def __init__(self, *args, viewer, on, only=None, **kwargs):
        """`only` names the filters that are asked for; without it there are all, which a page of rows need not pay."""
        barred = set(EXACT) if viewer.sees_bands else set()
        if not viewer.has_perm("customers.assign_customer"):
            barred |= {"manager", "branch"}
        names = [name for name in type(self).base_filters if name not in barred and (only is None or name in only)]
        self.base_filters = {name: type(self).base_filters[name] for name in names}
        super().__init__(*args, **kwargs)
        self.viewer, self.on = viewer, on

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

    def by_least(self, customers, name, value):
        return customers.filter(**{f"{name.removesuffix('_min')}__gte": value * WAN})

    def by_most(self, customers, name, value):
        return customers.filter(**{f"{name.removesuffix('_max')}__lte": value * WAN})

    def by_private(self, customers, name, answer):
        return customers.filter(is_private_banking=answer == "yes")

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

    def by_segment(self, customers, name, segment):
        here = SegmentMember.objects.current().filter(segment=segment, customer=OuterRef("pk"))
        return customers.filter(Exists(here)) if segment else customers

    def by_branch(self, customers, name, branch):
        return customers.filter(branch__in=Branch.objects.under(branch.pk))


def _months(names) -> dict[int, list[int]]:
    """Return {month: days} of names such as 11-25."""
    found: dict[int, list[int]] = {}
    for name in names:
        month, number = name.split("-")
        found.setdefault(int(month), []).append(int(number))
    return found
