"""What the worker does for floor 1: sends mail, does jobs, gives signs of life, forgets old answers."""

from celery import shared_task
from django.db import OperationalError

from staff import heartbeat as heartbeats
from staff import job_work, jobs, outbox
from staff.models import IdempotencyRecord


@shared_task(name="staff.tasks.send_outbox", expires=60, autoretry_for=(OperationalError,), retry_backoff=True)
def send_outbox() -> dict[str, int]:
    """Send what waits in the outbox, and list what a dead sender left; safe to run twice."""
    return outbox.send_waiting()


@shared_task(name="staff.tasks.heartbeat", bind=True, expires=60)
def heartbeat(self) -> None:
    """Show that beat still schedules and that this worker still works."""
    heartbeats.beat(part="beat")
    heartbeats.beat(part=f"worker {self.request.hostname or 'here'}")


@shared_task(name="staff.tasks.forget_answers", expires=3600)
def forget_answers() -> int:
    """Forget the stored answers of API calls older than seven days."""
    return IdempotencyRecord.objects.forgettable().delete()[0]


@shared_task(
    name="staff.tasks.run_job", time_limit=1500, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=3
)
def run_job(*, job_id: int) -> str | None:
    """Do a job that a member of staff asked for; a doubled message finds it claimed."""
    return job_work.run(job_id=job_id)


@shared_task(name="staff.tasks.sweep_jobs", expires=60)
def sweep_jobs() -> int:
    """Offer again the jobs that nobody holds."""
    return jobs.sweep()


@shared_task(name="staff.tasks.forget_jobs", expires=3600)
def forget_jobs() -> int:
    """Drop the files of jobs after a day, and jobs after three months."""
    return jobs.forget()
