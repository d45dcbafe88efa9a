"""The best proposal for those who wait for a manager, with its proof and a reason for every line (domain.md §6).

Pure: values in, values out, the same for the same input. `customers.branch_proposal` reads the values. Branch
heads choose their own diamond customers by hand, so nothing is proposed to them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from math import lcm
from statistics import pstdev

from customers.load import ADVISERS, MANAGERS, Book, Quota, managers_needed
from customers.models import Tier
from customers.optimiser import Aim, Answer, Group, Place, solve
from customers.ties import POINTS, Ties, points_of
from staff.roles import Role

LOBBY_FLOOR = Decimal(200_000)
"""Year average in yuan from which a gold customer is of the lobby manager's band (domain.md §6)."""


@dataclass(frozen=True)
class Waiting:
    """One customer who waits; `previous` is the staff id of the manager before, if any. Money is yuan.

    `holder` is who looks after the customer now, where he may be moved so that others find a place.
    """

    id: int
    load_class: Tier
    aum: Decimal
    year_avg: Decimal
    previous: int | None = None
    holder: int | None = None


@dataclass(frozen=True)
class Member:
    """One possible receiver; `last_start` is when the newest of his customers began, `factor` his capacity, 1 = 100 %."""

    id: int
    staff_no: str
    name: str
    role: str
    book: Book
    last_start: date | None = None
    skills: str = ""
    factor: Decimal = Decimal(1)

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label)

    def gives(self, tier: Tier, count: int = 1) -> "Member":
        """Return the member with fewer customers of a class."""
        return replace(self, book=self.book.plus(tier, -count))

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

    Lines that move somebody from his present manager come first: they make the room that the others take.
    `managers_short` is how many full relationship managers those left over would take; `aims` prove the answer.
    """

    lines: list[Line]
    left_over: list[tuple[Waiting, str]]
    before: dict[int, Member]
    after: dict[int, Member]
    managers_short: Decimal
    aims: list[Aim] = field(default_factory=list)

    @property
    def gap(self) -> float:
        """Return the largest proven distance of any aim to the best, in parts of its value; 0 is proved best."""
        return max((aim.gap for aim in self.aims), default=0.0)

    @property
    def seconds(self) -> float:
        return sum(aim.seconds for aim in self.aims)

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
    ties: Ties | None = None,
    forced: Mapping[int, int] | None = None,
) -> Proposal:
    """Return the best sharing of the customers, with its proof (`customers.optimiser` has the aims).

    Args:
        quotas: those of a relationship manager, to say how many more it would take.
        mode: gold routing: `overflow` managers first, then by band; `band_first` by band; `manager_only` no bands.
        ties: {customer: {member: codes}} of `customers.ties`.
        forced: {customer: member} whose receiver is fixed; nobody else may take them.
    """
    everybody = sorted(customers, key=_order)
    before = {member.id: member for member in sorted(members, key=lambda one: one.staff_no)}
    freed = _freed(before, everybody)
    seats, groups, ties = list(freed.values()), defaultdict(list), ties or {}
    able: dict[tuple, tuple[int, ...]] = {}
    for customer in everybody:
        kind = (customer.load_class, band_role(customer), customer.holder, (forced or {}).get(customer.id))
        if kind not in able:
            able[kind] = _able(customer, seats, mode, kind[-1])
        groups[_signature(customer, able[kind], seats, ties.get(customer.id, {}))].append(customer)
    scale = lcm(*(member.book.full_capacity for member in seats))
    parts = [_group(signature, people) for signature, people in groups.items()]
    places = [_place(member, scale) for member in seats]
    answer = solve(parts, places, managers_first=mode == "overflow")
    answer = replace(answer, counts=_in_turn(answer.counts, parts, places, seats))
    receiver = {}
    for number, people in enumerate(groups.values()):
        receiver |= _dealt(number, people, answer, seats)
    left_over = [(customer, _why_left(customer, before, mode)) for customer in everybody if customer.id not in receiver]
    going = [one for one in everybody if one.id in receiver and receiver[one.id].id != one.holder]
    after, lines = dict(before), []
    for customer in going:
        if customer.holder:
            after[customer.holder] = after[customer.holder].gives(customer.load_class)
    for customer in sorted(going, key=lambda one: one.holder is None):
        member = after[receiver[customer.id].id]
        after[member.id] = member.takes(customer.load_class)
        lines.append(Line(customer, member.id, "", {}, member.book, proposed=member.id))
    roomy = {tier: [one for one in after.values() if one.book.holds(tier) and one.book.has_room(tier)] for tier in Tier}
    lines = [_explained(line, before, after, roomy, ties.get(line.customer.id, {})) for line in lines]
    return Proposal(lines, left_over, before, after, _managers_short(left_over, quotas), answer.aims)


def _freed(members: Mapping[int, Member], customers: Iterable[Waiting]) -> dict[int, Member]:
    """Return the members without those of theirs who may be moved."""
    held = Counter((customer.holder, customer.load_class) for customer in customers if customer.holder)
    freed = dict(members)
    for (holder, tier), count in held.items():
        freed[holder] = freed[holder].gives(tier, count)
    return freed


def _able(customer: Waiting, seats: list[Member], mode: str, forced: int | None) -> tuple[int, ...]:
    """Return the places of the members to whom a customer may go; who has a manager may stay with him whatever the bands."""
    roles = {role for roles in _rounds(customer, mode) for role in roles}
    return tuple(
        place
        for place, member in enumerate(seats)
        if (member.id == forced if forced else member.role in roles or member.id == customer.holder)
        and member.book.holds(customer.load_class)
    )


def _signature(customer: Waiting, able: tuple[int, ...], seats: list[Member], ties: Mapping) -> tuple:
    """Return what makes customers alike: class, whom they may go to, points of each, whose they are or were."""
    points = tuple(points_of(ties.get(seats[place].id, ())) for place in able) if ties else (0,) * len(able)
    keeper = next((place for place in able if seats[place].id == customer.previous), None)
    return int(customer.load_class), able, points, keeper, customer.holder is not None


def _group(signature: tuple, people: list[Waiting]) -> Group:
    tier, able, points, keeper, stays = signature
    return Group(
        tier,
        able,
        points,
        keeper,
        *(tuple(round(getattr(one, name)) for one in people) for name in ("aum", "year_avg")),
        stays=stays,
    )


def _place(member: Member, scale: int) -> Place:
    """Return a member's room in units of which `scale` are a full member; what is over already makes no room."""
    book, times = member.book, scale // member.book.full_capacity
    room = [
        None if book.limits[tier] is None else book.limits[tier] + book.over[tier] - book.counts[tier] for tier in Tier
    ]
    return Place(
        weights=tuple(book.weights[tier] * times for tier in Tier),
        load=book.units * times,
        capacity=max(book.units, book.capacity + book.units_over) * times,
        full=scale,
        room=tuple(room),
        is_side=member.role in BANDS,
    )


