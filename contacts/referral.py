"""Passing a customer to a colleague, and asking an expert (domain.md §19): sent, taken on, done or returned."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import pipeline
from contacts.models import Opportunity, StaffReferral
from customers import companion
from customers.models import Customer
from customers.suitability import age_on
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Scope

Kind, Status = StaffReferral.Kind, StaffReferral.Status

ANSWER_DAYS = 1
"""Working days to the first answer (assumption)."""

SIGHT_DAYS = 30
"""Days for which the receiver of a referral sees the customer, unless it ends earlier (assumption)."""


class ReferralRefused(Refused):
    """This step is not possible; the message says why."""

    code = "referral_refused"


@transaction.atomic
def send(
    *, customer: Customer, kind: str, receiver: Staff, need: str, by: Staff, on: date, opportunity: Opportunity | None = None,
    credit_percent: int = 50,
) -> StaffReferral:  # fmt: skip
    """Pass a customer to a colleague, who sees him while it lasts; or ask an expert, who is not told who it is.

    Raises:
        ReferralRefused: no need said, to oneself, to who sees no customers (ask a question instead), or asked already.
        CompanionRefused: the customer is out of the sender's sight.
    """
    if not need.strip():
        raise ReferralRefused(_("Say what the customer needs."))
    if receiver.pk == by.pk:
        raise ReferralRefused(_("Choose a colleague."))
    if kind == Kind.REFERRAL:
        if receiver.scope == Scope.NONE:
            raise ReferralRefused(_("{name} serves no customers; ask a question instead.").format(name=receiver.name))
        companion.join(customer=customer, staff=receiver, until=on + timedelta(days=SIGHT_DAYS), by=by, on=on)
    try:
        with transaction.atomic():
            made = StaffReferral.objects.create(
                kind=kind, customer=customer, opportunity=opportunity, sender=by, receiver=receiver, need=need.strip()[:300],
                context=context_of(customer, on) if kind == Kind.QUESTION else "", credit_percent=credit_percent,
                answer_due=add_working_days(on, ANSWER_DAYS),
            )  # fmt: skip
    except IntegrityError as error:
        if "referral_one_open" not in str(error):
            raise
        raise ReferralRefused(_("This colleague has been asked already and is still at it.")) from error
    audit.record("referral.sent", made, by=by, kind=kind, to=receiver.staff_no)
    return made


def context_of(customer: Customer, on: date) -> str:
    """Return what an expert has to know of a customer, without saying who it is: tier, age in tens, what is held."""
    age = age_on(customer.birth_date, on)
    held = customer.holdings.filter(status="active").values_list("product__category", flat=True).distinct()
    parts = [str(customer.tier.label)]
    if age is not None:
        parts.append(_("{decade} to {end} years").format(decade=age // 10 * 10, end=age // 10 * 10 + 9))
    parts.append(_("holds {kinds}").format(kinds=", ".join(sorted(filter(None, held))) or "—"))
    return " · ".join(parts)


@transaction.atomic
def accept(*, referral: StaffReferral, by: Staff, on: date) -> StaffReferral:
    """Take it on; the first answer is given. A customer who was passed on has an opportunity, owned by his manager."""
    referral = _locked(referral, by, Status.SENT)
    referral.status, referral.answered_at = Status.ACCEPTED, timezone.now()
    if referral.kind == Kind.REFERRAL and referral.opportunity is None:
        referral.opportunity = _opportunity(referral, by, on)
    referral.save(update_fields=["status", "answered_at", "opportunity"])
    audit.record("referral.accepted", referral, by=by)
    return referral


def _opportunity(referral: StaffReferral, by: Staff, on: date) -> Opportunity | None:
    """Open what a referral is about; None where nobody is in charge, or a cross-sale without category is open already."""
    customer = referral.customer
    if customer.manager is None:
        return None
    try:
        return pipeline.open_opportunity(
            customer=customer, kind=Opportunity.Kind.CROSS_SELL, title=referral.need[:80], owner=customer.manager, by=by,
            on=on, source="referral",
        )  # fmt: skip
    except pipeline.AlreadyOpen:
        return None


@transaction.atomic
def finish(*, referral: StaffReferral, result: str, by: Staff, on: date, is_shared: bool = False) -> StaffReferral:
    """Say what came of it; the receiver's sight of the customer ends. A shared answer becomes knowledge."""
    return _close(referral, Status.DONE, result, by=by, on=on, is_shared=is_shared)


@transaction.atomic
def give_back(*, referral: StaffReferral, why: str, by: Staff, on: date) -> StaffReferral:
    """Return it with the reason."""
    return _close(referral, Status.RETURNED, why, by=by, on=on)


def _close(referral, status, words: str, *, by, on, is_shared=False) -> StaffReferral:
    referral = _locked(referral, by, Status.SENT, Status.ACCEPTED)
    if not words.strip():
        raise ReferralRefused(_("Say what came of it, or why it comes back."))
    now = timezone.now()
    referral.status, referral.result, referral.closed_at = status, words.strip()[:500], now
    referral.answered_at = referral.answered_at or now
    referral.is_shared = is_shared and referral.kind == Kind.QUESTION
    referral.save(update_fields=["status", "result", "closed_at", "answered_at", "is_shared"])
    helps = by.helped_opportunities.open().filter(customer=referral.customer_id)
    if referral.kind == Kind.REFERRAL and not helps.exists():
        companion.leave(customer=referral.customer, staff=by, on=on)
    audit.record("referral.done" if status == Status.DONE else "referral.returned", referral, by=by)
    return referral


def _locked(referral: StaffReferral, by: Staff, *statuses) -> StaffReferral:
    locked = StaffReferral.objects.select_for_update(no_key=True).get(pk=referral.pk)
    if locked.receiver_id != by.pk:
        raise ReferralRefused(_("Only who was asked answers."))
    if locked.status not in statuses:
        raise ReferralRefused(_("This has been closed already."))
    return locked
