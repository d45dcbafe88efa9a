"""Named lists (名单制管理): customers with an owner and a state each, worked off until a day (S0-3)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.customer import Customer
from customers.models.segments import Segment
from staff.models import Branch, Staff
from staff.roles import Scope


class ListPurpose(models.TextChoices):
    """What a list is for; `customers.reach` says whom each purpose leaves out."""

    SERVICE = "service", _("Service notice")
    CARE = "care", _("Care greetings")
    MARKETING = "marketing", _("Marketing")
    ACTIVITY = "activity", _("Activity invitations")


class CustomerListQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep lists of branches in a supervisor's sight; others see those on which they see a customer."""
        if viewer.scope in (Scope.BENEATH, Scope.ALL):
            return self.filter(branch__in=Branch.objects.under(viewer.branch_id))
        if viewer.scope == Scope.OWN:
            mine = CustomerListMember.objects.visible_to(viewer).filter(customer_list=models.OuterRef("pk"))
            return self.filter(models.Exists(mine))
        return self.none()

    def open(self):
        return self.filter(closed_at=None)


class CustomerList(models.Model):
    """A list of customers for one purpose, to be worked off until `due_on`."""

    name = models.CharField(_("name"), max_length=60)
    purpose = models.CharField(_("purpose"), max_length=10, choices=ListPurpose)
    task = models.CharField(_("what to do"), max_length=200)
    due_on = models.DateField(_("until"))
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="customer_lists")
    segment = models.ForeignKey(Segment, models.PROTECT, null=True, blank=True, related_name="customer_lists")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerListQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["due_on", "id"]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("customers:named_list", args=[self.pk])


class CustomerListMemberQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        return self.filter(customer__in=Customer.objects.visible_to(viewer))


class CustomerListMember(models.Model):
    """A customer on a list, and how far he is; who looks after the customer owns the line."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("member of a list", "Not handled")
        CONTACTED = "contacted", pgettext_lazy("member of a list", "Contacted")
        DONE = "done", pgettext_lazy("member of a list", "Business done")
        NO_NEED = "no_need", pgettext_lazy("member of a list", "No need")

    customer_list = models.ForeignKey(CustomerList, models.PROTECT, related_name="members")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="list_places")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    note = models.CharField(max_length=120, blank=True)
    changed_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerListMemberQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="customer_once_on_a_list", fields=["customer_list", "customer"]),
            models.CheckConstraint(
                name="list_member_changed_by_somebody",
                condition=Q(state="open") | Q(changed_by__isnull=False, changed_at__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.customer_list_id} {self.customer_id}"
