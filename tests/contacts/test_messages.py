"""Messages to customers: who gets one, drafted once, released by people, sent once within the hours, answered TD."""

from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts import message_answers, message_templates, messages
from contacts.festivals import FESTIVALS, coming, festival_on
from contacts.message_templates import TemplateRefused
from contacts.models import ContactEvent, ContactTask, EventMatch, InboundMessage, MessageTemplate, OutboundMessage
from contacts.sms_gateway import FileGateway, HttpGateway, Refused, TryLater
from customers.identity import sealed_columns
from customers.models import ConsentRecord, Customer
from staff.roles import Role
from tests.factories import AssignmentFactory, BranchFactory, HoldingFactory, LoadFactory, ProductFactory, StaffFactory
from tests.proofs.scene import core_of

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)
MORNING = datetime(2026, 11, 25, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


class Door:
    """A gateway that remembers, and fails as it is told."""

    def __init__(self, *faults):
        self.taken, self.faults = [], list(faults)

    def send(self, *, reference, to, text):
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        self.taken.append((reference, to, text))


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(MORNING, tick=False)
    return time_machine


@pytest.fixture
def branch():
    return BranchFactory(name="滨江支行")


@pytest.fixture
def head(branch):
    return StaffFactory(branch=branch, role=Role.BRANCH_HEAD, language="en")


@pytest.fixture
def manager(branch):
    return LoadFactory(staff__branch=branch, staff__name="林晓雯", staff__language="en").staff


def customer_of(manager, *, mobile="13800138000", **values):
    usual = {"name": "沈雅琴", "gender": "f", "birth_date": date(1970, 11, 25)} | values
    kept = AssignmentFactory(
        customer__branch=manager.branch, staff=manager, **{f"customer__{name}": value for name, value in usual.items()}
    ).customer
    Customer.objects.filter(pk=kept.pk).update(**sealed_columns(id_no="", mobile=mobile, address=""))
    return Customer.objects.get(pk=kept.pk)


def drafted(branch, on=TODAY) -> list[OutboundMessage]:
    messages.draft_branch(branch_id=branch.pk, on=on)
    return list(OutboundMessage.objects.order_by("pk"))


def answered(text, by, *, number="13800138000", external_id="r1"):
    return message_answers.receive(external_id=external_id, mobile=number, text=text, at=MORNING, by=by)


# --- Festivals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-02-17", "春节"), ("2026-06-19", "端午节"), ("2026-09-25", "中秋节"), ("2026-10-18", "重阳节"),
        ("2027-02-06", "春节"), ("2026-01-01", "元旦"), ("2026-04-05", None), ("2026-10-01", "国庆节"),
    ],
)  # fmt: skip
def test_festivals_fall_on_the_days_of_the_almanac(day, name):
    """domain.md §8 gives the days; 清明 has no greeting."""
    found = festival_on(date.fromisoformat(day))
    assert (found.name if found else None) == name


def test_major_festivals_stand_in_view_for_a_week_others_for_three_days():
    spring = date(2026, 2, 17)
    assert [one.name for _on, one in coming(spring - timedelta(days=7))] == ["春节"]
    assert not coming(spring - timedelta(days=8))
    assert not coming(date(2026, 12, 28)), "New Year's Day is not a major one"
    assert [one.name for _on, one in coming(date(2026, 12, 29))] == ["元旦"]
    assert next(one for one in FESTIVALS if one.name == "端午节").wish == "安康"


# --- Drafting ------------------------------------------------------------------------------------------


def test_a_birthday_greeting_is_drafted_once_and_leaves_by_itself(branch, manager):
    customer = customer_of(manager)
    customer_of(manager, mobile="13900139000", birth_date=date(1970, 11, 26))
    (message,) = drafted(branch)
    assert message.customer == customer and message.status == "released"
    assert message.body == "沈雅琴女士，生日快乐！愿您身体康健、诸事顺遂。滨江支行林晓雯敬上。退订回TD"
    assert len(drafted(branch)) == 1, "the second run drafts nothing"

    door = Door()
    assert messages.send_waiting(door=door) == {"sent": 1}
    assert door.taken == [(message.reference, "13800138000", message.body)]
    assert messages.send_waiting(door=door) == {} and len(door.taken) == 1


