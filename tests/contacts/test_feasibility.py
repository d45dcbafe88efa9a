"""Whether a book's contacts fit into the coming month: calls by the rules, working days, the member's own pace."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from contacts.feasibility import PACE_DAYS, Feasibility, month_of_branch
from customers.models import Customer, Handover, Tier
from customers.working_days import is_working_day
from tests.factories import AssignmentFactory, BranchFactory, ContactLogFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 26)


def book(branch, member, *, diamond=0, platinum=0, gold=0, **values):
    for tier, number in ((Tier.DIAMOND, diamond), (Tier.PLATINUM, platinum), (Tier.GOLD, gold)):
        for _each in range(number):
            AssignmentFactory(customer__branch=branch, customer__service_tier=tier, staff=member)
    Customer.objects.filter(manager=member).update(**values) if values else None


def calls(head, branch, on=TODAY) -> list[int]:
    return [one.calls for one in month_of_branch(viewer=head, branch=branch, on=on).members]


@pytest.mark.parametrize(
    ("tiers", "values", "on", "expected"),
    [
        # December 2026 has 23 working days: 46 for ten a week bind only where the book is large enough.
        ({"diamond": 15}, {}, TODAY, 46),
        ({"diamond": 30}, {}, TODAY, 60),
        ({"platinum": 20}, {}, TODAY, 80),
        # The last month of a quarter takes all who were not met, the first a third of everybody.
        ({"platinum": 20, "gold": 12}, {}, TODAY, 92),
        ({"platinum": 20, "gold": 12}, {"contact_count": 1}, TODAY, 80),
        ({"platinum": 20, "gold": 12}, {"contact_count": 1}, date(2026, 12, 15), 84),
        # Quiet customers are of the quarterly rule.
        ({"platinum": 20}, {"low_disturb": True, "contact_count": 1}, TODAY, 46),
        ({"gold": 2}, {}, TODAY, 9),
    ],
)
def test_the_calls_a_book_asks_for(branch, head, tiers, values, on, expected):
    member = LoadFactory(staff__branch=branch).staff
    book(branch, member, **tiers, **values)
    assert calls(head, branch, on) == [expected]


def test_the_pace_is_what_was_done_on_the_working_days_of_late(branch, head):
    member = LoadFactory(staff__branch=branch).staff
    book(branch, member, gold=1)
    customer = Customer.objects.get(manager=member)
    days = [day for n in range(1, 200) if is_working_day(day := TODAY - timedelta(days=n))]
    ContactLogFactory(customer=customer, staff=member, channel="office", result="met", on=days[0])
    ContactLogFactory(customer=customer, staff=member, on=days[PACE_DAYS - 1])
    ContactLogFactory(customer=customer, staff=member, on=days[PACE_DAYS])
    ContactLogFactory(customer=customer, staff=member, on=days[1], result="not_reached")

    (one,) = month_of_branch(viewer=head, branch=branch, on=TODAY).members
    assert one.pace == Decimal(3) / PACE_DAYS


def test_leave_with_a_cover_is_taken_off_and_a_month_away_is_out_of_reach(branch, head):
    member = LoadFactory(staff__branch=branch).staff
    book(branch, member, gold=1)
    Handover.objects.create(
        branch=branch, giver=member, reason="leave", status="approved", effective_on=date(2026, 12, 7),
        until=date(2026, 12, 13), made_by=head, approved_by=head,
    )  # fmt: skip
    month = month_of_branch(viewer=head, branch=branch, on=TODAY)
    assert (month.working_days, month.members[0].days) == (23, 18)
    Handover.objects.update(effective_on=date(2026, 11, 1), until=date(2027, 1, 31))
    (one,) = month_of_branch(viewer=head, branch=branch, on=TODAY).members
    assert (one.days, one.state) == (0, "out")


@pytest.mark.parametrize(("calls", "state"), [(40, "ok"), (41, "tight"), (60, "tight"), (61, "out")])
def test_what_is_feasible_at_a_pace_of_two_a_day(calls, state):
    one = Feasibility(StaffFactory.build(), 0, 0, 1, calls=calls, days=20, pace=Decimal(2))
    assert one.state == state


def test_the_page_names_the_month_and_asks_a_constant_number_of_queries(
    client, branch, head, django_assert_max_num_queries
):
    for _each in range(4):
        book(branch, LoadFactory(staff__branch=branch).staff, gold=2, diamond=1)
    book(BranchFactory(), LoadFactory().staff, gold=1)
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    with django_assert_max_num_queries(5):
        month = month_of_branch(viewer=head, branch=branch, on=TODAY)
    assert len(month.members) == 4
    page = client.get(reverse("contacts:planning_month"), {"branch": branch.pk}).content.decode()
    assert "working days" in page and "Out of reach" in page
    assert client.get(reverse("contacts:planning_month"), {"branch": BranchFactory().pk}).status_code == 404
