"""Did the assets of customers grow more after something was done than those of customers alike to whom it was not?

One measure for activities, messages and whatever is done to some and not to others. Customers of the same outlets are compared who
were alike in tier and in assets before (`customers.effect`); the change is from the 30 days before to the week that ends
30, 60 or 90 days after.
"""

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np
from django.db import connection

from customers import effect
from customers.models import TierRule

HORIZONS = (30, 60, 90)


def of(*, treated: Collection[int], neither: Collection[int], branch_id: int, on: date, days: int) -> effect.Effect:
    """Return the effect on assets, in yuan a customer.

    Args:
        treated, neither: keys of the customers to whom it was done, and of those who belong in neither arm.
        branch_id: the outlet, with those beneath it, among whose VIP customers the others are found.
        on: the day it was done; days: how long after.
    """
    after = on + timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {
            "treated": list(treated), "neither": list(neither), "branch": f"/{branch_id}/", "before": on - timedelta(days=30),
            "done": on, "week": after - timedelta(days=6), "after": after,
        })  # fmt: skip
        was, before, change = np.array(cursor.fetchall(), float).reshape(-1, 3).T
    # The tier of the assets before: today's may be what was done to them changed.
    floors = sorted(float(floor) for floor in TierRule.objects.floors(on).values() if floor)
    tier = np.searchsorted(floors, before, side="right")
    return effect.measure(change, was == 1, 10 * tier + effect.bands(before))


_CHANGES = """
WITH alike AS (
    SELECT c.id, c.id = ANY(%(treated)s) AS was
    FROM customers_customer c JOIN staff_branch b ON b.id = c.branch_id
    WHERE b.path LIKE '%%' || %(branch)s || '%%' AND c.service_tier >= 1 AND NOT c.id = ANY(%(neither)s)
), money AS (
    SELECT a.id, a.was,
           avg(d.total) FILTER (WHERE d.data_date < %(done)s) AS before,
           avg(d.total) FILTER (WHERE d.data_date >= %(week)s) AS after
    FROM alike a JOIN customers_dailyasset d ON d.customer_id = a.id
     AND (d.data_date BETWEEN %(before)s AND %(done)s::date - 1 OR d.data_date BETWEEN %(week)s AND %(after)s)
    GROUP BY 1, 2
)
SELECT was::int, before, after - before FROM money WHERE before IS NOT NULL AND after IS NOT NULL
"""