@pytest.mark.parametrize(
    ("values", "gets"), [({"lunar_birthday": "10-17"}, True), ({"lunar_birthday": "10-18"}, False)]
)
def test_who_keeps_the_lunar_birthday_is_greeted_on_its_day(branch, manager, values, gets):
    """25 November 2026 is 十月十七."""
    customer_of(manager, birth_date=date(1970, 5, 1), **values)
    assert bool(drafted(branch)) is gets


@pytest.mark.parametrize(
    ("name", "values", "gets"),
    [
        ("端午节", {}, True),
        ("妇女节", {}, True), ("妇女节", {"gender": "m"}, False),
        ("教师节", {"occupation": "中学教师"}, True), ("教师节", {"occupation": "医生"}, False),
        ("重阳节", {"birth_date": date(1966, 10, 18)}, True), ("重阳节", {"birth_date": date(1966, 10, 19)}, False),
        ("儿童节", {}, False),
    ],
)  # fmt: skip
def test_a_festival_greeting_goes_to_whom_it_is_for_and_waits_for_release(branch, manager, name, values, gets):
    customer_of(manager, **{"birth_date": date(1970, 12, 25)} | values)
    day = next(one for one in FESTIVALS if one.name == name).on(2026)
    found = [message for message in drafted(branch, day) if message.kind == "festival"]
    assert bool(found) is gets
    if gets:
        assert found[0].status == "drafted" and name in found[0].body


def test_a_maturity_reminder_names_product_and_day(branch, manager):
    customer = customer_of(manager, birth_date=None)
    HoldingFactory(customer=customer, product=ProductFactory(name="大额存单"), matures_on=TODAY + timedelta(days=3))
    (message,) = drafted(branch)
    assert "您的大额存单将于11月28日到期" in message.body and message.purpose == "service"


@pytest.mark.parametrize(
    "change",
    [
        {"mobile_masked": ""},
        {"do_not_contact": True},
        {"relation_status": "terminated"},
        {"refused": True},
        {"unmanaged": True},
    ],
)
def test_who_may_not_be_written_to_gets_no_draft(branch, manager, change):
    customer = customer_of(manager)
    if change.pop("refused", False):
        ConsentRecord.objects.create(customer=customer, purpose="care", channel="sms", granted=False, at=timezone.now())
    if change.pop("unmanaged", False):
        customer.assignments.update(end=TODAY)
    Customer.objects.filter(pk=customer.pk).update(**change) if change else None
    assert drafted(branch) == []


def test_marketing_stops_at_two_a_week(branch, manager):
    customer = customer_of(manager)
    ConsentRecord.objects.create(customer=customer, purpose="marketing", channel="sms", granted=True, at=timezone.now())
    template = MessageTemplate.objects.get(kind="festival")
    here = Customer.objects.filter(pk=customer.pk)
    for number in range(2):
        assert messages.recipients(here, "marketing").exists()
        OutboundMessage.objects.create(
            key=f"m{number}", customer=customer, kind="festival", purpose="marketing", template=template, body="x",
            occasion_on=TODAY,
        )  # fmt: skip
    assert not messages.recipients(here, "marketing").exists()
    OutboundMessage.objects.filter(key="m1").update(status="cancelled")
    assert messages.recipients(here, "marketing").exists()


# --- Releasing and sending -----------------------------------------------------------------------------


def message_to(customer, **values):
    usual = {"kind": "festival", "purpose": "care", "body": "祝好", "occasion_on": TODAY, "key": f"k{customer.pk}"}
    usual["not_before"] = MORNING - timedelta(hours=1)  # the database's own clock is the real one
    return OutboundMessage.objects.create(
        customer=customer, template=MessageTemplate.objects.get(kind="festival"), **usual | values
    )


