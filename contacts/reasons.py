"""What a task says: from its code and figures to a chip, a sentence, a line of context and a suggested way.

Tasks store codes and numbers; the words are made when somebody reads them, in their language and as
of their day. Rooms above add the sentences of their own codes to `SENTENCES` and `CAUSES`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from contacts.models import ContactTask, Opportunity
from customers.models import Tier
from staff import formats
from staff.models import Staff

SENTENCES: dict[str, Callable[[dict, date], str]] = {}
"""Sentence of a code from its figures, as of a day; a room above registers its own when it is ready."""

CAUSES: dict[str, str] = {}
"""Short name of a cause of risk, by the code of its sentence."""

WAYS = {
    "phone": gettext_lazy("Suggest a call"),
    "meeting": gettext_lazy("Suggest a meeting"),
    "wechat": gettext_lazy("Suggest WeChat"),
}


@dataclass(frozen=True)
class Reason:
    """One reason to act, in words; `kind` is the hue (churn, over, event, opp, plain)."""

    kind: str
    icon: str
    chip: str
    sentence: str
    way: str = "phone"
    context: list[str] = field(default_factory=list)
    amount: Decimal | None = None
    amount_label: str = ""

    @property
    def line(self) -> str:
        """Return the grey line: the suggested way, then what helps to start the conversation."""
        return " · ".join([str(WAYS[self.way]), *self.context])


REASONS: dict[str, Callable[[ContactTask, date, Staff], Reason]] = {}


def says(*codes: str):
    """Register a function as the words of these reason codes."""

    def register(function):
        REASONS.update(dict.fromkeys(codes, function))
        return function

    return register


def reason_of(task: ContactTask, *, on: date, viewer: Staff) -> Reason:
    """Return a task's words as of a day, amounts as the viewer may read them; its customer must be loaded."""
    return REASONS[task.reason](task, on, viewer)


def days(number: int) -> str:
    """Return a number of days in words."""
    return ngettext("{number} day", "{number} days", number).format(number=number)


def when(day: date, on: date) -> str:
    """Return a day seen from another: today, tomorrow, in 6 days; a past one by its distance."""
    distance = (day - on).days
    if distance == 0:
        return pgettext("when", "today")
    if distance == 1:
        return pgettext("when", "tomorrow")
    if distance < 0:
        return _("{days} ago").format(days=days(-distance))
    return _("in {days}").format(days=days(distance))


def _day(figures: dict, key: str) -> date | None:
    return date.fromisoformat(figures[key]) if figures.get(key) else None


def assets(task: ContactTask) -> dict:
    return {"amount": task.customer.aum, "amount_label": _("assets")}


def since_last_contact(customer, on: date) -> str:
    """Return how long the customer has not been contacted."""
    if customer.last_contact_on is None:
        return _("never contacted")
    return _("{days} since the last contact").format(days=days((on - customer.last_contact_on).days))


def requirement_words(figures: dict) -> str:
    """Return an either-or rule in words, from figures need_phones and need_meetings."""
    return _("a month: {calls} or {meetings}").format(
        calls=ngettext("{number} call", "{number} calls", figures["need_phones"]).format(number=figures["need_phones"]),
        meetings=ngettext("{number} meeting", "{number} meetings", figures["need_meetings"]).format(
            number=figures["need_meetings"]
        ),
    )


def _so_far(task: ContactTask, on: date) -> str:
    """Return what has been done of a monthly rule, read from the customer as it stands now."""
    customer, need = task.customer, task.figures["need_phones"]
    if not customer.contact_phones and not customer.contact_meetings:
        return _("No contact yet this month, {since}").format(since=since_last_contact(customer, on))
    if not customer.contact_meetings:
        return _("Calls {done} of {need} this month").format(done=customer.contact_phones, need=need)
    return _("Calls {done} of {need}, meetings {met} of {need_met} this month").format(
        done=customer.contact_phones,
        need=need,
        met=customer.contact_meetings,
        need_met=task.figures["need_meetings"],
    )


# --- alerts ----------------------------------------------------------------------------------------


