"""What customers think of us: complaints with their deadlines, suggestions, praise (domain.md §19)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer
from staff.models import Staff


class FeedbackQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the feedback of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def open_complaints(self):
        """Keep complaints that are not settled: while there is one, nothing is sold to the customer."""
        return self.filter(kind=Feedback.Kind.COMPLAINT, settled_at=None)


class Feedback(models.Model):
    """One thing that a customer said of us. A complaint is answered in a working day and settled in fifteen days."""

    class Kind(models.TextChoices):
        COMPLAINT = "complaint", _("Complaint")
        SUGGESTION = "suggestion", _("Suggestion")
        PRAISE = "praise", _("Praise")

    class Area(models.TextChoices):
        HARDWARE = "hardware", _("Premises and comfort")
        SOFTWARE = "software", _("People and manner")
        FUNCTIONAL = "functional", _("Advice and products")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="feedback")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    area = models.CharField(_("about"), max_length=10, choices=Area)
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True, help_text=_("1 bad – 5 good"))
    text = models.CharField(_("in the customer's words"), max_length=500)
    received_on = models.DateField()
    answer_due = models.DateField()
    settle_due = models.DateField()
    entered_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(db_default=Now())
    answer = models.CharField(max_length=500, blank=True, default="", db_default="")
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=500, blank=True, default="", db_default="")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.CheckConstraint(name="feedback_score_1_to_5", condition=Q(score=None) | Q(score__range=(1, 5))),
            models.CheckConstraint(name="feedback_days_in_order", condition=Q(answer_due__lte=F("settle_due"))),
            models.CheckConstraint(
                name="feedback_settled_says_how", condition=Q(settled_at=None) | ~Q(outcome="") & Q(answered_at__isnull=False)
            ),
            models.CheckConstraint(name="feedback_answered_says_what", condition=Q(answered_at=None) | ~Q(answer="")),
        ]  # fmt: skip
        indexes = [
            models.Index(name="feedback_by_customer", fields=["customer", "-received_on"]),
            models.Index(name="feedback_open", fields=["settle_due"], condition=Q(kind="complaint", settled_at=None)),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.kind} {self.received_on}"

    @property
    def state(self) -> str:
        """Return the state in words."""
        if self.settled_at:
            return str(pgettext_lazy("feedback", "Settled"))
        if self.answered_at:
            return str(pgettext_lazy("feedback", "Answered"))
        return str(pgettext_lazy("feedback", "Open"))

    @property
    def due_on(self):
        """Return by when the next step is due; None where nothing is."""
        if self.kind != self.Kind.COMPLAINT or self.settled_at:
            return None
        return self.settle_due if self.answered_at else self.answer_due
