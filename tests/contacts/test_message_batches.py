"""A text for a segment: proposed by one, approved by another, drafted for who may get it, skipped with the reason."""

from datetime import date

import pytest
from django.urls import reverse

from contacts import message_batches, messages
from contacts.message_batches import BatchRefused
from contacts.message_templates import TemplateRefused
from contacts.models import OutboundMessage
from customers.identity import sealed_columns
from customers.models import ConsentRecord, Customer, Segment, SegmentMember
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
WORDS = "尊敬的{name}{title}：{branch}{manager}邀您了解本季度的财富沙龙。"


@pytest.fixture
def branch():
    return BranchFactory(name="滨江支行")


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch, staff__name="林晓雯", staff__language="en").staff


@pytest.fixture
def segment(branch, head):
    return Segment.objects.create(name="茶友", branch=branch, owner=head)


def member(segment, manager, *, name="沈雅琴", mobile="13800001234", **columns) -> Customer:
    """A customer of the segment with a mobile of his own."""
    columns |= sealed_columns(id_no="", mobile=mobile, address="")
    held = AssignmentFactory(staff=manager, customer__branch=manager.branch, customer__name=name,
                             **{f"customer__{key}": value for key, value in columns.items()})  # fmt: skip
    SegmentMember.objects.create(segment=segment, customer=held.customer, since=date(2026, 11, 1))
    return held.customer


def allow(customer) -> None:
    ConsentRecord.objects.create(customer=customer, purpose="marketing", channel="sms", granted=True)


def test_each_member_who_may_get_it_has_one_draft_after_the_approval(segment, manager, head):
    willing, silent = member(segment, manager, gender="f"), member(segment, manager, name="何平", mobile="13800001235")
    allow(willing)
    batch = message_batches.propose(segment=segment, purpose="marketing", body=WORDS, by=manager)
    assert not OutboundMessage.objects.exists()

    message_batches.approve(batch=batch, by=head)

    draft = OutboundMessage.objects.get()
    assert (draft.customer, draft.status, draft.batch) == (willing, "drafted", batch)
    assert draft.body == "尊敬的沈雅琴女士：滨江支行林晓雯邀您了解本季度的财富沙龙。"
    batch.refresh_from_db()
    assert (batch.drafted, batch.skipped) == (1, {"no_consent": 1})
    people = message_batches.skipped_members(segment=segment, purpose="marketing", author=manager, viewer=head)
    assert people == [(silent, str(message_batches.SKIPPED["no_consent"]))]
    with pytest.raises(BatchRefused):
        message_batches.approve(batch=batch, by=head)


def test_released_drafts_leave_and_count_towards_the_cap(segment, manager, head):
    customer = member(segment, manager)
    allow(customer)
    for _turn in range(2):
        batch = message_batches.propose(segment=segment, purpose="marketing", body=WORDS, by=manager)
        message_batches.approve(batch=batch, by=head)
    assert messages.release(messages=OutboundMessage.objects.values_list("pk", flat=True), by=manager) == 2
    assert message_batches.outlook(segment=segment, purpose="marketing", viewer=manager).skipped == [
        (str(message_batches.SKIPPED["cap"]), 1)
    ]
    with pytest.raises(BatchRefused):
        message_batches.propose(segment=segment, purpose="marketing", body=WORDS, by=manager)


def test_nobody_approves_his_own_words_nor_without_the_right(segment, manager, head):
    member(segment, manager)
    own = message_batches.propose(segment=segment, purpose="care", body=WORDS, by=head)
    with pytest.raises(BatchRefused):
        message_batches.approve(batch=own, by=head)
    with pytest.raises(BatchRefused):
        message_batches.approve(batch=own, by=manager)
    message_batches.decline(batch=own, by=head)
    own.refresh_from_db()
    assert own.status == "declined"
    assert not OutboundMessage.objects.exists()


@pytest.mark.parametrize("words", ["", "您好{salary}", "保本高息{name}", "字" * 301])
def test_words_that_do_not_fit_are_refused(segment, manager, words):
    member(segment, manager)
    with pytest.raises(TemplateRefused):
        message_batches.propose(segment=segment, purpose="care", body=words, by=manager)


def test_a_batch_reaches_the_customers_of_its_author_alone(segment, manager, head, branch):
    member(segment, manager)
    other = LoadFactory(staff__branch=branch).staff
    member(segment, other, name="旁人", mobile="13800001239")
    batch = message_batches.propose(segment=segment, purpose="care", body=WORDS, by=manager)
    message_batches.approve(batch=batch, by=head)
    assert [one.customer.name for one in batch.messages.all()] == ["沈雅琴"]


def test_the_pages_lead_from_the_segment_to_the_drafts(client, segment, manager, head):
    member(segment, manager)
    client.force_login(manager)
    page = client.get(reverse("contacts:message_batch_new", args=[segment.pk]))
    assert "1 customer gets it" in page.text
    refused = client.post(page.request["PATH_INFO"], {"purpose": "care", "body": "{nobody}"})
    assert refused.status_code == 422
    made = client.post(page.request["PATH_INFO"], {"purpose": "care", "body": WORDS}, follow=True)
    assert "Take it back" in made.text
    batch = segment.message_batches.get()

    client.force_login(head)
    assert "Approve" in client.get(batch.get_absolute_url()).text
    done = client.post(reverse("contacts:message_batch_decide", args=[batch.pk]), {"step": "approve"}, follow=True)
    assert "Release the drafts" in done.text
    assert WORDS in client.get(reverse("contacts:message_batches")).text
    assert "To a segment" in client.get(reverse("contacts:message_list"), {"kind": "batch"}).text
