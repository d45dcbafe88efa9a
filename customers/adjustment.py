"""Asking the branch head for what the head decides (another manager, low disturbance), and the answer."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import care
from customers.models import AdjustmentRequest, Customer
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

Kind = AdjustmentRequest.Kind


class AskedAlready(Refused):
    """There is an open request for the customer."""

    code = "asked_already"


class Settled(Refused):
    """The request was answered before."""

    code = "settled"


@transaction.atomic
def ask(*, customer: Customer, by: Staff, reason: str, kind: str = Kind.MOVE) -> AdjustmentRequest:
    """Ask that somebody else look after a customer, or that he be disturbed less.

    Raises:
        AskedAlready: it was asked and not answered yet.
    """
    try:
        with transaction.atomic():
            wish = AdjustmentRequest.objects.create(customer=customer, asked_by=by, kind=kind, reason=reason[:120])
    except IntegrityError as error:
        if "adjustment_one_open_a_kind" not in str(error):
            raise
        raise AskedAlready(_("was asked for already and waits for the head's answer")) from error
    audit.record("customer.adjustment_asked", customer, by=by, kind=str(kind), reason=reason)
    return wish


@transaction.atomic
def settle(*, wish: AdjustmentRequest, by: Staff, outcome: str) -> AdjustmentRequest:
    """Answer a request: re-assigned (on the page of assignment) or disturbed less from now on, or all stays as it is.

    Raises:
        Settled: somebody answered it meanwhile.
    """
    wish = AdjustmentRequest.objects.select_for_update(of=("self",)).select_related("customer").get(pk=wish.pk)
    if wish.settled_at is not None:
        raise Settled(_("{name} has answered this request already.").format(name=wish.settled_by.name))
    wish.outcome, wish.settled_by, wish.settled_at = outcome, by, timezone.now()
    wish.save(update_fields=["outcome", "settled_by", "settled_at"])
    if wish.kind == Kind.LOW_DISTURB and outcome == AdjustmentRequest.Outcome.DONE:
        care.set_flag(customer=wish.customer, flag="low_disturb", value=True, reason=wish.reason, by=by)
    audit.record("customer.adjustment_settled", wish.customer, by=by, result=outcome)
    return wish
