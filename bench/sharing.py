"""`python -m bench.sharing`: the optimiser on one branch of 2,000 × 10, one of 6,000 × 30, and 500 branches of 2,000 × 10.

The branches are drawn: two thirds of the customers fit the quotas' shape of domain.md §5, one in five had a manager, one in
ten has a tie. The 500 are cut over as many processes as there are cores, as the night's workers would.
"""

import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal

import django
import numpy as np

SIZES = ((2_000, 10, 1), (6_000, 30, 1), (2_000, 10, 500))
SHARES = (0.10, 0.62, 0.23, 0.05)
"""Potential, gold, platinum, diamond among the customers."""


def branch(seed: int, customers: int, members: int, *, fill: float = 0.97):
    """Return (customers, members, quotas, ties) of one branch; they fill `fill` of what its people can hold."""
    from customers.load import Book, Quota, limits_for
    from customers.models import Tier
    from customers.proposal import Member, Waiting
    from staff.roles import Role

    rng = np.random.default_rng(seed)
    need = 0.10 / 200 + 0.62 / 200 + 0.23 / 100 + 0.05 / 30
    scale = int(customers * need / members) + 1
    factors = [Decimal(str(one)) for one in rng.choice([1.0, 1.0, 0.7], members)]
    load_limit = Decimal(str(round(customers * need / scale / float(sum(factors)) / fill, 3)))
    quotas = {
        Tier.GENERAL: Quota(200 * scale, is_limit=False), Tier.GOLD: Quota(200 * scale),
        Tier.PLATINUM: Quota(100 * scale), Tier.DIAMOND: Quota(30 * scale),
    }  # fmt: skip
    people = []
    for number in range(members):
        limits = limits_for(quotas, factor=factors[number], load_limit=load_limit)
        book = Book(
            dict.fromkeys(Tier, 0),
            limits.limits,
            limits.weights,
            limits.capacity,
            limits.full_capacity,
            dict.fromkeys(Tier, 0),
        )
        people.append(Member(number, f"{number:05}", f"员工{number}", Role.RELATIONSHIP_MANAGER, book))
    tiers = rng.choice(4, customers, p=SHARES)
    aum = rng.lognormal(12.5, 1, customers).round(2)
    held = np.where(rng.random(customers) < 0.2, rng.integers(members, size=customers), -1)
    waiting = [
        Waiting(n, Tier(int(tier)), Decimal(str(money)), Decimal(str(money)), int(keeper) if keeper >= 0 else None)
        for n, (tier, money, keeper) in enumerate(zip(tiers, aum, held, strict=True))
    ]
    tied = np.nonzero(rng.random(customers) < 0.1)[0].tolist()
    ties = {n: {int(rng.integers(members)): {str(rng.choice(["family", "skills", "employer"]))}} for n in tied}
    return waiting, people, quotas, ties


def share(asked: tuple[int, int, int]) -> tuple[float, float, int, int]:
    """Propose one branch; return seconds, gap, how many are left, peak memory of the process in MiB."""
    from customers.proposal import propose

    waiting, people, quotas, ties = branch(*asked)
    began = time.perf_counter()
    found = propose(waiting, people, quotas=quotas, ties=ties)
    took = time.perf_counter() - began
    return took, found.gap, len(found.left_over), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure() -> dict:
    """Return the figures of every size."""
    figures = {}
    for customers, members, branches in SIZES:
        began = time.perf_counter()
        with ProcessPoolExecutor(os.cpu_count(), initializer=ready) as pool:
            asked = [(seed, customers, members) for seed in range(branches)]
            found = list(pool.map(share, asked, chunksize=max(1, branches // 50)))
        took = time.perf_counter() - began
        label = f"sharing {branches} × {customers:,} customers × {members}"
        figures |= {
            f"{label}, s": took if branches > 1 else found[0][0],
            f"{label}, largest gap, %": 100 * max(one[1] for one in found),
            f"{label}, left over": sum(one[2] for one in found),
            f"{label}, MiB a process": max(one[3] for one in found),
        }
    return figures


def ready() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")
    os.environ.setdefault("DEMO", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    django.setup()


if __name__ == "__main__":
    ready()
    for figure, value in measure().items():
        print(f"{figure:60} {value:,.2f}", flush=True)
