"""What staff ask of one another for a customer: referrals and questions (domain.md §19), special products (§14)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.models.opportunities import Opportunity
from customers.models import Customer
from staff.models import Staff


class StaffReferralQuerySet(models.QuerySet):
    def waiting_for(self, staff):
        """Keep what a member has still to answer or to finish."""
        return self.filter(receiver=staff, status__in=["sent", "accepted"])


class StaffReferral(models.Model):
    """A customer passed to a colleague who knows more, or a question to an expert; answered within a working day.

    A question names no customer to the expert: `context` says what matters (tier, age, what is held). Its answer,
    once `is_shared`, is knowledge that everybody reads, without the context.
    """

    class Kind(models.TextChoices):
        REFERRAL = "referral", _("Referral")
        QUESTION = "question", _("Question to an expert")

    class Status(models.TextChoices):
        SENT = "sent", pgettext_lazy("referral", "Sent")
        ACCEPTED = "accepted", pgettext_lazy("referral", "Being worked on")
        DONE = "done", pgettext_lazy("referral", "Done")
        RETURNED = "returned", pgettext_lazy("referral", "Returned")

    kind = models.CharField(max_length=8, choices=Kind)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="referrals")
    opportunity = models.ForeignKey(Opportunity, models.PROTECT, null=True, blank=True, related_name="referrals")
    sender = models.ForeignKey(Staff, models.PROTECT, related_name="sent_referrals")
    receiver = models.ForeignKey(Staff, models.PROTECT, related_name="got_referrals")
    need = models.CharField(max_length=300)
    context = models.CharField(max_length=200, blank=True)
    credit_percent = models.PositiveSmallIntegerField(default=50, help_text=_("the receiver's share of the success"))
    status = models.CharField(max_length=8, choices=Status, default=Status.SENT)
    sent_at = models.DateTimeField(auto_now_add=True)
    answer_due = models.DateField()
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=500, blank=True)
    is_shared = models.BooleanField(default=False)

    objects = StaffReferralQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-sent_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="referral_to_somebody_else", condition=~Q(sender=F("receiver"))),
            models.CheckConstraint(name="referral_credit_in_range", condition=Q(credit_percent__lte=100)),
            models.CheckConstraint(
                name="referral_closed_says_how",
                condition=Q(status__in=["sent", "accepted"]) | (~Q(result="") & Q(closed_at__isnull=False)),
            ),
            models.UniqueConstraint(
                name="referral_one_open", fields=["customer", "receiver", "kind"],
                condition=Q(status__in=["sent", "accepted"]),
            ),
        ]  # fmt: skip

    def __str__(self):
        return f"{self.customer_id} {self.sender_id} → {self.receiver_id}"


class SpecialApplicationQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the applications for customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class SpecialApplication(models.Model):
    """A price of its own for a customer whom another bank draws away (专属产品申请).

    Rates are percent a year. `level` is whose turn it is while it is pending.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PENDING = "pending", _("Being approved")
        APPROVED = "approved", pgettext_lazy("application", "Approved")
        REJECTED = "rejected", pgettext_lazy("application", "Rejected")
        USED = "used", pgettext_lazy("application", "Used")
        EXPIRED = "expired", pgettext_lazy("application", "Expired")

    class Level(models.IntegerChoices):
        HEAD = 1, _("Branch head")
        PRESIDENT = 2, _("Sub-branch president")
        OFFICE = 3, _("Retail banking administration")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="special_applications")
    applicant = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    product = models.CharField(_("product"), max_length=60)
    amount = models.DecimalField(_("amount, yuan"), max_digits=16, decimal_places=2)
    months = models.PositiveSmallIntegerField(_("months"))
    list_rate = models.DecimalField(_("our price, % a year"), max_digits=5, decimal_places=3)
    asked_rate = models.DecimalField(_("price asked for, % a year"), max_digits=5, decimal_places=3)
    competitor = models.CharField(_("other bank"), max_length=40)
    competitor_rate = models.DecimalField(_("its price, % a year"), max_digits=5, decimal_places=3)
    reason = models.CharField(_("why"), max_length=300)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.HEAD)
    created_at = models.DateTimeField(auto_now_add=True)
    valid_until = models.DateField(null=True, blank=True)
    used_on = models.DateField(null=True, blank=True)

    objects = SpecialApplicationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="special_amount_positive", condition=Q(amount__gt=0) & Q(months__gte=1)),
            models.CheckConstraint(
                name="special_not_below_the_other_bank", condition=Q(asked_rate__gte=F("competitor_rate"))
            ),
            models.CheckConstraint(
                name="special_approved_ends",
                condition=~Q(status__in=["approved", "used"]) | Q(valid_until__isnull=False),
            ),
            models.UniqueConstraint(
                name="special_one_at_a_time",
                fields=["customer"],
                condition=Q(status__in=["draft", "pending", "approved"]),
            ),
        ]

    def __str__(self):
        return f"{self.customer_id} {self.product}"


class SpecialDecision(models.Model):
    """One word on an application: by whom, at which level, yes or no, and why."""

    application = models.ForeignKey(SpecialApplication, models.PROTECT, related_name="decisions")
    level = models.PositiveSmallIntegerField(choices=SpecialApplication.Level)
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    approve = models.BooleanField()
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(name="special_no_says_why", condition=Q(approve=True) | ~Q(note="")),
        ]

    def __str__(self):
        return f"{self.application_id} {self.level} {self.approve}"
