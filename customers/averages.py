"""Month and year averages of AUM, exact to the cent, for an outlet at once (domain.md §3).

A balance holds until the next one: a day without a row carries the last known value forward. A month's row
keeps the exact sum of its days, and, once the month is over, every day's balance, so that a year that
begins within a month is an exact sum too, without reading the days of the year again.
"""

from datetime import date, timedelta

from django.db import connection, transaction

from customers.assets import CARRY_DAYS, ensure_partitions, is_month_end, month_start
from customers.models import ASSET_KINDS, RatingRule

YEAR_DAYS = 365

_KINDS = ", ".join(ASSET_KINDS)


@transaction.atomic
def average_branch(*, branch_id: int, on: date) -> int:
    """Average the month of a day over its days so far for a branch's customers, and bring their own rows up to it.

    Months in which a balance arrived late, or which no night has closed, are averaged again first, with every
    year average that contains them. Running it again changes nothing. Returns the number of customers
    brought up to date.
    """
    this_month = month_start(on)
    ensure_partitions(this_month, on)
    basis = RatingRule.objects.in_force(on).year_avg_basis
    with connection.cursor() as cursor:
        for month, customers in _months_to_repeat(cursor, branch_id, this_month):
            cursor.execute(_MONTH, _values(branch_id, _last_day(month), basis, customers))
        cursor.execute(_MONTH, _values(branch_id, on, basis, None))
        cursor.execute(
            _CUSTOMERS,
            {"branch": branch_id, "on": on, "month": this_month, "month_ago": on - timedelta(days=30)},
        )
        return cursor.rowcount


def _months_to_repeat(cursor, branch_id: int, this_month: date) -> list[tuple[date, list[int]]]:
    """Return [(month, customer ids)] of past months to average again, oldest first.

    A late balance changes its own month, what is carried into the months after it, and the year averages of
    the twelve months that follow; so a customer's months are repeated from the first late one on.
    """
    last_month = month_start(this_month - timedelta(days=1))
    cursor.execute(_TO_REPEAT, {"branch": branch_id, "this_month": this_month, "last_month": last_month})
    return cursor.fetchall()


def _last_day(month: date) -> date:
    return month_start(month + timedelta(days=31)) - timedelta(days=1)


def year_window(last_day: date, basis: str) -> date:
    """Return the first day of the year that ends on a day: 365 days of it, or since 1 January."""
    if basis == RatingRule.YearBasis.YEAR_TO_DATE:
        return last_day.replace(month=1, day=1)
    return last_day - timedelta(days=YEAR_DAYS - 1)


def _values(branch_id: int, last_day: date, basis: str, customers: list[int] | None) -> dict:
    first, begins = month_start(last_day), year_window(last_day, basis)
    return {
        "branch": branch_id,
        "only": customers,
        "first": first,
        "last": last_day,
        "oldest": first - timedelta(days=CARRY_DAYS),
        "last7": max(first, last_day - timedelta(days=6)),
        "year_begins": begins,
        "year_month": month_start(begins),
        "year_day": begins.day,
        "year_length": (last_day - begins).days + 1,
        "whole": is_month_end(last_day),
    }


_TO_REPEAT = """
WITH late AS (
    -- Taken before anything is averaged: what arrives meanwhile stays for the next night.
    DELETE FROM customers_latebalance late USING customers_customer c
    WHERE c.id = late.customer_id AND c.branch_id = %(branch)s AND late.month <= %(this_month)s
    RETURNING late.customer_id, late.month
), since AS (
    SELECT customer_id, min(month) AS month FROM (
        SELECT late.customer_id, late.month FROM late WHERE late.month < %(this_month)s
        UNION ALL
        -- The night that should have closed the month before never came.
        SELECT m.customer_id, m.month FROM customers_customer c
        CROSS JOIN LATERAL (
            SELECT * FROM customers_monthlyasset m WHERE m.customer_id = c.id AND m.month = %(last_month)s
        ) m
        WHERE c.branch_id = %(branch)s AND m.day_cents IS NULL
    ) found
    GROUP BY customer_id
)
SELECT months.month::date, array_agg(since.customer_id)
FROM since
CROSS JOIN LATERAL generate_series(since.month, %(last_month)s::date, interval '1 month') AS months (month)
GROUP BY months.month ORDER BY months.month
"""

