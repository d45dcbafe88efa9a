"""Whether a customer is cared for or only sold to, and what forbids an offer just now (domain.md §7)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Max, Q
from django.utils.translation import gettext as _

from contacts.models import ContactLog, Feedback, Opportunity
from customers.models import Customer
from staff import formats

BALANCE_DAYS, SALES_SHARE, LEAST_CONTACTS = 90, 0.5, 3
"""Of so many days the share of talks about products above which a customer is "sold to", from so many talks on."""

PITCH_DAYS, QUIET_PITCH_DAYS = 7, 30
REFUSALS, PAUSE_DAYS = 4, 30
"""After so many refusals in BALANCE_DAYS nothing is offered for so many days."""

_Lost = Opportunity.LostReason
REFUSED = (_Lost.UNWILLING, _Lost.NO_NEED, _Lost.YIELD, _Lost.ELSEWHERE)
"""Reasons that mean that the customer said no."""


@dataclass(frozen=True)
class Care:
    """How the last 90 days were with a customer, and until when an offer should wait (None: no longer)."""

    contacts: int
    pitches: int
    last_pitch_on: date | None
    refusals: int
    last_refusal_on: date | None
    has_complaint: bool
    is_quiet: bool

    @property
    def share(self) -> float:
        return self.pitches / self.contacts if self.contacts else 0.0

    @property
    def is_sold_to(self) -> bool:
        return self.contacts >= LEAST_CONTACTS and self.share > SALES_SHARE

    @property
    def pitch_from(self) -> date | None:
        """Return the first day on which an offer is within the cap; None where it was never offered anything."""
        days = []
        if self.last_pitch_on:
            days.append(self.last_pitch_on + timedelta(days=QUIET_PITCH_DAYS if self.is_quiet else PITCH_DAYS))
        if self.refusals >= REFUSALS and self.last_refusal_on:
            days.append(self.last_refusal_on + timedelta(days=PAUSE_DAYS))
        return max(days, default=None)

    def warnings(self, on: date) -> list[str]:
        """Return in words what to heed before naming a product, the gravest first."""
        said = []
        if self.has_complaint:
            said.append(_("A complaint is open: settle it before anything is offered."))
        if self.pitch_from and self.pitch_from > on:
            day = formats.day(self.pitch_from, today=on)
            said.append(_("Offered something lately: no further offer before {day}, unless asked.").format(day=day))
        if self.is_sold_to:
            said.append(
                _("{pitches} of the last {contacts} talks were about products: talk about the customer first.").format(
                    pitches=self.pitches, contacts=self.contacts
                )
            )
        return said


def care_of(customer: Customer, on: date) -> Care:
    """Return how a customer was cared for up to a day; three queries."""
    since = on - timedelta(days=BALANCE_DAYS)
    logs = (
        customer.contact_logs.standing().exclude(result=ContactLog.Result.NOT_REACHED).filter(on__gt=since, on__lte=on)
    )
    pitch = Q(purpose=ContactLog.Purpose.PRODUCT)
    counted = logs.aggregate(n=Count("pk"), pitches=Count("pk", filter=pitch), last=Max("on", filter=pitch))
    lost = customer.opportunities.filter(
        stage=Opportunity.Stage.LOST,
        lost_reason__in=REFUSED,
        closed_on__gt=since,
        closed_on__lte=on,
    )
    refused = lost.aggregate(n=Count("pk"), last=Max("closed_on"))
    return Care(
        contacts=counted["n"],
        pitches=counted["pitches"],
        last_pitch_on=counted["last"],
        refusals=refused["n"],
        last_refusal_on=refused["last"],
        has_complaint=Feedback.objects.open_complaints().filter(customer=customer).exists(),
        is_quiet=customer.low_disturb,
    )
