"""Assessments of the risk that a customer can bear, made at the counter or in the bank's app."""

from datetime import date

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from customers.feed import keyed
from customers.feed.keyed import OF_CUSTOMER, Column, Guard, Keyed
from customers.feed.rows import CustomerNo, Outcome, Row, day, key, whole

INTO = Keyed(
    table="customers_riskassessment",
    key=("external_id",),
    references=(OF_CUSTOMER,),
    columns=(Column("external_id", "text"), Column("grade", "smallint"), Column("assessed_on", "date")),
    guards=(
        Guard("date_out_of_range", "assessed_on", "s.assessed_on > current_date + 1", _("the day has not come yet.")),
    ),
)  # fmt: skip


class AssessmentRow(Row, kw_only=True):
    """One assessment; the newest of a customer decides what he may be offered."""

    external_id: key("your key of the assessment; unique in the bank", most=64, example="RA-2026-55102")
    customer_no: CustomerNo
    grade: whole(1, 5, "1–5 for C1–C5")
    assessed_on: day("day of the assessment; it holds for twelve months")


@transaction.atomic
def take_assessments(*, rows: dict[int, AssessmentRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge assessments by position in the batch; return what became of each. The newest stands on the customer at once."""
    outcomes = keyed.take(rows, into=INTO, by=by)
    taken = [rows[at].external_id for at, one in outcomes.items() if one.status in ("created", "updated")]
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [taken])
    return outcomes


# What the branch or the customer's own row said on a later day stays.
_NEWEST = """
UPDATE customers_customer c SET risk_grade = newest.grade, risk_assessed_on = newest.assessed_on, updated_at = now()
FROM (
    SELECT DISTINCT ON (a.customer_id) a.customer_id, a.grade, a.assessed_on
    FROM customers_riskassessment a
    WHERE a.customer_id IN (SELECT customer_id FROM customers_riskassessment WHERE external_id = ANY(%s))
    ORDER BY a.customer_id, a.assessed_on DESC, a.sequence DESC, a.id DESC
) newest
WHERE c.id = newest.customer_id AND (c.risk_assessed_on IS NULL OR c.risk_assessed_on <= newest.assessed_on)
  AND (c.risk_grade, c.risk_assessed_on) IS DISTINCT FROM (newest.grade, newest.assessed_on)
"""
