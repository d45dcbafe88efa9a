"""Messages by e-mail: for who allowed it and gets no text message, over a real mail server, once."""

from datetime import date, datetime
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest

from contacts import message_batches, messages
from contacts.models import OutboundMessage
from customers.archive.values import set_value
from customers.identity import sealed_columns
from customers.models import ConsentRecord, Customer, Segment, SegmentMember, Source
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(datetime(2026, 11, 25, 10, tzinfo=ZoneInfo("Asia/Shanghai")), tick=False)
    return time_machine


@pytest.fixture
def manager():
    return LoadFactory(staff__branch=BranchFactory(name="滨江支行"), staff__name="林晓雯").staff


def born_today(manager, *, mobile="", email="shen@mail.example", allows=True) -> Customer:
    held = AssignmentFactory(
        staff=manager, customer__branch=manager.branch, customer__name="沈雅琴", customer__birth_date=date(1970, 11, 25)
    ).customer
    Customer.objects.filter(pk=held.pk).update(**sealed_columns(id_no="", mobile=mobile, address=""))
    if email:
        set_value(customer=held, code="email", said=email, source=Source.CUSTOMER, by=manager, seen=None)
    if allows:
        ConsentRecord.objects.create(customer=held, purpose="care", channel="email", granted=True)
    return held


def drafts(manager) -> list[tuple[str, str]]:
    messages.draft_branch(branch_id=manager.branch_id, on=TODAY)
    return list(OutboundMessage.objects.order_by("pk").values_list("channel", "status"))


@pytest.mark.parametrize(
    ("values", "channels"),
    [
        ({}, ["email"]),
        ({"mobile": "13800138000"}, ["sms"]),  # never both
        ({"email": ""}, []),
        ({"allows": False}, []),
        ({"mobile": "13800138000", "allows": False}, ["sms"]),
    ],
)
def test_who_gets_no_text_and_allowed_e_mail_is_written_to_there(manager, values, channels):
    born_today(manager, **values)
    assert [channel for channel, _status in drafts(manager)] == channels
    assert len(drafts(manager)) == len(channels)


def test_who_refused_text_messages_is_not_followed_into_his_mail(manager):
    held = born_today(manager, mobile="13800138000", allows=False)
    ConsentRecord.objects.create(customer=held, purpose="care", channel="sms", granted=False)
    assert drafts(manager) == []


def test_it_leaves_over_the_mail_server_without_the_way_of_text_messages(manager, sink):
    born_today(manager)
    assert drafts(manager) == [("email", "released")]
    assert messages.send_waiting(door=None) == {"sent": 1}
    (mail,) = sink.mails
    said = message_from_bytes(mail.content, policy=policy.default)
    assert mail.rcpt_tos == ["shen@mail.example"]
    assert said["Subject"] == "滨江支行"
    body = said.get_content()
    assert "沈雅琴" in body
    assert "TD" not in body
    assert messages.send_waiting() == {}


@pytest.mark.parametrize(
    ("answer", "status"), [("450 later", "released"), ("550 no", "failed"), ("hang up", "uncertain")]
)
def test_what_the_mail_server_says_decides(manager, sink, answer, status):
    born_today(manager)
    drafts(manager)
    sink.answers = [answer]
    assert messages.send_waiting() == {status: 1}
    assert OutboundMessage.objects.get().status == status


def test_the_address_is_kept_nowhere_but_sealed(manager, sink):
    born_today(manager)
    drafts(manager)
    messages.send_waiting()
    assert "shen@mail.example" not in str(list(OutboundMessage.objects.values()))


def test_a_text_for_a_segment_reaches_by_mail_who_has_no_mobile(manager):
    head = StaffFactory(branch=manager.branch, role=Role.BRANCH_HEAD)
    held, other = born_today(manager), born_today(manager, email="")
    segment = Segment.objects.create(name="茶友", branch=manager.branch, owner=head)
    for customer in (held, other):
        SegmentMember.objects.create(segment=segment, customer=customer, since=TODAY)
    assert message_batches.outlook(segment=segment, purpose="care", viewer=manager).gets == 1
    batch = message_batches.propose(segment=segment, purpose="care", body="{name}您好", by=manager)
    message_batches.approve(batch=batch, by=head)
    batch.refresh_from_db()
    assert (batch.drafted, batch.skipped) == (1, {"no_mobile": 1})
    assert batch.messages.get().channel == "email"
