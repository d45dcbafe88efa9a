"""A member of staff holds somebody for a potential VIP customer and says why (domain.md §3)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Trim
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from staff.models import Staff

REASON_LENGTH = 4
"""How many characters a reason has at least: two Chinese words."""


class NominationQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        return self.filter(ended_at=None)


class Nomination(models.Model):
    """One nomination; one stays open a customer at a time, and those that ended are kept."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="nominations")
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=120)
    at = models.DateTimeField(db_default=Now())
    ended_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = NominationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(name="nomination_one_open", fields=["customer"], condition=Q(ended_at=None)),
            models.CheckConstraint(
                name="nomination_has_a_reason",
                condition=Q(GreaterThanOrEqual(models.functions.Length(Trim("reason")), REASON_LENGTH)),
            ),
            models.CheckConstraint(
                name="nomination_ended_by_somebody",
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.reason}"
