"""What the worker does for floor 3: sends the messages that were released."""

from celery import shared_task
from django.db import OperationalError

from contacts import messages


@shared_task(name="contacts.tasks.send_messages", expires=60, autoretry_for=(OperationalError,), retry_backoff=True)
def send_messages() -> dict[str, int]:
    """Send what is released, within the hours of the day; safe to run twice."""
    return messages.send_waiting()
