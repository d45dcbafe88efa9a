"""The verbs of an activity: plan, approve, invite, hold, review (domain.md §17). Its effect is `contacts.activity_effect`."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import agenda
from contacts.models import Activity, ContactTask, Feedback, Invitation
from customers import reach
from customers.archive.fields import Temperament
from customers.models import Customer, ProfileValue
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import HEADS

Status, Kind = Activity.Status, Activity.Kind

INVITATION_GAP = 30
"""Days within which a customer is invited once (assumption)."""

LARGE = 20
"""Guests above which quiet customers are spared."""

FOLLOW_UP_DAYS = 3
SHOWS = (Kind.NETWORK, Kind.FESTIVAL)
"""Formats in which lively customers are asked first."""

SKIPS = dict(reach.Skip.choices) | {
    "invited": gettext_lazy("invited within 30 days"),
    "quiet": gettext_lazy("quiet: better a courier or a small visit"),
    "complaint": gettext_lazy("a complaint is open"),
}


class ActivityRefused(Refused):
    """This step is not possible; the message says why."""

    code = "activity_refused"


@transaction.atomic
def plan(*, by: Staff, activity: Activity | None = None, **fields) -> Activity:
    """Write a plan, or change one that has not been approved yet.

    Raises:
        ActivityRefused: it ends before it begins, or it has been approved already.
    """
    activity = _locked(activity, Status.DRAFT) if activity else Activity(branch=by.branch, planned_by=by)
    for name, value in fields.items():
        setattr(activity, name, value)
    if activity.ends_at <= activity.starts_at:
        raise ActivityRefused(_("The end must come after the beginning."))
    activity.save()
    audit.record("activity.planned", activity, by=by)
    return activity


@transaction.atomic
def submit(*, activity: Activity, by: Staff) -> Activity:
    """Ask for approval; what a head plans himself is approved with it."""
    activity = _locked(activity, Status.DRAFT)
    activity.status = Status.APPROVAL
    if by.role in HEADS:
        activity.status, activity.approved_by = Status.INVITING, by
    activity.save(update_fields=["status", "approved_by"])
    audit.record("activity.submitted", activity, by=by)
    return activity


@transaction.atomic
def decide(*, activity: Activity, approve: bool, by: Staff) -> Activity:
    """Approve a plan, or send it back to be changed.

    Raises:
        ActivityRefused: not a head, or the planner himself.
    """
    activity = _locked(activity, Status.APPROVAL)
    if by.role not in HEADS or by.pk == activity.planned_by_id:
        raise ActivityRefused(_("The branch head approves, and nobody the own plan."))
    activity.status, activity.approved_by = (Status.INVITING, by) if approve else (Status.DRAFT, None)
    activity.save(update_fields=["status", "approved_by"])
    audit.record("activity.approved" if approve else "activity.sent_back", activity, by=by)
    return activity


def candidates(activity: Activity, customers: QuerySet, *, on: date) -> QuerySet:
    """Return customers not invited yet with `skip` ("" or the code of why not) and `suits`, who suits best first.

    Args:
        customers: in the inviter's sight; cut to the activity's segment where it has one.
    """
    if activity.segment_id:
        customers = customers.filter(segment_times__segment=activity.segment_id, segment_times__until=None)
    invited = Invitation.objects.filter(customer=OuterRef("pk"))
    # Who asked to be told of the next one may be invited again at once.
    recent = invited.filter(invited_on__gt=on - timedelta(days=INVITATION_GAP), next_time=False)
    recent = recent.exclude(activity=activity)
    character = ProfileValue.objects.current().filter(customer=OuterRef("pk"), field="temperament")
    whens = [
        When(~Q(reached=""), then=F("reached")),
        When(Exists(Feedback.objects.open_complaints().filter(customer=OuterRef("pk"))), then=Value("complaint")),
        When(Exists(recent), then=Value("invited")),
    ]
    if activity.size > LARGE:
        whens.append(When(Exists(character.filter(value=Temperament.QUIET)), then=Value("quiet")))
    order = ("-suits", "-aum", "pk")
    if activity.kind in SHOWS:
        suits = Case(When(Exists(character.filter(value=Temperament.LIVELY)), then=Value(1)), default=Value(0))
    elif activity.kind == Kind.HOBBY:
        suits = Case(When(pk__in=_with_hobby_of(activity), then=Value(1)), default=Value(0))
    else:
        suits, order = Value(0), order[1:]
    return (
        customers.filter(~Exists(invited.filter(activity=activity)))
        .annotate(reached=reach.why_not(reach.Purpose.ACTIVITY), skip=Case(*whens, default=Value("")), suits=suits)
        .order_by(*order)
    )


def _with_hobby_of(activity: Activity) -> QuerySet:
    """Return the keys of customers with a hobby that the theme or the goal names."""
    words = Customer.objects.filter(hobbies__ended_at=None).values_list("hobbies__word", flat=True).distinct()
    named = [word for word in words if word in f"{activity.theme}{activity.goal}"]
    return Customer.objects.filter(hobbies__word__in=named, hobbies__ended_at=None).values("pk")


@transaction.atomic
def invite(*, activity: Activity, customers: Iterable[int], by: Staff, on: date) -> tuple[int, dict[str, int]]:
    """Invite customers; return how many, and for each reason how many were passed over.

    Raises:
        ActivityRefused: not approved, or over.
    """
    activity = _locked(activity, Status.INVITING)
    asked = Customer.objects.visible_to(by).filter(pk__in=list(customers))
    rows = list(candidates(activity, asked, on=on).values_list("pk", "skip"))
    passed: dict[str, int] = {}
    for _pk, skip in rows:
        if skip:
            passed[skip] = passed.get(skip, 0) + 1
    fresh = [
        Invitation(activity=activity, customer_id=pk, invited_by=by, invited_on=on) for pk, skip in rows if not skip
    ]
    Invitation.objects.bulk_create(fresh, ignore_conflicts=True)
    audit.record("activity.invited", activity, by=by, number=len(fresh))
    return len(fresh), passed


@transaction.atomic
def answer(*, invitation: Invitation, by: Staff, reply: str) -> Invitation:
    """Note what the customer answered."""
    activity = _locked(invitation.activity, Status.INVITING)
    invitation.reply = Invitation.Reply(reply)
    invitation.save(update_fields=["reply"])
    audit.record("activity.answered", activity, by=by, result=reply)
    return invitation


@transaction.atomic
def check_in(*, invitation: Invitation, by: Staff, attended: bool) -> Invitation:
    """Note at the door that a guest came, or take it back; possible until the review."""
    activity = _locked(invitation.activity, Status.INVITING, Status.HELD)
    invitation.attended = attended
    if not attended:
        invitation.satisfaction = None
    invitation.save(update_fields=["attended", "satisfaction"])
    audit.record("activity.checked_in", activity, by=by, result=attended)
    return invitation


@transaction.atomic
def give_part(*, invitation: Invitation, by: Staff, part: str) -> Invitation:
    """Note what a guest will do himself (表现机会): sing, show his tea, tell of his trade; "" for nothing."""
    activity = _locked(invitation.activity, Status.INVITING)
    invitation.part = part.strip()[:60]
    invitation.save(update_fields=["part"])
    audit.record("activity.part_given", activity, by=by)
    return invitation


@transaction.atomic
def ask_opinion(
    *, invitation: Invitation, by: Staff, satisfaction: int | None, feedback: str, next_time: bool = False
) -> Invitation:
    """Note what a guest thought of it, 1 bad – 5 good, and whether he wants to be told of the next one."""
    activity = _locked(invitation.activity, Status.HELD)
    if not invitation.attended:
        raise ActivityRefused(_("Only who came can say how it was."))
    invitation.satisfaction, invitation.feedback = satisfaction, feedback.strip()[:200]
    invitation.next_time = next_time
    invitation.save(update_fields=["satisfaction", "feedback", "next_time"])
    audit.record("activity.opinion", activity, by=by, result=satisfaction)
    return invitation


@transaction.atomic
def hold(*, activity: Activity, by: Staff, on: date) -> int:
    """Close the door: who was not checked in did not come; each guest's manager follows up in three working days.

    Returns:
        how many came.

    Raises:
        ActivityRefused: it has not begun yet.
    """
    activity = _locked(activity, Status.INVITING)
    if activity.starts_at > timezone.now():
        raise ActivityRefused(_("It has not begun yet."))
    activity.status = Status.HELD
    activity.save(update_fields=["status"])
    activity.invitations.filter(attended=None).update(attended=False)
    guests = list(activity.invitations.filter(attended=True).select_related("customer"))
    agenda.open_tasks(_task(activity, guest, on) for guest in guests)
    audit.record("activity.held", activity, by=by, number=len(guests))
    return len(guests)


def _task(activity: Activity, guest: Invitation, on: date) -> dict:
    return {
        "key": f"activity:{activity.pk}:{guest.customer_id}",
        "customer_id": guest.customer_id,
        "source": ContactTask.Source.EVENT,
        "reason": "activity_guest",
        "figures": {"theme": activity.theme, "on": timezone.localdate(activity.starts_at).isoformat()},
        "stake": guest.customer.aum,
        "opened_on": on,
        "due_on": add_working_days(on, FOLLOW_UP_DAYS),
        "allowed_days": FOLLOW_UP_DAYS,
    }


@transaction.atomic
def review(*, activity: Activity, cost: Decimal, review: str, by: Staff) -> Activity:
    """Close an activity with what it cost and what was learnt.

    Raises:
        ActivityRefused: nothing was learnt.
    """
    activity = _locked(activity, Status.HELD)
    if not review.strip():
        raise ActivityRefused(_("Write what was learnt."))
    activity.status, activity.cost, activity.review = Status.REVIEWED, cost, review.strip()[:500]
    activity.save(update_fields=["status", "cost", "review"])
    audit.record("activity.reviewed", activity, by=by, amount=cost)
    return activity


@transaction.atomic
def cancel(*, activity: Activity, why: str, by: Staff) -> Activity:
    """Give an activity up before it is held.

    Raises:
        ActivityRefused: no reason, or held already.
    """
    activity = _locked(activity, Status.DRAFT, Status.APPROVAL, Status.INVITING)
    if not why.strip():
        raise ActivityRefused(_("Say why it is given up: guests will ask."))
    activity.status, activity.why_cancelled = Status.CANCELLED, why.strip()[:200]
    activity.save(update_fields=["status", "why_cancelled"])
    audit.record("activity.cancelled", activity, by=by, reason=activity.why_cancelled)
    return activity


def _locked(activity: Activity, *statuses) -> Activity:
    """Lock an activity that stands at one of these.

    Raises:
        ActivityRefused: it stands elsewhere.
    """
    locked = Activity.objects.select_for_update(no_key=True).get(pk=activity.pk)
    if locked.status not in statuses:
        raise ActivityRefused(
            _("This is not possible while it is “{status}”.").format(status=locked.get_status_display())
        )
    return locked
