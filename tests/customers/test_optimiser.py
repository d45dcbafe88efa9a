"""The best sharing is the best: against exhaustive search on small branches, and an independent programme on larger ones."""

import itertools
import random

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from customers.optimiser import POINT, STEP, Group, Place, solve

FULL = 600
WEIGHTS = (3, 3, 6, 20)


def place(rng, *, is_side=False):
    weights = (0, 3, 0, 0) if is_side else WEIGHTS
    room = tuple(rng.choice([None, rng.randrange(4)]) if weight else 0 for weight in weights)
    load = rng.randrange(0, 60)
    return Place(weights, load, load + rng.randrange(0, 70), FULL, room, is_side)


def branch(rng, *, customers, members):
    """Return groups of one customer each, so that exhaustive search can place each by itself, and members."""
    places = [place(rng) for _n in range(members)] + [place(rng, is_side=True) for _n in range(rng.randrange(2))]
    groups = []
    for _n in range(customers):
        tier = rng.randrange(4)
        able = tuple(j for j, one in enumerate(places) if one.weights[tier] and rng.random() < 0.9)
        points = tuple(rng.choice([0, 0, 0, 1, 2, 5]) for _j in able)
        keeper = rng.choice(able) if able and rng.random() < 0.4 else None
        groups.append(Group(tier, able, points, keeper, (rng.randrange(10**6),), (rng.randrange(10**6),)))
    return groups, places


def cost_of_load(one: Place, upto: int) -> float:
    width, total = one.full * STEP / 100, 0.0
    for unit in range(one.load, upto):  # units are whole, steps of 15 units too
        total += int(unit / width + 1e-9) + 1
    return total


def worth(groups, places, choice, managers_first):
    """Return what an assignment [member of each group, None for left] is worth, as the aims read; None if it is not allowed."""
    loads, taken = [one.load for one in places], [[0] * 4 for _one in places]
    ties = 0
    for group, j in zip(groups, choice, strict=True):
        if j is not None:
            loads[j] += places[j].weights[group.tier]
            taken[j][group.tier] += 1
            ties += POINT * group.points[group.members.index(j)] * places[j].weights[group.tier]
    for j, one in enumerate(places):
        if loads[j] > max(one.capacity, one.load):
            return None
        if any(limit is not None and taken[j][tier] > limit for tier, limit in enumerate(one.room)):
            return None
    left = [group for group, j in zip(groups, choice, strict=True) if j is None]
    aside = [group for group, j in zip(groups, choice, strict=True) if j is not None and places[j].is_side]
    broken = sum(j is not None and group.keeper not in (None, j) for group, j in zip(groups, choice, strict=True))
    side = (len(aside), sum(group.year_avg[0] for group in aside)) if managers_first else ()
    even = sum(cost_of_load(one, loads[j]) for j, one in enumerate(places)) - ties
    return (
        *(sum(group.tier == tier for group in left) for tier in (3, 2, 1, 0)),
        sum(group.aum[0] for group in left), broken, *side, round(even, 6),
    )  # fmt: skip


def choice_of(groups, answer):
    """Return the member of each group of one."""
    found = {g: j for (g, j), _count in answer.counts.items()}
    return [found.get(g) for g in range(len(groups))]


def best_of_all(groups, places, managers_first):
    options = [[*group.members, None] for group in groups]
    values = (worth(groups, places, choice, managers_first) for choice in itertools.product(*options))
    return min(value for value in values if value is not None)


@pytest.mark.parametrize("seed", range(12))
def test_no_assignment_of_a_small_branch_is_better(seed):
    rng = random.Random(seed)
    for _instance in range(25):
        groups, places = branch(rng, customers=rng.randrange(1, 6), members=rng.randrange(1, 4))
        managers_first = rng.random() < 0.7
        answer = solve(groups, places, managers_first=managers_first)
        assert worth(groups, places, choice_of(groups, answer), managers_first) == best_of_all(
            groups, places, managers_first
        )
        assert all(aim.gap < 1e-9 for aim in answer.aims)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_no_assignment_of_thousands_of_small_branches_is_better(seed):
    rng = random.Random(seed)
    for _instance in range(100):
        groups, places = branch(rng, customers=rng.randrange(1, 7), members=rng.randrange(1, 4))
        managers_first = rng.random() < 0.7
        answer = solve(groups, places, managers_first=managers_first)
        assert worth(groups, places, choice_of(groups, answer), managers_first) == best_of_all(
            groups, places, managers_first
        )


