"""Companions of a joint meeting: they see the customer until a day, and weigh on nobody's load (domain.md §8)."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Assignment, Customer
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

COMPANION = Assignment.Role.COMPANION


class CompanionRefused(Refused):
    """This colleague cannot come along; the message says why."""

    code = "companion_refused"


@transaction.atomic
def join(*, customer: Customer, staff: Staff, until: date, by: Staff, on: date) -> Assignment | None:
    """Let a colleague of the institution see a customer until a day; None where he sees him anyway.

    Raises:
        CompanionRefused: the customer is out of `by`'s sight, or the colleague does not work here.
    """
    if not Customer.objects.visible_to(by).filter(pk=customer.pk).exists():
        raise CompanionRefused(_("This customer is not in your sight."))
    if not staff.is_active:
        raise CompanionRefused(_("{name} works here no more.").format(name=staff.name))
    held = Assignment.objects.open().filter(customer=customer, staff=staff)
    if companion := held.filter(role=COMPANION).first():
        if companion.until < until:
            companion.until = until
            companion.save(update_fields=["until", "updated_at"])
        return companion
    if held.exists():
        return None
    made = Assignment.objects.create(
        customer=customer, staff=staff, role=COMPANION, start=on, until=until, assigned_by=by
    )
    audit.record("customer.companion_joined", customer, by=by, to=staff.staff_no, until=until)
    return made


@transaction.atomic
def leave(*, customer: Customer, staff: Staff, on: date) -> int:
    """End a companion's sight of a customer."""
    open_ones = Assignment.objects.open().filter(customer=customer, staff=staff, role=COMPANION)
    return open_ones.update(end=on)


def refresh_branch(*, branch_id: int, on: date) -> int:
    """End what ran out on a day or before; return how many."""
    over = Assignment.objects.open().filter(role=COMPANION, until__lte=on, customer__branch=branch_id)
    return over.update(end=date.fromordinal(on.toordinal() + 1))
