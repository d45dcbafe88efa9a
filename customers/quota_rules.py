"""Changing how customers are shared out: quotas, load limit, gold routing; a set that takes effect on a later day.

What has taken effect is history and never changes; a set that lies ahead can be withdrawn. Nobody is moved by it: who
holds more than the new quotas keeps them and receives nobody (domain.md §5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import lcm

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers.load import LARGEST, MOST_LOAD, Book, Quota, limits_for, quotas_in_force
from customers.models import AssignmentRule, QuotaRule, Tier
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role

PARAMETERS = ("load_limit", "gold_routing_mode")
"""What a set decides beside the quotas."""


class QuotaRulesRefused(Refused):
    """These rules may not be kept; the message says why."""

    code = "quota_rules_refused"


@dataclass(frozen=True)
class QuotaRules:
    """One set: {role: {tier: Quota}} and the parameters."""

    quotas: Mapping[str, Mapping[Tier, Quota]]
    rule: AssignmentRule

    @classmethod
    def in_force(cls, on: date) -> "QuotaRules":
        """Return the set that holds on a day."""
        return cls(quotas_in_force(on), AssignmentRule.objects.in_force(on))

    @property
    def of_manager(self) -> Mapping[Tier, Quota]:
        """Return the quotas of a relationship manager, by which the need of an outlet is reckoned."""
        return self.quotas.get(Role.RELATIONSHIP_MANAGER, {})

    def book(self, book: Book, role: str, factor: Decimal, places: Mapping[Tier, int]) -> Book:
        """Return a member's book as it would stand under this set; what passes the limits is noted as over.

        Args:
            factor: the member's capacity factor, 1 = 100 %.
            places: what overrides give, by tier.
        """
        limits = limits_for(self.quotas.get(role, {}), factor=factor, load_limit=self.rule.load_share).with_places(
            places
        )
        units = sum(book.counts[tier] * limits.weights[tier] for tier in Tier)
        return replace(
            book,
            limits=limits.limits,
            weights=limits.weights,
            capacity=limits.capacity,
            full_capacity=limits.full_capacity,
            over={
                tier: 0 if limit is None else max(0, book.counts[tier] - limit) for tier, limit in limits.limits.items()
            },
            units_over=max(0, units - limits.capacity),
        )

    def values(self) -> dict:
        """Return {key: value} of everything that the set decides; a quota's key is (role, tier)."""
        numbers = {(role, tier): quota.number for role, tiers in self.quotas.items() for tier, quota in tiers.items()}
        return numbers | {name: getattr(self.rule, name) for name in PARAMETERS}

    def differences(self, other: "QuotaRules") -> dict:
        """Return {key: (value here, value there)} of what differs."""
        there = other.values()
        return {key: (value, there[key]) for key, value in self.values().items() if value != there[key]}


def check(rules: QuotaRules) -> None:
    """Pass if loads under these quotas can be reckoned in whole units.

    Raises:
        QuotaRulesRefused: a role's quotas have too large a common multiple for the Load table.
    """
    for role, tiers in rules.quotas.items():
        units = lcm(*(quota.number for quota in tiers.values()))
        if units * rules.rule.load_share * MOST_LOAD > LARGEST:
            words = _("{role}: choose rounder quotas, multiples of 5 or 10; loads cannot be reckoned in these.")
            raise QuotaRulesRefused(words.format(role=Role(role).label))


@transaction.atomic
def save(*, rules: QuotaRules, effective_from: date, by: Staff, on: date) -> None:
    """Keep a set that takes effect on a later day; of the quotas only what differs is written.

    Raises:
        QuotaRulesRefused: the day is not ahead, a set begins on that day already, nothing differs, or `check` fails.
    """
    if effective_from <= on:
        raise QuotaRulesRefused(_("Choose a day after today: rules that are in force stay as they are."))
    check(rules)
    changed = QuotaRules.in_force(effective_from).differences(rules)
    if not changed:
        raise QuotaRulesRefused(_("Nothing differs from the rules that hold on that day."))
    try:
        with transaction.atomic():
            parameters = {name: getattr(rules.rule, name) for name in PARAMETERS}
            AssignmentRule.objects.create(effective_from=effective_from, made_by=by, **parameters)
            for role, tier in (key for key in changed if key not in PARAMETERS):
                quota = rules.quotas[role][tier]
                QuotaRule.objects.create(
                    role=role, tier=tier, quota=quota.number, is_limit=quota.is_limit, effective_from=effective_from
                )
    except IntegrityError:
        raise QuotaRulesRefused(_("Rules that begin on that day are kept already; withdraw them first.")) from None
    written = {code_of(key): f"{old} → {new}" for key, (old, new) in changed.items()}
    audit.record("quotas.saved", None, by=by, on=effective_from, changes=written)


@transaction.atomic
def withdraw(*, effective_from: date, by: Staff, on: date) -> None:
    """Take back a set that has not taken effect yet.

    Raises:
        QuotaRulesRefused: it is in force, or there is none.
    """
    if effective_from <= on:
        raise QuotaRulesRefused(_("Rules that are in force stay; save others for a later day."))
    if not AssignmentRule.objects.filter(effective_from=effective_from).delete()[0]:
        raise QuotaRulesRefused(_("These rules were withdrawn already."))
    QuotaRule.objects.filter(effective_from=effective_from).delete()
    audit.record("quotas.withdrawn", None, by=by, on=effective_from)


def code_of(key) -> str:
    """Return the key of a value as one word: of forms, addresses and the trail."""
    return key if key in PARAMETERS else f"{key[0]}-{Tier(key[1]).code}"
