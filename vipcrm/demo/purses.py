"""The balances of n invented customers on one day, and what moves them: pay, spending, markets, maturities.

Arrays are (customers,) unless said otherwise, money in yuan, days counted from the first simulated day.
Why people leave is in `vipcrm.demo.leaving`.
"""

from datetime import date

import numpy as np

from customers.models import ASSET_KINDS
from vipcrm.demo.catalogue import ITEMS, TERM_ITEMS
from vipcrm.demo.traits import NEVER, OWNER, SIDES, Traits

LOTS = 6
"""Term products that one customer can hold at a time."""

ROW = {kind: row for row, kind in enumerate(ASSET_KINDS)}
KIND_OF = np.array([ROW[item.kind] if item.kind else -1 for item in ITEMS])
RATE = np.array([item.rate or 0.0 for item in ITEMS])
TERM = np.array([item.term or 0 for item in ITEMS])
MINIMUM = np.array([item.minimum for item in ITEMS])
SIDE_ROWS = np.array([ROW[kind] for kind in SIDES])
TERM_WEIGHT = np.array([3, 5, 11, 5, 8, 8, 3, 4, 2, 5, 8, 9, 6, 2, 1, 1.2, 1.0])
"""How often each of TERM_ITEMS is chosen, as far as the amount reaches its minimum."""


