"""The catalogue of contact events: what happens in a customer's life or money that is a reason to talk (domain.md §8).

Data, no database: for each kind its category, how many days before it appears, until when it asks for something, what
way of contact fits and, for events that people enter, for which purpose a customer must be reachable.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LARGE_MOVES = {1: 50_000, 2: 100_000, 3: 200_000}
"""Yuan by which the assets of a tier move in one day to be a large move; or LARGE_SHARE of the month average."""

LARGE_SHARE, LARGE_LEAST = Decimal("0.2"), 50_000
REDEEM_FLOOR = 100_000
IDLE_CASH, IDLE_DAYS = 50_000, 30
DORMANT_DAYS, CARD_UNUSED_DAYS, PAY_STOPPED_DAYS = 90, 30, 45
SLIDE_SHARE = Decimal("0.15")
PAY_FLOOR = 10_000
"""Yuan of pay from which its arrival is worth a word (assumption: the floor of potential by payroll)."""

FRESH_DAYS = 4
"""What happened on one day asks for something for so many days after (assumption)."""

MONTH_DAYS = 10
"""What is seen by the month is shown in its first days (assumption)."""

PITCH_DAYS = 7
"""One product event a customer in so many days (domain.md §7)."""


@dataclass(frozen=True)
class Kind:
    """One kind of event; `lead` days before it appears, `lasts` days after it until it expires; icon of the category.

    `purpose` is asked of `customers.reach` before an entered event reaches a customer; "" for what the system finds.
    `pitches`: it names a product, so that the cap of pitches holds.
    """

    code: str
    category: str
    label: str
    lead: int = 0
    lasts: int = FRESH_DAYS
    way: str = "phone"
    purpose: str = ""
    pitches: bool = False

    @property
    def icon(self) -> str:
        return CATEGORIES[self.category][1]

    @property
    def is_entered(self) -> bool:
        return bool(self.purpose)


CATEGORIES = {
    "life": (_("Life"), "cake"),
    "behaviour": (_("Behaviour"), "activity"),
    "product": (pgettext_lazy("category of event", "Product"), "package"),
    "external": (_("Surroundings"), "world"),
}
"""Label and icon of each category."""

CARE, MARKETING, ACTIVITY = "care", "marketing", "activity"

KINDS = {
    kind.code: kind
    for kind in (
        Kind("family_birthday", "life", _("Birthday in the family"), lead=7, way="wechat"),
        Kind("anniversary", "life", _("Anniversary"), lead=3, way="wechat"),
        Kind("child_school", "life", _("Child starts school"), lead=90),
        Kind("child_exam", "life", _("Child's examination year"), lead=60),
        Kind("retirement", "life", _("Retirement is near"), lead=180, way="meeting"),
        Kind("life_change", "life", _("Change in life"), lasts=14, purpose=CARE),
        Kind("large_in", "behaviour", _("Large money in")),
        Kind("large_out", "behaviour", _("Large money out")),
        Kind("idle_cash", "behaviour", _("Money idle on demand")),
        Kind("redeem", "behaviour", _("Large redemption")),
        Kind("dormant", "behaviour", _("No transaction for 90 days")),
        Kind("card_inactive", "behaviour", _("Card not used yet")),
        Kind("payroll_in", "behaviour", _("Pay has arrived"), way="wechat"),
        Kind("payroll_stop", "behaviour", _("Pay has stopped")),
        Kind("loan_done", "behaviour", _("Loan paid off")),
        Kind("risk_expiring", "behaviour", _("Risk assessment expires"), lead=30, way="wechat"),
        Kind("special_service", "behaviour", _("Special service at the counter"), lasts=7, purpose=CARE),
        Kind("tier_reached", "behaviour", _("Reached, not upgraded"), way="meeting"),
        Kind("near_tier", "behaviour", _("Near the next tier"), way="meeting"),
        Kind("tier_watch", "behaviour", _("On watch"), lasts=10),
        Kind("tier_down", "behaviour", _("Downgraded"), lasts=10),
        Kind("aum_slide", "behaviour", _("Assets fall for three months")),
        Kind(
            "new_product", "product", _("New product"), lead=3, lasts=10, way="wechat", purpose=MARKETING, pitches=True
        ),
        Kind("promotion", "product", _("Promotion"), lead=3, lasts=14, way="wechat", purpose=MARKETING, pitches=True),
        Kind("yield_change", "product", _("Yield of a held product changes"), lasts=7, way="wechat", purpose=CARE),
        Kind("bulletin", "product", _("Bulletin"), lasts=1, way="wechat", purpose=MARKETING, pitches=True),
        Kind("social", "external", _("Policy and market"), lasts=7, way="wechat", purpose=CARE),
        Kind("bank_activity", "external", _("Activity of the bank"), lead=10, lasts=0, purpose=ACTIVITY),
        Kind("competitor", "external", _("Offer of a competitor"), lasts=7, purpose=CARE),
        Kind("local", "external", _("Event nearby"), lasts=14, way="meeting", purpose=CARE),
    )
}
"""Maturities, birthdays and the idle gold customer have statements of their own in `contacts.detection`."""

ENTERED = [code for code, kind in KINDS.items() if kind.is_entered]
