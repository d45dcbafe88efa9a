"""The verbs of the communication report: begin from a contact, write, submit, review, send back, add (domain.md §10)."""

from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import agenda
from contacts.models import CommunicationReport, ContactLog, ContactTask, ReportAddendum
from customers.archive import values as archive
from customers.models import Product, ProfileValue, Source
from customers.suitability import judge, offer_to
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS

Status = CommunicationReport.Status

DUE_WORKING_DAYS = 1
MEETINGS = (ContactLog.Channel.OFFICE, ContactLog.Channel.VISIT, ContactLog.Channel.VIDEO)

WRITTEN = (
    "place", "ours", "theirs", "preparation", "service", "situation", "needs", "feedback", "objections", "competitor",
    "attitude", "sales_plan",
)  # fmt: skip
"""What the author writes as plain words."""


class ReportRefused(Refused):
    """This step of a report is not possible; the message says why."""

    code = "report_refused"


def is_required(log: ContactLog) -> bool:
    """Say whether a contact asks for a report: a meeting, or one that moved an opportunity (domain.md §10)."""
    reached = log.result != ContactLog.Result.NOT_REACHED and log.voided_at is None
    return reached and (log.channel in MEETINGS or log.opportunity_id is not None)


@transaction.atomic
def begin(*, log: ContactLog, on: date) -> CommunicationReport:
    """Begin the report of a contact, filled in from it, with a reminder due in a working day; again returns the same."""
    known = CommunicationReport.objects.filter(log=log).first()
    if known:
        return known
    due_on = add_working_days(log.on, DUE_WORKING_DAYS)
    made = CommunicationReport.objects.create(
        number=f"R{log.on:%Y%m%d}-{log.pk}",
        log=log,
        customer=log.customer,
        author=log.staff,
        due_on=due_on,
        ours=log.staff.name,
        situation=log.summary[:1000],
    )
    agenda.open_tasks(
        [
            {
                "key": _task_key(made),
                "customer_id": log.customer_id,
                "source": ContactTask.Source.MANUAL,
                "reason": "report_due",
                "figures": {"report": made.pk, "day": log.on},
                "opened_on": on,
                "due_on": max(due_on, on),
                "allowed_days": DUE_WORKING_DAYS,
                "opportunity_id": None,
            }
        ]
    )
    return made


def drop(*, log: ContactLog, on: date) -> None:
    """Give up the draft of a contact that is taken back; a report that was submitted stays."""
    for report in CommunicationReport.objects.filter(log=log, status=Status.DRAFT):
        agenda.close_tasks(keys=[_task_key(report)], on=on)
        report.delete()


@transaction.atomic
def write(
    *,
    report: CommunicationReport,
    words: Mapping[str, str],
    promises: list[dict],
    profile: Mapping[str, object],
    products: list[Product],
    by: Staff,
    on: date,
) -> CommunicationReport:
    """Keep what the author wrote so far.

    Args:
        words: of WRITTEN. `promises`: [{"what", "due"}] with ISO days. `profile`: {field code of the archive: value}.

    Raises:
        ReportRefused: it is submitted, or somebody else's.
        archive.ArchiveRefused: a value does not fit its field.
    """
    report = lock_open(report, by)
    for code, said in profile.items():
        field = archive.editable(code)
        if field.mask:
            raise ReportRefused(_("{label} is written in the archive itself, sealed.").format(label=field.label))
        archive.read_value(field, said)
    for name in WRITTEN:
        if name in words:
            limit = CommunicationReport._meta.get_field(name).max_length
            setattr(report, name, words[name].strip()[:limit])
    report.promises = [promise for promise in promises if promise["what"].strip()]
    report.profile = {code: said for code, said in profile.items() if said not in (None, "")}
    report.products = [
        {"product": one.pk, "name": one.name, "refusals": list(judge(offer_to(report.customer, one, on=on)).refusals)}
        for one in products
    ]
    report.save()
    return report


