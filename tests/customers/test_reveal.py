"""Revealing a masked field: one at a time, for a purpose, written to the trail in the same transaction."""

from datetime import date

import pytest
from django.db import DatabaseError

from customers.reveal import Field, NothingThere, Purpose, reveal
from staff import audit
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

SEALED = {"id_no": "450101197405062846", "mobile": "13800006021", "address": "南宁市民族大道 89 号"}


@pytest.fixture
def served():
    return AssignmentFactory(**{f"customer__{field}": value for field, value in SEALED.items()})


def post(client, customer, **values):
    return client.post(f"/customers/{customer.pk}/reveal/", values, headers={"HX-Request": "true"})


@pytest.mark.parametrize("field", SEALED)
def test_a_field_is_shown_and_the_view_is_written_without_its_value(client, served, field):
    client.force_login(served.staff)

    answer = post(client, served.customer, field=field, purpose="contact")

    assert answer.content.decode() == SEALED[field]
    assert answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"]
    event = AuditEvent.objects.about(served.customer).get(action="customer.revealed")
    assert event.staff == served.staff
    assert event.figures == {"field": field, "purpose": "contact", "times_today": 1}
    assert SEALED[field] not in str(event.__dict__)


@pytest.mark.parametrize(
    "values", [{}, {"field": "mobile"}, {"purpose": "contact"}, {"field": "pinyin", "purpose": "contact"},
               {"field": "mobile", "purpose": "curiosity"}],
)  # fmt: skip
def test_without_a_field_and_a_purpose_nothing_is_shown(client, served, values):
    client.force_login(served.staff)

    answer = post(client, served.customer, **values)

    assert answer.status_code == 422
    assert not any(value in answer.content.decode() for value in SEALED.values())
    assert not AuditEvent.objects.filter(action="customer.revealed").exists()


def test_a_reveal_is_never_a_get(client, served):
    client.force_login(served.staff)

    assert client.get(f"/customers/{served.customer.pk}/reveal/?field=mobile&purpose=contact").status_code == 405


@pytest.mark.parametrize("role", [Role.TELLER, Role.AUDITOR, Role.WEALTH_ADVISER])
def test_a_role_that_may_not_reveal_is_refused_though_it_sees_the_customer(client, served, role):
    member = LoadFactory(staff__branch=served.customer.branch, staff__role=role).staff
    served.customer.assignments.create(staff=member, role="backup", start=date(2026, 1, 1))
    client.force_login(member)

    answer = post(client, served.customer, field="mobile", purpose="contact")

    assert answer.status_code == 403
    assert SEALED["mobile"] not in answer.content.decode()


def test_another_persons_customer_is_not_there(client, served):
    client.force_login(StaffFactory(branch=served.customer.branch))

    assert post(client, served.customer, field="mobile", purpose="contact").status_code == 404


def test_if_the_trail_cannot_be_written_nothing_is_shown(client, served, monkeypatch):
    def broken(*args, **kwargs):
        raise DatabaseError("no room left")

    monkeypatch.setattr(audit, "record", broken)
    client.force_login(served.staff)

    with pytest.raises(DatabaseError):
        post(client, served.customer, field="mobile", purpose="contact")


def test_reveals_of_a_day_are_counted(served):
    for times in (1, 2):
        reveal(customer=served.customer, field=Field.MOBILE, purpose=Purpose.VERIFY, by=served.staff, on=date.today())
        newest = AuditEvent.objects.filter(action="customer.revealed").newest_first()[0]
        assert newest.figures["times_today"] == times


def test_an_empty_field_is_said_and_not_written(served):
    empty = CustomerFactory(branch=served.customer.branch)

    with pytest.raises(NothingThere):
        reveal(customer=empty, field=Field.MOBILE, purpose=Purpose.VERIFY, by=served.staff, on=date.today())
    assert not AuditEvent.objects.filter(action="customer.revealed").exists()


def test_without_scripts_the_value_stands_on_a_page_that_is_not_kept(client, served):
    client.force_login(served.staff)

    answer = client.post(f"/customers/{served.customer.pk}/reveal/", {"field": "mobile", "purpose": "contact"})

    assert SEALED["mobile"] in answer.content.decode() and "<html" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