def test_people_release_their_own_customers_messages_and_nobody_elses(branch, manager, head):
    own, other = customer_of(manager), customer_of(LoadFactory(staff__branch=branch).staff, mobile="13900139000")
    drafts = [message_to(own), message_to(other)]
    assert messages.release(messages=[one.pk for one in drafts], by=manager) == 1
    assert messages.release(messages=[one.pk for one in drafts], by=head) == 1
    teller = LoadFactory(staff__branch=branch, staff__role=Role.TELLER, platinum_limit=0, diamond_limit=0).staff
    with pytest.raises(messages.MessageRefused):
        messages.release(messages=[drafts[0].pk], by=teller)


@pytest.mark.parametrize(("hour", "minute", "leaves"), [(8, 59, False), (9, 0, True), (19, 59, True), (20, 0, False)])
def test_messages_leave_between_nine_and_eight(branch, manager, clock, hour, minute, leaves):
    message_to(customer_of(manager), status="released", released_at=MORNING - timedelta(days=1),
               not_before=MORNING - timedelta(days=1))  # fmt: skip
    clock.move_to(MORNING.replace(hour=hour, minute=minute), tick=False)
    assert messages.send_waiting(door=Door()) == ({"sent": 1} if leaves else {})


def test_a_refusal_between_release_and_sending_is_honoured(branch, manager):
    customer = customer_of(manager)
    message = message_to(customer, status="released", released_at=MORNING)
    ConsentRecord.objects.create(customer=customer, purpose="care", channel="sms", granted=False, at=timezone.now())
    door = Door()
    assert messages.send_waiting(door=door) == {"skipped": 1} and not door.taken
    message.refresh_from_db()
    assert message.why == "not_reachable"


def test_a_provider_that_is_down_is_tried_again_and_one_that_refuses_is_not(branch, manager, clock):
    message = message_to(customer_of(manager), status="released", released_at=MORNING)
    door = Door(TryLater("HTTP 503"), None)
    assert messages.send_waiting(door=door) == {"released": 1}
    assert messages.send_waiting(door=door) == {}, "it waits"
    clock.move_to(MORNING + timedelta(hours=1), tick=False)
    assert messages.send_waiting(door=door) == {"sent": 1}
    assert door.taken[0][0] == message.reference, "the same reference at every try"
    refused = message_to(customer_of(manager, mobile="13900139000"), status="released", released_at=MORNING)
    assert messages.send_waiting(door=Door(Refused("HTTP 400"))) == {"failed": 1}
    refused.refresh_from_db()
    assert refused.why == "HTTP 400"


def test_a_sender_that_died_leaves_it_uncertain_and_it_is_never_sent_by_itself(branch, manager, clock):
    message = message_to(
        customer_of(manager), status="sending", released_at=MORNING, lease_until=MORNING + timedelta(minutes=5)
    )
    clock.move_to(MORNING + timedelta(minutes=6), tick=False)
    door = Door()
    assert messages.send_waiting(door=door) == {"uncertain": 1} and not door.taken
    assert messages.send_waiting(door=door) == {}
    assert messages.delivered(reference=message.reference, ok=True, by=core_of(message.customer.branch))
    message.refresh_from_db()
    assert message.status == "delivered"


# --- Answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["TD", "td ", "退订"])
def test_td_withdraws_every_consent_over_sms_and_cancels_what_waits(branch, manager, text):
    customer, provider = customer_of(manager), core_of(branch)
    ConsentRecord.objects.create(
        customer=customer, purpose="marketing", channel="sms", granted=True, at=MORNING - timedelta(days=9)
    )
    waiting = message_to(customer)
    assert answered(text, provider).withdrew
    answered(text, provider)
    waiting.refresh_from_db()
    assert (waiting.status, InboundMessage.objects.count()) == ("cancelled", 1)
    here = Customer.objects.filter(pk=customer.pk)
    assert not any(messages.recipients(here, purpose).exists() for purpose in ("care", "marketing", "activity"))
    assert messages.recipients(here, "service").exists(), "what the contract asks for may still be said"


