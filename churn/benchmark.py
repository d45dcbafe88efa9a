"""The estimator (training, calibration, choice) on published data, by the protocol of its README. No database.

The encoder of a table learns its categories from all rows before the folds are cut; it never sees the label.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from churn import backtest, benchmark_berka, benchmark_tables, features
from staff.refusal import Refused

BERKA = "berka"
NAMES = (BERKA, *benchmark_tables.TABLES)
REFERENCE = {
    BERKA: {"logistic": (0.306, 0.802, 3.67, 0.030), "blend": (0.344, 0.839, 3.95, 0.030), "rule": (0.256, 0.703, 3.35, None)},
    "bank_balance_churn": {"logistic": (0.633, 0.840, 4.00, 0.007), "blend": (0.645, 0.849, 4.11, 0.007)},
    "berka_snapshot_1997": {"logistic": (0.228, 0.742, None, None), "trees": (0.281, 0.803, None, None)},
    "bankchurners": {"trees": (0.971, 0.9936, None, None), "CatBoost": (0.976, 0.9948, None, None)},
    "churn_modelling": {"logistic": (0.554, 0.786, None, None), "blend": (0.707, 0.867, None, None)},
}  # fmt: skip
"""PR-AUC, ROC-AUC, lift at 10 % and ECE that the data's README gives, on more rows than are published."""


class FileMissing(Refused):
    code = "file_missing"


class ColumnMissing(Refused):
    code = "column_missing"


def run(name: str, folder: Path, *, track: Callable = iter) -> dict:
    """Return the figures of every candidate on a set, as `backtest.run` does, and "chosen", the best by PR-AUC.

    Raises:
        FileMissing: the folder does not hold the set's file.
    """
    rows, folds, names, options = _problem(name, folder, track)
    found = backtest.run(rows, names, folds, track=track, **options)
    if name != BERKA:
        found["candidates"].pop("scorecard")  # a table has not the bank's columns
    return found | {"chosen": backtest.winner(found["candidates"], options["models"])}


def score(name: str, folder: Path, features_file: Path, *, track: Callable = iter) -> tuple[pd.DataFrame, str]:
    """Choose on the set's folds, fit on all of it, score new rows; return a frame of id and `score`, and what was chosen.

    `features_file` has the columns of the set's own file, the label left out or ignored. For Berka it is a file of
    transactions, and each account is scored as of the last day of its part.

    Raises:
        FileMissing, ColumnMissing
    """
    if not features_file.exists():
        raise FileMissing(f"{features_file} does not exist.")
    rows, folds, names, options = _problem(name, folder, track)
    chosen = backtest.winner(backtest.run(rows, names, folds, track=track, **options)["candidates"], options["models"])
    models = {chosen: options["models"][chosen]}
    fitted = backtest.learn(rows, names, models=models, directions=options["directions"])
    if name == BERKA:
        id_column = "account_id"
        ids, x = benchmark_berka.accounts_to_score(features_file)
    else:
        table = benchmark_tables.TABLES[name]
        id_column = table.id
        new, _label, ids = benchmark_tables.read(table, features_file)
        x = _encoder(table, folder).numbers_of(_checked(new, names))
    return pd.DataFrame({id_column: ids, "score": fitted.probabilities(x)[chosen]}), chosen


def _problem(name: str, folder: Path, track: Callable) -> tuple:
    """Return (rows, folds, names, {models, directions}) of a set."""
    if name == BERKA:
        _wanted(folder / "transactions.csv.xz")
        rows, is_test = benchmark_berka.rows_of(folder, track=track)
        options = {"models": backtest.MODELS, "directions": features.DIRECTIONS}
        return rows, benchmark_berka.folds_of(rows, is_test), features.NAMES, options
    table = benchmark_tables.TABLES[name]
    data, y, _ids = benchmark_tables.read(table, _wanted(folder / table.file))
    rows, names = benchmark_tables.rows_of(data, y)
    return rows, benchmark_tables.folds_of(rows), names, {"models": benchmark_tables.MODELS, "directions": {}}


def _encoder(table, folder: Path) -> benchmark_tables.Encoder:
    return benchmark_tables.Encoder(benchmark_tables.read(table, folder / table.file)[0])


def _checked(new: pd.DataFrame, names) -> pd.DataFrame:
    plain = {name.split("=")[0] for name in names if "/" not in name}
    if missing := sorted(plain - set(new)):
        raise ColumnMissing(f"The file has no column {', '.join(missing)}; it must have those of the published set.")
    return new


def _wanted(path: Path) -> Path:
    if not path.exists():
        raise FileMissing(f"{path.parent} holds no {path.name}.")
    return path
