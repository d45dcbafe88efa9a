"""Writing the archive: one value a field, the earlier ones kept; who comes second with an old page is told."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.archive import completeness
from customers.archive.fields import BY_CODE, LISTS, Field, Kind
from customers.models import Customer, ProfileValue, Source
from staff import audit, masking
from staff.models import Staff
from staff.refusal import Refused


class ArchiveRefused(Refused):
    """The archive does not take this; the message says why."""

    code = "archive_refused"


class Conflict(Refused):
    """Somebody else wrote the field meanwhile; `current` is what stands there now, None if it was cleared."""

    code = "conflict"

    def __init__(self, message: str, current: ProfileValue | None):
        super().__init__(message)
        self.current = current


def editable(code: str) -> Field:
    """Return a field that is written here.

    Raises:
        ArchiveRefused: there is no such field, or the core system fills it.
    """
    field = BY_CODE.get(code)
    if field is None or field.code in LISTS:
        raise ArchiveRefused(_("The archive has no such field."))
    if field.column:
        raise ArchiveRefused(_("The core system fills this field; it is changed at the counter."))
    return field


def read_value(field: Field, said):
    """Return a value as it is kept, from what a form or a file says; None for nothing.

    Raises:
        ArchiveRefused: it does not fit the field; the message names the field.
    """
    if said in (None, "", []):
        return None
    fits = True
    match field.kind:
        case Kind.TEXT:
            said = " ".join(str(said).split())
            fits = len(said) <= field.max_length and said.isprintable()
        case Kind.CHOICE:
            fits = said in field.choices.values
        case Kind.CHOICES:
            fits = isinstance(said, list) and all(one in field.choices.values for one in said)
            said = [one for one in field.choices.values if one in said] if fits else said
        case Kind.BOOL:
            said = {"true": True, "false": False}.get(said, said)
            fits = isinstance(said, bool)
        case Kind.DATE:
            try:
                said = date.fromisoformat(str(said)).isoformat()
            except ValueError:
                fits = False
    if not fits:
        raise ArchiveRefused(_("“{label}” cannot be that; see what it may hold.").format(label=field.label))
    return said


@transaction.atomic
def set_value(
    *, customer: Customer, code: str, said, source: Source, by: Staff, seen: int | None
) -> ProfileValue | None:
    """Write a field of a customer's archive, or clear it with nothing; return the row that holds now.

    Args:
        said: what the form says; the same value again confirms it as of now.
        seen: the id of the row that the writer saw, None where the field was empty.

    Raises:
        ArchiveRefused: the field does not take it.
        Conflict: another row stands there by now.
    """
    field = editable(code)
    value = read_value(field, said)
    Customer.objects.select_for_update(no_key=True).only("pk").get(pk=customer.pk)  # one writer a customer
    current = ProfileValue.objects.current().filter(customer=customer, field=code).select_related("by").first()
    if (current.pk if current else None) != seen:
        raise Conflict(_("“{label}” was changed meanwhile.").format(label=field.label), current)
    if current is None and value is None:
        return None
    now = timezone.now()
    if current:
        ProfileValue.objects.filter(pk=current.pk).update(ended_at=now)
    kept = None
    if value is not None:
        shown, sealed = (mask_of(field, value), value) if field.mask else (value, "")
        kept = ProfileValue.objects.create(
            customer=customer, field=code, value=shown, sealed=sealed, source=source, by=by, at=now
        )
    completeness.refresh_customer(customer_id=customer.pk)
    audit.record(
        "archive.changed", customer, by=by, field=code,
        old=current.value if current else "", new=kept.value if kept else "",
    )  # fmt: skip
    return kept


@transaction.atomic
def set_many(*, changes: dict[int, dict], source: Source, by: Staff) -> None:
    """Write fields of many customers at once, {customer id: {code: value, None to clear}}; values as `read_value` returns them.

    Who calls it has compared with what is there. One line of the trail a customer, values masked where they are sensitive.
    """
    customers = Customer.objects.select_for_update(no_key=True).only("pk", "branch_id").order_by("pk").in_bulk(changes)
    now, new = timezone.now(), []
    for customer_id in sorted(customers):
        for code, value in changes[customer_id].items():
            ProfileValue.objects.current().filter(customer=customer_id, field=code).update(ended_at=now)
            field = editable(code)
            if value is not None:
                shown, sealed = (mask_of(field, value), value) if field.mask else (value, "")
                new.append(
                    ProfileValue(
                        customer_id=customer_id, field=code, value=shown, sealed=sealed, source=source, by=by, at=now
                    )
                )
        audit.record("archive.changed", customers[customer_id], by=by, field=", ".join(changes[customer_id]))
    ProfileValue.objects.bulk_create(new, batch_size=1000)
    completeness.refresh_customers(sorted(customers))


def restore(*, earlier: ProfileValue, by: Staff, seen: int | None) -> ProfileValue | None:
    """Write an earlier value of a field again, with its own source.

    Raises:
        Conflict: another row stands there by now.
    """
    field = BY_CODE[earlier.field]
    said = earlier.sealed if field.mask else earlier.value
    return set_value(
        customer=earlier.customer, code=earlier.field, said=said, source=Source(earlier.source), by=by, seen=seen
    )


ABILITY_OF = {"0-10": Decimal(100_000), "10-30": Decimal(300_000), "30-100": Decimal(1_000_000)}
"""The most that a band of payment ability says, yuan a year; the highest band has no bound."""


def payment_ability(customer: Customer) -> Decimal | None:
    """Return what a customer can pay a year as the archive has it; None where it does not say, or sets no bound."""
    held = ProfileValue.objects.current().filter(customer=customer, field="payment_ability")
    return ABILITY_OF.get(held.values_list("value", flat=True).first() or "")


def mask_of(field: Field, value: str) -> str:
    """Return what is shown of a sensitive value."""
    return getattr(masking, field.mask)(value)


def words_of(field: Field, value) -> str:
    """Return a value as people read it."""
    if value in (None, ""):
        return ""
    match field.kind:
        case Kind.CHOICE:
            return str(dict(field.choices.choices).get(value, value))
        case Kind.CHOICES:
            labels = dict(field.choices.choices)
            return "、".join(str(labels.get(one, one)) for one in value)
        case Kind.BOOL:
            return _("Yes") if value else _("No")
    return str(value)
