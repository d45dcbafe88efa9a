"""How much of a member's capacity customers take: exact arithmetic in whole units (domain.md §5).

The pure half works on values; `refresh_limits` writes what the quota rules in force mean for each
member. Counts are never written here: they follow the assignments inside the database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import lcm

from django.db import OperationalError, transaction
from django.db.models import F, Sum
from django.utils.timezone import localdate
from django.utils.translation import gettext, pgettext

from customers.models import AssignmentRule, Load, Override, QuotaRule, Tier
from staff.models import Branch, Staff
from staff.refusal import Refused
from staff.roles import Role

COLUMNS = {Tier.GENERAL: "potential", Tier.GOLD: "gold", Tier.PLATINUM: "platinum", Tier.DIAMOND: "diamond"}
"""The column of Load in which a customer of each load class counts; general stands for potential."""

LARGEST = 2**31 - 1
MOST_LOAD = Decimal("1.5")
"""An override never lets a load go past 150 % of the load limit (domain.md §5, assumption)."""
LOCK_NOT_AVAILABLE = "55P03"


class Busy(Refused):
    """Another act holds the outlet; trying again helps."""

    code = "busy"


@dataclass(frozen=True)
class Quota:
    """How many customers of a class one member may hold; without `is_limit` it only weighs in the load."""

    number: int
    is_limit: bool = True


@dataclass(frozen=True)
class Limits:
    """What the quotas mean for a member: per class the units of one customer and the most that are allowed.

    A limit of None is none; 0 means that the role holds no such customers. `most` is how far overrides may raise the capacity.
    """

    weights: dict[Tier, int]
    limits: dict[Tier, int | None]
    full_capacity: int
    capacity: int
    most: int

    def with_places(self, places: Mapping[Tier, int]) -> "Limits":
        """Return the limits with places beyond the quota; the load they let in never passes `most`."""
        limits = {tier: one if one is None else one + places.get(tier, 0) for tier, one in self.limits.items()}
        more = sum(count * self.weights[tier] for tier, count in places.items())
        return replace(self, limits=limits, capacity=min(self.capacity + more, max(self.capacity, self.most)))


def limits_for(quotas: Mapping[Tier, Quota], *, factor: Decimal, load_limit: Decimal = Decimal(1)) -> Limits:
    """Return the limits of a member of a role with these quotas.

    Args:
        quotas: those of the member's role; a class without one may not be held.
        factor: the member's capacity factor, 1 = 100 %.
        load_limit: how much load the bank allows a full member, 1 = 100 %; 3 leaves the quotas alone to decide.
    """
    full = lcm(*(quota.number for quota in quotas.values()))  # 1 where the role holds nobody
    weights = {tier: full // quotas[tier].number if tier in quotas else 0 for tier in Tier}
    limits = {tier: _limit(quotas.get(tier), factor) for tier in Tier}
    capacity = int(full * factor * load_limit) if quotas else 0
    return Limits(weights, limits, full, capacity, most=int(MOST_LOAD * load_limit * full))


def _limit(quota: Quota | None, factor: Decimal) -> int | None:
    if quota is None:
        return 0
    return int(quota.number * factor) if quota.is_limit else None


@dataclass(frozen=True)
class Book:
    """What one member holds and may hold: the values of a Load row, to reckon with."""

    counts: dict[Tier, int]
    limits: dict[Tier, int | None]
    weights: dict[Tier, int]
    capacity: int
    full_capacity: int
    over: dict[Tier, int]
    units_over: int = 0

    @property
    def units(self) -> int:
        return sum(self.counts[tier] * self.weights[tier] for tier in self.counts)

    @property
    def percent(self) -> Decimal:
        """Return the load in percent of a full member, exact."""
        return percent_of(self.units, self.full_capacity)

    @property
    def limit_percent(self) -> Decimal:
        """Return the member's load limit in percent of a full member."""
        return percent_of(self.capacity, self.full_capacity)

    def holds(self, tier: Tier) -> bool:
        """Say whether the member's role holds customers of this class at all."""
        return self.limits[tier] != 0

    def plus(self, tier: Tier, count: int = 1) -> "Book":
        """Return the book with more, or fewer, customers of one class; what is over shrinks as in the database."""
        changed = replace(self, counts=self.counts | {tier: self.counts[tier] + count})
        excess = max(0, changed.counts[tier] - (self.limits[tier] or 0)) if self.limits[tier] is not None else 0
        return replace(
            changed,
            over=self.over | {tier: min(self.over[tier], excess)},
            units_over=min(self.units_over, max(0, changed.units - self.capacity)),
        )

    def lacks_quota(self, tier: Tier) -> bool:
        """Say whether one more customer of this class passes its quota."""
        limit = self.limits[tier]
        return limit is not None and self.counts[tier] + 1 > limit + self.over[tier]

    def lacks_units(self, tier: Tier) -> bool:
        """Say whether one more customer of this class passes the load limit."""
        return self.units + self.weights[tier] - self.units_over > self.capacity

    def has_room(self, tier: Tier) -> bool:
        """Say whether one more customer of this class fits; the constraints of Load ask the same."""
        return not self.lacks_quota(tier) and not self.lacks_units(tier)


def percent_of(units: int, full_capacity: int) -> Decimal:
    """Return units as percent of 100 % of load; 0 for a role that holds nobody."""
    return Decimal(100 * units) / Decimal(full_capacity) if full_capacity else Decimal(0)


