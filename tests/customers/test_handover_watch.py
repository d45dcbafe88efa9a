"""The 90 days after a hand-over: who is on the list, who needs care, and for how long."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from customers import handover_watch
from customers.models import Customer, Handover, HandoverLine
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, StaffFactory, daily_assets

pytestmark = pytest.mark.django_db
START = date(2026, 9, 1)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


def moved(branch, head, *, aum=500_000, now=None, spoke=None):
    row = AssignmentFactory(customer__branch=branch, customer__aum=Decimal(now or aum), start=START)
    daily_assets(row.customer, {START - timedelta(days=1): aum})
    Customer.objects.filter(pk=row.customer_id).update(last_contact_on=spoke, aum=Decimal(now or aum))
    past = Handover.objects.create(
        branch=branch, giver=StaffFactory(branch=branch), reason="leaving", status="effective", effective_on=START,
        made_by=head, approved_by=head,
    )  # fmt: skip
    HandoverLine.objects.create(
        handover=past, customer=row.customer, to=row.staff, state="taken", note="x" * 10, assignment=row
    )
    return row.customer


@pytest.mark.parametrize(
    ("now", "spoke", "care"),
    [
        (500_000, START, False),
        (450_001, START, False),
        (450_000, START, True),
        (500_000, START - timedelta(days=1), True),
        (500_000, None, True),
    ],
)
def test_who_needs_care(branch, head, now, spoke, care):
    moved(branch, head, now=now, spoke=spoke)
    (row,) = handover_watch.watch_list(viewer=head, branch=branch, on=START + timedelta(days=30))
    assert (row.needs_care, row.day, row.then) == (care, 31, 500_000)


def test_the_watch_ends_after_ninety_days_and_the_page_lists_who_needs_care_first(client, branch, head, time_machine):
    calm, losing = moved(branch, head, spoke=START), moved(branch, head, now=100_000, spoke=START)
    moved(BranchFactory(), head)
    last = START + timedelta(days=89)
    assert len(handover_watch.watch_list(viewer=head, branch=branch, on=last)) == 2
    assert not handover_watch.watch_list(viewer=head, branch=branch, on=last + timedelta(days=1))
    time_machine.move_to("2026-10-01 10:00 +0800", tick=False)
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    page = client.get(reverse("customers:handover_watch")).content.decode()
    assert page.index(losing.name) < page.index(calm.name) and "Losing assets" in page
