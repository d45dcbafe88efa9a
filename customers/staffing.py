"""How many people an outlet's customers take, who is there, and what other quotas would do (domain.md §5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import ceil

from django.db.models import Case, Count, F, Q, Sum, When

from customers.branch_proposal import propose_branch
from customers.load import MANAGERS, book_of, extra_places
from customers.models import Customer, Load, RelationStatus, Tier
from customers.proposal import BANDS, Proposal
from customers.quota_rules import QuotaRules
from staff.models import Branch, Staff
from staff.roles import Role


@dataclass(frozen=True)
class Need:
    """What one outlet's customers take and who is there.

    `counts` are the customers by load class, `waiting` those without a manager; `managers` the sum of the managers'
    capacity factors; `advisers` of each kind present; `side` how many gold customers lobby manager and tellers may hold.
    """

    branch: Branch
    counts: Mapping[Tier, int]
    waiting: int
    managers: Decimal
    quotas: Mapping[Tier, int] = field(default_factory=dict)
    adviser_quotas: Mapping[Tier, int] = field(default_factory=dict)
    advisers: Mapping[str, int] = field(default_factory=dict)
    side: int = 0

    @property
    def customers(self) -> int:
        return sum(self.counts.values())

    @property
    def exact(self) -> Decimal:
        """Return Σ customers ÷ quota: 45 diamond, 150 platinum and 500 gold at 30/100/200 are 5.5."""
        return sum((Decimal(self.counts[tier]) / number for tier, number in self.quotas.items()), Decimal(0))

    @property
    def needed(self) -> int:
        return ceil(self.exact)

    @property
    def missing(self) -> Decimal:
        """Return how many full managers are missing; negative where there are more than needed."""
        return self.needed - self.managers

    @property
    def terms(self) -> list[dict]:
        """Return the sum as written out, diamond first: {tier, count, quota, share}."""
        return [
            {"tier": tier, "count": self.counts[tier], "quota": number, "share": Decimal(self.counts[tier]) / number}
            for tier, number in sorted(self.quotas.items(), reverse=True)
            if self.counts[tier]
        ]

    @property
    def advisers_needed(self) -> list[dict]:
        """Return for each tier that advisers support how many it takes and how many stand by: {tier, needed, present}."""
        able = {Tier.DIAMOND: sum(self.advisers.values()), Tier.PLATINUM: self.advisers.get(Role.FINANCIAL_ADVISER, 0)}
        return [
            {"tier": tier, "needed": ceil(Decimal(self.counts[tier]) / number), "present": able[tier], "quota": number}
            for tier, number in sorted(self.adviser_quotas.items(), reverse=True)
        ]


def needs(*, viewer, branches: Iterable[Branch], rules: QuotaRules) -> list[Need]:
    """Return the need of each outlet from what `viewer` may see, who is short the most first; two queries."""
    branches = list(branches)
    in_load = Case(When(relation_status=RelationStatus.SIGNED, then=F("service_tier")), default=0)
    customers = Customer.objects.visible_to(viewer).assignable().filter(branch__in=branches)
    counts: dict[int, dict[Tier, int]] = defaultdict(lambda: dict.fromkeys(Tier, 0))
    waiting: dict[int, int] = defaultdict(int)
    grouped = customers.order_by().values(at=F("branch"), kind=in_load)
    for row in grouped.annotate(n=Count("pk"), free=Count("pk", filter=Q(manager=None))):
        counts[row["at"]][Tier(row["kind"])] += row["n"]
        waiting[row["at"]] += row["free"]
    people: dict[int, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
    active = Staff.objects.active().filter(branch__in=branches).order_by().values("branch", "role")
    for row in active.annotate(factor=Sum("capacity_factor"), n=Count("pk")):
        people[row["branch"]][row["role"]] = row["factor"], row["n"]
    numbers = {tier: quota.number for tier, quota in rules.of_manager.items()}
    adviser = {
        tier: quota.number for tier, quota in rules.quotas.get(Role.FINANCIAL_ADVISER, {}).items() if quota.is_limit
    }
    found = [
        Need(
            branch,
            counts[branch.pk],
            waiting[branch.pk],
            sum((people[branch.pk].get(role, (Decimal(0), 0))[0] for role in MANAGERS), Decimal(0)),
            quotas=numbers,
            adviser_quotas=adviser,
            advisers={role: people[branch.pk].get(role, (0, 0))[1] for role in (Role.WEALTH_ADVISER, Role.FINANCIAL_ADVISER)},
            side=sum(
                int(rules.quotas[role][Tier.GOLD].number * people[branch.pk].get(role, (Decimal(0), 0))[0])
                for role in BANDS
                if Tier.GOLD in rules.quotas.get(role, {})
            ),
        )
        for branch in branches
    ]  # fmt: skip
    return sorted(found, key=lambda need: (-need.missing, need.branch.code))


@dataclass(frozen=True)
class Full:
    """A member whose book passes a limit under other rules; percent of a full member."""

    name: str
    branch: str
    before: Decimal
    after: Decimal
    limit: Decimal
    over: Mapping[Tier, int]

    @property
    def tiers(self) -> list[dict]:
        """Return by how many customers each quota is passed, diamond first."""
        return [{"tier": tier, "n": count} for tier, count in sorted(self.over.items(), reverse=True) if count]


@dataclass(frozen=True)
class Outcome:
    """What other rules would do: needs before and after, who would be over; the proposals of one outlet, if one is asked."""

    before: list[Need]
    after: list[Need]
    full: list[Full]
    now: Proposal | None = None
    then: Proposal | None = None

    def total(self, which: str) -> dict:
        """Return the sums over the outlets `before` or `after`: exact need, managers needed, short of how many."""
        rows = getattr(self, which)
        return {
            "exact": sum((need.exact for need in rows), Decimal(0)),
            "needed": sum(need.needed for need in rows),
            "short": sum((max(need.missing, Decimal(0)) for need in rows), Decimal(0)),
        }


def simulate(*, viewer, branches: Iterable[Branch], now: QuotaRules, then: QuotaRules, on: date) -> Outcome:
    """Compare two sets of rules over outlets; for a single outlet the waiting are shared out under each as well."""
    branches = list(branches)
    before = needs(viewer=viewer, branches=branches, rules=now)
    after = needs(viewer=viewer, branches=branches, rules=then)
    full = _overfull(branches, then, on)
    if len(branches) != 1:
        return Outcome(before, after, full)
    shared = [propose_branch(viewer=viewer, branch=branches[0], on=on, rules=rules)[0] for rules in (now, then)]
    return Outcome(before, after, full, *shared)


def _overfull(branches: list[Branch], then: QuotaRules, on: date) -> list[Full]:
    rows = list(Load.objects.filter(staff__branch__in=branches, staff__is_active=True).select_related("staff__branch"))
    places = extra_places([row.staff_id for row in rows], on=on)
    found = []
    for row in rows:
        staff, book = row.staff, book_of(row)
        other = then.book(book, staff.role, staff.capacity_factor, places.get(staff.pk, {}))
        if other.units_over or any(other.over.values()):
            over = other.over
            found.append(Full(staff.name, staff.branch.name, book.percent, other.percent, other.limit_percent, over))
    return sorted(found, key=lambda one: (-(one.after - one.limit), one.name))
