"""What is known of a customer on a day, as one vector of numbers. Pure numpy: no database, no clock.

The money of the last 90 days comes as three blocks of 30 days, the newest first; at a month's end the
three calendar months take their place, so that training on month rows and scoring on daily
rows use the same vector. Flows are scaled to 30 days. Sex, health and family are not features.
Source: domain.md §14; ratios to the customer's own 90-day average carry most of what can be foreseen.
"""

from dataclasses import dataclass, field

import numpy as np

BLOCKS = 3
OLDER = 9
"""Calendar months before the blocks whose averages are looked at."""

HISTORY_DAYS = 90
"""Days of history that a customer must have to be scored."""

TERM_KINDS = ("time_deposit", "structured", "wealth", "bond", "trust")
"""Kinds that mature; what falls due is never more than they hold."""

INVESTED_KINDS = ("fund", "insurance", "gold")

NEVER_CONTACTED = 180
"""Days from which it makes no difference how long ago the last valid contact was."""

FEATURES = {
    "end_to_base": "fall",
    "last7_to_base": "fall",
    "block_to_base": "fall",
    "low_to_base": "fall",
    "end_to_month_ago": "fall",
    "end_to_two_months_ago": "fall",
    "last7_to_block": "fall",
    "first_step": "trend",
    "second_step": "trend",
    "falling_blocks": "trend",
    "base_to_quarter_before": "trend",
    "end_to_peak": "peak",
    "end_to_high": "peak",
    "outflow_0": "outflow",
    "outflow_1": "outflow",
    "outflow_2": "outflow",
    "net_flow": "outflow",
    "inflow_0": "inflow",
    "inflow_to_usual": "inflow",
    "swing_of_year": "swings",
    "range_0": "swings",
    "demand_share": "cash",
    "demand_rise": "cash",
    "due_30": "maturity",
    "matured_30": "maturity",
    "term_share": "maturity",
    "kinds_held": "breadth",
    "kinds_lost": "breadth",
    "invested_share": "breadth",
    "days_since_contact": "contact",
    "manager_changed": "contact",
    "size": "relation",
    "tenure": "relation",
    "age": "relation",
    "on_watch": "relation",
    "season_sin": "season",
    "season_cos": "season",
}
"""Each feature with the reason (`churn.reasons`) that it counts towards, in the order of the vector."""

NAMES = tuple(FEATURES)

_LOWERS = (
    "end_to_base", "last7_to_base", "block_to_base", "low_to_base", "end_to_month_ago", "end_to_two_months_ago",
    "last7_to_block", "first_step", "second_step", "base_to_quarter_before", "end_to_peak", "end_to_high", "net_flow",
    "inflow_0", "inflow_to_usual", "kinds_held", "invested_share", "tenure",
)  # fmt: skip
_RAISES = (
    "falling_blocks", "outflow_0", "outflow_1", "outflow_2", "swing_of_year", "range_0", "demand_share", "demand_rise",
    "due_30", "matured_30", "kinds_lost", "days_since_contact", "manager_changed", "on_watch",
)  # fmt: skip
DIRECTIONS = dict.fromkeys(_LOWERS, -1) | dict.fromkeys(_RAISES, 1)
"""Which way a feature may push: +1 more can only raise the risk, −1 only lower it; the others are free."""