def _in_turn(counts: dict, groups: list[Group], places: list[Place], seats: list[Member]) -> dict:
    """Let members between whom nothing decides take turns: who has waited longest for a new customer takes the most.

    Members are alike when their room is, and every group may go to them with the same points and is tied to none of them.
    """
    alike = defaultdict(list)
    for j, place in enumerate(places):
        seen = tuple(
            (group.points[group.members.index(j)] if j in group.members else None, group.keeper == j)
            for group in groups
        )
        alike[place, seen].append(j)
    goes_to = {}
    for members in alike.values():
        taken = {
            j: sum(count * places[j].weights[groups[g].tier] for (g, one), count in counts.items() if one == j)
            for j in members
        }
        by_load = sorted(members, key=lambda j, of=taken: (-of[j], j))
        by_turn = sorted(members, key=lambda j: (seats[j].last_start or date.min, seats[j].staff_no))
        goes_to |= dict(zip(by_load, by_turn, strict=True))
    return {(g, goes_to[j]): count for (g, j), count in counts.items()}


def _dealt(number: int, people: list[Waiting], answer: Answer, seats: list[Member]) -> dict[int, Member]:
    """Deal the customers of a group out: in turn, so that the money is shared too; those aside to the side."""
    counts = {place: count for (group, place), count in answer.counts.items() if group == number}
    aside, left, dealt = {*answer.aside[number]}, {*answer.left[number]}, {}
    for is_side in (False, True):
        takers = {place: count for place, count in counts.items() if (seats[place].role in BANDS) == is_side}
        for one, customer in enumerate(people):
            if one in left or (one in aside) != is_side:
                continue
            place = max(takers, key=lambda place: (takers[place] / counts[place], -place))
            takers[place] -= 1
            dealt[customer.id] = seats[place]
            if not takers[place]:
                del takers[place]
    return dealt


