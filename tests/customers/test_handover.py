"""Handing customers over: every step and what it refuses, what goes along, covers, the way back, leavers."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.timezone import localdate

from contacts.models import ContactTask
from customers import assignment, handover, handover_watch
from customers.handover import HandoverRefused
from customers.models import Assignment, Customer, Handover, HandoverLine, Tier
from staff.models import AuditEvent, Staff
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, LoadFactory, OpportunityFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 19)
NOTE = "存单 12 月到期，答应过先给方案；不接午间电话"


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD)


@pytest.fixture
def giver(branch):
    return LoadFactory(staff__branch=branch).staff


@pytest.fixture
def taker(branch):
    return LoadFactory(staff__branch=branch).staff


@pytest.fixture
def book(branch, giver):
    """A diamond and a gold customer of the giver."""
    tiers = (Tier.DIAMOND, Tier.GOLD)
    return [
        AssignmentFactory(
            customer__branch=branch, staff=giver, customer__service_tier=tier, start=date(2026, 1, 5)
        ).customer
        for tier in tiers
    ]


def drafted(giver, head, **values):
    usual = {"reason": "leaving", "effective_on": TODAY, "by": head, "on": TODAY, "customers": Customer.objects.all()}
    return handover.draft(giver=giver, **usual | values)


def submitted(giver, head, **values):
    made = drafted(giver, head, **values)
    notes = {line.pk: NOTE for line in made.lines.all()}
    handover.write(handover=made, receivers={}, notes=notes, by=head)
    return handover.submit(handover=made, by=head)


def accepted(giver, taker, head, **values):
    made = submitted(giver, head, **values)
    return handover.answer(handover=made, by=taker, lines=[line.pk for line in made.lines.all()], takes=True)


def test_the_whole_way(branch, head, giver, taker, book):
    deal = OpportunityFactory(customer=book[0], owner=giver, stage="new")
    made = accepted(giver, taker, head)
    assert made.status == "accepted"
    assert {one.manager_id for one in Customer.objects.all()} == {giver.pk}

    done = handover.approve(handover=made, by=head, on=TODAY)

    assert done.status == "effective"
    assert {one.manager_id for one in Customer.objects.all()} == {taker.pk}
    old = Assignment.objects.filter(staff=giver)
    assert {row.end for row in old} == {TODAY}
    assert {row.source for row in Assignment.objects.filter(staff=taker)} == {"transfer"}
    deal.refresh_from_db()
    assert deal.owner == taker
    talks = ContactTask.objects.filter(reason="handed_over")
    assert {task.due_on for task in talks} == {date(2026, 11, 26)}  # five working days
    assert talks.get(customer=book[0]).figures["joint"] is True
    assert set(handover_watch.watched(Customer.objects.all(), TODAY + timedelta(days=89))) == set(book)
    assert not handover_watch.watched(Customer.objects.all(), TODAY + timedelta(days=90))
    assert AuditEvent.objects.filter(action__startswith="handover.").count() == 7


def test_a_draft_comes_with_receivers_who_have_room(head, giver, taker, book, branch):
    full = LoadFactory(staff__branch=branch, diamond=30).staff
    made = drafted(giver, head)
    assert {line.to for line in made.lines.all()} <= {taker, full}
    assert made.lines.get(customer=book[0]).to == taker


@pytest.mark.parametrize(
    "values",
    [
        {"effective_on": TODAY - timedelta(days=1)},
        {"reason": "leave"},
        {"until": TODAY + timedelta(days=3)},
        {"reason": "leave", "until": TODAY - timedelta(days=1)},
        {"customers": Customer.objects.none()},
    ],
)
def test_what_cannot_be_drafted(head, giver, book, values):
    with pytest.raises(HandoverRefused):
        drafted(giver, head, **values)


def test_a_customer_is_on_one_open_hand_over(head, giver, taker, book):
    made = drafted(giver, head)
    with pytest.raises(HandoverRefused, match=book[0].name):
        drafted(giver, head)
    handover.cancel(handover=made, by=head)
    drafted(giver, head)


def test_a_note_and_a_receiver_are_needed(head, giver, taker, book):
    made = drafted(giver, head)
    with pytest.raises(HandoverRefused):
        handover.submit(handover=made, by=head)
    lines = [line.pk for line in made.lines.all()]
    handover.write(handover=made, receivers={lines[0]: None}, notes=dict.fromkeys(lines, NOTE), by=head)
    with pytest.raises(HandoverRefused, match=book[0].name):
        handover.submit(handover=made, by=head)
    with pytest.raises(HandoverRefused):
        handover.write(handover=made, receivers={lines[0]: giver.pk}, notes={}, by=head)


def test_what_is_sent_back_is_a_draft_again_with_the_reason(head, giver, taker, book):
    made = submitted(giver, head)
    line = made.lines.first()
    with pytest.raises(HandoverRefused):
        handover.answer(handover=made, by=taker, lines=[line.pk], takes=False)
    with pytest.raises(HandoverRefused):
        handover.answer(handover=made, by=head, lines=[line.pk], takes=True)
    back = handover.answer(handover=made, by=taker, lines=[line.pk], takes=False, why="客户在老城区，离得太远")
    line.refresh_from_db()
    assert (back.status, line.state, line.answer) == ("draft", "back", "客户在老城区，离得太远")


def test_on_its_day_by_night_and_who_does_not_fit_holds_it_up(branch, head, giver, taker, book):
    later = TODAY + timedelta(days=3)
    made = handover.approve(handover=accepted(giver, taker, head, effective_on=later), by=head, on=TODAY)
    assert made.status == "approved"
    handover.refresh_branch(branch_id=branch.pk, on=later - timedelta(days=2))
    made.refresh_from_db()
    assert made.status == "approved"
    taker.load.diamond_limit = 0
    taker.load.save(update_fields=["diamond_limit"])
    handover.refresh_branch(branch_id=branch.pk, on=later - timedelta(days=1))
    made.refresh_from_db()
    assert (made.status, Customer.objects.filter(manager=giver).count()) == ("approved", 2)
    taker.load.diamond_limit = 30
    taker.load.save(update_fields=["diamond_limit"])
    for _twice in range(2):
        handover.refresh_branch(branch_id=branch.pk, on=later - timedelta(days=1))
    made.refresh_from_db()
    assert (made.status, Assignment.objects.filter(staff=taker, start=later).count()) == ("effective", 2)


def test_a_cover_helps_out_until_its_end_and_the_primary_stays(branch, head, giver, taker, book):
    made = drafted(giver, head, reason="leave", until=TODAY + timedelta(days=7))
    lines = [line.pk for line in made.lines.all()]
    handover.write(handover=made, receivers=dict.fromkeys(lines, taker.pk), notes=dict.fromkeys(lines, NOTE), by=head)
    handover.submit(handover=made, by=head)
    handover.answer(handover=made, by=taker, lines=lines, takes=True)
    handover.approve(handover=made, by=head, on=TODAY)

    assert set(Customer.objects.visible_to(taker)) == set(book)
    assert {one.manager_id for one in Customer.objects.all()} == {giver.pk}
    assert not ContactTask.objects.filter(reason="handed_over").exists()
    handover.refresh_branch(branch_id=branch.pk, on=TODAY + timedelta(days=6))
    assert Customer.objects.visible_to(taker).count() == 2
    handover.refresh_branch(branch_id=branch.pk, on=TODAY + timedelta(days=7))
    assert not Customer.objects.visible_to(taker).exists()


def test_the_way_back(head, giver, taker, book):
    made = handover.approve(handover=accepted(giver, taker, head), by=head, on=TODAY)
    (back,) = handover.reverse(handover=made, by=head, on=TODAY + timedelta(days=1))
    assert (back.giver, back.status, {line.to for line in back.lines.all()}) == (taker, "draft", {giver})
    assert {line.note for line in back.lines.all()} == {NOTE}
    with pytest.raises(HandoverRefused):
        handover.reverse(handover=made, by=head, on=TODAY + timedelta(days=1))


def test_nobody_leaves_the_bank_with_customers(head, giver, taker, book):
    with pytest.raises(IntegrityError, match="still looks after customers"), transaction.atomic():
        Staff.objects.filter(pk=giver.pk).update(is_active=False)
    handover.approve(handover=accepted(giver, taker, head), by=head, on=TODAY)
    Staff.objects.filter(pk=giver.pk).update(is_active=False)


def test_the_database_refuses_a_line_taken_without_a_note(head, giver, taker, book):
    made = drafted(giver, head)
    with pytest.raises(IntegrityError), transaction.atomic():
        HandoverLine.objects.filter(handover=made).update(state="taken")


def test_the_pages_of_the_head_and_of_the_receiver(client, head, giver, taker, book):
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    data = {"giver": giver.pk, "tiers": ["diamond", "gold"], "reason": "post", "effective_on": localdate()}
    assert client.post(reverse("customers:handover_new"), data | {"reason": "leave"}).status_code == 422
    page = client.post(reverse("customers:handover_new"), data)["Location"]
    made = Handover.objects.get()
    notes = {f"note-{line.pk}": "" for line in made.lines.all()} | {"note-all": NOTE, "submit": "1"}
    client.post(reverse("customers:handover_write", args=[made.pk]), notes)
    client.force_login(taker, backend="staff.sign_in.StaffBackend")
    assert NOTE in client.get(page).content.decode()
    assert client.post(reverse("customers:handover_approve", args=[made.pk])).status_code == 403
    client.post(reverse("customers:handover_answer", args=[made.pk]), {"line": [line.pk for line in made.lines.all()]})
    stranger = LoadFactory(staff__branch=made.branch).staff
    client.force_login(stranger, backend="staff.sign_in.StaffBackend")
    assert client.get(page).status_code == 404
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    client.post(reverse("customers:handover_approve", args=[made.pk]))
    made.refresh_from_db()
    assert (made.status, Customer.objects.filter(manager=taker).count()) == ("effective", 2)


def test_who_gave_or_never_got_a_customer_loses_sight_of_the_line(client, branch, head, giver, taker, book):
    made = submitted(giver, head)
    assert made.lines.visible_to(giver).count() == made.lines.visible_to(taker).count() == 2
    handover.cancel(handover=made, by=head)
    assert not made.lines.visible_to(taker).exists()
    assert made not in Handover.objects.visible_to(taker)
    done = handover.approve(handover=accepted(giver, taker, head), by=head, on=TODAY)
    assert (done.lines.visible_to(giver).count(), done.lines.visible_to(taker).count()) == (0, 2)


def test_who_went_to_a_third_meanwhile_stays_there(branch, head, giver, taker, book):
    made = accepted(giver, taker, head)
    third = LoadFactory(staff__branch=branch).staff
    assignment.assign(customer=book[0], to=third, by=head, on=TODAY)
    handover.approve(handover=made, by=head, on=TODAY)
    assert {one.manager_id for one in Customer.objects.all()} == {third.pk, taker.pk}
