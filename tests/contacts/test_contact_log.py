"""Logging a contact: what it closes and moves, once however often it is sent, and taking it back."""

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection

from contacts import agenda, contact_log
from contacts.contact_log import BadContact, NewOpportunity, NotOpenToYou, log_contact, void
from contacts.models import ContactLog, ContactTask, Opportunity
from customers.models import Customer, Tier
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactTaskFactory, OpportunityFactory, StaffFactory

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 19, 10, 26, tzinfo=SHANGHAI)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def at_half_past_ten():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(db):
    """A diamond customer and the manager who looks after them."""
    return AssignmentFactory(customer__service_tier=Tier.DIAMOND)


def call(own, **changes):
    return log_contact(
        **{
            "customer": own.customer,
            "by": own.staff,
            "channel": "phone",
            "result": "connected",
            "at": NOW,
            "on": TODAY,
            "summary": "问三年期存单利率",
        }
        | changes
    )


def test_a_call_moves_the_meters_and_is_on_the_trail(own):
    log = call(own, minutes=6)

    own.customer.refresh_from_db()
    assert (log.counts_as, log.on, log.entered_on) == ("phone", TODAY, TODAY)
    assert (own.customer.contact_phones, own.customer.last_contact_on) == (1, TODAY)
    assert AuditEvent.objects.filter(action="contact.logged", object_id=str(log.pk), staff=own.staff).exists()


def test_a_second_call_on_another_day_meets_the_diamond_rule(own):
    call(own, at=NOW - timedelta(days=2))
    call(own)

    own.customer.refresh_from_db()
    assert (own.customer.contact_phones, own.customer.contact_state) == (2, "met")


def test_an_unanswered_call_is_kept_and_neither_counts_nor_closes(own):
    task = ContactTaskFactory(customer=own.customer)

    log = call(own, result="not_reached", summary="", closes=[task.pk], next_contact_on=TODAY + timedelta(days=1))

    task.refresh_from_db()
    own.customer.refresh_from_db()
    assert (log.counts_as, task.status, own.customer.contact_phones) == ("nothing", "open", 0)
    planned = ContactTask.objects.get(key=f"planned:{log.pk}")
    assert (planned.source, planned.due_on) == ("manual", TODAY + timedelta(days=1))


def test_a_contact_closes_the_tasks_it_served_and_no_others(own):
    served, other = ContactTaskFactory(customer=own.customer), ContactTaskFactory(customer=own.customer)
    foreign = ContactTaskFactory(customer=AssignmentFactory().customer)

    log = call(own, closes=[served.pk, foreign.pk])

    for task in (served, other, foreign):
        task.refresh_from_db()
    assert (served.status, served.closed_by_log_id, served.closed_on) == ("done", log.pk, TODAY)
    assert (other.status, foreign.status) == ("open", "open")


def test_a_contact_moves_an_opportunity_and_opens_one(own):
    moved = OpportunityFactory(customer=own.customer, owner=own.staff, kind="upgrade", created_at=NOW)
    renewal = NewOpportunity(kind="retention", title="存单续存", expected_amount=Decimal(300_000))

    log = call(own, moves=[moved], opens=[renewal])

    moved.refresh_from_db()
    opened = Opportunity.objects.get(customer=own.customer, kind="retention")
    assert (moved.stage, moved.last_touched_on, opened.stage) == ("contacted", TODAY, "contacted")
    assert opened.expected_amount == Decimal(300_000)
    assert {row.opportunity_id for row in log.stage_moves.all()} == {moved.pk, opened.pk}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"at": NOW + timedelta(hours=1)}, "at"),
        ({"result": "met"}, "result"),
        ({"summary": "  "}, "summary"),
        ({"next_contact_on": TODAY - timedelta(days=1)}, "next_contact_on"),
    ],
)
def test_what_cannot_be_a_contact_is_refused_and_nothing_is_written(own, changes, field):
    task = ContactTaskFactory(customer=own.customer)

    with pytest.raises(BadContact) as refusal:
        call(own, closes=[task.pk], **changes)

    task.refresh_from_db()
    assert refusal.value.field == field
    assert (ContactLog.objects.count(), task.status) == (0, "open")


@pytest.mark.parametrize("role", [Role.RELATIONSHIP_MANAGER, Role.BRANCH_HEAD, Role.SYS_ADMIN])
def test_a_customer_out_of_sight_cannot_be_contacted(own, role):
    stranger = StaffFactory(role=role)  # of another outlet

    with pytest.raises(NotOpenToYou):
        call(own, by=stranger)

    assert ContactLog.objects.count() == 0


