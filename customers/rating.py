"""Rating on the first of a month: rises fast, falls slowly (domain.md §3)."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection, transaction

from customers.assets import is_month_end, month_start
from customers.models import RatingRule, Tier, TierRule
from staff.models import Branch

MONTHS_BACK = 12
"""How far back months below the floor are counted: the most that a rule may ask for."""


def tier_for(month_avg: Decimal, floors: Mapping[Tier, Decimal]) -> Tier:
    """Return the highest tier whose floor the month's average reaches."""
    return max(tier for tier, floor in floors.items() if month_avg >= floor)


def next_tier(tier: Tier) -> Tier | None:
    """Return the tier above; None for diamond."""
    return None if tier == Tier.DIAMOND else Tier(tier + 1)


def is_rating_night(on: date) -> bool:
    """Say whether the night after this business day rates: the next day is the first of a month."""
    return is_month_end(on)


@transaction.atomic
def rate_branch(*, branch_id: int, on: date) -> int:
    """Rate a branch's customers by the month that ends on `on`, effective the day after.

    Every step is written to TierChange with the average that caused it. The months below the floor
    are counted from the month rows, not from a counter, so rating the same month again changes
    nothing. A change never moves a customer to another manager. Returns the number of changes.
    """
    # The lock of `load.lock_branches`, without its refusal: the night tries again where a person is told.
    list(Branch.objects.select_for_update(no_key=True).filter(pk=branch_id))
    effective = on + timedelta(days=1)
    floors, rule = TierRule.objects.floors(effective), RatingRule.objects.in_force(effective)
    values = {
        "branch": branch_id,
        "month": month_start(on),
        "oldest": month_start(month_start(on) - timedelta(days=30 * (MONTHS_BACK - 1))),
        "effective": effective,
        "measure": rule.rating_measure,
        "gold": floors[Tier.GOLD],
        "platinum": floors[Tier.PLATINUM],
        "diamond": floors[Tier.DIAMOND],
        "near": floors[Tier.GOLD] * rule.near_share,
        "private": rule.private_floor,
        "patience": rule.months_until_down,
        "patience_private": rule.months_until_down_private,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RATED, values)
        cursor.execute(_CHANGES, values)
        changes = cursor.rowcount
        cursor.execute(_APPLY, values)
        cursor.execute("DROP TABLE rated")
    return changes


_RATED = """
CREATE TEMP TABLE rated ON COMMIT DROP AS
WITH floors (tier, floor) AS (VALUES (0, 0::numeric), (1, %(gold)s), (2, %(platinum)s), (3, %(diamond)s)),
base AS (
    SELECT c.id, c.service_tier, c.asset_tier, c.tier_state, c.relation_status, c.is_private_banking,
           m.measure, (SELECT max(tier) FROM floors WHERE m.measure >= floor) AS new_asset_tier,
           (SELECT floor FROM floors WHERE tier = c.service_tier) AS service_floor,
           date_trunc('month', coalesce(
               (SELECT max(t.on) FROM customers_tierchange t
                WHERE t.customer_id = c.id AND t.kind IN ('up', 'down') AND t.on < %(effective)s),
               c.signed_on, %(oldest)s))::date AS since
    FROM customers_customer c
    CROSS JOIN LATERAL (
        SELECT CASE %(measure)s WHEN 'year_avg' THEN m.year_avg ELSE m.month_avg END AS measure
        FROM customers_monthlyasset m WHERE m.customer_id = c.id AND m.month = %(month)s LIMIT 1
    ) m
    WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
), streak AS (
    SELECT base.id, months.number, months.averages
    FROM base CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE unbroken) AS number,
               jsonb_object_agg(to_char(month, 'YYYY-MM'), measure::text) FILTER (WHERE unbroken) AS averages
        FROM (
            SELECT m.month, m.measure, bool_and(m.measure < base.service_floor) OVER (ORDER BY m.month DESC) AS unbroken
            FROM (
                SELECT m.month, CASE %(measure)s WHEN 'year_avg' THEN m.year_avg ELSE m.month_avg END AS measure
                FROM customers_monthlyasset m
                WHERE m.customer_id = base.id AND m.month <= %(month)s AND m.month >= greatest(%(oldest)s, base.since)
            ) m
        ) months_back
    ) months
    WHERE base.service_tier > 0 AND base.measure < base.service_floor
)
SELECT base.*, coalesce(streak.number, 0) AS months_below,
       jsonb_strip_nulls(jsonb_build_object(
           'measure', %(measure)s::text, 'below', streak.averages,
           'floor', CASE WHEN base.service_tier > 0 THEN base.service_floor::text END,
           'reached', (SELECT floor::text FROM floors WHERE tier = base.new_asset_tier AND tier > 0))) AS figures,
       coalesce(streak.number, 0) >= CASE WHEN base.is_private_banking
           THEN %(patience_private)s ELSE %(patience)s END AS falls
FROM base LEFT JOIN streak USING (id)
"""

_CHANGES = """
INSERT INTO customers_tierchange (customer_id, "on", kind, from_tier, to_tier, month_avg, figures)
SELECT id, %(effective)s, kind, from_tier, to_tier, measure, figures FROM (
    SELECT id, 'down' AS kind, service_tier AS from_tier, new_asset_tier AS to_tier, measure, figures
    FROM rated WHERE service_tier > 0 AND falls
    UNION ALL
    SELECT id, 'watch', service_tier, service_tier, measure, figures
    FROM rated WHERE service_tier > 0 AND NOT falls AND months_below > 0 AND tier_state = 'normal'
    UNION ALL
    SELECT id, 'cleared', service_tier, service_tier, measure, figures
    FROM rated WHERE service_tier > 0 AND months_below = 0 AND tier_state = 'watch'
    UNION ALL
    SELECT id, 'reached', service_tier, new_asset_tier, measure, figures
    FROM rated WHERE new_asset_tier > service_tier AND new_asset_tier > asset_tier
) steps
ON CONFLICT (customer_id, "on", kind) DO NOTHING
"""

_APPLY = """
UPDATE customers_customer c SET
    asset_tier = rated.new_asset_tier,
    service_tier = CASE WHEN rated.service_tier > 0 AND rated.falls THEN rated.new_asset_tier ELSE c.service_tier END,
    tier_state = CASE WHEN rated.service_tier > 0 AND NOT rated.falls AND rated.months_below > 0
        THEN 'watch' ELSE 'normal' END,
    months_below_floor = CASE WHEN rated.falls THEN 0 ELSE rated.months_below END,
    is_private_banking = rated.service_tier = 3 AND NOT rated.falls
        AND (rated.measure >= %(private)s OR (rated.is_private_banking AND rated.months_below < %(patience_private)s)),
    relation_status = CASE WHEN c.relation_status = 'none' AND rated.measure >= %(near)s
        THEN 'potential' ELSE c.relation_status END,
    updated_at = now()
FROM rated
WHERE rated.id = c.id
"""
