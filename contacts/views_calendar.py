"""The page of the calendar, and the file that a member's own calendar program reads."""

import re
from datetime import date, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_POST

from contacts import calendar, calendar_feed, regime
from contacts.models import CalendarFeed
from staff.shell import render_page

may_see = permission_required("contacts.log_contact", raise_exception=True)


@require_GET
@may_see
def calendar_page(request):
    """A month of plans, events and maturities of the member's customers; `?month=2026-12` turns the leaf."""
    on = localdate()
    asked = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", request.GET.get("month", ""))
    month = date(int(asked[1]), int(asked[2]), 1) if asked else on.replace(day=1)
    window = regime.month_of(month)
    context = {
        "weeks": calendar.page_for(staff=request.user, month=month, on=on),
        "month": month,
        "before": (month - timedelta(days=1)).strftime("%Y-%m"),
        "after": (window.last + timedelta(days=1)).strftime("%Y-%m"),
        "feed": CalendarFeed.objects.filter(staff=request.user).first(),
        "address": request.session.pop("calendar_address", ""),
    }
    return render_page(request, "contacts/calendar.html", context)


@require_POST
@may_see
def calendar_address(request):
    """Make a new secret address, or end the one there is."""
    if request.POST.get("act") == "end":
        calendar_feed.close(staff=request.user)
        messages.success(request, _("The address has ended"))
    else:
        secret = calendar_feed.renew(staff=request.user)
        request.session["calendar_address"] = request.build_absolute_uri(
            reverse("contacts:calendar_file", args=[secret])
        )
        messages.success(request, _("Copy the address now; it is not shown again"))
    return redirect("contacts:calendar")


@require_GET
@login_not_required
def calendar_file(request, key):
    """The days of whoever this secret belongs to; how many, never who."""
    staff = calendar_feed.owner_of(key)
    if staff is None:
        raise Http404
    with override(staff.language):
        body = calendar_feed.days_of(staff=staff, on=localdate())
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    return response
