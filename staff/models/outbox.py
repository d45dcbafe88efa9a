"""Mail that was decided on: written in the deciding transaction, sent after it, once."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models.people import Staff


class OutboxEmail(models.Model):
    """One mail to one person. `key` names the effect, such as "alert:2026-11-25:17", and exists once.

    `sending` with a `lease_until` is a claim; a claim that ran out may or may not have reached the
    server, so it becomes `uncertain`: listed, and never sent again by itself.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("in a queue", "Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        UNCERTAIN = "uncertain", _("Uncertain")
        DEAD = "dead", _("Given up")

    key = models.CharField(max_length=120, unique=True)
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    language = models.CharField(max_length=8, choices=Staff.Language, default=Staff.Language.CHINESE)
    message_id = models.CharField(max_length=160, unique=True, help_text=_("the same at every try"))
    status = models.CharField(max_length=10, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=models.functions.Now(), help_text=_("the next try"))
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="outbox_sent_has_a_time", condition=~Q(status="sent") | Q(sent_at__isnull=False)
            ),
            models.CheckConstraint(
                name="outbox_sending_has_a_lease", condition=~Q(status="sending") | Q(lease_until__isnull=False)
            ),
        ]
        indexes = [
            # What to send next, and the age of the oldest waiting row.
            models.Index(name="outbox_to_send", fields=["not_before"], condition=Q(status__in=["waiting", "sending"])),
            # What came of them, newest first.
            models.Index(name="outbox_by_status", fields=["status", "-id"]),
        ]

    def __str__(self):
        return self.key
