"""An effect in words, the same for activities, messages and early warning."""

from django.utils.translation import gettext as _

from customers.effect import LEAST, Effect
from staff import formats


def effect_words(found: Effect, numbers: str) -> str:
    """Return what a treatment changed, in a sentence with its interval; an honest word where it cannot be said.

    Args:
        numbers: how many were compared with how many, in the words of the treatment.
    """
    if found.verdict == "too_few":
        return _("Too few to say: {numbers}; at least {least} of each are needed.").format(numbers=numbers, least=LEAST)
    figures = {
        "estimate": formats.money(found.estimate),
        "low": formats.money(found.low),
        "high": formats.money(found.high),
        "numbers": numbers,
    }
    if found.verdict == "unclear":
        return _("No effect shown: {estimate} a customer, 95 % between {low} and {high} ({numbers}).").format(**figures)
    if found.verdict == "harmed":
        return _("It did harm: {estimate} a customer, 95 % between {low} and {high} ({numbers}).").format(**figures)
    return _("It helped: {estimate} more kept a customer, 95 % between {low} and {high} ({numbers}).").format(**figures)
