"""COPY of rows into a temporary table."""

import io
import re
from collections.abc import Iterable

from django.db import connection

_NEEDS_CARE = frozenset({type(None), bytes, memoryview})
_SPECIAL = re.compile(r"[\\\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_into(table: str, columns: Iterable[str], rows: Iterable[tuple]) -> None:
    """Lay rows into a table by COPY; None is NULL, bytes are bytea."""
    buffer = io.StringIO()
    for row in rows:
        buffer.write(_line(row))
    buffer.seek(0)
    with connection.cursor() as cursor:
        cursor.cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", buffer)


def _line(row: tuple) -> str:
    """Return a row as COPY reads it; one of plain words and numbers, as most are, is not looked at value by value."""
    if not _NEEDS_CARE.intersection(map(type, row)):
        line = "\t".join([value if type(value) is str else str(value) for value in row])
        if line.count("\t") == len(row) - 1 and not _SPECIAL.search(line):
            return line + "\n"
    return "\t".join(map(_text, row)) + "\n"


def _text(value) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bytes | memoryview):
        return "\\\\x" + bytes(value).hex()
    return str(value).translate(_ESCAPES)
