"""Entering and withdrawing what a member of staff is licensed to sell; `held` answers who may sell what."""

from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from staff import audit
from staff.models import Qualification, Staff
from staff.refusal import Refused

ENDS_SOON_DAYS = 60
"""So long before its last day a qualification is shown as ending (assumption)."""


class QualificationRefused(Refused):
    """This qualification cannot be entered or withdrawn; the message says why."""

    code = "qualification_refused"


def held(staff: Staff, on: date) -> frozenset[str]:
    """Return the kinds of qualification that a member of staff holds on a day."""
    return frozenset(Qualification.objects.filter(staff=staff).valid(on).values_list("kind", flat=True))


@transaction.atomic
def enter(
    *, staff: Staff, kind: str, number: str, valid_from: date, valid_until: date | None, by: Staff
) -> Qualification:
    """Enter a qualification; a newer one of a kind is entered after the old one is withdrawn.

    Raises:
        QualificationRefused: the days are the wrong way round, or one of the kind is entered already.
    """
    if valid_until is not None and valid_until < valid_from:
        raise QualificationRefused(_("It cannot end before it begins."))
    try:
        with transaction.atomic():
            made = Qualification.objects.create(
                staff=staff, kind=kind, number=number.strip(), valid_from=valid_from, valid_until=valid_until
            )
    except IntegrityError as error:
        if "qualification_one_of_a_kind" not in str(error):
            raise
        raise QualificationRefused(
            _("{name} has a qualification of this kind already; withdraw it first.").format(name=staff.name)
        ) from error
    audit.record("qualification.entered", staff, by=by, kind=kind, number=made.number, until=valid_until)
    return made


@transaction.atomic
def withdraw(*, qualification: Qualification, reason: str, by: Staff, on: date) -> Qualification:
    """Withdraw a qualification from a day on: it ended, was renewed under another number, or was taken away.

    Raises:
        QualificationRefused: no reason is given, or it is withdrawn already.
    """
    reason = " ".join(reason.split())
    qualification = Qualification.objects.select_for_update(of=("self",)).get(pk=qualification.pk)
    if not reason:
        raise QualificationRefused(_("Say why it is withdrawn."))
    if qualification.withdrawn_on is not None:
        raise QualificationRefused(_("It was withdrawn already."))
    qualification.withdrawn_on, qualification.withdrawn_because = on, reason[:120]
    qualification.save(update_fields=["withdrawn_on", "withdrawn_because"])
    audit.record("qualification.withdrawn", qualification.staff, by=by, kind=qualification.kind, reason=reason[:120])
    return qualification