@says("alert")
def _alert(task: ContactTask, on: date, viewer: Staff) -> Reason:
    figures = task.figures
    # The sentences name amounts, which a teller sees as bands only: the general one stands for them.
    known = [r for r in figures.get("reasons", []) if r["code"] in SENTENCES and not viewer.sees_bands]
    sentences = [SENTENCES[r["code"]](r["figures"], on) for r in known]
    high = figures["level"] == 3
    return Reason(
        kind="churn",
        icon="trending-down",
        chip=_("Churn risk high") if high else _("Churn risk medium"),
        sentence=sentences[0] if sentences else _("The balance is likely to leave within 90 days"),
        way="meeting" if high or task.customer.service_tier == Tier.DIAMOND else "phone",
        context=sentences[1:2],
        amount=task.stake,
        amount_label=_("at risk"),
    )


# --- the regime ------------------------------------------------------------------------------------


@says("missed_month")
def _missed_month(task, on, viewer):
    return Reason(
        "over", "clock-exclamation", _("Missed last month"), _so_far(task, on),
        way="meeting", context=[requirement_words(task.figures), _days_left(task, on)], **assets(task),
    )  # fmt: skip


@says("at_risk_month")
def _at_risk_month(task, on, viewer):
    return Reason(
        "over", "clock-exclamation", _("Month ends soon"), _so_far(task, on),
        way="meeting", context=[_days_left(task, on), requirement_words(task.figures)], **assets(task),
    )  # fmt: skip


@says("behind_month")
def _behind_month(task, on, viewer):
    return Reason(
        "over", "clock-exclamation", _("Behind this month"), _so_far(task, on),
        context=[requirement_words(task.figures), _days_left(task, on)], **assets(task),
    )  # fmt: skip


@says("missed_quarter", "at_risk_quarter", "behind_quarter")
def _quarter(task, on, viewer):
    chips = {
        "missed_quarter": _("Missed last quarter"),
        "at_risk_quarter": _("Quarter ends soon"),
        "behind_quarter": _("Not yet this quarter"),
    }
    sentence = _("{since}, none this quarter").format(since=since_last_contact(task.customer, on))
    return Reason(
        "over", "clock-exclamation", chips[task.reason], sentence,
        context=[_days_left(task, on)], **assets(task),
    )  # fmt: skip


@says("gold_inactive")
def _gold_inactive(task, on, viewer):
    return Reason(
        "over", "clock-exclamation", _("No business for a week"),
        _("No movement on the accounts for {days}").format(days=days((on - _day(task.figures, "since")).days)),
        context=[since_last_contact(task.customer, on)], **assets(task),
    )  # fmt: skip


def _days_left(task: ContactTask, on: date) -> str:
    last = _day(task.figures, "last") or task.due_on
    return _("{days} left").format(days=days(max((last - on).days, 0)))


# --- events ----------------------------------------------------------------------------------------


@says("deposit_due", "wealth_due", "insurance_due")
def _maturity(task, on, viewer):
    chips = {
        "deposit_due": _("Deposit matures"),
        "wealth_due": _("Wealth product matures"),
        "insurance_due": _("Insurance matures"),
    }
    figures, matures_on = task.figures, _day(task.figures, "matures_on")
    context = [_("matures on {day}").format(day=formats.day(matures_on, today=on))]
    if figures.get("pieces", 1) > 1:
        context.append(_("{number} holdings together").format(number=figures["pieces"]))
    context.append(since_last_contact(task.customer, on))
    return Reason(
        "event",
        "calendar-event",
        chips[task.reason],
        _("{amount} {product} matures {when}").format(
            amount=formats.money_for(viewer, task.stake), product=figures["product"], when=when(matures_on, on)
        ),
        context=context,
        amount=task.stake,
        amount_label=_("maturing"),
    )


@says("birthday")
def _birthday(task, on, viewer):
    figures, day = task.figures, _day(task.figures, "day")
    age = figures.get("age")
    sentence = (
        _("Turns {age} {when}").format(age=age, when=when(day, on))
        if age
        else _("Birthday {when}").format(when=when(day, on))
    )
    context = [_("lunar calendar")] if figures.get("lunar") else []
    if task.customer.low_disturb:
        context.append(_("likes quiet: a card rather than a call"))
    return Reason(
        "event", "cake", _("Birthday"), sentence,
        way="wechat" if task.customer.low_disturb else "phone",
        context=[*context, since_last_contact(task.customer, on)], **assets(task),
    )  # fmt: skip


