"""Training on a small simulated bank: sensible, forward in time, released by the gate, proof against change."""

from datetime import date, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from churn import accuracy, backtest, panel, training, trees
from churn.models import ChurnModelVersion
from customers.models import Customer
from staff.models import AuditEvent
from staff.roles import Role
from tests.churn.conftest import written_model
from tests.churn.panels import bank_of_months, write_months
from tests.factories import BranchFactory, StaffFactory

LAST = date(2026, 10, 31)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(db):
    branch = BranchFactory()
    Customer.objects.bulk_create(
        Customer(customer_no=f"T{n:05}", name="客户", branch=branch, opened_on=date(2015, 1, 1)) for n in range(300)
    )
    customers = list(Customer.objects.order_by("pk"))
    write_months(customers, bank_of_months(300, 20), last=LAST)
    return customers


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setitem(trees.BOOSTING, "max_iter", 25)
    monkeypatch.setitem(trees.FOREST, "n_estimators", 15)
    monkeypatch.setitem(accuracy.intervals.__kwdefaults__, "draws", 5)


def test_a_model_learns_the_banks_own_past_and_is_released_as_the_first(bank):
    out = StringIO()

    call_command("train_churn", "--date", "2026-11-24", stdout=out, stderr=StringIO())

    version = ChurnModelVersion.objects.get()
    found = version.figures
    assert found["roc_auc"] > 0.75
    assert found["lift"] > 3
    assert found["losses"] > 50
    assert version.passed_gate
    assert (version.status, version.released_by) == (ChurnModelVersion.Status.RELEASED, None)
    assert (version.name, version.data_from, version.data_to) == ("2026-10-31", date(2025, 3, 1), LAST)
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"model.trained", "model.released"}
    reached = {name: version.backtest["candidates"][name]["pr_auc"] for name in backtest.MODELS}
    assert reached[version.algorithm] == max(reached.values())
    assert [member["form"] for member in version.parameters["members"]] == list(backtest.MODELS[version.algorithm])
    assert training.released() == version
    for name in (*backtest.MODELS, "scorecard", "rule"):
        assert f"\n{name}" in out.getvalue()

    assert version.backtest["folds"]  # no training label reaches into the tested months
    for fold in version.backtest["folds"]:
        known = date.fromisoformat(fold["train_to"]) + timedelta(days=88)
        assert known <= date.fromisoformat(fold["test_from"])


def test_the_back_test_is_printed_without_a_version(bank):
    out = StringIO()

    call_command("backtest_churn", "--through", "2026-11-24", stdout=out, stderr=StringIO())

    assert "blend" in out.getvalue() and "Best by PR-AUC" in out.getvalue()
    assert not ChurnModelVersion.objects.exists()


def test_months_after_the_day_change_nothing_of_what_is_trained(bank):
    before = training.panel_rows(panel.read_months(on=date(2026, 7, 31)))
    write_months(bank, np.full((300, 1), 77_777.0), last=date(2026, 11, 30))

    after = training.panel_rows(panel.read_months(on=date(2026, 7, 31)))

    np.testing.assert_array_equal(before.x, after.x)
    np.testing.assert_array_equal(before.y, after.y)


def test_a_second_version_waits_until_a_person_releases_it(model):
    second = written_model(name="2026-11-30", status="candidate")
    office = StaffFactory(role=Role.RETAIL_ADMIN)
    assert training.released() == model

    training.release(version=second, by=office)

    model.refresh_from_db()
    assert model.status == ChurnModelVersion.Status.RETIRED
    assert training.released() == second
    training.release(version=model, by=office)  # and back again
    assert training.released() == model


def test_a_version_below_the_gate_is_not_released(db):
    version = written_model(status="candidate", passed_gate=False)

    with pytest.raises(training.GateNotPassed):
        training.release(version=version, by=StaffFactory(role=Role.RETAIL_ADMIN))

    assert training.in_force() is None


def test_numbers_that_do_not_fit_their_fingerprint_are_refused(model):
    model.parameters["members"][0]["intercept"] += 0.001
    model.save(update_fields=["parameters"])

    with pytest.raises(training.ModelDamaged):
        training.released()
    with pytest.raises(training.ModelDamaged):
        training.release(version=model, by=StaffFactory(role=Role.RETAIL_ADMIN))


def test_too_few_losses_train_nothing(db):
    branch = BranchFactory()
    customers = [Customer.objects.create(customer_no=f"F{n}", name="客户", branch=branch) for n in range(30)]
    write_months(customers, np.full((30, 12), 300_000.0), last=LAST)

    with pytest.raises(training.TooFewLosses):
        training.train(on=LAST)
    with pytest.raises(CommandError, match="0"):
        call_command("train_churn", "--date", "2026-10-31", stderr=StringIO())

    assert not ChurnModelVersion.objects.exists()
