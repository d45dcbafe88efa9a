"""What an activity brought: who came, what they thought, and whether their assets grew more than those of customers alike.

Guests are compared with customers of the same outlets who were not invited to it (`contacts.asset_effect`).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Avg, Count, Q
from django.utils import timezone

from contacts import asset_effect
from contacts.asset_effect import HORIZONS
from contacts.models import Activity, Opportunity
from customers import effect


@dataclass(frozen=True)
class Result:
    """Counts and figures of one activity; money in yuan; `effects`: days after → Effect, None while those days lie ahead."""

    invited: int
    accepted: int
    came: int
    satisfaction: float | None
    opportunities: int
    effects: dict[int, effect.Effect | None]
    cost: Decimal | None

    @property
    def attendance(self) -> float | None:
        return self.came / self.invited if self.invited else None

    @property
    def cost_each(self) -> Decimal | None:
        return self.cost / self.came if self.cost is not None and self.came else None

    @property
    def gained_per_yuan(self) -> float | None:
        """Return assets gained for each yuan spent by the latest effect that is shown; None while none is."""
        known = [found for found in self.effects.values() if found and found.verdict in ("helped", "harmed")]
        return known[-1].total / float(self.cost) if known and self.cost else None


def result_of(activity: Activity, *, on: date) -> Result:
    """Return what an activity brought as known on a day."""
    held_on = timezone.localdate(activity.starts_at)
    found = activity.invitations.aggregate(
        invited=Count("pk"), accepted=Count("pk", filter=Q(reply="accepted")),
        came=Count("pk", filter=Q(attended=True)), satisfaction=Avg("satisfaction"),
    )  # fmt: skip
    since = timezone.make_aware(timezone.datetime(held_on.year, held_on.month, held_on.day))
    guests = activity.invitations.filter(attended=True).values("customer")
    opened = Opportunity.objects.filter(customer__in=guests, created_at__gte=since)
    opened = opened.filter(created_at__lt=since + timedelta(days=HORIZONS[-1]))
    effects = {
        days: _effect(activity, held_on, days) if held_on + timedelta(days=days) < on else None for days in HORIZONS
    }
    return Result(**found, opportunities=opened.count(), effects=effects, cost=activity.cost)


def _effect(activity: Activity, held_on: date, days: int) -> effect.Effect:
    came = activity.invitations.filter(attended=True).values_list("customer", flat=True)
    # Invited customers who did not come are in neither arm: that they stayed away says something of them.
    absent = activity.invitations.exclude(attended=True).values_list("customer", flat=True)
    return asset_effect.of(
        treated=list(came), neither=list(absent), branch_id=activity.branch_id, on=held_on, days=days
    )
