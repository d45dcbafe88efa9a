"""A first fair proposal for those who wait for a manager, in the order of domain.md §6.

Pure: values in, values out, the same for the same input. `load_waiting` and `load_members` read the
values. Customers are taken diamond → platinum → gold → potential, then by AUM; each keeps the manager
before if that one has room, else goes to the eligible member with the lowest load after assignment.
Branch heads choose their own diamond customers by hand, so nothing is proposed to them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from math import lcm
from statistics import pstdev

from django.db.models import Max, Q

from customers.load import ADVISERS, MANAGERS, Book, Quota, book_of, managers_needed
from customers.models import Load, Tier
from staff.roles import Role

LOBBY_FLOOR = Decimal(200_000)
"""Year average in yuan from which a gold customer is of the lobby manager's band (domain.md §6)."""


@dataclass(frozen=True)
class Waiting:
    """One customer who waits; `previous` is the staff id of the manager before, if any. Money is yuan."""

    id: int
    load_class: Tier
    aum: Decimal
    year_avg: Decimal
    previous: int | None = None


@dataclass(frozen=True)
class Member:
    """One possible receiver; `last_start` is when the newest of his customers began."""

    id: int
    staff_no: str
    name: str
    role: str
    book: Book
    last_start: date | None = None
    skills: str = ""

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label)

    def takes(self, tier: Tier) -> "Member":
        """Return the member with one more customer of a class, the newest of all."""
        return replace(self, book=self.book.plus(tier), last_start=date.max)


@dataclass(frozen=True)
class Line:
    """One customer with his receiver and why; `book` is the receiver's before this line.

    `proposed` is who was proposed, where a person chose another; None where nobody was.
    """

    customer: Waiting
    member_id: int
    reason: str
    figures: dict = field(default_factory=dict)
    book: Book | None = None
    fits: bool = True
    proposed: int | None = None

    @property
    def before(self) -> Decimal:
        """Return the receiver's load in percent before this line."""
        return self.book.percent

    @property
    def after(self) -> Decimal:
        """Return the receiver's load in percent with this line."""
        return self.book.plus(self.customer.load_class).percent


@dataclass(frozen=True)
class Proposal:
    """The lines, who is left over with the code of the reason, and the members before and after.

    `managers_short` is how many full relationship managers those left over would take.
    """

    lines: list[Line]
    left_over: list[tuple[Waiting, str]]
    before: dict[int, Member]
    after: dict[int, Member]
    managers_short: Decimal

    def spread(self) -> tuple["Spread", "Spread"]:
        """Return highest, lowest and standard deviation of the managers' loads, before and after."""
        return Spread.of(self.before.values()), Spread.of(self.after.values())


@dataclass(frozen=True)
class Spread:
    """How even the managers' loads are, in percent."""

    highest: Decimal
    lowest: Decimal
    deviation: Decimal

    @classmethod
    def of(cls, members: Iterable[Member]) -> "Spread":
        loads = [member.book.percent for member in members if member.role in MANAGERS]
        if not loads:
            return cls(Decimal(0), Decimal(0), Decimal(0))
        return cls(max(loads), min(loads), Decimal(pstdev(loads)))


def propose(
    customers: Iterable[Waiting],
    members: Iterable[Member],
    *,
    quotas: Mapping[Tier, Quota],
    mode: str = "overflow",
) -> Proposal:
    """Return who could take whom.

    Args:
        quotas: those of a relationship manager, to say how many more it would take.
        mode: gold routing: `overflow` managers first, then by band; `band_first` by band; `manager_only` no bands.
    """
    before = {member.id: member for member in members}
    after, lines, left_over = dict(before), [], []
    scale = lcm(*(member.book.full_capacity for member in before.values()))
    for customer in sorted(customers, key=_order):
        chosen = _choose(customer, after, mode, scale)
        if chosen is None:
            left_over.append((customer, _why_left(customer, after, mode)))
            continue
        member_id, reason, figures = chosen
        member = after[member_id]
        after[member_id] = member.takes(customer.load_class)
        lines.append(Line(customer, member_id, reason, figures, member.book, proposed=member_id))
    return Proposal(lines, left_over, before, after, _managers_short(left_over, quotas))


def reckon(proposal: Proposal, *, receivers: Mapping[int, int], ticked: set[int] | None = None) -> Proposal:
    """Return the proposal as a person changed it: other receivers, only the ticked lines counted.

    Args:
        receivers: {customer id: staff id}; one who differs makes the reason `by_hand`. A customer left over
            may be given one too.
        ticked: the customers whose lines count towards the loads; None for all.
    """
    after, lines = dict(proposal.before), []
    for line in [*proposal.lines, *(Line(customer, 0, "by_hand") for customer, _code in proposal.left_over)]:
        member_id = receivers.get(line.customer.id, line.member_id)
        if member_id not in after:
            continue
        member, load_class = after[member_id], line.customer.load_class
        changed = line if member_id == line.member_id else replace(line, member_id=member_id, reason="by_hand")
        fits = eligible(member.role, member.book, load_class) and member.book.has_room(load_class)
        lines.append(replace(changed, book=member.book, fits=fits))
        if ticked is None or line.customer.id in ticked:
            after[member_id] = member.takes(load_class)
    placed = {line.customer.id for line in lines}
    left_over = [(customer, code) for customer, code in proposal.left_over if customer.id not in placed]
    return replace(proposal, lines=lines, left_over=left_over, after=after)


