"""Planning contacts for many customers at once: a task each, for whoever looks after the customer."""

from datetime import date

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from contacts.models import ContactTask
from customers import bulk
from customers.models import Customer
from staff import audit, jobs
from staff.models import Staff
from staff.refusal import Refused

LONGEST = 120


class NotPlanned(Refused):
    """The customer takes no such contact, or has one planned."""

    code = "not_planned"


@transaction.atomic
def plan(*, customer: Customer, key: str, by: Staff, due_on: date, note: str, on: date) -> ContactTask:
    """Plan a contact with a customer until a day; the same key again plans nothing more.

    Raises:
        NotPlanned: nobody looks after the customer, the customer wants no contact, or one is planned for that day.
    """
    if customer.manager_id is None:
        raise NotPlanned(_("nobody looks after this customer"))
    if customer.do_not_contact:
        raise NotPlanned(_("does not want to be contacted"))
    if customer.tasks.open().filter(source=ContactTask.Source.MANUAL, due_on=due_on).exclude(key=key).exists():
        raise NotPlanned(_("has a contact planned for that day"))
    task, created = ContactTask.objects.get_or_create(
        key=key,
        defaults={
            "customer": customer,
            "source": ContactTask.Source.MANUAL,
            "reason": "planned",
            "figures": {"purpose": note[:LONGEST]},
            "opened_on": on,
            "due_on": due_on,
            "allowed_days": max((due_on - on).days, 1),
        },
    )
    if created:
        audit.record("task.planned", task, by=by, day=due_on.isoformat())
    return task


@jobs.kind("contacts.plan")
def plan_all(job, track) -> str:
    """Plan a contact with each customer of a selection."""
    due_on, note, on = date.fromisoformat(job.params["due_on"]), job.params.get("note", ""), localdate()

    def one(customer):
        key = f"bulk:{job.pk}:{customer.pk}"
        plan(customer=customer, key=key, by=job.asked_by, due_on=due_on, note=note, on=on)

    return bulk.work(job, track, one)
