"""Published tables, one row a customer, through the same estimator: encoding, folds, scoring of new rows. No database."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from churn import backtest

FOLDS = 5
MANY = 20
"""Values from which a number counts as a quantity, and rows from which a category has a column of its own."""

LARGEST_RATIO = 8.0
WORD = 3
MODELS = backtest.MODELS | {"long": ("long_boosting",)}
"""A table has one row a customer: many small steps of boosting pay there as well as few."""


@dataclass(frozen=True)
class Table:
    """A published set: its file, the column of the label and the value that says "left", the id, what must not be used."""

    file: str
    label: str
    left: str
    id: str
    dropped: tuple[str, ...] = ()


TABLES = {
    "bank_balance_churn": Table("train.csv.xz", "churn", "1", "customer_id"),
    # `has_card` has no date: it may know of a card given out after the snapshot.
    "berka_snapshot_1997": Table("train.csv.xz", "churned", "1", "account_id", ("has_card",)),
    # Two columns are scores of a classifier that had seen the label.
    "bankchurners": Table(
        "BankChurners.csv.xz", "Attrition_Flag", "Attrited Customer", "CLIENTNUM", ("Naive_Bayes_*",)
    ),
    "churn_modelling": Table("Churn_Modelling.csv.xz", "Exited", "1", "CustomerId", ("RowNumber", "Surname")),
}


def read(table: Table, path: Path) -> tuple[pd.DataFrame, np.ndarray | None, pd.Series]:
    """Return (columns to learn from, label or None where the file has none, ids)."""
    data = pd.read_csv(path)
    label = (data[table.label].astype(str) == table.left).to_numpy(float) if table.label in data else None
    patterns = [table.label, table.id, *table.dropped]
    dropped = [name for name in data if any(Path(name).match(pattern) for pattern in patterns)]
    return data.drop(columns=dropped), label, data[table.id]


class Encoder:
    """Turns a table into numbers as learnt from training rows: days for dates, a column a common category, ratios.

    The ratio of two quantities whose names share a word (two balances, credit and debit of a month) is what
    carries most of what can be foreseen; it enters as a difference of logarithms.
    """

    def __init__(self, data: pd.DataFrame):
        texts = [name for name in data if not pd.api.types.is_numeric_dtype(data[name])]
        self.dates = {name: days.max() for name in texts if (days := _days(data[name])).notna().mean() > 0.5}
        self.categories = {
            name: [value for value, rows in data[name].value_counts().items() if rows >= MANY]
            for name in texts
            if name not in self.dates
        }
        self.numbers = [name for name in data if name not in texts]
        quantities = [name for name in self.numbers if data[name].nunique() > MANY]
        self.pairs = [
            (one, other)
            for place, one in enumerate(quantities)
            for other in quantities[place + 1 :]
            if _words(one) & _words(other)
        ]
        self.names = [
            *self.numbers,
            *self.dates,
            *(f"{name}={value}" for name, values in self.categories.items() for value in values),
            *(f"{one}/{other}" for one, other in self.pairs),
        ]

    def numbers_of(self, data: pd.DataFrame) -> np.ndarray:
        """Return (n, len(names)); NaN where a value is missing."""
        columns = [data[name].to_numpy(float) for name in self.numbers]
        columns += [(newest - _days(data[name])).dt.days.to_numpy(float) for name, newest in self.dates.items()]
        columns += [
            (data[name] == value).to_numpy(float) for name, values in self.categories.items() for value in values
        ]
        columns += [
            np.clip(np.arcsinh(data[one]) - np.arcsinh(data[other]), -LARGEST_RATIO, LARGEST_RATIO).to_numpy(float)
            for one, other in self.pairs
        ]
        return np.column_stack(columns)


def _days(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, errors="coerce", format="ISO8601")


def _words(name: str) -> set[str]:
    return {word.rstrip("0123456789") for word in name.lower().split("_") if len(word) >= WORD}


def rows_of(data: pd.DataFrame, y) -> tuple[backtest.Rows, tuple[str, ...]]:
    """Return a table as rows of the back-test, every one counted, and the names of its features.

    The rule is the one column that tells most by itself.
    """
    encoder = Encoder(data)
    x = encoder.numbers_of(data)
    n, nothing = len(y), np.zeros(len(y))
    rule = best_column(x, y)
    return backtest.Rows(
        x=x, y=y, customer=np.arange(n), period=nothing, is_vip=np.ones(n, bool), money=np.ones(n), rule=rule,
        scorecard=nothing, tier=nothing, branch=nothing,
    ), tuple(encoder.names)  # fmt: skip


def best_column(x, y) -> np.ndarray:
    """Return the column, turned so that more is riskier, that ranks the labels best by itself."""
    from sklearn.metrics import roc_auc_score

    known = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
    ranks = [roc_auc_score(y, column) for column in known.T]
    best = int(np.argmax(np.abs(np.array(ranks) - 0.5)))
    return known[:, best] * (1 if ranks[best] >= 0.5 else -1)


def folds_of(rows: backtest.Rows) -> list[tuple]:
    """Return the stratified folds of the published protocol as `backtest.run` wants them."""
    from sklearn.model_selection import StratifiedKFold

    split = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(rows.x, rows.y)
    folds = []
    for number, (_train, test) in enumerate(split):
        tested = np.zeros(len(rows), bool)
        tested[test] = True
        folds.append((~tested, tested, {"train_to": f"fold {number + 1}", "test_from": "", "test_to": ""}))
    return folds