@dataclass
class History:
    """The money and the facts of n customers as known on one day; money in yuan, missing is NaN.

    `average`, `end`, `last7`, `low`, `high`, `inflow`, `outflow`: (n, 3), newest block first; `older`:
    (n, 9) averages of the months before; `kinds`: kind → (n, 3) balance at the end of each block;
    `due`, `matured`: (n,) falling due in the 30 days after, fallen due in the 30 days up to the day;
    `tenure_days`, `age` in years, `contact_days` since the last valid contact (NaN where the records do not say), `on_watch`,
    `manager_changes` within 180 days: (n,); `month`: (n,) 1–12; `floor`: yuan from which a customer is VIP.
    """

    average: np.ndarray
    end: np.ndarray
    last7: np.ndarray
    low: np.ndarray
    high: np.ndarray
    inflow: np.ndarray
    outflow: np.ndarray
    older: np.ndarray
    month: np.ndarray
    floor: float
    kinds: dict[str, np.ndarray] = field(default_factory=dict)
    due: np.ndarray | None = None
    matured: np.ndarray | None = None
    tenure_days: np.ndarray | None = None
    age: np.ndarray | None = None
    contact_days: np.ndarray | None = None
    on_watch: np.ndarray | None = None
    manager_changes: np.ndarray | None = None

    @property
    def base(self) -> np.ndarray:
        """Return the 90-day average: (n,), NaN where a block is missing."""
        return self.average.mean(axis=1)

    @property
    def is_vip(self) -> np.ndarray:
        """Say who reaches the floor of gold by the 90-day average: (n,)."""
        return self.base >= self.floor

    def take(self, rows) -> "History":
        """Return the history of some of the customers: a mask or places."""
        picked = {name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        kinds = {kind: value[rows] for kind, value in self.kinds.items()}
        return History(**(vars(self) | picked | {"kinds": kinds}))


def vector(history: History) -> np.ndarray:
    """Return (n, len(NAMES)) features, float64; NaN only where the fact itself is not known.

    Shares of money are of the customer's 90-day average unless the name says otherwise.
    """
    columns = _levels(history) | _flows(history) | _composition(history) | _circumstances(history)
    return np.column_stack([columns[name] for name in NAMES])


def _ratio(part, whole, *, top: float = 3.0, unknown: float = 1.0) -> np.ndarray:
    """Return part ÷ whole, cut to [0, top]; `unknown` where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(whole >= 1, part / whole, unknown)
    return np.clip(np.where(np.isnan(ratio), unknown, ratio), 0, top)


def _levels(history: History) -> dict:
    """Where the balance stands against the customer's own past."""
    base, average, end = history.base, history.average, history.end
    course = np.column_stack([average, history.older])
    with np.errstate(invalid="ignore"):
        peak = np.fmax.reduce(course, axis=1)
        quarter_before = _mean_known(history.older[:, :3])
        mean = _mean_known(course)
        spread = np.sqrt(_mean_known((course - mean[:, None]) ** 2))
    return {
        "end_to_base": _ratio(end[:, 0], base),
        "last7_to_base": _ratio(history.last7[:, 0], base),
        "block_to_base": _ratio(average[:, 0], base),
        "low_to_base": _ratio(history.low[:, 0], base),
        "end_to_month_ago": _ratio(end[:, 0], end[:, 1]),
        "end_to_two_months_ago": _ratio(end[:, 0], end[:, 2]),
        "last7_to_block": _ratio(history.last7[:, 0], average[:, 0]),
        "first_step": _ratio(average[:, 0], average[:, 1]),
        "second_step": _ratio(average[:, 1], average[:, 2]),
        "falling_blocks": falling_blocks(course),
        "base_to_quarter_before": _ratio(base, quarter_before),
        "end_to_peak": _ratio(end[:, 0], peak),
        "end_to_high": _ratio(end[:, 0], history.high.max(axis=1)),
        "swing_of_year": _ratio(spread, mean, unknown=0.0),
        "range_0": _ratio(history.high[:, 0] - history.low[:, 0], base, unknown=0.0),
    }


def _mean_known(values) -> np.ndarray:
    """Return the mean of each row's known values; NaN where none is known."""
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def falling_blocks(course) -> np.ndarray:
    """Return how many of the newest averages in a row lie below the one before, at most 5: (n,)."""
    with np.errstate(invalid="ignore"):
        falls = course[:, :5] < course[:, 1:6] * 0.995
    return np.cumprod(falls, axis=1).sum(axis=1).astype(float)


def _flows(history: History) -> dict:
    """Money in and out, as shares of the 90-day average."""
    base, inflow, outflow = history.base, history.inflow, history.outflow
    usual = inflow[:, 1:].mean(axis=1)
    net = _ratio(inflow[:, 0], base, unknown=0.0) - _ratio(outflow[:, 0], base, unknown=0.0)
    return {
        "outflow_0": _ratio(outflow[:, 0], base, unknown=0.0),
        "outflow_1": _ratio(outflow[:, 1], base, unknown=0.0),
        "outflow_2": _ratio(outflow[:, 2], base, unknown=0.0),
        "net_flow": net,
        "inflow_0": _ratio(inflow[:, 0], base, unknown=0.0),
        "inflow_to_usual": _ratio(inflow[:, 0], np.where(usual >= 0.005 * base, usual, 0.0)),
    }


def _composition(history: History) -> dict:
    """What the money lies in, what of it falls due."""
    base, end, n = history.base, history.end[:, 0], len(history.end)
    nothing = np.zeros((n, BLOCKS))
    demand = history.kinds.get("demand", nothing)
    term = sum((history.kinds[kind] for kind in TERM_KINDS if kind in history.kinds), nothing)
    invested = sum((history.kinds[kind] for kind in INVESTED_KINDS if kind in history.kinds), nothing)
    held = np.zeros((n, BLOCKS)) + sum((balance >= 1 for balance in history.kinds.values()), nothing)
    due = np.zeros(n) if history.due is None else np.minimum(history.due, term[:, 0])
    matured = np.zeros(n) if history.matured is None else history.matured
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.where(base >= 1, (demand[:, 0] - demand[:, 1]) / base, 0)
    return {
        "demand_share": _ratio(demand[:, 0], end, top=1, unknown=0.0),
        "demand_rise": np.clip(np.where(np.isnan(rise), 0, rise), -2, 2),
        "due_30": _ratio(due, base, top=1.5, unknown=0.0),
        "matured_30": _ratio(matured, base, top=1.5, unknown=0.0),
        "term_share": _ratio(term[:, 0], end, top=1, unknown=0.0),
        "kinds_held": held[:, 0],
        "kinds_lost": held[:, 2] - held[:, 0],
        "invested_share": _ratio(invested[:, 0], end, top=1, unknown=0.0),
    }


def _circumstances(history: History) -> dict:
    """What is not money: contact, relation, season."""
    n = len(history.end)
    unknown = np.full(n, np.nan)
    contact = unknown if history.contact_days is None else history.contact_days
    tenure = unknown if history.tenure_days is None else history.tenure_days
    angle = 2 * np.pi * (history.month - 1) / 12
    return {
        "days_since_contact": np.minimum(contact, NEVER_CONTACTED),
        "manager_changed": np.zeros(n) if history.manager_changes is None else (history.manager_changes > 0) * 1.0,
        "size": np.log(np.maximum(history.base, 1) / history.floor),
        "tenure": np.log1p(np.maximum(tenure, 0) / 365.25),
        "age": unknown if history.age is None else history.age,
        "on_watch": np.zeros(n) if history.on_watch is None else history.on_watch * 1.0,
        "season_sin": np.sin(angle),
        "season_cos": np.cos(angle),
    }


def left(future, base, *, threshold: float) -> np.ndarray:
    """Return the label: 1 left, 0 stayed, NaN not to be known, (n,).

    Args:
        future: (n, m) averages of the 30-day periods (months) after the day; NaN where missing.
        base: (n,) the 90-day average up to the day.
        threshold: left is who falls to this share of `base` or below in any period.
    Source: domain.md §14, "Model label".
    """
    with np.errstate(invalid="ignore"):
        gone = (future <= threshold * base[:, None]).any(axis=1)
    known = gone | ~np.isnan(future).any(axis=1)
    return np.where(known, gone * 1.0, np.nan)
