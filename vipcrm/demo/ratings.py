"""Tiers through the months of the demo bank: rises when signed, falls after patience (domain.md §3). Pure numpy.

The same steps as `customers.rating.rate_branch` takes on the first of a month, for every month of the
past; up-grading, which a person records, happens with a chance.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from customers.models import RatingRule

SIGN_CHANCE = 0.5

RULE = RatingRule()
"""The parameters that a bank begins with."""


@dataclass
class Ratings:
    """Where everybody stands, arrays (n,), and every step: (customer, on, kind, from, to, month_avg in cents)."""

    service: np.ndarray
    asset: np.ndarray
    below: np.ndarray
    private: np.ndarray
    signed_on: list
    changes: list


def rate(rng, months, floors, n: int, *, before: date) -> Ratings:
    """Rate every month that ended before a day.

    Args:
        months: of `vipcrm.demo.months.summarise`.
        floors: floors of gold, platinum and diamond in yuan.
    """
    cents = np.array([0, *[int(floor * 100) for floor in floors]])
    rated = Ratings(
        service=np.zeros(n, int),
        asset=np.zeros(n, int),
        below=np.zeros(n, int),
        private=np.zeros(n, bool),
        signed_on=[None] * n,
        changes=[],
    )
    for number, month in enumerate(months):
        following = (month.month + timedelta(days=32)).replace(day=1)
        if following > before:
            break
        rate_month(rng, rated, month, cents, on=following, before=before, first=number == 0)
    return rated


def rate_month(rng, rated: Ratings, month, cents, *, on: date, before: date, first: bool):
    who, average = month.who, month.figures["month_avg"]
    tier = np.searchsorted(cents, average, side="right") - 1
    if first:
        # Customers of long standing begin with the card that their wealth brought them.
        rated.service[who] = tier
    service = rated.service[who]
    low = (service > 0) & (average < cents[service])
    was_watched = rated.below[who] > 0
    rated.below[who] = np.where(low, rated.below[who] + 1, 0)
    patience = np.where(rated.private[who], RULE.months_until_down_private, RULE.months_until_down)
    falls = rated.below[who] >= patience
    reached = (tier > service) & (tier > rated.asset[who]) & ~np.array(first)
    note(rated, who, on, "down", service, tier, average, falls)
    note(rated, who, on, "watch", service, service, average, low & ~was_watched & ~falls)
    note(rated, who, on, "cleared", service, service, average, was_watched & ~low & (service > 0))
    note(rated, who, on, "reached", service, tier, average, reached)
    rated.service[who] = np.where(falls, tier, service)
    rated.below[who] = np.where(falls, 0, rated.below[who])
    rated.asset[who] = tier
    sign(rng, rated, who, tier, average, on=on, before=before)
    diamond = rated.service[who] == 3
    wealthy = average >= int(RULE.private_floor) * 100
    rated.private[who] = diamond & (wealthy | rated.private[who])


def sign(rng, rated: Ratings, who, tier, average, *, on: date, before: date):
    """Let some of those whose money is above their card take the better one in the weeks that follow."""
    service = rated.service[who]
    chance = np.where(service == 0, SIGN_CHANCE * 0.9, SIGN_CHANCE)
    wait = rng.integers(2, 26, len(who))
    rises = (tier > service) & (rng.random(len(who)) < chance) & (wait < (before - on).days)
    for place in np.nonzero(rises)[0]:
        day = on + timedelta(days=int(wait[place]))
        customer = int(who[place])
        rated.changes.append((customer, day, "up", int(service[place]), int(tier[place]), int(average[place])))
        if rated.signed_on[customer] is None:
            rated.signed_on[customer] = day
    rated.service[who] = np.where(rises, tier, service)
    rated.below[who] = np.where(rises, 0, rated.below[who])


def note(rated: Ratings, who, on: date, kind: str, before, after, average, where):
    for place in np.nonzero(where)[0]:
        rated.changes.append((int(who[place]), on, kind, int(before[place]), int(after[place]), int(average[place])))
