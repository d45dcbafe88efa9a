"""What the worker does for floor 1: sends mail, gives signs of life, forgets old answers."""

from celery import shared_task
from django.db import OperationalError

from staff import heartbeat as heartbeats
from staff import outbox
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
