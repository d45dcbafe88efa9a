"""What an activity brought: who came, what they thought, and whether their assets grew more than those of customers alike.

Guests are compared with customers of the same outlets who were not invited to it, alike in tier and in assets before
(`customers.effect`); the change is from the 30 days before to the week that ends 30, 60 or 90 days after.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from django.db import connection
from django.db.models import Avg, Count, Q
from django.utils import timezone

from contacts.models import Activity, Opportunity
from customers import effect
from customers.models import TierRule

HORIZONS = (30, 60, 90)


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
    after = held_on + timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {
            "activity": activity.pk, "branch": f"/{activity.branch_id}/", "before": held_on - timedelta(days=30), "held": held_on,
            "week": after - timedelta(days=6), "after": after,
        })  # fmt: skip
        came, before, change = np.array(cursor.fetchall(), float).reshape(-1, 3).T
    # The tier of the assets before: today's may be what the activity changed.
    floors = sorted(float(floor) for floor in TierRule.objects.floors(held_on).values() if floor)
    tier = np.searchsorted(floors, before, side="right")
    return effect.measure(change, came == 1, 10 * tier + effect.bands(before))


# Invited customers who did not come are in neither arm: that they stayed away says something of them.
_CHANGES = """
WITH alike AS (
    SELECT c.id, i.id IS NOT NULL AS came
    FROM customers_customer c
    JOIN staff_branch b ON b.id = c.branch_id
    LEFT JOIN contacts_invitation i ON i.customer_id = c.id AND i.activity_id = %(activity)s
    WHERE b.path LIKE '%%' || %(branch)s || '%%' AND c.service_tier >= 1 AND (i.id IS NULL OR i.attended)
), money AS (
    SELECT a.id, a.came,
           avg(d.total) FILTER (WHERE d.data_date < %(held)s) AS before,
           avg(d.total) FILTER (WHERE d.data_date >= %(week)s) AS after
    FROM alike a JOIN customers_dailyasset d ON d.customer_id = a.id
     AND (d.data_date BETWEEN %(before)s AND %(held)s::date - 1 OR d.data_date BETWEEN %(week)s AND %(after)s)
    GROUP BY 1, 2
)
SELECT came::int, before, after - before FROM money WHERE before IS NOT NULL AND after IS NOT NULL
"""
