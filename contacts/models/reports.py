"""The communication report (客户沟通报告): what was said in a meeting, for those who were not there (domain.md §10)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from contacts.models.logs import ContactLog
from customers.models import Customer
from staff.models import Branch, Staff
from staff.roles import HEADS
from staff.sealing import SealedField


class CommunicationReportQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the reports of customers that the viewer may see; a draft is its author's and the heads'."""
        seen = self.filter(customer__in=Customer.objects.visible_to(viewer))
        if viewer.role in HEADS:
            return seen
        return seen.filter(Q(author=viewer) | ~Q(status=CommunicationReport.Status.DRAFT))

    def to_review(self, head):
        """Keep what waits for a branch head."""
        return self.filter(
            status=CommunicationReport.Status.SUBMITTED, customer__branch__in=Branch.objects.under(head.branch_id)
        )


class ReportAttachmentQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the files of reports that the viewer may see; their content is not read along."""
        return self.filter(report__in=CommunicationReport.objects.visible_to(viewer))


class CommunicationReport(models.Model):
    """One report of one contact. Once submitted its words never change (migration 0007 refuses it): addenda follow.

    `promises` is [{"what", "due"}], `profile` {field code: value} of the archive, applied when it is submitted;
    `products` [{"product", "name", "refusals"}] as suitability stood on the day.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        RETURNED = "returned", _("Returned to be completed")
        REVIEWED = "reviewed", _("Read by the head")

    class Attitude(models.TextChoices):
        POSITIVE = "positive", _("Positive")
        NEUTRAL = "neutral", _("Neutral")
        NEGATIVE = "negative", _("Negative")

    number = models.CharField(max_length=20, unique=True)
    log = models.OneToOneField(ContactLog, models.PROTECT, related_name="report")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="reports")
    author = models.ForeignKey(Staff, models.PROTECT, related_name="reports")
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    due_on = models.DateField()
    place = models.CharField(_("place"), max_length=60, blank=True)
    ours = models.CharField(_("from our side"), max_length=120, blank=True)
    theirs = models.CharField(_("from the customer's side"), max_length=120, blank=True)
    preparation = models.TextField(_("prepared beforehand"), max_length=600, blank=True)
    service = models.CharField(_("VIP service introduced"), max_length=120, blank=True)
    situation = models.TextField(_("the customer's situation now"), max_length=1000, blank=True)
    needs = models.TextField(_("needs stated: what, how much, when, how urgent"), max_length=1000, blank=True)
    feedback = models.TextField(_("feedback on our service"), max_length=600, blank=True)
    objections = models.TextField(_("objections"), max_length=600, blank=True)
    competitor = models.CharField(_("other banks mentioned"), max_length=200, blank=True)
    attitude = models.CharField(_("attitude"), max_length=8, choices=Attitude, blank=True)
    sales_plan = models.TextField(_("sales plan"), max_length=1000, blank=True)
    products = models.JSONField(default=list)
    promises = models.JSONField(default=list)
    profile = models.JSONField(default=dict)
    submitted_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField(max_length=300, blank=True)

    objects = CommunicationReportQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="report_submitted_is_complete",
                condition=Q(status__in=["draft", "returned"])
                | Q(submitted_at__isnull=False) & ~Q(situation="") & ~Q(attitude=""),
            ),
            models.CheckConstraint(
                name="report_reviewed_by_somebody", condition=~Q(status="reviewed") | Q(reviewed_by__isnull=False)
            ),
            models.CheckConstraint(name="report_returned_says_why", condition=~Q(status="returned") | ~Q(comment="")),
        ]
        indexes = [models.Index(name="report_by_author", fields=["author", "status"])]

    def __str__(self):
        return self.number

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("contacts:report", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Say whether its author may still write it."""
        return self.status in (self.Status.DRAFT, self.Status.RETURNED)


class ReportAddendum(models.Model):
    """What was added to a report after it was submitted."""

    report = models.ForeignKey(CommunicationReport, models.PROTECT, related_name="addenda")
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    text = models.TextField(max_length=1000)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [models.CheckConstraint(name="report_addendum_says_something", condition=~Q(text=""))]

    def __str__(self):
        return f"{self.report_id} +{self.pk}"


class ReportAttachment(models.Model):
    """A file of a report: a contract, a photograph of a form; kept sealed, as base64."""

    class Kind(models.TextChoices):
        PDF = "pdf", "PDF"
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"

    report = models.ForeignKey(CommunicationReport, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=4, choices=Kind)
    size = models.PositiveIntegerField(help_text=_("bytes"))
    content = SealedField()
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects = ReportAttachmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self):
        return self.name

    @property
    def content_type(self) -> str:
        return {"pdf": "application/pdf", "png": "image/png", "jpeg": "image/jpeg"}[self.kind]
