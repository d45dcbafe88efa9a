"""The same features, model and back-test on published data of a real bank. Pure: reads files, no database.

Berka: accounts of a Czech bank, 1993–1997. VIP is a 90-day average from 30,000 CZK; left is an average of the
90 days after at 60 % or less of the 90 days before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from churn import backtest, features, scorecard

VIP_FLOOR = 30_000.0
DROP = 0.6
HORIZON = 90
WARM_DAYS = features.BLOCKS * 30 + 1

BERKA_FOLDS = (
    # (train up to, test from, test to): those of the reference whose outcomes are in the published extract.
    (date(1993, 6, 30), date(1993, 9, 30), date(1993, 10, 2)),
    (date(1996, 6, 30), date(1996, 10, 31), date(1997, 1, 31)),
    (date(1996, 10, 31), date(1997, 2, 28), date(1997, 6, 30)),
    (date(1997, 3, 31), date(1997, 7, 31), date(1997, 9, 30)),
)


@dataclass
class Ledger:
    """End-of-day balances of accounts: `balance` (days, accounts), NaN outside an account's life; `first` the first day."""

    first: date
    accounts: np.ndarray
    balance: np.ndarray

    def day(self, on: date) -> int:
        return (on - self.first).days


def read_berka(folder: Path, name: str = "transactions.csv.xz") -> list[Ledger]:
    """Return the two parts of the extract as ledgers; a day's last row in `seq` order is its balance."""
    rows = pd.read_csv(Path(folder) / name, usecols=["account_id", "seq", "date", "balance", "part"])
    rows["date"] = pd.to_datetime(rows["date"])
    return [_ledger(part, ends_with_account=name.startswith("B")) for name, part in rows.groupby("part")]


def _ledger(rows, *, ends_with_account: bool) -> Ledger:
    """Fill the days between transactions; a history that was cut at a loan ends with its last row."""
    last = rows.sort_values(["account_id", "seq"]).groupby(["account_id", "date"])["balance"].last()
    table = last.unstack("account_id")
    days = pd.date_range(table.index.min(), table.index.max())
    table = table.reindex(days)
    ends = table.apply(lambda column: column.last_valid_index())
    table = table.ffill()
    if ends_with_account:
        table = table.where(np.asarray(days)[:, None] <= ends.to_numpy()[None, :])
    return Ledger(days[0].date(), table.columns.to_numpy(), np.maximum(table.to_numpy(), 0))


def history_on(ledger: Ledger, on: date) -> features.History:
    """Return the features' input for every account as of a day, from the days up to it only."""
    at = ledger.day(on)
    days = ledger.balance[at - WARM_DAYS + 1 : at + 1]
    change = np.diff(days, axis=0)
    # (3, 30, n), newest block first, newest day first
    blocks = days[1:][::-1].reshape(features.BLOCKS, 30, -1)
    moves = change[::-1].reshape(features.BLOCKS, 30, -1)
    older = np.full((days.shape[1], features.OLDER), np.nan)
    for back in range(features.OLDER):
        stop = at + 1 - 30 * (features.BLOCKS + back)
        if stop - 30 >= 0:
            older[:, back] = ledger.balance[stop - 30 : stop].mean(axis=0)
    return features.History(
        average=blocks.mean(axis=1).T,
        end=blocks[:, 0].T,
        last7=blocks[:, :7].mean(axis=1).T,
        low=blocks.min(axis=1).T,
        high=blocks.max(axis=1).T,
        inflow=np.maximum(moves, 0).sum(axis=1).T,
        outflow=np.maximum(-moves, 0).sum(axis=1).T,
        older=older,
        month=np.full(days.shape[1], on.month),
        floor=VIP_FLOOR,
    )


def rows_on(ledger: Ledger, on: date) -> backtest.Rows:
    """Return the accounts with features and a known outcome as of a day."""
    history = history_on(ledger, on)
    at = ledger.day(on)
    after = ledger.balance[at + 1 : at + 1 + HORIZON]
    outcome = after.mean(axis=0)[:, None] if len(after) == HORIZON else np.full((len(ledger.accounts), 1), np.nan)
    y = features.left(outcome, history.base, threshold=DROP)
    rows = ~np.isnan(history.base) & ~np.isnan(y) & (history.base >= 0.1 * VIP_FLOOR)
    x = features.vector(history)[rows]
    return backtest.Rows(
        x=x,
        y=y[rows],
        customer=ledger.accounts[rows],
        period=np.full(rows.sum(), on.toordinal()),
        is_vip=history.is_vip[rows],
        money=history.base[rows],
        rule=-x[:, features.NAMES.index("last7_to_base")],
        scorecard=scorecard.probabilities(scorecard.points(x, history.take(rows))),
        tier=np.zeros(rows.sum()),
        branch=np.zeros(rows.sum()),
    )


def month_ends(first: date, last: date) -> list[date]:
    """Return the last days of months within [first, last]."""
    return [day.date() for day in pd.date_range(first, last, freq="ME")]


def training_days(ledger: Ledger) -> list[date]:
    """Return a day a week from the first with 90 days behind it to the last with 90 days after it."""
    last = len(ledger.balance) - HORIZON - 1
    return [ledger.first + timedelta(days=n) for n in range(WARM_DAYS, last + 1, 7)]


def rows_of(folder: Path, *, track: Callable = iter) -> tuple[backtest.Rows, np.ndarray]:
    """Return the rows of the set, and which of them are month ends: weekly rows of all accounts teach, month ends test."""
    weekly, monthly = [], []
    for ledger in read_berka(folder):
        days = training_days(ledger)
        weekly += [rows_on(ledger, day) for day in track(days)]
        ends = [day for day in month_ends(days[0], days[-1]) if day not in set(days)]
        monthly += [rows_on(ledger, day) for day in ends]
    is_test = np.concatenate([np.zeros(sum(map(len, weekly)), bool), np.ones(sum(map(len, monthly)), bool)])
    return backtest.joined(weekly + monthly), is_test


def folds_of(rows: backtest.Rows, is_test) -> list[tuple]:
    """Return the forward folds of the reference as `backtest.run` wants them; a training label is complete before the first test day."""
    folds = []
    for train_to, test_from, test_to in BERKA_FOLDS:
        limit = min(train_to, test_from - timedelta(days=HORIZON))
        within = (rows.period >= test_from.toordinal()) & (rows.period <= test_to.toordinal())
        note = {"train_to": limit.isoformat(), "test_from": test_from.isoformat(), "test_to": test_to.isoformat()}
        folds.append((~is_test & (rows.period <= limit.toordinal()), is_test & within, note))
    return folds


def accounts_to_score(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (accounts, x) of a file of transactions, each account as of the last day of its part of the file.

    An account without 90 days of history has a row of NaN.
    """
    ids, xs = [], []
    for ledger in read_berka(path.parent, path.name):
        history = history_on(ledger, ledger.first + timedelta(days=len(ledger.balance) - 1))
        known = ~np.isnan(history.base)
        x = np.full((len(ledger.accounts), len(features.NAMES)), np.nan)
        x[known] = features.vector(history.take(known))
        ids.append(ledger.accounts)
        xs.append(x)
    return np.concatenate(ids), np.vstack(xs)
