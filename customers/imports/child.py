"""Reads one table file and writes its cells as JSON lines; run as a process of its own, so that a hostile file kills only it.

    python -I child.py csv|xlsx [encoding] < file

The first line says {"encoding": …}, each further line is a row of texts. Exit code 3: the file cannot be read, with the
reason as the last line, {"fault": …}. Imports nothing of the application.
"""

import csv
import datetime
import io
import json
import resource
import sys

MEMORY = 1 << 30
SECONDS = 60
ROWS, COLUMNS, CELL = 50_001, 60, 2_000


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    kind, wish = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "")
    data = sys.stdin.buffer.read()
    try:
        encoding, rows = (_csv if kind == "csv" else _xlsx)(data, wish)
        sys.stdout.write(json.dumps({"encoding": encoding}) + "\n")
        for number, row in enumerate(rows):
            if number >= ROWS:
                return _fault("rows")
            while row and row[-1] == "":
                row.pop()
            if len(row) > COLUMNS:
                return _fault("columns")
            sys.stdout.write(json.dumps(row) + "\n")
    except MemoryError:
        return _fault("memory")
    except UnicodeError:
        return _fault("encoding")
    except Exception as error:  # whatever a library says of a broken file: told, and nothing else is done
        return _fault(f"broken: {type(error).__name__}")
    return 0


def _fault(word: str) -> int:
    sys.stdout.write(json.dumps({"fault": word}) + "\n")
    return 3


def _csv(data: bytes, wish: str):
    for encoding in [wish] if wish else ["utf-8-sig", "gb18030"]:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise UnicodeError
    head = text[:4000]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(CELL * 4)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return encoding, ([cell.strip()[:CELL] for cell in row] for row in rows)


def _xlsx(data: bytes, wish: str):
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    if sheet.total_width > 4 * COLUMNS or sheet.total_height > 4 * ROWS:
        raise MemoryError
    return "xlsx", ([_text(cell)[:CELL] for cell in row] for row in sheet.iter_rows())


def _text(cell) -> str:
    """Return a cell as text: whole numbers without a point, days as ISO dates; long numbers have lost digits: #number."""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        if abs(cell) >= 1e15:
            return "#number"
        return str(int(cell)) if cell == int(cell) else repr(cell)
    if isinstance(cell, int):
        return "#number" if abs(cell) >= 10**15 else str(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return str(cell).strip()


if __name__ == "__main__":
    sys.exit(main())
