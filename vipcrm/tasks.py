"""The night as a task: beat starts it, any worker carries it on; and what broken feeds left behind."""

from datetime import date

from celery import shared_task
from django.db import OperationalError

from customers.feed import loading
from staff import webhooks
from vipcrm import night as nights
from vipcrm import webhook_events


@shared_task(name="vipcrm.tasks.night", acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True)
def night(*, day: str | None = None) -> None:
    """Start the night of a business date (ISO; yesterday if none) and do what is ready; safe to run twice."""
    on = date.fromisoformat(day) if day else nights.business_date()
    nights.start(on=on)
    nights.retry_skipped(on=on)
    nights.work(on=on)


@shared_task(name="vipcrm.tasks.forget_feeds", expires=3600)
def forget_feeds() -> int:
    """Drop the lines of loads that ended a week ago without taking them."""
    return loading.forget()


@shared_task(name="vipcrm.tasks.tell_webhooks", expires=60)
def tell_webhooks() -> int:
    """Look for what happened since each endpoint was told, and post what is due; safe to run twice at once."""
    webhook_events.collect_all()
    return webhooks.send_due()


@shared_task(name="vipcrm.tasks.forget_deliveries", expires=3600)
def forget_deliveries() -> int:
    """Drop the log of deliveries of a month ago."""
    return webhooks.forget()
