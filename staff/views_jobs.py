"""Pages of long work: one's own jobs, each with its bar; the bell; what a job made."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from staff import jobs
from staff.job_card import bell_of, card_of, with_counts
from staff.models import Job
from staff.sheets import CSV_TYPE, csv_bytes
from staff.shell import render_page, wants_part

SHOWN = 50


def own_job(request, pk: int) -> Job:
    """Return one's own job with its counts; anybody else's is not there."""
    return get_object_or_404(with_counts(Job.objects.of(request.user)), pk=pk)


@require_GET
def job_list(request):
    """List one's own jobs, newest first; their ends count as seen."""
    now = timezone.now()
    found = list(with_counts(Job.objects.of(request.user)).order_by("-id")[:SHOWN])
    jobs.look(staff=request.user, jobs=Job.objects.filter(pk__in=[job.pk for job in found]))
    return render_page(request, "staff/job_list.html", {"cards": [card_of(job, now=now) for job in found]})


@require_GET
def job(request, pk):
    """Show one job; htmx asks again every two seconds while it runs, and gets the card alone."""
    found = own_job(request, pk)
    if not found.is_open:
        jobs.look(staff=request.user, jobs=Job.objects.filter(pk=found.pk))
    context = {
        "card": card_of(found, now=timezone.now()),
        "faults": found.faults.all()[:SHOWN],
        "back": _way_back(request),
        "swaps_bell": wants_part(request) and not found.is_open,
    }
    return render_page(request, "staff/job.html", context, partial="card")


def _way_back(request) -> str:
    """Return the page the job was asked for on, if it is one of ours."""
    asked = request.GET.get("back", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours else ""


@require_POST
def job_stop(request, pk):
    """Stop one's own job."""
    try:
        jobs.stop(job=own_job(request, pk), by=request.user)
    except jobs.NotNow as refusal:
        return HttpResponse(str(refusal), status=409)
    return _after(request, pk)


@require_POST
def job_again(request, pk):
    """Let one's own job go on."""
    try:
        jobs.again(job=own_job(request, pk), by=request.user)
    except jobs.NotNow as refusal:
        return HttpResponse(str(refusal), status=409)
    return _after(request, pk)


def _after(request, pk):
    if wants_part(request):
        return render(request, "components/job.html", card_of(own_job(request, pk), now=timezone.now()))
    return redirect("staff:job", pk)


@require_GET
def job_errors(request, pk):
    """Download the rows that one's own job could not do."""
    found = own_job(request, pk)
    head = [_("Row"), _("Reason")]
    content = csv_bytes([head, *found.faults.values_list("row", "reason")])
    return _file(content, CSV_TYPE, f"errors-{found.pk}.csv")


@require_GET
def job_result(request, pk):
    """Download what one's own job made; within a day, and noted in the trail."""
    result = jobs.take_result(job=own_job(request, pk), by=request.user)
    if result is None:
        return render(request, "404.html", status=404)
    return _file(bytes(result.content), result.content_type, result.name)


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=content_type, headers=headers)


@require_GET
def bell(request):
    """The bell as it is now, and a notice of each job that ended since it was last asked."""
    told = jobs.news(staff=request.user)
    return render(request, "staff/bell.html", {"bell": bell_of(request.user), "news": told[-1:]})
