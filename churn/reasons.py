"""Why a customer's risk is what it is: figures stored with the score, sentences made when somebody reads them."""

from datetime import date

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from churn import features
from staff import formats

REASONS = (
    "fall", "trend", "peak", "outflow", "inflow", "swings", "cash", "maturity", "breadth", "contact", "relation", "season",
)  # fmt: skip
ONE_DAY = "one_day"
"""The reason of the hard rule: it sets the level and adds no points."""

KEPT = 5
"""Reasons stored with the score of a customer who needs no attention; others keep all."""

LEAST_POINTS = 0.05

CAUSES = {
    "fall": gettext_lazy("Balance falling"),
    "trend": gettext_lazy("Falling for months"),
    "peak": gettext_lazy("Below its peak"),
    "outflow": gettext_lazy("Money leaving"),
    "inflow": gettext_lazy("Less coming in"),
    "swings": gettext_lazy("Balance swinging"),
    "cash": gettext_lazy("Money at call"),
    "maturity": gettext_lazy("Products maturing"),
    "breadth": gettext_lazy("Few products"),
    "contact": gettext_lazy("Not contacted"),
    "relation": gettext_lazy("Age of the relation"),
    "season": gettext_lazy("Season"),
    ONE_DAY: gettext_lazy("Large sum left"),
}
"""Short names, for chips and for money at risk by cause."""


def figures_of(x, history: features.History) -> dict[str, dict[str, np.ndarray]]:
    """Return the numbers that the sentences need: {reason: {name: (n,)}}; NaN where not known."""
    column = dict(zip(features.NAMES, x.T, strict=True))
    demand = history.kinds.get("demand", np.zeros_like(history.end))
    return {
        "fall": {"change": column["end_to_month_ago"] - 1, "from": history.end[:, 1], "to": history.end[:, 0]},
        "trend": {"months": column["falling_blocks"], "change": column["base_to_quarter_before"] - 1},
        "peak": {"below": 1 - column["end_to_peak"]},
        "outflow": {"amount": history.outflow[:, 0], "share": column["outflow_0"]},
        "inflow": {"amount": history.inflow[:, 0], "usual": history.inflow[:, 1:].mean(axis=1)},
        "swings": {"range": column["range_0"]},
        "cash": {"share": column["demand_share"], "rise": demand[:, 0] - demand[:, 1]},
        "maturity": {"amount": column["due_30"] * history.base, "share": column["due_30"]},
        "breadth": {"kinds": column["kinds_held"], "lost": column["kinds_lost"]},
        "contact": {"days": column["days_since_contact"]},
        "relation": {"years": np.expm1(column["tenure"])},
        "season": {"month": history.month},
    }


def strongest_first(points: dict[str, float], figures: dict[str, dict[str, float]], *, keep: int | None) -> list[dict]:
    """Return a score's reasons as stored: code, points rounded to hundredths, figures."""
    ordered = sorted(points.items(), key=lambda pair: -abs(pair[1]))
    return [
        {"code": code, "points": round(value, 2), "figures": {k: _stored(v) for k, v in figures[code].items()}}
        for code, value in ordered[:keep]
        if abs(value) >= LEAST_POINTS
    ]


def _stored(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4 if abs(value) < 100 else 2)


def sentence(reason: dict, on: date | None = None) -> str:
    """Return a stored reason in the active language; an unknown code (of an older version) reads as its code."""
    say = SENTENCES.get(reason["code"])
    return say(reason["figures"], on) if say else reason["code"]


def cause(code: str) -> str:
    """Return the short name of a reason."""
    return str(CAUSES.get(code, code))


def _percent(value: float | None) -> str:
    return formats.percent(None if value is None else abs(value))


def _fall(figures: dict, on) -> str:
    change = figures["change"]
    if change <= -0.01:
        return _("Assets fell {share} in 30 days").format(share=_percent(change))
    if change >= 0.01:
        return _("Assets rose {share} in 30 days").format(share=_percent(change))
    return _("Assets level over 30 days")


def _trend(figures: dict, on) -> str:
    months = int(figures["months"])
    if months >= 2:
        return ngettext(
            "Average falling for {months} month", "Average falling for {months} months in a row", months
        ).format(months=months)
    if figures["change"] >= 0.01:
        return _("Average of 90 days {share} above the quarter before").format(share=_percent(figures["change"]))
    if figures["change"] <= -0.01:
        return _("Average of 90 days {share} below the quarter before").format(share=_percent(figures["change"]))
    return _("Average of 90 days steady")


def _peak(figures: dict, on) -> str:
    if figures["below"] >= 0.02:
        return _("{share} below the best month of a year").format(share=_percent(figures["below"]))
    return _("At the best month of a year")


def _outflow(figures: dict, on) -> str:
    if figures["amount"] < 1:
        return _("Nothing left in 30 days")
    return _("{amount} left in 30 days ({share} of assets)").format(
        amount=formats.money(figures["amount"]), share=_percent(figures["share"])
    )


def _inflow(figures: dict, on) -> str:
    if figures["amount"] < 1:
        return _("Nothing came in within 30 days")
    return _("{amount} came in within 30 days").format(amount=formats.money(figures["amount"]))


def _swings(figures: dict, on) -> str:
    return _("Balance moved within {share} of assets in 30 days").format(share=_percent(figures["range"]))


def _cash(figures: dict, on) -> str:
    if figures["rise"] >= 10_000:
        return _("{share} at call, {amount} more than 30 days ago").format(
            share=_percent(figures["share"]), amount=formats.money(figures["rise"])
        )
    return _("{share} of assets at call").format(share=_percent(figures["share"]))


def _maturity(figures: dict, on) -> str:
    if figures["amount"] < 1:
        return _("Nothing matures within 30 days")
    return _("{amount} matures within 30 days ({share} of assets)").format(
        amount=formats.money(figures["amount"]), share=_percent(figures["share"])
    )


def _breadth(figures: dict, on) -> str:
    kinds, lost = int(figures["kinds"]), int(figures["lost"])
    held = ngettext("Holds {kinds} kind of product", "Holds {kinds} kinds of product", kinds).format(kinds=kinds)
    return _("{held}, {lost} fewer than two months ago").format(held=held, lost=lost) if lost > 0 else held


def _contact(figures: dict, on) -> str:
    if figures["days"] is None:
        return _("No contact on record")
    days = int(figures["days"])
    if days >= features.NEVER_CONTACTED:
        return _("No contact within half a year")
    if days < 30:
        return ngettext("Contacted {days} day ago", "Contacted {days} days ago", days).format(days=days)
    return _("{days} days without a valid contact").format(days=days)


def _relation(figures: dict, on) -> str:
    if figures["years"] is None:
        return _("Length of the relation not known")
    years = int(figures["years"])
    if years < 1:
        return _("With the bank for less than a year")
    return ngettext("With the bank for {years} year", "With the bank for {years} years", years).format(years=years)


def _season(figures: dict, on) -> str:
    return _("Season: month {month}").format(month=int(figures["month"]))


def _one_day(figures: dict, on) -> str:
    return _("{amount} left in one day ({share} of assets)").format(
        amount=formats.money(figures["amount"]), share=_percent(figures["share"])
    )


SENTENCES = {
    "fall": _fall,
    "trend": _trend,
    "peak": _peak,
    "outflow": _outflow,
    "inflow": _inflow,
    "swings": _swings,
    "cash": _cash,
    "maturity": _maturity,
    "breadth": _breadth,
    "contact": _contact,
    "relation": _relation,
    "season": _season,
    ONE_DAY: _one_day,
}
"""The sentence of each code from its figures; `contacts.reasons` is given them for Today."""
