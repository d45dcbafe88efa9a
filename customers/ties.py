"""What ties a customer to a member of staff: family together, a referrer, talks before, one employer or building, skills for needs.

A member who is about to leave has points against him. Points are of `customers.optimiser`: one outweighs 2.5 percent of load (assumption). Points of several ties add up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Handover, Nomination, ProfileValue, Relation
from customers.models.family import FAMILY

POINTS = {
    "family": 5,
    "referrer": 4,
    "familiar": 3,
    "employer": 2,
    "building": 1,
    "skills": 2,
    "language": 2,
    "leaves_soon": -10,
}

LABELS = {
    "family": _("Looks after the family already"),
    "referrer": _("Nominated the customer"),
    "familiar": _("Has talked with the customer before"),
    "employer": _("Looks after others of the same employer"),
    "building": _("Looks after others of the same building"),
    "skills": _("Skills fit the needs"),
    "language": _("Speaks the language of the customer's home"),
}
"""What a tie says for a receiver; what speaks against one has no words."""

LEAVES_WITHIN_DAYS = 60
"""Whoever hands his whole book over within so many days receives nobody where another can (assumption)."""

Ties = dict[int, dict[int, set[str]]]
"""{customer: {member: codes of POINTS}}."""

_readers: list[Callable[[Iterable[int], date], Iterable[tuple[int, int]]]] = []


def familiar_by(reader: Callable) -> None:
    """Let this function of the floor above give the (customer, staff) who have talked with each other lately."""
    _readers[:] = [reader]


def points_of(codes: Iterable[str]) -> int:
    return sum(POINTS[code] for code in codes)


def ties_of(customers, members: Mapping[int, str], *, on: date) -> Ties:
    """Return the ties of a queryset of customers to members {pk: skills}; nine queries, however many there are."""
    found: Ties = defaultdict(lambda: defaultdict(set))
    rows = list(customers.values_list("pk", "employer", "building_hash", "needs", "occupation"))
    pks = [row[0] for row in rows]

    def tie(customer: int, member: int, code: str) -> None:
        if member in members:
            found[customer][member].add(code)

    family = Relation.objects.current().filter(kind__in=FAMILY, relative__isnull=False)
    for one, other, mine, theirs in family.filter(Q(customer__in=pks) | Q(relative__in=pks)).values_list(
        "customer", "relative", "customer__manager", "relative__manager"
    ):
        tie(one, theirs, "family"), tie(other, mine, "family")
    for customer, member in Nomination.objects.open().filter(customer__in=pks).values_list("customer", "by"):
        tie(customer, member, "referrer")
    for reader in _readers:
        for customer, member in reader(pks, on):
            tie(customer, member, "familiar")
    leaving = _leaving(members, on)
    homes = dict(
        ProfileValue.objects.filter(customer__in=pks, field="native_place", ended_at=None).values_list(
            "customer", "value"
        )
    )
    colleagues = _held_alike("employer", members, {row[1] for row in rows})
    neighbours = _held_alike("building_hash", members, {row[2] for row in rows})
    for pk, employer, building, needs, occupation in rows:
        for member, skills in members.items():
            if (employer, member) in colleagues:
                tie(pk, member, "employer")
            if (building, member) in neighbours:
                tie(pk, member, "building")
            if fits(skills, f"{needs} {occupation}"):
                tie(pk, member, "skills")
            if speaks(skills, str(homes.get(pk, ""))):
                tie(pk, member, "language")
            if member in leaving:
                tie(pk, member, "leaves_soon")
    return {customer: dict(by_member) for customer, by_member in found.items()}


def _held_alike(column: str, members: Iterable[int], values: set[str]) -> set[tuple[str, int]]:
    """Return (value, member) where a member looks after somebody who has this value in the column."""
    books = Customer.objects.filter(manager__in=list(members), **{f"{column}__in": values - {""}})
    return set(books.order_by().values_list(column, "manager").distinct())


def _leaving(members: Iterable[int], on: date) -> set[int]:
    """Return those who leave their post: the hand-over of their book is under way or agreed, and its day is near."""
    gone = Handover.objects.open().filter(
        giver__in=list(members),
        reason__in=[Handover.Reason.LEAVING, Handover.Reason.POST],
        effective_on__lte=on + timedelta(days=LEAVES_WITHIN_DAYS),
    )
    return set(gone.values_list("giver", flat=True))


def speaks(skills: str, home: str) -> bool:
    """Say whether one of the skills is the language of a place: 柳州话 of 广西柳州."""
    words = [word.rstrip("话语") for word in skills.split() if word.endswith(("话", "语"))]
    return bool(home) and any(word and (word in home or home in word) for word in words)


@lru_cache(maxsize=65536)
def fits(skills: str, needs: str) -> bool:
    """Say whether two characters of a skill stand together in what a customer looks for: 养老规划 fits 想了解养老."""
    words = [word for word in skills.split() if len(word) > 1]
    return any(word[n : n + 2] in needs for word in words for n in range(len(word) - 1))
