"""Filters by what the archive knows of a person: age, work, character, consents, value."""

import django_filters as filters
from django.db.models import DateField, Exists, F, Func, IntegerField, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.archive.fields import Occupation, Orientation, Temperament
from customers.filter_kinds import amount, relative, text_box, ticks, whole, words, yes_or_no
from customers.models import Assignment, ConsentRecord, Customer, Hobby, ProfileValue, Resource, ValueClass
from customers.potential import KeyGroup, Reason
from customers.reach import consenting
from customers.relative_dates import How, years_before
from customers.suitability import GRADES
from staff.formats import WAN

GRADE_CHOICES = [*((f"c{grade}", label) for grade, label in GRADES.items()), ("none", _("Not assessed"))]

EXPIRY = Cast(
    Func(F("risk_assessed_on"), template="(%(expressions)s + interval '1 year')", output_field=DateField()), DateField()
)
"""The last day on which a risk assessment holds: `suitability.year_later` in SQL, 28 February after a 29th too."""

PRODUCTS = Func(
    Func(F("product_marks"), Value(" "), function="string_to_array", output_field=TextField()),
    function="cardinality", output_field=IntegerField(),
)  # fmt: skip
"""How many categories of products a customer holds."""


class PeopleFilters(filters.FilterSet):
    """Needs `viewer` and `on` of the filter set that stands on it."""

    gender = ticks(pgettext_lazy("of a person", "Gender"), choices=[("m", _("Male")), ("f", _("Female"))])
    age_min = whole(_("Age from"), min_value=0, max_value=130, method="by_age_min")
    age_max = whole(_("Age to"), min_value=0, max_value=130, method="by_age_max")
    occupation = filters.CharFilter(
        label=_("Occupation"), lookup_expr="icontains", max_length=40, widget=text_box(), field_name="occupation"
    )
    employer = filters.CharFilter(
        label=_("Employer"), lookup_expr="icontains", max_length=40, widget=text_box(), field_name="employer"
    )
    occupation_class = ticks(_("Occupation class"), choices=Occupation.choices, method="by_profile")
    temperament = ticks(_("Temperament"), choices=Temperament.choices, method="by_profile")
    orientation = ticks(_("Orientation"), choices=Orientation.choices, method="by_profile")
    hobby = words(_("Hobbies, any of"), method="by_hobby")
    needs_resource = words(_("Needs resources, any of"), method="by_need")
    tags = words(_("Tags, any of"), method="by_tags")
    tags_all = words(_("Tags, all of"), method="by_tags_all")
    completeness_min = whole(_("Archive complete from"), min_value=0, max_value=100, method="by_completeness_min")
    completeness_max = whole(_("Archive complete to"), min_value=0, max_value=100, method="by_completeness_max")
    grade = ticks(_("Risk grade"), choices=GRADE_CHOICES, method="by_grade")
    grade_expires = relative(_("Assessment expires"), method="by_grade_expires")
    consent = ticks(_("Consent given for"), choices=ConsentRecord.Purpose.choices, method="by_consent")
    no_consent = ticks(_("No consent for"), choices=ConsentRecord.Purpose.choices, method="by_no_consent")
    do_not_contact = yes_or_no(_("Do not contact"), method="by_flag")
    low_disturb = yes_or_no(_("Low disturbance"), method="by_flag")
    key_customer = yes_or_no(_("Key customer"), method="by_flag")
    value_class = ticks(_("Value class"), choices=ValueClass.choices, method="by_value_class")
    quintile = ticks(_("Fifth by contribution"), choices=[(str(n), str(n)) for n in range(1, 6)], method="by_quintile")
    clv_min = amount(_("CLV from"), method="by_clv_min")
    clv_max = amount(_("CLV to"), method="by_clv_max")
    key_group = ticks(_("Key groups"), choices=KeyGroup.choices, method="by_key_group")
    potential = ticks(_("Potential reasons"), choices=Reason.choices, method="by_potential")
    products_min = whole(_("Kinds of products from"), min_value=0, max_value=10, method="by_products_min")
    products_max = whole(_("Kinds of products to"), min_value=0, max_value=10, method="by_products_max")
    signed = relative(pgettext_lazy("day", "Signed"), "signed_on")
    opened = relative(pgettext_lazy("day", "Opened"), "opened_on")
    managed = relative(_("With the present manager since"), method="by_managed")

    class Meta:
        model = Customer
        fields: list[str] = []

    def by_age_min(self, customers, name, age):
        return customers.filter(birth_date__lte=years_before(self.on, age))

    def by_age_max(self, customers, name, age):
        return customers.filter(birth_date__gt=years_before(self.on, age + 1))

    def by_profile(self, customers, name, codes):
        if not codes:
            return customers
        told = ProfileValue.objects.current().filter(customer=OuterRef("pk"), field=name, value__in=codes)
        return customers.filter(Exists(told))

    def by_hobby(self, customers, name, found):
        if not found:
            return customers
        return customers.filter(Exists(Hobby.objects.current().filter(customer=OuterRef("pk"), word__in=found)))

    def by_need(self, customers, name, found):
        needs = Resource.objects.current().filter(customer=OuterRef("pk"), direction="need", word__in=found)
        return customers.filter(Exists(needs)) if found else customers

    def by_tags(self, customers, name, found):
        return customers.filter(tags__overlap=found) if found else customers

    def by_tags_all(self, customers, name, found):
        return customers.filter(tags__contains=found) if found else customers

    def by_completeness_min(self, customers, name, percent):
        return customers.filter(archive_completeness__gte=percent)

    def by_completeness_max(self, customers, name, percent):
        return customers.filter(archive_completeness__lte=percent)

    def by_grade(self, customers, name, codes):
        if not codes:
            return customers
        graded = Q(risk_grade__in=[int(code[1]) for code in codes if code != "none"])
        return customers.filter(graded | Q(risk_grade=None) if "none" in codes else graded)

    def by_grade_expires(self, customers, name, span):
        if span.how == How.NEVER:
            return customers.filter(risk_assessed_on=None)
        return customers.alias(risk_expires_on=EXPIRY).filter(span.condition("risk_expires_on", self.on))

    def by_consent(self, customers, name, purposes):
        for purpose in purposes:
            customers = customers.filter(Exists(consenting(purpose)))
        return customers

    def by_no_consent(self, customers, name, purposes):
        for purpose in purposes:
            customers = customers.filter(~Exists(consenting(purpose)))
        return customers

    def by_flag(self, customers, name, answer):
        return customers.filter(**{name: answer == "yes"})

    def by_value_class(self, customers, name, codes):
        return customers.filter(value_class__in=codes) if codes else customers

    def by_quintile(self, customers, name, numbers):
        return customers.filter(contribution_quintile__in=numbers) if numbers else customers

    def by_clv_min(self, customers, name, value):
        return customers.filter(clv__gte=value * WAN)

    def by_clv_max(self, customers, name, value):
        return customers.filter(clv__lte=value * WAN)

    def by_key_group(self, customers, name, codes):
        return customers.filter(key_groups__overlap=codes) if codes else customers

    def by_potential(self, customers, name, codes):
        return customers.filter(potential_reasons__overlap=codes) if codes else customers

    def by_products_min(self, customers, name, number):
        return customers.alias(kinds_held=PRODUCTS).filter(kinds_held__gte=number)

    def by_products_max(self, customers, name, number):
        return customers.alias(kinds_held=PRODUCTS).filter(kinds_held__lte=number)

    def by_managed(self, customers, name, span):
        held = Assignment.objects.open().filter(customer=OuterRef("pk"), role=Assignment.Role.PRIMARY)
        if span.how == How.NEVER:
            return customers.filter(~Exists(held))
        return customers.filter(Exists(held.filter(span.condition("start", self.on))))
