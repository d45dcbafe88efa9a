"""From the tables to arrays: a branch on the morning after a day, and a sample of the bank over its months."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import connection

from churn import features
from churn.columns import EPOCH_DAY, read_columns
from churn.facts import Facts
from customers.assets import month_start
from customers.models import ASSET_KINDS, Tier, TierRule

FIGURES = {
    "average": "month_avg",
    "end": "month_end",
    "last7": "last7_avg",
    "low": "lowest",
    "high": "highest",
    "inflow": "inflow",
    "outflow": "outflow",
}
"""Figures of a block and the columns of MonthlyAsset that hold them."""

FULL_MONTH_DAYS = 28
"""A customer's month with fewer days counted (the opening month) is not a whole block."""

MIN_BLOCK_DAYS = 25
"""Days of a 30-day block that must have a balance."""


def vip_floor(on: date) -> float:
    """Return the month average in yuan from which a customer is VIP: gold's floor."""
    return float(TierRule.objects.floors(on)[Tier.GOLD])


# --- a branch on one night -----------------------------------------------------------------------------


@dataclass
class Night:
    """Customers of a branch with 90 days of history: `ids` (n,), their `history`, today's `aum`, one-day `fall`: yuan (n,)."""

    ids: np.ndarray
    history: features.History
    aum: np.ndarray
    fall: np.ndarray


def read_night(*, branch_id: int, on: date) -> Night:
    """Return what is known of a branch's customers at the end of a day."""
    rows = read_columns(_DAYS, {"branch": branch_id, "on": on, "first": on - timedelta(days=90)}, _DAY_COLUMNS)
    ids = np.unique(rows["id"])
    place, block = np.searchsorted(ids, rows["id"]), rows["block"].astype(int)
    blocks = {}
    for name in (*FIGURES, *ASSET_KINDS, "days", "fall"):
        blocks[name] = np.full((len(ids), features.BLOCKS), np.nan)
        blocks[name][place, block] = rows[name]
    for earlier in ("last7", "average"):  # a day without a balance at the end of a block
        blocks["end"] = np.where(np.isnan(blocks["end"]), blocks[earlier], blocks["end"])
    scored = (blocks["days"] >= MIN_BLOCK_DAYS).all(axis=1) & (blocks["average"] > 0).any(axis=1)
    history = features.History(
        **{name: blocks[name] for name in FIGURES},
        kinds={kind: np.nan_to_num(blocks[kind]) for kind in ASSET_KINDS},
        older=_older_averages(branch_id, on, ids),
        month=np.full(len(ids), on.month),
        floor=vip_floor(on),
        **_facts(ids, _of_branch(branch_id), on).on(on.toordinal()),
    ).take(scored)
    return Night(ids[scored].astype(np.int64), history, history.end[:, 0], blocks["fall"][scored, 0])


_DAY_COLUMNS = ("id", "block", *FIGURES, "days", "fall", *ASSET_KINDS)
_DAYS = f"""
WITH days AS (
    SELECT d.customer_id AS id, %(on)s::date - d.data_date AS back, d.total::float8 AS total,
           {", ".join(f"d.{kind}" for kind in ASSET_KINDS)},
           d.total::float8 - lag(d.total::float8) OVER (PARTITION BY d.customer_id ORDER BY d.data_date) AS change
    FROM customers_dailyasset d JOIN customers_customer c ON c.id = d.customer_id
    WHERE c.branch_id = %(branch)s AND d.data_date BETWEEN %(first)s AND %(on)s
)
SELECT id, back / 30 AS block, avg(total) AS average, max(total) FILTER (WHERE back %% 30 = 0) AS end,
       avg(total) FILTER (WHERE back %% 30 < 7) AS last7, min(total) AS low, max(total) AS high,
       coalesce(sum(greatest(change, 0)), 0) AS inflow, coalesce(-sum(least(change, 0)), 0) AS outflow,
       count(*) AS days, max(-change) FILTER (WHERE back = 0) AS fall,
       {", ".join(f"max({kind}) FILTER (WHERE back %% 30 = 0) AS {kind}" for kind in ASSET_KINDS)}
FROM days WHERE back < 90 GROUP BY id, back / 30
"""


