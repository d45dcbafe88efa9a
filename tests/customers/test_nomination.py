"""Nominating a potential VIP, and taking it back."""

from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection

from customers.models import Customer, Nomination, RelationStatus
from customers.nomination import NominationRefused, nominate, withdraw
from customers.potential import refresh_branch
from tests.factories import CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db

REASON = "家里新开了两间铺面"


@pytest.fixture
def nobody():
    return CustomerFactory(relation_status=RelationStatus.NONE, signed_on=None)


def test_a_nomination_makes_a_potential_customer_who_waits_for_a_manager(nobody):
    made = nominate(customer=nobody, reason=f"  {REASON}\n", by=StaffFactory())

    nobody.refresh_from_db()
    assert made.reason == REASON
    assert nobody.potential_reasons == ["nominated"]
    assert Customer.objects.waiting().get() == nobody


def test_the_night_keeps_the_nomination_and_taking_it_back_ends_the_reason_alone(nobody):
    made = nominate(customer=nobody, reason=REASON, by=StaffFactory())
    refresh_branch(branch_id=nobody.branch_id, on=made.at.date())
    nobody.refresh_from_db()
    assert nobody.potential_reasons == ["nominated"]

    withdraw(nomination=made, by=StaffFactory())

    nobody.refresh_from_db()
    assert (nobody.potential_reasons, nobody.relation_status) == ([], RelationStatus.POTENTIAL)
    with pytest.raises(NominationRefused):
        withdraw(nomination=made, by=StaffFactory())


@pytest.mark.parametrize("reason", ["", "好", "  好 客 "])
def test_a_reason_is_asked_for(nobody, reason):
    with pytest.raises(NominationRefused):
        nominate(customer=nobody, reason=reason, by=StaffFactory())
    with pytest.raises(IntegrityError):
        Nomination.objects.create(customer=nobody, by=StaffFactory(), reason=reason)


def test_a_closed_customer_cannot_be_nominated():
    closed = CustomerFactory(relation_status=RelationStatus.CLOSED)
    with pytest.raises(NominationRefused):
        nominate(customer=closed, reason=REASON, by=StaffFactory())


@pytest.mark.django_db(transaction=True)
def test_of_two_nominations_at_once_one_is_refused(nobody):
    staff, outcomes, together = StaffFactory(), [], Barrier(2)

    def one():
        together.wait()
        try:
            nominate(customer=nobody, reason=REASON, by=staff)
            outcomes.append("made")
        except NominationRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=one) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["made", "refused"]
    assert Nomination.objects.open().count() == 1