# LATERAL keeps the work to the outlet's own customers: joined plainly, each outlet would read the whole bank's month.
_MONTH = f"""
WITH who AS (
    SELECT c.id, c.opened_on FROM customers_customer c
    WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
      AND (%(only)s::bigint[] IS NULL OR c.id = ANY(%(only)s::bigint[]))
), month AS (
    SELECT who.id AS customer_id, who.opened_on, figures.*,
           CASE WHEN who.opened_on >= %(first)s THEN %(last)s - who.opened_on + 1
                ELSE %(last)s - %(first)s + 1 END AS days
    FROM who CROSS JOIN LATERAL (
        SELECT sum(total * (until - since)) AS balances,
               sum(total * (until - greatest(since, %(last7)s))) FILTER (WHERE until > %(last7)s)
                   / nullif(sum(until - greatest(since, %(last7)s)) FILTER (WHERE until > %(last7)s), 0) AS last7_avg,
               min(total) AS lowest, max(total) AS highest,
               coalesce(sum(change) FILTER (WHERE change > 0 AND data_date >= %(first)s), 0) AS inflow,
               coalesce(-sum(change) FILTER (WHERE change < 0 AND data_date >= %(first)s), 0) AS outflow,
               min(since) AS since,
               CASE WHEN %(whole)s THEN array_fill(0::bigint, ARRAY[coalesce(min(since) - %(first)s::date, 0)])
                   || (SELECT array_agg((each.total * 100)::bigint ORDER BY day)
                       FROM unnest(array_agg(total), array_agg(since), array_agg(until)) AS each (total, since, until)
                       CROSS JOIN LATERAL generate_series(each.since, each.until - 1, interval '1 day') AS day)
               END AS day_cents
        FROM (
            SELECT d.data_date, d.total, d.total - lag(d.total) OVER by_day AS change,
                   greatest(d.data_date, %(first)s) AS since,
                   lead(d.data_date, 1, %(last)s + 1) OVER by_day AS until
            FROM customers_dailyasset d
            WHERE d.customer_id = who.id AND d.data_date <= %(last)s AND d.data_date >= coalesce(
                (SELECT max(earlier.data_date) FROM customers_dailyasset earlier
                 WHERE earlier.customer_id = who.id AND earlier.data_date < %(first)s
                   AND earlier.data_date >= %(oldest)s), %(first)s)
            WINDOW by_day AS (ORDER BY d.data_date)
        ) rows
        WHERE until > since
    ) figures
    -- Days are kept for a while, months for good: a month whose first days are gone is left as it is.
    WHERE figures.since <= greatest(%(first)s, coalesce(who.opened_on, figures.since))
), year AS (
    SELECT month.customer_id, (SELECT sum(CASE WHEN m.month > %(year_month)s OR %(year_day)s = 1 THEN m.balances
               WHEN m.day_cents IS NULL THEN m.month_avg * least(
                   m.days, (m.month + interval '1 month')::date - %(year_begins)s)
               ELSE (SELECT sum(cents) / 100 FROM unnest(m.day_cents[%(year_day)s:]) AS cents) END)
        FROM customers_monthlyasset m
        WHERE m.customer_id = month.customer_id AND m.month >= %(year_month)s AND m.month < %(first)s) AS balances
    FROM month
)
INSERT INTO customers_monthlyasset AS kept (customer_id, month, days, balances, day_cents, month_avg, year_avg,
    month_end, last7_avg, lowest, highest, inflow, outflow, {_KINDS})
SELECT month.customer_id, %(first)s, month.days, month.balances, month.day_cents,
       round(month.balances / month.days, 2),
       round((coalesce(year.balances, 0) + month.balances)
             / least(%(year_length)s, greatest(1, %(last)s - coalesce(month.opened_on, %(year_begins)s) + 1)), 2),
       finish.total, round(month.last7_avg, 2), month.lowest, month.highest,
       month.inflow, month.outflow, {", ".join(f"finish.{kind}" for kind in ASSET_KINDS)}
FROM month
JOIN year USING (customer_id)
CROSS JOIN LATERAL (
    SELECT * FROM customers_dailyasset d
    WHERE d.customer_id = month.customer_id AND d.data_date BETWEEN %(oldest)s AND %(last)s
    ORDER BY d.data_date DESC LIMIT 1
) finish
ON CONFLICT (customer_id, month) DO UPDATE SET
    days = excluded.days, balances = excluded.balances, day_cents = excluded.day_cents,
    month_avg = excluded.month_avg, year_avg = excluded.year_avg,
    month_end = excluded.month_end, last7_avg = excluded.last7_avg, lowest = excluded.lowest,
    highest = excluded.highest, inflow = excluded.inflow, outflow = excluded.outflow,
    {", ".join(f"{kind} = excluded.{kind}" for kind in ASSET_KINDS)}
WHERE (kept.days, kept.balances, kept.day_cents, kept.year_avg, kept.month_end, kept.last7_avg, kept.inflow,
       kept.outflow, {", ".join(f"kept.{kind}" for kind in ASSET_KINDS)})
   IS DISTINCT FROM
      (excluded.days, excluded.balances, excluded.day_cents, excluded.year_avg, excluded.month_end,
       excluded.last7_avg, excluded.inflow, excluded.outflow, {", ".join(f"excluded.{kind}" for kind in ASSET_KINDS)})
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
    CROSS JOIN LATERAL (
        SELECT total, sequence FROM customers_dailyasset d WHERE d.customer_id = c.id AND d.data_date = %(on)s LIMIT 1
    ) d
    CROSS JOIN LATERAL (
        SELECT month_avg, year_avg FROM customers_monthlyasset m
        WHERE m.customer_id = c.id AND m.month = %(month)s LIMIT 1
    ) m
    LEFT JOIN LATERAL (
        SELECT total FROM customers_dailyasset d WHERE d.customer_id = c.id AND d.data_date = %(month_ago)s LIMIT 1
    ) before ON true
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