@transaction.atomic
def submit(*, report: CommunicationReport, by: Staff, on: date) -> CommunicationReport:
    """Submit a report: its words are fixed, promises become tasks, what was learnt goes into the archive.

    Raises:
        ReportRefused: situation or attitude is missing, or a promise has no day.
    """
    report = lock_open(report, by)
    if not report.situation or not report.attitude:
        raise ReportRefused(_("Describe the customer's situation and choose the attitude, then submit."))
    if any(not promise.get("due") for promise in report.promises):
        raise ReportRefused(_("Give each promise a day by which it is kept."))
    for code, said in report.profile.items():
        _learn(report, code, said, by)
    agenda.open_tasks(
        [
            {
                "key": f"promise:{report.pk}:{number}",
                "customer_id": report.customer_id,
                "source": ContactTask.Source.MANUAL,
                "reason": "promise",
                "figures": {"what": promise["what"][:60], "day": report.log.on},
                "opened_on": on,
                "due_on": promise["due"],
                "allowed_days": max((date.fromisoformat(promise["due"]) - on).days, 1),
                "opportunity_id": None,
            }
            for number, promise in enumerate(report.promises)
        ]
    )
    report.status, report.submitted_at = Status.SUBMITTED, timezone.now()
    report.save()
    agenda.close_tasks(keys=[_task_key(report)], on=on, by=by)
    audit.record("report.submitted", report, by=by, number=len(report.promises))
    return report


@transaction.atomic
def review(*, report: CommunicationReport, by: Staff, comment: str = "") -> CommunicationReport:
    """Mark a submitted report as read by the branch head, with a comment if there is one."""
    return _answered(report, Status.REVIEWED, by, comment)


@transaction.atomic
def send_back(*, report: CommunicationReport, by: Staff, comment: str, on: date) -> CommunicationReport:
    """Send a submitted report back to be completed; the reason is required, and its author is reminded.

    Raises:
        ReportRefused: no reason is given, it does not wait, or `by` is no head.
    """
    if not comment.strip():
        raise ReportRefused(_("Say what is missing."))
    report = _answered(report, Status.RETURNED, by, comment)
    ContactTask.objects.filter(key=_task_key(report)).update(
        status=ContactTask.Status.OPEN, closed_on=None, closed_by=None, due_on=add_working_days(on, DUE_WORKING_DAYS)
    )
    return report


@transaction.atomic
def add(*, report: CommunicationReport, text: str, by: Staff) -> ReportAddendum:
    """Add something to a submitted report; its words themselves never change.

    Raises:
        ReportRefused: nothing is written, or it is not submitted yet.
    """
    if report.is_open:
        raise ReportRefused(_("This report is not submitted yet: write it into the report itself."))
    if not text.strip():
        raise ReportRefused(_("Write what is to be added."))
    made = ReportAddendum.objects.create(report=report, by=by, text=text.strip()[:1000])
    audit.record("report.added_to", report, by=by)
    return made


def _answered(report: CommunicationReport, status: str, by: Staff, comment: str) -> CommunicationReport:
    if by.role not in HEADS:
        raise ReportRefused(_("The branch head reads reports."))
    report = CommunicationReport.objects.select_for_update().get(pk=report.pk)
    if report.status != Status.SUBMITTED:
        raise ReportRefused(_("This report does not wait for the head."))
    report.status, report.comment = status, " ".join(comment.split())[:300]
    report.reviewed_by, report.reviewed_at = by, timezone.now()
    report.save(update_fields=["status", "comment", "reviewed_by", "reviewed_at"])
    audit.record(f"report.{status}", report, by=by)
    return report


def _learn(report: CommunicationReport, code: str, said, by: Staff) -> None:
    """Write one value into the archive as the contact's; what stands there already stays as it is."""
    current = ProfileValue.objects.filter(customer=report.customer, field=code, ended_at=None).first()
    archive.set_value(
        customer=report.customer,
        code=code,
        said=said,
        source=Source.CUSTOMER,
        by=by,
        seen=current.pk if current else None,
    )


def lock_open(report: CommunicationReport, by: Staff) -> CommunicationReport:
    """Lock a report that its author may still write.

    Raises:
        ReportRefused: it is submitted, or somebody else's.
    """
    report = (
        CommunicationReport.objects.select_for_update(of=("self",)).select_related("customer", "log").get(pk=report.pk)
    )
    if report.author_id != by.pk:
        raise ReportRefused(_("Only its author writes a report."))
    if not report.is_open:
        raise ReportRefused(_("This report is submitted; add to it instead."))
    return report


def _task_key(report: CommunicationReport) -> str:
    return f"report:{report.log_id}"
