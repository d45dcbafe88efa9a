"""Months out of days, by the definitions that `customers.averages.average_branch` holds to. Pure numpy, cents."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from vipcrm.demo.money import History

FIGURES = ("balances", "month_avg", "year_avg", "month_end", "last7_avg", "lowest", "highest", "inflow", "outflow")


@dataclass
class Month:
    """One month of the customers who had an account in it.

    `who`: (k,) places of the customers; `days`: (k,) divisors; `figures`: {name: (k,) cents};
    `kinds`: (10, k) cents of the last day; `day_cents`: (k, days of the month) once the month is over, else None.
    """

    month: date
    who: np.ndarray
    days: np.ndarray
    figures: dict
    kinds: np.ndarray
    day_cents: np.ndarray | None


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
    kept = []
    place = {month: index for index, month in enumerate(history.months)}
    for month, start, after in bounds:
        if month not in place:
            continue
        days = np.where(opened >= start, after - opened, after - start)
        there = opened < after
        balances = history.totals[start:after].sum(axis=0)
        figures = movement(history, start, after, opened)
        figures["balances"] = balances
        figures["month_avg"] = np.where(there, rounded(balances, np.where(there, days, 1)), 0)
        figures["year_avg"] = year_average(history, after, opened)
        who = np.nonzero(there)[0]
        kept.append(
            Month(
                month=month,
                who=who,
                days=days[who],
                figures={name: figures[name][who] for name in FIGURES},
                kinds=history.month_end[:, place[month], who],
                day_cents=history.totals[start:after, who].T if history.day(after).day == 1 else None,
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


def year_average(history: History, after: int, opened):
    """Return the average of the last 365 days, or of those since opening."""
    total = history.totals[max(0, after - 365) : after].sum(axis=0)
    return rounded(total, np.minimum(365, np.maximum(1, after - np.maximum(opened, after - 365))))
