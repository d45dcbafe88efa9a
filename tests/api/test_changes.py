"""The feed of changes: everything once, in order, only what the token may read, nothing lost between two visits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Assignment, Customer
from tests.api.test_core_bank import Core
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, OpportunityFactory

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=3)


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="customers:read assignments:read contacts:read churn:read")


@pytest.fixture
def five(outlet):
    rows = [AssignmentFactory(customer__branch=outlet, staff__branch=outlet) for _ in range(5)]
    AssignmentFactory()  # of another bank branch
    Customer.objects.update(updated_at=LONG_AGO)
    Assignment.objects.update(updated_at=LONG_AGO)
    return rows


def all_of(core, limit, cursor=""):
    """Follow the feed to its end: (kind, id) in order, and the cursor to keep."""
    found = []
    while True:
        answer = core.get(f"/api/v1/changes/?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [(row["kind"], row["id"]) for row in answer["results"]]
        cursor = answer["next_cursor"]
        if not answer["has_more"]:
            return found, cursor


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_everything_comes_once_whatever_the_page_though_all_changed_at_one_instant(core, five, limit):
    found, _cursor = all_of(core, limit)

    wanted = {("customer", row.customer_id) for row in five} | {("assignment", row.pk) for row in five}
    assert len(found) == len(set(found)) == 10
    assert set(found) == wanted


def test_a_later_visit_gets_what_has_changed_since_and_nothing_else(core, five):
    _found, cursor = all_of(core, 3)
    assert all_of(core, 3, cursor)[0] == []

    Customer.objects.filter(pk=five[2].customer_id).update(updated_at=timezone.now() - timedelta(minutes=1))
    deal = OpportunityFactory(customer=five[0].customer)
    type(deal).objects.update(updated_at=timezone.now() - timedelta(minutes=2))

    assert all_of(core, 3, cursor)[0] == [("opportunity", deal.pk), ("customer", five[2].customer_id)]


@pytest.mark.django_db(transaction=True)
def test_what_changed_waits_for_a_transaction_that_began_before_and_still_writes(client):
    """A long transaction commits a change with the time of its beginning: the feed must not have passed it by then."""
    outlet = BranchFactory(code="CZ01")
    slow, quick = CustomerFactory(branch=outlet), CustomerFactory(branch=outlet)
    core = Core(client, outlet, scopes="customers:read")
    _found, cursor = all_of(core, 200)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor_of_other:
            cursor_of_other.execute("UPDATE customers_customer SET updated_at = now() WHERE id = %s", [slow.pk])
        Customer.objects.filter(pk=quick.pk).update(updated_at=timezone.now())
        assert all_of(core, 200, cursor)[0] == []
        other.commit()
    finally:
        other.close()
    assert all_of(core, 200, cursor)[0] == [("customer", slow.pk), ("customer", quick.pk)]


def test_only_kinds_that_the_token_may_read(client, outlet, five):
    narrow = Core(client, outlet, name="narrow", scopes="assignments:read")

    assert {kind for kind, _pk in all_of(narrow, 200)[0]} == {"assignment"}


def test_a_cursor_of_somebody_else_is_refused(client, core, outlet, five):
    _found, cursor = all_of(core, 200)
    other = Core(client, outlet, name="other", scopes="customers:read")

    assert other.get(f"/api/v1/changes/?cursor={cursor}").status_code == 400
    assert core.get("/api/v1/changes/?cursor=made-up").status_code == 400
