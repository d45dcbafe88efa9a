"""Taking a new key into use: what older keys sealed is sealed again with the current one."""

from collections.abc import Callable, Iterator

from django.apps import apps
from django.db import connection, models, transaction
from psycopg2.extras import execute_values

from staff import sealing
from staff.sealing import SealedField

BATCH = 1000


def sealed_columns() -> list[tuple[type[models.Model], str]]:
    """Return every encrypted column of the bank: [(model, column)]."""
    return [
        (model, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]


def rotate(*, track: Callable = iter) -> int:
    """Seal again whatever an older key sealed, in batches; return how many values. May be broken off and run again.

    A value that is changed meanwhile is left alone: its writer has used the current key.
    """
    return sum(len(batch) for column in sealed_columns() for batch in track(_batches(*column)))


def _batches(model, column: str) -> Iterator[list]:
    """Seal one batch after another of a column again, each in its own transaction."""
    last = 0
    while True:
        with transaction.atomic():
            old = _sealed_before(model, column, last)
            if not old:
                return
            _write(model, column, [(pk, sealing.seal(sealing.unseal(value)), value) for pk, value in old])
        last = old[-1][0]
        yield old


def _names(model, column: str) -> list[str]:
    """Return table, primary key and column as they stand in SQL."""
    words = (model._meta.db_table, model._meta.pk.column, column)
    return [connection.ops.quote_name(word) for word in words]


def _sealed_before(model, column: str, last) -> list:
    table, key, name = _names(model, column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {key}, {name} FROM {table}
            WHERE {key} > %s AND length({name}) > 0
                AND convert_from(substr({name}, 2, get_byte({name}, 0)), 'UTF8') <> %s
            ORDER BY {key} LIMIT %s""",
            [last, sealing.current_key_id(), BATCH],
        )
        return [(pk, bytes(value)) for pk, value in cursor.fetchall()]


def _write(model, column: str, values: list) -> None:
    table, key, name = _names(model, column)
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            f"""UPDATE {table} SET {name} = fresh.value FROM (VALUES %s) AS fresh (id, value, old)
            WHERE {table}.{key} = fresh.id AND {table}.{name} = fresh.old""",
            values,
            page_size=BATCH,
        )
