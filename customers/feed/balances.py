"""Daily balances from the core banking system."""

from datetime import date

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.assets import ensure_partitions
from customers.feed.days import dated
from customers.feed.rows import CustomerNo, Outcome, Row, day, money, rejected
from customers.feed.staging import copy_into
from customers.models import ASSET_KINDS, Customer

_AMOUNTS = (*ASSET_KINDS, "loan_balance", "card_outstanding")
STAGED = ("position", "customer_no", "data_date", "sequence", *_AMOUNTS)

Money = money("yuan, a string; 0 where it is left out")


class BalanceRow(Row, kw_only=True):
    """One customer's balances at the end of a day."""

    customer_no: CustomerNo
    data_date: day("of the balances; as_of where it is left out") | None = None
    demand: Money = "0"
    time_deposit: Money = "0"
    structured: Money = "0"
    wealth: Money = "0"
    fund: Money = "0"
    insurance: Money = "0"
    bond: Money = "0"
    gold: Money = "0"
    trust: Money = "0"
    custody_cash: Money = "0"
    loan_balance: Money = "0"
    card_outstanding: Money = "0"


@transaction.atomic
def take_balances(*, rows: dict[int, BalanceRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge balances by position in the batch; return what became of each.

    Args:
        rows: from `read_rows`, keyed by position.
        as_of: the data date of rows that name none.
        by: the API client; customers outside its branches are rejected as unknown.
    """
    good, outcomes = dated(rows, as_of=as_of)
    return outcomes | (_merge(good, by) if good else {})


def _merge(rows: dict[int, BalanceRow], by) -> dict[int, Outcome]:
    ensure_partitions(min(row.data_date for row in rows.values()), max(row.data_date for row in rows.values()))
    with connection.cursor() as cursor:
        # The table before its customers, as a batch that makes a new month holds it: no deadlock with that one.
        cursor.execute("LOCK TABLE customers_dailyasset IN ROW EXCLUSIVE MODE")
        cursor.execute(STAGING)
        copy_into(
            "staged_balance",
            STAGED,
            (
                (at, row.customer_no, row.data_date, row.sequence, *(getattr(row, name) for name in _AMOUNTS))
                for at, row in rows.items()
            ),
        )
        statuses = merge_staged(cursor, by)
    return {position: _outcome(position, rows[position], status) for position, status in statuses}


def merge_staged(cursor, by) -> list[tuple[int, str]]:
    """Merge the rows that stand in `staged_balance`, which ends with it; return (position, status) of each."""
    visible, parameters = Customer.objects.visible_to(by).values("id", "customer_no").query.sql_with_params()
    cursor.execute(
        f"UPDATE staged_balance s SET customer_id = seen.id FROM ({visible}) seen"
        " WHERE seen.customer_no = s.customer_no",
        parameters,
    )
    # In key order, so that two batches on the same customers wait for one another instead of deadlocking.
    cursor.execute(
        "SELECT 1 FROM customers_customer WHERE id IN (SELECT customer_id FROM staged_balance)"
        " ORDER BY id FOR NO KEY UPDATE"
    )
    cursor.execute(_STATUS)
    statuses = cursor.fetchall()
    cursor.execute(_LATE)
    cursor.execute(_MERGE)
    cursor.execute("DROP TABLE staged_balance")
    return statuses


def _outcome(position: int, row: BalanceRow, status: str) -> Outcome:
    if status == "unknown":
        words = _("no such customer in your branches; send it to customers:batch first.")
        return rejected(position, row, "unknown_customer", "customer_no", words)
    if status == "stale":
        return Outcome(
            row_id=row.row_id,
            status="stale",
            code="older_sequence",
            detail=_("Row %(row)d: a newer version of this day has been taken.") % {"row": position + 1},
        )
    return Outcome(row_id=row.row_id, status=status)


# A day that the customer's own row has passed already: the night averages its month again.
_LATE = """
INSERT INTO customers_latebalance (customer_id, month)
SELECT DISTINCT c.id, date_trunc('month', s.data_date)::date
FROM staged_balance s
JOIN customers_customer c ON c.id = s.customer_id AND s.data_date <= c.data_date
LEFT JOIN customers_dailyasset kept ON kept.customer_id = s.customer_id AND kept.data_date = s.data_date
WHERE kept.customer_id IS NULL OR kept.sequence < s.sequence
ON CONFLICT DO NOTHING
"""

STAGING = f"""
CREATE TEMP TABLE staged_balance (
    position integer PRIMARY KEY, customer_no text, customer_id bigint, data_date date, sequence bigint,
    {", ".join(f"{name} numeric(18,2)" for name in _AMOUNTS)}
) ON COMMIT DROP
"""

_STAGED_AMOUNTS = ", ".join(f"s.{name}" for name in _AMOUNTS)
_KEPT_AMOUNTS = ", ".join(f"kept.{name}" for name in _AMOUNTS)

_STATUS = f"""
SELECT s.position, CASE
    WHEN s.customer_id IS NULL THEN 'unknown'
    WHEN s.sequence < kept.sequence THEN 'stale'
    WHEN lead(s.position) OVER (PARTITION BY s.customer_id, s.data_date ORDER BY s.sequence, s.position)
         IS NOT NULL THEN 'stale'
    WHEN kept.customer_id IS NULL THEN 'created'
    WHEN ({_STAGED_AMOUNTS}) IS NOT DISTINCT FROM ({_KEPT_AMOUNTS}) THEN 'unchanged'
    WHEN s.sequence = kept.sequence THEN 'stale'
    ELSE 'updated' END
FROM staged_balance s
LEFT JOIN customers_dailyasset kept ON kept.customer_id = s.customer_id AND kept.data_date = s.data_date
"""

_MERGE = f"""
INSERT INTO customers_dailyasset AS kept (customer_id, data_date, sequence, {", ".join(_AMOUNTS)})
SELECT s.* FROM (
    SELECT DISTINCT ON (customer_id, data_date) customer_id, data_date, sequence, {", ".join(_AMOUNTS)}
    FROM staged_balance WHERE customer_id IS NOT NULL
    ORDER BY customer_id, data_date, sequence DESC, position DESC
) s
LEFT JOIN customers_dailyasset kept ON kept.customer_id = s.customer_id AND kept.data_date = s.data_date
WHERE kept.customer_id IS NULL OR kept.sequence < s.sequence
ON CONFLICT (customer_id, data_date) DO UPDATE SET
    sequence = excluded.sequence, {", ".join(f"{name} = excluded.{name}" for name in _AMOUNTS)}
"""
