"""What a person keeps of the customer list: views with names, which of them stand in the menu, columns."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from staff.models import Branch, Staff


class SavedViewQuerySet(models.QuerySet):
    def kept(self):
        """Keep what was not deleted."""
        return self.filter(deleted_at=None)

    def open_to(self, staff):
        """Keep a member's own views, and those shared in an institution that he belongs to or lies above his."""
        above = [int(part) for part in staff.branch.path.split("/") if part]
        return self.kept().filter(Q(owner=staff) | Q(shared_in__in=above))


class SavedView(models.Model):
    """A list under a name: the filters and the order as the address has them, and its columns.

    Sharing a view shares the question, never the answer: whoever opens it sees customers in his own sight.
    """

    owner = models.ForeignKey(Staff, models.PROTECT, related_name="saved_views")
    name = models.CharField(_("name"), max_length=30)
    query = models.CharField(max_length=1000, blank=True, help_text=_("filters and order, as in the address"))
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    shared_in = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                name="saved_view_name_once_an_owner", fields=["owner", "name"], condition=Q(deleted_at=None)
            ),
            models.CheckConstraint(name="saved_view_has_a_name", condition=~Q(name="")),
        ]
        indexes = [models.Index(name="saved_view_shared", fields=["shared_in"], condition=Q(deleted_at=None))]

    def __str__(self):
        return self.name

    @property
    def audit_label(self) -> str:
        return self.name


class ViewPin(models.Model):
    """A view in a person's menu; seven places, of which each holds one."""

    PLACES = 7

    staff = models.ForeignKey(Staff, models.CASCADE, related_name="view_pins")
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="pins")
    position = models.PositiveSmallIntegerField()

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(name="view_pin_once", fields=["staff", "view"]),
            models.UniqueConstraint(
                name="view_pin_one_a_place", fields=["staff", "position"], deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(name="view_pin_at_most_seven", condition=Q(position__range=(1, 7))),
        ]

    def __str__(self):
        return f"{self.position} {self.view_id}"


class ListChoice(models.Model):
    """How a person likes the list: which columns, table or cards."""

    class Layout(models.TextChoices):
        TABLE = "table", _("Table")
        CARDS = "cards", _("Cards")

    staff = models.OneToOneField(Staff, models.CASCADE, primary_key=True, related_name="list_choice")
    columns = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    layout = models.CharField(max_length=6, choices=Layout, default=Layout.TABLE)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.staff_id} {self.layout}"
