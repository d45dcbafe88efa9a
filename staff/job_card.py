"""What a page shows of jobs: how far, how long still, what came of it; and the bell of every page."""

from datetime import datetime

from django.db.models import Count, OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from staff import formats
from staff.models import Job, JobResult, Staff

KINDS = {
    Job.Status.DONE: "ok",
    Job.Status.FAILED: "churn",
    Job.Status.DEAD: "churn",
    Job.Status.STOPPED: "neutral",
    Job.Status.RUNNING: "primary",
    Job.Status.WAITING: "neutral",
}
"""The colour of a state's chip."""


def bell_of(staff: Staff) -> dict:
    """Return {count, running, poll}: jobs that wait or run or ended unseen, and when the bell asks again; one query."""
    rows = list(Job.objects.on_the_bell(staff).values_list("status", "noticed")[:100])
    running = sum(status in Job.OPEN for status, _noticed in rows)
    untold = any(status not in Job.OPEN and not noticed for status, noticed in rows)
    polls = ["load delay:300ms"] * untold + ["every 2s"] * bool(running)
    return {"count": len(rows), "running": running, "poll": ", ".join(polls)}


def card_of(job: Job, *, now: datetime) -> dict:
    """Return what `components/job.html` shows of one job.

    Args:
        job: with `fault_count` and `result_name` of `with_counts`.
    """
    running = job.status == Job.Status.RUNNING
    may_go_on = job.status in (Job.Status.STOPPED, Job.Status.FAILED, Job.Status.DEAD)
    return {
        "job": job,
        "title": job.title,
        "done": job.done,
        "total": job.total,
        "percent": percent_done(job),
        "kind": KINDS[job.status],
        "state": job.get_status_display(),
        "note": note_of(job, now=now),
        "outcome": job.outcome,
        "errors": job.fault_count,
        "is_open": job.is_open,
        "poll_url": job.get_absolute_url() if job.is_open else "",
        "stop_url": reverse("staff:job_stop", args=[job.pk]) if job.is_open and not job.stop_asked else "",
        "again_url": reverse("staff:job_again", args=[job.pk]) if may_go_on else "",
        "errors_url": reverse("staff:job_errors", args=[job.pk]) if job.fault_count else "",
        "result_url": reverse("staff:job_result", args=[job.pk]) if job.result_name else "",
        "result_name": job.result_name or "",
        "expires_at": job.expires_at,
        "live": running and percent_done(job) // 10 * 10,
    }


def percent_done(job: Job) -> int:
    """Return how much of a job is done, 0–100; a job without a known total is at 0 until it ends."""
    if job.status == Job.Status.DONE:
        return 100
    return min(100, job.done * 100 // job.total) if job.total else 0


def note_of(job: Job, *, now: datetime) -> str:
    """Return the line under the bar: 62,140 / 100,000 rows · about 18 s left."""
    unit = Job.Unit(job.unit).label
    parts = [f"{job.done:,} / {job.total:,} {unit}" if job.total else f"{job.done:,} {unit}"]
    if job.status == Job.Status.WAITING:
        again = _("{reason} It is tried again.").format(reason=job.outcome)
        return again if job.outcome else _("Waits for a free worker")
    if job.stop_asked and job.is_open:
        parts.append(_("stopping"))
    elif job.status == Job.Status.RUNNING and (left := seconds_left(job, now=now)) is not None:
        parts.append(_("about {time} left").format(time=formats.duration(left)))
    elif job.finished_at and job.started_at:
        parts.append(_("took {time}").format(time=formats.duration((job.finished_at - job.started_at).total_seconds())))
    return " · ".join(parts)


def seconds_left(job: Job, *, now: datetime) -> int | None:
    """Return how long a job still takes at its rate so far; None before a tenth of a percent is done."""
    if not job.done or not job.total or not job.started_at:
        return None
    passed = (now - job.started_at).total_seconds()
    return max(1, round(passed * (job.total - job.done) / job.done))


def with_counts(jobs):
    """Add `fault_count`, `result_name` and `expires_at` to jobs, and leave their long columns where they are."""
    result = JobResult.objects.valid().filter(job=OuterRef("pk"))
    return jobs.defer("selection", "params", "checkpoint").annotate(
        fault_count=Count("faults"),
        result_name=Subquery(result.values("name")),
        expires_at=Subquery(result.values("expires_at")),
    )
