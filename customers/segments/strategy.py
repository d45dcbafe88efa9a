"""The strategy of a segment: one in force, each change a new row with its reason (domain.md §12)."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Product, Segment, SegmentStrategy
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

LOOSEST_DAYS = 90
"""Every managed customer is contacted once a quarter: a strategy that asks for less would be looser than the rule."""


class StrategyRefused(Refused):
    """The strategy cannot be kept so; the message says why."""

    code = "strategy_refused"


def next_review(on: date) -> date:
    """Return the day on which a strategy is looked at again by default: the first of the next quarter."""
    first = on.replace(month=3 * ((on.month - 1) // 3) + 1, day=1)
    return (first + timedelta(days=95)).replace(day=1)


def in_force(segment: Segment) -> SegmentStrategy | None:
    """Return the strategy that holds."""
    return segment.strategies.filter(ended_at=None).select_related("owner").first()


def scripts_for(customer) -> list[tuple[str, str]]:
    """Return what the strategies in force suggest to say to a customer: [(name of the segment, words)]."""
    rows = SegmentStrategy.objects.filter(
        ended_at=None, segment__retired_at=None, segment__members__customer=customer, segment__members__until=None
    )
    return list(rows.exclude(scripts="").order_by("segment__name").values_list("segment__name", "scripts"))


@transaction.atomic
def set_strategy(*, segment: Segment, by: Staff, on: date, seen: int | None, **values) -> SegmentStrategy:
    """Put a strategy in force in place of the one before.

    Args:
        seen: the key of the strategy that the page showed, None for none.
        values: the columns of SegmentStrategy; a change names its reason.

    Raises:
        StrategyRefused: somebody changed it meanwhile, it is looser than the tier's rule, the review day is not
            ahead, or a product category does not exist.
    """
    Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    held = in_force(segment)
    if (held.pk if held else None) != seen:
        raise StrategyRefused(_("Somebody has changed the strategy meanwhile; look at it again."))
    every = values.get("every_days")
    if every is not None and not 1 <= every <= LOOSEST_DAYS:
        raise StrategyRefused(
            _("A strategy may be stricter than the regime, never looser: at least every {n} days.").format(
                n=LOOSEST_DAYS
            )
        )
    if values["review_on"] <= on:
        raise StrategyRefused(_("The review lies ahead: choose a day after today."))
    if {*values.get("products", [])} - {*Product.Category.values}:
        raise StrategyRefused(_("Choose products from the list."))
    if held:
        SegmentStrategy.objects.filter(pk=held.pk).update(ended_at=timezone.now())
    else:
        values |= {"reason": SegmentStrategy.Reason.FIRST}
    made = SegmentStrategy.objects.create(segment=segment, made_by=by, **values)
    audit.record("segment.strategy_set", segment, by=by, goal=made.goal, reason=made.reason)
    return made
