"""What customers answer: "TD" withdraws every consent over SMS at once, other words come before the manager (domain.md §7)."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import agenda
from contacts.models import ContactTask, InboundMessage, OutboundMessage
from customers import reach
from customers.archive import consents
from customers.identity import hash_of, mobile_key
from customers.models import ConsentRecord, Customer
from customers.working_days import add_working_days

Status = OutboundMessage.Status

STOP_WORDS = ("TD", "T", "退订", "TD退订", "QX")


@transaction.atomic
def receive(*, external_id: str, mobile: str, text: str, at: datetime, by) -> InboundMessage:
    """Take from the provider `by` what a customer answered, once; "TD" withdraws every consent over SMS at once.

    Other words come before the manager on Today.
    """
    key = mobile_key(mobile)
    known = Customer.objects.visible_to(by).filter(mobile_hash=hash_of(key)).order_by("pk")
    customers = list(known) if key else []
    stops = text.strip().upper() in STOP_WORDS
    made, is_new = InboundMessage.objects.get_or_create(
        external_id=external_id,
        defaults={
            "customer": customers[0] if customers else None, "text": text.strip()[:500], "at": at, "withdrew": stops
        },
    )  # fmt: skip
    if not is_new or not customers:
        return made
    if not stops:
        _remind(made)
        return made
    for customer in customers:  # a number that several share is refused for all of them
        for purpose in ConsentRecord.Purpose:
            _withdraw(customer, purpose)
    waiting = OutboundMessage.objects.filter(customer__in=customers, status__in=[Status.DRAFTED, Status.RELEASED])
    waiting.exclude(purpose=reach.SERVICE).update(status=Status.CANCELLED, why="withdrawn")
    return made


def _remind(reply: InboundMessage) -> None:
    """Put what a customer answered on the manager's Today, to be answered within a working day."""
    on = timezone.localdate(reply.at)
    agenda.open_tasks(
        [
            {
                "key": f"reply:{reply.pk}",
                "customer_id": reply.customer_id,
                "source": ContactTask.Source.MANUAL,
                "reason": "replied",
                "figures": {"text": reply.text[:60], "day": on},
                "opened_on": on,
                "due_on": add_working_days(on, 1),
                "allowed_days": 1,
                "opportunity_id": None,
            }
        ]
    )


def _withdraw(customer: Customer, purpose: str) -> None:
    """Write the withdrawal of one consent, also where none was given: care needs none and ends with a refusal."""
    held = consents.consents_of(customer).get((purpose, "sms"))
    if held is None and purpose not in reach.REFUSABLE:
        return
    consents.record(
        customer=customer, purpose=purpose, channel="sms", granted=False, evidence=_("answered TD"), by=None
    )
