"""The verbs of assignment: assign one or many, end, undo, close (domain.md §§5–6).

Every verb locks the outlets concerned, then customers, then loads, each in key order, and decides on
what it reads after that; behind it stand the constraints of Load, which shells and bulk loads meet too.
"""

from collections.abc import Collection, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import load
from customers.models import Assignment, Customer, Load, RelationStatus, Tier
from staff import audit
from staff.models import AuditEvent, Staff
from staff.refusal import Refused

PRIMARY, ADVISER = Assignment.Role.PRIMARY, Assignment.Role.ADVISER


class OverCapacity(Refused):
    """The customer does not fit into the receiver's quota or load."""

    code = "over_capacity"


class NotEligible(Refused):
    """This member may not hold this customer at all."""

    code = "not_eligible"


class ChangedSince(Refused):
    """The customer is no longer as the person saw him."""

    code = "changed_since"


class NotUndoable(Refused):
    """Something already depends on the assignment."""

    code = "not_undoable"


@dataclass(frozen=True)
class Seen:
    """How a customer stood on the page on which the assignment was decided."""

    manager_id: int | None
    load_class: int


@dataclass(frozen=True)
class Line:
    """One customer for one receiver; `seen`, if given, must still be true."""

    customer: Customer
    to: Staff
    seen: Seen | None = None


class LinesRefused(Refused):
    """Some lines of a batch cannot be; none was saved. `refusals` is [(Line, Refused)]."""

    code = "lines_refused"

    def __init__(self, refusals: list[tuple[Line, Refused]]):
        self.refusals = refusals
        super().__init__("\n".join(f"{line.customer.name}: {refusal}" for line, refusal in refusals))


HELD_BY = {
    Tier.GENERAL: gettext_lazy("Potential customers are followed up by a relationship or wealth manager."),
    Tier.GOLD: gettext_lazy("Gold customers are looked after by a manager, a lobby manager or a teller."),
    Tier.PLATINUM: gettext_lazy("Platinum customers are looked after by a relationship or wealth manager."),
    Tier.DIAMOND: gettext_lazy("Diamond customers are looked after by a manager or the branch head."),
}

BROKEN = {
    "assignment_one_open_primary": (ChangedSince, gettext_lazy("Somebody else has just assigned this customer.")),
    "assignment_one_open_adviser": (NotEligible, gettext_lazy("The customer already has an adviser.")),
    "assignment_ends_after_start": (NotEligible, gettext_lazy("The present manager begins only after that day.")),
    "load_row_exists": (NotEligible, gettext_lazy("This member has no quota and holds no customers.")),
    "load_within_capacity": (OverCapacity, gettext_lazy("Over the load limit.")),
    **{
        f"load_{column}_within_quota": (OverCapacity, gettext_lazy("Over the quota of the tier."))
        for column in load.COLUMNS.values()
    },
}
"""What a constraint's refusal means to a person; the verbs say it with figures before it comes to that."""


def why_not_eligible(*, role: str, book: load.Book, load_class: Tier, as_role: str = PRIMARY) -> str:
    """Return in words why a member of this role may not hold such a customer; empty if he may."""
    if as_role == PRIMARY and role in load.ADVISERS:
        return _("Advisers stand beside the manager and are never primary.")
    if as_role == ADVISER and role not in load.ADVISERS:
        return _("Only wealth and financial advisers stand beside a manager.")
    if book.holds(load_class):
        return ""
    if as_role == ADVISER:
        return _("This adviser does not support %(tier)s customers.") % {"tier": load.class_label(load_class)}
    return str(HELD_BY[load_class])


def assign(*, customer: Customer, to: Staff, by: Staff, on: date, reason="", source="manual", seen=None, role=PRIMARY):
    """Make `to` the customer's primary manager (or adviser) from `on`, ending the assignment before.

    Raises:
        OverCapacity: the customer does not fit into the receiver's quota or load; the words say which.
        NotEligible: the receiver's role may not hold the customer, or one of them is not of `by`'s branch.
        ChangedSince: `seen` is given and no longer true.
    """
    lines = [Line(customer, to, seen)]
    try:
        return assign_many(lines=lines, by=by, on=on, reason=reason, source=source, role=role)[0]
    except LinesRefused as refused:
        raise refused.refusals[0][1] from None


@transaction.atomic
def assign_many(
    *, lines: Collection[Line], by: Staff, on: date, reason="", source="manual", role=PRIMARY, proposal=None
):
    """Assign every line or none; return the assignments in the order of the lines.

    Args:
        proposal: the ProposalRecord that the lines come from, if they do.

    Raises:
        LinesRefused: with the reason in words for each line that cannot be; nothing is saved.
    """
    desk = Desk.open(
        customers=[line.customer.pk for line in lines],
        receivers=[line.to.pk for line in lines],
        by=by,
        role=role,
        on=on,
    )
    refusals = [(line, refusal) for line in lines if (refusal := desk.take(line))]
    if refusals:
        raise LinesRefused(refusals)

    with refused_in_words():
        replaced = [desk.current[line.customer.pk].pk for line in lines if line.customer.pk in desk.current]
        Assignment.objects.filter(pk__in=replaced).update(end=on, updated_at=Now())
        assignments = Assignment.objects.bulk_create(
            Assignment(
                customer=line.customer,
                staff=line.to,
                role=role,
                start=on,
                source=source,
                reason=reason,
                assigned_by=by if isinstance(by, Staff) else None,
                replaced=desk.current.get(line.customer.pk),
                exceeds=line.customer.pk in desk.exceeding,
                proposal=proposal,
            )
            for line in lines
        )
    audit.record_many("customer.assigned", [(row.customer, desk.figures(row)) for row in assignments], by=by)
    return assignments


