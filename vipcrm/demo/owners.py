"""Who looks after whom in the demo bank: by quota and load, gold also by band (domain.md §§5–6).

Pure: arrays in, arrays out. The database's own constraints see every row afterwards.
"""

from dataclasses import dataclass, field

import numpy as np

from customers.load import ADVISERS, COLUMNS, MANAGERS
from customers.models import Load, Tier
from staff.roles import Role

LOBBY_FLOOR_CENTS = 200_000 * 100
WAITING = {Tier.DIAMOND: 4, Tier.PLATINUM: 12, Tier.GOLD: 7, Tier.GENERAL: 15}
"""How many of each load class still wait for a manager in an outlet of WAITING_OF customers."""

WAITING_OF = 1120
SQUEEZED = 0.08
"""Share of an outlet's customers that its managers can take beyond their usual load."""

HEADS_OWN = 0.3
"""Share of an outlet's diamond customers whom its head keeps."""


@dataclass
class Holder:
    """One member's room: limits by load class, units taken and the units up to which the demo fills."""

    staff_id: int
    role: str
    weights: list
    limits: list
    target: float
    capacity: int = 0
    counts: list = field(default_factory=lambda: [0, 0, 0, 0])
    units: int = 0

    @classmethod
    def of(cls, load: Load, fill: float) -> "Holder":
        columns = [COLUMNS[tier] for tier in sorted(COLUMNS)]
        limits = [getattr(load, f"{column}_limit") for column in columns]
        return cls(
            staff_id=load.staff_id,
            role=load.staff.role,
            weights=[getattr(load, f"{column}_weight") for column in columns],
            limits=[2**30 if limit is None else limit for limit in limits],
            target=load.capacity * fill,
            capacity=load.capacity,
        )

    def fits(self, load_class: int) -> bool:
        return (
            self.counts[load_class] < self.limits[load_class] and self.units + self.weights[load_class] <= self.target
        )

    def take(self, load_class: int):
        self.counts[load_class] += 1
        self.units += self.weights[load_class]

    @property
    def filled(self) -> float:
        return self.units / self.target if self.target else 1.0


def share_out(rng, holders: list[Holder], load_class, year_avg) -> tuple[np.ndarray, np.ndarray]:
    """Return the staff ids of primary managers and of advisers, 0 for none.

    Args:
        load_class: (n,) of an outlet's customers, 0 potential … 3 diamond, -1 whom nobody needs to look after.
        year_avg: (n,) in cents.
    """
    primary, adviser = np.zeros(len(load_class), int), np.zeros(len(load_class), int)
    waits = pick_waiting(rng, load_class)
    managers = [holder for holder in holders if holder.role in MANAGERS]
    heads = [holder for holder in holders if holder.role == Role.BRANCH_HEAD]
    lobbies = [holder for holder in holders if holder.role == Role.LOBBY_MANAGER]
    tellers = [holder for holder in holders if holder.role == Role.TELLER]
    order = np.lexsort((-year_avg, -np.where(load_class == 0, 1.5, load_class))).tolist()
    asking = [place for place in order if load_class[place] >= 0 and not waits[place]]
    rich = [place for place in asking if load_class[place] == Tier.GOLD and year_avg[place] >= LOBBY_FLOOR_CENTS]
    of_lobby = set(rich[-int(sum(holder.target for holder in lobbies)) :] if lobbies else [])
    of_tellers = int(sum(holder.target for holder in tellers))
    for place in asking:
        tier = int(load_class[place])
        circles = [managers]
        if tier == Tier.DIAMOND and rng.random() < HEADS_OWN:
            circles = [heads, managers]
        elif place in of_lobby:
            circles = [lobbies, managers]
        elif tier == Tier.GOLD and year_avg[place] < LOBBY_FLOOR_CENTS:
            circles = [tellers, managers] if of_tellers else [managers]
        chosen = next(filter(None, (lightest(circle, tier) for circle in circles)), None)
        if chosen is not None:
            chosen.take(tier)
            primary[place] = chosen.staff_id
    squeeze_in(managers, [place for place in asking if not primary[place]], load_class, primary)
    for place in order:
        tier = int(load_class[place])
        if tier < Tier.PLATINUM or not primary[place] or rng.random() < 0.12:
            continue
        chosen = lightest([holder for holder in holders if holder.role in ADVISERS], tier)
        if chosen is not None:
            chosen.take(tier)
            adviser[place] = chosen.staff_id
    return primary, adviser


def squeeze_in(managers, left: list, load_class, primary):
    """Give a few who are left over to managers who are nearly full; an outlet short of people stays short."""
    if len(left) > SQUEEZED * len(load_class):
        return
    for holder in managers:
        holder.target = holder.capacity * 0.97
    for place in left:
        chosen = lightest(managers, int(load_class[place]))
        if chosen is not None:
            chosen.take(int(load_class[place]))
            primary[place] = chosen.staff_id


def lightest(circle: list[Holder], tier: int) -> Holder | None:
    """Return whoever has room and the lowest load."""
    return min((holder for holder in circle if holder.fits(tier)), key=lambda holder: holder.filled, default=None)


def pick_waiting(rng, load_class) -> np.ndarray:
    """Return (n,) who waits for a manager, a few of each class."""
    waits = np.zeros(len(load_class), bool)
    for tier, number in WAITING.items():
        there = np.nonzero(load_class == tier)[0]
        few = min(len(there), round(number * len(load_class) / WAITING_OF))
        waits[rng.permutation(there)[:few]] = True
    return waits
