"""Long work: asked for in the transaction that decides it, done by a worker after, shown on a page while it runs.

A room registers what it can do with `@jobs.kind("customers.export")` and asks for it with `jobs.start`. The
job's row is the truth; the message to the worker carries its id alone and may be lost, late or doubled:
`staff.job_work` claims the row, the sweeper offers again what nobody holds.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from staff import audit
from staff.models import ApiClient, Job, JobResult, Staff
from staff.models.jobs import CLOCK
from staff.refusal import Refused

MAX_ATTEMPTS = 5
OFFER_AGAIN_AFTER = timedelta(seconds=25)
OFFERED_A_SWEEP = 200
KEEP_RESULTS = timedelta(hours=24)
KEEP_JOBS = timedelta(days=90)

Status = Job.Status
KINDS: dict[str, Callable] = {}
"""What can be done, by name: each takes (job, track) and returns a sentence about what came of it."""


class NotNow(Refused):
    """The job is in another state than the action needs."""

    code = "job_state"


def kind(name: str) -> Callable:
    """Register the function that does jobs of this name.

    It is called with the job and its `job_work.Track`, outside any transaction, in the language of who asked;
    it may be called again after a crash, so that what it writes has natural keys or a checkpoint.
    """

    def register(run: Callable) -> Callable:
        if KINDS.setdefault(name, run) is not run:
            raise ValueError(f"two functions for jobs of kind {name}")
        return run

    return register


def start(
    *, kind: str, by: Staff | ApiClient, title: str, params: dict | None = None, selection: Iterable[int] = (),
    total: int | None = None, unit: str = Job.Unit.ROWS,
) -> Job:  # fmt: skip
    """Ask for a job in the caller's transaction; a worker hears of it after the commit.

    Args:
        kind: the name under which a room registered it.
        by: a member of staff, or a system that calls the API.
        selection: the ids it is about, as they are now: what matches later changes nothing.
        total: how much there is to do; without it the length of the selection.
    """
    if kind not in KINDS:
        raise ValueError(f"nobody does jobs of kind {kind}")
    chosen = list(selection)
    job = Job.objects.create(
        kind=kind,
        title=str(title)[:120],
        asked_by=by if isinstance(by, Staff) else None,
        client=by if isinstance(by, ApiClient) else None,
        params=params or {},
        selection=chosen,
        total=len(chosen) if total is None else total,
        unit=unit,
    )
    transaction.on_commit(partial(offer, job.pk), robust=True)
    return job


def offer(job_id: int) -> None:
    """Tell a worker that a job waits. A broker that is away costs nothing: the sweeper offers it again."""
    current_app.send_task("staff.tasks.run_job", kwargs={"job_id": job_id}, retry=False)


def sweep() -> int:
    """Offer again what waits unheard and what a dead worker left; return how many."""
    stale = Job.objects.claimable().filter(offered_at__lt=CLOCK - OFFER_AGAIN_AFTER).order_by("offered_at")
    found = list(stale.values_list("pk", flat=True)[:OFFERED_A_SWEEP])
    Job.objects.filter(pk__in=found).update(offered_at=CLOCK)
    for job_id in found:
        offer(job_id)
    return len(found)


@transaction.atomic
def stop(*, job: Job, by: Staff) -> Job:
    """Stop a job: at once if nobody has begun it, else at the worker's next breath.

    Raises:
        NotNow: it has ended already.
    """
    job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    if not job.is_open:
        raise NotNow(job.get_status_display())
    job.stop_asked = True
    if job.status == Status.WAITING:
        job.status, job.finished_at = Status.STOPPED, timezone.now()
    job.save(update_fields=["stop_asked", "status", "finished_at"])
    audit.record("job.stopped", job, by=by, kind=job.kind, done=job.done, total=job.total)
    return job


@transaction.atomic
def again(*, job: Job, by: Staff) -> Job:
    """Let a job that stopped, failed or was given up go on from where it was.

    Raises:
        NotNow: it waits, runs or is done.
    """
    job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.is_open or job.status == Status.DONE:
        raise NotNow(job.get_status_display())
    before = job.status
    Job.objects.filter(pk=job.pk).update(
        status=Status.WAITING, attempts=0, stop_asked=False, outcome="", finished_at=None, token=None,
        lease_until=None, not_before=CLOCK, offered_at=CLOCK, noticed=False, seen=False,
    )  # fmt: skip
    audit.record("job.again", job, by=by, kind=job.kind, before=before)
    transaction.on_commit(partial(offer, job.pk), robust=True)
    job.refresh_from_db()
    return job


@transaction.atomic
def take_result(*, job: Job, by: Staff) -> JobResult | None:
    """Return the file of one's own job, and note that it was taken; None when there is none any more."""
    result = JobResult.objects.valid().filter(job=job, job__asked_by=by).first()
    if result is not None:
        audit.record("job.result_taken", job, by=by, kind=job.kind, size=result.size)
    return result


def look(*, staff: Staff, jobs) -> None:
    """Note that a member looked at the end of these jobs: the bell forgets them."""
    jobs.of(staff).ended().filter(seen=False).update(seen=True, noticed=True)


def news(*, staff: Staff) -> list[Job]:
    """Return the jobs whose end the member has not been told, each once, however many pages ask."""
    ended = Job.objects.of(staff).ended().filter(noticed=False)
    with transaction.atomic():
        found = list(ended.select_for_update(skip_locked=True).defer("selection", "params").order_by("pk"))
        Job.objects.filter(pk__in=[job.pk for job in found]).update(noticed=True)
    return found


def forget() -> int:
    """Drop results that expired and jobs older than three months; return how many results."""
    gone = JobResult.objects.filter(expires_at__lte=timezone.now()).delete()[0]
    Job.objects.ended().filter(finished_at__lt=timezone.now() - KEEP_JOBS).delete()
    return gone


def oldest_waiting_age() -> timedelta | None:
    """Return how long the oldest job that is due has been waiting; None when none is."""
    due = Job.objects.filter(status=Status.WAITING, not_before__lte=timezone.now())
    oldest = due.order_by("not_before").values_list(F("not_before"), flat=True).first()
    return None if oldest is None else timezone.now() - oldest
