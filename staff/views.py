"""Pages of floor 1: the audit trail, the night's run log, a member's own preferences."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, permission_required
from django.core.exceptions import BadRequest
from django.db.models import Count, Max, Min, Q, Sum
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from staff import outbox
from staff import preferences as choices
from staff.forms import AuditFilterForm, NightForm, PreferencesForm
from staff.models import AuditEvent, Branch, NightRun, NightStep, OutboxEmail
from staff.roles import Scope
from staff.shell import render_page

EVENTS_A_PAGE = 50
NIGHTS_SHOWN = 30
MAILS_SHOWN = 50


@require_GET
@permission_required("staff.view_audit", raise_exception=True)
def audit_trail(request):
    """List the audit trail, newest first, from one event on."""
    form = AuditFilterForm(request.GET)
    events = form.filter(AuditEvent.objects.newest_first())
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise BadRequest("before is the number of an event")
        events = events.before(int(before))
    page = list(events[: EVENTS_A_PAGE + 1])
    query = request.GET.copy()
    query["before"] = page[EVENTS_A_PAGE - 1].pk if len(page) > EVENTS_A_PAGE else ""
    context = {
        "form": form,
        "events": page[:EVENTS_A_PAGE],
        "next_url": f"{request.path}?{query.urlencode()}" if query["before"] else "",
    }
    return render_page(request, "staff/audit.html", context, partial="rows" if before else "events")


@require_GET
@permission_required("staff.view_night", raise_exception=True)
def night(request):
    """Show one night, step by step and branch by branch, and the nights before it."""
    run = NightForm(request.GET).run()
    steps = NightStep.objects.filter(run=run).select_related("branch")
    if request.user.scope == Scope.BENEATH:
        steps = steps.filter(branch__in=Branch.objects.under(request.user.branch_id))
    context = {
        "run": run,
        "branches": _by_branch(steps),
        "totals": steps.aggregate(
            all=Count("pk"),
            done=Count("pk", filter=Q(status=NightStep.Status.DONE)),
            failed=Count("pk", filter=Q(status=NightStep.Status.FAILED)),
            rows=Sum("rows"),
            began=Min("started_at"),
            ended=Max("finished_at"),
        ),
        "runs": NightRun.objects.order_by("-business_date")[:NIGHTS_SHOWN],
        "mails": outbox.needs_a_look()[:MAILS_SHOWN] if request.user.has_perm("staff.view_outbox") else [],
        "may_send_again": request.user.has_perm("staff.send_mail_again"),
    }
    return render_page(request, "staff/night.html", context, partial="night")


def _by_branch(steps) -> list[dict]:
    """Return the steps in order under each branch: [{branch, steps: [{step, seconds}]}]."""
    groups: dict = {}
    for step in steps.order_by("branch__code", "position"):
        took = step.started_at and step.finished_at
        seconds = (step.finished_at - step.started_at).total_seconds() if took else None
        groups.setdefault(step.branch, []).append({"row": step, "seconds": seconds})
    return [{"branch": branch, "steps": rows} for branch, rows in groups.items()]


@require_POST
@permission_required("staff.send_mail_again", raise_exception=True)
def mail_send_again(request, pk):
    """Offer a mail once more that was uncertain or given up."""
    outbox.send_again(mail=get_object_or_404(OutboxEmail, pk=pk), by=request.user)
    return redirect("staff:night")


@require_GET
def preferences_page(request):
    """Show what a member may set for himself."""
    staff = request.user
    initial = {
        "language": staff.language,
        "theme": staff.theme,
        "single_keys": "on" if staff.single_keys else "off",
    }
    return render_page(request, "staff/preferences.html", {"form": PreferencesForm(initial=initial)})


@login_not_required
@require_POST
def preferences(request):
    """Keep a preference: with the person when signed in; the language in a cookie before."""
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        raise BadRequest("no such preference")
    chosen = form.chosen()
    if request.user.is_authenticated:
        choices.keep(staff=request.user, **chosen)
    response = redirect(_way_back(request))
    if "language" in chosen:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen["language"],
            max_age=365 * 24 * 3600,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


def _way_back(request) -> str:
    """Return the page that the preference was set on, if it is one of ours."""
    asked = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours else "/"
