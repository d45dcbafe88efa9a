"""Simulate the money of a chunk of invented customers up to the data date. Pure numpy: no database, no clock."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from customers.models import ASSET_KINDS
from vipcrm.demo.leaving import Leaving
from vipcrm.demo.purses import Purses
from vipcrm.demo.traits import Traits, draw_traits

MONTHS = 30
DAYS = 100
WARM_UP = 365


def months_until(last: date, count: int = MONTHS) -> list[date]:
    """Return the first days of `count` months, the last of them that of `last`."""
    number = last.year * 12 + last.month - 1
    return [date((number - back) // 12, (number - back) % 12 + 1, 1) for back in reversed(range(count))]


@dataclass
class History:
    """What became of n customers' money, in cents.

    `totals`: (all simulated days, n) AUM; `daily`: (10, DAYS, n) by kind; `month_end`: (10, MONTHS, n);
    `begins`: the first simulated day; `opened`: (n,) day of opening, negative before the simulation.
    """

    begins: date
    last: date
    traits: Traits
    purses: Purses
    totals: np.ndarray
    daily: np.ndarray
    month_end: np.ndarray
    months: list

    @property
    def opened(self):
        return self.traits.opened

    def day(self, index) -> date:
        return self.begins + timedelta(days=int(index))


def draw_markets(rng, days: int) -> np.ndarray:
    """Return (days, 2) returns of funds and gold, the same for every customer of the bank."""
    return np.stack([rng.normal(0.0001, 0.0065, days), rng.normal(0.0004, 0.008, days)], axis=1)


def simulate(rng, n: int, *, last: date, markets) -> History:
    """Live through every day from a year before the first month up to `last`.

    Args:
        markets: (days, 2) of `draw_markets`, at least as long as the simulation.
    """
    months = months_until(last)
    begins = months[0] - timedelta(days=WARM_UP)
    days = (last - begins).days + 1
    traits = draw_traits(rng, n, days=days, warm_up=WARM_UP)
    purses = Purses(rng, traits)
    leaving = Leaving(rng, purses)
    totals = np.zeros((days, n), np.int64)
    daily = np.zeros((len(ASSET_KINDS), DAYS, n), np.int64)
    month_end = np.zeros((len(ASSET_KINDS), MONTHS, n), np.int64)
    place = {month: index for index, month in enumerate(months)}
    here = np.where(traits.opened < 0, 1.0, 0.0)
    purses.open_accounts(np.nonzero(traits.opened < 0)[0], 0, settled=True)
    for day in range(days):
        on = begins + timedelta(days=day)
        arriving = np.nonzero(traits.opened == day)[0]
        here[arriving] = 1.0
        purses.open_accounts(arriving, day, settled=False)
        draws = rng.random((4, n), dtype=np.float32)
        purses.live(day, on, here, draws, markets[day] if on.weekday() < 5 else np.zeros(2))
        leaving.step(day, on.month, here, draws[2], purses.mature(day))
        purses.invest(day, draws[3])
        cents = purses.cents()
        totals[day] = cents.sum(axis=0)
        if day >= days - DAYS:
            daily[:, day - (days - DAYS)] = cents
        index = place.get(on.replace(day=1))
        if index is not None and (on == last or (on + timedelta(days=1)).day == 1):
            month_end[:, index] = cents
    return History(begins, last, traits, purses, totals, daily, month_end, months)
