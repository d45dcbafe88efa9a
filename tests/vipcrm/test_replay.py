"""The real Czech bank: its files read right, its days fed through the API as its core system would."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer, DailyAsset, MonthlyAsset, TierRule
from staff.clients import create_client
from staff.models import Branch, NightRun, Staff
from tests.factories import CustomerFactory
from vipcrm.replay import berka, feeding, offices
from vipcrm.replay.core_bank import CallFailed, CoreBank

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "berka"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason="the bank's files (shared/data/berka) are not on this machine")

SECRET = "replay-secret-of-the-test"
JANUARY = (date(1993, 1, 1), date(1993, 1, 31))


@pytest.fixture(scope="module")
def bank():
    return berka.read_bank(FOLDER)


def transactions(*rows):
    columns = ["account_id", "seq", "date", "balance", "part"]
    table = pd.DataFrame([(*row, "A_1993_94") for row in rows], columns=columns)
    return table.assign(date=pd.to_datetime(table["date"])).sort_values(["account_id", "seq"])


# --- balances of transactions ---------------------------------------------------------------------


def test_the_last_transaction_of_a_day_by_sequence_is_its_balance():
    table = transactions((1, 2, "1993-01-05", 70.0), (1, 1, "1993-01-05", 100.0), (1, 3, "1993-01-07", 20.0))
    balances = berka.daily_balances(table, first=date(1993, 1, 1), through=date(1993, 1, 9))
    assert balances["balance"].tolist() == [70.0, 70.0, 20.0, 20.0, 20.0]
    assert balances["date"].min() == pd.Timestamp(1993, 1, 5)


def test_an_account_has_no_balance_before_its_first_transaction_nor_outside_the_days_asked_for():
    table = transactions((1, 1, "1993-01-05", 100.0), (2, 1, "1993-03-01", 50.0))
    balances = berka.daily_balances(table, first=date(1993, 1, 20), through=date(1993, 1, 22))
    assert balances[["account_id", "balance"]].values.tolist() == [[1, 100.0]] * 3


def test_an_overdraft_is_no_asset_but_a_loan():
    rows = pd.DataFrame({"account_id": [1], "date": [pd.Timestamp(1993, 5, 1)], "balance": [-250.5]})
    loans = pd.DataFrame({"account_id": [], "date": pd.to_datetime([]), "amount": [], "duration": []}).astype(
        {"account_id": int}
    )
    fed = berka.with_loans(rows, loans)
    assert fed[["demand", "loan"]].values.tolist() == [[0.0, 250.5]]


def test_a_loan_is_paid_off_evenly_over_its_months():
    dates = pd.to_datetime(["1993-01-31", "1993-02-10", "1993-08-10", "1994-02-10", "1995-01-01"])
    rows = pd.DataFrame({"account_id": 1, "date": dates, "balance": 10.0})
    loans = pd.DataFrame(
        {"account_id": [1], "date": pd.to_datetime(["1993-02-10"]), "amount": [1200], "duration": [12]}
    )
    assert berka.with_loans(rows, loans)["loan"].tolist() == [0, 1200, 600, 0, 0]


def test_amounts_are_decimal_strings():
    assert [berka.amount(value) for value in (1100.0, 0.1, 1234567.895)] == ["1100.00", "0.10", "1234567.90"]


def test_a_batch_is_whole_days_of_one_month(monkeypatch):
    monkeypatch.setattr(feeding, "BATCH_ROWS", 4)
    days = pd.date_range("1993-01-29", "1993-02-02")
    rows = pd.DataFrame([(account, day, 1.0, 0.0) for day in days for account in (1, 2)],
                        columns=["account_id", "date", "demand", "loan"])  # fmt: skip
    batches = [(as_of, len(batch)) for as_of, batch in feeding.batches_of(rows)]
    assert batches == [(date(1993, 1, 30), 4), (date(1993, 1, 31), 2), (date(1993, 2, 2), 4)]


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(berka.FilesMissing, match=r"transactions\.csv\.xz"):
        berka.read_bank(tmp_path)


# --- the real files -------------------------------------------------------------------------------


@real
def test_the_files_hold_what_their_description_says(bank):
    assert len(bank.transactions) == 37_179
    assert len(bank.accounts) == 3_168
    assert bank.transactions["date"].max() <= pd.Timestamp(1997, 12, 31)
    assert set(bank.accounts["gender"]) == {"F", "M"}


@real
def test_balances_reconcile_in_the_order_of_the_sequence(bank):
    rows = bank.transactions.query("part == 'A_1993_94'").copy()
    signed = rows["amount"].where(rows["type"] == "PRIJEM", -rows["amount"])
    expected = rows.groupby("account_id")["balance"].shift() + signed
    known = expected.notna()
    assert ((expected - rows["balance"])[known].abs() <= 1).mean() > 0.99


@real
def test_every_account_has_a_balance_on_each_day_of_its_history(bank):
    balances = berka.daily_balances(bank.transactions, first=date(1993, 1, 1), through=date(1997, 12, 31))
    spans = balances.groupby(["account_id"])["date"].agg(["min", "max", "count"])
    assert (((spans["max"] - spans["min"]).dt.days + 1) == spans["count"]).all()
    assert not balances["date"].between("1994-01-01", "1995-04-01").any()
    assert balances["account_id"].nunique() == 810 + 255


@real
def test_the_tiers_lie_at_the_banks_own_quantiles(bank):
    balances = berka.daily_balances(bank.transactions, first=date(1993, 1, 1), through=date(1997, 12, 31))
    floors = berka.tier_floors(berka.month_averages(berka.with_loans(balances, bank.loans)))
    assert floors["gold"] == Decimal(30_000)
    assert floors["gold"] < floors["platinum"] < floors["diamond"]


# --- through the API ------------------------------------------------------------------------------


@pytest.fixture
def core(transactional_db, live_server, bank):
    root, _regions = offices.write_branches(bank)
    create_client(
        name="core", branch=root, scopes=["customers:write", "assets:write"], by=None, client_id="cz", secret=SECRET
    )
    return CoreBank(live_server.url, client_id="cz", secret=SECRET, run="1")


@real
def test_a_month_fed_over_http_is_there_and_fed_again_changes_nothing(core, bank):
    balances = berka.with_loans(
        berka.daily_balances(bank.transactions, first=JANUARY[0], through=JANUARY[1]), bank.loans
    )
    accounts = set(balances["account_id"])

    def feed():
        feeding.send_customers(core, bank, accounts, as_of=JANUARY[0])
        return feeding.feed_days(core, bank, balances, through=JANUARY[1])

    fed = feed()
    assert (fed.accounts, fed.rows) == (len(accounts), len(balances))
    assert core.counts["customers"] == {
        "created": len(accounts),
        "updated": 0,
        "unchanged": 0,
        "stale": 0,
        "rejected": 0,
    }
    assert core.counts["assets"]["created"] == len(balances) == DailyAsset.objects.count()
    assert DailyAsset.objects.filter(data_date=JANUARY[1]).count() == len(accounts)
    total = sum(Decimal(berka.amount(value)) for value in balances["demand"])
    assert sum(DailyAsset.objects.values_list("demand", flat=True)) == total

    core.run = "2"
    feed()
    assert core.counts["assets"]["unchanged"] == len(balances) == DailyAsset.objects.count()
    assert core.counts["customers"]["unchanged"] == len(accounts) == Customer.objects.count()
    assert not core.refusals


@real
def test_the_night_of_a_month_end_averages_and_rates_the_outlets_that_were_fed(core, bank):
    balances = berka.with_loans(
        berka.daily_balances(bank.transactions, first=JANUARY[0], through=JANUARY[1]), bank.loans
    )
    offices.write_tier_rules(
        {"gold": 1000, "platinum": 20_000, "diamond": 40_000}, first=JANUARY[0], through=JANUARY[1]
    )
    feeding.send_customers(core, bank, set(balances["account_id"]), as_of=JANUARY[0])
    feeding.feed_days(core, bank, balances, through=JANUARY[1])
    outlets = feeding.outlets_fed(bank, balances, on=JANUARY[1])

    run = feeding.run_night(on=JANUARY[1], outlets=outlets, steps=feeding.FIRST_STEPS)
    cards = feeding.report_cards(core, bank, on=date(1993, 2, 1))

    assert run.status == NightRun.Status.DONE
    assert MonthlyAsset.objects.count() == balances["account_id"].nunique()
    assert cards > 0
    assert Customer.objects.filter(service_tier__gt=0, relation_status="signed").count() == cards


@real
def test_the_command_feeds_settles_and_says_what_came_of_it(transactional_db, live_server, capsys):
    def replay():
        call_command("replay_bank", str(FOLDER), "--through", "1993-01-15", "--url", live_server.url, "--staff", "none")
        return capsys.readouterr().out

    first, again = replay(), replay()

    assert f"{DailyAsset.objects.count():,} created, 0 updated, 0 unchanged, 0 stale, 0 rejected" in first
    assert f"assets    0 created, 0 updated, {DailyAsset.objects.count():,} unchanged" in again
    assert "No model was trained" in first
    assert "Alerts: 0" in first
    assert NightRun.objects.get().status == NightRun.Status.DONE
    assert not Staff.objects.exists()


@real
def test_days_without_a_transaction_in_the_files_are_refused(db):
    with pytest.raises(CommandError, match="Nothing is known"):
        call_command(
            "replay_bank", str(FOLDER), "--from", "1994-06-01", "--through", "1994-07-01", "--url", "http://unused"
        )
    assert not Branch.objects.exists()


@real
def test_a_wrong_secret_is_told_in_the_servers_words(core):
    core.secret = "wrong"
    with pytest.raises(CallFailed, match="401"):
        core.send("customers", as_of=JANUARY[0], rows=[])


@pytest.mark.django_db
def test_a_bank_that_was_here_before_gets_its_floors_back():
    CustomerFactory()
    before = TierRule.objects.floors(date(2026, 1, 1))
    offices.write_tier_rules({"gold": Decimal(30_000), "platinum": Decimal(54_000), "diamond": Decimal(72_000)},
                             first=date(1993, 1, 1), through=date(1997, 12, 31))  # fmt: skip
    assert TierRule.objects.floors(date(1997, 12, 31))[1] == 30_000
    assert TierRule.objects.floors(date(2026, 1, 1)) == before


@pytest.mark.django_db
@real
def test_the_tree_has_regions_as_sub_branches_and_districts_as_outlets(bank):
    root, regions = offices.write_branches(bank)
    offices.write_branches(bank)
    assert len(regions) == 8
    assert Branch.objects.under(root.pk).outlets().count() == 77
