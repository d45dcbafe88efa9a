"""Pages of a feed: every row once, in the order of change, by a cursor that cannot be made up."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from customers.models import Customer
from staff.api.paging import page_after
from staff.api.problem import Problem
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def customers():
    """Seven customers, changed in an order of their own, three at the same moment."""
    branch = BranchFactory()
    made = [CustomerFactory(branch=branch) for _turn in range(7)]
    for customer, hours in zip(made, [5, 1, 3, 3, 3, 2, 4], strict=True):
        Customer.objects.filter(pk=customer.pk).update(updated_at=START + timedelta(hours=hours))
    return made


def caller(client_id=1, path="/api/v1/customers/"):
    return SimpleNamespace(client=SimpleNamespace(pk=client_id), path=path)


def page(cursor="", limit=2, request=None):
    return page_after(
        Customer.objects.all(),
        request=request or caller(),
        limit=limit,
        cursor=cursor,
        show=lambda customer: customer.pk,
    )


def test_every_row_comes_once_in_the_order_of_change(customers):
    seen, cursor = [], ""
    while cursor is not None:
        answer = page(cursor)
        seen += answer["results"]
        cursor = answer["next_cursor"]
    assert seen == [customers[place].pk for place in (1, 5, 2, 3, 4, 6, 0)]


def test_the_last_page_has_no_cursor(customers):
    assert page(limit=7)["next_cursor"] is None
    assert page(limit=6)["next_cursor"] is not None


def test_a_row_changed_meanwhile_comes_again_at_the_end(customers):
    first = page(limit=6)
    Customer.objects.filter(pk=customers[1].pk).update(updated_at=START + timedelta(hours=9))
    assert page(first["next_cursor"], limit=7)["results"] == [customers[0].pk, customers[1].pk]


def test_a_page_is_one_query(customers, django_assert_num_queries):
    cursor = page()["next_cursor"]
    with django_assert_num_queries(1):
        page(cursor)


@pytest.mark.parametrize("request_of", [caller(client_id=2), caller(path="/api/v1/assignments/")])
def test_a_cursor_of_another_client_or_list_is_refused(customers, request_of):
    with pytest.raises(Problem) as refusal:
        page(page()["next_cursor"], request=request_of)
    assert refusal.value.errors[0]["code"] == "invalid_cursor"


def test_a_made_up_cursor_is_refused(customers):
    with pytest.raises(Problem):
        page("WyIyMDI2Il0:abc")
