"""Relations between people, the household within the reader's sight, assets elsewhere, gifts and their repetition."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.archive import completeness
from customers.archive.values import ArchiveRefused
from customers.models import Customer, ExternalAsset, Gift, ImportantDate, Relation, Source
from customers.models.family import FAMILY
from customers.relative_dates import years_before
from staff import audit
from staff.models import Staff

WIDEST = 12
"""A household is looked for over at most so many people."""


@dataclass(frozen=True)
class Household:
    """The customer and his family as far as they are customers: `members` and `aum` (yuan) in sight, `hidden` only counted."""

    members: list[Customer]
    aum: Decimal
    hidden: int


def relations_of(customer: Customer) -> list[tuple[Relation, Customer | None, bool]]:
    """Return [(relation, the other person's record if he is a customer, written on this side)]."""
    found = []
    for row in Relation.objects.of(customer).select_related("customer", "relative", "by").order_by("kind", "pk"):
        mine = row.customer_id == customer.pk
        found.append((row, row.relative if mine else row.customer, mine))
    return found


def household_of(customer: Customer, *, viewer) -> Household:
    """Return the family of a customer over family relations in either direction; one query a step outward."""
    seen, edge = {customer.pk}, {customer.pk}
    while edge and len(seen) < WIDEST:
        rows = Relation.objects.current().filter(kind__in=FAMILY, relative__isnull=False)
        pairs = rows.filter(Q(customer__in=edge) | Q(relative__in=edge)).values_list("customer", "relative")
        edge = {pk for pair in pairs for pk in pair} - seen
        seen |= edge
    members = Customer.objects.visible_to(viewer).filter(pk__in=seen)
    aum = members.aggregate(total=Sum("aum"))["total"] or Decimal(0)
    here = list(members.only("pk", "name", "aum", "service_tier").order_by("-aum", "pk"))
    return Household(here, aum, len(seen) - len(here))


@transaction.atomic
def add_relation(*, customer: Customer, kind: str, by: Staff, relative: Customer | None = None, **said) -> Relation:
    """Note somebody close to a customer.

    Raises:
        ArchiveRefused: nobody is named, a child without consent, or the same is noted already.
    """
    row = Relation(customer=customer, kind=kind, relative=relative, source=Source.CUSTOMER, by=by, **said)
    if relative is None and not row.name:
        raise ArchiveRefused(_("Give a name, or the number of a customer."))
    if kind == Relation.Kind.CHILD and not row.consented:
        raise ArchiveRefused(_("A child's data are kept only if the parent agreed."))
    if kind == Relation.Kind.CHILD:
        row.occupation = ""
    other_way = Relation.objects.current().filter(customer=relative, relative=customer) if relative else None
    if relative == customer or (other_way is not None and other_way.exists()):
        raise ArchiveRefused(_("This relation is noted already."))
    return _kept(row, "relations")


@transaction.atomic
def add_external_asset(*, customer: Customer, by: Staff, **said) -> ExternalAsset:
    """Note what a customer keeps at another bank."""
    return _kept(ExternalAsset(customer=customer, source=Source.CUSTOMER, by=by, **said), "external_assets")


@transaction.atomic
def add_important_date(*, customer: Customer, month: int, number: int, by: Staff, **said) -> ImportantDate:
    """Note a day that comes round every year: a solar month and day, or lunar ones (a leap month negative).

    Raises:
        ArchiveRefused: there is no such day.
    """
    lunar = said.get("lunar", False)
    longest = 30 if lunar else LONGEST[month - 1] if 1 <= month <= 12 else 0
    if not 1 <= number <= longest or not 1 <= abs(month) <= 12:
        raise ArchiveRefused(_("There is no such day."))
    day = f"{month}-{number}" if lunar else f"{month:02}-{number:02}"
    return _kept(ImportantDate(customer=customer, source=Source.CUSTOMER, by=by, day=day, **said), "important_dates")


LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""How many days a solar month has at most."""


def words_of_day(row: ImportantDate) -> str:
    """Return the day as people write it: 05-21, or 农历8-15."""
    return _("lunar {day}").format(day=row.day) if row.lunar else row.day


@transaction.atomic
def add_gift(*, customer: Customer, by: Staff, **said) -> Gift:
    """Note what a customer was given."""
    return _kept(Gift(customer=customer, source=Source.OBSERVED, by=by, **said), "gifts")


def _kept(row, field: str):
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if "relation_once" not in str(error):
            raise
        raise ArchiveRefused(_("This relation is noted already.")) from None
    audit.record("archive.changed", row.customer, by=row.by, field=field, added=str(row.get_kind_display()))
    _count_again(row)
    return row


@transaction.atomic
def end_row(*, row: Relation | ExternalAsset | Gift | ImportantDate, by: Staff) -> None:
    """End something that was noted; it stays in the history. Ended twice is ended once."""
    if type(row).objects.current().filter(pk=row.pk).update(ended_at=timezone.now()):
        audit.record(
            "archive.changed", row.customer, by=by, field=row._meta.model_name, removed=str(row.get_kind_display())
        )
        _count_again(row)


def _count_again(row) -> None:
    """Bring the completeness of the archives up to date that a row belongs to."""
    completeness.refresh_customers([pk for pk in (row.customer_id, getattr(row, "relative_id", None)) if pk])


IDEAS = {
    "elderly": (Gift.Kind.HEALTH, Gift.Kind.COURSE, Gift.Kind.TEA),
    "young": (Gift.Kind.TICKET, Gift.Kind.COURSE, Gift.Kind.CRAFT),
    "other": (Gift.Kind.TICKET, Gift.Kind.TEA, Gift.Kind.HEALTH),
}
"""What else to give, by age: 60 and over, below 45, the rest."""


def repeated(gifts, kind: str, *, on: date) -> bool:
    """Say whether a kind of gift was given in the year before already (domain.md §17: two successive years)."""
    return any(gift.kind == kind and gift.on.year == on.year - 1 for gift in gifts)


def ideas_for(customer: Customer, kind: str, *, on: date) -> list[str]:
    """Return three other kinds of gift for a customer of this age."""
    born = customer.birth_date
    group = "other"
    if born:
        group = "elderly" if born <= years_before(on, 60) else "young" if born > years_before(on, 45) else "other"
    rest = [*IDEAS[group], *(other for other in Gift.Kind if other not in IDEAS[group] and other != Gift.Kind.OTHER)]
    return [str(Gift.Kind(other).label) for other in rest if other != kind][:3]
