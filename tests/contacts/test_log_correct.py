"""A contact is corrected by a new version: the earlier one is kept, what it closed stays, and time is not gained by it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from contacts import contact_log
from contacts.contact_log import AlreadyVoided, BadContact, NotOpenToYou
from contacts.models import ContactLog
from customers.models import Customer
from tests.factories import AssignmentFactory, ContactTaskFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def own(branch):
    return AssignmentFactory(
        customer__branch=branch, customer__service_tier=3, staff=LoadFactory(staff__branch=branch).staff
    )


@pytest.fixture
def task(own):
    return ContactTaskFactory(customer=own.customer, due_on=TODAY)


@pytest.fixture
def log(own, task):
    return contact_log.log_contact(
        customer=own.customer, by=own.staff, channel="phone", result="connected", at=NOW - timedelta(hours=1), on=TODAY,
        summary="存单会续", closes=[task.pk],
    )  # fmt: skip


def corrected(log, **values):
    usual = {"channel": "phone", "at": log.at, "minutes": None, "purpose": "care", "summary": "存单不续，转理财"}
    return contact_log.correct(log=log, by=values.pop("by", log.staff), on=values.pop("on", TODAY), **usual | values)


def test_the_earlier_words_are_kept_and_what_was_closed_stays(log, task):
    corrected(log)
    corrected(log, summary="转理财三个月", minutes=12)
    log.refresh_from_db()
    task.refresh_from_db()
    assert (log.summary, log.minutes) == ("转理财三个月", 12)
    assert [version.summary for version in log.versions.all()] == ["存单不续，转理财", "存单会续"]
    assert task.closed_by_log == log
    assert ContactLog.objects.count() == 1


def test_another_way_counts_otherwise_and_asks_for_a_report(log):
    assert Customer.objects.get(pk=log.customer_id).contact_phones == 1
    corrected(log, channel="office")
    log.refresh_from_db()
    customer = Customer.objects.get(pk=log.customer_id)
    assert (log.result, log.counts_as) == ("met", "meeting")
    assert (customer.contact_phones, customer.contact_meetings, customer.contact_state) == (0, 1, "met")
    assert log.report.status == "draft"
    with pytest.raises(BadContact):
        corrected(log, channel="phone")


def test_moved_to_another_day_it_is_entered_today_and_may_be_late(log, clock):
    clock.move_to(NOW + timedelta(days=3), tick=False)
    corrected(log, on=TODAY + timedelta(days=3))
    assert not ContactLog.objects.get().is_late
    corrected(log, on=TODAY + timedelta(days=3), at=NOW - timedelta(days=10))
    late = ContactLog.objects.get()
    assert late.is_late
    assert late.counts_as == "nothing"


@pytest.mark.parametrize("values", [{"summary": " "}, {"at": NOW + timedelta(days=1)}])
def test_what_no_contact_may_say_is_refused(log, values):
    with pytest.raises(BadContact):
        corrected(log, **values)
    assert not log.versions.exists()


def test_only_its_author_corrects_it_and_not_once_it_is_taken_back(log, branch):
    with pytest.raises(NotOpenToYou):
        corrected(log, by=StaffFactory(branch=branch))
    contact_log.void(log=log, by=log.staff, on=TODAY)
    with pytest.raises(AlreadyVoided):
        corrected(log)


def test_the_page_is_filled_in_and_shows_what_was_said_before(client, log):
    client.force_login(log.staff)
    url = reverse("contacts:log_correct", args=[log.pk])
    assert "存单会续" in client.get(url).text
    at = "2026-11-20T09:00"
    client.post(url, {"channel": "phone", "at": at, "purpose": "care", "summary": "改为转理财"})
    page = client.get(url).text
    assert "改为转理财" in page
    assert "存单会续" in page
    ledger = client.get(reverse("contacts:panel_timeline", args=[log.customer_id])).text
    assert "已更正" in ledger
    assert url in ledger
    assert client.post(url, {"channel": "phone", "at": at, "purpose": "care", "summary": ""}).status_code == 422
