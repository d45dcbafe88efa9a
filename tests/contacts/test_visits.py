"""Planned meetings: who comes along and for how long, what the plan becomes, the sheet to prepare by."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from contacts import contact_log, visit
from contacts.models import CommunicationReport, ContactTask, VisitPlan
from contacts.visit import VisitRefused
from customers import companion
from customers.companion import CompanionRefused
from customers.models import Assignment, Customer, Load, ProfileValue
from tests.factories import AssignmentFactory, HoldingFactory, LoadFactory, ProductFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def own(branch):
    return AssignmentFactory(
        customer__branch=branch, staff=LoadFactory(staff__branch=branch, staff__language="en").staff
    )


@pytest.fixture
def colleague(branch):
    return LoadFactory(staff__branch=branch, staff__name="许静怡").staff


def planned(own, **values):
    usual = {
        "at_day": TODAY + timedelta(days=2),
        "at": time(10),
        "way": "visit",
        "aim": "谈拆迁款安排",
        "place": "客户公司",
    }
    return visit.plan(customer=own.customer, by=own.staff, on=TODAY, **{"companions": []} | usual | values)


def sees(staff, customer) -> bool:
    return Customer.objects.visible_to(staff).filter(pk=customer.pk).exists()


def test_a_companion_sees_the_customer_until_seven_days_after_and_weighs_nothing(own, colleague):
    assert not sees(colleague, own.customer)
    planned(own, companions=[colleague])
    assert sees(colleague, own.customer)
    assert Load.objects.get(staff=colleague).units == 0
    last = TODAY + timedelta(days=9)
    for day, there in ((last - timedelta(days=1), True), (last, False)):
        companion.refresh_branch(branch_id=own.customer.branch_id, on=day)
        assert sees(colleague, own.customer) is there


def test_a_cancelled_meeting_ends_the_sight_and_the_reminder(own, colleague):
    made = planned(own, companions=[colleague])
    assert ContactTask.objects.open().get(reason="visit").due_on == made.on
    visit.cancel(visit=made, by=own.staff, on=TODAY)
    assert not sees(colleague, own.customer) and not ContactTask.objects.open().filter(reason="visit").exists()
    with pytest.raises(VisitRefused):
        visit.cancel(visit=made, by=own.staff, on=TODAY)


@pytest.mark.parametrize(
    "values",
    [{"at_day": TODAY - timedelta(days=1)}, {"at_day": TODAY + timedelta(days=91)}, {"aim": " "}],
)
def test_a_meeting_that_may_not_be_is_refused(own, values):
    with pytest.raises(VisitRefused):
        planned(own, **values)
    assert not VisitPlan.objects.exists() and not ContactTask.objects.filter(reason="visit").exists()


def test_one_meeting_a_day_and_nobody_who_left_comes_along(own, colleague):
    planned(own)
    with pytest.raises(VisitRefused):
        planned(own)
    colleague.is_active = False
    colleague.save()
    with pytest.raises(CompanionRefused), transaction.atomic():
        planned(own, at_day=TODAY + timedelta(days=3), companions=[colleague])
    assert VisitPlan.objects.count() == 1


def test_the_database_wants_an_end_for_a_companion(own, colleague):
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(customer=own.customer, staff=colleague, role="companion", start=TODAY)


def test_logging_the_meeting_holds_the_plan_and_fills_the_report(own, colleague):
    made = planned(own, at_day=TODAY, companions=[colleague])
    log = contact_log.log_contact(
        customer=own.customer, by=own.staff, channel="visit", result="met", on=TODAY, summary="谈妥",
        at=datetime(2026, 11, 25, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
    )  # fmt: skip
    made.refresh_from_db()
    assert (made.status, made.log) == ("held", log)
    kept = CommunicationReport.objects.get(log=log)
    assert kept.ours == f"{own.staff.name}、许静怡" and kept.place == "客户公司"
    assert not ContactTask.objects.open().filter(reason="visit").exists()
    assert sees(colleague, own.customer), "until seven days after"


def test_taking_the_contact_back_lets_the_plan_stand_again(own):
    made = planned(own, at_day=TODAY)
    log = contact_log.log_contact(
        customer=own.customer, by=own.staff, channel="visit", result="met", on=TODAY, summary="谈妥",
        at=datetime(2026, 11, 25, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
    )  # fmt: skip
    contact_log.void(log=log, by=own.staff, on=TODAY)
    made.refresh_from_db()
    assert (made.status, made.log) == ("planned", None)
    assert ContactTask.objects.open().filter(reason="visit").exists()


@pytest.mark.parametrize(
    ("times", "day", "at", "warned"),
    [
        (["morning"], TODAY, time(10), False), (["morning"], TODAY, time(15), True), (["evening"], TODAY, time(19), False),
        (["weekend"], date(2026, 11, 28), time(10), False), (["morning"], date(2026, 11, 28), time(10), True),
        ([], TODAY, time(10), False),
    ],
)  # fmt: skip
def test_another_time_than_the_customer_likes_is_said(own, times, day, at, warned):
    if times:
        ProfileValue.objects.create(customer=own.customer, field="good_times", value=times)
    assert bool(visit.warnings(own.customer, at_day=day, at=at)) is warned
    own.customer.low_disturb = True
    assert len(visit.warnings(own.customer, at_day=day, at=at)) == warned + 1


def test_the_pages_plan_show_and_cancel(client, own, colleague):
    HoldingFactory(
        customer=own.customer, product=ProductFactory(name="大额存单"), matures_on=TODAY + timedelta(days=20)
    )
    client.force_login(own.staff, backend="staff.sign_in.StaffBackend")
    url = reverse("contacts:visit_plan", args=[own.customer_id])
    form = {
        "on": "2026-11-27",
        "at": "10:00",
        "way": "office",
        "place": "",
        "aim": "谈到期安排",
        "companions": [colleague.pk],
    }
    assert client.post(url, form | {"aim": ""}).status_code == 422
    page = client.post(url, form, follow=True).content.decode()
    assert "谈到期安排" in page and "大额存单" in page and "许静怡" in page
    made = VisitPlan.objects.get()
    client.force_login(colleague, backend="staff.sign_in.StaffBackend")
    assert client.get(made.get_absolute_url()).status_code == 200
    assert client.post(reverse("contacts:visit_cancel", args=[made.pk])).status_code == 404, "only who planned it"
    client.force_login(own.staff, backend="staff.sign_in.StaffBackend")
    client.post(reverse("contacts:visit_cancel", args=[made.pk]))
    made.refresh_from_db()
    assert made.status == "cancelled"
    client.force_login(colleague, backend="staff.sign_in.StaffBackend")
    assert client.get(made.get_absolute_url()).status_code == 404
