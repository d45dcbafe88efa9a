"""Merging rows that the core banking system knows by a key of its own: staged by COPY, judged, merged, each in one statement.

A `Keyed` says where rows go and what is checked; `take` is the same for all of them. Texts of SQL come from these
declarations alone, never from a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from customers.feed.rows import Outcome, rejected
from customers.feed.staging import copy_into
from customers.models import Customer


@dataclass(frozen=True)
class Column:
    """A column that a row decides; `field` of the row where it is called otherwise."""

    name: str
    type: str
    field: str = ""

    @property
    def of_row(self) -> str:
        return self.field or self.name


@dataclass(frozen=True)
class Reference:
    """A column found by a code of the row, among what the client may name.

    `seen` gives (id, code) as a queryset of values; a code that is not among them is refused, an empty one is no code.
    """

    field: str
    column: str
    refusal: str
    words: Any
    seen: Callable


@dataclass(frozen=True)
class Guard:
    """A condition on `s` (the row) and `kept` (what stands, all NULL for a new row) under which the row is refused."""

    refusal: str
    field: str
    condition: str
    words: Any


OF_CUSTOMER = Reference(
    "customer_no", "customer_id", "unknown_customer",
    _("no such customer in your branches; send it to customers:batch first."),
    lambda by: Customer.objects.visible_to(by).values("id", "customer_no"),
)  # fmt: skip


@dataclass(frozen=True)
class Keyed:
    """Where rows of a kind go: the table, its unique key, the columns that rows decide, and what is checked first.

    `fixed` are columns of new rows that no row decides, as SQL. A row whose key belongs to another customer is refused.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    guards: tuple[Guard, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()

    @property
    def of_customers(self) -> bool:
        return OF_CUSTOMER in self.references

    @property
    def checks(self) -> tuple[Guard, ...]:
        """Return every refusal in the order in which it is looked for."""
        found = [
            Guard(one.refusal, one.field, f"s.{one.column} IS NULL AND s.{one.field} <> ''", one.words)
            for one in self.references
        ]
        if self.of_customers and "customer_id" not in self.key:
            another = "kept.customer_id <> s.customer_id OR first_value(s.customer_id) OVER same <> s.customer_id"
            words = _("this key belongs to a row of another customer.")
            found.append(Guard("key_of_another", self.key[0], another, words))
        return (*found, *self.guards)


@transaction.atomic
def take(rows: dict[int, Any], *, into: Keyed, by) -> dict[int, Outcome]:
    """Merge rows by position in the batch; return what became of each.

    Args:
        rows: from `read_rows`, keyed by position.
        by: the API client; what lies outside its branches is refused row by row.
    """
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_staging(into))
        codes, columns = [one.field for one in into.references], into.columns
        copy_into(
            "staged_row",
            ("position", "sequence", *codes, *(column.name for column in columns)),
            (
                (at, row.sequence, *(getattr(row, code) or "" for code in codes),
                 *(getattr(row, column.of_row) for column in columns))
                for at, row in rows.items()
            ),
        )  # fmt: skip
        for one in into.references:
            _find(cursor, one, by)
        _wait(cursor, into)
        cursor.execute(_judge(into), {"branch": by.branch_id, "beneath": f"%/{by.branch_id}/%"})
        statuses = cursor.fetchall()
        cursor.execute(_merge(into))
        cursor.execute("DROP TABLE staged_row")
    words = {check.refusal: check for check in into.checks}
    return {position: _outcome(position, rows[position], status, words) for position, status in statuses}


def _find(cursor, reference: Reference, by) -> None:
    seen = reference.seen(by)
    identity, code = seen.query.values_select or ("id", "code")
    sql, parameters = seen.query.sql_with_params()
    cursor.execute(
        f"UPDATE staged_row s SET {reference.column} = seen.{identity} FROM ({sql}) seen"
        f" WHERE seen.{code} = s.{reference.field}",
        parameters,
    )


def _wait(cursor, into: Keyed) -> None:
    """Let batches on the same customers, or into the same small table, come one after the other instead of deadlocking."""
    if into.of_customers:
        cursor.execute(
            "SELECT 1 FROM customers_customer WHERE id IN (SELECT customer_id FROM staged_row) ORDER BY id FOR NO KEY UPDATE"
        )
    else:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"feed:{into.table}"])


def _outcome(position: int, row: Any, status: str, words: dict[str, Guard]) -> Outcome:
    if status in words:
        return rejected(position, row, status, words[status].field, str(words[status].words))
    if status == "stale":
        detail = str(_("Row %(row)d: a newer version of it has been taken.")) % {"row": position + 1}
        return Outcome(row_id=row.row_id, status="stale", code="older_sequence", detail=detail)
    return Outcome(row_id=row.row_id, status=status)


def _staging(into: Keyed) -> str:
    found = [f"{one.field} text, {one.column} bigint" for one in into.references]
    said = [f"{column.name} {column.type}" for column in into.columns]
    return f"""CREATE TEMP TABLE staged_row (position integer PRIMARY KEY, sequence bigint, {", ".join([*found, *said])},
        wins boolean DEFAULT false) ON COMMIT DROP"""


def _written(into: Keyed) -> list[str]:
    return [*(one.column for one in into.references), *(column.name for column in into.columns)]


def _judge(into: Keyed) -> str:
    same = " AND ".join(f"kept.{name} = s.{name}" for name in into.key)
    key = ", ".join(f"s.{name}" for name in into.key)
    refusals = "\n".join(f"WHEN {check.condition} THEN '{check.refusal}'" for check in into.checks)
    here, there = (", ".join(f"{table}.{name}" for name in _written(into)) for table in ("s", "kept"))
    return f"""
    WITH judged AS (
        SELECT s.position, CASE
            {refusals}
            WHEN s.sequence < kept.sequence THEN 'stale'
            WHEN lead(s.position) OVER same IS NOT NULL THEN 'stale'
            WHEN kept.id IS NULL THEN 'created'
            WHEN ({here}) IS NOT DISTINCT FROM ({there}) THEN 'unchanged'
            WHEN s.sequence = kept.sequence THEN 'stale'
            ELSE 'updated' END AS status
        FROM staged_row s LEFT JOIN {into.table} kept ON {same}
        WINDOW same AS (PARTITION BY {key} ORDER BY s.sequence, s.position)
    )
    UPDATE staged_row s SET wins = judged.status IN ('created', 'updated', 'unchanged')
    FROM judged WHERE judged.position = s.position
    RETURNING s.position, judged.status
    """


def _merge(into: Keyed) -> str:
    written = _written(into)
    fixed = "".join(f", {name}" for name, _sql in into.fixed)
    values = "".join(f", {sql}" for _name, sql in into.fixed)
    changed = ", ".join(f"{name} = excluded.{name}" for name in written if name not in into.key)
    return f"""
    INSERT INTO {into.table} AS kept (sequence, {", ".join(written)}{fixed})
    SELECT s.sequence, {", ".join(f"s.{name}" for name in written)}{values} FROM staged_row s WHERE s.wins
    ON CONFLICT ({", ".join(into.key)}) DO UPDATE SET sequence = excluded.sequence, {changed}
    WHERE excluded.sequence > kept.sequence
    """