@transaction.atomic
def end_primary(*, customer: Customer, by: Staff, on: date, reason: str = "") -> Assignment:
    """End the customer's primary relation on a day; he waits for a manager again.

    Raises:
        NotEligible: he has none, or is not of `by`'s branch.
    """
    desk = Desk.open(customers=[customer.pk], receivers=[], by=by, role=PRIMARY, on=on)
    if customer.pk not in desk.customers:
        raise NotEligible(_("This customer is not of your branch."))
    if customer.pk not in desk.current:
        raise NotEligible(_("This customer has no primary manager."))

    ended = desk.current[customer.pk]
    with refused_in_words():
        Assignment.objects.filter(pk=ended.pk).update(end=on, updated_at=Now())
    before = desk.loads[ended.staff_id].staff.staff_no
    audit.record("customer.unassigned", customer, by=by, before=before, reason=reason, on=on.isoformat())
    ended.refresh_from_db()
    return ended


@transaction.atomic
def set_lock(*, customer: Customer, locked: bool, by: Staff) -> None:
    """Lock the customer to the present manager, so that no proposal moves the relation, or unlock.

    Raises:
        NotEligible: the customer has no primary manager in `by`'s sight.
    """
    open_ones = Assignment.objects.visible_to(by).open().primary().filter(customer=customer)
    if not open_ones.exclude(locked=locked).update(locked=locked, updated_at=Now()):
        if open_ones.exists():
            return
        raise NotEligible(_("This customer has no primary manager."))
    audit.record("customer.locked" if locked else "customer.unlocked", customer, by=by)


@transaction.atomic
def undo(*, assignments: Iterable[int], by: Staff, on: date) -> list[Assignment]:
    """Take back assignments (their ids) of the same day: each ends, and what it replaced is open again.

    All or nothing, and only while nothing depends on them.

    Raises:
        NotUndoable: one has been followed by another, is of another day, or the receiver has already acted.
        OverCapacity: the manager before has no room any more.
    """
    rows = list(Assignment.objects.visible_to(by).filter(pk__in=list(assignments)).select_related("replaced"))
    receivers = [row.replaced.staff_id for row in rows if row.replaced]
    desk = Desk.open(customers=[row.customer_id for row in rows], receivers=receivers, by=by, role=PRIMARY, on=on)
    rows = list(_undoable(Assignment.objects.filter(pk__in=[row.pk for row in rows])).order_by("pk"))
    for row in rows:
        if why := _why_not_undoable(row, on):
            raise NotUndoable(f"{row.customer.name}: {why}")

    with refused_in_words():
        Assignment.objects.filter(pk__in=[row.pk for row in rows]).update(end=on, updated_at=Now())
        reopened = [row.replaced_id for row in rows if row.replaced_id]
        Assignment.objects.filter(pk__in=reopened).update(end=None, updated_at=Now())
    audit.record_many("customer.assignment_undone", [(row.customer, desk.figures(row)) for row in rows], by=by)
    return rows


def _undoable(assignments):
    """Add what undoing asks: is there a later assignment, has the receiver logged contacts since."""
    later = Assignment.objects.filter(customer=OuterRef("customer"), role=OuterRef("role"), pk__gt=OuterRef("pk"))
    logged = AuditEvent.objects.filter(staff=OuterRef("staff"), action="contact.logged", at__gt=OuterRef("updated_at"))
    return assignments.select_related("customer", "staff", "replaced").annotate(
        has_later=Exists(later), receiver_logged=Exists(logged)
    )


def _why_not_undoable(row: Assignment, on: date) -> str:
    if row.end is not None or row.has_later:
        return _("something else has been decided since.")
    if row.start != on:
        return _("only an assignment of the same day can be undone.")
    contacted_on = row.customer.last_contact_on
    if row.receiver_logged and contacted_on and contacted_on >= row.start:
        return _("%(name)s has already contacted this customer.") % {"name": row.staff.name}
    return ""


@transaction.atomic
def end_of_closed(*, on: date) -> int:
    """End the relations of closed customers on a day; return how many. The core feed closes customers."""
    closed = Assignment.objects.open().filter(customer__relation_status=RelationStatus.CLOSED)
    load.lock_branches(closed.values_list("customer__branch", flat=True))
    return closed.update(end=Greatest(F("start"), Value(on)), updated_at=Now())


