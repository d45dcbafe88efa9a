"""Transaction events from the core banking system: money in and out, pay with its organisation, cards, visits."""

from datetime import date
from typing import Literal

from customers.feed import keyed
from customers.feed.days import dated
from customers.feed.keyed import OF_CUSTOMER, Column, Keyed
from customers.feed.rows import CustomerNo, Outcome, Row, day, key, money, text

INTO = Keyed(
    table="customers_transactionevent",
    key=("external_id",),
    references=(OF_CUSTOMER,),
    columns=(
        Column("external_id", "text"), Column("kind", "text"), Column("data_date", "date"),
        Column("amount", "numeric(18,2)"), Column("counterparty_type", "text"), Column("channel", "text"),
        Column("organisation", "text"),
    ),
)  # fmt: skip


class TransactionRow(Row, kw_only=True):
    """One event of a customer; a payroll batch is its rows of the kind payroll, with their organisation."""

    external_id: key("your key of the event; unique in the bank", most=64, example="TX-20261126-000017")
    customer_no: CustomerNo
    kind: Literal[
        "inflow", "outflow", "purchase", "redeem", "payroll", "card_spend", "card_issue", "card_cancel",
        "loan_repay", "counter_visit", "login",
    ]  # fmt: skip
    data_date: day("of the event; as_of where it is left out") | None = None
    amount: money("yuan; 0 for what moves no money") = "0"
    counterparty_type: Literal["own_bank", "other_bank", "corporate", ""] = ""
    channel: text(20, "counter, mobile, atm …") = ""
    organisation: text(80, "who pays, for the kind payroll", example="澜江市第一中学") = ""


def take_transactions(*, rows: dict[int, TransactionRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge transaction events by position in the batch; return what became of each.

    Args:
        rows: from `read_rows`, keyed by position.
        as_of: the data date of rows that name none.
        by: the API client; customers outside its branches are rejected as unknown.
    """
    good, outcomes = dated(rows, as_of=as_of)
    return outcomes | keyed.take(good, into=INTO, by=by)