def test_customers_who_are_alike_are_shared_as_if_each_stood_alone():
    """A group of many has the value of as many groups of one."""
    rng = random.Random(3)
    for _instance in range(20):
        places = [Place(WEIGHTS, rng.randrange(100), 600, FULL, (None, 30, 10, 4)) for _n in range(3)]
        places.append(Place((0, 3, 0, 0), 0, 600, FULL, (0, 8, 0, 0), True))
        grouped, singles = [], []
        for _group in range(4):
            tier, size = rng.randrange(4), rng.randrange(1, 12)
            able = (0, 1, 2, 3) if tier == 1 else (0, 1, 2)
            points = tuple(rng.choice([0, 2]) for _j in able)
            aum = tuple(rng.randrange(10**6) for _one in range(size))
            one = Group(tier, able, points, rng.choice([None, 0]), aum, aum)
            grouped.append(one)
            singles += [Group(tier, able, points, one.keeper, (aum[n],), (aum[n],)) for n in range(size)]
        together, alone = (solve(each, places, managers_first=True) for each in (grouped, singles))
        assert [(aim.name, aim.value) for aim in together.aims] == [(aim.name, aim.value) for aim in alone.aims]


def independent_bound(groups, places):
    """Return the least unevenness less ties, written as one binary for each customer and member, everybody placed and kept."""
    pairs = [(g, j) for g, group in enumerate(groups) for j in group.members if group.keeper in (None, j)]
    width = FULL * STEP / 100
    cuts = [width * step for step in range(int(FULL / width) + 1)]
    size = len(pairs) + len(places) * len(cuts)
    cost, rows, low, high = np.zeros(size), [], [], []
    for column, (g, j) in enumerate(pairs):
        group = groups[g]
        cost[column] = -POINT * group.points[group.members.index(j)] * places[j].weights[group.tier]
    for g in range(len(groups)):
        rows.append({column: 1 for column, pair in enumerate(pairs) if pair[0] == g}), low.append(1), high.append(1)
    for j, one in enumerate(places):
        load = {c: one.weights[groups[g].tier] for c, (g, member) in enumerate(pairs) if member == j}
        rows.append(load), low.append(-np.inf), high.append(one.capacity - one.load)
        for tier, limit in enumerate(one.room):
            mine = {c: 1 for c, (g, member) in enumerate(pairs) if member == j and groups[g].tier == tier}
            if limit is not None and mine:
                rows.append(mine), low.append(-np.inf), high.append(limit)
        for k, cut in enumerate(cuts):  # what the load is above each cut costs one more
            over = len(pairs) + j * len(cuts) + k
            base = max(0.0, one.load - cut)
            cost[over] = 1
            rows.append({**load, over: -1}), low.append(-np.inf), high.append(cut - one.load + base)
    table = np.zeros((len(rows), size))
    for number, row in enumerate(rows):
        for column, value in row.items():
            table[number, column] = value
    whole = np.zeros(size)
    whole[: len(pairs)] = 1
    upper = np.full(size, np.inf)
    upper[: len(pairs)] = 1
    found = milp(cost, integrality=whole, bounds=Bounds(0, upper), constraints=LinearConstraint(table, low, high))
    return found.fun


@pytest.mark.parametrize("seed", range(3))
def test_a_larger_branch_agrees_with_an_independent_programme(seed):
    rng = random.Random(seed)
    places = [Place(WEIGHTS, rng.randrange(200), 600, FULL, (None, 200, 100, 30)) for _n in range(5)]
    groups = []
    for _n in range(60):
        tier, able = rng.choice([0, 1, 1, 2, 2, 3]), (0, 1, 2, 3, 4)
        points = tuple(rng.choice([0, 0, 2]) for _j in able)
        groups.append(Group(tier, able, points, rng.choice([None, None, 1]), (1,), (1,)))
    answer = solve(groups, places, managers_first=True)
    assert answer.aims[-1].value == pytest.approx(independent_bound(groups, places), abs=1e-4)
    assert answer.aims[-1].gap < 1e-9
