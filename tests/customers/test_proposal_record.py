"""Drafts of proposals, and the history of those applied: what is kept, what is shown, what can be taken back."""

import re

import pytest
from django.urls import reverse

from customers import proposal_record
from customers.assignment import Line, LinesRefused
from customers.models import Assignment, ProposalRecord, Tier
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db

PAGE = "/assignment/"


@pytest.fixture
def branch():
    return BranchFactory()


@pytest.fixture
def head(branch, client):
    head = StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    return head


@pytest.fixture
def members(branch):
    return [LoadFactory(staff__branch=branch).staff for _each in range(2)]


def form_of(page: str) -> dict:
    """Return what the form of the proposal would post."""
    values = dict(re.findall(r'name="((?:seen|was)-\d+)" value="([^"]*)"', page))
    values["proof"] = re.search(r'name="proof" value="([^"]*)"', page)[1]
    values["line"] = re.findall(r'name="line" value="(\d+)" checked', page)
    for customer, options in re.findall(r'name="to-(\d+)"[^>]*>(.*?)</select>', page, re.S):
        values[f"to-{customer}"] = re.search(r'value="(\d+)" selected', options)[1]
    return values


def test_a_draft_comes_back_as_it_was_left_and_can_be_given_up(client, branch, head, members):
    customers = CustomerFactory.create_batch(2, branch=branch, service_tier=Tier.DIAMOND)
    form = form_of(client.get(PAGE).content.decode())
    first, second = (str(customer.pk) for customer in customers)
    other = next(str(one.pk) for one in members if str(one.pk) != form[f"to-{first}"])
    form |= {f"to-{first}": other, "line": [first]}

    client.post(reverse("customers:assignment_draft"), form)
    page = client.get(PAGE).content.decode()

    again = form_of(page)
    assert "Your draft of" in page and again["line"] == [first]
    assert again[f"to-{first}"] == other
    assert ProposalRecord.objects.get().choices == {"to": {first: int(other)}, "unticked": [int(second)]}

    client.post(reverse("customers:assignment_draft"), form | {"drop": "1"})
    assert form_of(client.get(PAGE).content.decode())["line"] == [first, second]
    assert not ProposalRecord.objects.exists()


def test_a_draft_outlives_a_member_who_left_and_a_customer_who_went_elsewhere(client, branch, head, members):
    customer, gone = CustomerFactory.create_batch(2, branch=branch)
    stranger = StaffFactory(branch=branch)
    proposal_record.keep_draft(
        branch=branch, receivers={customer.pk: stranger.pk, gone.pk: members[0].pk}, unticked=[], by=head
    )
    AssignmentFactory(customer=gone, staff=members[1])
    page = client.get(PAGE)
    assert page.status_code == 200 and f'name="to-{customer.pk}"' in page.content.decode()


def test_a_colleagues_draft_is_not_shown(client, branch, head, members):
    CustomerFactory(branch=branch)
    other = StaffFactory(branch=branch, role=Role.BRANCH_HEAD)
    proposal_record.keep_draft(branch=branch, receivers={}, unticked=[], by=other)
    assert "Your draft of" not in client.get(PAGE).content.decode()


def test_what_is_applied_is_kept_with_its_proof_and_taken_back_from_its_page(client, branch, head, members):
    customers = CustomerFactory.create_batch(3, branch=branch)
    form = form_of(client.get(PAGE).content.decode())
    changed = str(customers[0].pk)
    form[f"to-{changed}"] = next(str(one.pk) for one in members if str(one.pk) != form[f"to-{changed}"])
    proposal_record.keep_draft(branch=branch, receivers={}, unticked=[], by=head)

    client.post(reverse("customers:assignment_apply"), form)

    kept = ProposalRecord.objects.get()
    assert (kept.status, kept.figures["applied"], kept.figures["changed"], kept.figures["gap"]) == ("applied", 3, 1, 0)
    assert kept.assignments.count() == 3
    history = client.get(reverse("customers:assignment_history")).content.decode()
    assert "Proved best" in history and head.name in history
    page = client.get(reverse("customers:assignment_applied", args=[kept.pk])).content.decode()
    assert all(customer.name in page for customer in customers)

    client.post(re.search(r'action="(/assignment/undo/[^"]+)"', page)[1])
    assert not Assignment.objects.open().exists()
    assert proposal_record.history(head, branch).get().hold == 0


def test_a_proof_that_was_not_written_here_is_not_kept(client, branch, head, members):
    CustomerFactory(branch=branch)
    form = form_of(client.get(PAGE).content.decode())
    client.post(reverse("customers:assignment_apply"), form | {"proof": "eyJnYXAiOjB9:forged"})
    assert "gap" not in ProposalRecord.objects.get().figures


def test_lines_refused_leave_no_history(branch, head, members):
    customer = CustomerFactory(branch=branch, service_tier=Tier.PLATINUM)
    teller = LoadFactory(staff__branch=branch, staff__role=Role.TELLER, platinum_limit=0, diamond_limit=0).staff
    with pytest.raises(LinesRefused):
        proposal_record.apply(branch=branch, lines=[Line(customer, teller)], figures={}, by=head, on=customer.signed_on)
    assert not ProposalRecord.objects.exists()


def test_the_history_of_another_branch_is_out_of_sight(client, head):
    elsewhere = BranchFactory()
    kept = ProposalRecord.objects.create(branch=elsewhere, made_by=head, status="applied")
    assert client.get(reverse("customers:assignment_applied", args=[kept.pk])).status_code == 404
    assert client.get(reverse("customers:assignment_history"), {"branch": elsewhere.pk}).status_code == 404
