"""Showing a masked field in clear: one field at a time, for a purpose, written to the trail first."""

from datetime import date, datetime, time

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from staff import audit
from staff.models import AuditEvent, Staff
from staff.refusal import Refused


class Field(models.TextChoices):
    """What can be revealed."""

    ID_NO = "id_no", _("Identity number")
    MOBILE = "mobile", _("Mobile")
    ADDRESS = "address", _("Address")


class Purpose(models.TextChoices):
    """Why somebody needs to see it."""

    CONTACT = "contact", _("To contact the customer")
    VERIFY = "verify", _("To check the record")
    HANDLE = "handle", _("To handle business for the customer")


class NothingThere(Refused):
    """The customer has no such value."""

    code = "nothing_there"


@transaction.atomic
def reveal(*, customer: Customer, field: Field, purpose: Purpose, by: Staff, on: date) -> str:
    """Return a field in clear; the audit row stands in the same transaction, with which of the day's reveals it is.

    Raises:
        NothingThere: the field is empty.
    """
    value = getattr(customer, field.value)
    if not value:
        raise NothingThere(_("Nothing is recorded here."))
    audit.record(
        "customer.revealed",
        customer,
        by=by,
        field=field.value,
        purpose=purpose.value,
        times_today=reveals_on(by, on) + 1,
    )
    return value


def reveals_on(staff: Staff, on: date) -> int:
    """Return how many fields a member of staff has revealed on a day."""
    start = timezone.make_aware(datetime.combine(on, time.min))
    return AuditEvent.objects.filter(staff=staff, action="customer.revealed", at__gte=start).count()
