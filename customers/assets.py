"""Balances: the month partitions, and days that did not arrive."""

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
        DayNotFed: the day has not been closed and too few of its balances are there; nothing is filled.
    """
    ensure_partitions(on, on)
    with connection.cursor() as cursor:
        cursor.execute(_FED, {"branch": branch_id, "on": on, "day_before": on - timedelta(days=1)})
        before, fed, is_closed = cursor.fetchone()
        if not is_closed and (not fed or fed < before * FED_SHARE):
            raise DayNotFed(
                _("%(fed)d of %(before)d balances of %(day)s have arrived; the core system has to send the rest.")
                % {"fed": fed, "before": before, "day": on.isoformat()}
            )
        cursor.execute(
            _CARRY,
            {"branch": branch_id, "on": on, "oldest": on - timedelta(days=CARRY_DAYS), "carried": CARRIED_SEQUENCE},
        )
        return cursor.rowcount


_FED = """
SELECT count(*) FILTER (WHERE yesterday.customer_id IS NOT NULL),
       count(*) FILTER (WHERE today.customer_id IS NOT NULL),
       EXISTS (SELECT FROM customers_dayclose d JOIN staff_branch b ON b.id = %(branch)s
               WHERE d.data_date = %(on)s AND b.path LIKE '%%/' || d.branch_id || '/%%')
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