def book_of(load: Load) -> Book:
    """Return a Load row as values."""
    return Book(
        counts={tier: getattr(load, column) for tier, column in COLUMNS.items()},
        limits={tier: getattr(load, f"{column}_limit") for tier, column in COLUMNS.items()},
        weights={tier: getattr(load, f"{column}_weight") for tier, column in COLUMNS.items()},
        over={tier: getattr(load, f"{column}_over") for tier, column in COLUMNS.items()},
        capacity=load.capacity,
        full_capacity=load.full_capacity,
        units_over=load.units_over,
    )


def class_label(tier: Tier) -> str:
    """Return the word for a load class; there general means potential."""
    return str(tier.label) if tier else pgettext("load class", "Potential")


def why_full(book: Book, tier: Tier) -> str:
    """Return in words why one more customer of this class does not fit; empty if it does."""
    if book.lacks_quota(tier):
        return gettext("Over the quota: %(tier)s %(count)d/%(limit)d") % {
            "tier": class_label(tier),
            "count": book.counts[tier],
            "limit": book.limits[tier],
        }
    if book.lacks_units(tier):
        return gettext("Over the load limit: %(load)s%%/%(limit)s%%") % {
            "load": f"{book.plus(tier).percent:.1f}",
            "limit": f"{book.limit_percent:.1f}".removesuffix(".0"),
        }
    return ""


def stands_on(book: Book, tier: Tier, places: Mapping[Tier, int]) -> bool:
    """Say whether the newest customer of a book stands on places that an override gives."""
    limit = book.limits[tier]
    over_quota = limit is not None and book.counts[tier] > limit - places.get(tier, 0)
    more = sum(count * book.weights[one] for one, count in places.items())
    return bool(places) and (over_quota or book.units > book.capacity - more)


def quotas_in_force(on: date) -> dict[str, dict[Tier, Quota]]:
    """Return {role: {tier: Quota}} of the rules that hold on a day, in one query."""
    quotas = {}
    for rule in QuotaRule.objects.in_force(on):
        quotas.setdefault(rule.role, {})[Tier(rule.tier)] = Quota(rule.quota, rule.is_limit)
    return quotas


def managers_needed(counts: Mapping[Tier, int], quotas: Mapping[Tier, Quota]) -> Decimal:
    """Return how many full members the customers take: Σ count ÷ quota, not rounded.

    Example:
        45 diamond, 150 platinum, 500 gold at 30/100/200 need 5.5.
    """
    return sum((Decimal(counts[tier]) / quotas[tier].number for tier in counts if tier in quotas), Decimal(0))


def lock_branches(branch_ids: Iterable[int]) -> None:
    """Lock branches in key order: the first lock of every verb that moves customers, so none wait in a ring.

    Raises:
        Busy: somebody has held one of them for longer than the lock timeout.
    """
    branches = Branch.objects.filter(pk__in=set(branch_ids)).order_by("pk")
    try:
        list(branches.select_for_update(no_key=True).values_list("pk"))
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
            raise
        raise Busy(gettext("Somebody else is assigning customers of this outlet. Try again in a moment.")) from error


@transaction.atomic
def refresh_limits(staff_ids: Iterable[int], *, on: date | None = None) -> int:
    """Write the limits and weights that hold on a day (today) for these members; say how many there were.

    A lowered quota moves nobody: what the member already holds above it is noted as over, and makes no room.
    """
    members = Staff.objects.filter(pk__in=list(staff_ids))
    lock_branches(members.values_list("branch", flat=True))
    on = on or localdate()
    quotas, load_limit = quotas_in_force(on), AssignmentRule.objects.in_force(on).load_share
    Load.objects.bulk_create([Load(staff=member) for member in members], ignore_conflicts=True)
    loads = Load.objects.filter(staff__in=members).order_by("pk")
    list(loads.select_for_update(no_key=True, of=("self",)).values_list("pk"))
    kinds = set(members.values_list("role", "capacity_factor"))
    limits = {
        (role, factor): limits_for(quotas.get(role, {}), factor=factor, load_limit=load_limit) for role, factor in kinds
    }
    given = extra_places(staff_ids, on=on)
    count = sum(
        Load.objects.filter(staff__in=members.filter(role=role, capacity_factor=factor).exclude(pk__in=given)).update(
            **_columns(limits[role, factor])
        )
        for role, factor in sorted(kinds)
    )
    for member in members.filter(pk__in=given).order_by("pk"):
        more = limits[member.role, member.capacity_factor].with_places(given[member.pk])
        count += Load.objects.filter(staff=member).update(**_columns(more))
    return count


def extra_places(staff_ids: Iterable[int], *, on: date) -> dict[int, dict[Tier, int]]:
    """Return {member: {tier: places}} that overrides give on a day."""
    found: dict[int, dict[Tier, int]] = {}
    rows = Override.objects.valid(on).filter(staff__in=list(staff_ids)).order_by()
    for staff_id, tier, places in rows.values_list("staff", "tier").annotate(Sum("places")):
        found.setdefault(staff_id, {})[Tier(tier)] = places
    return found


def _columns(limits: Limits) -> dict:
    """Return the values of a Load row; `…_over` takes all there is, and the database cuts it to the true excess."""
    columns = {"full_capacity": limits.full_capacity, "capacity": limits.capacity, "units_over": LARGEST}
    for tier, column in COLUMNS.items():
        columns[f"{column}_limit"] = limits.limits[tier]
        columns[f"{column}_weight"] = limits.weights[tier]
        columns[f"{column}_over"] = F(column)
    return columns


ADVISERS = (Role.WEALTH_ADVISER, Role.FINANCIAL_ADVISER)
"""Roles that stand beside a manager and are never primary."""

MANAGERS = (Role.RELATIONSHIP_MANAGER, Role.WEALTH_MANAGER)
"""Roles that look after customers of every tier."""
