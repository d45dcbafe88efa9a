"""The published bank as the benchmark reads it."""

from datetime import date
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from churn import benchmark, features

COLUMNS = [
    "account_id",
    "seq",
    "trans_id",
    "date",
    "type",
    "operation",
    "amount",
    "balance",
    "k_symbol",
    "bank",
    "account",
    "part",
]


@pytest.fixture
def folder(tmp_path):
    rows = [
        # of one day the last in `seq` order counts, not the last in the file
        [7, 3, 1, "1995-05-01", "VYDAJ", "", 100, 400.0, "", "", "", "B_1995_98"],
        [7, 2, 2, "1995-05-01", "PRIJEM", "", 500, 500.0, "", "", "", "B_1995_98"],
        [7, 4, 3, "1995-05-04", "PRIJEM", "", 200, 600.0, "", "", "", "B_1995_98"],
        [8, 1, 4, "1995-05-06", "PRIJEM", "", 900, 900.0, "", "", "", "B_1995_98"],
    ]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "transactions.csv.xz", index=False)
    return tmp_path


def test_a_days_balance_is_its_last_in_order_and_a_history_ends_with_its_account(folder):
    ledger = benchmark.read_berka(folder)[0]

    assert ledger.first == date(1995, 5, 1)
    np.testing.assert_array_equal(ledger.balance[:, 0], [400, 400, 400, 600, np.nan, np.nan])
    np.testing.assert_array_equal(ledger.balance[:, 1], [np.nan] * 5 + [900])


def test_the_label_looks_at_the_90_days_after_and_the_features_do_not():
    balance = np.full((300, 2), 50_000.0)
    balance[201:, 1] = 20_000.0
    ledger = benchmark.Ledger(date(1996, 1, 1), np.array([1, 2]), balance)

    rows = benchmark.rows_on(ledger, date(1996, 7, 19))  # day 200

    assert rows.y.tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(rows.x[0], rows.x[1])
    assert rows.x[0, features.NAMES.index("end_to_base")] == 1.0


def test_no_fold_of_the_benchmark_tests_what_it_learnt_from():
    for train_to, test_from, test_to in benchmark.BERKA_FOLDS:
        assert train_to < test_from <= test_to


def test_a_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match="transactions"):
        call_command("churn_benchmark", "berka", str(tmp_path), stdout=StringIO())
