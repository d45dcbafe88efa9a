"""Whom to tell that something happened, and what became of each telling."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models.clients import ApiClient
from staff.sealing import SealedField


class WebhookEndpoint(models.Model):
    """An address of a client's to which certain events are posted, signed with a secret of its own.

    `seen_until`: events up to here have been looked for. `stopped_why` is empty while it is in use.
    """

    client = models.ForeignKey(ApiClient, models.PROTECT, related_name="webhooks")
    url = models.URLField(max_length=300)
    events = ArrayField(models.CharField(max_length=32))
    secret = SealedField()
    seen_until = models.DateTimeField(db_default=Now())
    stopped_why = models.CharField(max_length=100, blank=True, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="webhook_once_a_client", fields=["client", "url"]),
            models.CheckConstraint(name="webhook_tells_something", condition=Q(events__len__gt=0)),
        ]

    def __str__(self):
        return self.url

    @property
    def audit_label(self) -> str:
        return self.url

    def get_absolute_url(self):
        return reverse("staff:webhook_list", args=[self.client_id])


class WebhookDeliveryQuerySet(models.QuerySet):
    def due(self):
        """Keep what is to be posted now; an endpoint or a client that was stopped is told nothing."""
        waiting = self.filter(status=WebhookDelivery.Status.WAITING, next_at__lte=timezone.now())
        return waiting.filter(endpoint__stopped_why="", endpoint__client__stopped_at=None)


class WebhookDelivery(models.Model):
    """One event for one endpoint. `message_id` is of the event: whoever receives it twice knows it by that."""

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("delivery", "Waiting")
        DELIVERED = "delivered", pgettext_lazy("delivery", "Delivered")
        FAILED = "failed", pgettext_lazy("delivery", "Given up")

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=80)
    event = models.CharField(max_length=32)
    data = models.JSONField(help_text=_("ids only"))
    happened_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    answer = models.CharField(max_length=60, blank=True, default="", help_text=_("of the last try"))
    tried_at = models.DateTimeField(null=True, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(name="webhook_delivery_once", fields=["endpoint", "message_id"])]
        indexes = [models.Index(name="webhook_due", fields=["next_at"], condition=Q(status="waiting"))]

    def __str__(self):
        return f"{self.event} {self.message_id}"

    @property
    def about(self) -> str:
        """Return the numbers that say whom or what it is about."""
        return " ".join(str(value) for name, value in self.data.items() if name != "id")
