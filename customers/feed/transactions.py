"""Transaction events from the core banking system."""

from datetime import date

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.feed.days import dated
from customers.feed.rows import Outcome, TransactionRow
from customers.feed.staging import copy_into
from customers.models import Customer

_SENT = ("kind", "data_date", "amount", "counterparty_type", "channel")


@transaction.atomic
def take_transactions(*, rows: dict[int, TransactionRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge transaction events by position in the batch; return what became of each.

    Args:
        rows: from `read_rows`, keyed by position.
        as_of: the data date of rows that name none.
        by: the API client; customers outside its branches are rejected as unknown.
    """
    good, outcomes = dated(rows, as_of=as_of)
    return outcomes | (_merge(good, by) if good else {})


def _merge(rows: dict[int, TransactionRow], by) -> dict[int, Outcome]:
    visible, parameters = Customer.objects.visible_to(by).values("id", "customer_no").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        copy_into(
            "staged_transaction",
            ("position", "customer_no", "external_id", "sequence", *_SENT),
            (
                (at, row.customer_no, row.external_id, row.sequence, *(getattr(row, name) for name in _SENT))
                for at, row in rows.items()
            ),
        )
        cursor.execute(
            f"UPDATE staged_transaction s SET customer_id = seen.id FROM ({visible}) seen"
            " WHERE seen.customer_no = s.customer_no",
            parameters,
        )
        # In key order, so that two batches on the same customers wait for one another instead of deadlocking.
        cursor.execute(
            "SELECT 1 FROM customers_customer WHERE id IN (SELECT customer_id FROM staged_transaction)"
            " ORDER BY id FOR NO KEY UPDATE"
        )
        cursor.execute(_STATUS)
        statuses = cursor.fetchall()
        cursor.execute(_MERGE)
        cursor.execute("DROP TABLE staged_transaction")
    return {position: _outcome(position, rows[position], status) for position, status in statuses}


def _rejected(position: int, row: TransactionRow, code: str, field: str, problem: str) -> Outcome:
    return Outcome(
        row_id=row.row_id,
        status="rejected",
        code=code,
        pointer=f"/rows/{position}/{field}",
        detail=_("Row %(row)d: %(problem)s") % {"row": position + 1, "problem": problem},
    )


def _outcome(position: int, row: TransactionRow, status: str) -> Outcome:
    if status == "unknown":
        words = _("no such customer in your branches; send it to customers:batch first.")
        return _rejected(position, row, "unknown_customer", "customer_no", words)
    if status == "elsewhere":
        words = _("an event of this id belongs to another customer.")
        return _rejected(position, row, "event_of_another", "external_id", words)
    if status == "stale":
        return Outcome(
            row_id=row.row_id,
            status="stale",
            code="older_sequence",
            detail=_("Row %(row)d: a newer version of this event has been taken.") % {"row": position + 1},
        )
    return Outcome(row_id=row.row_id, status=status)


_STAGING = """
CREATE TEMP TABLE staged_transaction (
    position integer PRIMARY KEY, customer_no text, customer_id bigint, external_id text, sequence bigint,
    kind text, data_date date, amount numeric(18,2), counterparty_type text, channel text, wins boolean DEFAULT false
) ON COMMIT DROP
"""

_SENT_HERE = ", ".join(f"s.{name}" for name in _SENT)
_KEPT = ", ".join(f"kept.{name}" for name in _SENT)

_STATUS = f"""
WITH judged AS (
    SELECT s.position, CASE
        WHEN s.customer_id IS NULL THEN 'unknown'
        WHEN kept.customer_id <> s.customer_id
          OR first_value(s.customer_id) OVER same <> s.customer_id THEN 'elsewhere'
        WHEN s.sequence < kept.sequence THEN 'stale'
        WHEN lead(s.position) OVER same IS NOT NULL THEN 'stale'
        WHEN kept.id IS NULL THEN 'created'
        WHEN ({_SENT_HERE}) IS NOT DISTINCT FROM ({_KEPT}) THEN 'unchanged'
        WHEN s.sequence = kept.sequence THEN 'stale'
        ELSE 'updated' END AS status
    FROM staged_transaction s LEFT JOIN customers_transactionevent kept ON kept.external_id = s.external_id
    WINDOW same AS (PARTITION BY s.external_id ORDER BY s.sequence, s.position)
)
UPDATE staged_transaction s SET wins = judged.status IN ('created', 'updated', 'unchanged')
FROM judged WHERE judged.position = s.position
RETURNING s.position, judged.status
"""

_MERGE = f"""
INSERT INTO customers_transactionevent AS kept (customer_id, external_id, sequence, {", ".join(_SENT)})
SELECT s.customer_id, s.external_id, s.sequence, {_SENT_HERE} FROM staged_transaction s WHERE s.wins
ON CONFLICT (external_id) DO UPDATE SET
    sequence = excluded.sequence, {", ".join(f"{name} = excluded.{name}" for name in _SENT)}
WHERE excluded.sequence > kept.sequence
"""