class Purses:
    """State of the money of n customers; `kinds` is (10, n) in the order of ASSET_KINDS and adds up to AUM."""

    def __init__(self, rng, traits: Traits):
        self.rng, self.traits = rng, traits
        n = self.n = len(traits.anchor)
        self.kinds = np.zeros((len(ASSET_KINDS), n))
        self.side = np.zeros((len(SIDES), n))
        self.amount = np.zeros((LOTS, n))
        self.item = np.full((LOTS, n), -1, np.int16)
        self.since = np.full((LOTS, n), NEVER)
        self.until = np.full((LOTS, n), NEVER)
        self.pay = traits.pay.copy()
        self.invests = np.ones(n, bool)
        self.ended = []
        """Closed lots: (customers, items, amounts, opened, closed), arrays of equal length."""

    # --- opening and looking ------------------------------------------------------------------
    def open_accounts(self, who, day: int, *, settled: bool):
        """Give these customers their first money; `settled` ones have term products of all ages already."""
        if not len(who):
            return
        traits, rng = self.traits, self.rng
        wealth = traits.anchor[who] * rng.uniform(0.75, 1.1, len(who))
        self.side[:, who] = np.round(traits.mix[:, who] * wealth, 2)
        rest = wealth - self.side[:, who].sum(axis=0)
        cash = rest * np.clip(traits.liquid[who] * rng.uniform(0.6, 1.4, len(who)), 0.02, 0.95)
        self.kinds[0, who] = np.round(cash, 2)
        term = rest - cash
        lots = np.clip(np.floor(np.log2(np.maximum(wealth, 1) / 22_000)), 1, 4).astype(int)
        weights = rng.random((LOTS, len(who))) + 0.15
        weights[np.arange(LOTS)[:, None] >= rng.integers(1, lots + 1)] = 0
        parts = weights / weights.sum(axis=0) * term
        for lot in range(LOTS):
            has = parts[lot] >= 1_000
            self.open_lots(who[has], parts[lot][has], day, aged=settled)
        placed = self.amount[:, who].sum(axis=0)
        self.kinds[0, who] += np.round(np.maximum(term - placed, 0), 2)
        self.refresh_kinds()

    def refresh_kinds(self):
        """Rebuild all rows but demand from sides and lots."""
        self.kinds[1:] = 0
        np.add.at(self.kinds, SIDE_ROWS, self.side)
        for lot in range(LOTS):
            held = np.nonzero(self.item[lot] >= 0)[0]
            np.add.at(self.kinds, (KIND_OF[self.item[lot, held]], held), self.amount[lot, held])

    def cents(self) -> np.ndarray:
        """Return (10, n) balances in whole cents."""
        return np.rint(self.kinds * 100).astype(np.int64)

    @property
    def aum(self) -> np.ndarray:
        return self.kinds.sum(axis=0)

    # --- term products ------------------------------------------------------------------------
    def open_lots(self, who, amounts, day: int, *, aged: bool = False):
        """Put money (not yet taken from demand) into a term product of each; those without a free lot keep it."""
        free = (self.item[:, who] < 0).argmax(axis=0)
        usable = self.item[free, who] < 0
        who, free, amounts = who[usable], free[usable], amounts[usable]
        rounding = np.where(amounts > 20_000, 10_000, 1_000)
        amounts = np.floor(amounts / rounding) * rounding
        keep = amounts >= 1_000
        who, free, amounts = who[keep], free[keep], amounts[keep]
        if not len(who):
            return amounts, who
        items = self.choose_items(amounts)
        age = (self.rng.random(len(who)) * TERM[items]).astype(int) if aged else 0
        self.amount[free, who] = amounts
        self.item[free, who] = items
        self.since[free, who] = day - age
        self.until[free, who] = day - age + TERM[items]
        np.add.at(self.kinds, (KIND_OF[items], who), amounts)
        return amounts, who

    def choose_items(self, amounts) -> np.ndarray:
        """Return a term product for each amount, of those whose minimum it reaches; small sums go to deposits."""
        term = np.array(TERM_ITEMS)
        reachable = amounts[:, None] >= MINIMUM[term][None, :]
        weights = TERM_WEIGHT[None, :] * reachable
        total = weights.cumsum(axis=1)
        pick = self.rng.random(len(amounts)) * total[:, -1]
        return term[(total < pick[:, None]).sum(axis=1).clip(0, len(term) - 1)]

    def close_lots(self, lots, who, day: int, *, interest: bool):
        """Move these lots to demand, with their interest when they ran to the end."""
        items, amounts = self.item[lots, who].copy(), self.amount[lots, who].copy()
        self.ended.append((who.copy(), items, amounts, self.since[lots, who].copy(), np.full(len(who), day)))
        np.add.at(self.kinds, (KIND_OF[items], who), -amounts)
        gain = amounts * RATE[items] / 100 * TERM[items] / 365 if interest else 0
        np.add.at(self.kinds, (0, who), np.round(amounts + gain, 2))
        self.item[lots, who] = -1
        self.amount[lots, who] = 0
        self.until[lots, who] = NEVER
        return items, amounts

    def mature(self, day: int):
        """Close what falls due; return (customers, amounts)."""
        lots, who = np.nonzero(self.until == day)
        if not len(who):
            return who, np.zeros(0)
        _, amounts = self.close_lots(lots, who, day, interest=True)
        return who, amounts

    def invest(self, day: int, chance):
        """Let some of those with idle cash put it into a term product."""
        idle = self.kinds[0] - self.traits.liquid * self.traits.anchor
        keen = (chance < self.traits.eager) & self.invests & (idle > np.maximum(12_000, 0.09 * self.traits.anchor))
        who = np.nonzero(keen)[0]
        if len(who):
            amounts, who = self.open_lots(who, idle[who] * self.rng.uniform(0.6, 1.0, len(who)), day)
            self.kinds[0, who] -= amounts

    def withdraw(self, who, amounts, day: int) -> np.ndarray:
        """Take money out: from demand, then by breaking lots, then from funds; return what could be had."""
        need = np.minimum(amounts, self.kinds[:, who].sum(axis=0))
        for lot in range(LOTS):
            short = (self.kinds[0, who] < need) & (self.item[lot, who] >= 0)
            if short.any():
                self.close_lots(np.full(short.sum(), lot), who[short], day, interest=False)
        for side in (4, 0, 3, 2):
            missing = np.maximum(need - self.kinds[0, who], 0)
            moved = np.minimum(missing, self.side[side, who])
            self.side[side, who] -= moved
            self.kinds[SIDE_ROWS[side], who] -= moved
            self.kinds[0, who] += moved
        paid = np.floor(np.minimum(need, self.kinds[0, who]) * 100) / 100
        self.kinds[0, who] -= paid
        return paid

    # --- a plain day --------------------------------------------------------------------------
    def live(self, day: int, on: date, here, draws, market):
        """Pay in, spend, trade and mark to market; `here`: 1 where the account is open, `draws`: (3, n) in 0–1."""
        traits, demand = self.traits, self.kinds[0]
        paid = traits.pay_day == on.day
        demand += np.where(paid, self.pay, 0) * here
        if on.timetuple().tm_yday <= 48:
            demand += np.where(traits.bonus_day == on.timetuple().tm_yday, traits.bonus, 0) * here * (self.pay > 0)
        festive = 1.5 if (on.month, on.day // 16) in ((1, 1), (2, 0), (9, 1), (12, 1)) else 0.95
        spend = traits.spend / 30 * festive * 2 * draws[0]
        spend = np.minimum(spend, demand * 0.2)
        trade = np.nonzero((traits.walk == OWNER) & (draws[1] < 0.22) & (here > 0))[0]
        demand -= np.floor(spend * here * 100) / 100
        if len(trade):
            size = traits.anchor[trade] * self.rng.gamma(1.4, 0.018, len(trade))
            inward = self.rng.random(len(trade)) < np.where(
                demand[trade] > traits.liquid[trade] * traits.anchor[trade], 0.4, 0.62
            )
            demand[trade] += np.round(np.where(inward, size, -np.minimum(size, demand[trade] * 0.4)), 2)
        self.mark_to_market(day, market)

    def mark_to_market(self, day: int, market):
        """Move funds and gold by the day's (2,) returns on working days of the market."""
        if not market.any():
            return
        for side, move in ((0, market[0]), (2, market[1])):
            change = np.round(self.side[side] * move, 2)
            self.side[side] += change
            self.kinds[SIDE_ROWS[side]] += change
