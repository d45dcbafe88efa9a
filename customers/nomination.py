"""Nominating somebody as a potential VIP customer, and taking it back (domain.md §3)."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer, Nomination, RelationStatus
from customers.models.nomination import REASON_LENGTH
from customers.potential import Reason
from staff import audit
from staff.models import Staff
from staff.refusal import Refused


class NominationRefused(Refused):
    """This nomination, or its end, is not possible; the message says why."""

    code = "nomination_refused"


@transaction.atomic
def nominate(*, customer: Customer, reason: str, by: Staff) -> Nomination:
    """Hold somebody for a potential VIP, or for one of a higher tier, and say why.

    A customer without a relation becomes potential, and so waits for a manager.

    Raises:
        NominationRefused: the reason is too short, the customer is closed, or somebody nominated him already.
    """
    reason = " ".join(reason.split())
    if len(reason) < REASON_LENGTH:
        raise NominationRefused(_("Say in at least %(count)d characters why.") % {"count": REASON_LENGTH})
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    if customer.relation_status in (RelationStatus.CLOSED, RelationStatus.TERMINATED) or customer.merged_into_id:
        raise NominationRefused(_("The customer's relation has ended."))
    try:
        with transaction.atomic():
            made = Nomination.objects.create(customer=customer, by=by, reason=reason[:120])
    except IntegrityError as error:
        if "nomination_one_open" not in str(error):
            raise
        raise NominationRefused(_("Somebody has nominated this customer already.")) from error
    if Reason.NOMINATED not in customer.potential_reasons:
        customer.potential_reasons = [*customer.potential_reasons, Reason.NOMINATED.value]
    customer.potential_since = customer.potential_since or timezone.localdate()
    if customer.relation_status == RelationStatus.NONE:
        customer.relation_status = RelationStatus.POTENTIAL
    customer.save(update_fields=["potential_reasons", "potential_since", "relation_status", "updated_at"])
    audit.record("customer.nominated", customer, by=by, reason=made.reason)
    return made


@transaction.atomic
def withdraw(*, nomination: Nomination, by: Staff) -> Nomination:
    """End a nomination. Who became potential by it stays so until his manager ends the relation.

    Raises:
        NominationRefused: it ended before.
    """
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=nomination.customer_id)
    nomination = Nomination.objects.get(pk=nomination.pk)
    if nomination.ended_at is not None:
        raise NominationRefused(_("This nomination was taken back already."))
    nomination.ended_by, nomination.ended_at = by, timezone.now()
    nomination.save(update_fields=["ended_by", "ended_at"])
    customer.potential_reasons = [reason for reason in customer.potential_reasons if reason != Reason.NOMINATED]
    customer.potential_since = customer.potential_since if customer.potential_reasons else None
    customer.save(update_fields=["potential_reasons", "potential_since", "updated_at"])
    audit.record("customer.nomination_withdrawn", customer, by=by)
    return nomination
