"""The shape of feed rows, and reading them with every error named by its place."""

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext as _

Money = Annotated[str, msgspec.Meta(pattern=r"^\d{1,16}(\.\d{1,2})?$")]
"""Yuan as a decimal string, two digits at most after the point, not negative."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"^[\x21-\x7e]+$")]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


def text(most: int) -> Any:
    """Return the type of a text of at most that many characters, without control characters."""
    return Annotated[str, msgspec.Meta(max_length=most, pattern=r"^[^\x00-\x1f\x7f]*$")]


class CustomerRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One customer of `POST /api/v1/customers:batch`."""

    row_id: Key
    customer_no: Key
    sequence: Sequence
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    branch: Key
    gender: Literal["m", "f", ""] = ""
    birth_date: date | None = None
    id_no: text(32) = ""
    mobile: text(20) = ""
    address: text(200) = ""
    occupation: text(60) = ""
    employer: text(80) = ""
    opened_on: date | None = None
    signed_on: date | None = None
    service_tier: Literal["general", "gold", "platinum", "diamond"] = "general"
    risk_grade: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None
    risk_assessed_on: date | None = None


class BalanceRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One customer's end-of-day balances of `POST /api/v1/assets:batch`; what is left out is 0."""

    row_id: Key
    customer_no: Key
    sequence: Sequence
    data_date: date | None = None
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


class TransactionRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One event of `POST /api/v1/transactions:batch`; `external_id` is the core system's key of it."""

    row_id: Key
    customer_no: Key
    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]
    sequence: Sequence
    kind: Literal[
        "inflow", "outflow", "purchase", "redeem", "payroll", "card_spend", "card_issue", "card_cancel",
        "loan_repay", "counter_visit", "login",
    ]  # fmt: skip
    data_date: date | None = None
    amount: Money = "0"
    counterparty_type: Literal["own_bank", "other_bank", "corporate", ""] = ""
    channel: text(20) = ""


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


def read_rows(rows: list, shape: type[msgspec.Struct]) -> tuple[dict[int, Any], dict[int, Outcome]]:
    """Read rows into structs; return those that fit and the outcomes of those that do not, both by position."""
    try:
        return dict(enumerate(msgspec.convert(rows, list[shape]))), {}
    except msgspec.ValidationError:
        pass  # at least one row does not fit: find out which, and say where
    good, bad = {}, {}
    for position, row in enumerate(rows):
        try:
            good[position] = msgspec.convert(row, shape)
        except msgspec.ValidationError as error:
            bad[position] = _rejection(position, row, str(error))
    return good, bad


def _rejection(position: int, row: Any, message: str) -> Outcome:
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
