"""How the quotas are applied: the load limit and who takes gold customers, from a day on (domain.md §§5–6)."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from staff.models import Staff


class AssignmentRuleQuerySet(models.QuerySet):
    def in_force(self, on) -> "AssignmentRule":
        """Return the rule that holds on a day; a bank without rows has the defaults of domain.md §5."""
        newest: AssignmentRule | None = self.filter(effective_from__lte=on).order_by("-effective_from").first()
        return newest or AssignmentRule()

    def ahead(self, on):
        """Keep what takes effect after a day."""
        return self.filter(effective_from__gt=on).order_by("effective_from")


class AssignmentRule(models.Model):
    """One set of rules of assignment; the quotas that begin with it are rows of QuotaRule of the same day.

    `load_limit` is percent of a full member; 300 leaves the quotas per tier alone to decide.
    """

    class Routing(models.TextChoices):
        OVERFLOW = "overflow", _("Managers first, the rest by year average")
        BAND_FIRST = "band_first", _("Always by year average")
        MANAGER_ONLY = "manager_only", _("Managers only")

    effective_from = models.DateField(_("in force from"), unique=True)
    load_limit = models.PositiveSmallIntegerField(_("load limit, percent"), default=100)
    gold_routing_mode = models.CharField(
        _("gold customers go to"), max_length=12, choices=Routing, default=Routing.OVERFLOW
    )
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    objects = AssignmentRuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="assignment_rule_load_in_range", condition=Q(load_limit__range=(100, 300))),
        ]

    def __str__(self):
        return f"{self.effective_from} {self.load_limit}% {self.gold_routing_mode}"

    @property
    def load_share(self) -> Decimal:
        """Return the load limit as a share, 1 = 100 %."""
        return Decimal(self.load_limit) / 100
