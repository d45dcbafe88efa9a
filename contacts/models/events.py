"""Events that people or other systems enter, and whom they concern (domain.md §8)."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.event_catalogue import ENTERED, KINDS
from customers.models import Customer, Product, Segment
from staff.models import Branch, Staff


class ContactEventQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the events of the viewer's institution: of those above it, where they come from, and of those beneath.

        What was entered of one customer is for who sees that customer: its words are about a person.
        """
        here = Q(branch__in=Branch.objects.above(viewer.branch_id)) | Q(
            branch__in=Branch.objects.under(viewer.branch_id)
        )
        of_many = Q(segment__isnull=False) | Q(product__isnull=False)
        mine = EventMatch.objects.visible_to(viewer).filter(event=OuterRef("pk"))
        return self.filter(here, of_many | Q(Exists(mine)))

    def live(self, on):
        """Keep what is not withdrawn and not over on a day."""
        return self.filter(withdrawn_at=None, expires_on__gte=on)


class ContactEvent(models.Model):
    """Something that concerns many customers, or one: a bulletin, a policy, an activity, a change in a life.

    It asks for something from `appears_on` to `expires_on`. Whom it concerns is decided once, when it is published:
    rows of EventMatch, with why somebody was skipped.
    """

    class Source(models.TextChoices):
        MANUAL = "manual", _("By hand")
        API = "api", "API"

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=[(code, KINDS[code].label) for code in ENTERED])
    title = models.CharField(max_length=60)
    note = models.CharField(max_length=300, blank=True)
    occurs_on = models.DateField()
    appears_on = models.DateField()
    expires_on = models.DateField()
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="+")
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=6, choices=Source, default=Source.MANUAL)
    entered_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    entered_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    external_id = models.CharField(max_length=64, null=True, blank=True, unique=True)

    objects = ContactEventQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-occurs_on", "-pk"]
        constraints = [
            models.CheckConstraint(name="contact_event_days_in_order", condition=Q(appears_on__lte=F("expires_on"))),
        ]

    def __str__(self):
        return f"{self.kind} {self.title}"

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("contacts:event", args=[self.pk])


class EventMatchQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class EventMatch(models.Model):
    """One customer whom an entered event concerns; `skip` says why he is not approached, "" if he is.

    `relevance`: 0–100, how much it concerns him (`contacts.event`).
    """

    event = models.ForeignKey(ContactEvent, models.CASCADE, related_name="matches")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    skip = models.CharField(max_length=16, blank=True)
    relevance = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = EventMatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="event_match_once", fields=["event", "customer"])]

    def __str__(self):
        return f"{self.event_id} {self.customer_id} {self.skip}"
