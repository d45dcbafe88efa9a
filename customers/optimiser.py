"""The best way to share customers among members, as a mathematical programme with a proven bound (HiGHS through scipy).

Customers who are alike (same class, same receivers, same ties) are one group, so that a branch of thousands is a
programme of a few hundred whole numbers: how many of each group go to each member. The aims come one after the other;
what an earlier one reached is kept while the next is improved:

1. nobody is left without a manager: diamond, platinum, gold, potential, then the least AUM left;
2. relations are kept: the fewest customers go to somebody else than the manager they have or had;
3. gold customers go to managers before lobby manager and teller, the highest year average first;
4. loads are even and ties are used: unevenness is convex in the load, `STEP` percent a step of the slope, and one point
   of affinity is worth `POINT` steps of load of that customer.

Pure: values in, values out, the same for the same input.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

STEP = 2.5
"""Percent of load after which a member's next unit costs one more (assumption)."""

POINT = 1
"""Steps of load that one point of affinity outweighs: 2.5 percent of load (assumption)."""

SECONDS = 20.0
"""How long one aim may take; then the best found stands, with the gap that is left."""

HALF_YUAN = 0.5
INFEASIBLE = 2


class NoAnswer(RuntimeError):
    """The solver found no answer in its time."""


@dataclass(frozen=True)
class Group:
    """Customers who are alike: `size` of a class (0–3), whom they may go to, and what ties them.

    `points` are the affinities by member, in the order of `members`; `keeper` is the index of the member that they have
    or had; `aum` and `year_avg` are each customer's, whole yuan, in one order. `stays` may go to another, but not be left.
    """

    tier: int
    members: tuple[int, ...]
    points: tuple[int, ...]
    keeper: int | None
    aum: tuple[int, ...]
    year_avg: tuple[int, ...]
    stays: bool = False

    @property
    def size(self) -> int:
        return len(self.aum)


@dataclass(frozen=True)
class Place:
    """A member's room: units that one customer of each class takes, load now, load at most, and places by class.

    Units of all members are on one scale, `full` is 100 %; places of None are no limit. `is_side`: a lobby manager or
    teller, who takes gold customers that managers cannot.
    """

    weights: tuple[int, ...]
    load: int
    capacity: int
    full: int
    room: tuple[int | None, ...]
    is_side: bool = False


@dataclass(frozen=True)
class Aim:
    """What one aim came to: its value, the bound that no answer passes, and the seconds it took."""

    name: str
    value: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        """Return the proven distance to the best in parts of the value; 0 is proved best."""
        return max(0.0, self.value - self.bound) / max(1.0, abs(self.value))


@dataclass(frozen=True)
class Answer:
    """How many of each group go to each member {(group, member): count}, who of a group is left or goes to the side."""

    counts: dict[tuple[int, int], int]
    left: list[list[int]]
    aside: list[list[int]]
    aims: list[Aim] = field(default_factory=list)


def solve(
    groups: Sequence[Group], places: Sequence[Place], *, managers_first: bool, seconds: float = SECONDS
) -> Answer:
    """Return the best answer, aim by aim.

    Args:
        managers_first: aim 3 counts; without it lobby managers and tellers are as good as managers.
        seconds: for one aim.

    Raises:
        NoAnswer: the solver ran out of time before it found any.
    """
    if not groups or not places:
        return Answer({}, [[*range(group.size)] for group in groups], [[] for _group in groups])
    if answer := Programme(groups, places, everybody=True).ideal(managers_first, seconds):
        return answer
    left, aims = _left(groups, places, seconds)
    kept = [[one for one in range(group.size) if one not in out] for group, out in zip(groups, left, strict=True)]
    placed = [_only(group, ones) for group, ones in zip(groups, kept, strict=True)]
    with_aside = managers_first and any(place.is_side for place in places)
    if answer := Programme(placed, places, everybody=True).ideal(managers_first, seconds):
        # Nothing broken and nobody aside cannot be bettered: one programme proves three aims.
        proved = ["broken", *(["aside"] if with_aside else [])]
        aims = [*aims, *(Aim(name, 0, 0, 0) for name in proved), *answer.aims]
    else:
        programme = Programme(placed, places, everybody=True, singly=with_aside)
        programme.aims = aims
        programme.aim("broken", programme.of_broken(), seconds)
        if with_aside:
            programme.aim("aside", programme.of_aside(), seconds)
            if programme.aims[-1].value:
                programme.aim("aside_year_avg", programme.year_avg_aside, seconds, slack=HALF_YUAN)
        answer = programme.answer(programme.aim("even", programme.of_even(), seconds, last=True))
        aims = answer.aims
    aside = [[ones[one] for one in picked] for ones, picked in zip(kept, answer.aside, strict=True)]
    return replace(answer, left=[sorted(out) for out in left], aside=aside, aims=aims)


