"""Averages of domain.md §3: divisors, gaps, late data."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.assets import DayNotFed, complete_day, is_month_end
from customers.averages import average_branch
from customers.feed import BalanceRow, read_rows, take_balances
from customers.models import DailyAsset, LateBalance, MonthlyAsset, RatingRule
from staff.models import ApiClient
from tests.factories import BranchFactory, CustomerFactory, daily_assets

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def client_of():
    """Return a way to make the core system's client of an outlet."""

    def make(branch):
        return ApiClient.objects.create(
            name=f"core {branch.pk}",
            branch=branch,
            client_type=ApiClient.CLIENT_CONFIDENTIAL,
            authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
            allowed_scopes="assets:write",
        )

    return make


def send(client, customer, balances: dict):
    """Feed {day: yuan} of a customer as the core system does."""
    rows = [
        {
            "row_id": str(n),
            "customer_no": customer.customer_no,
            "sequence": 9,
            "data_date": day,
            "demand": f"{yuan:.2f}",
        }
        for n, (day, yuan) in enumerate(balances.items())
    ]
    good, bad = read_rows(rows, BalanceRow)
    assert not bad
    take_balances(rows=good, as_of=max(balances, default=date(2026, 11, 1)), by=client)


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


def test_late_data_changes_the_averages_of_its_month_and_of_the_year(client_of):
    customer = CustomerFactory()
    daily_assets(customer, days(date(2026, 10, 1), 31, 100_000) | {NOVEMBER: 100_000})
    for day in (date(2026, 10, 31), NOVEMBER):
        average_branch(branch_id=customer.branch_id, on=day)
    before = MonthlyAsset.objects.get(customer=customer, month=NOVEMBER).year_avg

    send(client_of(customer.branch), customer, {date(2026, 10, 31): 410_000})
    average_branch(branch_id=customer.branch_id, on=NOVEMBER)

    assert MonthlyAsset.objects.get(customer=customer, month=date(2026, 10, 1)).month_avg == Decimal(110_000)
    after = MonthlyAsset.objects.get(customer=customer, month=NOVEMBER).year_avg
    assert (before, after) == (round(Decimal(3_200_000) / 365, 2), round(Decimal(3_510_000) / 365, 2))
    assert not LateBalance.objects.exists()


def test_a_balance_of_a_day_that_no_night_has_passed_is_not_late(client_of):
    customer = CustomerFactory(data_date=NOVEMBER)

    send(client_of(customer.branch), customer, {NOVEMBER + timedelta(days=1): 100_000})

    assert not LateBalance.objects.exists()


def test_a_year_that_begins_within_a_month_counts_the_days_of_it_exactly():
    customer = CustomerFactory()
    daily_assets(customer, days(date(2025, 11, 1), 10, 0) | days(date(2025, 11, 11), 20, 365_000))
    average_branch(branch_id=customer.branch_id, on=date(2025, 11, 30))
    daily_assets(customer, {NOVEMBER: 0, date(2026, 11, 10): 0, date(2026, 11, 20): 0})

    for day, counted in ((date(2026, 11, 10), 20), (date(2026, 11, 20), 10)):
        average_branch(branch_id=customer.branch_id, on=day)
        assert MonthlyAsset.objects.get(customer=customer, month=NOVEMBER).year_avg == 1000 * counted


def test_the_year_may_be_counted_from_the_first_of_january():
    customer = CustomerFactory()
    RatingRule.objects.create(effective_from=date(2026, 1, 1), year_avg_basis=RatingRule.YearBasis.YEAR_TO_DATE)
    daily_assets(customer, days(date(2025, 12, 1), 31, 900_000) | days(date(2026, 1, 1), 31, 100_000))

    for day in (date(2025, 12, 31), date(2026, 1, 31)):
        average_branch(branch_id=customer.branch_id, on=day)
    customer.refresh_from_db()

    assert customer.year_avg == Decimal(100_000)


def test_the_night_twice_is_the_night_once():
    customer = CustomerFactory()
    daily_assets(customer, days(date(2026, 10, 15), 20, 123_456))

    for day in (date(2026, 10, 31), date(2026, 11, 3)):
        average_branch(branch_id=customer.branch_id, on=day)
    once = list(MonthlyAsset.objects.order_by("month").values())
    average_branch(branch_id=customer.branch_id, on=date(2026, 11, 3))

    assert list(MonthlyAsset.objects.order_by("month").values()) == once


# --- Against a naive recomputation ----------------------------------------------------------------

LAST = date(2026, 11, 17)
FIRST = date(2025, 8, 1)
SPAN = (LAST - FIRST).days


@st.composite
def lives(draw):
    """Draw (day opened or None, {day: cents} with gaps, {day: cents} that arrive late)."""
    opened = draw(st.none() | st.integers(0, SPAN - 1))
    day, rows = opened or 0, {}
    while day < SPAN:
        rows[day] = draw(st.integers(0, 10**9))
        day += draw(st.integers(1, 28))
    rows[SPAN] = draw(st.integers(0, 10**9))
    late = draw(st.dictionaries(st.integers(opened or 0, SPAN), st.integers(0, 10**9), max_size=3))
    return opened, rows, late


def naive(opened, rows):
    """Return {month: average} and the year average, day by day as domain.md says it, in cents."""
    balance, balances = 0, []
    for day in range(SPAN + 1):
        balance = rows.get(day, balance)
        balances.append(balance)
    months: dict = {}
    for day, cents in enumerate(balances):
        if day >= (opened or 0):
            months.setdefault((FIRST + timedelta(days=day)).replace(day=1), []).append(cents)
    since = min(365, SPAN + 1 - opened) if opened is not None else 365
    year = balances[-365:]
    return {month: rounded(sum(cents), len(cents)) for month, cents in months.items()}, rounded(sum(year), since)


def rounded(cents, number) -> Decimal:
    return (Decimal(cents) / number / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def dated(rows) -> dict:
    return {FIRST + timedelta(days=day): Decimal(cents) / 100 for day, cents in rows.items()}


@given(st.lists(lives(), min_size=1, max_size=3))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_averages_equal_a_naive_recomputation_with_gaps_and_late_rows(client_of, drawn):
    with transaction.atomic():
        branch = BranchFactory()
        client = client_of(branch)
        people = []
        for opened, rows, _late in drawn:
            day = None if opened is None else FIRST + timedelta(days=opened)
            people.append(CustomerFactory(branch=branch, opened_on=day))
            daily_assets(people[-1], dated(rows))
        ends = [day for day in (FIRST + timedelta(days=n) for n in range(SPAN)) if is_month_end(day)]
        for day in [*ends, LAST]:
            average_branch(branch_id=branch.pk, on=day)
        assert_naive(people, [(opened, rows) for opened, rows, _late in drawn])

        for customer, (_opened, _rows, late) in zip(people, drawn, strict=True):
            send(client, customer, dated(late))
        average_branch(branch_id=branch.pk, on=LAST)
        assert_naive(people, [(opened, rows | late) for opened, rows, late in drawn])
        transaction.set_rollback(True)


def assert_naive(people, lived):
    for customer, (opened, rows) in zip(people, lived, strict=True):
        months, year = naive(opened, rows)
        kept = dict(MonthlyAsset.objects.filter(customer=customer).values_list("month", "month_avg"))
        customer.refresh_from_db()
        assert kept == months
        assert customer.year_avg == year
