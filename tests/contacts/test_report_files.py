"""Files of a report: of few kinds, sealed, fixed with the report, read by who sees it."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from contacts import report_attachments
from contacts.models import CommunicationReport, ReportAttachment
from contacts.report import ReportRefused
from contacts.report_attachments import LARGEST, MOST, AttachmentRefused
from staff.models import AuditEvent
from staff.roles import Role
from tests.factories import AssignmentFactory, ContactLogFactory, LoadFactory, StaffFactory

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 canary 6222021234567890"


@pytest.fixture
def report(branch):
    manager = LoadFactory(staff__branch=branch, staff__language="en").staff
    own = AssignmentFactory(customer__branch=branch, staff=manager)
    log = ContactLogFactory(customer=own.customer, staff=manager, channel="office", result="met")
    return CommunicationReport.objects.create(
        number="R1", log=log, customer=own.customer, author=manager, due_on=date(2026, 12, 1)
    )


def attach(report, name="合同.pdf", content=PDF):
    return report_attachments.attach(report=report, name=name, content=content, by=report.author)


def test_the_author_attaches_and_the_head_reads(client, report):
    client.force_login(report.author)
    file = SimpleUploadedFile("合同\r\n.pdf", PDF, content_type="text/html")
    client.post(reverse("contacts:report_attach", args=[report.pk]), {"file": file})
    found = ReportAttachment.objects.get()
    assert (found.kind, found.size) == ("pdf", len(PDF))
    assert found.name in client.get(reverse("contacts:report", args=[report.pk])).text

    client.force_login(StaffFactory(branch=report.customer.branch, role=Role.BRANCH_HEAD))
    answer = client.get(reverse("contacts:report_file", args=[found.pk]))
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert AuditEvent.objects.filter(action="report.file_read").count() == 1


def test_a_file_lies_sealed_in_the_database(report):
    attach(report)
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM contacts_reportattachment")
        kept = bytes(cursor.fetchone()[0])
    assert b"canary" not in kept
    assert PDF[:6] not in kept


@pytest.mark.parametrize("content", [b"", b"<html><script>", b"MZ\x90", b"PK\x03\x04", PDF + b"0" * LARGEST])
def test_other_kinds_and_large_ones_are_refused(report, content):
    with pytest.raises(AttachmentRefused):
        attach(report, content=content)


def test_a_report_has_at_most_five(report):
    for _each in range(MOST):
        attach(report)
    with pytest.raises(AttachmentRefused):
        attach(report)


def test_files_are_fixed_with_the_report(client, report):
    kept = attach(report)
    CommunicationReport.objects.filter(pk=report.pk).update(
        status="submitted", submitted_at="2026-11-30T08:00:00+08:00", situation="x", attitude="positive"
    )
    report.refresh_from_db()
    with pytest.raises(ReportRefused):
        attach(report)
    client.force_login(report.author)
    client.post(reverse("contacts:report_file_remove", args=[kept.pk]))
    assert ReportAttachment.objects.filter(pk=kept.pk).exists()


def test_a_draft_s_file_is_taken_away_by_its_author_alone(client, report):
    kept = attach(report)
    url = reverse("contacts:report_file_remove", args=[kept.pk])
    client.force_login(StaffFactory(branch=report.customer.branch, role=Role.RELATIONSHIP_MANAGER))
    assert client.post(url).status_code == 404
    assert client.get(reverse("contacts:report_file", args=[kept.pk])).status_code == 404
    client.force_login(report.author)
    client.post(url)
    assert not ReportAttachment.objects.exists()