def test_another_answer_comes_before_the_manager(branch, manager):
    customer_of(manager)
    answered("存单到期帮我转存", core_of(branch))
    task = ContactTask.objects.get(reason="replied")
    assert (task.due_on, task.figures["text"]) == (date(2026, 11, 26), "存单到期帮我转存")


def test_an_unknown_number_or_one_out_of_the_providers_sight_is_kept_with_nobody(branch, manager):
    customer_of(manager)
    assert answered("好", core_of(branch), number="13700000000").customer is None
    assert answered("好", core_of(BranchFactory(), "other"), external_id="r2").customer is None


def test_a_number_that_two_share_is_refused_for_both(branch, manager):
    pair = [customer_of(manager), customer_of(manager, name="周家海")]
    answered("TD", core_of(branch))
    here = Customer.objects.filter(pk__in=[one.pk for one in pair])
    assert not messages.recipients(here, "care").exists()


@pytest.mark.parametrize(
    ("kind", "days", "outcome"),
    [("birthday", 1, "skipped"), ("festival", 1, "skipped"), ("festival", 0, "sent"), ("maturity", 1, "sent")],
)
def test_a_greeting_does_not_leave_after_its_day(branch, manager, kind, days, outcome):
    message_to(
        customer_of(manager),
        kind=kind,
        status="released",
        released_at=MORNING,
        occasion_on=TODAY - timedelta(days=days),
    )
    assert messages.send_waiting(door=Door()) == {outcome: 1}


def test_the_second_marketing_message_of_a_week_leaves(branch, manager):
    customer = customer_of(manager)
    ConsentRecord.objects.create(customer=customer, purpose="marketing", channel="sms", granted=True, at=timezone.now())
    for number in range(2):
        message_to(customer, key=f"m{number}", purpose="marketing", status="released", released_at=MORNING)
    assert messages.send_waiting(door=Door()) == {"sent": 2}


# --- Words ---------------------------------------------------------------------------------------------


def test_one_person_writes_and_another_approves(head):
    office = StaffFactory(role=Role.RETAIL_ADMIN)
    waiting = message_templates.edit(
        kind="festival", body="{name}{title}，{festival}{wish}！", auto_release=False, by=head
    )
    with pytest.raises(TemplateRefused):
        message_templates.approve(template=waiting, by=head)
    message_templates.approve(template=waiting, by=office)
    assert MessageTemplate.objects.get(kind="festival", status="approved") == waiting
    assert MessageTemplate.objects.filter(kind="festival").count() == 2, "the words before are kept"


@pytest.mark.parametrize("body", ["", "  ", "{nam}您好", "{product}", "{name您好", "本产品保本保息，{name}"])
def test_words_that_may_not_be_are_refused(head, body):
    with pytest.raises(TemplateRefused):
        message_templates.edit(kind="festival", body=body, auto_release=False, by=head)
    assert not MessageTemplate.objects.filter(status="draft").exists()


# --- Gateways ------------------------------------------------------------------------------------------


@pytest.fixture
def provider():
    """A real HTTP server that answers with the codes it is given."""
    codes, seen = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            seen.append((self.headers["Authorization"], body))
            self.send_response(codes.pop(0))
            self.end_headers()

        def log_message(self, *args):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/send", codes, seen
    server.shutdown()
    server.server_close()


def test_the_http_gateway_posts_and_reads_the_code(provider):
    url, codes, seen = provider
    door = HttpGateway(url, "secret-of-the-test")
    codes += [200, 503, 429, 400]
    door.send(reference="vip-1", to="13800138000", text="祝好")
    assert seen[0][0] == "Bearer secret-of-the-test" and '"reference": "vip-1"' in seen[0][1]
    for fault in (TryLater, TryLater, Refused):
        with pytest.raises(fault):
            door.send(reference="vip-1", to="13800138000", text="祝好")
    with pytest.raises(TryLater):
        HttpGateway("http://127.0.0.1:9/none", "").send(reference="vip-1", to="1", text="x")


