"""The page of potential VIP customers: why each is one, how far from the next tier, who has him, what was done."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Case, Count, DecimalField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from contacts.models import ContactLog, Opportunity
from customers.models import Customer, Nomination, RatingRule, RelationStatus, Tier, TierChange, TierRule
from customers.potential import Reason
from customers.search import SEALED

SIZE = 50
TOUCHED_DAYS = 90
"""Within how many days a contact, a signing or an upgrade counts for the funnel."""

MONEY = DecimalField(max_digits=18, decimal_places=2)
TOP = Decimal(10) ** 15
"""Stands for the distance of those who have no tier above: after everybody else."""

PROMOTING = (Opportunity.Kind.SIGN_UP, Opportunity.Kind.UPGRADE)


@dataclass(frozen=True)
class Row:
    """A potential customer; `missing` yuan to `tier`, 0 when reached, None at the top; `percent` of its floor, at most 100.

    `days` since the first of the reasons was found.
    """

    customer: Customer
    reasons: list[str]
    tier: Tier | None
    missing: Decimal | None
    percent: int
    log: ContactLog | None
    deal: Opportunity | None
    nomination: Nomination | None
    days: int | None


@dataclass(frozen=True)
class Step:
    """One step of the funnel: how many customers, and the percent of the first step."""

    count: int
    percent: int


def potential_customers(*, viewer, on: date) -> QuerySet:
    """Return those in sight with a reason, each with `measure` and `missing` (yuan to the tier above the one served)."""
    floors, rule = TierRule.objects.floors(on), RatingRule.objects.in_force(on)
    above = Case(
        *(When(service_tier=tier - 1, then=Value(floors[tier])) for tier in (Tier.GOLD, Tier.PLATINUM, Tier.DIAMOND)),
        default=Value(TOP),
        output_field=MONEY,
    )
    return (
        Customer.objects.visible_to(viewer)
        .exclude(relation_status__in=[RelationStatus.CLOSED, RelationStatus.TERMINATED])
        .exclude(potential_reasons=[])
        .annotate(measure=F(rule.rating_measure), floor_above=above)
        .annotate(missing=Greatest(Value(Decimal(0)), F("floor_above") - F("measure"), output_field=MONEY))
    )


def narrowed(customers: QuerySet, *, reason: str = "", waiting: bool = False, untouched_since: date | None = None):
    """Keep one reason, those without a manager, those nobody has contacted since a day."""
    if reason:
        customers = customers.filter(potential_reasons__contains=[reason])
    if waiting:
        customers = customers.filter(manager=None)
    if untouched_since:
        customers = customers.filter(Q(last_contact_on=None) | Q(last_contact_on__lt=untouched_since))
    return customers


def counts_of(customers: QuerySet) -> dict[str, int]:
    """Return how many have each reason, in one query; `""` counts all."""
    counts = {str(reason): Count("pk", filter=Q(potential_reasons__contains=[reason.value])) for reason in Reason}
    found = customers.aggregate(all=Count("pk"), **counts)
    return {"": found.pop("all")} | found


def funnel_of(customers: QuerySet, *, viewer, on: date) -> list[Step]:
    """Return the steps found → has a manager → contacted → opportunity open, and those promoted lately.

    The last step counts customers whose service tier rose within TOUCHED_DAYS: they are no longer in the list.
    """
    since = on - timedelta(days=TOUCHED_DAYS)
    deal = Opportunity.objects.open().filter(customer=OuterRef("pk"), kind__in=PROMOTING)
    found = customers.aggregate(
        all=Count("pk"),
        owned=Count("pk", filter=Q(manager__isnull=False)),
        touched=Count("pk", filter=Q(manager__isnull=False, last_contact_on__gte=since)),
        deals=Count("pk", filter=Q(Exists(deal))),
    )
    risen = TierChange.objects.filter(
        kind=TierChange.Kind.UP, on__gte=since, customer__in=Customer.objects.visible_to(viewer)
    )
    found["promoted"] = risen.values("customer").distinct().count()
    whole = max(found["all"], 1)
    return [Step(count, min(100, round(100 * count / whole))) for count in found.values()]


def read_place(text: str) -> tuple[Decimal, int] | None:
    """Return the (missing, id) of an address; None where it cannot be read."""
    missing, _comma, pk = text.partition(",")
    if not pk.isdecimal() or len(pk) > 18:
        return None
    try:
        amount = Decimal(missing)
    except InvalidOperation:
        return None
    return (amount, int(pk)) if amount.is_finite() and abs(amount) <= TOP else None


def rows_after(customers: QuerySet, *, place: tuple | None, on: date) -> tuple[list[Row], str]:
    """Return a page, the nearest to their threshold first, and the place of the next one; "" at the end."""
    arranged = customers.order_by("missing", "pk").select_related("manager", "branch").defer(*SEALED)
    if place:
        missing, pk = place
        arranged = arranged.filter(Q(missing__gt=missing) | Q(missing=missing, pk__gt=pk))
    found = list(arranged[: SIZE + 1])
    rows = _rows(found[:SIZE], on)
    last = found[SIZE - 1] if len(found) > SIZE else None
    return rows, f"{last.missing},{last.pk}" if last else ""


def _rows(customers: list[Customer], on: date) -> list[Row]:
    pks = [customer.pk for customer in customers]
    logs = ContactLog.objects.standing().filter(customer__in=pks).order_by("customer", "-at").distinct("customer")
    last_log = {log.customer_id: log for log in logs.select_related("staff")}
    deals = Opportunity.objects.open().filter(customer__in=pks, kind__in=PROMOTING).order_by("-next_action_on", "-pk")
    deal_of = {deal.customer_id: deal for deal in deals}
    named = {each.customer_id: each for each in Nomination.objects.open().filter(customer__in=pks).select_related("by")}
    return [
        Row(
            customer=customer,
            reasons=[Reason(code).label for code in customer.potential_reasons if code in Reason.values],
            tier=(tier := None if customer.missing >= TOP / 2 else Tier(customer.service_tier + 1)),
            missing=None if tier is None else customer.missing,
            percent=0 if tier is None else min(100, int(100 * customer.measure / customer.floor_above)),
            log=last_log.get(customer.pk),
            deal=deal_of.get(customer.pk),
            nomination=named.get(customer.pk),
            days=(on - customer.potential_since).days if customer.potential_since else None,
        )
        for customer in customers
    ]
