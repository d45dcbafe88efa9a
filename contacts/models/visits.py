"""Meetings that are planned, alone or with colleagues (domain.md §8)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.models.logs import ContactLog
from customers.models import Customer
from staff.models import Staff


class VisitPlanQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the plans with customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class VisitPlan(models.Model):
    """One planned meeting; `log` is the contact that it became. Companions see the customer until 7 days after it."""

    class Way(models.TextChoices):
        OFFICE = "office", _("Meeting at the outlet")
        VISIT = "visit", _("Visit")
        VIDEO = "video", _("Video")

    class Status(models.TextChoices):
        PLANNED = "planned", pgettext_lazy("visit", "Planned")
        HELD = "held", pgettext_lazy("visit", "Held")
        CANCELLED = "cancelled", pgettext_lazy("visit", "Cancelled")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="visits")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="visits")
    companions = models.ManyToManyField(Staff, related_name="joint_visits", blank=True)
    on = models.DateField(_("day"))
    at = models.TimeField(_("time"))
    way = models.CharField(_("way"), max_length=6, choices=Way, default=Way.OFFICE)
    place = models.CharField(_("place"), max_length=60, blank=True)
    aim = models.CharField(_("aim"), max_length=200)
    status = models.CharField(max_length=9, choices=Status, default=Status.PLANNED)
    log = models.OneToOneField(ContactLog, models.PROTECT, null=True, blank=True, related_name="visit")
    made_at = models.DateTimeField(db_default=Now())

    objects = VisitPlanQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-on", "-at"]
        constraints = [
            models.UniqueConstraint(
                name="visit_one_a_day", fields=["customer", "on"], condition=Q(status="planned")
            ),
            models.CheckConstraint(name="visit_held_has_a_contact", condition=~Q(status="held") | Q(log__isnull=False)),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.customer_id} {self.on}"

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("contacts:visit", args=[self.pk])
