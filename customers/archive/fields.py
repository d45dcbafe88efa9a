"""Which fields the personal archive has (domain.md §11), in groups that weigh in its completeness. Data, no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Group(models.TextChoices):
    BASIC = "basic", _("Basic facts")
    FAMILY = "family", _("Family")
    WORK = "work", _("Work and income")
    WEALTH = "wealth", _("Assets and needs")
    RISK = "risk", pgettext_lazy("group of the archive", "Risk")
    CHARACTER = "character", _("Character and interests")
    CONTACT = "contact", _("Contact preference and consent")


WEIGHTS: Mapping[Group, int] = {
    Group.BASIC: 20,
    Group.FAMILY: 15,
    Group.WORK: 15,
    Group.WEALTH: 15,
    Group.RISK: 10,
    Group.CHARACTER: 15,
    Group.CONTACT: 10,
}
"""How much a group weighs in completeness; they add up to 100."""


class Kind(models.TextChoices):
    """How a value is written: text, one code, several codes, an ISO date, true or false."""

    TEXT = "text"
    CHOICE = "choice"
    CHOICES = "choices"
    DATE = "date"
    BOOL = "bool"


class Occupation(models.TextChoices):
    """The classes of 002_fc4bb0e9ebd99788.txt, and two more (domain.md §12)."""

    OFFICIAL = "official", _("Government official")
    CIVIL_SERVANT = "civil_servant", _("Civil servant")
    EXECUTIVE = "executive", _("Senior executive")
    MIDDLE_MANAGER = "middle_manager", _("Middle manager")
    ENTREPRENEUR = "entrepreneur", _("Private entrepreneur")
    SCHOLAR = "scholar", _("Scholar or expert")
    CELEBRITY = "celebrity", _("Artist or athlete")
    HOMEMAKER = "homemaker", _("Homemaker of a well-off family")
    MERCHANT = "merchant", _("Self-employed merchant")
    OTHER = "other", pgettext_lazy("occupation", "Other")


class Temperament(models.TextChoices):
    QUIET = "quiet", _("Quiet")
    BALANCED = "balanced", pgettext_lazy("temperament", "Balanced")
    LIVELY = "lively", _("Lively")


class Orientation(models.TextChoices):
    RELATION = "relation", _("Relation first")
    VALUE = "value", _("Value first")
    SERVICE = "service", _("Service first")


class IncomeBand(models.TextChoices):
    BELOW_10 = "0-10", _("below 100,000 a year")
    TO_30 = "10-30", _("100,000–300,000 a year")
    TO_100 = "30-100", _("300,000–1 million a year")
    ABOVE = "100+", _("above 1 million a year")


class MaritalStatus(models.TextChoices):
    SINGLE = "single", _("Single")
    MARRIED = "married", _("Married")
    DIVORCED = "divorced", _("Divorced")
    WIDOWED = "widowed", _("Widowed")


class Education(models.TextChoices):
    SCHOOL = "school", _("Secondary school or less")
    COLLEGE = "college", _("College")
    BACHELOR = "bachelor", _("Bachelor")
    MASTER = "master", _("Master or above")


class Liquidity(models.TextChoices):
    HIGH = "high", _("Needs it within 3 months")
    MEDIUM = "medium", _("Within a year")
    LOW = "low", _("Not for more than a year")


class Horizon(models.TextChoices):
    SHORT = "short", _("Below 1 year")
    MIDDLE = "middle", _("1–3 years")
    LONG = "long", _("Above 3 years")


class Experience(models.TextChoices):
    NONE = "none", pgettext_lazy("experience", "None")
    SOME = "some", _("1–5 years")
    LONG = "long", _("More than 5 years")


class Goal(models.TextChoices):
    EDUCATION = "education", _("Education")
    RETIREMENT = "retirement", _("Retirement")
    HOUSE = "house", _("House")
    INHERITANCE = "inheritance", _("Inheritance")
    GROWTH = "growth", _("Growth of wealth")
    CREDIT = "credit", _("Large credit line")


class Way(models.TextChoices):
    PHONE = "phone", pgettext_lazy("way", "Phone")
    WECHAT = "wechat", pgettext_lazy("way", "WeChat")
    SMS = "sms", pgettext_lazy("way", "SMS")
    MEETING = "meeting", pgettext_lazy("way", "Meeting")
    EMAIL = "email", pgettext_lazy("way", "E-mail")


class GoodTime(models.TextChoices):
    MORNING = "morning", _("Workday mornings")
    NOON = "noon", _("Noon")
    AFTERNOON = "afternoon", _("Workday afternoons")
    EVENING = "evening", _("Evenings")
    WEEKEND = "weekend", _("Weekends")


class Frequency(models.TextChoices):
    WEEKLY = "weekly", _("Every week")
    MONTHLY = "monthly", _("Every month")
    QUARTERLY = "quarterly", _("Every quarter")
    ON_NEED = "on_need", _("Only when needed")


@dataclass(frozen=True)
class Field:
    """A field of the archive.

    `column` names the column of Customer that the core system fills: it is read here, not edited. `mask` names
    the function of staff.masking for a sensitive field: sealed, masked, revealed on its own. `question` is
    what to ask the customer; the lower `ease`, the easier it is to ask.
    """

    code: str
    group: Group
    label: object
    kind: Kind = Kind.TEXT
    choices: type[models.TextChoices] | None = None
    column: str = ""
    mask: str = ""
    question: object = ""
    ease: int = 2
    max_length: int = field(default=80)


_G, _K = Group, Kind

FIELDS: tuple[Field, ...] = (
    Field("name", _G.BASIC, _("Name"), column="name"),
    Field("gender", _G.BASIC, _("Gender"), column="gender"),
    Field("birth_date", _G.BASIC, _("Birth date"), column="birth_date"),
    Field("id_no", _G.BASIC, _("Identity number"), column="id_no_masked"),
    Field("mobile", _G.BASIC, _("Mobile"), column="mobile_masked"),
    Field("address", _G.BASIC, _("Address"), column="address_masked"),
    Field("second_contact", _G.BASIC, _("Second contact"), mask="mask_mobile", max_length=20,
          question=_("Whom may we call if we cannot reach you?")),
    Field("email", _G.BASIC, _("E-mail"), mask="mask_email", max_length=120, ease=1,
          question=_("To which e-mail address may we send statements?")),
    Field("wechat", _G.BASIC, _("WeChat account"), mask="mask_wechat", max_length=40, ease=1,
          question=_("May I add you on WeChat?")),
    Field("native_place", _G.BASIC, _("Native place"), max_length=40, ease=1, question=_("Where does your family come from?")),
    Field("education", _G.BASIC, _("Level of education"), _K.CHOICE, Education),
    Field("marital_status", _G.BASIC, _("Marital status"), _K.CHOICE, MaritalStatus),
    Field("family_members", _G.FAMILY, _("Family members"), ease=1, question=_("Who belongs to your family?")),
    Field("wedding_date", _G.FAMILY, _("Wedding date"), _K.DATE, question=_("When is your wedding anniversary?")),
    Field("school_stage", _G.FAMILY, _("Children's school stage"), max_length=40, ease=1,
          question=_("Where are your children at school now?")),
    Field("elders", _G.FAMILY, _("Elders to support"), max_length=40, question=_("Do your parents live with you?")),
    Field("occupation_class", _G.WORK, _("Occupation class"), _K.CHOICE, Occupation, ease=1,
          question=_("What kind of work do you do now?")),
    Field("employer", _G.WORK, _("Employer"), column="employer"),
    Field("post", _G.WORK, _("Post"), max_length=40, ease=1, question=_("What is your position there?")),
    Field("retirement_date", _G.WORK, _("Retirement date"), _K.DATE, ease=1, question=_("When will you retire?")),
    Field("industry", _G.WORK, _("Industry"), max_length=40, ease=1, question=_("Which industry is your company in?")),
    Field("payroll_here", _G.WORK, _("Payroll at our bank"), _K.BOOL, question=_("Is your salary paid into an account with us?")),
    Field("income_band", _G.WORK, _("Annual income"), _K.CHOICE, IncomeBand, ease=3,
          question=_("Roughly what does your family earn in a year?")),
    Field("own_business", _G.WORK, _("Own business"), max_length=60, question=_("Do you run a business of your own?")),
    Field("shop_account", _G.WORK, _("Shop or live-stream account"), max_length=60, ease=1),
    Field("external_assets", _G.WEALTH, _("Assets at other banks"), ease=3,
          question=_("What do you keep at other banks, and until when?")),
    Field("property", _G.WEALTH, _("Property"), max_length=60, ease=3),
    Field("car", _G.WEALTH, _("Car"), max_length=40, ease=1),
    Field("debts", _G.WEALTH, _("Debts"), max_length=60, ease=3),
    Field("insurance_held", _G.WEALTH, _("Insurance held"), max_length=60, question=_("Which insurance do you have?")),
    Field("goals", _G.WEALTH, _("Goals"), _K.CHOICES, Goal, ease=1, question=_("What are you saving for?")),
    Field("liquidity", _G.WEALTH, _("Liquidity need"), _K.CHOICE, Liquidity, question=_("When will you need this money?")),
    Field("risk_grade", _G.RISK, _("Risk grade"), column="risk_grade"),
    Field("risk_assessed_on", _G.RISK, _("Assessed on"), column="risk_assessed_on"),
    Field("experience", _G.RISK, _("Investment experience"), _K.CHOICE, Experience, ease=1,
          question=_("How long have you invested?")),
    Field("horizon", _G.RISK, _("Investment horizon"), _K.CHOICE, Horizon, ease=1,
          question=_("For how long can the money be put away?")),
    Field("payment_ability", _G.RISK, _("Payment ability a year"), _K.CHOICE, IncomeBand, ease=3),
    Field("temperament", _G.CHARACTER, _("Temperament"), _K.CHOICE, Temperament, ease=1),
    Field("orientation", _G.CHARACTER, _("Orientation"), _K.CHOICE, Orientation, ease=1),
    Field("hobbies", _G.CHARACTER, _("Hobbies"), ease=1, question=_("What do you like to do at weekends?")),
    Field("likes_taboos", _G.CHARACTER, _("Likes and taboos"), max_length=120, ease=1),
    Field("wants_to_perform", _G.CHARACTER, _("Likes to show talents"), _K.BOOL, ease=1,
          question=_("Would you like to show it at one of our events?")),
    Field("resource_needs", _G.CHARACTER, _("Resource needs"), question=_("What could we help you to find?")),
    Field("contact_ways", _G.CONTACT, _("Preferred ways of contact"), _K.CHOICES, Way, ease=1,
          question=_("How do you like to be reached?")),
    Field("good_times", _G.CONTACT, _("Good times"), _K.CHOICES, GoodTime, ease=1,
          question=_("When may I call you?")),
    Field("frequency_wish", _G.CONTACT, _("Wished frequency"), _K.CHOICE, Frequency, ease=1,
          question=_("How often may I get in touch?")),
    Field("consents", _G.CONTACT, _("Consents"), question=_("May we tell you about new products, and how?")),
)  # fmt: skip
"""Every field, in the order of the page. The LISTS among them are tables of their own; they count as filled when a
row is there."""

LISTS = frozenset({"family_members", "external_assets", "hobbies", "resource_needs", "consents"})
"""Fields that are tables of their own."""

BY_CODE: Mapping[str, Field] = {one.code: one for one in FIELDS}


def fields_of(group: Group) -> list[Field]:
    """Return the fields of a group, in the order of the page."""
    return [one for one in FIELDS if one.group == group]


def single_valued() -> list[Field]:
    """Return the fields that are kept as ProfileValue: neither the core system's columns nor lists."""
    return [one for one in FIELDS if not one.column and one.code not in LISTS]
