"""What contacts cost the bank: the service cost of a customer's value (domain.md §13)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from customers.standing import set_service_cost

COSTS: Mapping[str, Decimal] = {"phone": Decimal(10), "meeting": Decimal(100), "message": Decimal("0.1")}
"""Yuan a contact, by what the regime counts it as; assumptions that finance sets."""


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring what contacts of the last 12 months cost up to a day for an outlet's customers; return how many changed."""
    return set_service_cost(select=_COST, params={"branch": branch_id, "on": on, **COSTS})


_COST = """
SELECT c.id AS customer_id, coalesce(sum(
    CASE log.counts_as WHEN 'phone' THEN %(phone)s WHEN 'meeting' THEN %(meeting)s WHEN 'message' THEN %(message)s END
), 0)::numeric(18, 2) AS service_cost
FROM customers_customer c
LEFT JOIN contacts_contactlog log ON log.customer_id = c.id AND log.voided_at IS NULL
    AND log."on" > %(on)s::date - interval '12 months' AND log."on" <= %(on)s
WHERE c.branch_id = %(branch)s
GROUP BY c.id
"""
