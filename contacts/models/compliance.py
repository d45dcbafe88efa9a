"""How each window of the contact regime ended, for whom and in whose charge (domain.md §7)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contacts.models.logs import FrequencyRule
from customers.models import Customer
from staff.models import Branch, Staff
from staff.roles import Role, Scope


class ComplianceQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the windows of the viewer's own, or of the institutions beneath for who sees beneath."""
        match viewer.scope:
            case Scope.ALL:
                return self
            case Scope.BENEATH:
                return self.filter(branch__in=Branch.objects.under(viewer.branch_id))
            case Scope.OWN:
                return self.filter(staff=viewer)
        return self.none()


class Compliance(models.Model):
    """One window of one rule at its end: of a customer in the charge of `staff` on its last day, or, weekly, of a member.

    The night that closes a window writes it, and the seven nights after it, while contacts may still be entered that
    count; then it stays.
    """

    class State(models.TextChoices):
        MET = "met", _("On regime")
        MISSED = "missed", _("Missed")
        EXEMPT = "exempt", _("Not judged")

    rule = models.CharField(max_length=16, choices=FrequencyRule.Code)
    window_first = models.DateField()
    window_last = models.DateField()
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="compliance")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="compliance")
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=State)
    phones = models.PositiveSmallIntegerField(default=0)
    meetings = models.PositiveSmallIntegerField(default=0)
    contacts = models.PositiveSmallIntegerField(default=0)
    required = models.PositiveSmallIntegerField(default=0)

    objects = ComplianceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="compliance_once_a_customer", fields=["rule", "window_first", "customer"],
                condition=Q(customer__isnull=False),
            ),
            models.UniqueConstraint(
                name="compliance_once_a_member", fields=["rule", "window_first", "staff"], condition=Q(customer=None)
            ),
            models.CheckConstraint(
                name="compliance_window_in_order", condition=Q(window_first__lte=F("window_last"))
            ),
            models.CheckConstraint(
                name="compliance_weekly_of_members", condition=Q(rule="weekly_10", customer=None) | ~Q(rule="weekly_10") & Q(customer__isnull=False)
            ),
        ]  # fmt: skip
        indexes = [
            # The pages: windows of an outlet by rule, and who missed one.
            models.Index(name="compliance_by_branch", fields=["branch", "rule", "window_first", "state"]),
            models.Index(name="compliance_by_staff", fields=["staff", "rule", "window_first"]),
        ]

    def __str__(self):
        return f"{self.rule} {self.window_first} {self.customer_id or self.staff_id} {self.state}"


class Escalation(models.Model):
    """From how many days overdue a task of the regime is brought before a role; "" is the manager himself (domain.md §7)."""

    role = models.CharField(max_length=24, choices=[("", _("Manager")), *Role.choices], blank=True, unique=True)
    days = models.PositiveSmallIntegerField()
    changed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        ordering = ["days"]
        constraints = [models.CheckConstraint(name="escalation_within_a_quarter", condition=Q(days__range=(1, 90)))]

    def __str__(self):
        return f"{self.role or '—'} {self.days}"
