"""Batches of rows that a branch brought in by file, row by row, with what they changed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models import Branch, Job, Staff
from staff.roles import Scope
from staff.sealing import SealedField


class ImportKind(models.TextChoices):
    CUSTOMERS = "customers", _("Customers")
    HOLDINGS = "holdings", _("Holdings")
    ARCHIVES = "archives", _("Archives")


class ImportBatchQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep the batches of the viewer's branch and those beneath it."""
        if viewer.scope not in (Scope.BENEATH, Scope.ALL):
            return self.none()
        return self.filter(branch__in=Branch.objects.under(viewer.branch_id))


class ImportBatch(models.Model):
    """One file. `mapping` is {column of the file: code of the kind's column}; counts are of the newest judgement."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", pgettext_lazy("import", "Columns to be matched")
        CHECKED = "checked", pgettext_lazy("import", "Checked")
        APPLIED = "applied", pgettext_lazy("import", "Applied")
        UNDONE = "undone", pgettext_lazy("import", "Undone")

    kind = models.CharField(max_length=10, choices=ImportKind)
    file_name = models.CharField(max_length=120)
    encoding = models.CharField(max_length=12)
    heads = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status, default=Status.UPLOADED)
    counts = models.JSONField(default=dict)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="import_undone_after_applied",
                condition=Q(undone_at=None) | Q(applied_at__isnull=False, status="undone"),
            ),
        ]

    def __str__(self):
        return self.file_name

    def get_absolute_url(self):
        from django.urls import reverse

        return reverse("customers:import_batch", args=[self.pk])


class ImportRow(models.Model):
    """One row of a file; what it says and what it changed are sealed, for both may name a person.

    `number` is the row in the file, heads being 1. `faults`: [{column, reason}]. `before` and `after` are JSON of what
    an applied row changed.
    """

    class Outcome(models.TextChoices):
        UNJUDGED = "", "—"
        CREATED = "created", pgettext_lazy("import row", "New")
        UPDATED = "updated", pgettext_lazy("import row", "Changed")
        UNCHANGED = "unchanged", pgettext_lazy("import row", "Unchanged")
        REFUSED = "refused", pgettext_lazy("import row", "Refused")

    class Undoing(models.TextChoices):
        NONE = "", "—"
        UNDONE = "undone", pgettext_lazy("import row", "Undone")
        KEPT = "kept", pgettext_lazy("import row", "Kept: edited since")

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    cells = SealedField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, default=Outcome.UNJUDGED)
    faults = models.JSONField(default=list)
    target = models.BigIntegerField(null=True, blank=True, help_text=_("key of the customer or holding"))
    before = SealedField(blank=True)
    after = SealedField(blank=True)
    undoing = models.CharField(max_length=8, choices=Undoing, blank=True, default=Undoing.NONE)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="import_row_once", fields=["batch", "number"])]
        indexes = [models.Index(name="import_row_by_outcome", fields=["batch", "outcome", "number"])]

    def __str__(self):
        return f"{self.batch_id} {self.number}"


class ImportMapping(models.Model):
    """How the columns of files with these heads were matched the last time."""

    kind = models.CharField(max_length=10, choices=ImportKind)
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")
    signature = models.CharField(max_length=64, help_text=_("hash of the heads"))
    mapping = models.JSONField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(name="import_mapping_once", fields=["kind", "branch", "signature"]),
        ]

    def __str__(self):
        return f"{self.kind} {self.signature[:8]}"