def _older_averages(branch_id: int, on: date, ids) -> np.ndarray:
    """Return the averages of the whole months before the last 90 days: (n, 9), newest first."""
    newest = month_start(month_start(on - timedelta(days=89)) - timedelta(days=1))
    oldest = months_before(newest, features.OLDER - 1)
    rows = read_columns(
        f"""SELECT m.customer_id AS id, {_MONTH_NUMBER} AS number, m.month_avg AS average
            FROM customers_monthlyasset m JOIN customers_customer c ON c.id = m.customer_id
            WHERE c.branch_id = %(branch)s AND m.month BETWEEN %(oldest)s AND %(newest)s
            AND m.days >= {FULL_MONTH_DAYS}""",
        {"branch": branch_id, "oldest": oldest, "newest": newest},
        ("id", "number", "average"),
    )
    older = np.full((len(ids), features.OLDER), np.nan)
    known = np.isin(rows["id"], ids)
    back = month_number(newest) - rows["number"][known].astype(int)
    older[np.searchsorted(ids, rows["id"][known]), back] = rows["average"][known]
    return older


_MONTH_NUMBER = "(extract(year FROM m.month) * 12 + extract(month FROM m.month) - 1)"


def month_number(month: date) -> int:
    """Return a month's place in time: 12 a year."""
    return month.year * 12 + month.month - 1


