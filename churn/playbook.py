"""What to do about an alert, by its strongest reason (domain.md §14, playbook)."""

from django.utils.translation import gettext_lazy as _

from churn.models import ChurnAlert, Level

BY_REASON = {
    "fall": _("Ask today where the money went; if to another bank, compare its terms before the next talk."),
    "outflow": _("Ask today where the money went; if to another bank, compare its terms before the next talk."),
    "one_day": _("Ask today where the money went; if to another bank, compare its terms before the next talk."),
    "maturity": _("Meet before the maturity with a portfolio to roll over into, and say what the next term brings."),
    "contact": _("Care first: a call without a product, then ask what has changed."),
    "trend": _("Arrange a talk and go through the allocation together; small steps have added up."),
    "peak": _("Arrange a talk and go through the allocation together; small steps have added up."),
    "swings": _("Ask what the money is for; offer something short for what is needed soon."),
    "cash": _("Money waits at call: ask for what, and offer something short with a better yield."),
    "breadth": _("Few ties to the bank: offer a channel product or payroll before any investment."),
    "inflow": _("Ask whether pay or takings now go elsewhere, and what would bring them back."),
    "relation": _("A talk with the branch head shows that the customer matters."),
    "season": _("Year ends and holidays move money: ask when it comes back and agree on a date."),
}
"""Suggestions by code of the strongest reason."""

TOGETHER = _("High risk: go with the branch head.")


def words_for(stored: list[dict]) -> str:
    """Return what to do by the strongest of stored reasons that speaks for leaving."""
    pushing = [reason["code"] for reason in stored if reason["points"] >= 0]
    return str(BY_REASON.get(pushing[0] if pushing else "", BY_REASON["contact"]))


def suggestion(alert: ChurnAlert) -> str:
    """Return one or two sentences for an alert; its score must be loaded."""
    text = words_for(alert.score.reasons)
    return f"{text} {TOGETHER}" if alert.level == Level.HIGH else text
