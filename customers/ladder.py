"""The tier ladder of Customer 360: where the month average stands, what it would take, and one sentence of advice.

Pure functions of figures; amounts in yuan, places on the ladder in percent of its length.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from customers.models import Tier
from customers.rating import next_tier, tier_for
from staff import formats

ANCHORS = {Tier.GENERAL: 0, Tier.GOLD: 9, Tier.PLATINUM: 42, Tier.DIAMOND: 83}
"""Where each tier begins on the ladder, percent; its end is twice the highest floor and beyond."""

MATURITY_DAYS = 60
"""How far ahead maturing money is looked at."""


@dataclass(frozen=True)
class Figures:
    """What the ladder is drawn from; `maturing` is the money that falls due within MATURITY_DAYS, `on` today.

    `patience` is after how many months below the floor the tier falls (RatingRule.patience).
    """

    floors: Mapping[Tier, Decimal]
    month_avg: Decimal
    service_tier: Tier
    on: date
    watch_months: int = 0
    patience: int = 3
    maturing: Decimal = Decimal(0)
    matures_on: date | None = None

    @property
    def asset_tier(self) -> Tier:
        return tier_for(self.month_avg, self.floors)

    @property
    def above(self) -> Tier | None:
        """Return the next tier above the month average."""
        return next_tier(self.asset_tier)

    @property
    def missing(self) -> Decimal | None:
        """Return how much the month average lacks of the next tier; None at the top."""
        return None if self.above is None else self.floors[self.above] - self.month_avg

    @property
    def remaining(self) -> Decimal | None:
        """Return the month average without the maturing money; None if none matures."""
        return max(self.month_avg - self.maturing, Decimal(0)) if self.maturing else None


def place(amount: Decimal, floors: Mapping[Tier, Decimal]) -> float:
    """Return where an amount stands on the ladder, 0–100: straight between the floors, 100 from twice the top on."""
    tiers = sorted(floors)
    marks = [(float(floors[tier]), float(ANCHORS[tier])) for tier in tiers]
    marks.append((2 * marks[-1][0], 100.0))
    value = float(amount)
    for (low, left), (high, right) in zip(marks, marks[1:], strict=False):
        if value < high:
            return round(left + (right - left) * (value - low) / (high - low), 1)
    return 100.0


def rating_day(on: date) -> date:
    """Return the next first of a month: the day on which the month that runs is rated."""
    return (on.replace(day=1) + timedelta(days=32)).replace(day=1)


def reachable_day(on: date) -> date:
    """Return the rating day of the first whole month from now: what comes in today counts fully there."""
    return rating_day(on) if on.day == 1 else rating_day(rating_day(on))


def advice(figures: Figures) -> str:
    """Return the one sentence under the ladder."""
    if figures.service_tier > figures.asset_tier:
        return _below(figures)
    if figures.asset_tier > figures.service_tier:
        return _("The month average has reached {tier}; signing makes it the service tier.").format(
            tier=figures.asset_tier.label
        )
    if figures.watch_months:
        return _(
            "This month's average is {money} above the floor of {tier}; kept to the month's end it ends the watch."
        ).format(
            money=formats.money(figures.month_avg - figures.floors[figures.asset_tier]), tier=figures.asset_tier.label
        )
    if figures.above is None:
        return _at_the_top(figures)
    return _towards(figures)


def _below(figures: Figures) -> str:
    """The month average is below the tier that is served: watch, and what would bring it back."""
    lacks = figures.floors[figures.service_tier] - figures.month_avg
    values = {"money": formats.money(lacks), "tier": figures.service_tier.label}
    if not figures.watch_months:
        return _("{money} below the floor of {tier}; a month that ends so begins the watch.").format(**values)
    left = max(figures.patience - figures.watch_months, 0)
    if not left:
        return _("{money} below the floor of {tier}; the tier falls on the next rating day.").format(**values)
    return _("{money} more keeps {tier}; after {left} more months below the floor it falls.").format(
        **values, left=left
    )


def _at_the_top(figures: Figures) -> str:
    floor = figures.floors[figures.asset_tier]
    if figures.remaining is not None and figures.remaining < floor:
        return _("If {money} leaves when it matures, {lacks} is missing for {tier}: speak before it does.").format(
            money=formats.round_money(figures.maturing),
            lacks=formats.money(floor - figures.remaining),
            tier=figures.asset_tier.label,
        )
    return _("{money} above the floor of {tier}.").format(
        money=formats.money(figures.month_avg - floor), tier=figures.asset_tier.label
    )


def _towards(figures: Figures) -> str:
    """What it takes to the next tier and when it could count; what maturing money would do."""
    values = {
        "more": formats.money(figures.missing),
        "tier": figures.above.label,
        "day": formats.day(reachable_day(figures.on), today=figures.on),
    }
    if figures.remaining is None:
        return _("{more} more reaches {tier} on {day}; it takes effect on signing.").format(**values)
    values["money"] = formats.round_money(figures.maturing)
    floor = figures.floors[figures.asset_tier]
    if figures.remaining < floor:
        return _(
            "Keep {money} and add {more} to reach {tier} on {day}; if it leaves, {below} is missing for {here}."
        ).format(**values, below=formats.money(floor - figures.remaining), here=figures.asset_tier.label)
    if figures.asset_tier == Tier.GENERAL:
        return _("Keep {money} and add {more} to reach {tier} on {day}.").format(**values)
    return _(
        "Keep {money} and add {more} to reach {tier} on {day}; if it leaves, only {left} is left above {here}."
    ).format(**values, left=formats.money(figures.remaining - floor), here=figures.asset_tier.label)


@dataclass(frozen=True)
class Drawing:
    """The ladder in percents for its SVG: `segments` of (code, left, width, name), `floors` of (place, words)."""

    segments: list
    floors: list
    pin: float
    pin_label: str
    loss: float | None
    loss_label: str
    gap: tuple[float, float] | None
    gap_label: str

    @property
    def gap_width(self) -> float:
        return round(self.gap[1] - self.gap[0], 1)

    @property
    def pin_width(self) -> int:
        """Return the width of the pin's label in pixels: Chinese characters are as wide as they are high."""
        return 20 + sum(12 if ord(character) > 255 else 7 for character in self.pin_label)

    @property
    def pin_left(self) -> int:
        return -self.pin_width // 2

    @property
    def pin_box(self) -> float:
        """Return the middle of the pin's label, kept inside the drawing."""
        return min(max(self.pin, 13.0), 87.0)

    @property
    def is_gap_wide(self) -> bool:
        """Say whether the gap's words stand above it; else they stand behind its end."""
        return self.gap_width >= 18

    @property
    def gap_text(self) -> float:
        return (self.gap[0] + self.gap[1]) / 2 if self.is_gap_wide else self.gap[1] + 0.8