def _left(groups: Sequence[Group], places: Sequence[Place], seconds: float) -> tuple[list[set[int]], list[Aim]]:
    """Return who of each group is left (aim 1), and how that is proved. Of choices with the same AUM one is taken."""
    programme = Programme(groups, places, everybody=False, singly=True)
    if programme.everybody_fits(seconds):
        return [set() for _group in groups], [Aim(f"left_{tier}", 0, 0, 0) for tier in (3, 2, 1, 0)]
    for tier in (3, 2, 1, 0):
        programme.aim(f"left_{tier}", programme.of_left(tier), seconds)
    best = programme.aim("left_aum", programme.aum_left, seconds, last=True)
    return [{*out} for out in programme.answer(best).left], programme.aims


def _only(group: Group, ones: list[int]) -> Group:
    return replace(
        group, aum=tuple(group.aum[one] for one in ones), year_avg=tuple(group.year_avg[one] for one in ones)
    )


class Programme:
    """The columns and rows of the mathematical programme; `aim` solves it for one cost and keeps what it reached.

    Columns: x (customers of a group to a member), left and aside of every customer where they are looked at `singly`,
    y (load of a member by steps). `everybody`: nobody may be left.
    """

    def __init__(self, groups: Sequence[Group], places: Sequence[Place], *, everybody: bool, singly: bool = False):
        self.groups, self.places, self.singly = groups, places, singly
        self.pairs = [(g, j) for g, group in enumerate(groups) for j in group.members]
        x, n = len(self.pairs), sum(group.size for group in groups) if singly else 0
        self.first_of = np.cumsum([0, *(group.size for group in groups)])
        self.left, self.aside = np.arange(x, x + n), np.arange(x + n, x + 2 * n)
        self.steps = [self._steps(place) for place in places]
        self.size = x + 2 * n + sum(len(steps) for steps in self.steps)
        self.y = np.split(np.arange(x + 2 * n, self.size), np.cumsum([len(steps) for steps in self.steps])[:-1])
        self.upper = np.ones(self.size)
        self.upper[:x] = [groups[g].size for g, _j in self.pairs]
        for columns, steps in zip(self.y, self.steps, strict=True):
            self.upper[columns] = [width for width, _slope in steps]
        self.whole = np.zeros(self.size)
        self.whole[:x] = 1
        self.rows: list[tuple[np.ndarray, np.ndarray, float, float]] = []
        self.aims: list[Aim] = []
        self._limit()
        if everybody:
            self.upper[self.left] = 0
        if singly:
            held = [group.stays for group in groups for _one in group.aum]
            self.upper[self.left[held]] = 0
            self.aum_left = self._cost(self.left, [aum for group in groups for aum in group.aum])
            self.year_avg_aside = self._cost(self.aside, [avg for group in groups for avg in group.year_avg])

    @staticmethod
    def _steps(place: Place) -> list[tuple[float, int]]:
        """Return [(units, cost of one)] from the load now up to the capacity."""
        width, found, at = place.full * STEP / 100, [], float(place.load)
        while at < place.capacity:
            step = int(at / width + 1e-9)
            upto = min((step + 1) * width, place.capacity)
            found.append((upto - at, step + 1))
            at = upto
        return found

    def _limit(self) -> None:
        """Write the rows that always hold."""
        of_group: list[list[int]] = [[] for _group in self.groups]
        of_member: list[list[int]] = [[] for _place in self.places]
        for column, (g, j) in enumerate(self.pairs):
            of_group[g].append(column)
            of_member[j].append(column)
        for g, group in enumerate(self.groups):
            if not self.singly:
                self._row(of_group[g], 1, group.size, group.size)
                continue
            everyone = np.arange(self.first_of[g], self.first_of[g + 1])
            self._row([*of_group[g], *self.left[everyone]], 1, group.size, group.size)
            side = [column for column in of_group[g] if self.places[self.pairs[column][1]].is_side]
            self._row([*side, *self.aside[everyone]], [1] * len(side) + [-1] * group.size, 0, 0)
            if side:
                for one in everyone:
                    self._row([self.left[one], self.aside[one]], 1, 0, 1)
        for j, place in enumerate(self.places):
            weights = [place.weights[self.groups[self.pairs[column][0]].tier] for column in of_member[j]]
            self._row([*of_member[j], *self.y[j]], [*weights, *[-1] * len(self.y[j])], 0, 0)
            for tier, room in enumerate(place.room):
                mine = [column for column in of_member[j] if self.groups[self.pairs[column][0]].tier == tier]
                if room is not None and mine:
                    self._row(mine, 1, 0, max(0, room))

    def _row(self, columns, values, low: float, high: float) -> None:
        columns = np.asarray(columns, dtype=int)
        self.rows.append((columns, np.broadcast_to(np.asarray(values, dtype=float), columns.shape), low, high))

    def _cost(self, columns, values) -> np.ndarray:
        cost = np.zeros(self.size)
        cost[columns] = values
        return cost

    def of_left(self, tier: int) -> np.ndarray:
        """Return the cost of everybody of a class who is left."""
        return self._cost(self.left, [group.tier == tier for group in self.groups for _one in group.aum])

    def of_broken(self) -> np.ndarray:
        """Return the cost of everybody who goes to another than the member he has or had."""
        return self._cost(np.arange(len(self.pairs)), [self.groups[g].keeper not in (None, j) for g, j in self.pairs])

    def of_aside(self) -> np.ndarray:
        """Return the cost of everybody who goes to a lobby manager or teller."""
        return self._cost(np.arange(len(self.pairs)), [self.places[j].is_side for _g, j in self.pairs])

    def of_even(self) -> np.ndarray:
        """Return the cost of the loads, less what ties are worth."""
        cost = np.zeros(self.size)
        for columns, steps in zip(self.y, self.steps, strict=True):
            cost[columns] = [slope for _width, slope in steps]
        for column, (g, j) in enumerate(self.pairs):
            group = self.groups[g]
            cost[column] = -POINT * group.points[group.members.index(j)] * self.places[j].weights[group.tier]
        return cost

    def everybody_fits(self, seconds: float) -> bool:
        """Say whether there is an answer in which nobody is left."""
        found = self._solve(sum(map(self.of_left, range(4))), self.upper, seconds)
        return found.x is not None and round(found.fun) == 0

    def ideal(self, managers_first: bool, seconds: float) -> Answer | None:
        """Return an answer in which nobody is left, nothing broken and nobody aside, if there is one: it needs no other aim."""
        if not all(group.members for group in self.groups):
            return None
        upper = self.upper.copy()
        upper[: len(self.pairs)] *= 1 - self.of_broken()[: len(self.pairs)]
        if managers_first:
            upper[: len(self.pairs)] *= 1 - self.of_aside()[: len(self.pairs)]
        began = perf_counter()
        found = self._solve(self.of_even(), upper, seconds)
        if found.x is None:
            return None
        self.aims.append(Aim("even", round(found.fun, 2), _bound(found), perf_counter() - began))
        return self.answer(found.x)

    def aim(self, name: str, cost: np.ndarray, seconds: float, *, slack: float = 0.0, last: bool = False) -> np.ndarray:
        """Solve for one cost, note what it came to, and let no later aim make it worse."""
        began = perf_counter()
        if not cost.any() and not last:
            self.aims.append(Aim(name, 0, 0, 0))
            return np.zeros(self.size)
        found = self._solve(cost, self.upper, seconds)
        if found.status == INFEASIBLE:  # never true, for everybody may be left: HiGHS's presolve errs now and then
            found = self._solve(cost, self.upper, seconds, presolve=False)
        if found.x is None:
            raise NoAnswer(found.message)
        self.aims.append(Aim(name, round(found.fun, 2), _bound(found), perf_counter() - began))
        if not last:
            columns = np.nonzero(cost)[0]
            most = found.fun if slack else round(found.fun)
            self._row(
                columns, cost[columns], most - slack, most + slack
            )  # as an equation it bounds the next aim better
        return found.x

    def _solve(self, cost: np.ndarray, upper: np.ndarray, seconds: float, *, presolve: bool = True):
        from scipy.optimize import Bounds, LinearConstraint, milp  # here: pages that solve nothing do not load it
        from scipy.sparse import coo_array

        lengths = [len(columns) for columns, _values, _low, _high in self.rows]
        table = coo_array(
            (
                np.concatenate([values for _columns, values, _low, _high in self.rows]),
                (np.repeat(np.arange(len(self.rows)), lengths), np.concatenate([row[0] for row in self.rows])),
            ),
            shape=(len(self.rows), self.size),
        ).tocsr()
        low, high = [row[2] for row in self.rows], [row[3] for row in self.rows]
        return milp(
            cost, integrality=self.whole, bounds=Bounds(0, upper), constraints=LinearConstraint(table, low, high),
            options={"time_limit": seconds, "mip_rel_gap": 0, "presolve": presolve},
        )  # fmt: skip

    def answer(self, values: np.ndarray) -> Answer:
        """Read an answer from the columns: of a group the smallest are left, and of the rest the smallest go aside."""
        whole = values[: len(self.pairs)].round().astype(int).tolist()
        counts = {pair: count for pair, count in zip(self.pairs, whole, strict=True) if count}
        placed, side = [0] * len(self.groups), [0] * len(self.groups)
        for (g, j), count in counts.items():
            placed[g] += count
            side[g] += count * self.places[j].is_side
        left, aside = [], []
        for g, group in enumerate(self.groups):
            by_aum = sorted(range(group.size), key=lambda one, of=group: (of.aum[one], -of.year_avg[one]))
            left.append(sorted(by_aum[: group.size - placed[g]]))
            rest = sorted(by_aum[group.size - placed[g] :], key=lambda one, of=group: of.year_avg[one])
            aside.append(sorted(rest[: side[g]]))
        return Answer(counts, left, aside, self.aims)


def _bound(found) -> float:
    bound = getattr(found, "mip_dual_bound", None)
    return found.fun if bound is None else min(found.fun, bound)
