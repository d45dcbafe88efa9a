"""Who is to be looked at for another manager, and why; nobody else is."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from customers import to_reassign
from customers.models import Tier
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 19)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD)


@pytest.mark.parametrize(
    ("role", "tier", "year_avg", "since", "codes"),
    [
        (Role.RELATIONSHIP_MANAGER, Tier.PLATINUM, 600_000, 1, []),
        (Role.TELLER, Tier.GOLD, "199999.99", 1, []),
        (Role.TELLER, Tier.GOLD, 200_000, 1, ["band_up"]),
        (Role.LOBBY_MANAGER, Tier.GOLD, 200_000, 1, []),
        (Role.LOBBY_MANAGER, Tier.GOLD, "199999.99", 1, ["band_down"]),
        (Role.TELLER, Tier.PLATINUM, 600_000, 1, ["role"]),
        (Role.BRANCH_HEAD, Tier.DIAMOND, 2_000_000, 1, []),
        (Role.BRANCH_HEAD, Tier.PLATINUM, 600_000, 1, ["role"]),
        (Role.RELATIONSHIP_MANAGER, Tier.GOLD, 300_000, 179, []),
        (Role.RELATIONSHIP_MANAGER, Tier.GOLD, 300_000, 180, ["neglected"]),
        (Role.TELLER, Tier.PLATINUM, 600_000, 200, ["role", "neglected"]),
    ],
)
def test_why_a_relation_is_on_the_list(branch, head, role, tier, year_avg, since, codes):
    holder = LoadFactory(staff__branch=branch, staff__role=role).staff
    AssignmentFactory(
        customer__branch=branch, staff=holder, customer__service_tier=tier, customer__year_avg=Decimal(str(year_avg)),
        customer__last_contact_on=TODAY - timedelta(days=since), start=date(2026, 1, 5),
    )  # fmt: skip
    assert [case.codes for case in to_reassign.cases(head, branch, TODAY)] == ([codes] if codes else [])


def test_a_new_relation_is_not_neglected_yet_and_the_page_shows_the_reason(client, branch, head):
    holder = LoadFactory(staff__branch=branch).staff
    AssignmentFactory(customer__branch=branch, staff=holder, start=TODAY)
    assert not to_reassign.cases(head, branch, TODAY)
    AssignmentFactory(customer__branch=branch, staff=holder, start=date(2026, 1, 5))
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    assert str(to_reassign.REASONS["neglected"]) in client.get(reverse("customers:to_reassign")).content.decode()
