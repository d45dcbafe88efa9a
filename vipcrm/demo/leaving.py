"""Why and how money leaves the demo bank, and what merely looks like it.

Causes: a better rate elsewhere at a maturity, neglect, payroll that stops, a house, and chance that
nobody could foresee; beside them large outflows that come back and slow drains that stop by themselves.
"""

import numpy as np

from vipcrm.demo.purses import Purses

STAY, DRAIN, GATHER, AWAY = range(4)

CAUSES = ("neglect", "payroll", "house", "chance", "false_drain", "bridge")
SHARES = np.array([0.40, 0.14, 0.14, 0.07, 0.12, 0.13])
BASE = 0.00036
"""Chance a day of any such story, before a customer's own factor and the season."""

SEASON = np.array([0, 1.4, 1.25, 0.9, 0.9, 0.95, 1.2, 0.9, 0.85, 0.95, 0.9, 0.9, 1.25])
AT_MATURITY = (0.005, 0.048)
"""Chance that matured money goes to another bank: others, and those who hunt for rates."""


class Leaving:
    """The stories under way, one a customer at most."""

    def __init__(self, rng, purses: Purses):
        n = purses.n
        self.rng, self.purses = rng, purses
        self.mode = np.zeros(n, np.int8)
        self.ends = np.zeros(n, int)
        self.pace = np.zeros(n)
        self.share = np.zeros(n)
        self.owed = np.zeros(n)
        self.back_on = np.full(n, -1)

    def step(self, day: int, month: int, here, chance, matured):
        """Begin, move on and end stories; `chance`: (n,) in 0–1, `matured`: (customers, amounts) of the day."""
        self.begin(day, month, here, chance)
        self.leave_at_maturity(day, month, *matured)
        self.drain(day)
        self.pay_out(day)
        self.come_back(day)
        self.purses.invests = self.mode == STAY

    def begin(self, day, month, here, chance):
        rate = BASE * self.purses.traits.hazard * SEASON[month]
        who = np.nonzero((chance < rate) & (self.mode == STAY) & (here > 0))[0]
        if not len(who):
            return
        cause = self.rng.choice(len(CAUSES), len(who), p=SHARES)
        cause[(cause == 1) & (self.purses.pay[who] <= 0)] = 0
        for number, name in enumerate(CAUSES):
            getattr(self, f"begin_{name}")(who[cause == number], day)

    def begin_neglect(self, who, day):
        """A slow drain over months down to almost nothing."""
        self.set_drain(who, day, self.rng.integers(60, 190, len(who)), self.rng.uniform(0.6, 0.97, len(who)))

    def begin_false_drain(self, who, day):
        """A drain that stops early; the customer stays."""
        self.set_drain(who, day, self.rng.integers(25, 70, len(who)), self.rng.uniform(0.12, 0.38, len(who)))

    def begin_payroll(self, who, day):
        """Pay goes to another bank; after a month or two most of the money follows."""
        self.purses.pay[who] = 0
        follows = self.rng.random(len(who)) < 0.62
        who = who[follows]
        self.mode[who] = GATHER
        self.ends[who] = day + self.rng.integers(25, 75, len(who))
        self.share[who] = self.rng.uniform(0.5, 0.95, len(who))

    def begin_house(self, who, day):
        """Money is gathered at call for some weeks, then paid for a house."""
        self.mode[who] = GATHER
        self.ends[who] = day + self.rng.integers(4, 45, len(who))
        self.share[who] = self.rng.uniform(0.5, 0.96, len(who))
        soon = who[self.rng.random(len(who)) < 0.55]
        wanted = self.purses.aum[soon] * 0.6
        self.purses.kinds[0, soon] += self.purses.withdraw(soon, wanted, day)

    def begin_chance(self, who, day):
        """Gone in one day, with no sign before."""
        self.mode[who] = GATHER
        self.ends[who] = day
        self.share[who] = self.rng.uniform(0.5, 0.99, len(who))

    def begin_bridge(self, who, day):
        """A large outflow that mostly comes back within weeks."""
        share = self.rng.uniform(0.2, 0.72, len(who))
        paid = self.purses.withdraw(who, self.purses.aum[who] * share, day)
        back = self.rng.random(len(who)) < 0.86
        self.owed[who] = np.where(back, paid * self.rng.uniform(0.85, 1.05, len(who)), 0)
        self.back_on[who] = day + self.rng.integers(8, 62, len(who))
        self.mode[who] = AWAY

    def set_drain(self, who, day, length, share):
        self.mode[who] = DRAIN
        self.ends[who] = day + length
        # Withdrawals come on about every fourth day.
        self.pace[who] = 1 - (1 - share) ** (4 / length)

    def leave_at_maturity(self, day, month, who, amounts):
        """Let matured money go to another bank, alone or with the rest after it."""
        if not len(who):
            return
        traits = self.purses.traits
        chance = np.where(traits.rate_hunter[who], AT_MATURITY[1], AT_MATURITY[0]) * SEASON[month]
        chance = chance * (1.5 - traits.care[who])
        leaves = (self.rng.random(len(who)) < chance) & (self.mode[who] == STAY)
        who, amounts = who[leaves], amounts[leaves]
        aum = np.maximum(self.purses.aum[who], 1)
        self.mode[who] = GATHER
        self.ends[who] = day + self.rng.integers(0, 8, len(who))
        with_rest = self.rng.random(len(who)) < 0.4
        self.share[who] = np.where(with_rest, self.rng.uniform(0.6, 0.95, len(who)), amounts / aum)

    def drain(self, day):
        who = np.nonzero((self.mode == DRAIN) & (self.rng.random(self.purses.n) < 0.25))[0]
        if len(who):
            pace = self.pace[who] * self.rng.uniform(0.4, 1.6, len(who))
            self.purses.withdraw(who, self.purses.aum[who] * pace, day)
        done = (self.mode == DRAIN) & (self.ends <= day)
        small = done & (self.purses.aum > 0.55 * self.purses.traits.anchor)
        self.mode[done] = AWAY
        self.mode[small] = STAY

    def pay_out(self, day):
        who = np.nonzero((self.mode == GATHER) & (self.ends <= day))[0]
        if len(who):
            self.purses.withdraw(who, self.purses.aum[who] * np.minimum(self.share[who], 0.99), day)
            self.mode[who] = AWAY

    def come_back(self, day):
        """Return what is owed on its day; now and then somebody lost is won back, or wealth outgrows the bank."""
        purses, rng = self.purses, self.rng
        who = np.nonzero(self.back_on == day)[0]
        purses.kinds[0, who] += np.round(self.owed[who], 2)
        self.mode[who] = np.where(self.owed[who] > 0, STAY, AWAY)
        self.back_on[who] = -1
        draw = rng.random(purses.n)
        aum, anchor = purses.aum, purses.traits.anchor
        quiet = (self.mode == AWAY) & (self.back_on < 0)
        lost = np.nonzero((draw < 0.0045) & quiet & (aum < 0.6 * anchor))[0]
        purses.kinds[0, lost] += np.round((anchor[lost] - aum[lost]) * rng.uniform(0.45, 1.05, len(lost)), 2)
        purses.pay[lost] = purses.traits.pay[lost]
        self.mode[quiet & (draw < 0.013)] = STAY
        poor = np.nonzero((draw > 0.997) & (aum < 0.6 * anchor) & (self.mode == STAY) & (aum > 0))[0]
        purses.kinds[0, poor] += np.round((anchor[poor] - aum[poor]) * rng.uniform(0.3, 1.0, len(poor)), 2)
        rich = np.nonzero((draw < 0.005) & (aum > 1.6 * anchor) & (self.mode == STAY))[0]
        purses.withdraw(rich, aum[rich] * rng.uniform(0.15, 0.35, len(rich)), day)
