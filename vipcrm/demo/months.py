"""Months out of days, by the definitions that `customers.assets.average_branch` holds to. Pure numpy, cents."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from vipcrm.demo.money import History

FIGURES = ("month_avg", "year_avg", "month_end", "last7_avg", "lowest", "highest", "inflow", "outflow")


@dataclass
class Month:
    """One month of the customers who had an account in it.

    `who`: (k,) places of the customers; `days`: (k,) divisors; `figures`: {name: (k,) cents};
    `kinds`: (10, k) cents of the last day.
    """

    month: date
    who: np.ndarray
    days: np.ndarray
    figures: dict
    kinds: np.ndarray


def rounded(total, count):
    """Return total ÷ count in whole cents, halves up as the database rounds."""
    return (2 * total + count) // (2 * count)


def month_bounds(history: History) -> list[tuple[date, int, int]]:
    """Return (first day, index of its first simulated day, index after its last) of every simulated month."""
    bounds, start = [], 0
    for day in range(1, len(history.totals) + 1):
        if day == len(history.totals) or history.day(day).day == 1:
            bounds.append((history.day(start).replace(day=1), start, day))
            start = day
    return bounds


def summarise(history: History) -> list[Month]:
    """Return the months that the bank keeps, oldest first; the last one over its days so far."""
    bounds = month_bounds(history)
    opened = np.maximum(history.opened, -1)
    averages, divisors, summed, kept = {}, {}, {}, []
    place = {month: index for index, month in enumerate(history.months)}
    for month, start, after in bounds:
        days = np.where(opened >= start, after - opened, after - start)
        there = opened < after
        balances = history.totals[start:after].sum(axis=0)
        divisors[month] = np.where(there, days, 1)
        averages[month] = np.where(there, rounded(balances, divisors[month]), 0)
        summed[month] = balances
        if month not in place:
            continue
        figures = movement(history, start, after, opened)
        figures["month_avg"] = averages[month]
        figures["year_avg"] = year_average(bounds, averages, divisors, balances, month, after, opened, history)
        who = np.nonzero(there)[0]
        kept.append(
            Month(
                month=month,
                who=who,
                days=days[who],
                figures={name: figures[name][who] for name in FIGURES},
                kinds=history.month_end[:, place[month], who],
            )
        )
    return kept


def movement(history, start: int, after: int, opened) -> dict:
    """Return how AUM moved within a month: day-to-day rises and falls, extremes, the last seven days."""
    days = history.totals[start:after]
    before = history.totals[start - 1 : after - 1]
    index = np.arange(start, after)[:, None]
    there, moved = index >= opened, index > opened
    change = np.where(moved, days - before, 0)
    last7 = max(start, after - 7)
    count = np.maximum(np.minimum(after - last7, after - np.maximum(opened, 0)), 1)
    return {
        "month_end": days[-1],
        "last7_avg": rounded(history.totals[last7:after].sum(axis=0), count),
        "lowest": np.where(there, days, np.iinfo(np.int64).max).min(axis=0),
        "highest": days.max(axis=0),
        "inflow": np.where(change > 0, change, 0).sum(axis=0),
        "outflow": -np.where(change < 0, change, 0).sum(axis=0),
    }


def year_average(bounds, averages, divisors, balances, month, after: int, opened, history):
    """Return the average of the last 365 days: whole months by average times days, this month by its balances."""
    begins = after - 365
    total = balances.copy()
    for earlier, start, end in bounds:
        if end <= begins or earlier >= month:
            continue
        days = end - begins if start <= begins else divisors[earlier]
        total += averages[earlier] * np.where(opened < end, days, 0)
    return rounded(total, np.minimum(365, np.maximum(1, after - np.maximum(opened, after - 365))))