def month_at(number: int) -> date:
    """Return the first day of the month of a number."""
    return date(number // 12, number % 12 + 1, 1)


def months_before(month: date, count: int) -> date:
    """Return the first day of the month that lies `count` months back."""
    return month_at(month_number(month) - count)


# --- what happened besides ------------------------------------------------------------------------------


def _of_branch(branch_id: int) -> tuple[str, dict]:
    return "c.branch_id = %(branch)s", {"branch": branch_id}


def _facts(ids, chosen: tuple[str, dict], on: date) -> Facts:
    """Read the events of the customers chosen by a condition on `c`, those known by a day."""
    condition, params = chosen
    params = params | {"on": on}

    def read(select: str, names: tuple) -> dict:
        table = read_columns(select.format(condition=condition), params, ("customer", *names))
        known = np.isin(table["customer"], ids)
        return {name: values[known] for name, values in table.items()}

    return Facts(
        ids=ids,
        people=read(_PEOPLE, ("opened", "born", "closed", "branch")),
        holdings=read(_HOLDINGS, ("amount", "opened", "matures")),
        contacts=read(_CONTACTS, ("on", "entered", "voided")),
        watches=read(_WATCHES, ("on", "begins")),
        managers=read(_MANAGERS, ("start",)),
    )


def _day(column: str) -> str:
    return EPOCH_DAY.format(column)


_PEOPLE = f"""
SELECT c.id AS customer, {_day("c.opened_on")} AS opened, {_day("c.birth_date")} AS born,
       (c.relation_status = 'closed')::int AS closed, c.branch_id AS branch
FROM customers_customer c WHERE {{condition}}
"""
# When a product was given back early is not recorded: one that ended and would fall due later is left out,
# and `features` lets no more fall due than the balances hold.
_HOLDINGS = f"""
SELECT c.id AS customer, h.amount, {_day("h.opened_on")} AS opened, {_day("h.matures_on")} AS matures
FROM customers_holding h JOIN customers_customer c ON c.id = h.customer_id
WHERE {{condition}} AND h.matures_on IS NOT NULL AND h.opened_on <= %(on)s
  AND (h.status = 'active' OR h.matures_on <= %(on)s)
"""
_CONTACTS = f"""
SELECT c.id AS customer, {_day("l.on")} AS on, {_day("l.entered_on")} AS entered,
       {_day("(l.voided_at AT TIME ZONE 'Asia/Shanghai')::date")} AS voided
FROM contacts_contactlog l JOIN customers_customer c ON c.id = l.customer_id
WHERE {{condition}} AND l.result <> 'not_reached' AND l.entered_on <= %(on)s
"""
_WATCHES = f"""
SELECT c.id AS customer, {_day("t.on")} AS on, (t.kind = 'watch')::int AS begins
FROM customers_tierchange t JOIN customers_customer c ON c.id = t.customer_id
WHERE {{condition}} AND t.kind IN ('watch', 'cleared', 'down', 'up') AND t.on <= %(on)s
"""
_MANAGERS = f"""
SELECT c.id AS customer, {_day("a.start")} AS start
FROM customers_assignment a JOIN customers_customer c ON c.id = a.customer_id
WHERE {{condition}} AND a.role = 'primary' AND a.start <= %(on)s
"""


# --- the bank's months ---------------------------------------------------------------------------------


@dataclass
class Months:
    """The month rows of n customers over T months: figures and kinds (n, T), NaN where there is no row.

    `branches` (n,) keys of their outlets today; `floors` yuan from gold up, in rising order.
    """

    ids: np.ndarray
    branches: np.ndarray
    first: int
    figures: dict[str, np.ndarray]
    kinds: dict[str, np.ndarray]
    facts: Facts
    floors: list[float]

    @property
    def floor(self) -> float:
        """Return the floor of gold, from which a customer is VIP."""
        return self.floors[0]

    @property
    def count(self) -> int:
        return self.figures["average"].shape[1]

    def end_of(self, place: int) -> date:
        """Return the last day of a month."""
        return month_at(self.first + place + 1) - timedelta(days=1)

    def history(self, place: int) -> features.History:
        """Return what was known at the end of a month; needs two months before it."""
        newest = [place, place - 1, place - 2]
        older = np.full((len(self.ids), features.OLDER), np.nan)
        for back in range(min(features.OLDER, place - 2)):
            older[:, back] = self.figures["average"][:, place - 3 - back]
        on = self.end_of(place)
        return features.History(
            **{name: values[:, newest] for name, values in self.figures.items()},
            kinds={kind: np.nan_to_num(values[:, newest]) for kind, values in self.kinds.items()},
            older=older,
            month=np.full(len(self.ids), on.month),
            floor=self.floor,
            **self.facts.on(on.toordinal()),
        )


MAX_CUSTOMERS = 10_000
"""Customers that training looks at; a larger bank is sampled by key."""

MAX_MONTHS = 60


def read_months(*, on: date) -> Months | None:
    """Return the whole months up to a day, of all customers or of a sample; None where there is none."""
    newest = month_start(on + timedelta(days=1)) - timedelta(days=1)
    oldest = months_before(newest, MAX_MONTHS - 1)
    chosen = _sample()
    rows = read_columns(
        _MONTH_ROWS.format(condition=chosen[0]),
        chosen[1] | {"oldest": oldest, "newest": month_start(newest)},
        ("id", "number", "days", *FIGURES, *ASSET_KINDS),
    )
    if not len(rows["id"]):
        return None
    ids = np.unique(rows["id"])
    first = int(rows["number"].min())
    at = np.searchsorted(ids, rows["id"]), rows["number"].astype(int) - first
    shape = (len(ids), month_number(newest) - first + 1)
    whole = rows["days"] >= FULL_MONTH_DAYS

    def laid_out(values):
        table = np.full(shape, np.nan)
        table[at] = np.where(whole, values, np.nan)
        return table

    figures = {name: laid_out(rows[name]) for name in FIGURES}
    for flow in ("inflow", "outflow"):  # a month of 31 days to 30
        figures[flow] = laid_out(rows[flow] * 30 / np.maximum(rows["days"], 1))
    kinds = {kind: laid_out(rows[kind]) for kind in ASSET_KINDS}
    facts = _facts(ids, chosen, on)
    _empty_after_closing(figures["average"], facts.of_people("closed") == 1)
    floors = sorted(float(floor) for tier, floor in TierRule.objects.floors(on).items() if tier >= Tier.GOLD)
    return Months(ids, facts.of_people("branch"), first, figures, kinds, facts, floors)


def _empty_after_closing(averages, closed) -> None:
    """Write 0 into the months after the last row of closed customers: their money has left."""
    last = averages.shape[1] - 1 - np.argmax(~np.isnan(averages[:, ::-1]), axis=1)
    after = np.arange(averages.shape[1])[None, :] > last[:, None]
    averages[after & closed[:, None]] = 0.0


_MONTH_ROWS = f"""
SELECT m.customer_id AS id, {_MONTH_NUMBER} AS number, m.days,
       {", ".join(f"m.{column} AS {name}" for name, column in FIGURES.items())},
       {", ".join(f"m.{kind}" for kind in ASSET_KINDS)}
FROM customers_monthlyasset m JOIN customers_customer c ON c.id = m.customer_id
WHERE {{condition}} AND m.month BETWEEN %(oldest)s AND %(newest)s
"""


def _sample() -> tuple[str, dict]:
    """Return the condition that keeps at most MAX_CUSTOMERS customers, always the same ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer")
        every = -(-cursor.fetchone()[0] // MAX_CUSTOMERS)
    if every <= 1:
        return "true", {}
    return "(hashint8(c.id) & 2147483647) %% %(every)s = 0", {"every": every}