@dataclass
class Desk:
    """What one act of assigning decides on, read after the locks: customers and receivers within the scope of `by`.

    `books` are the loads as they become line by line; `current` are the relations that the lines end.
    """

    role: str
    customers: dict[int, Customer]
    members: dict[int, Staff]
    loads: dict[int, Load]
    books: dict[int, load.Book]
    current: dict[int, Assignment]
    taken: set[int]
    given: dict[int, dict]
    exceeding: set[int]

    @classmethod
    def open(cls, *, customers: Collection[int], receivers: Collection[int], by: Staff, role: str, on: date) -> "Desk":
        """Lock outlets, customers and loads, each in key order, and read them."""
        holders = Q(pk__in=Assignment.objects.open().filter(customer__in=customers).values("staff"))
        load.lock_branches(
            [
                *Customer.objects.filter(pk__in=customers).values_list("branch", flat=True),
                *Staff.objects.filter(Q(pk__in=receivers) | holders).values_list("branch", flat=True),
            ]
        )
        visible = Customer.objects.visible_to(by).filter(pk__in=customers).select_related("manager").order_by("pk")
        found = {customer.pk: customer for customer in visible.select_for_update(no_key=True, of=("self",))}
        current = Assignment.objects.open().filter(customer__in=found, role=role)
        current = {assignment.customer_id: assignment for assignment in current}
        concerned = {*receivers, *(assignment.staff_id for assignment in current.values())}
        rows = Load.objects.filter(pk__in=concerned).select_related("staff").order_by("pk")
        loads = {row.staff_id: row for row in rows.select_for_update(no_key=True, of=("self",))}
        members = Staff.objects.members_of(by.branch_id).active().filter(pk__in=receivers)
        desk = cls(
            role=role,
            customers=found,
            members={member.pk: member for member in members},
            loads=loads,
            books={staff_id: load.book_of(row) for staff_id, row in loads.items()},
            current=current,
            taken=set(),
            given=load.extra_places(receivers, on=on),
            exceeding=set(),
        )
        desk._free_places()
        return desk

    def _free_places(self) -> None:
        """Reckon with the places that ending the present relations frees: the database ends before it begins."""
        for customer_id, assignment in self.current.items():
            book = self.books[assignment.staff_id]
            self.books[assignment.staff_id] = book.plus(self.customers[customer_id].load_class, -1)

    def figures(self, row: Assignment) -> dict:
        """Return what the audit trail says of an assignment made or undone here: employee numbers and the day."""
        before = self.loads[row.replaced.staff_id].staff.staff_no if row.replaced else None
        return {"to": row.staff.staff_no, "before": before, "role": row.role, "start": row.start.isoformat()}

    def take(self, line: Line) -> Refused | None:
        """Return why the line cannot be; if it can, enter it into the receiver's book and return None."""
        refusal = self._refusal(line)
        if refusal is None:
            load_class = self.customers[line.customer.pk].load_class
            book = self.books[line.to.pk] = self.books[line.to.pk].plus(load_class)
            self.taken.add(line.customer.pk)
            if load.stands_on(book, load_class, self.given.get(line.to.pk, {})):
                self.exceeding.add(line.customer.pk)
        return refusal

    def _refusal(self, line: Line) -> Refused | None:
        customer, to = self.customers.get(line.customer.pk), self.members.get(line.to.pk)
        if customer is None:
            return NotEligible(_("This customer is not of your branch."))
        if to is None:
            return NotEligible(_("%(name)s does not work in your branch.") % {"name": line.to.name})
        if line.seen and (changed := self._what_changed(customer, line.seen)):
            return ChangedSince(changed)
        if customer.relation_status not in (RelationStatus.SIGNED, RelationStatus.POTENTIAL):
            return NotEligible(_("Only signed and potential customers are assigned."))
        if customer.pk in self.taken:
            return NotEligible(_("The customer is in the list twice."))
        if customer.pk in self.current and self.current[customer.pk].staff_id == to.pk:
            return NotEligible(_("%(name)s looks after this customer already.") % {"name": to.name})
        if to.pk not in self.books:
            return NotEligible(str(BROKEN["load_row_exists"][1]))
        book, load_class = self.books[to.pk], customer.load_class
        if why := why_not_eligible(role=to.role, book=book, load_class=load_class, as_role=self.role):
            return NotEligible(why)
        if why := load.why_full(book, load_class):
            return OverCapacity(why)
        return None

    @staticmethod
    def _what_changed(customer: Customer, seen: Seen) -> str:
        if customer.manager_id != seen.manager_id and customer.manager_id:
            return _("%(name)s looks after this customer now.") % {"name": customer.manager.name}
        if customer.manager_id != seen.manager_id:
            return _("This customer has no manager any more.")
        if customer.load_class != seen.load_class:
            return _("This customer counts as %(tier)s now.") % {"tier": load.class_label(customer.load_class)}
        return ""


@contextmanager
def refused_in_words():
    """Turn what a constraint refuses into the refusal that people read; any other error goes up."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = error.__cause__.diag.constraint_name
        if name not in BROKEN:
            raise
        refusal, words = BROKEN[name]
        raise refusal(str(words)) from error
