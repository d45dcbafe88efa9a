"""Long work that a member of staff asked for: the truth about it, which a worker claims and a page shows."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models.people import Staff

CLOCK = Func(function="clock_timestamp", output_field=models.DateTimeField())
"""The database's clock, one for all workers; not the beginning of the transaction, as `Now()` is."""


class JobQuerySet(models.QuerySet):
    def of(self, staff):
        """Keep the jobs a member asked for: nobody else sees them."""
        return self.filter(asked_by=staff)

    def open(self):
        """Keep the jobs that wait or run."""
        return self.filter(status__in=Job.OPEN)

    def ended(self):
        return self.exclude(status__in=Job.OPEN)

    def on_the_bell(self, staff):
        """Keep a member's jobs that wait or run, and those that ended unseen."""
        return self.of(staff).filter(Q(status__in=Job.OPEN) | Q(seen=False))

    def claimable(self):
        """Keep what a worker may take: waiting and due, or left by a worker whose lease ran out."""
        waiting = Q(status=Job.Status.WAITING, not_before__lte=CLOCK)
        return self.filter(waiting | Q(status=Job.Status.RUNNING, lease_until__lt=CLOCK))


class Job(models.Model):
    """One piece of long work. `kind` names the function that does it, `staff.jobs.kind` registers it.

    `selection` is what it was asked for, frozen at that moment: ids, in order. `checkpoint` is what a kind
    notes of the parts it has done, in the transaction that did them; a restart goes on from there.
    `token` belongs to the worker that holds the lease: whoever lost it writes nothing any more.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("in a queue", "Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Complete")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")
        DEAD = "dead", _("Given up")

    OPEN = (Status.WAITING, Status.RUNNING)

    class Unit(models.TextChoices):
        ROWS = "rows", pgettext_lazy("counted", "rows")
        CUSTOMERS = "customers", pgettext_lazy("counted", "customers")
        STEPS = "steps", pgettext_lazy("counted", "steps")

    kind = models.CharField(max_length=40)
    title = models.CharField(_("title"), max_length=120, help_text=_("in the language of who asked"))
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="jobs", null=True, blank=True)
    client = models.ForeignKey(
        "staff.ApiClient", models.PROTECT, related_name="jobs", null=True, blank=True,
        help_text=_("the system that asked, where no member of staff did"),
    )  # fmt: skip
    params = models.JSONField(default=dict)
    selection = ArrayField(models.BigIntegerField(), default=list, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    unit = models.CharField(max_length=10, choices=Unit, default=Unit.ROWS)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text=_("0: not known yet"))
    checkpoint = models.JSONField(default=dict)
    outcome = models.CharField(max_length=300, blank=True, help_text=_("what came of it, or why it failed"))
    attempts = models.PositiveSmallIntegerField(default=0)
    stop_asked = models.BooleanField(default=False)
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(db_default=models.functions.Now(), help_text=_("the next try"))
    offered_at = models.DateTimeField(db_default=models.functions.Now(), help_text=_("when a worker was last told"))
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    noticed = models.BooleanField(default=False, help_text=_("its end was told"))
    seen = models.BooleanField(default=False, help_text=_("its end was looked at"))

    objects = JobQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="job_running_has_a_lease",
                condition=~Q(status="running")
                | Q(lease_until__isnull=False, token__isnull=False, started_at__isnull=False),
            ),
            models.CheckConstraint(
                name="job_asked_for_by_one", condition=Q(asked_by__isnull=True) ^ Q(client__isnull=True)
            ),
            models.CheckConstraint(
                name="job_ended_has_an_end",
                condition=Q(status__in=["waiting", "running"]) | Q(finished_at__isnull=False),
            ),
        ]
        indexes = [
            # What to offer next, and what a dead worker left.
            models.Index(name="job_to_do", fields=["offered_at"], condition=Q(status__in=["waiting", "running"])),
            # A member's own jobs, newest first.
            models.Index(name="job_by_asker", fields=["asked_by", "-id"]),
            # The bell of every page.
            models.Index(
                name="job_on_the_bell", fields=["asked_by"],
                condition=Q(status__in=["waiting", "running"]) | Q(seen=False),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.title

    @property
    def audit_label(self) -> str:
        return self.title

    def get_absolute_url(self):
        return reverse("staff:job", args=[self.pk])

    @property
    def language(self) -> str:
        """Return the language in which it speaks: that of who asked; a system's is that of its reports, Chinese."""
        return self.asked_by.language if self.asked_by else Staff.Language.CHINESE

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class JobFault(models.Model):
    """One row that a job could not do, with the reason; once, however often the job begins again."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="faults")
    row = models.CharField(max_length=120, help_text=_("a customer number, a line of a file"))
    code = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text=_("for a system that asked")
    )
    reason = models.CharField(max_length=300)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(name="job_fault_once_a_row", fields=["job", "row", "reason"]),
        ]

    def __str__(self):
        return f"{self.row}: {self.reason}"


class JobResultQuerySet(models.QuerySet):
    def valid(self):
        return self.filter(expires_at__gt=timezone.now())


class JobResult(models.Model):
    """The file that a job made: for the one who asked alone, and for a day."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="result")
    name = models.CharField(max_length=120, help_text=_("of the file; names no customer"))
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    objects = JobResultQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.name
