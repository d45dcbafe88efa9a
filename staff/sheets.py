"""Files that people open in a spreadsheet: what in a cell would be taken for a formula is written as text."""

import csv
import io
from collections.abc import Iterable

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def cell(value):
    """Return a value as a cell may carry it: text that begins like a formula gets an apostrophe; numbers stay."""
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return f"'{value}"
    return "" if value is None else value


def csv_bytes(rows: Iterable[Iterable]) -> bytes:
    """Write rows as CSV in UTF-8 with a BOM, which spreadsheets of Chinese offices ask for."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return text.getvalue().encode("utf-8-sig")