BANDS = (Role.LOBBY_MANAGER, Role.TELLER)
"""Who takes gold customers by their year average."""


def reckon(
    proposal: Proposal,
    *,
    receivers: Mapping[int, int],
    shown: Mapping[int, int] | None = None,
    ticked: set[int] | None = None,
) -> Proposal:
    """Return the proposal as a person changed it: other receivers, only the ticked lines counted.

    Args:
        receivers: {customer id: staff id}; one who differs makes the reason `by_hand`. A customer left over
            may be given one too.
        shown: {customer id: staff id} on the page that the person sees. What nobody changed stays as it was shown,
            although the best answer may be another by now.
        ticked: the customers whose lines count towards the loads; None for all.
    """
    after, lines, shown = dict(proposal.before), [], shown or {}
    for line in proposal.lines:
        if line.customer.holder and (ticked is None or line.customer.id in ticked):
            after[line.customer.holder] = after[line.customer.holder].gives(line.customer.load_class)
    for line in [*proposal.lines, *(Line(customer, 0, "") for customer, _code in proposal.left_over)]:
        known = _as_shown(line, shown.get(line.customer.id), after)
        member_id = receivers.get(line.customer.id, known.member_id)
        member_id = member_id if member_id in after else known.member_id  # chosen before, and gone since
        if member_id not in after:
            continue
        member, load_class = after[member_id], line.customer.load_class
        changed = known if member_id == known.member_id else replace(known, member_id=member_id, reason="by_hand")
        fits = eligible(member.role, member.book, load_class) and member.book.has_room(load_class)
        lines.append(replace(changed, book=member.book, fits=fits))
        if ticked is None or line.customer.id in ticked:
            after[member_id] = member.takes(load_class)
    placed = {line.customer.id for line in lines}
    left_over = [(customer, code) for customer, code in proposal.left_over if customer.id not in placed]
    return replace(proposal, lines=lines, left_over=left_over, after=after)


def _as_shown(line: Line, member: int | None, members: Mapping[int, Member]) -> Line:
    """Return the line with the receiver whom the page has proposed already."""
    if not member or member not in members or member == line.member_id:
        return line
    return replace(line, member_id=member, proposed=member, reason="as_shown")


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


def _explained(
    line: Line, before: Mapping, after: Mapping, roomy: Mapping, ties: Mapping[int, Collection[str]]
) -> Line:
    """Return the line with what speaks for its receiver, the strongest first. `roomy`: who has room left in the end."""
    customer, member = line.customer, before[line.member_id]
    managers = [one.id for one in before.values() if one.role in MANAGERS]
    # What every manager has speaks for none of them.
    own = {
        code
        for code in ties.get(member.id, ())
        if POINTS[code] > 0 and any(code not in ties.get(other, ()) for other in managers)
    }
    if customer.holder:
        return replace(line, reason="makes_room", figures={"holder": before[customer.holder].name})
    if customer.previous == member.id:
        return replace(line, reason="previous")
    if member.role in BANDS:
        return replace(line, reason=f"band_{member.role}", figures={"year_avg": customer.year_avg})
    if own:
        return replace(line, reason=max(own, key=POINTS.__getitem__))
    if not any(one.id != member.id and one.role in MANAGERS for one in roomy[customer.load_class]):
        return replace(line, reason="only_room")
    return replace(line, reason="balance", figures={"load": after[member.id].book.percent})


def _why_left(customer: Waiting, members: Mapping[int, Member], mode: str) -> str:
    roles = {role for roles in _rounds(customer, mode) for role in roles}
    return "no_room" if any(member.role in roles for member in members.values()) else "no_member"


def _managers_short(left_over: list[tuple[Waiting, str]], quotas: Mapping[Tier, Quota]) -> Decimal:
    counts = {tier: sum(customer.load_class == tier for customer, _code in left_over) for tier in Tier}
    return managers_needed(counts, quotas)
