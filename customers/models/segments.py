"""Segments of customers, who was in them when, and the strategy for each (domain.md §12)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from staff.models import Branch, Staff
from staff.roles import Scope


class SegmentQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the segments of the viewer's branch, of those above it, and, for who sees beneath, of those beneath."""
        if viewer.scope == Scope.NONE:
            return self.none()
        above = Branch.objects.above(viewer.branch_id)
        here = Q(branch__in=above) | Q(branch=viewer.branch_id)
        if viewer.scope in (Scope.BENEATH, Scope.ALL):
            here |= Q(branch__in=Branch.objects.under(viewer.branch_id))
        return self.filter(here)

    def active(self):
        return self.filter(retired_at=None)


class Segment(models.Model):
    """A rule over any dimensions, or, where `rule` is null, a fixed list.

    `rule` is data as `customers.segments.rule` reads it. Customers of the branch and beneath it are members;
    the night keeps `SegmentMember` up to it. `version` goes up with each change and guards against stale edits.
    """

    name = models.CharField(_("name"), max_length=40)
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True)
    rule = models.JSONField(null=True, blank=True)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="segments")
    owner = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    refreshed_on = models.DateField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                name="segment_name_once_a_branch", fields=["branch", "name"], condition=Q(retired_at=None)
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("customers:segment_detail", args=[self.pk])


class SegmentMemberQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def current(self):
        return self.filter(until=None)


class SegmentMember(models.Model):
    """A customer's time in a segment: from `since` on, and no longer on `until`."""

    segment = models.ForeignKey(Segment, models.PROTECT, related_name="members")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="segment_times")
    since = models.DateField()
    until = models.DateField(null=True, blank=True)

    objects = SegmentMemberQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="segment_member_once", fields=["segment", "customer"], condition=Q(until=None)
            ),
            models.CheckConstraint(
                name="segment_member_dates_in_order", condition=Q(until=None) | Q(until__gte=F("since"))
            ),
        ]
        indexes = [
            models.Index(name="segment_member_current", fields=["customer", "segment"], condition=Q(until=None)),
            models.Index(name="segment_member_history", fields=["segment", "since", "until"]),
        ]

    def __str__(self):
        return f"{self.segment_id} {self.customer_id}"


class SegmentStrategy(models.Model):
    """What is done for a segment; each change is a new row with its reason, and one is in force at a time.

    `every_days`: at least one valid contact in so many days, on top of the tier's rule and so never looser than it.
    """

    class Reason(models.TextChoices):
        FIRST = "first", _("First strategy")
        FEEDBACK = "feedback", _("Feedback of customers")
        TREND = "trend", _("Trend of the market")
        COMPETITOR = "competitor", _("Competitors")
        REVIEW = "review", _("Regular review")

    segment = models.ForeignKey(Segment, models.PROTECT, related_name="strategies")
    goal = models.CharField(_("goal"), max_length=120)
    measure = models.CharField(_("how it is measured"), max_length=120)
    key_customers = models.CharField(_("whom to contact first"), max_length=120, blank=True)
    timing = models.CharField(_("good occasions"), max_length=120, blank=True)
    every_days = models.PositiveSmallIntegerField(_("a contact at least every (days)"), null=True, blank=True)
    scripts = models.TextField(_("scripts"), max_length=1000, blank=True)
    products = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    services = models.CharField(_("services"), max_length=200, blank=True)
    owner = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("owner"))
    review_on = models.DateField(_("review on"))
    reason = models.CharField(_("reason of the change"), max_length=10, choices=Reason, default=Reason.FIRST)
    reason_words = models.CharField(_("in words"), max_length=120, blank=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(name="strategy_one_in_force", fields=["segment"], condition=Q(ended_at=None)),
            models.CheckConstraint(
                name="strategy_frequency_in_range", condition=Q(every_days=None) | Q(every_days__range=(1, 90))
            ),
        ]

    def __str__(self):
        return self.goal
