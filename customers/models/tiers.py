"""Tiers, their thresholds as dated rows, and the history of every customer's tier."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tier(models.IntegerChoices):
    """The tiers in rising order, so that they compare and sort as numbers (domain.md §3)."""

    GENERAL = 0, _("General")
    GOLD = 1, _("Gold")
    PLATINUM = 2, _("Platinum")
    DIAMOND = 3, _("Diamond")

    @property
    def code(self) -> str:
        """Return the word that the API and the style sheet use: `gold`."""
        return self.name.lower()

    @classmethod
    def from_code(cls, code: str) -> "Tier":
        """Return the tier of an API word; KeyError for any other."""
        return cls[code.upper()]


class TierRuleQuerySet(models.QuerySet):
    def in_force(self, on):
        """Keep for each tier the rule that holds on that day."""
        newest = self.filter(effective_from__lte=on).order_by("tier", "-effective_from").distinct("tier").values("pk")
        return self.filter(pk__in=newest).order_by("tier")

    def floors(self, on) -> dict:
        """Return {Tier: floor in yuan} in force on that day, general at 0."""
        return {Tier.GENERAL: 0} | {Tier(rule.tier): rule.floor for rule in self.in_force(on)}


class TierRule(models.Model):
    """The month average from which a tier begins; the newest row up to a day holds."""

    tier = models.PositiveSmallIntegerField(choices=Tier)
    floor = models.DecimalField(max_digits=18, decimal_places=2, help_text=_("yuan"))
    effective_from = models.DateField()

    objects = TierRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="tier_rule_once_a_day", fields=["tier", "effective_from"]),
            models.CheckConstraint(name="tier_rule_floor_positive", condition=models.Q(floor__gt=0)),
            models.CheckConstraint(name="tier_rule_for_vip_tiers", condition=models.Q(tier__in=[1, 2, 3])),
        ]

    def __str__(self):
        return f"{Tier(self.tier).label} ≥ {self.floor}"


class TierChange(models.Model):
    """One step of a customer's rating, with the figure that caused it (domain.md §3)."""

    class Kind(models.TextChoices):
        REACHED = "reached", _("Reached, not upgraded")
        UP = "up", _("Upgraded")
        WATCH = "watch", _("Put on watch")
        CLEARED = "cleared", _("Watch cleared")
        DOWN = "down", _("Downgraded")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="tier_changes")
    on = models.DateField()
    kind = models.CharField(max_length=8, choices=Kind)
    from_tier = models.PositiveSmallIntegerField(choices=Tier)
    to_tier = models.PositiveSmallIntegerField(choices=Tier)
    month_avg = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="tier_change_once", fields=["customer", "on", "kind"]),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.kind} {self.on}"
