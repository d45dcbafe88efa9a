"""Every dimension a segment may be ruled by (domain.md §12). Data: the code is what rules keep, and never changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.archive.fields import Education, Goal, IncomeBand, MaritalStatus, Occupation, Orientation, Temperament
from customers.archive.interests import HOBBIES, RESOURCES
from customers.models import (
    ConsentRecord,
    Customer,
    Hobby,
    Product,
    ProfileValue,
    RelationStatus,
    Resource,
    Tier,
    TierState,
    ValueClass,
)
from customers.potential import KeyGroup, Reason
from customers.reach import consenting
from customers.relative_dates import years_before
from customers.segments.kinds import (
    Age,
    Change,
    Choice,
    Day,
    Flag,
    Number,
    Tags,
    in_array,
    in_column,
    in_marks,
    noted,
    told,
    wan,
)
from customers.suitability import GRADES

ELDERLY = 60
NEW_GENERATION = (1980, 1999)
"""Years of birth of 新生代, the first and the last."""


class Theme(models.TextChoices):
    """How dimensions are grouped where one is chosen."""

    MONEY = "money", _("Assets and tier")
    PERSON = "person", _("Person and work")
    CHARACTER = "character", _("Character and needs")
    PRODUCTS = "products", _("Products and risk")
    CARE = "care", _("Care and churn")


class Group(models.TextChoices):
    """The traditional groups; one customer may be in several."""

    VIP = "vip", pgettext_lazy("key group", "VIP")
    PAYROLL = "payroll", _("Payroll customers")
    MERCHANT = "merchant", _("Self-employed merchants")
    CUSTODY = "custody", _("Third-party custody")
    ELDERLY = "elderly", _("Elderly (60 and over)")
    LOAN = "loan", pgettext_lazy("key group", "Personal loans")
    WEALTH = "wealth", pgettext_lazy("key group", "Wealth")
    CARD = "card", pgettext_lazy("key group", "Credit cards")
    NEW_GENERATION = "new_generation", _("New generation (born 1980–1999)")


def group_q(code: str, on) -> Q:
    """Return the condition of one traditional group."""
    if code in KeyGroup.values:
        return Q(key_groups__contains=[code])
    if code == Group.ELDERLY:
        return Q(birth_date__lte=years_before(on, ELDERLY))
    if code == Group.NEW_GENERATION:
        return Q(birth_date__year__gte=NEW_GENERATION[0], birth_date__year__lte=NEW_GENERATION[1])
    told_so = ProfileValue.objects.current().filter(customer=OuterRef("pk"), field="occupation_class")
    return Q(Exists(told_so.filter(value=Occupation.MERCHANT.value)))


def in_group(facts, code: str, on) -> bool:
    """Say of one customer what `group_q` says in SQL."""
    born = facts.customer.birth_date
    if code in KeyGroup.values:
        return code in facts.customer.key_groups
    if code == Group.ELDERLY:
        return born is not None and born <= years_before(on, ELDERLY)
    if code == Group.NEW_GENERATION:
        return born is not None and NEW_GENERATION[0] <= born.year <= NEW_GENERATION[1]
    return facts.profile.get("occupation_class") == Occupation.MERCHANT


def _groups() -> Choice:
    def having(codes, least, on):
        found = Q(pk__in=[])
        for code in codes:
            found |= group_q(code, on)
        return found

    return Choice(
        lambda: {code: str(label) for code, label in Group.choices},
        having=having,
        has=lambda facts, codes, least, on: any(in_group(facts, code, on) for code in codes),
    )


def _consents() -> Choice:
    def having(codes, least, on):
        found = Q(pk__in=[])
        for code in codes:
            found |= Q(Exists(consenting(code)))
        return found

    return Choice(
        lambda: {code: str(label) for code, label in ConsentRecord.Purpose.choices},
        having=having,
        has=lambda facts, codes, least, on: bool(facts.consents & {*codes}),
    )


class ServiceNeed(models.TextChoices):
    """What service a customer's present and coming worth ask for (domain.md §12).

    Now is the tier served, potential is a reason of `customers.potential`.
    """

    GENERAL = "general", pgettext_lazy("service need", "General")
    SPECIAL = "special", pgettext_lazy("service need", "Special")
    VALUE_ADDED = "value_added", pgettext_lazy("service need", "Value added")


def service_need_of(customer: Customer) -> str:
    """Return the service need of one customer."""
    if customer.service_tier > 0:
        return ServiceNeed.VALUE_ADDED
    return ServiceNeed.SPECIAL if customer.potential_reasons else ServiceNeed.GENERAL


def _service_needs() -> Choice:
    wheres = {
        ServiceNeed.VALUE_ADDED.value: Q(service_tier__gt=0),
        ServiceNeed.SPECIAL.value: Q(service_tier=0) & ~Q(potential_reasons=[]),
        ServiceNeed.GENERAL.value: Q(service_tier=0, potential_reasons=[]),
    }
    return Choice(
        lambda: {code: str(label) for code, label in ServiceNeed.choices},
        having=lambda codes, least, on: Q(*(wheres[code] for code in codes), _connector=Q.OR),
        has=lambda facts, codes, least, on: service_need_of(facts.customer) in codes,
    )


@dataclass(frozen=True)
class Dimension:
    """One thing that customers differ by."""

    code: str
    label: object
    theme: Theme
    kind: object

    def __post_init__(self):
        if not self.code.isidentifier():
            raise ValueError(self.code)


_T = Theme
_TIERS = {tier.code: int(tier) for tier in Tier}
_LEVELS = {level.name.lower(): int(level) for level in Customer.ChurnLevel}

ALL: tuple[Dimension, ...] = (
    Dimension("tier", _("Tier"), _T.MONEY,
              in_column("service_tier", [(tier.code, tier.label) for tier in Tier], _TIERS)),
    Dimension("relation", _("Relation"), _T.MONEY, in_column("relation_status", RelationStatus)),
    Dimension("state", _("Rating"), _T.MONEY, in_column("tier_state", TierState)),
    Dimension("potential", _("Potential reasons"), _T.MONEY, in_array("potential_reasons", Reason)),
    Dimension("group", _("Traditional group"), _T.MONEY, _groups()),
    Dimension("service_need", _("Service need"), _T.MONEY, _service_needs()),
    Dimension("aum", _("Assets"), _T.MONEY, wan("aum")),
    Dimension("month_avg", _("Month average"), _T.MONEY, wan("month_avg")),
    Dimension("year_avg", _("Year average"), _T.MONEY, wan("year_avg")),
    Dimension("change", _("30-day change"), _T.MONEY,
              Change(lambda facts: None, "aum", unit="%", least=-100, most=1000)),
    Dimension("private", _("Private banking"), _T.MONEY, Flag("is_private_banking")),
    Dimension("value_class", _("Value class"), _T.MONEY, in_column("value_class", ValueClass)),
    Dimension("quintile", _("Fifth by contribution"), _T.MONEY,
              in_column("contribution_quintile", [(str(n), str(n)) for n in range(1, 6)],
                        {str(n): n for n in range(1, 6)})),
    Dimension("clv", _("CLV"), _T.MONEY, wan("clv", least=-10**6)),
    Dimension("age", _("Age"), _T.PERSON, Age(lambda facts: None, "birth_date", most=130)),
    Dimension("gender", pgettext_lazy("of a person", "Gender"), _T.PERSON,
              in_column("gender", [("m", _("Male")), ("f", _("Female"))])),
    Dimension("occupation", _("Occupation class"), _T.PERSON, told("occupation_class", Occupation)),
    Dimension("income", _("Annual income"), _T.PERSON, told("income_band", IncomeBand)),
    Dimension("education", _("Level of education"), _T.PERSON, told("education", Education)),
    Dimension("marital", _("Marital status"), _T.PERSON, told("marital_status", MaritalStatus)),
    Dimension("opened", pgettext_lazy("day", "Opened"), _T.PERSON, Day("opened_on")),
    Dimension("signed", pgettext_lazy("day", "Signed"), _T.PERSON, Day("signed_on")),
    Dimension("complete", _("Archive complete"), _T.PERSON,
              Number(lambda facts: facts.customer.archive_completeness, "archive_completeness", unit="%", most=100)),
    Dimension("orientation", _("Orientation"), _T.CHARACTER, told("orientation", Orientation)),
    Dimension("temperament", _("Temperament"), _T.CHARACTER, told("temperament", Temperament)),
    Dimension("hobby", _("Hobbies"), _T.CHARACTER, noted(Hobby, HOBBIES, Hobby.Level.labels, "hobbies")),
    Dimension("need", _("Resource needs"), _T.CHARACTER,
              noted(Resource, RESOURCES, Resource.Urgency.labels, "needs", direction="need")),
    Dimension("offer", _("Resources offered"), _T.CHARACTER,
              noted(Resource, RESOURCES, (), "offers", direction="offer")),
    Dimension("goals", _("Goals"), _T.CHARACTER, told("goals", Goal, several=True)),
    Dimension("tags", _("Tags"), _T.CHARACTER, Tags()),
    Dimension("holds", _("Holds"), _T.PRODUCTS, in_marks(Product.Category)),
    Dimension("grade", _("Risk grade"), _T.PRODUCTS,
              in_column("risk_grade", [(f"c{grade}", label) for grade, label in GRADES.items()],
                        {f"c{grade}": grade for grade in GRADES})),
    Dimension("assessed", _("Assessed on"), _T.PRODUCTS, Day("risk_assessed_on")),
    Dimension("maturity", _("Next maturity"), _T.PRODUCTS, Day("next_maturity_on")),
    Dimension("churn", _("Churn risk"), _T.CARE,
              in_column("churn_level", [(level.name.lower(), level.label) for level in Customer.ChurnLevel], _LEVELS)),
    Dimension("regime", _("Contact regime"), _T.CARE, in_column("contact_state", Customer.ContactState)),
    Dimension("contact", _("Last contact"), _T.CARE, Day("last_contact_on")),
    Dimension("consent", _("Consent given for"), _T.CARE, _consents()),
    Dimension("low_disturb", _("Low disturbance"), _T.CARE, Flag("low_disturb")),
    Dimension("do_not_contact", _("Do not contact"), _T.CARE, Flag("do_not_contact")),
    Dimension("key_customer", _("Key customer"), _T.CARE, Flag("key_customer")),
)  # fmt: skip

BY_CODE: Mapping[str, Dimension] = {one.code: one for one in ALL}
