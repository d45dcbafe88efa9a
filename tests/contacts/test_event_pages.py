"""The pages of entered events: who enters what, whom it reaches, what stays out of sight."""

from datetime import date

import pytest
from django.urls import reverse

from contacts.event import publish
from contacts.models import ContactEvent, ContactTask
from customers.segments.segment import make
from staff.roles import Role
from tests.factories import AssignmentFactory, LoadFactory, StaffFactory, sign_in

pytestmark = pytest.mark.django_db
TODAY = "2026-11-25"


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch, staff__language="en").staff


def test_a_head_publishes_to_a_segment_and_the_managers_see_it_on_today(client, branch, head, manager):
    customer = AssignmentFactory(customer__branch=branch, staff=manager).customer
    segment = make(name="全部", purpose="", by=head, on=date(2026, 11, 25), customers=[customer.pk])
    sign_in(client, head)
    form = {"kind": "social", "title": "存款利率下调", "occurs_on": TODAY, "segment": segment.pk}

    page = client.post(reverse("contacts:event_new"), form, follow=True).content.decode()

    assert customer.name in page and "Published; customers reached: 1" in page
    assert "存款利率下调" in client.get(reverse("contacts:event_list")).content.decode()
    sign_in(client, manager)
    assert "存款利率下调" in client.get(reverse("contacts:today")).content.decode()


def test_a_manager_enters_what_happened_to_a_customer_and_colleagues_do_not_read_it(client, branch, head, manager):
    own = AssignmentFactory(customer__branch=branch, staff=manager).customer
    other = AssignmentFactory(customer__branch=branch).customer
    sign_in(client, manager)
    url = reverse("contacts:event_new")
    assert client.get(url).status_code == 403, "many customers are the head's matter"
    assert client.get(url, {"customer": other.pk}).status_code == 404
    form = {"kind": "life_change", "title": "女儿出嫁", "occurs_on": TODAY, "customer": own.pk}
    assert client.post(url, form).status_code == 302
    made = ContactEvent.objects.get()

    sign_in(client, other.manager)
    assert "女儿出嫁" not in client.get(reverse("contacts:event_list")).content.decode()
    assert client.get(made.get_absolute_url()).status_code == 404
    assert client.post(reverse("contacts:event_withdraw", args=[made.pk])).status_code == 404
    sign_in(client, head)
    assert "女儿出嫁" in client.get(reverse("contacts:event_list")).content.decode()
    client.post(reverse("contacts:event_withdraw", args=[made.pk]))
    assert not ContactTask.objects.open().filter(reason="life_change").exists()


def test_a_head_does_not_withdraw_what_head_office_published(client, branch, head, manager):
    customer = AssignmentFactory(customer__branch=branch, staff=manager).customer
    office = StaffFactory(role=Role.RETAIL_ADMIN, branch=branch.parent)
    segment = make(name="全行", purpose="", by=office, on=date(2026, 11, 25), customers=[customer.pk])
    made = publish(
        kind="social", title="政策", occurs_on=date(2026, 11, 25), segment=segment, by=office, branch=office.branch,
        on=date(2026, 11, 25),
    )  # fmt: skip
    sign_in(client, head)
    assert client.get(made.get_absolute_url()).status_code == 200
    client.post(reverse("contacts:event_withdraw", args=[made.pk]))
    made.refresh_from_db()
    assert made.withdrawn_at is None
    sign_in(client, office)
    client.post(reverse("contacts:event_withdraw", args=[made.pk]))
    made.refresh_from_db()
    assert made.withdrawn_at


@pytest.mark.parametrize("bad", [{"title": ""}, {"kind": "large_in"}, {"occurs_on": "2026-02-31"}, {}])
def test_what_is_missing_is_said_beside_its_field(client, head, bad):
    sign_in(client, head)
    form = {"kind": "social", "title": "政策", "occurs_on": TODAY} | bad
    assert client.post(reverse("contacts:event_new"), form).status_code == 422
    assert not ContactEvent.objects.exists()
