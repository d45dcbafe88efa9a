"""Who could become a VIP customer and why, and which key groups everybody belongs to (domain.md §3).

Both are columns of Customer, written for an outlet at once where they differ; running it again changes nothing.
"""

from datetime import date

from django.db import connection, models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.assets import month_start
from customers.models import RatingRule, Tier, TierRule

PAYROLL_MONTHS = 3
"""Over how many months pay is averaged."""


PAYROLL_STOP = 45
"""So many days without pay end the membership of the payroll group (domain.md §8, payroll_stop)."""


class Reason(models.TextChoices):
    """Why a customer is a potential VIP, or one of a higher tier: `Customer.potential_reasons`."""

    REACHED = "reached", _("Reached, not upgraded")
    NEAR_THRESHOLD = "near_threshold", _("Near the threshold")
    LOAN = "loan", pgettext_lazy("potential by", "Loans")
    CUSTODY = "custody", pgettext_lazy("potential by", "Custody cash")
    CARD = "card", pgettext_lazy("potential by", "Card spend")
    PAYROLL = "payroll", pgettext_lazy("potential by", "Payroll")
    NOMINATED = "nominated", pgettext_lazy("potential by", "Nominated")


class KeyGroup(models.TextChoices):
    """The four key groups of retail customers (000_12a35795c6eec638.txt), and two traditional ones that need balances
    and payments too; one customer may be in several."""

    VIP = "vip", pgettext_lazy("key group", "VIP")
    LOAN = "loan", pgettext_lazy("key group", "Personal loans")
    WEALTH = "wealth", pgettext_lazy("key group", "Wealth")
    CARD = "card", pgettext_lazy("key group", "Credit cards")
    PAYROLL = "payroll", _("Payroll customers")
    CUSTODY = "custody", _("Third-party custody")


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring reasons and groups of a branch's customers up to a day; return how many changed.

    `reached` compares the tiers; `near_threshold` looks at the average that decides the tier, between the
    rule's share of the next floor and that floor, where it is above the tier served. Loans, custody cash, card spend of
    12 months and pay of 3 months speak for customers without a tier alone. Whoever has a reason and no relation
    becomes a potential VIP; nobody ceases to be one here (his manager ends that). `potential_since` is the day on which
    the first of the reasons that hold was found.
    """
    floors, rule = TierRule.objects.floors(on), RatingRule.objects.in_force(on)
    values = {
        "branch": branch_id,
        "on": on,
        "month": month_start(on),
        "measure": rule.rating_measure,
        "gold": floors[Tier.GOLD],
        "platinum": floors[Tier.PLATINUM],
        "diamond": floors[Tier.DIAMOND],
        "near": rule.near_share,
        "loan": rule.loan_floor,
        "custody": rule.custody_floor,
        "card": rule.card_floor,
        "payroll": rule.payroll_floor,
        "payroll_months": PAYROLL_MONTHS,
        "payroll_stop": PAYROLL_STOP,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, values)
        return cursor.rowcount


_REFRESH = """
WITH floors (tier, floor) AS (VALUES (1, %(gold)s), (2, %(platinum)s), (3, %(diamond)s)),
fact AS (
    SELECT c.id, c.service_tier, c.asset_tier, c.product_marks, c.service_tier = 0 AND c.asset_tier = 0 AS below,
           CASE %(measure)s WHEN 'year_avg' THEN c.year_avg ELSE c.month_avg END AS measure,
           coalesce(d.loan_balance, 0) AS loan, coalesce(d.custody_cash, 0) AS custody,
           coalesce(d.card_outstanding, 0) AS card
    FROM customers_customer c
    LEFT JOIN LATERAL (
        SELECT d.loan_balance, d.custody_cash, d.card_outstanding FROM customers_dailyasset d
        WHERE d.customer_id = c.id AND d.data_date = c.data_date LIMIT 1
    ) d ON true
    WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
), found AS (
    SELECT fact.id,
           array_remove(ARRAY[
               CASE WHEN asset_tier > service_tier THEN 'reached' END,
               CASE WHEN EXISTS (
                   SELECT FROM floors WHERE tier > service_tier AND measure < floor AND measure >= floor * %(near)s
               ) THEN 'near_threshold' END,
               CASE WHEN below AND loan >= %(loan)s THEN 'loan' END,
               CASE WHEN below AND custody >= %(custody)s THEN 'custody' END,
               CASE WHEN below AND (
                   SELECT sum(amount) FROM customers_transactionevent t
                   WHERE t.customer_id = fact.id AND t.kind = 'card_spend' AND t.data_date > %(on)s::date - interval '12 months'
                     AND t.data_date <= %(on)s
               ) >= %(card)s THEN 'card' END,
               CASE WHEN below AND (
                   SELECT sum(amount) FROM customers_transactionevent t
                   WHERE t.customer_id = fact.id AND t.kind = 'payroll' AND t.data_date > %(on)s::date - make_interval(months => %(payroll_months)s)
                     AND t.data_date <= %(on)s
               ) >= %(payroll)s * %(payroll_months)s THEN 'payroll' END,
               CASE WHEN EXISTS (
                   SELECT FROM customers_nomination n WHERE n.customer_id = fact.id AND n.ended_at IS NULL
               ) THEN 'nominated' END
           ], NULL)::varchar(16)[] AS reasons,
           array_remove(ARRAY[
               CASE WHEN service_tier > 0 THEN 'vip' END,
               CASE WHEN loan > 0 OR 'loan' = ANY(marks) THEN 'loan' END,
               CASE WHEN marks && ARRAY['wealth', 'fund', 'gold', 'insurance', 'private'] THEN 'wealth' END,
               CASE WHEN card > 0 OR 'card' = ANY(marks) THEN 'card' END,
               CASE WHEN 'payroll' = ANY(marks) OR EXISTS (
                   SELECT FROM customers_transactionevent t WHERE t.customer_id = fact.id AND t.kind = 'payroll'
                     AND t.data_date > %(on)s::date - %(payroll_stop)s AND t.data_date <= %(on)s
               ) THEN 'payroll' END,
               CASE WHEN custody > 0 THEN 'custody' END
           ], NULL)::varchar(8)[] AS groups
    FROM fact CROSS JOIN LATERAL (SELECT string_to_array(product_marks, ' ') AS marks) split
)
UPDATE customers_customer c SET
    potential_reasons = found.reasons,
    potential_since = CASE WHEN found.reasons <> '{}' THEN coalesce(c.potential_since, %(on)s) END,
    key_groups = found.groups,
    relation_status = CASE WHEN c.relation_status = 'none' AND found.reasons <> '{}' THEN 'potential'
        ELSE c.relation_status END,
    updated_at = now()
FROM found
WHERE found.id = c.id AND (c.key_groups IS DISTINCT FROM found.groups
    OR c.potential_reasons IS DISTINCT FROM found.reasons
    OR (c.relation_status = 'none' AND found.reasons <> '{}')
    OR (c.potential_since IS NULL) = (found.reasons <> '{}'))
"""
