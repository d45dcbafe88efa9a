"""The sheet of the morning meeting: each member's day on one page, in a constant number of queries."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from contacts.morning import FIRST, sheet_of
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    ContactTaskFactory,
    HoldingFactory,
    LoadFactory,
    OpportunityFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 08:30 +0800", tick=False)


def busy(branch, customers=2):
    member = LoadFactory(staff__branch=branch).staff
    rows = [AssignmentFactory(customer__branch=branch, staff=member).customer for _each in range(customers)]
    for number, customer in enumerate(rows):
        ContactTaskFactory(
            customer=customer, source="manual", reason="planned", due_on=TODAY - timedelta(days=number), stake=number
        )
    return member, rows


def test_each_member_has_what_is_due_the_week_and_whom_to_see_first(branch, head):
    member, (first, second) = busy(branch)
    ContactTaskFactory(customer=first, source="manual", reason="planned", due_on=TODAY + timedelta(days=1))
    ContactLogFactory(customer=second, staff=member, on=TODAY - timedelta(days=1))
    HoldingFactory(customer=first, amount=Decimal(80_000), matures_on=TODAY)
    busy(BranchFactory())

    sheet = sheet_of(viewer=head, branch=branch, on=TODAY)

    (row,) = sheet.members
    assert (row.due, row.overdue, row.week_done, row.week_required, row.maturing) == (2, 1, 1, 2, 80_000)
    assert [one.customer for one in row.first] == [second, first], "the overdue one comes first"
    assert sheet.yesterday == 1


def test_at_most_five_are_named_and_queries_do_not_grow(client, branch, head, django_assert_max_num_queries):
    for _each in range(3):
        busy(branch, customers=FIRST + 2)
    with django_assert_max_num_queries(12):
        sheet = sheet_of(viewer=head, branch=branch, on=TODAY)
    assert [len(one.first) for one in sheet.members] == [FIRST] * 3
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    page = client.get(reverse("contacts:morning")).content.decode()
    assert all(one.staff.name in page for one in sheet.members)


def test_what_rested_for_thirty_days_is_the_heads_business(branch, head):
    own = AssignmentFactory(customer__branch=branch, staff__branch=branch)
    kinds = iter(["upgrade", "retention", "win_back", "acquire"])
    for age, amount in ((30, 100), (31, 900), (29, 500)):
        OpportunityFactory(
            customer=own.customer, owner=own.staff, kind=next(kinds), expected_amount=amount,
            last_touched_on=TODAY - timedelta(days=age),
        )  # fmt: skip
    OpportunityFactory(
        customer=own.customer, owner=own.staff, kind=next(kinds), stage="lost", lost_reason="other", closed_on=TODAY,
        last_touched_on=TODAY - timedelta(days=99),
    )  # fmt: skip
    resting = sheet_of(viewer=head, branch=branch, on=TODAY).resting
    assert [deal.expected_amount for deal in resting] == [900, 100]
