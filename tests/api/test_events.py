"""Events that another system publishes: once, for whom they concern in the client's sight, read again as they are."""

from datetime import timedelta

import pytest
from django.utils.timezone import localdate

from contacts.models import ContactEvent, ContactTask
from tests.api.test_core_bank import Core
from tests.factories import AssignmentFactory, BranchFactory, HoldingFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="contacts:read contacts:write")


def said(**more):
    day = (localdate() + timedelta(days=1)).isoformat()
    return {"external_id": "EV-1", "kind": "yield_change", "title": "收益率下调", "occurs_on": day} | more


def test_a_change_of_yield_reaches_the_holders_in_sight_once(core, outlet):
    product = ProductFactory(code="LC-1")
    own = AssignmentFactory(customer__branch=outlet, staff__branch=outlet)
    HoldingFactory(customer=own.customer, product=product), HoldingFactory(product=product)

    first = core.post("/api/v1/events/", said(product="LC-1"), key="e-1")
    again = core.post("/api/v1/events/", said(product="LC-1"), key="e-2")

    assert first.status_code == 201, first.content
    assert again.json() == first.json()
    assert (first.json()["concerned"], first.json()["source"]) == (1, "api")
    assert ContactEvent.objects.count() == 1
    listed = core.get("/api/v1/events/").json()["results"]
    assert [one["external_id"] for one in listed] == ["EV-1"]
    assert set(ContactTask.objects.values_list("customer", flat=True)) <= {own.customer_id}


def test_an_event_of_one_customer_is_not_shown_to_another_branch(core, client, outlet):
    own = AssignmentFactory(customer__branch=outlet, customer__customer_no="A1", staff__branch=outlet)
    assert core.post("/api/v1/events/", said(kind="life_change", customer_no="A1"), key="e-1").status_code in (201, 409)
    other = Core(client, BranchFactory(), scopes="contacts:read contacts:write", name="other")
    assert other.get("/api/v1/events/").json()["results"] == []
    assert other.post("/api/v1/events/", said(customer_no="A1"), key="e-1").status_code == 422
    assert own.customer.customer_no == "A1"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"product": "none"}, 422), ({"customer_no": "none"}, 422), ({}, 409), ({"kind": "birthday"}, 400),
        ({"occurs_on": "2020-01-01", "product": "LC-1"}, 409), ({"occurs_on": "0020-01-01"}, 422), ({"colour": 1}, 400),
    ],
)  # fmt: skip
def test_an_event_that_does_not_fit_is_refused(core, more, status):
    ProductFactory(code="LC-1")
    assert core.post("/api/v1/events/", said(**more)).status_code == status
    assert not ContactEvent.objects.exists()


def test_a_key_of_another_institution_tells_nothing(core, client):
    ProductFactory(code="LC-1")
    other = Core(client, BranchFactory(), scopes="contacts:read contacts:write", name="other")
    assert other.post("/api/v1/events/", said(product="LC-1"), key="e-1").status_code == 201
    answer = core.post("/api/v1/events/", said(product="LC-1"), key="e-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "key_of_another")
