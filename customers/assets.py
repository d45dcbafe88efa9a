"""Balances: the month partitions, the averages of domain.md §3, and what the customer's row says of them."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from customers.models.assets import ASSET_KINDS
from staff.refusal import Refused

FED_SHARE = Decimal("0.9")
"""A day counts as fed when this share of the customers who had a balance the day before have one."""

CARRIED_SEQUENCE = -1
"""The sequence of a balance carried forward: any row of the feed replaces it."""

CARRY_DAYS = 31
"""How far back a missing balance is looked for."""

_KINDS = ", ".join(ASSET_KINDS)


class DayNotFed(Refused):
    """The core banking system has not sent the day's balances."""

    code = "day_not_fed"


def ensure_partitions(first: date, last: date) -> None:
    """Make the month partitions of both asset tables that [first, last] needs; existing ones stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT customers_ensure_partitions(%s, %s)", [first, last])


def month_start(day: date) -> date:
    """Return the first day of the day's month."""
    return day.replace(day=1)


def is_month_end(day: date) -> bool:
    """Say whether the next day begins a month."""
    return (day + timedelta(days=1)).day == 1


def complete_day(*, branch_id: int, on: date) -> int:
    """Fill the balances missing on a day with the last known ones and mark `data_gap`; return the number filled.

    Raises:
        DayNotFed: too few balances of the day are there; nothing is filled.
    """
    ensure_partitions(on, on)
    with connection.cursor() as cursor:
        cursor.execute(_FED, {"branch": branch_id, "on": on, "day_before": on - timedelta(days=1)})
        before, fed = cursor.fetchone()
        if not fed or fed < before * FED_SHARE:
            raise DayNotFed(
                _("%(fed)d of %(before)d balances of %(day)s have arrived; the core system has to send the rest.")
                % {"fed": fed, "before": before, "day": on.isoformat()}
            )
        cursor.execute(
            _CARRY,
            {"branch": branch_id, "on": on, "oldest": on - timedelta(days=CARRY_DAYS), "carried": CARRIED_SEQUENCE},
        )
        return cursor.rowcount


def average_branch(*, branch_id: int, on: date) -> int:
    """Compute the month of a day for a branch's customers, and bring their own rows up to that day.

    The running month is averaged over its days so far. The month before is computed again, so that
    balances which arrived late count. Returns the number of customers brought up to date.
    Source: domain.md §3; the divisor of the opening month is the days since opening.
    """
    this_month = month_start(on)
    last_day_before = this_month - timedelta(days=1)
    ensure_partitions(last_day_before, on)
    with connection.cursor() as cursor:
        for last_day in (last_day_before, on):
            cursor.execute(_MONTH, _month_values(branch_id, last_day))
        cursor.execute(
            _CUSTOMERS,
            {"branch": branch_id, "on": on, "month": this_month, "month_ago": on - timedelta(days=30)},
        )
        return cursor.rowcount


def _month_values(branch_id: int, last_day: date) -> dict:
    first = month_start(last_day)
    year_begins = last_day - timedelta(days=364)
    return {
        "branch": branch_id,
        "first": first,
        "last": last_day,
        "day_before": first - timedelta(days=1),
        "last7": last_day - timedelta(days=6),
        "year_begins": year_begins,
        "year_month": month_start(year_begins),
    }


_FED = """
SELECT count(*) FILTER (WHERE yesterday.customer_id IS NOT NULL),
       count(*) FILTER (WHERE today.customer_id IS NOT NULL)
FROM customers_customer c
LEFT JOIN customers_dailyasset yesterday
       ON yesterday.customer_id = c.id AND yesterday.data_date = %(day_before)s
LEFT JOIN customers_dailyasset today ON today.customer_id = c.id AND today.data_date = %(on)s
WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
"""

_CARRY = f"""
WITH filled AS (
    INSERT INTO customers_dailyasset (customer_id, data_date, {_KINDS}, loan_balance, card_outstanding, sequence)
    SELECT c.id, %(on)s, {", ".join(f"last.{kind}" for kind in ASSET_KINDS)},
           last.loan_balance, last.card_outstanding, %(carried)s
    FROM customers_customer c
    JOIN LATERAL (
        SELECT * FROM customers_dailyasset d
        WHERE d.customer_id = c.id AND d.data_date >= %(oldest)s AND d.data_date < %(on)s
        ORDER BY d.data_date DESC LIMIT 1
    ) last ON true
    WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
      AND NOT EXISTS (
          SELECT FROM customers_dailyasset d WHERE d.customer_id = c.id AND d.data_date = %(on)s)
    RETURNING customer_id
)
UPDATE customers_customer c SET data_gap = true, updated_at = now() FROM filled WHERE filled.customer_id = c.id
"""

