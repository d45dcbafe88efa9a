"""Who may be approached for a purpose, and why somebody may not (domain.md §18). The one home of that question."""

from django.db import models
from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from customers.models import ConsentRecord, RelationStatus, ValueClass

Purpose = ConsentRecord.Purpose
SERVICE = "service"
"""Notices that the contract asks for: no consent is needed, and `do_not_contact` does not stop them."""

SELLING = (Purpose.MARKETING, Purpose.ACTIVITY)
"""Purposes from which quiet customers and those below zero are spared."""

REFUSABLE = (Purpose.CARE,)
"""Purposes that need no consent and end with a refusal; the others but SERVICE need a grant."""


class Skip(models.TextChoices):
    """Why a customer is left out, the strongest first."""

    CLOSED = "closed", _("relation ended")
    DO_NOT_CONTACT = "do_not_contact", _("wishes no contact")
    BELOW_ZERO = "below_zero", _("below zero, confirmed by the head")
    LOW_DISTURB = "low_disturb", _("low disturbance")
    REFUSED = "refused", _("refused it")
    NO_CONSENT = "no_consent", _("no consent for it")


def consenting(purpose: str, channel: str = ""):
    """Return the grants for a purpose that nothing newer took back, over one or any channel, of the customer around it."""
    return _newest(purpose, channel).filter(granted=True)


def refusing(purpose: str, channel: str = ""):
    """Return the refusals that nothing newer lifted, as `consenting` does."""
    return _newest(purpose, channel).filter(granted=False)


def _newest(purpose: str, channel: str):
    newer = ConsentRecord.objects.filter(
        Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk")),
        customer=OuterRef("customer"), purpose=OuterRef("purpose"), channel=OuterRef("channel"),
    )  # fmt: skip
    rows = ConsentRecord.objects.filter(customer=OuterRef("pk"), purpose=purpose)
    return (rows.filter(channel=channel) if channel else rows).filter(~Exists(newer))


def why_not(purpose: str, channel: str = "") -> Case:
    """Return the expression of a Skip code; "" for who may be approached for the purpose over the channel, or over any."""
    whens = [When(relation_status__in=[RelationStatus.CLOSED, RelationStatus.TERMINATED], then=Value(Skip.CLOSED))]
    if purpose != SERVICE:
        whens.append(When(do_not_contact=True, then=Value(Skip.DO_NOT_CONTACT)))
    if purpose in SELLING:
        whens.append(When(value_class=ValueClass.BZC, then=Value(Skip.BELOW_ZERO)))
        whens.append(When(low_disturb=True, then=Value(Skip.LOW_DISTURB)))
    if purpose in REFUSABLE:
        whens.append(When(Exists(refusing(purpose, channel)), then=Value(Skip.REFUSED)))
    elif purpose != SERVICE:
        whens.append(When(~Exists(consenting(purpose, channel)), then=Value(Skip.NO_CONSENT)))
    return Case(*whens, default=Value(""), output_field=CharField())
