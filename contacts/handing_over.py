"""What goes along when customers are handed over: open opportunities, and the first talk of the new manager."""

from collections.abc import Iterable
from datetime import date

from contacts import agenda
from contacts.models import ContactTask, Opportunity
from customers.handover import FIRST_TALK_DAYS
from customers.models import HandoverLine
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff


def move_along(lines: Iterable[HandoverLine], on: date, by: Staff) -> None:
    """Give the receivers the open opportunities and a first talk within FIRST_TALK_DAYS; a cover leaves all as it is.

    Tasks and alerts belong to whoever looks after the customer, so they come by themselves.
    """
    moving = [line for line in lines if not line.handover.is_cover]
    for line in moving:
        deals = Opportunity.objects.open().filter(customer=line.customer_id, owner=line.handover.giver_id)
        for deal in deals:
            audit.record("opportunity.handed_over", deal, by=by, to=line.to.staff_no)
        deals.update(owner=line.to)
    agenda.open_tasks(
        {
            "key": f"handover:{line.pk}",
            "customer_id": line.customer_id,
            "source": ContactTask.Source.MANUAL,
            "reason": "handed_over",
            "figures": {"giver": line.handover.giver.name, "note": line.note[:120], "joint": line.is_joint},
            "stake": line.customer.aum,
            "opened_on": on,
            "due_on": add_working_days(on, FIRST_TALK_DAYS),
            "allowed_days": FIRST_TALK_DAYS,
        }
        for line in moving
    )


def open_work(customers: list[int]) -> list[int]:
    """Return the customer of each open opportunity among some."""
    return list(Opportunity.objects.open().filter(customer__in=customers).values_list("customer", flat=True))
