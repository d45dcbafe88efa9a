"""The communication report: when one is due, what submitting it does, that its words stay, who reads it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from contacts import contact_log, report
from contacts.models import CommunicationReport, ContactTask
from contacts.report import ReportRefused
from customers.models import ProfileValue
from staff.roles import Role
from tests.factories import (
    AssignmentFactory,
    LoadFactory,
    OpportunityFactory,
    ProductFactory,
    StaffFactory,
    sign_in,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 20)  # a Friday
WORDS = {"situation": "拆迁款下月到账", "attitude": "positive", "needs": "稳健增值 50 万，年底前"}


@pytest.fixture(autouse=True)
def today(time_machine):
    time_machine.move_to("2026-11-20 10:00 +0800", tick=False)


@pytest.fixture
def own(branch):
    return AssignmentFactory(
        customer__branch=branch, staff=LoadFactory(staff__branch=branch, staff__language="en").staff
    )


def logged(own, channel="visit", **values):
    result = contact_log.REACHED[channel] if values.pop("reached", True) else "not_reached"
    usual = {"summary": "家里拆迁，问怎么打理", "at": datetime(2026, 11, 20, 9, tzinfo=ZoneInfo("Asia/Shanghai"))}
    return contact_log.log_contact(
        customer=own.customer, by=own.staff, channel=channel, result=result, on=TODAY, **usual | values
    )


def written(own, log=None, *, promises=(), profile=None, products=(), **words):
    draft = (log or logged(own)).report
    return report.write(
        report=draft, words=WORDS | words, promises=list(promises), profile=profile or {}, products=list(products),
        by=own.staff, on=TODAY,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "values", "due"),
    [("visit", {}, True), ("office", {}, True), ("video", {}, True), ("phone", {}, False), ("wechat", {}, False),
     ("visit", {"reached": False}, False)],
)  # fmt: skip
def test_each_meeting_asks_for_a_report_within_a_working_day(own, channel, values, due):
    log = logged(own, channel, **values)
    assert CommunicationReport.objects.filter(log=log).exists() is due
    tasks = ContactTask.objects.open().filter(reason="report_due")
    assert [task.due_on for task in tasks] == ([date(2026, 11, 23)] if due else []), "Friday's report is due on Monday"


def test_a_call_that_moves_an_opportunity_asks_for_one_too(own):
    deal = OpportunityFactory(customer=own.customer, owner=own.staff)
    assert logged(own, "phone", moves=[deal]).report.due_on == date(2026, 11, 23)


def test_a_contact_taken_back_takes_its_draft_along_and_leaves_a_submitted_one(own):
    first = logged(own)
    contact_log.void(log=first, by=own.staff, on=TODAY)
    assert not CommunicationReport.objects.exists()
    assert not ContactTask.objects.open().filter(reason="report_due").exists()
    second = logged(own, "office")
    report.submit(report=written(own, second), by=own.staff, on=TODAY)
    contact_log.void(log=second, by=own.staff, on=TODAY)
    assert CommunicationReport.objects.count() == 1


def test_submitting_makes_tasks_of_promises_and_fills_the_archive(own):
    draft = written(
        own, promises=[{"what": "送大额存单资料", "due": "2026-11-25"}, {"what": " ", "due": ""}],
        profile={"post": "科长", "retirement_date": "2030-06-01"}, products=[ProductFactory(category="wealth", risk_level=3)],
    )  # fmt: skip
    assert draft.products[0]["refusals"], "nobody assessed: the report says so"

    report.submit(report=draft, by=own.staff, on=TODAY)

    promise = ContactTask.objects.open().get(reason="promise")
    assert (promise.due_on, promise.figures["what"]) == (date(2026, 11, 25), "送大额存单资料")
    held = dict(ProfileValue.objects.current().filter(customer=own.customer).values_list("field", "value"))
    assert held["post"] == "科长" and held["retirement_date"] == "2030-06-01"
    assert ContactTask.objects.get(reason="report_due").status == "done"


@pytest.mark.parametrize(
    ("words", "promises", "fault"),
    [
        ({"situation": ""}, [], True),
        ({"attitude": ""}, [], True),
        ({}, [{"what": "送资料", "due": ""}], True),
        ({}, [], False),
    ],
)
def test_what_is_missing_is_refused_and_nothing_happens(own, words, promises, fault):
    draft = written(own, promises=promises, **words)
    if not fault:
        assert report.submit(report=draft, by=own.staff, on=TODAY).status == "submitted"
        return
    with pytest.raises(ReportRefused):
        report.submit(report=draft, by=own.staff, on=TODAY)
    assert not ContactTask.objects.filter(reason="promise").exists()
    assert CommunicationReport.objects.get().status == "draft"


def test_a_sealed_field_is_not_written_into_a_report(own):
    with pytest.raises(ReportRefused):
        written(own, profile={"second_contact": "13800001111"})


@pytest.mark.parametrize("values", [{"situation": "改了"}, {"promises": []}, {"attitude": "negative"}])
def test_the_database_refuses_to_change_a_submitted_report(own, values):
    kept = report.submit(report=written(own, promises=[{"what": "x", "due": "2026-11-25"}]), by=own.staff, on=TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        CommunicationReport.objects.filter(pk=kept.pk).update(**values)
    with pytest.raises(ReportRefused):
        written(own, kept.log)


def test_the_head_reads_or_sends_back_and_the_author_is_reminded(own, head):
    kept = report.submit(report=written(own), by=own.staff, on=TODAY)
    with pytest.raises(ReportRefused):
        report.review(report=kept, by=own.staff)
    with pytest.raises(ReportRefused):
        report.send_back(report=kept, by=head, comment=" ", on=TODAY)
    back = report.send_back(report=kept, by=head, comment="请补充产品匹配情况", on=TODAY)
    assert back.is_open and ContactTask.objects.open().get(reason="report_due").due_on == date(2026, 11, 23)

    again = report.submit(report=written(own, kept.log, situation="补充：拟买 R2 产品"), by=own.staff, on=TODAY)
    assert report.review(report=again, by=head, comment="好").status == "reviewed"
    added = report.add(report=again, text="客户已确认金额", by=own.staff)
    assert list(again.addenda.all()) == [added]


def test_the_pages_from_writing_to_reading(client, own, head):
    draft = logged(own).report
    sign_in(client, own.staff)
    listed = client.get(reverse("contacts:report_list")).content.decode()
    assert own.customer.name in listed
    url = reverse("contacts:report_write", args=[draft.pk])
    assert client.post(url, WORDS | {"attitude": "", "submit": "1"}).status_code == 422
    form = WORDS | {"promise-0": "送资料", "due-0": "2026-11-25", "learn-post": "科长", "submit": "1"}
    page = client.post(url, form, follow=True).content.decode()
    assert "拆迁款下月到账" in page and "送资料" in page and "科长" in page

    sign_in(client, head)
    assert own.customer.name in client.get(reverse("contacts:report_list")).content.decode()
    client.post(reverse("contacts:report_answer", args=[draft.pk]), {"act": "review", "comment": "跟进及时"})
    draft.refresh_from_db()
    assert (draft.status, draft.comment) == ("reviewed", "跟进及时")


def test_an_auditor_reads_and_adds_nothing(client, own):
    kept = report.submit(report=written(own), by=own.staff, on=TODAY)
    sign_in(client, StaffFactory(role=Role.AUDITOR))
    assert client.get(kept.get_absolute_url()).status_code == 200
    assert (
        client.post(reverse("contacts:report_answer", args=[kept.pk]), {"act": "add", "comment": "x"}).status_code
        == 403
    )
    assert not kept.addenda.exists()


def test_a_draft_is_its_authors_and_a_colleague_sees_nothing(client, own, head, branch):
    draft = logged(own).report
    sign_in(client, LoadFactory(staff__branch=branch).staff)
    assert client.get(draft.get_absolute_url()).status_code == 404
    sign_in(client, head)
    assert client.get(draft.get_absolute_url()).status_code == 200
    assert client.post(reverse("contacts:report_write", args=[draft.pk]), WORDS).status_code == 404
