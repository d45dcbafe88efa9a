"""The published bank as the benchmark reads it."""

from datetime import date
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from churn import benchmark_berka, benchmark_tables, features, trees

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
    ledger = benchmark_berka.read_berka(folder)[0]

    assert ledger.first == date(1995, 5, 1)
    np.testing.assert_array_equal(ledger.balance[:, 0], [400, 400, 400, 600, np.nan, np.nan])
    np.testing.assert_array_equal(ledger.balance[:, 1], [np.nan] * 5 + [900])


def test_the_label_looks_at_the_90_days_after_and_the_features_do_not():
    balance = np.full((300, 2), 50_000.0)
    balance[201:, 1] = 20_000.0
    ledger = benchmark_berka.Ledger(date(1996, 1, 1), np.array([1, 2]), balance)

    rows = benchmark_berka.rows_on(ledger, date(1996, 7, 19))  # day 200

    assert rows.y.tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(rows.x[0], rows.x[1])
    assert rows.x[0, features.NAMES.index("end_to_base")] == 1.0


def test_no_fold_of_the_benchmark_tests_what_it_learnt_from():
    for train_to, test_from, test_to in benchmark_berka.BERKA_FOLDS:
        assert train_to < test_from <= test_to


def test_a_folder_without_the_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match="transactions"):
        call_command("churn_benchmark", "berka", str(tmp_path), stdout=StringIO())


# --- plain tables ---------------------------------------------------------------------------------------


def plain_table(n=400, seed=2):
    """A small file in the shape of bank_balance_churn: those whose balance has fallen leave."""
    rng = np.random.default_rng(seed)
    before = rng.uniform(1_000, 9_000, n)
    now = before * rng.uniform(0.1, 1.2, n)
    return pd.DataFrame(
        {
            "customer_id": np.arange(1, n + 1) * 7,
            "current_balance": now,
            "previous_balance": before,
            "age": rng.integers(20, 80, n),
            "occupation": rng.choice(["retired", "student"], n),
            "last_transaction": rng.choice(["2019-05-21", "2019-11-01"], n),
            "churn": ((now / before < 0.4) & (rng.random(n) < 0.9)).astype(int),
        }
    )


@pytest.fixture
def table_folder(tmp_path, monkeypatch):
    monkeypatch.setitem(trees.BOOSTING, "max_iter", 25)
    monkeypatch.setitem(trees.LONG, "max_iter", 50)
    monkeypatch.setitem(trees.FOREST, "n_estimators", 15)
    plain_table().to_csv(tmp_path / "train.csv.xz", index=False)
    return tmp_path


def test_a_table_is_encoded_by_days_categories_and_ratios():
    encoder = benchmark_tables.Encoder(plain_table().drop(columns=["customer_id", "churn"]))

    assert encoder.names == [
        "current_balance", "previous_balance", "age", "last_transaction", "occupation=student", "occupation=retired",
        "current_balance/previous_balance",
    ] or encoder.names == [
        "current_balance", "previous_balance", "age", "last_transaction", "occupation=retired", "occupation=student",
        "current_balance/previous_balance",
    ]  # fmt: skip
    x = encoder.numbers_of(plain_table())
    assert set(np.unique(x[:, 3])) == {0.0, 164.0}


def test_new_rows_are_scored_with_the_id_of_the_input_and_a_probability(table_folder, tmp_path):
    new = plain_table(60, seed=9)
    new.drop(columns="churn").to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "scores.csv"

    call_command(
        "churn_benchmark", "bank_balance_churn", str(table_folder), f"--score={tmp_path / 'new.csv'}", f"--out={out}",
        stdout=StringIO(), stderr=StringIO(),
    )  # fmt: skip

    scores = pd.read_csv(out)
    assert list(scores) == ["customer_id", "score"]
    assert scores["customer_id"].tolist() == new["customer_id"].tolist()
    assert scores["score"].between(0, 1).all()
    left = new["churn"].to_numpy() == 1
    assert scores["score"][left].mean() > 3 * scores["score"][~left].mean()


def test_a_table_without_a_column_of_the_set_is_refused_by_name(table_folder, tmp_path):
    plain_table(30).drop(columns="age").to_csv(tmp_path / "new.csv", index=False)

    with pytest.raises(CommandError, match="age"):
        call_command(
            "churn_benchmark", "bank_balance_churn", str(table_folder), f"--score={tmp_path / 'new.csv'}",
            f"--out={tmp_path / 'scores.csv'}", stdout=StringIO(), stderr=StringIO(),
        )  # fmt: skip
    assert not (tmp_path / "scores.csv").exists()
