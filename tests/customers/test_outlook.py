"""What the coming ratings would find, against a naive sum over the days."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Tier
from customers.outlook import MonthSoFar, coming

FLOORS = {Tier.GENERAL: Decimal(0), Tier.GOLD: Decimal(100_000), Tier.PLATINUM: Decimal(500_000), Tier.DIAMOND: Decimal(1_000_000)}  # fmt: skip


def half_a_month(aum):
    return MonthSoFar(Decimal(aum) * 15, 15, date(2026, 11, 15), Decimal(aum))


def test_what_stays_is_rated_as_it_stands():
    found = coming(half_a_month(864_000), floors=FLOORS)
    assert [(one.rated_on, one.month_avg, one.tier) for one in found] == [
        (date(2026, 12, 1), Decimal("864000.00"), Tier.PLATINUM),
        (date(2027, 1, 1), Decimal("864000.00"), Tier.PLATINUM),
    ]


def test_money_that_comes_in_the_middle_counts_half_this_month_and_fully_the_next():
    found = coming(half_a_month(864_000), floors=FLOORS, change=Decimal(200_000))
    assert [(one.month_avg, one.tier) for one in found] == [
        (Decimal("964000.00"), Tier.PLATINUM),
        (Decimal("1064000.00"), Tier.DIAMOND),
    ]


@pytest.mark.parametrize(
    ("change", "since", "averages"),
    [
        (-900_000, None, ("432000.00", "0.00")),  # more than there is: nothing is left
        (300_000, date(2026, 11, 30), ("874000.00", "1164000.00")),
        (310_000, date(2026, 12, 31), ("864000.00", "874000.00")),
        (300_000, date(2027, 1, 5), ("864000.00", "864000.00")),
        (300_000, date(2026, 1, 1), ("1014000.00", "1164000.00")),
    ],
)
def test_the_day_of_the_change_decides_how_much_counts(change, since, averages):
    found = coming(half_a_month(864_000), floors=FLOORS, change=Decimal(change), since=since)
    assert tuple(str(one.month_avg) for one in found) == averages


@given(
    st.lists(st.integers(0, 2_000_000), min_size=1, max_size=30),
    st.integers(-2_000_000, 2_000_000),
    st.integers(-5, 70),
)
def test_it_equals_a_sum_over_the_days(daily, change, ahead):
    first, last = date(2026, 11, 1), date(2026, 11, len(daily))
    so_far = MonthSoFar(Decimal(sum(daily)), len(daily), last, Decimal(daily[-1]))
    since = last + timedelta(days=1 + ahead)
    balances = dict(zip((first + timedelta(days=n) for n in range(30)), daily, strict=False))
    for n in range(1, 62):
        day = last + timedelta(days=n)
        balances[day] = max(0, daily[-1] + change) if day >= since else daily[-1]
    this_month, next_month = coming(so_far, floors=FLOORS, change=Decimal(change), since=since)
    for one, (start, days) in ((this_month, (first, 30)), (next_month, (date(2026, 12, 1), 31))):
        naive = Decimal(sum(balances[start + timedelta(days=n)] for n in range(days))) / days
        assert one.month_avg == naive.quantize(Decimal("0.01"))


@given(st.integers(-500_000, 500_000), st.integers(-500_000, 500_000))
def test_more_money_never_rates_lower(one, other):
    low, high = sorted((one, other))
    for less, more in zip(
        coming(half_a_month(864_000), floors=FLOORS, change=Decimal(low)),
        coming(half_a_month(864_000), floors=FLOORS, change=Decimal(high)),
        strict=True,
    ):
        assert less.tier <= more.tier
