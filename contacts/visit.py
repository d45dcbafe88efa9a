"""The verbs of a planned meeting: plan, cancel, and what becomes of it when the contact is logged (domain.md §8)."""

from collections.abc import Iterable
from datetime import date, time, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from contacts import agenda
from contacts.models import CommunicationReport, ContactLog, ContactTask, VisitPlan
from customers import companion
from customers.models import Customer, ProfileValue
from customers.working_days import is_working_day
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

Status = VisitPlan.Status

ACCESS_DAYS = 7
"""So long after the meeting its companions still see the customer (domain.md §8)."""

AHEAD_DAYS, MOST_COMPANIONS = 90, 4
NOON, TWO, EVENING = time(12), time(14), time(18)


class VisitRefused(Refused):
    """This meeting cannot be planned or changed; the message says why."""

    code = "visit_refused"


@transaction.atomic
def plan(
    *,
    customer: Customer,
    at_day: date,
    at: time,
    way: str,
    aim: str,
    place: str,
    companions: Iterable[Staff],
    by: Staff,
    on: date,
) -> VisitPlan:
    """Plan a meeting; companions see the customer until ACCESS_DAYS after it, and it stands on Today on its day.

    Raises:
        VisitRefused: the day is past or far, nothing is said of the aim, too many come along, or one is planned that day.
        CompanionRefused: a companion does not work here.
    """
    companions = [one for one in companions if one.pk != by.pk]
    if not on <= at_day <= on + timedelta(days=AHEAD_DAYS):
        raise VisitRefused(_("Choose a day within the next {days} days.").format(days=AHEAD_DAYS))
    if not aim.strip():
        raise VisitRefused(_("Say what the meeting is for."))
    if len(companions) > MOST_COMPANIONS:
        raise VisitRefused(_("At most {n} colleagues come along.").format(n=MOST_COMPANIONS))
    Customer.objects.select_for_update(no_key=True).only("pk").get(pk=customer.pk)
    if customer.visits.filter(on=at_day, status=Status.PLANNED).exists():
        raise VisitRefused(_("A meeting is planned for that day already."))
    made = VisitPlan.objects.create(
        customer=customer, staff=by, on=at_day, at=at, way=way, place=place.strip()[:60], aim=aim.strip()[:200]
    )
    made.companions.set(companions)
    for one in companions:
        companion.join(customer=customer, staff=one, until=at_day + timedelta(days=ACCESS_DAYS), by=by, on=on)
    agenda.open_tasks(
        [
            {
                "key": _key(made),
                "customer_id": customer.pk,
                "source": ContactTask.Source.MANUAL,
                "reason": "visit",
                "figures": {"at": f"{at:%H:%M}", "aim": made.aim[:60], "visit": made.pk},
                "opened_on": on,
                "due_on": at_day,
                "allowed_days": max((at_day - on).days, 1),
                "opportunity_id": None,
            }
        ]
    )
    audit.record("visit.planned", made, by=by, day=at_day, number=len(companions))
    return made


@transaction.atomic
def cancel(*, visit: VisitPlan, by: Staff, on: date) -> VisitPlan:
    """Give a planned meeting up; its companions lose sight of the customer.

    Raises:
        VisitRefused: it was held or cancelled already.
    """
    visit = VisitPlan.objects.select_for_update().get(pk=visit.pk)
    if visit.status != Status.PLANNED:
        raise VisitRefused(_("This meeting was held or cancelled already."))
    visit.status = Status.CANCELLED
    visit.save(update_fields=["status"])
    for one in visit.companions.all():
        companion.leave(customer=visit.customer, staff=one, on=on)
    ContactTask.objects.open().filter(key=_key(visit)).update(status=ContactTask.Status.EXPIRED, closed_on=on)
    audit.record("visit.cancelled", visit, by=by, day=visit.on)
    return visit


def held(*, log: ContactLog, on: date) -> VisitPlan | None:
    """Note that a meeting took place: the plan of that day, if any, is held, and its report knows place and people."""
    found = log.customer.visits.filter(on=log.on, status=Status.PLANNED).select_for_update(of=("self",)).first()
    if found is None or log.result != ContactLog.Result.MET:
        return None
    found.status, found.log = Status.HELD, log
    found.save(update_fields=["status", "log"])
    agenda.close_tasks(keys=[_key(found)], on=on, by=log.staff)
    people = [found.staff.name, *found.companions.values_list("name", flat=True)]
    CommunicationReport.objects.filter(log=log, status="draft").update(
        place=found.place, ours="、".join(dict.fromkeys([log.staff.name, *people]))[:120], preparation=found.aim
    )
    return found


def not_held(*, log: ContactLog) -> None:
    """Let a plan stand again whose contact is taken back; one of the same day made meanwhile stays instead of it."""
    for plan in VisitPlan.objects.filter(log=log).select_for_update():
        again = plan.customer.visits.filter(on=plan.on, status=Status.PLANNED).exists()
        plan.status, plan.log = (Status.CANCELLED if again else Status.PLANNED), None
        plan.save(update_fields=["status", "log"])
        if not again:
            ContactTask.objects.filter(key=_key(plan)).update(
                status=ContactTask.Status.OPEN, closed_on=None, closed_by=None
            )


def warnings(customer: Customer, *, at_day: date, at: time) -> list[str]:
    """Return in words what speaks against a meeting then: a quiet customer, a time other than the customer likes."""
    said = []
    if customer.low_disturb:
        said.append(_("Likes quiet: a message or a courier rather than a visit."))
    held = (
        ProfileValue.objects.current()
        .filter(customer=customer, field="good_times")
        .values_list("value", flat=True)
        .first()
    )
    if held and not _slots(at_day, at) & set(held):
        said.append(_("The customer prefers other times."))
    return said


def _slots(day: date, at: time) -> set[str]:
    """Return the codes of good times that a moment falls in."""
    if not is_working_day(day):
        return {"weekend"}
    if at < NOON:
        return {"morning"}
    if at < TWO:
        return {"noon", "afternoon"}
    return {"afternoon"} if at < EVENING else {"evening"}


def _key(visit: VisitPlan) -> str:
    return f"visit:{visit.pk}"
