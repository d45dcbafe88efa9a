"""Changing the rules of rating: a set of thresholds and parameters that takes effect on a later day.

What has taken effect is history and never changes; a set that lies ahead can be withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers.models import RatingRule, Tier, TierRule
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

PARAMETERS = (
    "rating_measure",
    "year_avg_basis",
    "months_until_down",
    "months_until_down_private",
    "near_percent",
    "private_floor",
    "loan_floor",
    "custody_floor",
    "card_floor",
    "payroll_floor",
)
"""What a set decides beside the floors of the tiers."""


class RulesRefused(Refused):
    """These rules may not be kept; the message says why."""

    code = "rules_refused"


@dataclass(frozen=True)
class Rules:
    """One set: {Tier: floor in yuan} of gold, platinum and diamond, and the parameters."""

    floors: Mapping[Tier, Decimal]
    rule: RatingRule

    @classmethod
    def in_force(cls, on: date) -> "Rules":
        """Return the set that holds on a day."""
        floors = {tier: floor for tier, floor in TierRule.objects.floors(on).items() if tier}
        return cls(floors, RatingRule.objects.in_force(on))

    def values(self) -> dict:
        """Return {name: value} of everything that the set decides."""
        return {tier.code: Decimal(floor) for tier, floor in self.floors.items()} | {
            name: getattr(self.rule, name) for name in PARAMETERS
        }

    def differences(self, other: "Rules") -> dict:
        """Return {name: (value here, value there)} of what differs."""
        there = other.values()
        return {name: (value, there[name]) for name, value in self.values().items() if value != there[name]}


def check(rules: Rules) -> None:
    """Pass if the floors rise from tier to tier.

    Raises:
        RulesRefused: they do not.
    """
    gold, platinum, diamond = (rules.floors[tier] for tier in (Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND))
    if not 0 < gold < platinum < diamond <= rules.rule.private_floor:
        raise RulesRefused(_("The thresholds have to rise: gold, platinum, diamond, private banking."))


@transaction.atomic
def save_rules(*, rules: Rules, effective_from: date, by: Staff, on: date) -> None:
    """Keep a set of rules that takes effect on a later day; only what differs from the rules before is written.

    Raises:
        RulesRefused: the day is not ahead, a set begins on that day already, nothing differs, or the floors do not rise.
    """
    if effective_from <= on:
        raise RulesRefused(_("Choose a day after today: rules that are in force stay as they are."))
    check(rules)
    before = Rules.in_force(effective_from)
    changed = before.differences(rules)
    if not changed:
        raise RulesRefused(_("Nothing differs from the rules that hold on that day."))
    try:
        with transaction.atomic():
            for tier, floor in rules.floors.items():
                if tier.code in changed:
                    TierRule.objects.create(tier=tier, floor=floor, effective_from=effective_from)
            values = {name: getattr(rules.rule, name) for name in PARAMETERS}
            RatingRule.objects.create(effective_from=effective_from, made_by=by, **values)
    except IntegrityError:
        raise RulesRefused(_("Rules that begin on that day are kept already; withdraw them first.")) from None
    written = {name: f"{old} → {new}" for name, (old, new) in changed.items()}
    audit.record("rules.saved", None, by=by, on=effective_from, changes=written)


@transaction.atomic
def withdraw_rules(*, effective_from: date, by: Staff, on: date) -> None:
    """Take back a set of rules that has not taken effect yet.

    Raises:
        RulesRefused: it is in force, or there is none.
    """
    if effective_from <= on:
        raise RulesRefused(_("Rules that are in force stay; save others for a later day."))
    gone = RatingRule.objects.filter(effective_from=effective_from).delete()[0]
    if not gone:
        raise RulesRefused(_("These rules were withdrawn already."))
    TierRule.objects.filter(effective_from=effective_from).delete()
    audit.record("rules.withdrawn", None, by=by, on=effective_from)
