"""A manager asks the branch head to give a customer to somebody else (申请调整)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from staff.models import Staff


class AdjustmentRequestQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        return self.filter(settled_at=None)


class AdjustmentRequest(models.Model):
    """One wish of a manager that the branch head decides; one of a kind stays open a customer at a time."""

    class Kind(models.TextChoices):
        MOVE = "move", _("Another manager")
        LOW_DISTURB = "low_disturb", _("Low disturbance")

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        REFUSED = "refused", _("Stays")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="adjustment_requests")
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.MOVE, db_default="move")
    reason = models.CharField(_("reason"), max_length=120)
    asked_at = models.DateTimeField(db_default=Now())
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True, default="")
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = AdjustmentRequestQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="adjustment_one_open_a_kind", fields=["customer", "kind"], condition=Q(settled_at=None)
            ),
            models.CheckConstraint(
                name="adjustment_settled_by_somebody",
                condition=Q(settled_at=None, settled_by=None, outcome="")
                | Q(settled_at__isnull=False, settled_by__isnull=False, outcome__in=["done", "refused"]),
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.reason}"