def draw(figures: Figures) -> Drawing:
    """Return where everything stands."""
    floors = figures.floors
    tiers = sorted(floors)
    ends = [place(floors[tier], floors) for tier in tiers[1:]] + [100.0]
    starts = [place(floors[tier], floors) for tier in tiers]
    pin = place(figures.month_avg, floors)
    loss = None if figures.remaining is None else place(figures.remaining, floors)
    above = figures.above
    gap = None if above is None else (pin, place(floors[above], floors))
    return Drawing(
        segments=[
            {
                "code": "ngpd"[tier],
                "left": left,
                "width": round(end - left - 0.3, 1),
                "name": tier.label,
                "tier": tier,
                "middle": round((left + end) / 2, 1),
            }
            for tier, left, end in zip(tiers, starts, ends, strict=True)
        ],
        floors=[
            {"place": place(floors[tier], floors), "words": formats.round_money(floors[tier])} for tier in tiers[1:]
        ],
        pin=pin,
        pin_label=_("Month average {money}").format(money=formats.money(figures.month_avg)),
        loss=loss,
        loss_label=""
        if loss is None
        else _("if {money} leaves at maturity → {left}").format(
            money=formats.round_money(figures.maturing), left=formats.money(figures.remaining)
        ),
        gap=gap,
        gap_label=""
        if above is None
        else _("{money} to {tier}").format(money=formats.money(figures.missing), tier=above.label),
    )
