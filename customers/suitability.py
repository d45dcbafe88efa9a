"""Which products a customer may be offered (domain.md §16): one function, asked wherever a product is named."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from staff.refusal import Refused

VALID_MONTHS = 12
"""How long a risk assessment holds."""

SOON_DAYS = 30
"""So long before it ends an assessment is called expiring (interface.md, status chips)."""

ELDERLY_AGE = 65
"""From this age on a sale needs an extra reminder and confirmation."""

GRADES = {
    1: gettext_lazy("C1 conservative"),
    2: gettext_lazy("C2 cautious"),
    3: gettext_lazy("C3 balanced"),
    4: gettext_lazy("C4 active"),
    5: gettext_lazy("C5 aggressive"),
}


class Unsuitable(Refused):
    """The product may not be offered to this customer."""

    code = "unsuitable"


@dataclass(frozen=True)
class Assessment:
    """A customer's risk assessment on a day; `state` is valid, expiring, expired or missing.

    `highest` is the highest risk level (1–5 for R1–R5) that may be offered, 0 for none.
    """

    state: str
    grade: int | None
    valid_until: date | None
    highest: int

    @property
    def kind(self) -> str:
        """Return the colour of its status chip."""
        return {"valid": "ok", "expiring": "over"}.get(self.state, "churn")

    @property
    def label(self) -> str:
        return str(LABELS[self.state])


LABELS = {
    "valid": pgettext_lazy("assessment", "Valid"),
    "expiring": pgettext_lazy("assessment", "Expires soon"),
    "expired": pgettext_lazy("assessment", "Expired"),
    "missing": pgettext_lazy("assessment", "Not assessed"),
}


def year_later(day: date) -> date:
    """Return the same day of the next year; 28 February for a 29th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def assess(*, grade: int | None, assessed_on: date | None, on: date) -> Assessment:
    """Return how a risk assessment stands on a day; it holds for twelve months."""
    if grade is None or assessed_on is None:
        return Assessment("missing", None, None, 0)
    until = year_later(assessed_on)
    if on > until:
        return Assessment("expired", grade, until, 0)
    return Assessment("expiring" if (until - on).days <= SOON_DAYS else "valid", grade, until, grade)


def year_before(day: date) -> date:
    """Return the same day of the year before; 28 February for a 29th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


@dataclass(frozen=True)
class Offer:
    """A product before a customer, on a day: all that suitability depends on. Amounts are yuan.

    `risk_level` is 1–5, None for what carries none. `ability` is what the customer can pay a year, None where not known.
    `held` are the kinds of qualification of the person who offers, None while nobody does.
    """

    category: str
    risk_level: int | None
    is_agency: bool
    grade: int | None
    assessed_on: date | None
    age: int | None
    on: date
    amount: Decimal | None = None
    ability: Decimal | None = None
    held: frozenset[str] | None = None


@dataclass(frozen=True)
class Verdict:
    """Why a product may not be offered (each with what to do), what to remind of, and what the sale needs."""

    refusals: tuple[str, ...]
    reminders: tuple[str, ...]
    needs: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        return not self.refusals


INVESTMENTS = ("wealth", "fund", "gold", "private")
"""Categories that need a valid assessment; a deposit or a bond needs none, whatever its R1 says."""

RECORDED = ("wealth", "fund", "insurance", "private")
"""Categories whose sale on the premises is recorded; treasury bonds and physical gold are not."""

QUALIFICATIONS = {
    "wealth": gettext_lazy("You lack the qualification to sell wealth products."),
    "fund": gettext_lazy("You lack the qualification to sell funds."),
    "gold": gettext_lazy("You lack the qualification to sell precious metals."),
    "insurance": gettext_lazy("You lack the qualification to sell insurance."),
    "private": gettext_lazy("You lack the qualification to sell private banking products."),
}
"""Categories that only the qualified may offer: the kind has the category's name."""


def is_recorded(category: str, *, is_agency: bool) -> bool:
    """Say whether the sale of a product on the premises is recorded in sound and picture (双录)."""
    return category in RECORDED or is_agency


def judge(offer: Offer) -> Verdict:
    """Say whether a product may be offered (domain.md §16): the one rule, asked wherever a product is named."""
    refusals, reminders = [], []
    if offer.category in INVESTMENTS and offer.risk_level is not None:
        standing = assess(grade=offer.grade, assessed_on=offer.assessed_on, on=offer.on)
        if standing.state == "missing":
            refusals.append(_("The customer has no risk assessment; assess first."))
        elif standing.state == "expired":
            refusals.append(_("The risk assessment has expired; assess again first."))
        elif offer.risk_level > standing.highest:
            refusals.append(_("The product's risk is above what the customer can bear; it may not be sold."))
    if offer.amount is not None and offer.ability is not None and offer.amount > offer.ability:
        refusals.append(_("The amount is beyond what the customer can pay in a year; it is not suitable."))
    if offer.age is not None and offer.age >= ELDERLY_AGE and offer.category in (*INVESTMENTS, "insurance"):
        reminders.append(_("Aged 65 or more: remind of the risk again and let the customer confirm."))
    if offer.held is not None and offer.category in QUALIFICATIONS and offer.category not in offer.held:
        lacks = QUALIFICATIONS[offer.category]
        refusals.append(_("{lacks} Let a qualified colleague offer it.").format(lacks=lacks))
    needs = needs_of(offer.category, is_agency=offer.is_agency)
    return Verdict(tuple(refusals), tuple(reminders), needs)


def needs_of(category: str, *, is_agency: bool) -> tuple[str, ...]:
    """Return what the sale of a product needs, whoever the customer is."""
    needs = []
    if is_recorded(category, is_agency=is_agency):
        needs.append(_("Dual recording: note its number with the sale."))
    if category == "insurance":
        needs.append(_("A needs analysis before the offer."))
    return tuple(needs)


def offer_to(customer, product, *, on: date, **asked) -> Offer:
    """Return a product of the catalogue before a customer; `asked` are amount, ability and held of `Offer`."""
    return Offer(
        category=product.category, risk_level=product.risk_level, is_agency=product.is_agency, grade=customer.risk_grade,
        assessed_on=customer.risk_assessed_on, age=age_on(customer.birth_date, on), on=on, **asked,
    )  # fmt: skip


def age_on(birth_date: date | None, on: date) -> int | None:
    """Return the age in whole years; None where the birth date is not known."""
    if birth_date is None:
        return None
    return on.year - birth_date.year - ((on.month, on.day) < (birth_date.month, birth_date.day))


def check(offer: Offer) -> Verdict:
    """Return the verdict of an offer that may be made.

    Raises:
        Unsuitable: it may not; the words say why and what to do.
    """
    verdict = judge(offer)
    if not verdict.allowed:
        raise Unsuitable(verdict.refusals[0])
    return verdict