# --- opportunities and plans -----------------------------------------------------------------------


@says("opportunity_due", "opportunity_resume")
def _opportunity(task, on, viewer):
    figures = task.figures
    stage = Opportunity.Stage(figures["stage"]).label
    action = figures.get("action") or _("decide the next step")
    in_stage = (on - _day(figures, "stage_since")).days
    return Reason(
        "opp",
        "target-arrow",
        _("Opportunity resumes") if task.reason == "opportunity_resume" else _("Opportunity due"),
        _("{title}: {action}").format(title=figures["title"], action=action),
        context=[str(stage), _("{days} in this stage").format(days=days(in_stage))],
        amount=Decimal(str(figures["amount"])) if figures.get("amount") else task.customer.aum,
        amount_label=_("expected") if figures.get("amount") else _("assets"),
    )


@says("planned")
def _planned(task, on, viewer):
    note, purpose = task.figures.get("note", ""), task.figures.get("purpose", "")
    return Reason(
        "event",
        "calendar-event",
        _("Planned contact"),
        purpose or (_("Last time: {words}").format(words=note)) if note or purpose else _("Contact planned for {when}").format(
            when=when(task.due_on, on)
        ),
        context=[since_last_contact(task.customer, on)],
        **assets(task),
    )  # fmt: skip


@says("activity_guest")
def _activity_guest(task, on, viewer):
    return Reason(
        "event",
        "users-group",
        _("Guest of an activity"),
        _("Was at “{theme}” {when}: thank, and ask how it was").format(
            theme=task.figures["theme"], when=when(date.fromisoformat(task.figures["on"]), on)
        ),
        context=[since_last_contact(task.customer, on)],
        **assets(task),
    )


@says("handed_over")
def _handed_over(task, on, viewer):
    figures = task.figures
    words = _("First talk after the hand-over by {name}").format(name=figures["giver"])
    if figures.get("joint"):
        words = _("First visit together with {name}, who handed over").format(name=figures["giver"])
    return Reason(
        "event", "arrows-exchange", _("Handed over"), words, way="meeting" if figures.get("joint") else "phone",
        context=[figures["note"]], **assets(task),
    )  # fmt: skip


@says("report_due")
def _report_due(task, on, viewer):
    day = formats.day(_day(task.figures, "day"), today=on)
    return Reason(
        "plain", "file-text", _("Report to write"), _("The communication report of {day} is due").format(day=day),
        context=[_("write it while it is fresh")], **assets(task),
    )  # fmt: skip


@says("promise")
def _promise(task, on, viewer):
    day = formats.day(_day(task.figures, "day"), today=on)
    return Reason(
        "event", "flag", _("Promise"), _("Promised on {day}: {what}").format(day=day, what=task.figures["what"]),
        context=[since_last_contact(task.customer, on)], **assets(task),
    )  # fmt: skip


@says("replied")
def _replied(task, on, viewer):
    return Reason(
        "event", "message", _("Answered a message"), _("“{text}”").format(text=task.figures["text"]),
        context=[since_last_contact(task.customer, on)], **assets(task),
    )  # fmt: skip


@says("complaint")
def _complaint(task, on, viewer):
    chip = _("Complaint to settle") if task.figures["answered"] else _("Complaint to answer")
    return Reason(
        "over", "alert-circle", chip, _("“{text}”").format(text=task.figures["text"]),
        context=[_("due {day}").format(day=formats.day(task.due_on, today=on))], **assets(task),
    )  # fmt: skip


@says("visit")
def _visit(task, on, viewer):
    sentence = _("Meeting at {at}: {aim}").format(at=task.figures["at"], aim=task.figures["aim"])
    return Reason(
        "event", "users", _("Meeting planned"), sentence, way="meeting",
        context=[since_last_contact(task.customer, on)], **assets(task),
    )  # fmt: skip
