"""The real Czech bank of PKDD'99: reading its files and making end-of-day balances of its transactions. Pure.

Rows of a day are in true order by `seq` only; balances reconcile in that order and no other. The visible
transactions are two parts: 1993 of the accounts that existed then, and 1995–97 of accounts that later
took a loan. Between them nothing is known, so nothing is fed.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

PREFIX = "CZ"
FILES = ("account.csv", "client.csv", "disp.csv", "district.csv", "loan.csv", "transactions.csv.xz")
QUANTILES = {"gold": 0.50, "platinum": 0.85, "diamond": 0.96}
"""Where this bank's tiers begin among its month averages; 0.50 is about the 30,000 CZK of its reference problem."""

ROUND_TO = 1000


class FilesMissing(Exception):
    """The folder does not hold the bank's files."""


@dataclass(frozen=True)
class Bank:
    """The files as tables; `transactions` in true order."""

    accounts: pd.DataFrame
    districts: pd.DataFrame
    loans: pd.DataFrame
    transactions: pd.DataFrame


def read_bank(folder: Path) -> Bank:
    """Read the bank; every account comes with its owner's sex and birth date.

    Raises:
        FilesMissing: a file is not there.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FilesMissing(f"{folder} lacks {', '.join(missing)}.")
    accounts = pd.read_csv(folder / "account.csv", parse_dates=["date"])
    owners = pd.read_csv(folder / "disp.csv").query("type == 'OWNER'")[["account_id", "client_id"]]
    clients = pd.read_csv(folder / "client.csv", parse_dates=["birth_date"])[["client_id", "gender", "birth_date"]]
    accounts = accounts.merge(owners, on="account_id").merge(clients, on="client_id")
    districts = pd.read_csv(folder / "district.csv").rename(columns={"A1": "district_id", "A2": "name", "A3": "region"})
    transactions = pd.read_csv(folder / "transactions.csv.xz", parse_dates=["date"], low_memory=False)
    return Bank(
        accounts=accounts,
        districts=districts[["district_id", "name", "region"]],
        loans=pd.read_csv(folder / "loan.csv", parse_dates=["date"]),
        transactions=transactions.sort_values(["account_id", "seq"], kind="stable"),
    )


def daily_balances(transactions: pd.DataFrame, *, first: date, through: date) -> pd.DataFrame:
    """Return (account_id, date, balance) for every day of every account's visible history within [first, through].

    A day's balance is that after its last transaction by `seq`; days without one carry the last forward. A
    history goes from its first transaction to the end of the month of its last, that of 1993 to the end of the year.
    """
    last_of_day = transactions.groupby(["part", "account_id", "date"], sort=True)["balance"].last()
    histories = []
    for (part, account), balances in last_of_day.groupby(level=[0, 1]):
        days = balances.droplevel([0, 1])
        ends = pd.Timestamp(1993, 12, 31) if part.startswith("A") else days.index.max() + pd.offsets.MonthEnd(0)
        calendar = pd.date_range(days.index.min(), min(ends, pd.Timestamp(through)), name="date")
        if len(calendar):
            filled = days.reindex(calendar).ffill().reset_index()
            histories.append(filled.assign(account_id=account))
    if not histories:
        return pd.DataFrame({"date": [], "balance": [], "account_id": []})
    rows = pd.concat(histories, ignore_index=True)
    return rows[rows["date"] >= pd.Timestamp(first)].sort_values(["date", "account_id"], kind="stable")


def with_loans(balances: pd.DataFrame, loans: pd.DataFrame) -> pd.DataFrame:
    """Add `demand` (the balance, 0 at the least) and `loan`: overdraft and what is left of loans, paid off evenly."""
    rows = balances.merge(
        loans[["account_id", "date", "amount", "duration"]].rename(columns={"date": "lent_on"}),
        how="left",
        on="account_id",
    )
    months = (rows["date"].dt.year - rows["lent_on"].dt.year) * 12 + rows["date"].dt.month - rows["lent_on"].dt.month
    left = rows["amount"] * (1 - (months / rows["duration"]).clip(0, 1))
    owed = left.where(rows["date"] >= rows["lent_on"], 0).fillna(0)
    return rows.assign(demand=rows["balance"].clip(lower=0), loan=owed + (-rows["balance"]).clip(lower=0))[
        ["account_id", "date", "demand", "loan"]
    ]


def month_averages(balances: pd.DataFrame) -> pd.Series:
    """Return each account's average of each month over the days that are known."""
    return balances.groupby(["account_id", balances["date"].dt.to_period("M")])["demand"].mean()


def tier_floors(averages: pd.Series) -> dict[str, Decimal]:
    """Return the floors of gold, platinum and diamond at the bank's own quantiles, in whole thousands."""
    return {tier: Decimal(round(averages.quantile(share) / ROUND_TO) * ROUND_TO) for tier, share in QUANTILES.items()}


def customer_no(account_id: int) -> str:
    return f"{PREFIX}-{account_id}"


def branch_code(district_id: int) -> str:
    return f"{PREFIX}-{district_id:02d}"


def amount(value: float) -> str:
    """Return an amount as the API takes it: a decimal string with two digits."""
    return str(Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def customer_row(account, *, sequence: int = 1) -> dict:
    """Return the feed row of an account; the bank's customers are anonymous, so the name is the client's number."""
    number = customer_no(account.account_id)
    return {
        "row_id": number,
        "customer_no": number,
        "sequence": sequence,
        "name": f"Klient {account.client_id}",
        "branch": branch_code(account.district_id),
        "gender": account.gender.lower(),
        "birth_date": account.birth_date.date().isoformat(),
        "opened_on": account.date.date().isoformat(),
    }


def balance_row(row) -> dict:
    """Return the feed row of one account's day."""
    number = customer_no(row.account_id)
    day = row.date.date().isoformat()
    return {
        "row_id": f"{number}/{day}",
        "customer_no": number,
        "sequence": 1,
        "data_date": day,
        "demand": amount(row.demand),
        "loan_balance": amount(row.loan),
    }
