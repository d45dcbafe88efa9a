"""Files that belong to a communication report: kept sealed, of few kinds, fixed with the report (domain.md §10)."""

import base64

from django.db import transaction
from django.utils.translation import gettext as _

from contacts import report as reports
from contacts.models import CommunicationReport, ReportAttachment
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

MOST, LARGEST = 5, 5 * 1024 * 1024

BEGINNINGS = {
    ReportAttachment.Kind.PDF: (b"%PDF-",),
    ReportAttachment.Kind.PNG: (b"\x89PNG\r\n\x1a\n",),
    ReportAttachment.Kind.JPEG: (b"\xff\xd8\xff",),
}
"""How the content of each kind begins: what a file is called is not asked."""


class AttachmentRefused(Refused):
    """This file cannot be kept with the report; the message says why."""

    code = "attachment_refused"


@transaction.atomic
def attach(*, report: CommunicationReport, name: str, content: bytes, by: Staff) -> ReportAttachment:
    """Keep a file with a report that its author has not submitted yet.

    Raises:
        ReportRefused: it is submitted, or somebody else's.
        AttachmentRefused: of no kind that is kept, too large, or too many.
    """
    report = reports.lock_open(report, by)
    kind = next((kind for kind, starts in BEGINNINGS.items() if content.startswith(starts)), None)
    if kind is None:
        raise AttachmentRefused(_("Only PDF, PNG and JPEG files are kept with a report."))
    if len(content) > LARGEST:
        raise AttachmentRefused(_("A file has {n} MB at most.").format(n=LARGEST // 1024 // 1024))
    if report.attachments.count() >= MOST:
        raise AttachmentRefused(_("At most {n} files belong to a report.").format(n=MOST))
    # What people call a file may not break the line that names it to the browser.
    plain = "".join(letter for letter in name.strip() if letter.isprintable() and letter not in '/\\"')
    made = ReportAttachment.objects.create(
        report=report, name=plain[-80:] or str(kind.label), kind=kind, size=len(content),
        content=base64.b64encode(content).decode(), by=by,
    )  # fmt: skip
    audit.record("report.file_attached", report, by=by, number=len(content))
    return made


@transaction.atomic
def remove(*, attachment: ReportAttachment, by: Staff) -> None:
    """Take a file away from a report that is not submitted yet.

    Raises:
        ReportRefused: it is submitted, or somebody else's.
    """
    report = reports.lock_open(attachment.report, by)
    attachment.delete()
    audit.record("report.file_removed", report, by=by)


def content_of(attachment: ReportAttachment, *, by: Staff) -> bytes:
    """Return the file; the trail keeps who read it."""
    audit.record("report.file_read", attachment.report, by=by)
    return base64.b64decode(attachment.content)