def eligible(role: str, book: Book, load_class: Tier) -> bool:
    """Say whether a member of this role may be the primary manager of such a customer."""
    return role not in ADVISERS and book.holds(load_class)


def band_role(customer: Waiting) -> Role:
    """Return who takes a gold customer by his year average; both edges are open at the far end."""
    return Role.LOBBY_MANAGER if customer.year_avg >= LOBBY_FLOOR else Role.TELLER


def _order(customer: Waiting) -> tuple:
    """Sort by tier, then by money: gold by year average, which is what routes it."""
    money = customer.year_avg if customer.load_class == Tier.GOLD else customer.aum
    return (-customer.load_class, -money, -customer.aum, customer.id)


def _rounds(customer: Waiting, mode: str) -> list[tuple]:
    """Return the roles to try, in turn."""
    if customer.load_class != Tier.GOLD or mode == "manager_only":
        return [MANAGERS]
    if mode == "band_first":
        return [(band_role(customer),)]
    return [MANAGERS, (band_role(customer),)]


def _choose(customer: Waiting, members: Mapping[int, Member], mode: str, scale: int) -> tuple[int, str, dict] | None:
    rounds = _rounds(customer, mode)
    allowed = {role for roles in rounds for role in roles}
    previous = members.get(customer.previous)
    if previous and previous.role in allowed and previous.book.has_room(customer.load_class):
        return previous.id, "previous", {}
    for roles in rounds:
        with_room = [m for m in members.values() if m.role in roles and m.book.has_room(customer.load_class)]
        if with_room:
            ranked = sorted((_rank(member, customer.load_class, scale), member.id) for member in with_room)
            return ranked[0][1], *_reason(ranked, members, customer, roles)
    return None


def _rank(member: Member, tier: Tier, scale: int) -> tuple:
    """Sort by load after assignment, customers of that tier, longest without a new one, employee number.

    `scale` is a common multiple of all full capacities, so that loads compare as whole numbers.
    """
    book = member.book
    load = (book.units + book.weights[tier]) * (scale // book.full_capacity)
    return (load, book.counts[tier], member.last_start or date.min, member.staff_no)


def _reason(ranked: list, members: Mapping[int, Member], customer: Waiting, roles: tuple) -> tuple[str, dict]:
    """Return the code of what decided between the first two of [(rank, member id)], with its figures."""
    if customer.load_class == Tier.GOLD and roles is not MANAGERS:
        return f"band_{roles[0]}", {"year_avg": customer.year_avg}
    if len(ranked) == 1:
        return "only_room", {}
    (first, _first_id), (second, second_id) = ranked[:2]
    codes = ("lowest_load", "fewest_of_tier", "longest_without", "staff_no")
    decided = next(code for code, a, b in zip(codes, first, second, strict=True) if a != b)
    return decided, {"count": len(ranked), "second": members[second_id].name}


def _why_left(customer: Waiting, members: Mapping[int, Member], mode: str) -> str:
    roles = {role for roles in _rounds(customer, mode) for role in roles}
    return "no_room" if any(member.role in roles for member in members.values()) else "no_member"


def _managers_short(left_over: list[tuple[Waiting, str]], quotas: Mapping[Tier, Quota]) -> Decimal:
    counts = {tier: sum(customer.load_class == tier for customer, _code in left_over) for tier in Tier}
    return managers_needed(counts, quotas)


def load_waiting(customers) -> list[Waiting]:
    """Read a queryset of those who wait, annotated with `waits_as` and `previous`, as values in one query."""
    rows = customers.values_list("pk", "waits_as", "aum", "year_avg", "previous")
    return [Waiting(pk, Tier(waits_as), *rest) for pk, waits_as, *rest in rows]


def load_members(branch_id: int) -> list[Member]:
    """Read the members of one branch who hold customers, with their loads, in one query."""
    rows = Load.objects.of_branch(branch_id).select_related("staff").order_by("staff__staff_no")
    rows = rows.annotate(last_start=Max("staff__assignments__start", filter=Q(staff__assignments__end=None)))
    return [
        Member(
            row.staff_id,
            row.staff.staff_no,
            row.staff.name,
            row.staff.role,
            book_of(row),
            row.last_start,
            row.staff.skills,
        )
        for row in rows
    ]
