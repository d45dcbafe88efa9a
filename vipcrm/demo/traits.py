"""Who an invented customer is as far as money goes: drawn once, then the simulation follows."""

from dataclasses import dataclass

import numpy as np

from vipcrm.demo.catalogue import PLACE

SALARIED, OWNER, RETIRED, PROFESSIONAL, HOME, FARMER = range(6)
WALKS = np.array([0.36, 0.20, 0.17, 0.13, 0.06, 0.08])
"""Shares of the walks of life among the customers of the demo bank."""

BANDS = ((1_050_000, 2_400_000), (540_000, 1_020_000), (112_000, 470_000), (62_000, 99_000), (6_000, 62_000))
BAND_SHARES = np.array([0.033, 0.205, 0.625, 0.060, 0.077])
"""Usual wealth with the bank, diamond down to general, and how many have it; leaving moves many downward."""

SIDES = ("fund", "insurance", "gold", "custody_cash", "wealth")
"""Kinds held beside demand and term products, one open-ended product each at most."""

NEVER = 2**30


@dataclass
class Traits:
    """Arrays of shape (customers,). Money in yuan, days counted from the first simulated day.

    `anchor`: usual wealth with the bank; `liquid`: share kept at call; `care`: 0 neglected … 1 looked after;
    `hazard`: how much likelier than others to leave; `eager`: chance a day to invest idle money.
    """

    walk: np.ndarray
    anchor: np.ndarray
    opened: np.ndarray
    pay: np.ndarray
    pay_day: np.ndarray
    spend: np.ndarray
    bonus: np.ndarray
    bonus_day: np.ndarray
    liquid: np.ndarray
    eager: np.ndarray
    care: np.ndarray
    hazard: np.ndarray
    rate_hunter: np.ndarray
    mix: np.ndarray
    shelf: np.ndarray


def draw_traits(rng, n: int, *, days: int, warm_up: int) -> Traits:
    """Draw n customers for a simulation of so many days, the first `warm_up` of them before the story."""
    walk = rng.choice(6, n, p=WALKS).astype(np.int8)
    anchor = draw_wealth(rng, n)
    opened = np.full(n, -1)
    late = rng.random(n) < 0.13
    opened[late] = rng.integers(warm_up, days - 3, late.sum())
    paid = np.isin(walk, (SALARIED, PROFESSIONAL)) | (walk == RETIRED)
    paid &= rng.random(n) < np.where(walk == RETIRED, 0.8, 0.74)
    pay = np.clip(anchor * rng.uniform(0.012, 0.05, n), 4_200, 42_000)
    pay = np.where(walk == RETIRED, rng.uniform(2_900, 8_800, n), pay)
    pay = np.round(np.where(paid, pay, 0), -1)
    mix = draw_mix(rng, n, anchor)
    kinds_held = (mix > 0).sum(axis=0) + (pay > 0)
    care = np.clip(rng.beta(2.2, 1.8, n), 0, 1)
    return Traits(
        walk=walk,
        anchor=anchor,
        opened=opened,
        pay=pay,
        pay_day=np.where(walk == RETIRED, rng.choice([10, 12, 15], n), rng.choice([5, 8, 10, 15, 20, 25], n)),
        spend=np.where(pay > 0, pay * rng.uniform(0.72, 1.02, n), anchor * rng.uniform(0.002, 0.014, n)),
        bonus=np.where(np.isin(walk, (SALARIED, PROFESSIONAL)), pay * rng.uniform(0.6, 5, n), 0),
        bonus_day=rng.integers(8, 48, n),
        liquid=np.where(walk == OWNER, rng.uniform(0.25, 0.8, n), rng.uniform(0.05, 0.38, n)),
        eager=np.where(rng.random(n) < 0.25, rng.uniform(0.004, 0.02, n), rng.uniform(0.06, 0.3, n)),
        care=care,
        hazard=leave_factor(rng, kinds_held=kinds_held, care=care, walk=walk, opened=opened),
        rate_hunter=rng.random(n) < 0.27,
        mix=mix,
        shelf=draw_shelf(rng, n, anchor),
    )


def draw_wealth(rng, n: int) -> np.ndarray:
    """Return (n,) usual wealth in yuan: within a band log-uniform, the top with a long tail."""
    band = rng.choice(len(BANDS), n, p=BAND_SHARES)
    low, high = np.array(BANDS).T[:, band]
    skew = np.where(band == 2, 1.35, 1.0)
    wealth = low * (high / low) ** (rng.random(n) ** skew)
    top = band == 0
    wealth[top] *= np.minimum(rng.pareto(2.6, top.sum()) * 0.35 + 1, 14)
    return wealth


def leave_factor(rng, *, kinds_held, care, walk, opened) -> np.ndarray:
    """Return (n,) factor on the chance to leave: few products, little care, a new account raise it (domain.md §14)."""
    factor = np.select([kinds_held <= 1, kinds_held == 2, kinds_held == 3], [2.3, 1.35, 0.75], 0.4)
    factor *= 2.1 - 1.9 * care
    factor *= np.where(opened >= 0, 1.5, 1.0) * np.where(walk == RETIRED, 0.6, 1.0)
    return factor * rng.lognormal(0, 0.45, len(care))


def draw_mix(rng, n: int, anchor) -> np.ndarray:
    """Return (5, n) shares of wealth in the SIDES; most customers have none or one."""
    reach = np.clip(np.log10(anchor / 30_000), 0.1, 1.6)
    chance = np.array([0.22, 0.15, 0.06, 0.08, 0.2])[:, None] * reach
    shares = np.array([0.16, 0.14, 0.08, 0.12, 0.1])[:, None] * rng.uniform(0.4, 1.5, (5, n))
    return np.where(rng.random((5, n)) < chance, shares, 0.0)


def draw_shelf(rng, n: int, anchor) -> np.ndarray:
    """Return (5, n) places in the catalogue: which product of each of the SIDES a customer would hold."""
    fund = rng.choice([PLACE["FD-BAL-A"], PLACE["FD-300-A"], PLACE["FD-BND-A"]], n, p=[0.45, 0.25, 0.3])
    insurance = np.where(anchor * rng.random(n) > 400_000, PLACE["IN-LIFE"], PLACE["IN-ANN"])
    rest = [np.full(n, PLACE[code]) for code in ("AU-ACC", "CH-CUST", "WM-SSF")]
    return np.stack([fund, insurance, *rest])
