"""Reading a file of the branch in a child process with limits (reliability.md §5)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from staff.refusal import Refused

LARGEST = 10 * 1024 * 1024
ROWS, COLUMNS = 50_000, 60
PATIENCE = 70
"""Seconds; the child's own limit of 60 comes first."""

ENCODINGS = ("utf-8-sig", "gb18030")
CHILD = Path(__file__).with_name("child.py")


class Unreadable(Refused):
    """The file cannot be read; the message says why and what to do."""

    code = "unreadable_file"


@dataclass(frozen=True)
class Table:
    """The cells of a file: the heads of the first row, the rows beneath, and how it was decoded."""

    heads: list[str]
    rows: list[list[str]]
    encoding: str


def read(content: bytes, *, name: str, encoding: str = "") -> Table:
    """Return the table of a CSV or XLSX file.

    Args:
        name: by its ending the kind is told.
        encoding: of a CSV; without it UTF-8, then GB18030 are tried.

    Raises:
        Unreadable: another kind of file, too large, empty, broken, or no text of that encoding.
    """
    kind = name.lower().rpartition(".")[2]
    if kind not in ("csv", "xlsx"):
        raise Unreadable(_("Choose a CSV or XLSX file."))
    if len(content) > LARGEST:
        raise Unreadable(_("The file is larger than 10 MB; split it."))
    if encoding and encoding not in ENCODINGS:
        raise Unreadable(_("Choose an encoding from the list."))
    command = [sys.executable, "-I", str(CHILD), kind, encoding]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable(_("Reading the file took too long; save it anew and try again.")) from None
    lines = done.stdout.decode(errors="replace").splitlines()
    last = json.loads(lines[-1]) if lines and done.returncode in (0, 3) else {}
    if done.returncode != 0 or isinstance(last, dict) and "fault" in last:
        raise Unreadable(_faults(last.get("fault", "memory") if isinstance(last, dict) else "memory"))
    rows = [json.loads(line) for line in lines[1:]]
    while rows and not rows[0]:
        rows.pop(0)
    if len(rows) < 2:
        raise Unreadable(_("The file has no rows beneath its heads."))
    return Table(rows[0], rows[1:], json.loads(lines[0])["encoding"])


def _faults(word: str) -> str:
    known = {
        "rows": _("The file has more than %(most)s rows; split it.") % {"most": f"{ROWS:,}"},
        "columns": _("The file has more than %(most)s columns; take out those that are not needed.") % {"most": COLUMNS},
        "encoding": _("The text of the file cannot be decoded; choose the encoding, or save it as UTF-8."),
    }  # fmt: skip
    return known.get(word, _("The file is broken or too large inside; save it anew as XLSX or CSV and try again."))
