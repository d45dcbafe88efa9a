"""Closing a day: with the right totals it is closed and its night begins; with others the difference is told."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from customers import assets
from customers.models import DailyAsset, DayClose
from tests.api.test_core_bank import Core
from tests.churn.panels import write_days
from tests.factories import BranchFactory, CustomerFactory
from vipcrm import tasks

pytestmark = pytest.mark.django_db


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="assets:write")


@pytest.fixture
def yesterday():
    return timezone.localdate() - timedelta(days=1)


@pytest.fixture
def nights(monkeypatch):
    """The nights that were asked for; the broker is not part of this test."""
    asked = []
    monkeypatch.setattr(tasks.night, "delay", lambda **options: asked.append(options["day"]))
    return asked


def close(core, day, rows, total, key="c-1"):
    return core.post(f"/api/v1/days/{day}:close", {"rows": rows, "total": total}, key=key)


def test_the_right_totals_close_the_day_and_its_night_begins(
    core, outlet, yesterday, nights, django_capture_on_commit_callbacks
):
    for amount in (1_000, 2_500):
        write_days(CustomerFactory(branch=outlet), yesterday, [amount])
    write_days(CustomerFactory(branch=BranchFactory()), yesterday, [99])  # of another bank branch

    with django_capture_on_commit_callbacks(execute=True):
        answer = close(core, yesterday, 2, "3500.00")

    assert answer.json() == {"date": yesterday.isoformat(), "rows": 2, "total": "3500.00"}
    assert nights == [yesterday.isoformat()]


@pytest.mark.parametrize(("rows", "total"), [(3, "3500.00"), (2, "3500.01")])
def test_other_totals_are_refused_with_what_arrived(core, outlet, yesterday, nights, rows, total):
    for amount in (1_000, 2_500):
        write_days(CustomerFactory(branch=outlet), yesterday, [amount])

    answer = close(core, yesterday, rows, total)

    assert answer.status_code == 422
    assert answer.json()["code"] == "day_differs"
    assert [error["detail"] for error in answer.json()["errors"]] == ["2", "3500.00"]
    assert not DayClose.objects.exists() and not nights


def test_closing_again_after_a_correction_takes_the_totals_that_fit_now(core, outlet, yesterday, nights):
    customer = CustomerFactory(branch=outlet)
    write_days(customer, yesterday, [1_000])
    close(core, yesterday, 1, "1000.00")
    DailyAsset.objects.update(demand=1_200)

    assert close(core, yesterday, 1, "1000.00", key="c-2").status_code == 422
    assert close(core, yesterday, 1, "1200.00", key="c-3").status_code == 200
    assert DayClose.objects.get().total == Decimal(1_200)


def test_a_closed_day_is_complete_however_few_balances_it_has(core, outlet, yesterday, nights):
    for _ in range(10):
        write_days(CustomerFactory(branch=outlet), yesterday - timedelta(days=1), [500])
    one = CustomerFactory(branch=outlet)
    write_days(one, yesterday, [900])
    with pytest.raises(assets.DayNotFed):
        assets.complete_day(branch_id=outlet.pk, on=yesterday)

    close(core, yesterday, 1, "900.00")

    assert assets.complete_day(branch_id=outlet.pk, on=yesterday) == 10
    assert close(core, yesterday, 1, "900.00", key="c-2").status_code == 200  # what was carried forward was not sent


@pytest.mark.parametrize("day", ["2026-13-01", "x"])
def test_a_day_that_does_not_exist_is_not_there(core, day):
    assert close(core, day, 0, "0").status_code == 404
