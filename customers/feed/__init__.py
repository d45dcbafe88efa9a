"""What the core banking system sends: read strictly, laid by COPY into staging, merged in one statement.

Every row carries a `sequence`; a lower one than was already taken is stale and changes nothing, so
that the same rows in any order give the same state (reliability.md §6). Rows outside the client's
branches are refused, row by row, and never say whether such a customer exists elsewhere.
"""

from dataclasses import dataclass
from typing import Any

from customers.feed.assessments import AssessmentRow, take_assessments
from customers.feed.balances import BalanceRow, take_balances
from customers.feed.institutions import OutletRow, StaffRow, take_outlets, take_staff
from customers.feed.people import CustomerRow, take_customers
from customers.feed.portfolio import (
    HoldingRow,
    ProductRow,
    ProductValueRow,
    take_holdings,
    take_product_values,
    take_products,
)
from customers.feed.rows import Outcome, read_rows
from customers.feed.transactions import TransactionRow, take_transactions


@dataclass(frozen=True)
class Feed:
    """One kind of row that comes in: its shape, the verb that merges it, the scope it takes, and the keys that name one.

    `name` is the address: `/api/v1/holdings:batch`. `what` says in English what it is.
    """

    name: str
    what: str
    row: type
    take: Any
    scope: str
    keys: tuple[str, ...]


FEEDS = {
    feed.name: feed
    for feed in (
        Feed("customers", "customers", CustomerRow, take_customers, "customers:write", ("customer_no",)),
        Feed("assets", "daily balances", BalanceRow, take_balances, "assets:write", ("customer_no", "data_date")),
        Feed("transactions", "transaction events", TransactionRow, take_transactions, "assets:write", ("external_id",)),
        Feed("holdings", "holdings", HoldingRow, take_holdings, "holdings:write", ("external_id",)),
        Feed("products", "products", ProductRow, take_products, "products:write", ("code",)),
        Feed(
            "product-values",
            "net values",
            ProductValueRow,
            take_product_values,
            "products:write",
            ("product", "data_date"),
        ),
        Feed(
            "risk-assessments", "risk assessments", AssessmentRow, take_assessments, "customers:write", ("external_id",)
        ),
        Feed("outlets", "institutions", OutletRow, take_outlets, "staff:write", ("code",)),
        Feed("staff", "members of staff", StaffRow, take_staff, "staff:write", ("staff_no",)),
    )
}
"""What comes in, by name."""

__all__ = [
    "FEEDS",
    "AssessmentRow",
    "BalanceRow",
    "CustomerRow",
    "Feed",
    "HoldingRow",
    "Outcome",
    "OutletRow",
    "ProductRow",
    "ProductValueRow",
    "StaffRow",
    "TransactionRow",
    "read_rows",
    "take_assessments",
    "take_balances",
    "take_customers",
    "take_holdings",
    "take_outlets",
    "take_product_values",
    "take_products",
    "take_staff",
    "take_transactions",
]
