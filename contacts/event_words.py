"""What events of the catalogue say on Today: the sentence of each kind from its figures."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from contacts.event_catalogue import KINDS
from contacts.models import ContactTask
from contacts.reasons import Reason, assets, says, since_last_contact, when
from customers.models import Tier
from staff import formats
from staff.models import Staff


def _sentence(task: ContactTask, on: date, viewer: Staff) -> str:
    """Return what has happened or will, in words."""
    figures = task.figures
    day = date.fromisoformat(figures["day"]) if figures.get("day") else task.due_on
    amount = formats.money_for(viewer, Decimal(str(figures["amount"]))) if "amount" in figures else ""
    average = formats.money_for(viewer, Decimal(str(figures["average"]))) if "average" in figures else ""
    tiers = {name: Tier(figures[name]).label for name in ("from", "to") if name in figures}
    sentences = {
        "family_birthday": _("A birthday in the family {when}"),
        "anniversary": _("{name} {when}") if figures.get("name") else _("Wedding anniversary {when}"),
        "child_school": _("A child reaches school age {when}"),
        "child_exam": _("A child of {age} faces an examination year"),
        "retirement": _("Retires {when}"),
        "large_in": _("{amount} came in {when}"),
        "large_out": _("{amount} went out {when}"),
        "idle_cash": _("{amount} have been on demand deposit for {days} days"),
        "redeem": _("Redeemed {amount} {when}"),
        "dormant": _("No transaction since {day}"),
        "card_inactive": _("A card issued on {day} was not used yet"),
        "payroll_in": _("Pay of {amount} arrived {when}"),
        "payroll_stop": _("No pay since {day}"),
        "loan_done": _("A loan of {amount} was paid off {when}"),
        "risk_expiring": _("The risk assessment expires {when}"),
        "tier_reached": _("Month average {average}: reached {to}, still served as {from}"),
        "near_tier": _("Month average {average}, near the next tier"),
        "tier_watch": _("Month average {average}, below the floor: on watch"),
        "tier_down": _("Fell from {from} to {to}"),
        "aum_slide": _("Assets fell for three months, by {amount}"),
    }
    values = {"when": when(day, on), "day": formats.day(day, today=on), "amount": amount, "average": average} | tiers
    values |= {"name": figures.get("name", ""), "age": figures.get("age", ""), "days": figures.get("days", "")}
    return sentences[task.reason].format(**values) if task.reason in sentences else figures["title"]


@says(*KINDS)
def _event(task: ContactTask, on: date, viewer: Staff) -> Reason:
    kind = KINDS[task.reason]
    money = task.reason in ("large_in", "large_out", "idle_cash", "redeem", "loan_done", "aum_slide")
    quiet = task.customer.low_disturb and kind.way == "phone"
    figures = {"amount": task.stake, "amount_label": _("concerned")} if money else assets(task)
    context = [_("likes quiet: a card rather than a call")] if quiet else []
    return Reason(
        "event", kind.icon, str(kind.label), _sentence(task, on, viewer), way="wechat" if quiet else kind.way,
        context=[*context, since_last_contact(task.customer, on)], **figures,
    )  # fmt: skip
