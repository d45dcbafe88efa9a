"""Messages to customers: templates that somebody else approved, drafts of the system, what was sent and answered (domain.md §7)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import ConsentRecord, Customer, Segment
from staff.models import Staff


class MessageTemplate(models.Model):
    """The words of one kind of message; the approved one of a kind is used, an edited one waits for approval.

    Placeholders: {name} {title} {manager} {branch}, and by kind {festival} {wish} {product} {day} {event}.
    """

    class Kind(models.TextChoices):
        BIRTHDAY = "birthday", _("Birthday greeting")
        FESTIVAL = "festival", _("Festival greeting")
        MATURITY = "maturity", _("Maturity reminder")
        PRODUCT = "product", _("New product")
        YIELD = "yield", _("Yield of a held product")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Waits for approval")
        APPROVED = "approved", pgettext_lazy("template", "In use")
        RETIRED = "retired", pgettext_lazy("template", "Out of use")

    kind = models.CharField(max_length=10, choices=Kind)
    body = models.CharField(max_length=300)
    auto_release = models.BooleanField(default=False, help_text=_("leaves without a person releasing it"))
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    approved_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["kind", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="message_template_one_in_use", fields=["kind"], condition=Q(status="approved")
            ),
            models.UniqueConstraint(name="message_template_one_draft", fields=["kind"], condition=Q(status="draft")),
            models.CheckConstraint(
                name="message_template_by_two_people",
                condition=~Q(status="approved") | Q(made_by=None) | Q(approved_by__isnull=False) & ~Q(approved_by=F("made_by")),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.kind} {self.pk}"


class MessageBatchQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the batches for segments in the viewer's sight."""
        return self.filter(segment__in=Segment.objects.visible_to(viewer))

    def waiting(self):
        return self.filter(status=MessageBatch.Status.WAITING)


class MessageBatch(models.Model):
    """One text for the customers of a segment, written by one person, approved by another; then each has a draft.

    `drafted` and `skipped` ({why: how many}) say what the approval made of it. Placeholders: {name} {title} {manager} {branch}.
    """

    class Purpose(models.TextChoices):
        CARE = ConsentRecord.Purpose.CARE.value, ConsentRecord.Purpose.CARE.label
        MARKETING = ConsentRecord.Purpose.MARKETING.value, ConsentRecord.Purpose.MARKETING.label

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("batch", "Waits for approval")
        APPROVED = "approved", pgettext_lazy("batch", "Approved")
        DECLINED = "declined", pgettext_lazy("batch", "Declined")

    segment = models.ForeignKey(Segment, models.PROTECT, related_name="message_batches")
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose, default=Purpose.CARE)
    body = models.CharField(_("words"), max_length=300)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    drafted = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(default=dict)

    objects = MessageBatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="message_batch_by_two_people",
                condition=Q(status="waiting", decided_by=None)
                | Q(status="declined", decided_by__isnull=False)
                | Q(status="approved", decided_by__isnull=False) & ~Q(decided_by=F("made_by")),
            ),
        ]

    def __str__(self):
        return f"{self.segment_id} {self.pk}"

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("contacts:message_batch", args=[self.pk])


class OutboundMessageQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the messages to customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def drafted(self):
        return self.filter(status=OutboundMessage.Status.DRAFTED)


class OutboundMessage(models.Model):
    """One message to one customer on one occasion, from the draft to the answer.

    `key` names the occasion ("birthday:2026-11-25:4711"), so that a night run twice drafts once. `reference` is what the
    gateway knows it by: the same at every try. The words are kept as they were sent.
    """

    class Status(models.TextChoices):
        DRAFTED = "drafted", _("Drafted")
        RELEASED = "released", _("Released")
        SENDING = "sending", _("Being sent")
        SENT = "sent", pgettext_lazy("message", "Sent")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")
        UNCERTAIN = "uncertain", _("Uncertain")
        SKIPPED = "skipped", pgettext_lazy("message", "Not sent")
        CANCELLED = "cancelled", _("Cancelled")

    class Channel(models.TextChoices):
        SMS = ConsentRecord.Channel.SMS.value, ConsentRecord.Channel.SMS.label
        EMAIL = ConsentRecord.Channel.EMAIL.value, ConsentRecord.Channel.EMAIL.label

    BATCH = "batch"

    key = models.CharField(max_length=60, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=10, choices=[*MessageTemplate.Kind.choices, (BATCH, _("To a segment"))])
    purpose = models.CharField(max_length=10)
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.SMS, db_default="sms")
    template = models.ForeignKey(MessageTemplate, models.PROTECT, null=True, blank=True, related_name="+")
    batch = models.ForeignKey(MessageBatch, models.PROTECT, null=True, blank=True, related_name="messages")
    body = models.CharField(max_length=400)
    occasion_on = models.DateField()
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFTED)
    why = models.CharField(max_length=120, blank=True, default="", db_default="")
    not_before = models.DateTimeField(db_default=Now())
    drafted_at = models.DateTimeField(db_default=Now())
    released_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    released_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OutboundMessageQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="message_sent_was_released",
                condition=Q(status__in=["drafted", "cancelled", "skipped"]) | Q(released_at__isnull=False),
            ),
            models.CheckConstraint(
                name="message_of_a_template_or_a_batch",
                condition=Q(template__isnull=False, batch=None) | Q(template=None, batch__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="message_to_send", fields=["not_before", "id"], condition=Q(status="released")),
            models.Index(name="message_by_customer", fields=["customer", "-drafted_at"]),
            models.Index(name="message_drafted", fields=["occasion_on"], condition=Q(status="drafted")),
        ]

    def __str__(self):
        return self.key

    @property
    def reference(self) -> str:
        return f"vip-{self.pk}"


class InboundMessage(models.Model):
    """What a customer answered; `external_id` of the gateway, so that it is taken once."""

    external_id = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="replies")
    text = models.CharField(max_length=500)
    at = models.DateTimeField()
    withdrew = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.external_id
