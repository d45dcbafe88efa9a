"""COPY into PostgreSQL: text for rows of Python values, binary for columns of numbers straight from numpy."""

import io
from datetime import date

import numpy as np
from django.db import connection
from psycopg2.extensions import QuotedString, quote_ident

EPOCH = date(2000, 1, 1)
HEAD = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TAIL = b"\xff\xff"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
BIGINT = 20
"""The type of bigint in PostgreSQL's catalogue."""

CHUNK = 200_000
"""Rows of one binary message, so that memory stays flat."""


def copy_rows(model, columns, rows) -> int:
    """COPY rows of Python values into a model's table; columns that are not named get the model's defaults.

    Values are None, bool, bytes, lists of text, and whatever str() writes as PostgreSQL reads it.
    """
    defaults = defaults_beside(model, columns)
    rest = "".join(f"\t{written(value)}" for value in defaults.values()) + "\n"
    buffer, count = io.StringIO(), 0
    for row in rows:
        buffer.write("\t".join(map(written, row)))
        buffer.write(rest)
        count += 1
    buffer.seek(0)
    _copy(model._meta.db_table, [*columns, *defaults], buffer, "text")
    return count


def defaults_beside(model, columns) -> dict:
    """Return {column: default} of what a model fills in itself, the database does not, and `columns` leave out."""
    return {
        field.column: field.get_default()
        for field in model._meta.concrete_fields
        if field.column not in columns
        and not (field.primary_key or field.null or field.generated or field.has_db_default())
    }


def written(value) -> str:
    """Return a value in the text format of COPY."""
    if value is None:
        return "\\N"
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, list):
        items = ",".join('"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
        return ("{" + items + "}").translate(ESCAPES)
    return str(value).translate(ESCAPES)


def money(cents: int) -> str:
    """Return whole cents as yuan with two digits."""
    cents = int(cents)
    return f"{cents // 100}.{cents % 100:02d}"


def copy_numbers(model, columns: dict) -> int:
    """COPY equal-length arrays: int64 as `bigint`, int16 as `smallint`, datetime64 as date, ("cents", array) as numeric.

    Args:
        columns: {name: array, ("cents", array of int64), or ("bigints", (n, width) array of int64) for `bigint[]`}.
    """
    names = list(columns)
    arrays = [column if isinstance(column, tuple) else ("plain", column) for column in columns.values()]
    total = len(arrays[0][1])
    for start in range(0, total, CHUNK):
        part = [(kind, array[start : start + CHUNK]) for kind, array in arrays]
        body = _binary(part)
        _copy(model._meta.db_table, names, io.BytesIO(HEAD + body + TAIL), "binary")
    return total


def _binary(arrays) -> bytes:
    """Return rows in the binary format of COPY: a count of fields, then length and value of each, big-endian."""
    fields, encoded = [("fields", ">i2")], {}
    for number, (kind, array) in enumerate(arrays):
        if kind == "cents":
            values = _numeric(array)
            fields += [(f"l{number}", ">i4"), (f"v{number}", ">i2", (8,))]
            width = 16
        elif kind == "bigints":
            values = _bigints(array)
            width = values.dtype.itemsize
            fields += [(f"l{number}", ">i4"), (f"v{number}", values.dtype)]
        else:
            values = (array - np.datetime64(EPOCH)).astype(np.int32) if array.dtype.kind == "M" else array
            width = values.dtype.itemsize
            fields += [(f"l{number}", ">i4"), (f"v{number}", f">i{width}")]
        encoded[f"l{number}"], encoded[f"v{number}"] = width, values
    rows = np.empty(len(arrays[0][1]), np.dtype(fields))
    rows["fields"] = len(arrays)
    for name, values in encoded.items():
        rows[name] = values
    return rows.tobytes()


def _bigints(rows) -> np.ndarray:
    """Return each row as PostgreSQL's binary array: dimensions, no nulls, the type, length and first index, items."""
    width = rows.shape[1]
    head = [(name, ">i4") for name in ("dimensions", "nulls", "type", "length", "first")]
    item = np.dtype([("size", ">i4"), ("value", ">i8")])
    values = np.empty(len(rows), np.dtype([*head, ("items", item, (width,))]))
    values["dimensions"], values["nulls"], values["type"] = 1, 0, BIGINT
    values["length"], values["first"] = width, 1
    values["items"]["size"], values["items"]["value"] = 8, rows
    return values


def _numeric(cents) -> np.ndarray:
    """Return (n, 8) int16: digits, weight, sign and scale, then four digits of base 10,000; PostgreSQL trims zeroes."""
    yuan, rest = np.divmod(cents, 100)
    words = np.zeros((len(cents), 8), np.int16)
    words[:, 0], words[:, 1], words[:, 3] = 4, 2, 2
    words[:, 4] = yuan // 10**8
    words[:, 5] = yuan // 10**4 % 10**4
    words[:, 6] = yuan % 10**4
    words[:, 7] = rest * 100
    return words


def _copy(table: str, columns, stream, form: str):
    with connection.cursor() as cursor:
        raw = cursor.connection
        listed = ", ".join(quote_ident(name, raw) for name in columns)
        statement = (
            f"COPY {quote_ident(table, raw)} ({listed}) FROM STDIN (FORMAT {QuotedString(form).getquoted().decode()})"
        )
        cursor.cursor.copy_expert(statement, stream)


def reserve(model, count: int) -> int:
    """Return the first of `count` fresh keys of a model's table and move its sequence past them."""
    with connection.cursor() as cursor:
        table = model._meta.db_table
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, model._meta.pk.column])
        sequence = cursor.fetchone()[0]
        cursor.execute("SELECT nextval(%s)", [sequence])
        first = cursor.fetchone()[0]
        cursor.execute("SELECT setval(%s, %s)", [sequence, first + count])
        return first
