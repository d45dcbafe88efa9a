"""Reasons to act: what Today is made of."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from staff.models import Staff
from staff.roles import Role

ADVISERS = (Role.WEALTH_ADVISER, Role.FINANCIAL_ADVISER)

AHEAD_DAYS = 7
"""How many days before it is due a task joins the list of the day."""


class ContactTaskQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the tasks of customers that the viewer may see."""
        return self.filter(customer__in=Customer.objects.visible_to(viewer))

    def of_manager(self, staff):
        """Keep the tasks of a member's day: those of the customers managed, which follow the customer.

        An adviser manages nobody: theirs are alerts, events, opportunities and plans of the customers
        they support; the regime is the manager's.
        """
        if staff.role in ADVISERS:
            return self.visible_to(staff).exclude(source=ContactTask.Source.REGIME)
        return self.filter(customer__manager=staff)

    def open(self):
        """Keep what still asks for something."""
        return self.filter(status=ContactTask.Status.OPEN)

    def due(self, on):
        """Keep open tasks that stand in the list of that day: not put off, and due within a week.

        Events are there as soon as they are found: each kind has lead days of its own. Whoever was
        spoken to that day stays off the list until the next one, unless something was due by then.
        """
        near = Q(due_on__lte=on + timedelta(days=AHEAD_DAYS)) | Q(source=ContactTask.Source.EVENT)
        awake = self.open().filter(near, Q(snoozed_until=None) | Q(snoozed_until__lte=on))
        return awake.exclude(due_on__gt=on, customer__last_contact_on=on)


class ContactTask(models.Model):
    """One reason to contact a customer. It belongs to whoever is the customer's primary manager.

    `reason` with `figures` is what the sentence is made of, in the reader's language
    (`contacts.reasons`). `key` is the natural key of the effect, such as
    `regime:diamond_month:2026-11:4711`, so that a run repeated writes nothing twice.
    `stake` is the money at stake in yuan; `allowed_days` the period that the rule grants.
    """

    class Source(models.TextChoices):
        ALERT = "alert", _("Alert")
        REGIME = "regime", _("Contact due")
        EVENT = "event", _("Event")
        OPPORTUNITY = "opportunity", _("Opportunity")
        MANUAL = "manual", _("Planned")

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        DISMISSED = "dismissed", _("Dismissed")
        EXPIRED = "expired", _("Expired")

    key = models.CharField(max_length=80, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="tasks")
    source = models.CharField(max_length=12, choices=Source)
    reason = models.CharField(max_length=32, help_text=_("code of the sentence, contacts.reasons"))
    figures = models.JSONField(default=dict, help_text=_("values of the sentence: amounts in yuan, ISO dates"))
    stake = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    opened_on = models.DateField()
    due_on = models.DateField()
    allowed_days = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    snoozed_until = models.DateField(null=True, blank=True)
    opportunity = models.ForeignKey("contacts.Opportunity", models.PROTECT, null=True, blank=True, related_name="tasks")
    closed_by_log = models.ForeignKey(
        "contacts.ContactLog", models.PROTECT, null=True, blank=True, related_name="closed_tasks"
    )
    closed_on = models.DateField(null=True, blank=True)
    closed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    dismiss_reason = models.CharField(max_length=200, blank=True)

    objects = ContactTaskQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="contact_task_closed_has_a_day", condition=Q(status="open") | Q(closed_on__isnull=False)
            ),
            models.CheckConstraint(
                name="contact_task_dismissed_with_reason", condition=~Q(status="dismissed") | ~Q(dismiss_reason="")
            ),
            models.CheckConstraint(name="contact_task_stake_not_negative", condition=Q(stake__gte=0)),
        ]
        indexes = [
            # Today: the open tasks of a manager's customers.
            models.Index(fields=["customer"], name="contact_task_open", condition=Q(status="open")),
            # "Done today".
            models.Index(fields=["customer", "closed_on"], name="contact_task_closed", condition=~Q(status="open")),
        ]

    def __str__(self):
        return self.key