def test_the_file_gateway_writes_a_line(tmp_path):
    FileGateway(tmp_path / "sms.jsonl").send(reference="vip-1", to="13800138000", text="祝好")
    assert "祝好" in (tmp_path / "sms.jsonl").read_text()


# --- Pages ---------------------------------------------------------------------------------------------


def test_a_manager_releases_the_ticked_ones_on_the_page(client, branch, manager):
    first, second = customer_of(manager), customer_of(manager, mobile="13900139000", name="陈国栋")
    sent, left = message_to(first), message_to(second)
    client.force_login(manager, backend="staff.sign_in.StaffBackend")
    page = client.get(reverse("contacts:message_list")).content.decode()
    assert "沈雅琴" in page and "祝好" in page and "13800138000" not in page
    client.post(reverse("contacts:message_act"), {"message": [sent.pk], "act": "release"})
    client.post(reverse("contacts:message_act"), {"message": [left.pk], "act": "cancel"})
    assert dict(OutboundMessage.objects.values_list("pk", "status")) == {sent.pk: "released", left.pk: "cancelled"}
    assert client.post(reverse("contacts:message_act"), {"message": ["x"]}).status_code == 400


def test_the_words_are_edited_and_approved_on_their_page(client, head):
    client.force_login(head, backend="staff.sign_in.StaffBackend")
    url = reverse("contacts:template_edit", args=["birthday"])
    assert client.post(url, {"body": "{nam}"}).status_code == 422
    client.post(url, {"body": "{name}{title}，生日快乐！", "auto_release": "on"})
    waiting = MessageTemplate.objects.get(status="draft")
    assert client.post(reverse("contacts:template_approve", args=[waiting.pk])).status_code == 403
    office = StaffFactory(role=Role.RETAIL_ADMIN, language="en")
    client.force_login(office, backend="staff.sign_in.StaffBackend")
    assert "Approve" in client.get(reverse("contacts:template_list")).content.decode()
    client.post(reverse("contacts:template_approve", args=[waiting.pk]))
    assert MessageTemplate.objects.get(kind="birthday", status="approved") == waiting


@pytest.mark.parametrize(
    ("entered", "appears", "drafted_on"),
    [
        ("2026-11-24 10:00+08:00", "2026-11-20", 25),
        ("2026-11-20 10:00+08:00", "2026-11-25", 25),
        ("2026-11-20 10:00+08:00", "2026-11-24", 24),
    ],
)
def test_an_event_of_a_product_is_told_once_on_its_first_morning(branch, manager, head, entered, appears, drafted_on):
    told, skipped = customer_of(manager, birth_date=None), customer_of(manager, mobile="13800138001", birth_date=None)
    ConsentRecord.objects.create(customer=told, purpose="marketing", channel="sms", granted=True)
    made = ContactEvent.objects.create(
        branch=branch, kind="new_product", title="新发", occurs_on=appears, appears_on=appears, expires_on=date(2026, 12, 5),
        product=ProductFactory(name="安鑫一号"), entered_by=head,
    )  # fmt: skip
    ContactEvent.objects.filter(pk=made.pk).update(entered_at=entered)
    EventMatch.objects.create(event=made, customer=told)
    EventMatch.objects.create(event=made, customer=skipped, skip="no_consent")
    days = [day for day in (23, 24, 25, 26) if messages.draft_branch(branch_id=branch.pk, on=date(2026, 11, day))]
    assert days == [drafted_on]
    one = OutboundMessage.objects.get()
    assert (one.customer, one.status, one.purpose) == (told, "drafted", "marketing")
    assert "安鑫一号" in one.body
