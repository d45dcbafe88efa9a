"""The preparation sheet (访前准备): what to know and to bring before a meeting, on one page."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import care
from contacts.models import ContactLog
from contacts.reasons import Reason, reason_of
from customers.archive.page import archive_of
from customers.models import Customer, Gift, Holding
from customers.suitability import assess

MATURING_DAYS, LAST_TALKS, GIFT_DAYS = 60, 3, 365


@dataclass(frozen=True)
class Sheet:
    """What the page shows, ready to draw."""

    warnings: list[str]
    reasons: list[Reason]
    talks: list[ContactLog]
    maturing: list[Holding]
    opportunities: list
    gifts: list[Gift]
    question: str
    assessment: object
    known: list[tuple[str, str]] = field(default_factory=list)


KNOWN = ("likes_taboos", "good_times", "contact_ways", "goals")
"""What of the archive helps to talk."""


def sheet_of(*, customer: Customer, viewer, on: date) -> Sheet:
    """Return the sheet of a customer as of a day, from what `viewer` sees."""
    tasks = customer.tasks.open().filter(due_on__lte=on + timedelta(days=30)).select_related("customer")
    archive = archive_of(customer, now=timezone.now(), viewer=viewer)
    held = Holding.objects.maturing(start=on, end=on + timedelta(days=MATURING_DAYS + 1)).filter(customer=customer)
    logs = customer.contact_logs.standing().exclude(result=ContactLog.Result.NOT_REACHED).select_related("staff")
    return Sheet(
        warnings=care.care_of(customer, on).warnings(on),
        reasons=[reason_of(task, on=on, viewer=viewer) for task in tasks.exclude(reason__in=["report_due", "visit"])],
        talks=list(logs.order_by("-at")[:LAST_TALKS]),
        maturing=list(held.select_related("product").order_by("matures_on")),
        opportunities=list(customer.opportunities.open().order_by("next_action_on", "pk")),
        gifts=list(
            Gift.objects.current().filter(customer=customer, on__gt=on - timedelta(days=GIFT_DAYS)).order_by("-on")
        ),
        question=str(archive.question.field.question) if archive.question else "",
        assessment=assess(grade=customer.risk_grade, assessed_on=customer.risk_assessed_on, on=on),
        known=_known(archive),
    )


def _known(archive) -> list[tuple[str, str]]:
    """Return (label, words) of what helps to talk, as far as it is known."""
    entries = {entry.field.code: entry for _group, entries in archive.groups for entry in entries}
    said = [(str(entries[code].field.label), entries[code].words) for code in KNOWN if code in entries]
    hobbies = "、".join(one.word for one in archive.hobbies)
    return [(label, words) for label, words in [*said, (_("Hobbies"), hobbies)] if words]
