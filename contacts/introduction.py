"""Customers who bring others: entered, followed as an opportunity once the other is a customer, and thanked (domain.md §19)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from contacts import pipeline
from contacts.models import CustomerIntroduction, Opportunity
from customers.models import Customer, Tier
from staff import audit
from staff.models import Staff
from staff.refusal import Refused


class IntroductionRefused(Refused):
    """This cannot be kept; the message says why."""

    code = "introduction_refused"


@transaction.atomic
def enter(
    *, introducer: Customer, name: str, mobile_last4: str, relation: str, note: str, by: Staff, on: date
) -> CustomerIntroduction:
    """Keep that a customer introduced somebody.

    Raises:
        IntroductionRefused: the name is missing, or the digits are not four.
    """
    name, digits = name.strip(), mobile_last4.strip()
    if not name:
        raise IntroductionRefused(_("Say who was introduced."))
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise IntroductionRefused(_("Give the last four digits of the mobile, or none."))
    made = CustomerIntroduction.objects.create(
        introducer=introducer, name=name[:40], mobile_last4=digits, relation=relation.strip()[:40], note=note.strip()[:200],
        entered_by=by, entered_on=on,
    )  # fmt: skip
    audit.record("introduction.entered", made, by=by, customer=introducer.customer_no)
    return made


@transaction.atomic
def link(*, introduction: CustomerIntroduction, customer: Customer, by: Staff, on: date) -> CustomerIntroduction:
    """Say which customer the introduced person has become; an opportunity to win him opens, if none is open.

    Raises:
        IntroductionRefused: linked before, to himself, or this introducer brought this customer already.
    """
    held = CustomerIntroduction.objects.select_for_update().get(pk=introduction.pk)
    if held.customer_id is not None:
        raise IntroductionRefused(_("It is known already who this is."))
    if customer.pk == held.introducer_id:
        raise IntroductionRefused(_("Nobody introduces himself."))
    held.customer = customer
    if customer.manager is not None:
        try:
            held.opportunity = pipeline.open_opportunity(
                customer=customer, kind=Opportunity.Kind.ACQUIRE, title=_("Introduced by a customer"), owner=customer.manager,
                by=by, on=on, source="introduction",
            )  # fmt: skip
        except pipeline.AlreadyOpen:
            held.opportunity = None
    try:
        with transaction.atomic():
            held.save(update_fields=["customer", "opportunity"])
    except IntegrityError as error:
        if "introduction_once" not in str(error):
            raise
        raise IntroductionRefused(_("This customer was introduced by the same one before.")) from error
    audit.record("introduction.linked", held, by=by, customer=customer.customer_no)
    return held


@transaction.atomic
def thank(*, introduction: CustomerIntroduction, how: str, by: Staff, on: date) -> CustomerIntroduction:
    """Keep how the introducer was thanked, once.

    Raises:
        IntroductionRefused: he was thanked, or nothing is said of how.
    """
    held = CustomerIntroduction.objects.select_for_update().get(pk=introduction.pk)
    if held.thanked_on is not None:
        raise IntroductionRefused(_("The introducer was thanked already."))
    if not how.strip():
        raise IntroductionRefused(_("Say how the introducer was thanked."))
    held.thanks, held.thanked_on, held.thanked_by = how.strip()[:120], on, by
    held.save(update_fields=["thanks", "thanked_on", "thanked_by"])
    audit.record("introduction.thanked", held, by=by)
    return held


@dataclass(frozen=True)
class Results:
    """What introductions brought: how many, how many became customers; of those in sight the VIP customers, and their AUM in yuan."""

    number: int
    customers: int
    vips: int
    aum: Decimal
    unthanked: int


def results_of(*, viewer) -> Results:
    """Sum up the introductions in sight: one query."""
    seen = Q(customer__in=Customer.objects.visible_to(viewer))
    vip = seen & Q(customer__service_tier__gte=Tier.GOLD)
    found = CustomerIntroduction.objects.visible_to(viewer).order_by().aggregate(
        number=Count("pk"), customers=Count("customer"), vips=Count("customer", filter=vip),
        aum=Sum("customer__aum", filter=seen, default=Decimal(0)), unthanked=Count("pk", filter=Q(thanked_on=None)),
    )  # fmt: skip
    return Results(**found)
