"""The night's run log, and the heartbeats of what works by itself."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models.people import Branch


class NightRunQuerySet(models.QuerySet):
    def complete(self):
        """Keep nights whose every step is done."""
        return self.filter(status=NightRun.Status.DONE)

    def last_complete_date(self):
        """Return the business date of the last complete night: what pages call "data as of"; None before the first."""
        return self.complete().order_by("-business_date").values_list("business_date", flat=True).first()

    def last_closed_day(self):
        """Return the day that commands work for when none is named: the last complete one, else yesterday."""
        return self.last_complete_date() or timezone.localdate() - timedelta(days=1)


class NightRun(models.Model):
    """The night that follows one business date; there is one, however often it is started."""

    class Status(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Complete")
        FAILED = "failed", _("With failures")

    business_date = models.DateField(_("business date"), unique=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = NightRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="night_run_done_has_an_end", condition=~Q(status="done") | Q(finished_at__isnull=False)
            ),
        ]

    def __str__(self):
        return self.business_date.isoformat()


class NightStep(models.Model):
    """One step of a night, of one branch or of the whole bank (no branch). Done in one transaction with its mark."""

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("in a queue", "Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Complete")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Not due")

    run = models.ForeignKey(NightRun, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=24)
    branch = models.ForeignKey(Branch, models.PROTECT, null=True, blank=True, related_name="+")
    position = models.PositiveSmallIntegerField(help_text=_("a step begins when the branch's lower ones are done"))
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    rows = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position", "branch", "id"]
        constraints = [
            models.UniqueConstraint(
                name="night_step_once_a_branch", fields=["run", "step", "branch"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="night_step_done_has_an_end", condition=~Q(status="done") | Q(finished_at__isnull=False)
            ),
        ]

    def __str__(self):
        return f"{self.run_id} {self.step} {self.branch_id or ''}"


class Heartbeat(models.Model):
    """When a part that works by itself (worker, beat) was last seen alive."""

    part = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.part} {self.at:%Y-%m-%d %H:%M:%S}"
