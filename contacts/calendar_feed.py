"""A member's days for his own calendar program (iCalendar, RFC 5545), under a secret address.

The file leaves the bank's walls, so it says how many, never who: no name, no number, no amount.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import calendar
from contacts.models import CalendarFeed, VisitPlan
from staff import audit
from staff.models import Staff

BACK_DAYS, AHEAD_DAYS = 7, 60
MEETING = timedelta(hours=1)
"""How long a planned meeting stands in the file; nobody plans its end."""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def renew(*, staff: Staff) -> str:
    """Make a new secret address for a member, ending the one before; return the secret, which is shown this once."""
    secret = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(
        staff=staff, defaults={"secret_hash": _hash(secret), "made_at": timezone.now(), "read_at": None}
    )
    audit.record("calendar.address_made", staff, by=staff)
    return secret


@transaction.atomic
def close(*, staff: Staff) -> None:
    """End a member's address."""
    if CalendarFeed.objects.filter(staff=staff).delete()[0]:
        audit.record("calendar.address_ended", staff, by=staff)


def owner_of(secret: str) -> Staff | None:
    """Return whose address a secret is, if he still works here; note that it was read."""
    feed = CalendarFeed.objects.select_related("staff").filter(secret_hash=_hash(secret), staff__is_active=True).first()
    if feed is None:
        return None
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=timezone.now())
    return feed.staff


def days_of(*, staff: Staff, on: date) -> str:
    """Return the file of a member's days around a day: one whole-day entry for each that holds something, and the hours of
    meetings, which say how they are held and not with whom."""
    first, last = on - timedelta(days=BACK_DAYS), on + timedelta(days=AHEAD_DAYS)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//vipcrm//calendar//ZH", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    stamp = timezone.now().strftime("%Y%m%dT%H%M%SZ")
    for day in calendar.days_for(staff=staff, first=first, last=last, on=on):
        if summary := _summary(day):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{day.on:%Y%m%d}-{staff.pk}@vipcrm",
                f"DTSTAMP:{stamp}",
                f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}",
                f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{_escaped(summary)}",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
            ]
    planned = staff.visits.filter(on__range=(first, last), status=VisitPlan.Status.PLANNED).order_by("on", "at")
    for visit in planned:
        starts = timezone.make_aware(datetime.combine(visit.on, visit.at)).astimezone(UTC)
        lines += [
            "BEGIN:VEVENT",
            f"UID:visit-{visit.pk}@vipcrm",
            f"DTSTAMP:{stamp}",
            f"DTSTART:{starts:%Y%m%dT%H%M%SZ}",
            f"DTEND:{starts + MEETING:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{_escaped(visit.get_way_display())}",
            "END:VEVENT",
        ]
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _summary(day: calendar.Day) -> str:
    said = []
    if day.plans:
        said.append(_("{n} plans and events").format(n=day.plans))
    if day.maturing:
        said.append(_("money matures"))
    if day.festival:
        said.append(day.festival)
    return " · ".join(said)


def _escaped(text: str) -> str:
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> Iterable[str]:
    """Cut a line to at most 75 octets, the rest indented (RFC 5545 §3.1)."""
    room, part = 75, ""
    for letter in line:
        if len((part + letter).encode()) > room:
            yield part
            part, room = " ", 75
        part += letter
    yield part
