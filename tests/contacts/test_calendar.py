"""The calendar page, and the file under a secret address: how many, never who."""

from datetime import date, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from contacts import calendar, calendar_feed
from contacts.models import CalendarFeed, VisitPlan
from tests.factories import AssignmentFactory, ContactTaskFactory, HoldingFactory, LoadFactory, ProductFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 25)


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-25 10:00 +0800", tick=False)


@pytest.fixture
def own():
    row = AssignmentFactory(customer__name="沈雅琴", staff=LoadFactory(staff__language="zh-hans").staff)
    ContactTaskFactory(customer=row.customer, source="manual", reason="planned", due_on=date(2026, 11, 27))
    ContactTaskFactory(customer=row.customer, source="regime", reason="missed_month", due_on=date(2026, 11, 27))
    HoldingFactory(customer=row.customer, product=ProductFactory(name="大额存单"), matures_on=date(2026, 11, 30))
    return row


def signed_in(client, staff):
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    return client


def test_the_page_shows_plans_and_maturities_on_their_days(client, own, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        weeks = calendar.page_for(staff=own.staff, month=TODAY, on=TODAY)
    days = {day.on: [entry.words for entry in day.entries] for week in weeks for day in week if day.entries}
    assert days == {date(2026, 11, 27): ["约定联络"], date(2026, 11, 30): ["大额存单到期"]}
    page = signed_in(client, own.staff).get(reverse("contacts:calendar")).content.decode()
    assert page.count("沈雅琴") == 2 and "大额存单" in page
    assert "元旦" in client.get(reverse("contacts:calendar"), {"month": "2027-01"}).content.decode()
    assert client.get(reverse("contacts:calendar"), {"month": "2027-13"}).status_code == 200
    other = signed_in(Client(), LoadFactory(staff__branch=own.staff.branch).staff)
    assert "沈雅琴" not in other.get(reverse("contacts:calendar")).content.decode()


def test_the_file_says_how_many_and_never_who(own):
    text = calendar_feed.days_of(staff=own.staff, on=TODAY)
    assert "沈雅琴" not in text and "大额存单" not in text and "100" not in text
    assert text.startswith("BEGIN:VCALENDAR\r\n") and text.endswith("END:VCALENDAR\r\n")
    assert text.count("BEGIN:VEVENT") == 3, "a plan, a maturity, New Year's Day"
    assert "DTSTART;VALUE=DATE:20261127" in text and "DTEND;VALUE=DATE:20261128" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_the_secret_address_is_shown_once_renewed_and_ended(client, own):
    signed_in(client, own.staff)
    url = reverse("contacts:calendar_address")
    address = client.post(url, follow=True).context["address"]
    stranger = Client()
    answer = stranger.get(address)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/calendar")
    kept = CalendarFeed.objects.get()
    assert kept.secret_hash not in address and kept.read_at
    assert address not in client.get(reverse("contacts:calendar")).content.decode()

    renewed = client.post(url, follow=True).context["address"]
    assert stranger.get(address).status_code == 404 and stranger.get(renewed).status_code == 200
    client.post(url, {"act": "end"})
    assert stranger.get(renewed).status_code == 404


def test_who_left_the_bank_has_no_address_any_more(own):
    secret = calendar_feed.renew(staff=own.staff)
    own.end = TODAY
    own.save()
    own.staff.is_active = False
    own.staff.save()
    assert calendar_feed.owner_of(secret) is None


def test_long_lines_are_folded_between_letters():
    folded = list(calendar_feed._folded("SUMMARY:" + "节" * 60))
    assert all(len(part.encode()) <= 75 for part in folded) and len(folded) > 2
    assert "".join([folded[0], *(part[1:] for part in folded[1:])]) == "SUMMARY:" + "节" * 60


def test_meetings_stand_at_their_hour_without_the_customer(own):
    VisitPlan.objects.create(
        customer=own.customer,
        staff=own.staff,
        on=TODAY + timedelta(days=1),
        at=time(15, 30),
        way="office",
        aim="谈家族信托",
    )
    text = calendar_feed.days_of(staff=own.staff, on=TODAY)
    assert f"DTSTART:{TODAY + timedelta(days=1):%Y%m%d}T073000Z" in text
    assert f"DTEND:{TODAY + timedelta(days=1):%Y%m%d}T083000Z" in text
    for words in (own.customer.name, own.customer.customer_no, "谈家族信托"):
        assert words not in text
