"""Files of communication reports: attached and removed by the author, read by who sees the report."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from contacts import report_attachments
from contacts.models import CommunicationReport, ReportAttachment
from contacts.views_reports import may_see
from staff.refusal import Refused

may_write = permission_required("contacts.log_contact", raise_exception=True)


@require_POST
@may_write
def report_attach(request, pk):
    """Keep the file sent along with one's report."""
    shown = get_object_or_404(CommunicationReport.objects.visible_to(request.user), pk=pk)
    sent = request.FILES.get("file")
    if sent is None or sent.size > report_attachments.LARGEST:
        size = report_attachments.LARGEST // 1024 // 1024
        messages.error(request, _("Choose a file of {n} MB at most.").format(n=size))
        return redirect(shown)
    try:
        report_attachments.attach(report=shown, name=sent.name or "", content=sent.read(), by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("File kept with the report"))
    return redirect(shown)


@require_GET
@may_see
def report_file(request, pk):
    """Give a file to be saved; it is never shown within the app."""
    found = get_object_or_404(ReportAttachment.objects.visible_to(request.user).select_related("report"), pk=pk)
    answer = HttpResponse(report_attachments.content_of(found, by=request.user), content_type=found.content_type)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=found.name)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@may_write
def report_file_remove(request, pk):
    """Take a file away from one's report."""
    found = get_object_or_404(ReportAttachment.objects.visible_to(request.user).select_related("report"), pk=pk)
    try:
        report_attachments.remove(attachment=found, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("File taken away"))
    return redirect(found.report)
