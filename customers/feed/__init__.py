"""What the core banking system sends: read strictly, laid by COPY into staging, merged in one statement.

Every row carries a `sequence`; a lower one than was already taken is stale and changes nothing, so
that the same rows in any order give the same state (reliability.md §6). Rows outside the client's
branches are refused, row by row, and never say whether such a customer exists elsewhere.
"""

from customers.feed.balances import take_balances
from customers.feed.people import take_customers
from customers.feed.rows import BalanceRow, CustomerRow, Outcome, TransactionRow, read_rows
from customers.feed.transactions import take_transactions

__all__ = [
    "BalanceRow",
    "CustomerRow",
    "Outcome",
    "TransactionRow",
    "read_rows",
    "take_balances",
    "take_customers",
    "take_transactions",
]
