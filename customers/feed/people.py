"""Customers from the core banking system."""

from datetime import date
from typing import Literal

import msgspec
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.feed.rows import CustomerNo, Outcome, Row, day, key, rejected, text, whole
from customers.feed.staging import copy_into
from customers.identity import sealed_columns
from customers.models import Tier
from customers.names import pinyin_of
from staff.models import Branch
from staff.sealing import blind_index


class CustomerRow(Row, kw_only=True):
    """One customer as the core system knows him."""

    customer_no: CustomerNo
    name: text(80, least=1, example="沈雅琴")
    branch: key("code of the outlet, within the client's branches", example="BJ01")
    gender: Literal["m", "f", ""] = ""
    birth_date: day("a date, no time zone") | None = None
    id_no: text(32, "kept sealed, shown masked") = ""
    mobile: text(20, "kept sealed, shown masked") = ""
    address: text(200, "kept sealed, shown to its road") = ""
    occupation: text(60) = ""
    employer: text(80) = ""
    opened_on: day("when the first account was opened") | None = None
    signed_on: day("when the card was signed; a card above general needs it") | None = None
    service_tier: Literal["general", "gold", "platinum", "diamond"] = "general"
    risk_grade: whole(1, 5, "1–5 for C1–C5") | None = None
    risk_assessed_on: day("day of that grade") | None = None


_SENT = (
    "name",
    "pinyin",
    "gender",
    "birth_date",
    "id_no",
    "id_no_masked",
    "id_no_hash",
    "mobile",
    "mobile_masked",
    "mobile_hash",
    "mobile_last4",
    "address",
    "address_masked",
    "building_hash",
    "occupation",
    "employer",
    "opened_on",
    "risk_grade",
    "risk_assessed_on",
)
"""Columns that a feed row decides; the outlet only at first (a move is an approved transfer), tier and signing below."""

NEWCOMERS_LOCK = 7_201_126
"""The advisory lock under which batches make new customers."""

_STAGED = ("position", "customer_no", "branch_id", "sequence", "fingerprint", "signed_on", "service_tier", *_SENT)


