"""How a customer wants to be treated: no contact, low disturbance, key customer, special care."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Customer
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS

FLAGS = ("do_not_contact", "low_disturb", "key_customer")
HEADS_ALONE = frozenset({"low_disturb", "key_customer"})
"""What changes the regime or the deadlines is the branch head's to set (domain.md §§7, 9)."""


class CareRefused(Refused):
    """This may not be set so; the message says why."""

    code = "care_refused"


@transaction.atomic
def set_flag(*, customer: Customer, flag: str, value: bool, reason: str, by: Staff) -> Customer:
    """Set or lift a flag; the trail keeps the reason. Setting what is set changes nothing.

    Raises:
        CareRefused: no such flag, no reason, or it is the branch head's to set.
    """
    reason = " ".join(reason.split())
    if flag not in FLAGS:
        raise CareRefused(_("There is no such mark."))
    if flag in HEADS_ALONE and by.role not in HEADS:
        raise CareRefused(_("This mark is set by the branch head."))
    if not reason:
        raise CareRefused(_("Say why."))
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    if getattr(customer, flag) != value:
        setattr(customer, flag, value)
        customer.save(update_fields=[flag, "updated_at"])
        audit.record("customer.marked", customer, by=by, field=flag, new=value, reason=reason[:120])
    return customer
