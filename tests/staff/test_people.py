"""The tree of branches, and the people in it."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from staff.models import Branch, Staff
from staff.roles import PERMISSIONS, Role, Scope, scope_of
from tests.factories import BranchFactory, HeadOfficeFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree():
    """Head office, two sub-branches, an outlet under the first."""
    head = HeadOfficeFactory()
    east = BranchFactory(name="城东支行", level=Branch.Level.SUB_BRANCH, parent=head)
    west = BranchFactory(name="城西支行", level=Branch.Level.SUB_BRANCH, parent=head)
    return head, east, west, BranchFactory(name="湖滨网点", parent=east)


def test_a_branch_sees_itself_and_all_beneath_in_one_query(tree, django_assert_num_queries):
    head, east, west, outlet = tree
    with django_assert_num_queries(1):
        assert set(Branch.objects.under(east.pk)) == {east, outlet}
    assert set(Branch.objects.under(head.pk)) == set(tree)
    assert set(Branch.objects.outlets()) == {outlet}


def test_a_branch_whose_number_begins_alike_is_not_beneath(tree):
    _head, east, *_rest = tree
    assert not Branch.objects.under(int(f"{east.pk}0")).exists()


def test_a_moved_branch_takes_its_outlets_along(tree):
    head, east, west, outlet = tree
    east.parent = west
    east.save()
    outlet.refresh_from_db()
    assert east.path == f"/{head.pk}/{west.pk}/{east.pk}/"
    assert outlet.path == f"{east.path}{outlet.pk}/"


def test_a_bulk_write_gets_its_paths_too(tree):
    _head, east, *_rest = tree
    Branch.objects.bulk_create([Branch(code="X1", name="新网点", level=Branch.Level.OUTLET, parent=east)])
    new = Branch.objects.get(code="X1")
    assert new.path == f"{east.path}{new.pk}/"


def test_a_branch_cannot_be_beneath_itself(tree):
    _head, east, _west, outlet = tree
    east.parent = outlet
    with pytest.raises(IntegrityError, match="beneath itself"), transaction.atomic():
        east.save()
    east.refresh_from_db()
    assert east.parent != outlet


def test_head_office_has_nothing_above(tree):
    head, east, *_rest = tree
    head.parent = east
    with pytest.raises(IntegrityError), transaction.atomic():
        head.save()


def test_members_are_those_of_the_branch_and_beneath(tree):
    _head, east, west, outlet = tree
    own, below, other = StaffFactory(branch=east), StaffFactory(branch=outlet), StaffFactory(branch=west)
    assert set(Staff.objects.members_of(east.pk)) == {own, below}
    assert other not in Staff.objects.members_of(east.pk)


@pytest.mark.parametrize("factor", ["0.09", "1.51"])
def test_a_capacity_out_of_range_is_refused(factor):
    with pytest.raises(IntegrityError, match="staff_capacity_factor_in_range"), transaction.atomic():
        StaffFactory(capacity_factor=Decimal(factor))


def test_a_role_that_nobody_knows_is_refused():
    with pytest.raises(IntegrityError, match="staff_role_is_known"), transaction.atomic():
        StaffFactory(role="root")


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.BRANCH_HEAD, Scope.BENEATH),
        (Role.SUB_BRANCH_PRESIDENT, Scope.BENEATH),
        (Role.RETAIL_ADMIN, Scope.BENEATH),
        (Role.RELATIONSHIP_MANAGER, Scope.OWN),
        (Role.TELLER, Scope.OWN),
        (Role.AUDITOR, Scope.ALL),
        (Role.SYS_ADMIN, Scope.NONE),
        (Role.TRAINER, Scope.NONE),
        ("unheard_of", Scope.NONE),
    ],
)
def test_a_role_sees_what_the_table_grants(role, scope):
    assert scope_of(role) == scope


def test_an_action_needs_its_permission():
    head, manager = StaffFactory(role=Role.BRANCH_HEAD), StaffFactory()
    assert head.has_perm("customers.assign_customer")
    assert not manager.has_perm("customers.assign_customer")
    assert manager.has_perms(["contacts.log_contact", "customers.view_customer"])


def test_a_disabled_member_may_do_nothing():
    head = StaffFactory(role=Role.BRANCH_HEAD, is_active=False)
    assert not head.has_perm("customers.assign_customer")
    assert not head.has_module_perms("customers")


def test_administrators_and_auditors_change_no_customer():
    changing = {"customers.assign_customer", "contacts.log_contact", "contacts.move_opportunity", "churn.handle_alert"}
    assert not changing & (PERMISSIONS[Role.SYS_ADMIN] | PERMISSIONS[Role.AUDITOR])


def test_a_new_role_ends_the_sessions_of_before():
    staff = StaffFactory(password="correct-horse-battery")
    before = staff.get_session_auth_hash()
    staff.role = Role.BRANCH_HEAD
    assert staff.get_session_auth_hash() != before