@transaction.atomic
def take_customers(*, rows: dict[int, CustomerRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge customers by position in the batch; return what became of each.

    A customer unknown to us begins as general unless the row reports a signed card. A signing or a
    higher card is recorded as an upgrade as of `as_of`; a card is never lowered here (rating does).

    Args:
        rows: from `read_rows`, keyed by position.
        by: the API client; an outlet outside its branches is rejected.
    """
    branches = dict(Branch.objects.under(by.branch_id).filter(active=True).values_list("code", "id"))
    outcomes, good = {}, {}
    for position, row in rows.items():
        problem = _problem(position, row, branches)
        if problem:
            outcomes[position] = problem
        else:
            good[position] = row
    if not good:
        return outcomes
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        copy_into("staged_customer", _STAGED, (_staged(at, row, branches) for at, row in good.items()))
        # Outlets first, as every assignment verb does, then customers in key order: no deadlock.
        cursor.execute(
            "SELECT 1 FROM staff_branch WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [sorted({branches[row.branch] for row in good.values()})],
        )
        cursor.execute(_ONE_AT_A_TIME, [NEWCOMERS_LOCK])
        cursor.execute(
            "SELECT 1 FROM customers_customer WHERE customer_no IN (SELECT customer_no FROM staged_customer)"
            " ORDER BY id FOR NO KEY UPDATE"
        )
        cursor.execute(_STATUS, {"seen": sorted(branches.values())})
        statuses = cursor.fetchall()
        cursor.execute(_UPGRADES, {"as_of": as_of})
        cursor.execute(_UPDATE)
        cursor.execute(_INSERT)
        cursor.execute("DROP TABLE staged_customer")
    return outcomes | {position: _outcome(position, good[position], status) for position, status in statuses}


def _problem(position: int, row: CustomerRow, branches: dict) -> Outcome | None:
    if row.branch not in branches:
        return rejected(position, row, "unknown_branch", "branch", _("no such outlet within the client's branches."))
    if row.service_tier != "general" and row.signed_on is None:
        return rejected(position, row, "unsigned_card", "signed_on", _("a card needs the date of signing."))
    if row.opened_on and row.signed_on and row.signed_on < row.opened_on:
        return rejected(position, row, "dates_out_of_order", "signed_on", _("the signing lies before the opening."))
    return None


def _staged(position: int, row: CustomerRow, branches: dict) -> tuple:
    said = msgspec.structs.asdict(row)
    said.pop("row_id"), said.pop("sequence")
    values = {
        "name": row.name,
        "pinyin": pinyin_of(row.name),
        "gender": row.gender,
        "birth_date": row.birth_date,
        **sealed_columns(id_no=row.id_no, mobile=row.mobile, address=row.address),
        "occupation": row.occupation,
        "employer": row.employer,
        "opened_on": row.opened_on,
        "risk_grade": row.risk_grade,
        "risk_assessed_on": row.risk_assessed_on,
    }
    return (
        position,
        row.customer_no,
        branches[row.branch],
        row.sequence,
        blind_index(msgspec.json.encode(said).decode()),
        row.signed_on,
        int(Tier.from_code(row.service_tier)),
        *(values[column] for column in _SENT),
    )


def _outcome(position: int, row: CustomerRow, status: str) -> Outcome:
    if status == "elsewhere":
        words = _("this number belongs to a branch that the client may not write.")
        return rejected(position, row, "customer_elsewhere", "customer_no", words)
    if status == "merged":
        words = _("this number was merged into another; send the one that stayed.")
        return rejected(position, row, "customer_merged", "customer_no", words)
    if status == "stale":
        return Outcome(
            row_id=row.row_id, status="stale", code="older_sequence",
            detail=_("Row %(row)d: a newer version of this customer has been taken.") % {"row": position + 1},
        )  # fmt: skip
    return Outcome(row_id=row.row_id, status=status)


_STAGING = """
CREATE TEMP TABLE staged_customer (
    position integer PRIMARY KEY, customer_no text, branch_id bigint, sequence bigint, fingerprint text,
    signed_on date, service_tier smallint, name text, pinyin text, gender text, birth_date date,
    id_no bytea, id_no_masked text, id_no_hash text, mobile bytea, mobile_masked text, mobile_hash text,
    mobile_last4 text, address bytea,
    address_masked text, building_hash text, occupation text, employer text, opened_on date, risk_grade smallint, risk_assessed_on date,
    wins boolean DEFAULT false
) ON COMMIT DROP
"""

# Two outlets may be sent the same new customer at once: the second batch waits, and finds him made.
_ONE_AT_A_TIME = """
SELECT pg_advisory_xact_lock(%s) WHERE EXISTS (
    SELECT FROM staged_customer s
    WHERE NOT EXISTS (SELECT FROM customers_customer kept WHERE kept.customer_no = s.customer_no))
"""

_STATUS = """
WITH judged AS (
    SELECT s.position, CASE
        WHEN kept.branch_id IS NOT NULL AND NOT kept.branch_id = ANY(%(seen)s) THEN 'elsewhere'
        WHEN kept.merged_into_id IS NOT NULL THEN 'merged'
        WHEN s.sequence < kept.source_sequence THEN 'stale'
        WHEN lead(s.position) OVER (PARTITION BY s.customer_no ORDER BY s.sequence, s.position) IS NOT NULL
            THEN 'stale'
        WHEN kept.id IS NULL THEN 'created'
        WHEN s.fingerprint = kept.source_fingerprint THEN 'unchanged'
        WHEN s.sequence = kept.source_sequence THEN 'stale'
        ELSE 'updated' END AS status
    FROM staged_customer s LEFT JOIN customers_customer kept ON kept.customer_no = s.customer_no
)
UPDATE staged_customer s SET wins = judged.status IN ('created', 'updated', 'unchanged')
FROM judged WHERE judged.position = s.position
RETURNING s.position, judged.status
"""

_UPGRADES = """
INSERT INTO customers_tierchange (customer_id, "on", kind, from_tier, to_tier, month_avg)
SELECT kept.id, %(as_of)s, 'up', kept.service_tier, s.service_tier, kept.month_avg
FROM staged_customer s JOIN customers_customer kept ON kept.customer_no = s.customer_no
WHERE s.wins AND s.service_tier > kept.service_tier
ON CONFLICT (customer_id, "on", kind) DO NOTHING
"""

_UPDATE = f"""
UPDATE customers_customer kept SET
    {", ".join(f"{column} = s.{column}" for column in _SENT)},
    service_tier = greatest(kept.service_tier, s.service_tier),
    signed_on = coalesce(kept.signed_on, s.signed_on),
    relation_status = CASE WHEN s.signed_on IS NOT NULL AND kept.relation_status IN ('none', 'potential')
        THEN 'signed' ELSE kept.relation_status END,
    source_sequence = s.sequence, source_fingerprint = s.fingerprint, updated_at = now()
FROM staged_customer s
WHERE s.wins AND kept.customer_no = s.customer_no AND kept.source_sequence < s.sequence
"""

_INSERT = f"""
INSERT INTO customers_customer (customer_no, branch_id, source_sequence, source_fingerprint, signed_on, service_tier,
    asset_tier, relation_status, lunar_birthday, tags, needs, low_disturb, special_care, tier_state,
    months_below_floor, is_private_banking, aum, month_avg, year_avg, data_gap, product_marks, contact_state,
    contact_phones, contact_meetings, contact_count, missed_last_window, {", ".join(_SENT)})
SELECT s.customer_no, s.branch_id, s.sequence, s.fingerprint, s.signed_on, s.service_tier,
    0, CASE WHEN s.signed_on IS NULL THEN 'none' ELSE 'signed' END, '', '{{}}', '', false, '', 'normal',
    0, false, 0, 0, 0, false, '', 'open', 0, 0, 0, false, {", ".join(f"s.{column}" for column in _SENT)}
FROM staged_customer s
WHERE s.wins AND NOT EXISTS (SELECT FROM customers_customer kept WHERE kept.customer_no = s.customer_no)
"""
