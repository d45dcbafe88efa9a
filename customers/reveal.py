"""Showing a masked field in clear: one field at a time, for a purpose, written to the trail first."""

from datetime import date, datetime, time

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.archive.family import words_of_day
from customers.models import Customer, ImportantDate, ProfileValue
from staff import audit
from staff.models import AuditEvent, Staff
from staff.refusal import Refused


class Field(models.TextChoices):
    """What can be revealed."""

    ID_NO = "id_no", _("Identity number")
    MOBILE = "mobile", _("Mobile")
    ADDRESS = "address", _("Address")
    SECOND_CONTACT = "second_contact", _("Second contact")
    EMAIL = "email", _("E-mail")
    WECHAT = "wechat", _("WeChat account")
    FAMILY_BIRTHDAYS = "family_birthdays", _("Birthdays in the family")


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
    value = _clear(customer, field)
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


def _clear(customer: Customer, field: Field) -> str:
    """Return a value in clear: of the core system's column, or of the archive's row that holds."""
    if field in (Field.ID_NO, Field.MOBILE, Field.ADDRESS):
        return getattr(customer, field.value)
    if field == Field.FAMILY_BIRTHDAYS:
        dates = customer.important_dates.current().filter(kind=ImportantDate.Kind.FAMILY_BIRTHDAY).order_by("pk")
        return "；".join(f"{one.name} {words_of_day(one)}" for one in dates)
    row = ProfileValue.objects.current().filter(customer=customer, field=field.value).first()
    return row.sealed if row else ""


def reveals_on(staff: Staff, on: date) -> int:
    """Return how many fields a member of staff has revealed on a day."""
    start = timezone.make_aware(datetime.combine(on, time.min))
    return AuditEvent.objects.filter(staff=staff, action="customer.revealed", at__gte=start).count()