def test_a_refused_move_takes_the_whole_contact_back(own):
    won = OpportunityFactory(customer=own.customer, owner=own.staff, stage="won", closed_on=TODAY)

    with pytest.raises(contact_log.pipeline.MoveRefused):
        call(own, moves=[won])

    own.customer.refresh_from_db()
    assert (ContactLog.objects.count(), own.customer.contact_phones) == (0, 0)


def test_the_same_key_twice_writes_one_contact(own):
    first = call(own, idempotency_key="k1")
    again = call(own, idempotency_key="k1", summary="something else")

    assert (again.pk, ContactLog.objects.count()) == (first.pk, 1)
    assert again.summary == "问三年期存单利率"


def test_a_key_used_for_another_customer_is_refused(own):
    other = AssignmentFactory(staff=own.staff, customer__branch=own.customer.branch)
    call(own, idempotency_key="k1")

    with pytest.raises(BadContact):
        call(other, idempotency_key="k1")


def test_a_contact_entered_after_a_week_is_kept_but_does_not_count(own):
    log = call(own, at=NOW - timedelta(days=8))

    own.customer.refresh_from_db()
    assert (log.is_late, log.counts_as, own.customer.contact_phones) == (True, "nothing", 0)


def test_taking_a_contact_back_restores_tasks_stages_and_meters(own):
    task = ContactTaskFactory(customer=own.customer)
    moved = OpportunityFactory(customer=own.customer, owner=own.staff, kind="upgrade", stage="planned", created_at=NOW)
    renewal = NewOpportunity(kind="retention", title="存单续存")
    log = call(own, closes=[task.pk], moves=[moved], opens=[renewal], next_contact_on=TODAY + timedelta(days=4))

    void(log=log, by=own.staff, on=TODAY)

    for row in (task, moved, log, own.customer):
        row.refresh_from_db()
    assert (task.status, task.closed_by_log_id, moved.stage) == ("open", None, "planned")
    assert (log.counts_as, own.customer.contact_phones, own.customer.last_contact_on) == ("nothing", 0, None)
    assert Opportunity.objects.get(kind="retention").stage == "lost"
    assert ContactTask.objects.get(key=f"planned:{log.pk}").status == "expired"


def test_a_contact_is_taken_back_once(own):
    log = call(own)
    void(log=log, by=own.staff, on=TODAY)

    with pytest.raises(contact_log.AlreadyVoided):
        void(log=log, by=own.staff, on=TODAY)


def test_a_new_plan_takes_the_place_of_the_older_one(own):
    first = call(own, next_contact_on=TODAY + timedelta(days=2))
    second = call(own, next_contact_on=TODAY + timedelta(days=5))

    assert ContactTask.objects.get(key=f"planned:{first.pk}").status == "expired"
    assert agenda.tasks_of(staff=own.staff, on=TODAY).count() == 0  # spoken to today
    tomorrow = agenda.tasks_of(staff=own.staff, on=TODAY + timedelta(days=1))
    assert [t.key for t in tomorrow] == [f"planned:{second.pk}"]


@pytest.mark.django_db(transaction=True)
def test_two_saves_of_one_form_at_once_write_one_contact():
    own = AssignmentFactory(customer__service_tier=Tier.DIAMOND)
    task = ContactTaskFactory(customer=own.customer)
    start, results, faults = threading.Barrier(4), [], []

    def save():
        try:
            start.wait(10)
            results.append(call(own, idempotency_key="double-click", closes=[task.pk]).pk)
        except Exception as fault:  # a thread's fault must fail the test, not vanish with the thread
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert faults == []
    assert (len(results), len(set(results)), ContactLog.objects.count()) == (4, 1, 1)
    assert Customer.objects.get(pk=own.customer.pk).contact_phones == 1


def test_another_branch_sees_none_of_it(own):
    call(own)
    stranger = StaffFactory(role=Role.BRANCH_HEAD)
    head = StaffFactory(role=Role.BRANCH_HEAD, branch=own.customer.branch)

    assert ContactLog.objects.visible_to(stranger).count() == 0
    assert ContactLog.objects.visible_to(head).count() == 1


def test_the_day_is_the_banks_not_greenwichs(own):
    with time_machine.travel(datetime(2026, 11, 20, 0, 30, tzinfo=SHANGHAI), tick=False):
        log = call(own, at=datetime(2026, 11, 20, 0, 10, tzinfo=SHANGHAI), on=date(2026, 11, 20))

    assert log.on == date(2026, 11, 20)
