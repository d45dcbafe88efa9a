"""Special products (专属产品申请, domain.md §14): asked for by the manager, approved level by level, used once, in time."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contacts.models import SpecialApplication, SpecialDecision
from customers.models import Customer
from staff import audit, formats
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role

Status, Level = SpecialApplication.Status, SpecialApplication.Level

LEAST_AUM, LEAST_AT_RISK = 1_000_000, 500_000
"""Yuan of assets, or at risk, from which a price of its own may be asked for (assumption)."""

VALID_DAYS = 30
"""Days from the last approval within which it is used (assumption)."""

DECIDES = {Level.HEAD: Role.BRANCH_HEAD, Level.PRESIDENT: Role.SUB_BRANCH_PRESIDENT, Level.OFFICE: Role.RETAIL_ADMIN}


class SpecialRefused(Refused):
    """This step is not possible; the message says why."""

    code = "special_refused"


@transaction.atomic
def apply(*, customer: Customer, by: Staff, **fields) -> SpecialApplication:
    """Ask for a price of its own; the branch head decides first, or, of what he asks for himself, the president.

    Raises:
        SpecialRefused: too little money, a price below the other bank's, or one is under way.
    """
    at_risk = customer.money_at_risk or 0
    if customer.aum < LEAST_AUM and at_risk < LEAST_AT_RISK:
        raise SpecialRefused(
            _("A special price needs assets of {aum} or {risk} at risk.").format(
                aum=formats.money(LEAST_AUM), risk=formats.money(LEAST_AT_RISK)
            )
        )
    if fields["asked_rate"] < fields["competitor_rate"]:
        raise SpecialRefused(_("A price below the other bank's keeps nobody: ask for at least as much."))
    level = Level.PRESIDENT if by.role == Role.BRANCH_HEAD else Level.HEAD
    made = _keep(customer, by, status=Status.PENDING, level=level, **fields)
    audit.record("special.applied", made, by=by, amount=made.amount)
    return made


@transaction.atomic
def keep_draft(*, customer: Customer, by: Staff, **fields) -> SpecialApplication:
    """Keep an application that is not sent yet, in place of one's draft before; nothing is checked but its figures.

    Raises:
        SpecialRefused: somebody has one of this customer under way.
    """
    return _keep(customer, by, status=Status.DRAFT, **fields)


@transaction.atomic
def discard(*, application: SpecialApplication, by: Staff) -> None:
    """Throw one's own draft away.

    Raises:
        SpecialRefused: it is no draft, or somebody else's.
    """
    done, _rows = SpecialApplication.objects.filter(pk=application.pk, applicant=by, status=Status.DRAFT).delete()
    if not done:
        raise SpecialRefused(_("Only one's own draft can be thrown away."))


def draft_of(customer: Customer, by: Staff) -> SpecialApplication | None:
    """Return one's draft for a customer."""
    return SpecialApplication.objects.filter(customer=customer, applicant=by, status=Status.DRAFT).first()


def _keep(customer: Customer, by: Staff, **fields) -> SpecialApplication:
    """Write an application over one's draft, or a new one."""
    draft = SpecialApplication.objects.select_for_update().filter(customer=customer, applicant=by, status=Status.DRAFT)
    made = draft.first() or SpecialApplication(customer=customer, applicant=by)
    for name, value in fields.items():
        setattr(made, name, value)
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "special_one_at_a_time" not in str(error):
            raise
        raise SpecialRefused(
            _("An application for this customer is under way or approved and not used yet.")
        ) from error
    return made


def may_decide(application: SpecialApplication, staff: Staff) -> bool:
    """Say whether it is this person's turn; nobody decides on the own application."""
    is_turn = application.status == Status.PENDING and staff.role == DECIDES[Level(application.level)]
    return is_turn and application.applicant_id != staff.pk


@transaction.atomic
def decide(*, application: SpecialApplication, approve: bool, note: str, by: Staff, on: date) -> SpecialApplication:
    """Say yes or no at one's level; yes hands it on, the last yes makes it valid for VALID_DAYS.

    Raises:
        SpecialRefused: not this person's turn, or a no without a reason.
    """
    application = SpecialApplication.objects.select_for_update().get(pk=application.pk)
    if not may_decide(application, by):
        raise SpecialRefused(_("It is not your turn to decide on this."))
    if not approve and not note.strip():
        raise SpecialRefused(_("Say why not: the manager has to explain it to the customer."))
    SpecialDecision.objects.create(
        application=application, level=application.level, by=by, approve=approve, note=note.strip()[:200]
    )
    if not approve:
        application.status = Status.REJECTED
    elif application.level == Level.OFFICE:
        application.status, application.valid_until = Status.APPROVED, on + timedelta(days=VALID_DAYS)
    else:
        application.level += 1
    application.save(update_fields=["status", "level", "valid_until"])
    audit.record("special.approved" if approve else "special.rejected", application, by=by)
    return application


@transaction.atomic
def use(*, application: SpecialApplication, by: Staff, on: date) -> SpecialApplication:
    """Note that the customer took it.

    Raises:
        SpecialRefused: not approved, or too late.
    """
    application = SpecialApplication.objects.select_for_update().get(pk=application.pk)
    if application.status != Status.APPROVED or application.valid_until < on:
        raise SpecialRefused(_("Only an approved price that has not run out can be used."))
    application.status, application.used_on = Status.USED, on
    application.save(update_fields=["status", "used_on"])
    audit.record("special.used", application, by=by)
    return application


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Let approvals run out that were not used by a day; return how many."""
    over = SpecialApplication.objects.filter(status=Status.APPROVED, valid_until__lt=on, customer__branch=branch_id)
    return over.update(status=Status.EXPIRED)
