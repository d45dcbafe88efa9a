"""What was said to whom, and how often it must be (domain.md §7)."""

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Tier
from staff.models import Staff

LATE_AFTER_DAYS = 7
"""A contact entered later than this is kept, marked late, and does not count (domain.md §7)."""


class FrequencyRule(models.Model):
    """One rule of the contact regime; the newest row up to a day holds.

    Either-or rules add up: progress = phones ÷ `phones` + meetings ÷ `meetings`, met at 1.
    """

    class Code(models.TextChoices):
        WEEKLY = "weekly_10", _("Ten customers a week")
        QUARTERLY = "quarterly_1", _("Every customer once a quarter")
        DIAMOND = "diamond_month", _("Diamond, every month")
        PLATINUM = "platinum_month", _("Platinum, every month")
        GOLD_INACTIVE = "gold_inactive", _("Gold customer without business")

    code = models.CharField(max_length=16, choices=Code)
    tier = models.PositiveSmallIntegerField(choices=Tier, null=True, blank=True)
    phones = models.PositiveSmallIntegerField(null=True, blank=True)
    meetings = models.PositiveSmallIntegerField(null=True, blank=True)
    contacts = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("customers a week, or contacts"))
    idle_days = models.PositiveSmallIntegerField(null=True, blank=True)
    prorate_by_workdays = models.BooleanField(
        default=False, db_default=False, help_text=_("the weekly rule spares weeks of two working days or fewer")
    )
    effective_from = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="frequency_rule_once_a_day", fields=["code", "effective_from"]),
            models.CheckConstraint(
                name="frequency_rule_either_or_is_complete",
                condition=Q(phones=None, meetings=None) | Q(phones__gt=0, meetings__gt=0),
            ),
        ]

    def __str__(self):
        return f"{self.code} from {self.effective_from}"


class ContactLogQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the contacts of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def standing(self):
        """Keep what has not been voided."""
        return self.filter(voided_at=None)

    def valid(self):
        """Keep contacts that count for the regime."""
        return self.exclude(counts_as=ContactLog.CountsAs.NOTHING)


class ContactLog(models.Model):
    """One contact with a customer, as the member of staff wrote it down; corrected by a new version or taken back, never deleted.

    `counts_as` is what the regime credits (domain.md §7), decided by the database from channel, result,
    delay and voiding, so that it can never be typed in.
    """

    class Channel(models.TextChoices):
        PHONE = "phone", _("Phone")
        OFFICE = "office", _("Meeting at the outlet")
        VISIT = "visit", _("Visit")
        VIDEO = "video", _("Video")
        WECHAT = "wechat", _("WeChat")
        SMS = "sms", _("Text message")
        EMAIL = "email", _("E-mail")

    class Result(models.TextChoices):
        CONNECTED = "connected", _("Connected")
        MET = "met", _("Met")
        REPLIED = "replied", _("Replied")
        NOT_REACHED = "not_reached", _("Not reached")

    class Purpose(models.TextChoices):
        CARE = "care", _("Care")
        AFTER_SALE = "after_sale", _("After sale")
        INFORMATION = "information", _("Information")
        WEALTH_CHECK = "wealth_check", _("Wealth check")
        NEEDS = "needs", _("Needs")
        PRODUCT = "product", pgettext_lazy("purpose", "Product")
        INVITATION = "invitation", _("Invitation")
        COMPLAINT = "complaint", _("Complaint")
        RETENTION = "retention", _("Retention")
        HANDOVER = "handover", _("Hand-over introduction")

    class CountsAs(models.TextChoices):
        PHONE = "phone", _("Phone")
        MEETING = "meeting", _("Meeting")
        MESSAGE = "message", _("Message")
        NOTHING = "nothing", _("Does not count")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contact_logs")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="contact_logs")
    channel = models.CharField(_("way"), max_length=8, choices=Channel)
    result = models.CharField(_("result"), max_length=12, choices=Result)
    at = models.DateTimeField(_("time"))
    on = models.DateField(help_text=_("the bank's day of `at`"))
    entered_on = models.DateField(help_text=_("the bank's day of entry"))
    minutes = models.PositiveSmallIntegerField(_("minutes"), null=True, blank=True)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.CARE)
    summary = models.TextField(_("what the customer said"), blank=True)
    next_contact_on = models.DateField(null=True, blank=True)
    opportunity = models.ForeignKey(
        "contacts.Opportunity", models.PROTECT, null=True, blank=True, related_name="contact_logs"
    )
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    counts_as = models.GeneratedField(
        expression=Case(
            When(Q(voided_at__isnull=False), then=Value("nothing")),
            When(Q(entered_on__gt=F("on") + LATE_AFTER_DAYS), then=Value("nothing")),
            When(Q(channel="phone", result="connected"), then=Value("phone")),
            When(Q(channel__in=["office", "visit", "video"], result="met"), then=Value("meeting")),
            When(Q(channel__in=["wechat", "sms", "email"], result="replied"), then=Value("message")),
            default=Value("nothing"),
        ),
        output_field=models.CharField(max_length=8, choices=CountsAs),
        db_persist=True,
    )

    objects = ContactLogQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="contact_log_entered_after_contact", condition=Q(entered_on__gte=F("on"))),
            models.CheckConstraint(
                name="contact_log_result_fits_channel",
                condition=Q(result="not_reached")
                | Q(channel="phone", result="connected")
                | Q(channel__in=["office", "visit", "video"], result="met")
                | Q(channel__in=["wechat", "sms", "email"], result="replied"),
            ),
            models.CheckConstraint(
                name="contact_log_says_what_was_said", condition=Q(result="not_reached") | ~Q(summary="")
            ),
        ]
        indexes = [
            # A customer's ledger, newest first; the windows of the regime.
            models.Index(fields=["customer", "-on"], name="contact_log_by_customer"),
            # The weekly count of a member, what was done today.
            models.Index(fields=["staff", "-on"], name="contact_log_by_staff"),
            # What webhooks have not told yet.
            models.Index(fields=["created_at"], name="contact_log_by_entry"),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.channel} {self.on}"

    @property
    def is_late(self) -> bool:
        """Say whether it was entered too late to count."""
        return (self.entered_on - self.on).days > LATE_AFTER_DAYS


class ContactLogVersion(models.Model):
    """What a contact said before it was corrected; the contact itself holds the newest words (domain.md §7)."""

    log = models.ForeignKey(ContactLog, models.PROTECT, related_name="versions")
    channel = models.CharField(max_length=8, choices=ContactLog.Channel)
    result = models.CharField(max_length=12, choices=ContactLog.Result)
    at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    purpose = models.CharField(max_length=12, choices=ContactLog.Purpose)
    summary = models.TextField(blank=True)
    corrected_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    corrected_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.log_id} {self.pk}"
