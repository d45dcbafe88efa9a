"""The 90 days after a hand-over: who came, whether the new manager has talked with them, what their money does (domain.md §6)."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import DecimalField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from customers.models import Customer, DailyAsset, HandoverLine
from staff.models import Branch

WATCH_DAYS = 90
"""So long after a hand-over its customers are watched (domain.md §6)."""

AMOUNT = DecimalField(max_digits=18, decimal_places=2)
LOSS = Decimal("0.1")
"""A customer who has lost this share of the assets since the hand-over is marked (assumption)."""


@dataclass(frozen=True)
class Watched:
    """One customer who came by a hand-over; `then` and `now` are assets in yuan on its day and of late."""

    line: HandoverLine
    on: date
    then: Decimal
    now: Decimal

    @property
    def customer(self) -> Customer:
        return self.line.customer

    @property
    def day(self) -> int:
        """Return which day of the watch it is, from 1; `on` is the day it is asked on."""
        return (self.on - self.line.assignment.start).days + 1

    @property
    def change(self) -> Decimal:
        return self.now - self.then

    @property
    def is_losing(self) -> bool:
        return self.then > 0 and -self.change >= LOSS * self.then

    @property
    def is_met(self) -> bool:
        """Say whether somebody has talked with the customer since."""
        last = self.customer.last_contact_on
        return last is not None and last >= self.line.assignment.start

    @property
    def needs_care(self) -> bool:
        return self.is_losing or not self.is_met


def watched(customers, on: date):
    """Keep the customers who came by a hand-over within WATCH_DAYS."""
    return customers.filter(pk__in=_lines(on).values("customer"))


def _lines(on: date):
    since = on - timedelta(days=WATCH_DAYS)
    return HandoverLine.objects.filter(
        assignment__start__gt=since, assignment__start__lte=on, assignment__end=None, handover__until=None
    )


def watch_list(*, viewer, branch: Branch, on: date, most: int = 200) -> list[Watched]:
    """Return the watch of an outlet, who needs care first, then the largest loss; one query."""
    before = DailyAsset.objects.filter(
        customer=OuterRef("customer"), data_date__lt=OuterRef("assignment__start")
    ).order_by("-data_date")
    rows = (
        _lines(on)
        .filter(customer__in=Customer.objects.visible_to(viewer).filter(branch=branch))
        .select_related("customer", "assignment__staff", "handover__giver")
        .annotate(then=Coalesce(Subquery(before.values("total")[:1]), F("customer__aum"), output_field=AMOUNT))
        .order_by("-customer__aum", "pk")[:most]
    )
    found = [Watched(row, on, row.then, row.customer.aum) for row in rows]
    return sorted(found, key=lambda one: (not one.needs_care, one.change))
