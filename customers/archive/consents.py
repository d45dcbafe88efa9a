"""Consent by purpose and channel: every grant and every withdrawal is a row, the newest one holds (domain.md §18)."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers.archive import completeness
from customers.archive.values import ArchiveRefused
from customers.models import ConsentRecord, Customer
from staff import audit
from staff.models import Staff

Purpose, Channel = ConsentRecord.Purpose, ConsentRecord.Channel


def consents_of(customer: Customer) -> dict[tuple[str, str], ConsentRecord]:
    """Return {(purpose, channel): the row that holds} of a customer."""
    rows = (
        ConsentRecord.objects.filter(customer=customer)
        .select_related("by")
        .order_by("purpose", "channel", "-at", "-id")
        .distinct("purpose", "channel")
    )
    return {(row.purpose, row.channel): row for row in rows}


@transaction.atomic
def record(
    *, customer: Customer, purpose: Purpose, channel: Channel, granted: bool, evidence: str, by: Staff | None
) -> ConsentRecord:
    """Write that a customer grants or withdraws a consent. What holds already is not written again.

    Args:
        by: who wrote it; None where the customer did, by answering a message.

    Raises:
        ArchiveRefused: a grant without evidence. Withdrawing needs none: it is as easy as it can be.
    """
    if granted and not evidence.strip():
        raise ArchiveRefused(_("Say what the consent rests on: a form, a recording, or the customer's words."))
    Customer.objects.select_for_update(no_key=True).only("pk").get(pk=customer.pk)
    held = consents_of(customer).get((purpose, channel))
    if held and held.granted == granted:
        return held
    row = ConsentRecord.objects.create(
        customer=customer, purpose=purpose, channel=channel, granted=granted, evidence=evidence.strip(), by=by
    )
    completeness.refresh_customer(customer_id=customer.pk)
    action = "consent.granted" if granted else "consent.withdrawn"
    audit.record(action, customer, by=by, purpose=str(purpose), channel=str(channel))
    return row
