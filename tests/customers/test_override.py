"""Places beyond the limits: who may give them, what they let in, what is flagged, how they end."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.timezone import localdate

from customers import load, override
from customers.assignment import OverCapacity, assign
from customers.models import Load, Override, Tier
from customers.override import OverrideRefused
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import BranchFactory, CustomerFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 19)
WHY = "新区开业两个月，暂无其他人可接"


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD)


@pytest.fixture
def full(branch):
    """A manager with 30 diamonds."""
    member = StaffFactory(branch=branch)
    load.refresh_limits([member.pk], on=TODAY)
    Load.objects.filter(pk=member.pk).update(diamond=30)
    return member


def diamond(branch):
    return CustomerFactory(branch=branch, service_tier=Tier.DIAMOND, relation_status="signed", signed_on=TODAY)


def give(full, head, **values):
    usual = {"staff": full, "tier": Tier.DIAMOND, "places": 1, "until": TODAY, "reason": WHY, "by": head, "on": TODAY}
    return override.give(**usual | values)


def test_the_31st_diamond_needs_places_and_is_flagged(branch, head, full):
    with pytest.raises(OverCapacity):
        assign(customer=diamond(branch), to=full, by=head, on=TODAY)
    give(full, head)
    assert assign(customer=diamond(branch), to=full, by=head, on=TODAY).exceeds
    with pytest.raises(OverCapacity):
        assign(customer=diamond(branch), to=full, by=head, on=TODAY)
    assert AuditEvent.objects.filter(action="override.given").count() == 1


def test_the_day_after_the_end_nobody_else_comes_and_who_is_there_stays(branch, head, full):
    give(full, head, places=2)
    assign(customer=diamond(branch), to=full, by=head, on=TODAY)
    override.refresh_branch(branch_id=branch.pk, on=TODAY)
    with pytest.raises(OverCapacity):
        assign(customer=diamond(branch), to=full, by=head, on=TODAY + timedelta(days=1))
    row = Load.objects.get(pk=full.pk)
    assert (row.diamond, row.diamond_limit, row.diamond_over) == (31, 30, 1)


def test_places_taken_back_end_at_once(branch, head, full):
    made = give(full, head, until=TODAY + timedelta(days=30))
    override.withdraw(override=made, by=head, on=TODAY)
    with pytest.raises(OverCapacity):
        assign(customer=diamond(branch), to=full, by=head, on=TODAY)
    with pytest.raises(OverrideRefused):
        override.withdraw(override=made, by=head, on=TODAY)


@pytest.mark.parametrize(
    "values",
    [{"reason": "忙不过来"}, {"until": TODAY - timedelta(days=1)}, {"places": 16}],
)
def test_what_is_refused(head, full, values):
    """A load never goes past 150 %: 15 diamonds more than 30 are 150 %, 16 are not."""
    with pytest.raises(OverrideRefused):
        give(full, head, **values)
    assert not Override.objects.exists()


def test_up_to_150_percent_may_be_given_and_by_the_head_alone(branch, head, full):
    president = StaffFactory(branch=branch.parent, role=Role.SUB_BRANCH_PRESIDENT)
    with pytest.raises(OverrideRefused):
        give(full, president)
    give(full, head, places=15)
    assert Load.objects.get(pk=full.pk).capacity == 900


def test_the_database_refuses_a_short_reason(head, full):
    with pytest.raises(IntegrityError), transaction.atomic():
        Override.objects.create(
            staff=full, tier=3, places=1, reason="短", valid_from=TODAY, valid_until=TODAY, given_by=head
        )


def test_the_page_gives_and_takes_back(client, branch, head, full):
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    page = reverse("customers:override_list")
    data = {"staff": full.pk, "tier": 3, "places": 2, "until": localdate() + timedelta(days=9), "reason": WHY}
    assert client.post(page, data | {"reason": "短"}).status_code == 422
    assert client.post(page, data).status_code == 302
    made = Override.objects.get()
    assert WHY in client.get(page).content.decode()
    client.post(reverse("customers:override_withdraw", args=[made.pk]))
    made.refresh_from_db()
    assert made.withdrawn_on == localdate()


def test_a_night_that_was_missed_is_made_good(branch, head, full):
    give(full, head)
    override.refresh_branch(branch_id=branch.pk, on=TODAY + timedelta(days=3))
    assert Load.objects.get(pk=full.pk).diamond_limit == 30
