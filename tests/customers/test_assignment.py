"""The verbs of assignment: what they do, and what they refuse in words."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from customers import assignment
from customers.assignment import (
    ADVISER,
    ChangedSince,
    Line,
    LinesRefused,
    NotEligible,
    NotUndoable,
    OverCapacity,
    Seen,
    assign,
    assign_many,
    end_primary,
    undo,
)
from customers.models import Assignment, Customer, Load, RelationStatus, Tier
from staff import audit
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

MONDAY = date(2026, 11, 23)
DIAMOND, PLATINUM, GOLD = Tier.DIAMOND, Tier.PLATINUM, Tier.GOLD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, name="周启明")


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch, staff__name="江一帆").staff


def member(branch, role=Role.RELATIONSHIP_MANAGER, **values):
    return LoadFactory(staff__branch=branch, staff__role=role, **values).staff


def waiting(branch, tier=DIAMOND, **values):
    return CustomerFactory(branch=branch, service_tier=tier, **values)


def load_of(staff):
    return Load.objects.get(pk=staff.pk)


def test_the_receiver_becomes_primary_manager_and_the_trail_says_so(branch, head, manager):
    customer = waiting(branch)

    row = assign(customer=customer, to=manager, by=head, on=MONDAY, reason="新签")

    assert (row.staff, row.role, row.start, row.end, row.assigned_by) == (manager, "primary", MONDAY, None, head)
    customer.refresh_from_db()
    assert customer.manager == manager
    assert load_of(manager).diamond == 1
    event = AuditEvent.objects.get(action="customer.assigned")
    assert (event.staff, event.object_id) == (head, str(customer.pk))
    assert event.figures == {"to": manager.staff_no, "before": None, "role": "primary", "start": "2026-11-23"}


def test_a_new_manager_ends_the_relation_before_and_frees_its_place(branch, head, manager):
    before = AssignmentFactory(customer=waiting(branch))

    row = assign(customer=before.customer, to=manager, by=head, on=MONDAY)

    before.refresh_from_db()
    assert (before.end, row.replaced) == (MONDAY, before)
    assert (load_of(before.staff).diamond, load_of(manager).diamond) == (0, 1)


def test_the_31st_diamond_is_refused_in_words_and_changes_nothing(branch, head):
    full = member(branch, diamond=30, capacity=1800)
    before = AssignmentFactory(customer=waiting(branch))

    with pytest.raises(OverCapacity, match="Over the quota: Diamond 30/30"):
        assign(customer=before.customer, to=full, by=head, on=MONDAY)

    assert before.customer.assignments.get().end is None
    assert (load_of(full).diamond, load_of(before.staff).diamond) == (30, 1)
    assert not AuditEvent.objects.exists()


def test_a_customer_over_the_load_limit_is_refused_in_words(branch, head):
    full = member(branch, diamond=15, platinum=50)

    with pytest.raises(OverCapacity, match="Over the load limit: 100.5%/100%"):
        assign(customer=waiting(branch, GOLD), to=full, by=head, on=MONDAY)


@pytest.mark.parametrize(
    ("tier", "role", "limits"),
    [
        (PLATINUM, Role.LOBBY_MANAGER, {"gold_limit": 200}),
        (PLATINUM, Role.BRANCH_HEAD, {"diamond_limit": 30}),
        (DIAMOND, Role.TELLER, {"gold_limit": 200}),
        (GOLD, Role.BRANCH_HEAD, {"diamond_limit": 30}),
        (DIAMOND, Role.WEALTH_ADVISER, {"diamond_limit": 60}),
    ],
)
def test_a_role_that_may_not_hold_a_tier_is_refused_in_words(branch, head, tier, role, limits):
    none = dict.fromkeys(["potential_limit", "gold_limit", "platinum_limit", "diamond_limit"], 0)
    receiver = member(branch, role, **none | limits)

    with pytest.raises(NotEligible) as refused:
        assign(customer=waiting(branch, tier), to=receiver, by=head, on=MONDAY)

    words = (
        assignment.HELD_BY[tier] if role != Role.WEALTH_ADVISER else "Advisers stand beside the manager and are never"
    )
    assert str(words) in str(refused.value)
    assert not Assignment.objects.exists()


def test_a_potential_customer_is_followed_up_by_a_manager_only(branch, head, manager):
    customer = waiting(branch, GOLD, relation_status=RelationStatus.POTENTIAL)
    lobby = member(branch, Role.LOBBY_MANAGER, potential_limit=0, platinum_limit=0, diamond_limit=0)

    with pytest.raises(NotEligible, match="Potential customers are followed up by a relationship or wealth manager"):
        assign(customer=customer, to=lobby, by=head, on=MONDAY)
    assign(customer=customer, to=manager, by=head, on=MONDAY)

    assert load_of(manager).potential == 1


def test_an_adviser_stands_beside_the_manager(branch, head, manager):
    customer = waiting(branch)
    adviser = member(branch, Role.WEALTH_ADVISER, gold_limit=0, platinum_limit=0, diamond_limit=60)
    assign(customer=customer, to=manager, by=head, on=MONDAY)

    assign(customer=customer, to=adviser, by=head, on=MONDAY, role=ADVISER)

    customer.refresh_from_db()
    assert customer.manager == manager
    assert load_of(adviser).diamond == 1
    with pytest.raises(NotEligible, match="Only wealth and financial advisers"):
        assign(customer=customer, to=member(branch), by=head, on=MONDAY, role=ADVISER)
    with pytest.raises(NotEligible, match="does not support Platinum customers"):
        assign(customer=waiting(branch, PLATINUM), to=adviser, by=head, on=MONDAY, role=ADVISER)


def test_a_head_assigns_only_customers_and_members_of_his_own_tree(branch, head, manager):
    elsewhere = BranchFactory()

    with pytest.raises(NotEligible, match="not of your branch"):
        assign(customer=waiting(elsewhere), to=manager, by=head, on=MONDAY)
    with pytest.raises(NotEligible, match="does not work in your branch"):
        assign(customer=waiting(branch), to=member(elsewhere), by=head, on=MONDAY)

    assert not Assignment.objects.exists()


def test_a_leaver_receives_nobody(branch, head, manager):
    manager.is_active = False
    manager.save(update_fields=["is_active"])

    with pytest.raises(NotEligible, match="江一帆 does not work in your branch"):
        assign(customer=waiting(branch), to=manager, by=head, on=MONDAY)


def test_only_signed_and_potential_customers_are_assigned(branch, head, manager):
    closed = waiting(branch, relation_status=RelationStatus.CLOSED)

    with pytest.raises(NotEligible, match="Only signed and potential"):
        assign(customer=closed, to=manager, by=head, on=MONDAY)


def test_what_changed_since_the_page_was_read_is_named(branch, head, manager):
    held = AssignmentFactory(
        customer=waiting(branch), staff=LoadFactory(staff__branch=branch, staff__name="莫婷婷").staff
    )
    risen = waiting(branch, DIAMOND)

    with pytest.raises(ChangedSince, match="莫婷婷 looks after this customer now"):
        assign(customer=held.customer, to=manager, by=head, on=MONDAY, seen=Seen(None, DIAMOND))
    with pytest.raises(ChangedSince, match="counts as Diamond now"):
        assign(customer=risen, to=manager, by=head, on=MONDAY, seen=Seen(None, PLATINUM))


def test_a_batch_is_saved_as_a_whole(branch, head, manager):
    lines = [Line(waiting(branch, tier), manager) for tier in (DIAMOND, PLATINUM, GOLD)]

    rows = assign_many(lines=lines, by=head, on=MONDAY, source="auto")

    assert [row.customer for row in rows] == [line.customer for line in lines]
    assert {row.source for row in rows} == {"auto"}
    row = load_of(manager)
    assert (row.diamond, row.platinum, row.gold, row.units) == (1, 1, 1, 29)


def test_a_batch_with_failing_lines_saves_nothing_and_names_each(branch, head, manager):
    nearly_full = member(branch, diamond=29)
    lobby = member(branch, Role.LOBBY_MANAGER, platinum_limit=0)
    first, second, platinum = waiting(branch), waiting(branch), waiting(branch, PLATINUM)

    with pytest.raises(LinesRefused) as refused:
        assign_many(
            lines=[Line(first, nearly_full), Line(second, nearly_full), Line(platinum, lobby), Line(first, manager)],
            by=head,
            on=MONDAY,
        )

    assert [(line.customer, type(why)) for line, why in refused.value.refusals] == [
        (second, OverCapacity),
        (platinum, NotEligible),
        (first, NotEligible),
    ]
    assert f"{second.name}: Over the quota: Diamond 30/30" in str(refused.value)
    assert not Assignment.objects.exists()


def test_two_full_members_may_swap_customers(branch, head):
    one, two = (AssignmentFactory(customer=waiting(branch)) for _ in range(2))
    Load.objects.update(capacity=20, diamond_limit=1)

    assign_many(lines=[Line(one.customer, two.staff), Line(two.customer, one.staff)], by=head, on=MONDAY)

    assert Customer.objects.get(pk=one.customer_id).manager == two.staff
    assert Customer.objects.get(pk=two.customer_id).manager == one.staff


def test_ending_the_primary_relation_puts_the_customer_back_among_those_who_wait(branch, head):
    row = AssignmentFactory(customer=waiting(branch))

    end_primary(customer=row.customer, by=head, on=MONDAY, reason="客户要求")

    assert list(Customer.objects.waiting()) == [row.customer]
    assert load_of(row.staff).units == 0
    assert AuditEvent.objects.get().figures["reason"] == "客户要求"
    with pytest.raises(NotEligible, match="has no primary manager"):
        end_primary(customer=row.customer, by=head, on=MONDAY)


def test_a_relation_cannot_end_before_it_began(branch, head):
    row = AssignmentFactory(customer=waiting(branch), start=MONDAY)

    with pytest.raises(NotEligible, match="begins only after that day"):
        end_primary(customer=row.customer, by=head, on=MONDAY - timedelta(days=1))


def test_undo_reopens_what_the_assignment_replaced(branch, head, manager):
    before = AssignmentFactory(customer=waiting(branch))
    row = assign(customer=before.customer, to=manager, by=head, on=MONDAY)

    undo(assignments=[row.pk], by=head, on=MONDAY)

    before.refresh_from_db(), row.refresh_from_db()
    assert (before.end, row.end) == (None, MONDAY)
    assert Customer.objects.get(pk=before.customer_id).manager == before.staff
    assert (load_of(before.staff).diamond, load_of(manager).diamond) == (1, 0)
    assert AuditEvent.objects.filter(action="customer.assignment_undone").count() == 1


def test_undoing_the_second_of_two_assignments_of_a_day_does_not_bring_back_one_undone_before(branch, head, manager):
    customer, other = waiting(branch), member(branch)
    undo(assignments=[assign(customer=customer, to=manager, by=head, on=MONDAY).pk], by=head, on=MONDAY)

    undo(assignments=[assign(customer=customer, to=other, by=head, on=MONDAY).pk], by=head, on=MONDAY)

    assert Customer.objects.get(pk=customer.pk).manager is None


def test_undo_is_refused_once_something_depends_on_it(branch, head, manager):
    customer, contacted = waiting(branch), waiting(branch)
    first = assign(customer=customer, to=manager, by=head, on=MONDAY)
    assign(customer=customer, to=member(branch), by=head, on=MONDAY)
    second = assign(customer=contacted, to=manager, by=head, on=MONDAY)

    with pytest.raises(NotUndoable, match="something else has been decided since"):
        undo(assignments=[first.pk], by=head, on=MONDAY)
    with pytest.raises(NotUndoable, match="of the same day"):
        undo(assignments=[second.pk], by=head, on=MONDAY + timedelta(days=1))
    audit.record("contact.logged", contacted, by=manager)
    AuditEvent.objects.filter(action="contact.logged")
    Customer.objects.filter(pk=contacted.pk).update(last_contact_on=MONDAY)
    Assignment.objects.filter(pk=second.pk).update(updated_at=second.updated_at - timedelta(minutes=5))
    with pytest.raises(NotUndoable, match="江一帆 has already contacted this customer"):
        undo(assignments=[second.pk], by=head, on=MONDAY)


def test_undo_is_refused_when_the_place_before_is_taken(branch, head, manager):
    before = AssignmentFactory(customer=waiting(branch))
    Load.objects.filter(pk=before.staff_id).update(diamond_limit=1)
    row = assign(customer=before.customer, to=manager, by=head, on=MONDAY)
    assign(customer=waiting(branch), to=before.staff, by=head, on=MONDAY)

    with pytest.raises(OverCapacity):
        undo(assignments=[row.pk], by=head, on=MONDAY)

    row.refresh_from_db()
    assert row.end is None


def test_undo_reaches_only_the_own_branch(branch, head, manager):
    row = assign(customer=waiting(branch), to=manager, by=head, on=MONDAY)
    stranger = StaffFactory(role=Role.BRANCH_HEAD)

    assert undo(assignments=[row.pk], by=stranger, on=MONDAY) == []

    row.refresh_from_db()
    assert row.end is None


def test_relations_of_closed_customers_end(branch, head):
    row, other = AssignmentFactory(), AssignmentFactory()
    Customer.objects.filter(pk=row.customer_id).update(relation_status=RelationStatus.CLOSED)

    assert assignment.end_of_closed(on=MONDAY) == 1

    row.refresh_from_db(), other.refresh_from_db()
    assert (row.end, other.end) == (MONDAY, None)
    assert Customer.objects.get(pk=row.customer_id).manager is None
