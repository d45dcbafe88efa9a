"""Which products a customer may be offered (domain.md §16): one function, asked wherever a product is named."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.refusal import Refused

VALID_MONTHS = 12
"""How long a risk assessment holds."""

SOON_DAYS = 30
"""So long before it ends an assessment is called expiring (interface.md, status chips)."""

ELDERLY_AGE = 65
"""From this age on a sale needs an extra reminder and confirmation."""

GRADES = {
    1: _("C1 conservative"),
    2: _("C2 cautious"),
    3: _("C3 balanced"),
    4: _("C4 active"),
    5: _("C5 aggressive"),
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


def check(*, risk_level: int | None, grade: int | None, assessed_on: date | None, on: date) -> None:
    """Pass if a product of this risk level (1–5, None for none such as a deposit) may be offered on a day.

    Raises:
        Unsuitable: no assessment, an expired one, or a product riskier than the customer can bear.
    """
    if risk_level is None:
        return
    standing = assess(grade=grade, assessed_on=assessed_on, on=on)
    if standing.state == "missing":
        raise Unsuitable(_("The customer has no risk assessment; assess first."))
    if standing.state == "expired":
        raise Unsuitable(_("The risk assessment has expired; assess again first."))
    if risk_level > standing.highest:
        raise Unsuitable(_("The product's risk is above what the customer can bear; it may not be sold."))
