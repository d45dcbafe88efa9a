"""What ties customers to members: each tie by itself, and what it does to the proposal."""

from datetime import date, timedelta

import pytest

from customers import ties
from customers.branch_proposal import propose_branch
from customers.identity import sealed_columns
from customers.models import Customer, Handover, ProfileValue, Relation
from customers.nomination import nominate
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    CustomerFactory,
    LoadFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 19)


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD)


@pytest.fixture
def member(branch):
    return LoadFactory(staff__branch=branch, staff__skills="养老规划 柳州话").staff


@pytest.fixture
def other(branch):
    return LoadFactory(staff__branch=branch).staff


def family(customer, member):
    held = AssignmentFactory(customer__branch=customer.branch, staff=member).customer
    Relation.objects.create(customer=customer, relative=held, kind="spouse")


def employer(customer, member):
    Customer.objects.filter(pk=customer.pk).update(employer="柳钢集团")
    AssignmentFactory(customer__branch=customer.branch, customer__employer="柳钢集团", staff=member)


def building(customer, member):
    Customer.objects.filter(pk=customer.pk).update(
        **sealed_columns(id_no="", mobile="", address="澜江市解放路 8 号 3 幢 2 单元 501 室")
    )
    held = AssignmentFactory(customer__branch=customer.branch, staff=member).customer
    Customer.objects.filter(pk=held.pk).update(
        **sealed_columns(id_no="", mobile="", address="澜江市解放路8号3幢1单元101室")
    )


def home(customer, member):
    ProfileValue.objects.create(customer=customer, field="native_place", value="广西柳州")


def talks(customer, member):
    for ago in (9, 19, 29):
        ContactLogFactory(customer=customer, staff=member, on=TODAY - timedelta(days=ago))


SCENES = {
    "family": family,
    "referrer": lambda customer, member: nominate(customer=customer, reason="新开了两间铺面", by=member),
    "familiar": talks,
    "employer": employer,
    "building": building,
    "skills": lambda customer, member: Customer.objects.filter(pk=customer.pk).update(needs="想了解养老"),
    "language": home,
}


@pytest.mark.parametrize("code", SCENES)
def test_each_tie_alone_leads_to_the_member_and_is_the_reason(branch, head, member, other, code):
    customer = CustomerFactory(branch=branch)
    SCENES[code](customer, member)
    # The other member carries no more than this one.
    found = ties.ties_of(
        Customer.objects.filter(pk=customer.pk), {member.pk: member.skills, other.pk: other.skills}, on=TODAY
    )
    assert found == {customer.pk: {member.pk: {code}}}
    (line,) = (
        one for one in propose_branch(viewer=head, branch=branch, on=TODAY)[0].lines if one.customer.id == customer.pk
    )
    assert (line.member_id, line.reason) == (member.pk, code)


@pytest.mark.parametrize(
    ("reason", "days", "avoided"), [("leaving", 60, True), ("leaving", 61, False), ("balance", 1, False)]
)
def test_who_leaves_soon_receives_nobody_where_another_can(branch, head, member, other, reason, days, avoided):
    customer = CustomerFactory(branch=branch, needs="想了解养老")
    Handover.objects.create(
        branch=branch, giver=member, reason=reason, effective_on=TODAY + timedelta(days=days), made_by=head
    )
    (line,) = propose_branch(viewer=head, branch=branch, on=TODAY)[0].lines
    assert line.customer.id == customer.pk
    assert line.member_id == (other.pk if avoided else member.pk)


def test_who_leaves_soon_is_taken_where_nobody_else_is_there(branch, head, member):
    CustomerFactory(branch=branch)
    Handover.objects.create(branch=branch, giver=member, reason="leaving", effective_on=TODAY, made_by=head)
    (line,) = propose_branch(viewer=head, branch=branch, on=TODAY)[0].lines
    assert (line.member_id, line.reason) == (member.pk, "only_room")
