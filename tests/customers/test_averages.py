"""Averages of domain.md §3: divisors, gaps, late data."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from customers.assets import DayNotFed, average_branch, complete_day
from customers.models import DailyAsset, MonthlyAsset
from tests.factories import CustomerFactory, daily_assets

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 1)


def days(first, number, amount):
    return {first + timedelta(days=n): amount for n in range(number)}


def test_a_month_is_averaged_over_its_calendar_days():
    customer = CustomerFactory()
    daily_assets(customer, days(NOVEMBER, 10, 300_000) | days(date(2026, 11, 11), 20, 0))

    average_branch(branch_id=customer.branch_id, on=date(2026, 11, 30))

    row = MonthlyAsset.objects.get(customer=customer, month=NOVEMBER)
    assert (row.days, row.month_avg, row.month_end, row.highest) == (30, Decimal(100_000), 0, Decimal(300_000))
    assert (row.inflow, row.outflow) == (0, Decimal(300_000))


def test_the_opening_month_is_averaged_over_the_days_since_opening():
    customer = CustomerFactory(opened_on=date(2026, 11, 21), signed_on=date(2026, 11, 21))
    daily_assets(customer, days(date(2026, 11, 21), 10, 200_000))

    average_branch(branch_id=customer.branch_id, on=date(2026, 11, 30))
    customer.refresh_from_db()

    assert MonthlyAsset.objects.get(customer=customer, month=NOVEMBER).days == 10
    assert (customer.month_avg, customer.year_avg) == (Decimal(200_000), Decimal(200_000))


def test_the_year_average_divides_by_365_days():
    customer = CustomerFactory()
    daily_assets(customer, days(date(2025, 12, 1), 365, 100_000))

    for month in range(12):
        first = date(2025 + (11 + month) // 12, (11 + month) % 12 + 1, 1)
        average_branch(branch_id=customer.branch_id, on=(first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    customer.refresh_from_db()

    assert customer.year_avg == Decimal(100_000)


def test_a_missing_day_carries_the_last_balance_forward_and_is_marked():
    fed = [CustomerFactory() for _ in range(1)]
    branch = fed[0].branch
    fed += [CustomerFactory(branch=branch) for _ in range(9)]
    missing = CustomerFactory(branch=branch)
    for customer in [*fed, missing]:
        daily_assets(customer, {date(2026, 11, 9): 120_000})
    for customer in fed:
        daily_assets(customer, {date(2026, 11, 10): 130_000})

    assert complete_day(branch_id=branch.pk, on=date(2026, 11, 10)) == 1
    average_branch(branch_id=branch.pk, on=date(2026, 11, 10))
    missing.refresh_from_db()

    carried = DailyAsset.objects.get(customer=missing, data_date=date(2026, 11, 10))
    assert (carried.total, carried.sequence, missing.data_gap) == (Decimal(120_000), -1, True)


def test_a_day_that_has_not_been_fed_is_refused_and_nothing_is_filled():
    customer = CustomerFactory()
    daily_assets(customer, {date(2026, 11, 9): 120_000})

    with pytest.raises(DayNotFed):
        complete_day(branch_id=customer.branch_id, on=date(2026, 11, 10))

    assert DailyAsset.objects.filter(customer=customer).count() == 1


def test_late_data_changes_the_average_of_the_month_before():
    customer = CustomerFactory()
    daily_assets(customer, days(date(2026, 10, 1), 31, 100_000) | {NOVEMBER: 100_000})
    average_branch(branch_id=customer.branch_id, on=NOVEMBER)

    DailyAsset.objects.filter(customer=customer, data_date=date(2026, 10, 31)).update(demand=410_000)
    average_branch(branch_id=customer.branch_id, on=NOVEMBER)

    assert MonthlyAsset.objects.get(customer=customer, month=date(2026, 10, 1)).month_avg == Decimal(110_000)
