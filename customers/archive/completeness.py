"""How complete an archive is, and what to ask next (domain.md §11).

Each group of fields weighs; within a group every field counts alike. The same arithmetic stands once in Python and once
in SQL over whole units, so that both give the same whole percent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import lcm

from django.db import connection

from customers.archive.fields import FIELDS, LISTS, WEIGHTS, Field, Group, fields_of

COMPLETE_FROM = 80
"""An archive is called complete from this percent on."""

STALE_AFTER = timedelta(days=180)
"""A value older than this has to be confirmed."""

WHOLE = lcm(*(len(fields_of(group)) for group in Group))
"""Units of a percent: every group's number of fields divides it."""

UNITS = {field.code: WEIGHTS[field.group] * WHOLE // len(fields_of(field.group)) for field in FIELDS}
"""What a filled field adds, in units."""


def completeness(filled: Collection[str]) -> int:
    """Return the percent, rounded down, of an archive in which these fields are filled."""
    return sum(UNITS[code] for code in UNITS if code in filled) // WHOLE


@dataclass(frozen=True)
class Question:
    """What to ask the customer next: the field, why it is worth asking, and what it adds in percent."""

    field: Field
    is_stale: bool
    gain: int


def next_question(*, filled: Collection[str], stale: Collection[str] = ()) -> Question | None:
    """Return the most useful question: what adds most for the least effort; None where nothing is left to ask.

    A missing field is worth what it adds to completeness, an old one half of that, both divided by how hard it is to
    ask (`Field.ease`, 1 easy to 3 hard). Ties go to the order of the page.
    """
    best, most = None, Fraction(0)
    for field in FIELDS:
        if not field.question or (field.code in filled and field.code not in stale):
            continue
        is_stale = field.code in filled
        worth = Fraction(UNITS[field.code], field.ease * (2 if is_stale else 1))
        if worth > most:
            best, most = Question(field, is_stale, UNITS[field.code] // WHOLE), worth
    return best


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring Customer.archive_completeness of a branch up to date; return how many changed. `on` is the night's."""
    return _refresh("c.branch_id = %(key)s", branch_id)


def refresh_customer(*, customer_id: int) -> int:
    """Bring one customer's completeness up to date."""
    return _refresh("c.id = %(key)s", customer_id)


def refresh_customers(pks: list[int]) -> int:
    """Bring the completeness of several customers up to date."""
    return _refresh("c.id = ANY(%(key)s)", pks)


def _refresh(condition: str, key: int | list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT.format(condition=condition), {"key": key})
        return cursor.rowcount


def _units() -> str:
    """Return SQL that adds up the units of one customer `c`; field codes and columns are words of this house."""
    parts = []
    for field in FIELDS:
        if field.column:
            empty = f"c.{field.column} IS NULL" if field.column in _TYPED else f"c.{field.column} = ''"
            parts.append(f"CASE WHEN {empty} THEN 0 ELSE {UNITS[field.code]} END")
    single = [field for field in FIELDS if not field.column and field.code not in LISTS]
    known = ", ".join(f"('{field.code}', {UNITS[field.code]})" for field in single)
    parts.append(
        "(SELECT coalesce(sum(known.units), 0) FROM customers_profilevalue v"
        f" JOIN (VALUES {known}) AS known (field, units) ON known.field = v.field"
        " WHERE v.customer_id = c.id AND v.ended_at IS NULL)"
    )
    for code, where in _ROWS.items():
        parts.append(f"CASE WHEN EXISTS (SELECT FROM {where}) THEN {UNITS[code]} ELSE 0 END")
    return " + ".join(parts)


_TYPED = {"birth_date", "risk_grade", "risk_assessed_on"}
"""Columns of Customer that are empty when NULL; the others when they are an empty text."""

_ROWS = {
    "family_members": "customers_relation r WHERE (r.customer_id = c.id OR r.relative_id = c.id) AND r.ended_at IS NULL"
    " AND r.kind IN ('spouse', 'child', 'parent', 'family')",
    "external_assets": "customers_externalasset r WHERE r.customer_id = c.id AND r.ended_at IS NULL",
    "hobbies": "customers_hobby r WHERE r.customer_id = c.id AND r.ended_at IS NULL",
    "resource_needs": "customers_resource r WHERE r.customer_id = c.id AND r.ended_at IS NULL AND r.direction = 'need'",
    "consents": "customers_consentrecord r WHERE r.customer_id = c.id",
}

_STATEMENT = f"""
UPDATE customers_customer c SET archive_completeness = found.percent
FROM (SELECT c.id, ({_units()}) / {WHOLE} AS percent FROM customers_customer c WHERE {{condition}}) found
WHERE found.id = c.id AND c.archive_completeness <> found.percent
"""
