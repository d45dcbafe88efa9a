"""The shape of feed rows, and reading them with every error named by its place."""

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

MONEY = r"^\d{1,16}(\.\d{1,2})?$"
PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""A text without control characters."""


def money(said: str) -> Any:
    """Return the type of yuan as a decimal string, two digits at most after the point, not negative."""
    return Annotated[str, Meta(pattern=MONEY, description=said, examples=["125000.00"])]


def key(said: str, *, most: int = 32, example: str = "") -> Any:
    """Return the type of a code of visible ASCII characters."""
    examples = [example] if example else None
    return Annotated[
        str, Meta(min_length=1, max_length=most, pattern=r"^[\x21-\x7e]+$", description=said, examples=examples)
    ]


def text(most: int, said: str = "", *, least: int = 0, example: str = "") -> Any:
    """Return the type of a text of so many characters, without control characters."""
    examples = [example] if example else None
    return Annotated[
        str, Meta(min_length=least, max_length=most, pattern=PLAIN, description=said or None, examples=examples)
    ]


def day(said: str) -> Any:
    return Annotated[date, Meta(description=said, examples=["2026-11-26"])]


def whole(low: int, high: int, said: str) -> Any:
    return Annotated[int, Meta(ge=low, le=high, description=said, examples=[low + 1])]


class Row(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every row of a feed carries."""

    row_id: key("your name for the row, given back in the answer", example="r-1")
    sequence: whole(0, 2**63 - 1, "version of the row; a lower one than was taken is stale")


CustomerNo = key("number of the customer in the core system", example="620000001")


@dataclass
class Outcome:
    """What became of one row: created, updated, unchanged, stale or rejected (with code, place, words)."""

    row_id: str
    status: str
    code: str = ""
    pointer: str = ""
    detail: str = ""

    def as_json(self) -> dict:
        """Return the fields that say something."""
        return {name: value for name, value in asdict(self).items() if value or name in ("row_id", "status")}


def rejected(position: int, row: Any, code: str, field: str, problem: str) -> Outcome:
    """Return the refusal of a row, with the place of the field and what to do in words."""
    return Outcome(
        row_id=row.row_id,
        status="rejected",
        code=code,
        pointer=f"/rows/{position}/{field}",
        detail=_("Row %(row)d: %(problem)s") % {"row": position + 1, "problem": problem},
    )


def read_rows(rows: list, shape: type[msgspec.Struct], *, start: int = 0) -> tuple[dict[int, Any], dict[int, Outcome]]:
    """Read rows into structs; return those that fit and the outcomes of those that do not, both by position from `start`."""
    try:
        return dict(enumerate(msgspec.convert(rows, list[shape]), start)), {}
    except msgspec.ValidationError:
        pass  # at least one row does not fit: find out which, and say where
    good, bad = {}, {}
    for position, row in enumerate(rows, start):
        try:
            good[position] = msgspec.convert(row, shape)
        except msgspec.ValidationError as error:
            bad[position] = _misread(position, row, str(error))
    return good, bad


def _misread(position: int, row: Any, message: str) -> Outcome:
    place = re.search(r"- at `\$\.?([^`]*)`$", message)
    named = re.search(r"(?:unknown|required) field `([^`]+)`", message)
    field = (place.group(1) if place else "") or (named.group(1) if named else "")
    row_id = row.get("row_id") if isinstance(row, dict) else None
    return Outcome(
        row_id=row_id if isinstance(row_id, str) else "",
        status="rejected",
        code="unknown_field" if "unknown field" in message else "invalid",
        pointer=f"/rows/{position}" + (f"/{field}" if field else ""),
        detail=_("Row %(row)d: %(problem)s") % {"row": position + 1, "problem": message.split(" - at ")[0]},
    )
