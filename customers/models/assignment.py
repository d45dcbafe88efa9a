"""Who looks after whom, and how much of each member's capacity that takes (domain.md §5)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.tiers import Tier
from staff.models import Staff
from staff.roles import Role


class QuotaRuleQuerySet(models.QuerySet):
    def in_force(self, on):
        """Keep for each role and tier the rule that holds on that day."""
        newest = (
            self.filter(effective_from__lte=on)
            .order_by("role", "tier", "-effective_from")
            .distinct("role", "tier")
            .values("pk")
        )
        return self.filter(pk__in=newest).order_by("role", "-tier")


class QuotaRule(models.Model):
    """How many customers of a tier one member of a role looks after; general stands for potential.

    `is_limit` is off where the number only weighs in the load (potential: 1/200, without limit).
    A role without a rule for a tier may not hold customers of that tier.
    """

    role = models.CharField(max_length=24, choices=Role)
    tier = models.PositiveSmallIntegerField(choices=Tier)
    quota = models.PositiveIntegerField()
    is_limit = models.BooleanField(default=True)
    effective_from = models.DateField()

    objects = QuotaRuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="quota_rule_once_a_day", fields=["role", "tier", "effective_from"]),
            models.CheckConstraint(name="quota_positive", condition=Q(quota__gt=0)),
        ]

    def __str__(self):
        return f"{self.role} {Tier(self.tier).code} {self.quota}"


class LoadQuerySet(models.QuerySet):
    def of_branch(self, branch_id):
        """Keep the loads of active members of one branch."""
        return self.filter(staff__branch=branch_id, staff__is_active=True)


def load_units():
    return (
        F("potential") * F("potential_weight")
        + F("gold") * F("gold_weight")
        + F("platinum") * F("platinum_weight")
        + F("diamond") * F("diamond_weight")
    )


class Load(models.Model):
    """How much of a member's capacity is taken, in whole units: 100 % is the least common multiple of the quotas.

    With quotas 30/100/200 a diamond is 20, a platinum 6, a gold or potential customer 3, of 600.
    Counts follow the open assignments by triggers (migration 0003), so that neither a race nor a
    bulk load nor a shell gets past the constraints below. A limit of null is none; 0 means that the
    role holds no such customers. `…_over` is what a change of tier alone pushed above a limit
    (such a change never moves a customer by itself); it shrinks as the count does and makes no room.
    """

    staff = models.OneToOneField(Staff, models.PROTECT, primary_key=True, related_name="load")
    potential = models.PositiveIntegerField(default=0)
    gold = models.PositiveIntegerField(default=0)
    platinum = models.PositiveIntegerField(default=0)
    diamond = models.PositiveIntegerField(default=0)
    potential_limit = models.PositiveIntegerField(null=True, default=0)
    gold_limit = models.PositiveIntegerField(null=True, default=0)
    platinum_limit = models.PositiveIntegerField(null=True, default=0)
    diamond_limit = models.PositiveIntegerField(null=True, default=0)
    potential_weight = models.PositiveIntegerField(default=0)
    gold_weight = models.PositiveIntegerField(default=0)
    platinum_weight = models.PositiveIntegerField(default=0)
    diamond_weight = models.PositiveIntegerField(default=0)
    potential_over = models.PositiveIntegerField(default=0)
    gold_over = models.PositiveIntegerField(default=0)
    platinum_over = models.PositiveIntegerField(default=0)
    diamond_over = models.PositiveIntegerField(default=0)
    capacity = models.PositiveIntegerField(default=0, help_text=_("units, capacity factor applied"))
    full_capacity = models.PositiveIntegerField(default=1, help_text=_("units that are 100 %"))
    units_over = models.PositiveIntegerField(default=0)
    units = models.GeneratedField(expression=load_units(), output_field=models.IntegerField(), db_persist=True)

    objects = LoadQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="load_within_capacity",
                condition=Q(capacity__gte=load_units() - F("units_over")),
            ),
            *(
                models.CheckConstraint(
                    name=f"load_{tier}_within_quota",
                    condition=Q(**{f"{tier}_limit": None})
                    | Q(**{f"{tier}__lte": F(f"{tier}_limit") + F(f"{tier}_over")}),
                )
                for tier in ("potential", "gold", "platinum", "diamond")
            ),
        ]

    def __str__(self):
        return f"{self.staff_id} {self.units}/{self.capacity}"


class AssignmentQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the assignments of customers that the viewer may see."""
        from customers.models.customer import Customer

        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        """Keep those that have not ended."""
        return self.filter(end=None)

    def primary(self):
        """Keep the relations of primary managers."""
        return self.filter(role=Assignment.Role.PRIMARY)


class Assignment(models.Model):
    """Who looks after a customer, from one day up to another; an open assignment has no end."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("Primary")
        BACKUP = "backup", _("Backup")
        ADVISER = "adviser", _("Adviser")
        COMPANION = "companion", _("Companion of a meeting")

    class Source(models.TextChoices):
        MANUAL = "manual", _("By hand")
        AUTO = "auto", _("Proposal")
        TRANSFER = "transfer", _("Hand-over")
        COVER = "cover", _("Leave cover")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="assignments")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=9, choices=Role, default=Role.PRIMARY)
    start = models.DateField()
    end = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.MANUAL)
    reason = models.CharField(max_length=200, blank=True)
    assigned_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    replaced = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("what this one ended; undo reopens it"),
    )
    until = models.DateField(null=True, blank=True, help_text=_("last day of a companion; the night ends it"))
    proposal = models.ForeignKey(
        "customers.ProposalRecord", models.PROTECT, null=True, blank=True, db_index=False, related_name="assignments"
    )
    locked = models.BooleanField(
        default=False, db_default=False, help_text=_("stays with this manager whatever a proposal would move")
    )
    exceeds = models.BooleanField(default=False, db_default=False, help_text=_("made on places beyond the limits"))
    updated_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="assignment_one_open_primary", fields=["customer"], condition=Q(role="primary", end=None)
            ),
            models.UniqueConstraint(
                name="assignment_one_open_adviser", fields=["customer"], condition=Q(role="adviser", end=None)
            ),
            models.UniqueConstraint(
                name="assignment_one_open_companion",
                fields=["customer", "staff"],
                condition=Q(role="companion", end=None),
            ),
            models.CheckConstraint(
                name="assignment_companion_until",
                condition=Q(role="companion", until__isnull=False, until__gte=F("start"))
                | ~Q(role="companion") & Q(until=None),
            ),
            models.CheckConstraint(name="assignment_ends_after_start", condition=Q(end=None) | Q(end__gte=F("start"))),
        ]
        indexes = [
            # A member's own customers: CustomerQuerySet.visible_to.
            models.Index(name="assignment_open_by_staff", fields=["staff", "customer"], condition=Q(end=None)),
            models.Index(name="assignment_by_proposal", fields=["proposal"], condition=Q(proposal__isnull=False)),
            # The API's feed of assignments, in cursor order.
            models.Index(name="assignment_by_update", fields=["updated_at", "id"]),
        ]

    def __str__(self):
        return f"{self.customer_id} → {self.staff_id} ({self.role})"
