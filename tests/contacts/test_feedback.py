"""Complaints with their deadlines, who is told, and whether a customer is cared for or only sold to."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from contacts import care, event, feedback, messages
from contacts.feedback import FeedbackRefused
from contacts.models import ContactTask, Feedback
from customers.models import Customer
from staff.models import OutboxEmail
from tests.factories import (
    AssignmentFactory,
    ContactLogFactory,
    LoadFactory,
    OpportunityFactory,
    ProductFactory,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 27)  # a Friday


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-27 10:00 +0800", tick=False)


@pytest.fixture
def own(branch):
    return AssignmentFactory(
        customer__branch=branch, customer__name="欧阳慧敏", customer__birth_date=date(1990, 1, 1), customer__risk_grade=3,
        customer__risk_assessed_on=TODAY, staff=LoadFactory(staff__branch=branch, staff__language="en").staff,
    )  # fmt: skip


def entered(own, kind="complaint", score=None, **values):
    usual = {"area": "software", "text": "等了四十分钟没人招呼", "by": own.staff, "on": TODAY}
    return feedback.enter(customer=own.customer, kind=kind, score=score, **usual | values)


def test_a_complaint_is_answered_in_a_working_day_and_settled_in_fifteen(own):
    made = entered(own)
    task = ContactTask.objects.open().get(reason="complaint")
    assert (task.due_on, made.settle_due) == (date(2026, 11, 30), TODAY + timedelta(days=15))
    with pytest.raises(FeedbackRefused):
        feedback.settle(feedback=made, outcome="已致歉", by=own.staff, on=TODAY)
    feedback.answer(feedback=made, text="已致电致歉并说明", by=own.staff, on=TODAY)
    task.refresh_from_db()
    assert task.due_on == made.settle_due
    with pytest.raises(FeedbackRefused):
        feedback.answer(feedback=made, text="再答一次", by=own.staff, on=TODAY)
    feedback.settle(feedback=made, outcome="增设贵宾叫号", by=own.staff, on=TODAY)
    assert not ContactTask.objects.open().filter(reason="complaint").exists()
    with pytest.raises(FeedbackRefused):
        feedback.settle(feedback=made, outcome="又一次", by=own.staff, on=TODAY)


@pytest.mark.parametrize(
    ("score", "born", "told"), [(2, 1990, 1), (1, 1982, 1), (3, 1990, 0), (2, 1981, 0), (None, 1990, 0)]
)
def test_an_unhappy_young_customer_comes_before_the_head_the_same_day(own, head, score, born, told):
    Customer.objects.filter(pk=own.customer_id).update(birth_date=date(born, 1, 1))
    own.customer.refresh_from_db()
    entered(own, kind="suggestion", score=score)
    mails = OutboxEmail.objects.all()
    assert len(mails) == told
    if told:
        assert mails[0].to == head.email and "慧敏" not in mails[0].subject + mails[0].text


def test_while_a_complaint_is_open_nothing_is_sold(own, head):
    made = entered(own)
    assert care.care_of(own.customer, TODAY).has_complaint and care.care_of(own.customer, TODAY).warnings(TODAY)
    own.customer.consents.create(purpose="marketing", channel="sms", granted=True)
    told = event.publish(
        kind="new_product",
        title="新品",
        product=ProductFactory(risk_level=1),
        occurs_on=TODAY,
        by=head,
        branch=head.branch,
        on=TODAY,
    )
    assert told.matches.get().skip == "complaint"
    here = Customer.objects.filter(pk=own.customer_id)
    here.update(mobile_masked="138 **** 8000")
    assert not messages.recipients(here, "marketing").exists()
    feedback.answer(feedback=made, text="x", by=own.staff, on=TODAY)
    feedback.settle(feedback=made, outcome="x", by=own.staff, on=TODAY)
    assert messages.recipients(here, "marketing").exists()


@pytest.mark.parametrize(
    ("purposes", "sold"),
    [
        (["product"] * 2 + ["care"], True),
        (["product", "care"], False),
        (["product"] * 2, False),
        (["product"] * 2 + ["care"] * 2, False),
    ],
)
def test_more_than_half_about_products_is_sold_to(own, purposes, sold):
    for n, purpose in enumerate(purposes):
        ContactLogFactory(customer=own.customer, staff=own.staff, purpose=purpose, on=TODAY - timedelta(days=20 + n))
    assert care.care_of(own.customer, TODAY).is_sold_to is sold


@pytest.mark.parametrize(
    ("quiet", "ago", "waits"), [(False, 6, True), (False, 7, False), (True, 29, True), (True, 30, False)]
)
def test_one_offer_a_week_and_a_month_for_quiet_customers(own, quiet, ago, waits):
    own.customer.low_disturb = quiet
    ContactLogFactory(customer=own.customer, staff=own.staff, purpose="product", on=TODAY - timedelta(days=ago))
    assert bool(care.care_of(own.customer, TODAY).warnings(TODAY)) is waits


@pytest.mark.parametrize(("refusals", "ago", "waits"), [(4, 29, True), (4, 30, False), (3, 1, False)])
def test_four_refusals_pause_offers_for_a_month(own, refusals, ago, waits):
    for n in range(refusals):
        OpportunityFactory(
            customer=own.customer, owner=own.staff, stage="lost", lost_reason="no_need", kind=["retention", "upgrade", "acquire", "sign_up"][n],
            closed_on=TODAY - timedelta(days=ago),
        )  # fmt: skip
    assert bool(care.care_of(own.customer, TODAY).warnings(TODAY)) is waits


def test_the_pages_from_entering_to_settling(client, own, branch):
    client.force_login(own.staff, backend="staff.sign_in.StaffBackend")
    url = reverse("contacts:feedback_enter", args=[own.customer_id])
    assert client.post(url, {"kind": "complaint", "area": "software", "text": ""}).status_code == 422
    client.post(url, {"kind": "complaint", "area": "software", "score": "2", "text": "等了四十分钟"})
    made = Feedback.objects.get()
    assert "等了四十分钟" in client.get(reverse("contacts:feedback_list")).content.decode()
    step = reverse("contacts:feedback_step", args=[made.pk])
    for act, words in (("answer", "已致歉"), ("settle", "已改进")):
        client.post(step, {"act": act, "words": words})
    panel = client.get(reverse("contacts:panel_feedback", args=[own.customer_id])).content.decode()
    assert "已致歉" in panel and "已改进" in panel
    assert client.post(step, {"act": "other"}).status_code == 404
    drawer = client.get(reverse("contacts:log", args=[own.customer_id])).content.decode()
    assert "A complaint is open" not in drawer
    client.force_login(LoadFactory(staff__branch=branch).staff, backend="staff.sign_in.StaffBackend")
    assert client.post(step, {"act": "answer", "words": "x"}).status_code == 404
