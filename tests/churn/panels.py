"""Small invented money for the tests of churn: arrays for the pure parts, rows for the database."""

from datetime import date, timedelta

import numpy as np

from churn import features
from churn.facts import Facts
from customers.assets import ensure_partitions
from customers.models import DailyAsset, MonthlyAsset

FLOOR = 100_000.0


def steady(n: int = 1, amount: float = 200_000.0, **changes) -> features.History:
    """Return n customers whose balance has not moved, with what a test changes."""
    level = np.full((n, features.BLOCKS), amount)
    values = {name: level.copy() for name in ("average", "end", "last7", "low", "high")}
    values |= {name: np.zeros((n, features.BLOCKS)) for name in ("inflow", "outflow")}
    values |= {"older": np.full((n, features.OLDER), amount), "month": np.full(n, 11), "floor": FLOOR}
    values |= {"kinds": {"demand": level.copy()}}
    return features.History(**(values | changes))


def feature(history: features.History, name: str) -> float:
    """Return one feature of the first customer."""
    return float(features.vector(history)[0, features.NAMES.index(name)])


def bank_of_months(n: int = 400, months: int = 24, seed: int = 3):
    """Return (n, months) month averages: most stay, some drain over months and are then gone, some go at once."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(120_000, 900_000, n)
    money = np.tile(level[:, None], (1, months)) * rng.normal(1, 0.03, (n, months))
    for customer in np.nonzero(rng.random(n) < 0.55)[0]:
        begins = rng.integers(4, months - 2)
        pace = rng.uniform(0.45, 0.85) if rng.random() < 0.75 else 0.05
        for month in range(begins, months):
            money[customer, month] = (
                money[customer, month - 1] * pace if month < begins + 6 else money[customer, begins]
            )
    return np.maximum(money, 500)


def write_months(customers, money, *, last: date) -> None:
    """Write month rows whose newest month ends on `last`."""
    count = money.shape[1]
    number = last.year * 12 + last.month - count
    firsts = [date((number + k) // 12, (number + k) % 12 + 1, 1) for k in range(count)]
    ensure_partitions(firsts[0], last)
    rows = []
    for place, customer in enumerate(customers):
        for k, first in enumerate(firsts):
            average = round(float(money[place, k]), 2)
            after = float(money[place, min(k + 1, count - 1)])
            end = round(average + 0.3 * (after - average), 2)
            step = average - (float(money[place, k - 1]) if k else average)
            rows.append(
                MonthlyAsset(
                    customer=customer, month=first, days=30, balances=round(30 * average, 2), month_avg=average, year_avg=average,
                    month_end=end, last7_avg=end, lowest=min(average, end), highest=max(average, end), inflow=max(round(step, 2), 0),
                    outflow=max(round(-step, 2), 0), demand=end,
                )
            )  # fmt: skip
    MonthlyAsset.objects.bulk_create(rows, batch_size=5000)


def write_days(customer, on: date, amounts) -> None:
    """Write end-of-day balances of which the last is that of `on`."""
    first = on - timedelta(days=len(amounts) - 1)
    ensure_partitions(first, on)
    DailyAsset.objects.bulk_create(
        DailyAsset(customer=customer, data_date=first + timedelta(days=n), demand=amount)
        for n, amount in enumerate(amounts)
    )


def facts_of(ids, **tables) -> Facts:
    """Return facts from lists: facts_of([1], contacts=[(1, on, entered, voided)])."""
    columns = {
        "people": ("customer", "opened", "born"),
        "holdings": ("customer", "amount", "opened", "matures"),
        "contacts": ("customer", "on", "entered", "voided"),
        "watches": ("customer", "on", "begins"),
        "managers": ("customer", "start"),
    }
    given = {
        name: dict(zip(columns[name], np.array(rows, float).reshape(-1, len(columns[name])).T, strict=True))
        for name, rows in tables.items()
    }
    return Facts(ids=np.array(ids, float), **given)
