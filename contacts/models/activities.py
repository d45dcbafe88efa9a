"""Activities for customers (客户活动, domain.md §17): the plan, who was invited, who came, what they thought of it."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models import Customer, Segment
from staff.models import Branch, Staff


class ActivityQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the activities of the viewer's outlet, of those beneath it and of those above it, which invite for it."""
        here = Q(branch__in=Branch.objects.under(viewer.branch_id))
        return self.filter(here | Q(branch__in=viewer.branch.path.strip("/").split("/")))

    def run_by(self, viewer):
        """Keep the activities of the viewer's outlet and of those beneath it: those above invite here but are not run here."""
        return self.filter(branch__in=Branch.objects.under(viewer.branch_id))


class Activity(models.Model):
    """Something done for customers together: a talk, a market stand, a tea."""

    class Kind(models.TextChoices):
        OUTREACH = "outreach", _("Going out")
        INVITE = "invite", _("Inviting in")
        HOBBY = "hobby", _("Hobby")
        RESOURCE = "resource", _("Resource for customers")
        NETWORK = "network", _("Meeting of business people")
        SALON = "salon", _("Salon")
        FESTIVAL = "festival", _("Festival")
        ONLINE = "online", _("Online")
        SMALL = "small", _("Small visit")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVAL = "approval", _("To approve")
        INVITING = "inviting", _("Inviting")
        HELD = "held", _("Held")
        REVIEWED = "reviewed", _("Reviewed")
        CANCELLED = "cancelled", pgettext_lazy("activity", "Cancelled")

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    theme = models.CharField(_("theme"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    goal = models.CharField(
        pgettext_lazy("activity", "goal"), max_length=200, help_text=_("What is to be different afterwards.")
    )
    segment = models.ForeignKey(
        Segment, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("for the segment")
    )
    size = models.PositiveSmallIntegerField(_("guests"))
    place = models.CharField(_("place"), max_length=80)
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    budget = models.DecimalField(_("budget, yuan"), max_digits=12, decimal_places=2)
    cost = models.DecimalField(_("cost, yuan"), max_digits=12, decimal_places=2, null=True, blank=True)
    host = models.ForeignKey(Staff, models.PROTECT, related_name="+", verbose_name=_("host"))
    resource = models.CharField(_("resource used"), max_length=120, blank=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT)
    planned_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    review = models.CharField(_("what was learnt"), max_length=500, blank=True)
    why_cancelled = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-starts_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="activity_ends_after_it_begins", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="activity_has_guests", condition=Q(size__gte=1)),
            models.CheckConstraint(
                name="activity_money_not_negative", condition=Q(budget__gte=0) & (Q(cost=None) | Q(cost__gte=0))
            ),
            models.CheckConstraint(
                name="activity_inviting_was_approved",
                condition=Q(status__in=["draft", "approval", "cancelled"]) | Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="activity_reviewed_says_what",
                condition=~Q(status="reviewed") | (~Q(review="") & Q(cost__isnull=False)),
            ),
        ]

    def __str__(self):
        return self.theme

    def get_absolute_url(self):
        return reverse("contacts:activity", args=[self.pk])


class InvitationQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the invitations of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class Invitation(models.Model):
    """One customer asked to come: by whom, what he answered, whether he came, what he thought."""

    class Reply(models.TextChoices):
        WAITING = "waiting", _("No answer yet")
        ACCEPTED = "accepted", _("Comes")
        DECLINED = "declined", _("Declined")

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="invitations")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invitations")
    invited_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    invited_on = models.DateField()
    reply = models.CharField(max_length=8, choices=Reply, default=Reply.WAITING)
    attended = models.BooleanField(null=True, blank=True)
    satisfaction = models.PositiveSmallIntegerField(null=True, blank=True)
    feedback = models.CharField(max_length=200, blank=True)
    part = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text=_("what the guest shows or does himself")
    )
    next_time = models.BooleanField(
        default=False, db_default=False, help_text=_("wants to be told of the next one, however soon")
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="invitation_once", fields=["activity", "customer"]),
            models.CheckConstraint(
                name="invitation_satisfaction_1_to_5", condition=Q(satisfaction=None) | Q(satisfaction__range=(1, 5))
            ),
            models.CheckConstraint(
                name="invitation_thought_of_by_who_came", condition=Q(satisfaction=None) | Q(attended=True)
            ),
        ]
        indexes = [
            # At most one invitation in 30 days.
            models.Index(name="invitation_by_customer", fields=["customer", "-invited_on"]),
        ]

    def __str__(self):
        return f"{self.activity_id} {self.customer_id}"