_MONTH = f"""
WITH days AS (
    SELECT d.customer_id, d.data_date, d.total,
           d.total - lag(d.total) OVER (PARTITION BY d.customer_id ORDER BY d.data_date) AS change
    FROM customers_dailyasset d
    JOIN customers_customer c ON c.id = d.customer_id AND c.branch_id = %(branch)s
    WHERE d.data_date BETWEEN %(day_before)s AND %(last)s
), month AS (
    SELECT days.customer_id,
           CASE WHEN c.opened_on >= %(first)s THEN %(last)s - c.opened_on + 1
                ELSE %(last)s - %(first)s + 1 END AS days,
           sum(total) AS balances,
           avg(days.total) FILTER (WHERE days.data_date >= %(last7)s) AS last7_avg,
           min(total) AS lowest, max(total) AS highest,
           coalesce(sum(change) FILTER (WHERE change > 0), 0) AS inflow,
           coalesce(-sum(change) FILTER (WHERE change < 0), 0) AS outflow
    FROM days JOIN customers_customer c ON c.id = days.customer_id
    WHERE days.data_date >= %(first)s
    GROUP BY days.customer_id, c.opened_on
), year AS (
    -- Whole months count by average times days; the month the year begins in, by the days that fall in it.
    SELECT m.customer_id, sum(m.month_avg * CASE
               WHEN m.month = %(year_month)s
               THEN (m.month + interval '1 month')::date - %(year_begins)s ELSE m.days END) AS balances
    FROM customers_monthlyasset m JOIN month USING (customer_id)
    WHERE m.month >= %(year_month)s AND m.month < %(first)s
    GROUP BY m.customer_id
)
INSERT INTO customers_monthlyasset AS kept (customer_id, month, days, month_avg, year_avg, month_end, last7_avg,
    lowest, highest, inflow, outflow, {_KINDS})
SELECT month.customer_id, %(first)s, month.days,
       round(month.balances / month.days, 2),
       round((coalesce(year.balances, 0) + month.balances)
             / least(365, greatest(1, %(last)s - coalesce(c.opened_on, %(year_begins)s) + 1)), 2),
       finish.total, round(coalesce(month.last7_avg, finish.total), 2), month.lowest, month.highest,
       month.inflow, month.outflow, {", ".join(f"finish.{kind}" for kind in ASSET_KINDS)}
FROM month
JOIN customers_customer c ON c.id = month.customer_id
JOIN LATERAL (
    SELECT * FROM customers_dailyasset d
    WHERE d.customer_id = month.customer_id AND d.data_date BETWEEN %(first)s AND %(last)s
    ORDER BY d.data_date DESC LIMIT 1
) finish ON true
LEFT JOIN year ON year.customer_id = month.customer_id
-- Days are kept for a while, months for good: a month whose first days are gone is left as it is.
WHERE EXISTS (
    SELECT FROM customers_dailyasset d
    WHERE d.customer_id = c.id AND d.data_date = greatest(%(first)s, coalesce(c.opened_on, %(first)s)))
ON CONFLICT (customer_id, month) DO UPDATE SET
    days = excluded.days, month_avg = excluded.month_avg, year_avg = excluded.year_avg,
    month_end = excluded.month_end, last7_avg = excluded.last7_avg, lowest = excluded.lowest,
    highest = excluded.highest, inflow = excluded.inflow, outflow = excluded.outflow,
    {", ".join(f"{kind} = excluded.{kind}" for kind in ASSET_KINDS)}
WHERE (kept.days, kept.month_avg, kept.year_avg, kept.month_end, kept.last7_avg, kept.inflow, kept.outflow)
   IS DISTINCT FROM
      (excluded.days, excluded.month_avg, excluded.year_avg, excluded.month_end, excluded.last7_avg,
       excluded.inflow, excluded.outflow)
"""

_CUSTOMERS = """
WITH due AS (
    SELECT DISTINCT ON (h.customer_id) h.customer_id, h.matures_on,
           sum(h.amount) OVER (PARTITION BY h.customer_id, h.matures_on) AS amount
    FROM customers_holding h JOIN customers_customer c ON c.id = h.customer_id
    WHERE c.branch_id = %(branch)s AND h.status = 'active' AND h.matures_on > %(on)s
    ORDER BY h.customer_id, h.matures_on
), held AS (
    SELECT h.customer_id, string_agg(DISTINCT p.category, ' ' ORDER BY p.category) AS marks
    FROM customers_holding h JOIN customers_product p ON p.id = h.product_id
    JOIN customers_customer c ON c.id = h.customer_id
    WHERE c.branch_id = %(branch)s AND h.status = 'active'
    GROUP BY h.customer_id
), now AS (
    SELECT c.id, d.total AS aum, before.total AS aum_30d_before, m.month_avg, m.year_avg,
           due.matures_on, due.amount, coalesce(held.marks, '') AS marks, d.sequence < 0 AS gap
    FROM customers_customer c
    JOIN customers_dailyasset d ON d.customer_id = c.id AND d.data_date = %(on)s
    JOIN customers_monthlyasset m ON m.customer_id = c.id AND m.month = %(month)s
    LEFT JOIN customers_dailyasset before ON before.customer_id = c.id AND before.data_date = %(month_ago)s
    LEFT JOIN due ON due.customer_id = c.id
    LEFT JOIN held ON held.customer_id = c.id
    WHERE c.branch_id = %(branch)s
)
UPDATE customers_customer c SET
    aum = now.aum, aum_30d_before = now.aum_30d_before, month_avg = now.month_avg, year_avg = now.year_avg,
    next_maturity_on = now.matures_on, next_maturity_amount = now.amount, product_marks = now.marks,
    data_date = %(on)s, data_gap = now.gap, updated_at = now()
FROM now
WHERE now.id = c.id AND (c.data_date IS NULL OR c.data_date <= %(on)s)
"""
