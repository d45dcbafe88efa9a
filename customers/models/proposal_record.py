"""What became of the proposals for an outlet: a draft that a head goes on with, and those that were applied."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from staff.models import Branch, Staff


class ProposalRecordQuerySet(models.QuerySet):
    def visible_to(self, viewer):
        """Keep those of the viewer's branch and beneath; a draft is its maker's alone."""
        mine = Q(made_by=viewer) | ~Q(status=ProposalRecord.Status.DRAFT)
        return self.filter(mine, branch__in=Branch.objects.under(viewer.branch_id))


class ProposalRecord(models.Model):
    """A proposal as a head changed it: kept to go on with, or applied, with the figures that proved it then.

    `choices` is {"to": {customer: staff or null}, "unticked": [customer]}: only what differs from the proposal.
    `figures` are those of `branch_proposal.as_figures`, with `changed`, how many receivers the head chose himself.
    The assignments made by it are found by `Assignment.proposal`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Kept to go on with")
        APPLIED = "applied", _("Applied")

    branch = models.ForeignKey(Branch, models.PROTECT, related_name="+")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=7, choices=Status)
    choices = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)

    objects = ProposalRecordQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="proposal_one_draft_each", fields=["branch", "made_by"], condition=Q(status="draft")
            ),
        ]
        indexes = [models.Index(name="proposal_by_branch", fields=["branch", "-made_at"])]

    def __str__(self):
        return f"{self.branch_id} {self.status} {self.made_at}"
