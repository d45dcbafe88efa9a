"""Records of the same person made one, and pairs that are not the same person."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from staff.models import Staff
from staff.sealing import SealedField


class CustomerMergeQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the merges whose remaining record the viewer may see."""
        return self.filter(kept__in=Customer.objects.visible_to(viewer))

    def standing(self):
        return self.filter(undone_at=None)


class CustomerMerge(models.Model):
    """One record (`dropped`) taken over by another (`kept`), with all that is needed to part them again.

    `before` and `after` are JSON of the columns of the kept record that changed; `dropped_before` those of the other;
    `moved` {table: keys} of what went over; `stayed` {table: number} of what could not; `held` the relations that ended.
    """

    kept = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    dropped = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    before = SealedField(blank=True)
    after = SealedField(blank=True)
    dropped_before = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    stayed = models.JSONField(default=dict)
    held = models.JSONField(default=list)
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerMergeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(name="merge_once_a_record", fields=["dropped"], condition=Q(undone_at=None)),
            models.CheckConstraint(name="merge_of_two_records", condition=~Q(kept=F("dropped"))),
            models.CheckConstraint(
                name="merge_undone_by_somebody",
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
            ),
        ]

    def __str__(self):
        return f"{self.dropped_id} → {self.kept_id}"


class NotSamePerson(models.Model):
    """Somebody looked at two records and said that they are two people; `one` has the lower key."""

    one = models.ForeignKey(Customer, models.CASCADE, related_name="+", help_text=_("the lower key"))
    other = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="not_same_person_once", fields=["one", "other"]),
            models.CheckConstraint(name="not_same_person_in_order", condition=Q(one__lt=F("other"))),
        ]

    def __str__(self):
        return f"{self.one_id} ≠ {self.other_id}"
