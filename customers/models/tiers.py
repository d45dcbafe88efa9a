"""Tiers, their thresholds as dated rows, and the history of every customer's tier."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now
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


class RatingRuleQuerySet(models.QuerySet):
    def in_force(self, on) -> "RatingRule":
        """Return the parameters that hold on a day; a bank without rows has the defaults of domain.md §3."""
        newest: RatingRule | None = self.filter(effective_from__lte=on).order_by("-effective_from").first()
        return newest or RatingRule()

    def ahead(self, on):
        """Keep what takes effect after a day."""
        return self.filter(effective_from__gt=on).order_by("effective_from")


def yuan(default: int, words):
    return models.DecimalField(words, max_digits=18, decimal_places=2, default=default)


class RatingRule(models.Model):
    """The parameters of rating from a day on; the newest row up to a day holds (domain.md §3).

    Amounts are yuan. A row that has taken effect is history and never changes.
    """

    class Measure(models.TextChoices):
        MONTH_AVG = "month_avg", _("Month average")
        YEAR_AVG = "year_avg", _("Year average")

    class YearBasis(models.TextChoices):
        LAST_365 = "last_365", _("Last 365 days")
        YEAR_TO_DATE = "year_to_date", _("Since 1 January")

    effective_from = models.DateField(_("in force from"), unique=True)
    rating_measure = models.CharField(
        _("average that decides the tier"), max_length=9, choices=Measure, default=Measure.MONTH_AVG
    )
    year_avg_basis = models.CharField(
        _("days of the year average"), max_length=12, choices=YearBasis, default=YearBasis.LAST_365
    )
    months_until_down = models.PositiveSmallIntegerField(_("months below the floor until the tier falls"), default=3)
    months_until_down_private = models.PositiveSmallIntegerField(_("the same for private banking"), default=6)
    near_percent = models.PositiveSmallIntegerField(_("near the threshold from, percent of the next floor"), default=80)
    private_floor = yuan(6_000_000, _("private banking from"))
    loan_floor = yuan(300_000, _("potential by loans from"))
    custody_floor = yuan(10_000, _("potential by custody cash from"))
    card_floor = yuan(50_000, _("potential by card spend of 12 months from"))
    payroll_floor = yuan(10_000, _("potential by monthly pay over 3 months from"))
    made_by = models.ForeignKey("staff.Staff", models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(db_default=models.functions.Now())

    objects = RatingRuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="rating_rule_months_in_range",
                condition=models.Q(months_until_down__range=(1, 12), months_until_down_private__range=(1, 12)),
            ),
            models.CheckConstraint(name="rating_rule_near_in_range", condition=models.Q(near_percent__range=(1, 100))),
            models.CheckConstraint(
                name="rating_rule_floors_positive",
                condition=models.Q(private_floor__gt=0, loan_floor__gt=0, custody_floor__gt=0),
            ),
            models.CheckConstraint(
                name="rating_rule_indicators_positive", condition=models.Q(card_floor__gt=0, payroll_floor__gt=0)
            ),
        ]

    def __str__(self):
        return f"{self.effective_from}"

    @property
    def near_share(self) -> Decimal:
        """Return the share of the next floor from which a customer is near it."""
        return Decimal(self.near_percent) / 100

    def patience(self, *, is_private_banking: bool) -> int:
        """Return after how many months below the floor the tier falls."""
        return self.months_until_down_private if is_private_banking else self.months_until_down


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
    created_at = models.DateTimeField(db_default=Now())
    figures = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text=_("what caused it: measure, floor in force, the months below it with their averages"),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="tier_change_once", fields=["customer", "on", "kind"]),
        ]
        indexes = [
            # What webhooks have not told yet.
            models.Index(name="tier_change_by_time", fields=["created_at"]),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.kind} {self.on}"
