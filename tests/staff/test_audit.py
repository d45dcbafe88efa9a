"""The audit trail can be added to and nothing else, and a change behind its back shows."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from staff import audit
from staff.models import AuditEvent
from tests.factories import CustomerFactory, StaffFactory


def chain():
    """Let the events of this transaction join the chain now rather than at its end."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.django_db
def test_an_event_names_who_what_and_the_object_masked():
    staff, customer = StaffFactory(), CustomerFactory(name="沈雅琴")
    event = audit.record("customer.assigned", customer, by=staff, amount=Decimal("1.50"), reason="新签")
    event.refresh_from_db()
    assert (event.staff, event.client, event.action) == (staff, None, "customer.assigned")
    assert (event.object_type, event.object_id, event.object_label) == ("customers.customer", str(customer.pk), "沈**")
    assert event.figures == {"amount": "1.50", "reason": "新签"}
    assert list(AuditEvent.objects.about(customer)) == [event]


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["UPDATE staff_auditevent SET action = 'x'", "DELETE FROM staff_auditevent"])
def test_an_event_cannot_be_changed_or_deleted(change):
    audit.record("staff.signed_in", None, by=StaffFactory())
    chain()
    with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert AuditEvent.objects.get().action == "staff.signed_in"


@pytest.mark.django_db
def test_the_trail_cannot_be_emptied():
    model, trigger = pgtrigger.registered("staff.AuditEvent:audit_never_emptied")[0]
    trigger.enable(model)  # tests switch it off (conftest.py)
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="cannot be emptied"), transaction.atomic():
        cursor.execute("TRUNCATE staff_auditevent")


@pytest.mark.django_db
def test_a_whole_chain_is_found_whole():
    staff = StaffFactory()
    audit.record("staff.signed_in", staff, by=staff)
    audit.record_many("staff.signed_out", [(staff, {"place": n}) for n in range(20)], by=staff)
    chain()
    verdict = audit.verify()
    assert (verdict.checked, verdict.broken_id) == (21, None)
    assert verdict.head == AuditEvent.objects.get(position=21).hash


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE staff_auditevent SET figures = '{\"amount\": 2}' WHERE id = %s",
        "UPDATE staff_auditevent SET at = at - interval '1 day' WHERE id = %s",
        "DELETE FROM staff_auditevent WHERE id = %s",
    ],
)
def test_a_change_behind_the_triggers_breaks_the_chain(tamper):
    events = [audit.record("staff.signed_in", None, by=None, amount=n) for n in range(3)]
    chain()
    with (
        connection.cursor() as cursor,
        pgtrigger.ignore("staff.AuditEvent:audit_never_changes", "staff.AuditEvent:audit_never_goes"),
    ):
        cursor.execute(tamper, [events[1].pk])
    assert audit.verify().broken_id in {events[1].pk, events[2].pk}
    with pytest.raises(CommandError, match="breaks at event"):
        call_command("audit_verify")


@pytest.mark.django_db(transaction=True)
def test_events_written_at_once_still_make_one_chain():
    staff = StaffFactory()

    def write(place):
        try:
            with transaction.atomic():
                audit.record("staff.signed_in", staff, by=staff, place=place)
                audit.record("staff.signed_out", staff, by=staff, place=place)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))

    verdict = audit.verify()
    assert (verdict.checked, verdict.broken_id) == (80, None)
    positions = AuditEvent.objects.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, 81))


@pytest.mark.django_db(transaction=True)
def test_what_is_undone_leaves_no_event():
    with pytest.raises(RuntimeError), transaction.atomic():
        audit.record("staff.signed_in", None, by=None)
        raise RuntimeError
    assert audit.verify() == audit.Verdict(checked=0, broken_id=None, head="")
