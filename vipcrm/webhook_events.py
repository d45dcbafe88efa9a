"""What happened since an endpoint was last told, read from the tables themselves: no verb can forget to say it."""

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from churn.models import ChurnAlert
from contacts.models import ContactLog, Opportunity
from customers.models import Assignment, Customer, DayClose, TierChange
from staff.models import Branch, WebhookEndpoint
from staff.webhooks import lay_by, may_hear
from vipcrm.settled import settled_until

Found = tuple[str, str, datetime, dict]


@transaction.atomic
def collect(endpoint: WebhookEndpoint) -> int:
    """Lay by what an endpoint is to be told; return how many events are new. Again finds nothing twice."""
    endpoint = (
        WebhookEndpoint.objects.select_for_update(no_key=True).select_related("client__branch").get(pk=endpoint.pk)
    )
    until, since = settled_until(), endpoint.seen_until
    if endpoint.stopped_why or until <= since:
        return 0
    asked = {event for event in endpoint.events if may_hear(endpoint.client, event)}
    kinds = sorted({event.split(".")[0] for event in asked})
    found = [one for kind in kinds for one in SOURCES[kind](endpoint.client, since, until)]
    endpoint.seen_until = until
    endpoint.save(update_fields=["seen_until"])
    return lay_by(endpoint=endpoint, found=[one for one in found if one[0] in asked])


def collect_all() -> int:
    """Lay by what every endpoint in use is to be told; return how many events are new."""
    return sum(collect(one) for one in WebhookEndpoint.objects.filter(stopped_why="", client__stopped_at=None))


def _rows(rows, column: str, since: datetime, until: datetime, *names: str):
    """Return (time, pk, customer number, …) of what changed in (since, until], oldest first."""
    within = rows.filter(**{f"{column}__gt": since, f"{column}__lte": until}).order_by(column, "pk")
    return within.values_list(column, "pk", "customer__customer_no", *names)


def _assignments(client, since, until) -> Iterator[Found]:
    rows = Assignment.objects.visible_to(client)
    for at, pk, number in _rows(rows, "updated_at", since, until):
        yield "assignment.changed", f"assignment-{pk}-{at.timestamp():.6f}", at, {"id": pk, "customer_no": number}


def _contacts(client, since, until) -> Iterator[Found]:
    rows = ContactLog.objects.filter(customer__in=Customer.objects.visible_to(client))
    for at, pk, number in _rows(rows, "created_at", since, until):
        yield "contact.logged", f"contact-{pk}", at, {"id": pk, "customer_no": number}


def _tiers(client, since, until) -> Iterator[Found]:
    rows = TierChange.objects.filter(customer__in=Customer.objects.visible_to(client), kind__in=["up", "down"])
    for at, pk, number in _rows(rows, "created_at", since, until):
        yield "tier.changed", f"tier-{pk}", at, {"id": pk, "customer_no": number}


def _alerts(client, since, until) -> Iterator[Found]:
    """An alert that is only watched is told to nobody: that would spoil the comparison (domain.md §14)."""
    rows = ChurnAlert.objects.visible_to(client).exclude(status=ChurnAlert.Status.WATCHED)
    for at, pk, number, closed_on in _rows(rows, "updated_at", since, until, "closed_on"):
        event = "churn_alert.closed" if closed_on else "churn_alert.opened"
        yield event, f"alert-{pk}-{closed_on or 'open'}", at, {"id": pk, "customer_no": number}


def _opportunities(client, since, until) -> Iterator[Found]:
    ended = [Opportunity.Stage.WON, Opportunity.Stage.LOST]
    rows = Opportunity.objects.visible_to(client).filter(stage__in=ended)
    for at, pk, number, stage, closed_on in _rows(rows, "updated_at", since, until, "stage", "closed_on"):
        yield f"opportunity.{stage}", f"opportunity-{pk}-{stage}-{closed_on}", at, {"id": pk, "customer_no": number}


def _days(client, since, until) -> Iterator[Found]:
    own = DayClose.objects.filter(branch__in=Branch.objects.under(client.branch_id))
    rows = own.filter(closed_at__gt=since, closed_at__lte=until).order_by("closed_at", "pk")
    for at, pk, code, day in rows.values_list("closed_at", "pk", "branch__code", "data_date"):
        yield "day.closed", f"day-{pk}-{at.timestamp():.6f}", at, {"branch": code, "date": day.isoformat()}


SOURCES = {
    "assignment": _assignments, "contact": _contacts, "tier": _tiers, "churn_alert": _alerts, "opportunity": _opportunities,
    "day": _days,
}  # fmt: skip
"""What reads the events of a kind: the first part of their code."""
