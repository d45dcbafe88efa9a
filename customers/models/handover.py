"""Handing customers over (移交): from draft to effective, line by line, with the note that the next one needs (domain.md §6)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models import Branch, Staff
from staff.roles import HEADS


class HandoverQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep those of the viewer's branch and beneath for heads, and for others those they give or take part in."""
        if viewer.role in HEADS:
            return self.filter(branch__in=Branch.objects.under(viewer.branch_id))
        mine = HandoverLine.objects.filter(handover=models.OuterRef("pk"), to=viewer)
        taken = Q(models.Exists(mine)) & ~Q(status__in=[Handover.Status.DRAFT, Handover.Status.CANCELLED])
        return self.filter(Q(giver=viewer) | taken)

    def open(self):
        """Keep what is neither effective nor given up."""
        return self.exclude(status__in=[Handover.Status.EFFECTIVE, Handover.Status.CANCELLED])


class Handover(models.Model):
    """Customers of one member going to others on a day; or, as `cover`, a backup up to a day while the member is away."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Waits for the receivers")
        ACCEPTED = "accepted", _("Waits for approval")
        APPROVED = "approved", _("Approved, not yet in effect")
        EFFECTIVE = "effective", _("In effect")
        CANCELLED = "cancelled", _("Cancelled")

    class Reason(models.TextChoices):
        POST = "post", _("Change of post")
        LEAVING = "leaving", _("Leaves the bank")
        LEAVE = "leave", _("Cover during leave")
        WISH = "wish", _("The customer wishes it")
        BALANCE = "balance", _("Even loads")
        TIER = "tier", _("Change of tier")
        NEGLECT = "neglect", _("Not looked after for long")
        OTHER = "other", pgettext_lazy("reason of a hand-over", "Other")

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    giver = models.ForeignKey(Staff, models.PROTECT, related_name="handovers")
    reason = models.CharField(max_length=8, choices=Reason)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    effective_on = models.DateField()
    until = models.DateField(null=True, blank=True)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    approved_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="reversed_by")

    objects = HandoverQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-made_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="handover_cover_has_an_end",
                condition=Q(reason="leave", until__isnull=False, until__gte=F("effective_on"))
                | ~Q(reason="leave") & Q(until=None),
            ),
            models.CheckConstraint(
                name="handover_approved_by_somebody",
                condition=~Q(status__in=["approved", "effective"]) | Q(approved_by__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.giver_id} {self.reason} {self.effective_on}"

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("customers:handover", args=[self.pk])

    @property
    def is_cover(self) -> bool:
        return self.reason == self.Reason.LEAVE


class HandoverLineQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the lines of customers in sight, and those that wait for the viewer to receive them.

        The giver loses sight of a customer with the relation, whoever sent a line back with the line.
        """
        from customers.models.customer import Customer

        under_way = [Handover.Status.SUBMITTED, Handover.Status.ACCEPTED, Handover.Status.APPROVED]
        coming = Q(to=viewer, handover__status__in=under_way)
        return self.filter(Q(customer__in=Customer.objects.visible_to(viewer)) | coming)


class HandoverLine(models.Model):
    """One customer with his receiver, what the receiver must know, and whether the receiver took him."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("line of a hand-over", "Open")
        TAKEN = "taken", _("Received")
        BACK = "back", _("Sent back")

    handover = models.ForeignKey(Handover, models.CASCADE, related_name="lines")
    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="handover_lines")
    to = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.TextField(max_length=600, blank=True)
    state = models.CharField(max_length=5, choices=State, default=State.OPEN)
    answer = models.CharField(max_length=200, blank=True)
    assignment = models.OneToOneField("customers.Assignment", models.PROTECT, null=True, blank=True, related_name="+")

    objects = HandoverLineQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="handover_line_once", fields=["handover", "customer"]),
            models.CheckConstraint(
                name="handover_taken_with_note", condition=~Q(state="taken") | (Q(to__isnull=False) & ~Q(note=""))
            ),
            models.CheckConstraint(name="handover_back_says_why", condition=~Q(state="back") | ~Q(answer="")),
        ]

    def __str__(self):
        return f"{self.handover_id} {self.customer_id}"

    @property
    def is_joint(self) -> bool:
        """Say whether the first visit is made together: a diamond customer's (domain.md §6)."""
        return self.customer.service_tier == 3
