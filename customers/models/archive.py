"""The personal archive (贵宾客户个人档案, domain.md §11): what is known of a customer, from whom, since when.

Nothing that people wrote is changed or deleted: a value that is replaced or ended keeps its row, closed
by `ended_at`; the open row is what holds. `customers.archive.fields` says which fields there are.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models import Staff
from staff.sealing import SealedField


class Source(models.TextChoices):
    """Where a value of the archive comes from."""

    CUSTOMER = "customer", _("Told by the customer")
    OBSERVED = "observed", _("Observed by staff")
    SYSTEM = "system", pgettext_lazy("source", "System")
    REFERRAL = "referral", _("Referral")


class RecordedQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the rows of customers that the viewer may see."""
        from customers.models.customer import Customer

        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def current(self):
        """Keep what holds: not replaced, not ended."""
        return self.filter(ended_at=None)


class Recorded(models.Model):
    """Something known of a customer, with who wrote it, when and where it comes from."""

    source = models.CharField(max_length=8, choices=Source, default=Source.CUSTOMER)
    by = models.ForeignKey(
        Staff, models.PROTECT, null=True, blank=True, related_name="+", help_text=_("none for the system")
    )
    at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RecordedQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ()


class ProfileValue(Recorded):
    """One field of the archive that has one value at a time.

    `value` is plain JSON as the field's kind says (text, code, list of codes, ISO date, true or false); of a
    sensitive field it is the mask, and `sealed` holds the value itself.
    """

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="profile_values")
    field = models.CharField(max_length=32, help_text=_("a code of customers.archive.fields"))
    value = models.JSONField()
    sealed = SealedField(blank=True)

    class Meta(Recorded.Meta):
        constraints = [
            models.UniqueConstraint(
                name="profile_value_one_open", fields=["customer", "field"], condition=Q(ended_at=None)
            ),
        ]
        indexes = [
            # Segments and filters: who has this value now.
            models.Index(name="profile_value_current", fields=["field", "value"], condition=Q(ended_at=None)),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.field}"


class Hobby(Recorded):
    """An interest, how much of one, and whether it earns money (domain.md §12, S4-32)."""

    class Level(models.IntegerChoices):
        LIKES = 1, _("Likes it")
        OFTEN = 2, _("Does it often")
        EXPERT = 3, _("Expert")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="hobbies")
    word = models.CharField(max_length=20, help_text=_("from the list of hobbies"))
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.LIKES)
    earns = models.BooleanField(default=False, help_text=_("brings income"))

    class Meta(Recorded.Meta):
        constraints = [
            models.UniqueConstraint(name="hobby_once", fields=["customer", "word"], condition=Q(ended_at=None)),
        ]
        indexes = [models.Index(name="hobby_current", fields=["word", "customer"], condition=Q(ended_at=None))]

    def __str__(self):
        return f"{self.customer_id} {self.word}"


class Resource(Recorded):
    """A resource that a customer needs, or could offer to others (domain.md §12)."""

    class Direction(models.TextChoices):
        NEED = "need", pgettext_lazy("resource", "Needs")
        OFFER = "offer", pgettext_lazy("resource", "Offers")

    class Urgency(models.IntegerChoices):
        SOME_DAY = 1, _("Some day")
        THIS_YEAR = 2, _("This year")
        NOW = 3, pgettext_lazy("urgency", "Now")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="resources")
    direction = models.CharField(max_length=5, choices=Direction)
    word = models.CharField(max_length=20, help_text=_("from the list of resources"))
    urgency = models.PositiveSmallIntegerField(choices=Urgency, default=Urgency.SOME_DAY)
    note = models.CharField(max_length=120, blank=True)

    class Meta(Recorded.Meta):
        constraints = [
            models.UniqueConstraint(
                name="resource_once", fields=["customer", "direction", "word"], condition=Q(ended_at=None)
            ),
        ]
        indexes = [
            models.Index(name="resource_current", fields=["direction", "word", "customer"], condition=Q(ended_at=None))
        ]

    def __str__(self):
        return f"{self.customer_id} {self.direction} {self.word}"


class ConsentRecord(models.Model):
    """One granting or withdrawing of consent for a purpose over a channel; the newest row holds (domain.md §18)."""

    class Purpose(models.TextChoices):
        CARE = "care", _("Care greetings")
        MARKETING = "marketing", _("Marketing")
        PROFILING = "profiling", _("Personal recommendations")
        ACTIVITY = "activity", _("Activity invitations")
        SHARING = "sharing", _("Sharing with partners")

    class Channel(models.TextChoices):
        PHONE = "phone", pgettext_lazy("channel", "Phone")
        SMS = "sms", pgettext_lazy("channel", "SMS")
        WECHAT = "wechat", pgettext_lazy("channel", "WeChat")
        EMAIL = "email", pgettext_lazy("channel", "E-mail")
        POST = "post", pgettext_lazy("channel", "Post")

    customer = models.ForeignKey("customers.Customer", models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=10, choices=Purpose)
    channel = models.CharField(max_length=8, choices=Channel)
    granted = models.BooleanField()
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    evidence = models.CharField(
        max_length=120, blank=True, help_text=_("form number, recording, or the customer's words")
    )

    objects = RecordedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            # What holds for a customer: the newest row of each purpose and channel.
            models.Index(name="consent_newest", fields=["customer", "purpose", "channel", "-at", "-id"]),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.purpose} {self.channel} {'+' if self.granted else '-'}"
