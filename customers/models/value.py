"""What customers are worth to the bank, month by month, and those below zero until the branch head decides (domain.md §13)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import pgettext_lazy

from customers.models.customer import Customer
from staff.models import Staff


class ValueMonth(models.Model):
    """A customer's value as computed at the end of a month, with the parts it comes from. Yuan; `ev` and `pv` a year.

    `parts`: {ev: {kind or name: yuan}, pv: {category: yuan}, g, r, explicit, potential}.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="values_by_month")
    month = models.DateField()
    ev = models.DecimalField(max_digits=18, decimal_places=2)
    pv = models.DecimalField(max_digits=18, decimal_places=2)
    gv = models.DecimalField(max_digits=18, decimal_places=2)
    clv = models.DecimalField(max_digits=18, decimal_places=2)
    parts = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="value_once_a_month", fields=["customer", "month"])]

    def __str__(self):
        return f"{self.customer_id} {self.month:%Y-%m}"


class BelowZeroQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open(self):
        return self.filter(decision="")


class BelowZero(models.Model):
    """A customer whose lifetime value fell below zero, put to the branch head: he confirms, or the class stays as it is."""

    class Decision(models.TextChoices):
        OPEN = "", "—"
        CONFIRMED = "confirmed", pgettext_lazy("below zero", "Confirmed")
        REFUSED = "refused", pgettext_lazy("below zero", "Not so")
        OVER = "over", pgettext_lazy("below zero", "Above zero again")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="below_zero")
    proposed_on = models.DateField()
    clv = models.DecimalField(max_digits=18, decimal_places=2)
    decision = models.CharField(max_length=10, choices=Decision, blank=True, default="", db_default="")
    decided_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = BelowZeroQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["clv", "id"]
        constraints = [
            models.UniqueConstraint(name="below_zero_one_open", fields=["customer"], condition=Q(decision="")),
            models.CheckConstraint(
                name="below_zero_decided_by_somebody",
                condition=Q(decision__in=["", "over"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.clv}"
