"""The page of potential VIP customers: distance in money, reasons, what was done, the funnel."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import localdate

from contacts import potential_page
from customers.models import Customer, Tier
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactLogFactory, CustomerFactory, LoadFactory, OpportunityFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def head():
    return LoadFactory(staff__role=Role.BRANCH_HEAD, staff__language="en").staff


def potential(head, *, reasons=("near_threshold",), **values):
    values = {"relation_status": "potential", "signed_on": None, "service_tier": Tier.GENERAL} | values
    return CustomerFactory(branch=head.branch, potential_reasons=list(reasons), **values)


def rows(viewer, place=None):
    customers = potential_page.potential_customers(viewer=viewer, on=localdate())
    return potential_page.rows_after(customers, place=place, on=localdate())


@pytest.mark.parametrize(
    ("tier", "month_avg", "missing", "percent"),
    [
        (Tier.GENERAL, 80_000, 20_000, 80),
        (Tier.GENERAL, "99999.99", "0.01", 99),
        (Tier.GENERAL, 130_000, 0, 100),
        (Tier.GOLD, 450_000, 50_000, 90),
        (Tier.PLATINUM, 800_000, 200_000, 80),
        (Tier.DIAMOND, 2_000_000, None, 0),
    ],
)
def test_the_distance_is_what_the_average_lacks_of_the_tier_above(head, tier, month_avg, missing, percent):
    potential(head, service_tier=tier, month_avg=Decimal(month_avg))

    ((row,), following) = rows(head)

    assert row.missing == (None if missing is None else Decimal(missing))
    assert (row.percent, following) == (percent, "")


def test_the_nearest_comes_first_and_pages_follow_by_place(head, monkeypatch):
    monkeypatch.setattr(potential_page, "SIZE", 2)
    made = [potential(head, month_avg=average) for average in (85_000, 95_000, 90_000, 90_000, 81_000)]

    first, place = rows(head)
    second, place = rows(head, potential_page.read_place(place))
    third, place = rows(head, potential_page.read_place(place))

    order = [row.customer.pk for row in (*first, *second, *third)]
    assert order == [made[n].pk for n in (1, 2, 3, 0, 4)]
    assert place == ""


@pytest.mark.parametrize("text", ["", "x", "1", "NaN,1", "Infinity,2", "1,x", "1,99999999999999999999", "9e99,1"])
def test_a_place_that_cannot_be_read_is_the_beginning(text):
    assert potential_page.read_place(text) is None


def test_the_page_shows_who_has_them_what_was_done_and_the_funnel(client, head):
    manager = LoadFactory(staff__branch=head.branch, staff__name="周经理").staff
    done = potential(head, month_avg=90_000, name="沈雅琴")
    AssignmentFactory(customer=done, staff=manager)
    ContactLogFactory(customer=done, staff=manager, summary="想了解贵宾卡")
    OpportunityFactory(customer=done, owner=manager, kind="sign_up")
    Customer.objects.filter(pk=done.pk).update(last_contact_on=localdate() - timedelta(days=3))
    potential(head, month_avg=82_000, name="无人管", reasons=("payroll",))
    client.force_login(head)

    page = client.get("/potential/").content.decode()

    assert "沈雅琴" in page and "周经理" in page and "想了解贵宾卡" in page
    assert "无人管" in page and "nothing yet" in page
    everybody = potential_page.potential_customers(viewer=head, on=localdate())
    steps = potential_page.funnel_of(everybody, viewer=head, on=localdate())
    assert [(step.count, step.percent) for step in steps] == [(2, 100), (1, 50), (1, 50), (1, 50), (0, 0)]
    assert "沈雅琴" not in client.get("/potential/?reason=payroll").content.decode()
    assert "沈雅琴" not in client.get("/potential/?waiting=1").content.decode()


def test_the_page_asks_the_same_queries_for_many(client, head, django_assert_max_num_queries):
    for average in range(80_000, 100_000, 1_000):
        potential(head, month_avg=average)
    client.force_login(head)
    with django_assert_max_num_queries(24):
        client.get("/potential/")


def test_a_nomination_by_the_form_stands_on_the_page_and_is_taken_back(client, head):
    customer = CustomerFactory(branch=head.branch, relation_status="none", signed_on=None, name="白新客")
    client.force_login(head)

    assert client.post(f"/customers/{customer.pk}/nominate/", {"reason": "好"}).status_code == 422
    client.post(f"/customers/{customer.pk}/nominate/", {"reason": "家里新开了两间铺面"})
    page = client.get("/potential/").content.decode()
    assert "白新客" in page and "家里新开了两间铺面" in page

    client.post(f"/nominations/{customer.nominations.get().pk}/withdraw/")
    assert "白新客" not in client.get("/potential/").content.decode()
