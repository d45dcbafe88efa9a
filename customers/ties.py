"""What ties a customer to a member of staff: family together, a referrer, talks before, one employer, skills for needs.

Points are of `customers.optimiser`: one outweighs 2.5 percent of load (assumption). Points of several ties add up.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Nomination, Relation
from customers.models.family import FAMILY

POINTS = {"family": 5, "referrer": 4, "familiar": 3, "employer": 2, "skills": 2}

LABELS = {
    "family": _("Looks after the family already"),
    "referrer": _("Nominated the customer"),
    "familiar": _("Has talked with the customer before"),
    "employer": _("Looks after others of the same employer"),
    "skills": _("Skills fit the needs"),
}

Ties = dict[int, dict[int, set[str]]]
"""{customer: {member: codes of POINTS}}."""

_readers: list[Callable[[Iterable[int], date], Iterable[tuple[int, int]]]] = []


def familiar_by(reader: Callable) -> None:
    """Let this function of the floor above give the (customer, staff) who have talked with each other lately."""
    _readers[:] = [reader]


def points_of(codes: Iterable[str]) -> int:
    return sum(POINTS[code] for code in codes)


def ties_of(customers, members: Mapping[int, str], *, on: date) -> Ties:
    """Return the ties of a queryset of customers to members {pk: skills}; six queries, however many there are."""
    found: Ties = defaultdict(lambda: defaultdict(set))
    rows = list(customers.values_list("pk", "employer", "needs", "occupation"))
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
    employers = {employer for _pk, employer, *_rest in rows if employer}
    books = Customer.objects.filter(manager__in=list(members), employer__in=employers).order_by()
    colleagues = Counter(books.values_list("employer", "manager"))
    for pk, employer, needs, occupation in rows:
        for member, skills in members.items():
            if employer and colleagues[employer, member]:
                tie(pk, member, "employer")
            if fits(skills, f"{needs} {occupation}"):
                tie(pk, member, "skills")
    return {customer: dict(by_member) for customer, by_member in found.items()}


@lru_cache(maxsize=65536)
def fits(skills: str, needs: str) -> bool:
    """Say whether two characters of a skill stand together in what a customer looks for: 养老规划 fits 想了解养老."""
    words = [word for word in skills.split() if len(word) > 1]
    return any(word[n : n + 2] in needs for word in words for n in range(len(word) - 1))
