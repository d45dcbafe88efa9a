"""Webhooks after Standard Webhooks (reliability.md §6): signed, ids only, retried for three days, never redirected.

What happened is found by the floor above (`vipcrm.webhook_events`); here are the endpoints and the posting.
"""

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staff import audit
from staff.models import ApiClient, Staff, WebhookDelivery, WebhookEndpoint
from staff.refusal import Refused

EVENTS = {
    "assignment.changed": gettext_lazy("Assignment changed"),
    "contact.logged": gettext_lazy("Contact logged"),
    "tier.changed": gettext_lazy("Tier changed"),
    "churn_alert.opened": gettext_lazy("Churn alert opened"),
    "churn_alert.closed": gettext_lazy("Churn alert closed"),
    "opportunity.won": gettext_lazy("Opportunity won"),
    "opportunity.lost": gettext_lazy("Opportunity lost"),
    "day.closed": gettext_lazy("Day closed"),
}
"""What an endpoint can be told, by the code that is sent."""

SCOPES = {
    "assignment": "assignments:read", "contact": "contacts:read", "tier": "customers:read", "churn_alert": "churn:read",
    "opportunity": "contacts:read", "day": "assets:write",
}  # fmt: skip
"""The scope that an event takes, by the first part of its code: nobody is told what he could not read."""

PAUSES = tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000))
"""Between the tries, about three days in all (Standard Webhooks)."""

TIMEOUT = 10
AT_ONCE = 5
LEASE = timedelta(seconds=AT_ONCE * TIMEOUT * 3)
"""How long those taken at once are one worker's: to connect, to send and to be answered may each take TIMEOUT."""

RUN_SECONDS = 20
"""After so long a run takes no more: an endpoint that is slow must not keep the workers from the night."""

Status = WebhookDelivery.Status


class EndpointRefused(Refused):
    """This address, or one of these events, is not for the client; the message says why."""

    code = "endpoint_refused"


@transaction.atomic
def subscribe(*, client: ApiClient, url: str, events: Iterable[str], by: Staff) -> tuple[WebhookEndpoint, str]:
    """Tell a client's address of events from now on; return the endpoint and its secret, shown once.

    Raises:
        EndpointRefused: the host is not on the list of `WEBHOOK_HOSTS`, or the client could not read such an event.
    """
    chosen = sorted(set(events))
    _check_url(url)
    beyond = [event for event in chosen if not may_hear(client, event)]
    if beyond or not chosen:
        raise EndpointRefused(_("The client lacks the scope for: {events}.").format(events=", ".join(beyond) or "—"))
    if client.webhooks.filter(url=url).exists():
        raise EndpointRefused(_("This address is told already; stop it first, or choose another."))
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    endpoint = WebhookEndpoint.objects.create(client=client, url=url, events=chosen, secret=secret)
    audit.record("webhook.made", endpoint, by=by, events=" ".join(chosen), client=client.name)
    return endpoint, secret


def may_hear(client: ApiClient, event: str) -> bool:
    """Say whether a client may be told of an event: whether it may read, now, what the event is about."""
    return SCOPES[event.split(".")[0]] in client.allowed_scopes.split()


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    local = settings.DEMO and parts.hostname in ("127.0.0.1", "localhost")
    if parts.scheme != "https" and not local:
        raise EndpointRefused(_("The address must begin with https://."))
    if parts.username or (parts.hostname not in settings.WEBHOOK_HOSTS and not local):
        raise EndpointRefused(
            _("{host} is not on the list of hosts that may be told (WEBHOOK_HOSTS).").format(host=parts.hostname or "—")
        )


@transaction.atomic
def stop(*, endpoint: WebhookEndpoint, by: Staff | None, why: str = "") -> None:
    """Tell an endpoint nothing more; what waits for it stays, and goes out if it is taken up again."""
    endpoint.stopped_why = why or _("stopped by hand")
    endpoint.save(update_fields=["stopped_why"])
    audit.record("webhook.stopped", endpoint, by=by, reason=endpoint.stopped_why)


@transaction.atomic
def resume(*, endpoint: WebhookEndpoint, by: Staff) -> None:
    """Tell an endpoint again, from where it was stopped."""
    _check_url(endpoint.url)
    endpoint.stopped_why = ""
    endpoint.save(update_fields=["stopped_why"])
    audit.record("webhook.resumed", endpoint, by=by)


@transaction.atomic
def resend(*, delivery: WebhookDelivery, by: Staff) -> None:
    """Post an event once more, as a first try; its id is the same, so that the receiver knows it."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(status=Status.WAITING, attempts=0, next_at=timezone.now())
    audit.record("webhook.resent", delivery.endpoint, by=by, event=delivery.event, message=delivery.message_id)


def lay_by(*, endpoint: WebhookEndpoint, found: Iterable[tuple[str, str, datetime, dict]]) -> int:
    """Lay events (code, message id, time, ids) by for an endpoint, each once; return how many are new."""
    rows = [
        WebhookDelivery(endpoint=endpoint, event=event, message_id=key, happened_at=at, data=data)
        for event, key, at, data in found
    ]
    before = endpoint.deliveries.count()
    WebhookDelivery.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
    return endpoint.deliveries.count() - before


def send_due() -> int:
    """Post what is due, oldest first; return how many were tried. A second worker takes others; one that dies leaves its own."""
    tried, ends = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < ends and (taken := _take()):
        for delivery in taken:
            _send(delivery)
        tried += len(taken)
    return tried


@transaction.atomic
def _take() -> list[WebhookDelivery]:
    """Take a few that are due: nobody else gets them while the lease runs."""
    due = WebhookDelivery.objects.due().select_for_update(skip_locked=True, of=("self",)).order_by("next_at", "pk")
    taken = list(due.select_related("endpoint")[:AT_ONCE])
    WebhookDelivery.objects.filter(pk__in=[one.pk for one in taken]).update(next_at=timezone.now() + LEASE)
    return taken


def _send(delivery: WebhookDelivery) -> None:
    endpoint = delivery.endpoint
    body = json.dumps(
        {"type": delivery.event, "timestamp": delivery.happened_at.isoformat(), "data": delivery.data},
        separators=(",", ":"),
    )
    code, answer = _post(endpoint, delivery.message_id, body.encode())
    delivery.attempts += 1
    delivery.tried_at, delivery.answer = timezone.now(), answer
    if 200 <= code < 300:
        delivery.status = Status.DELIVERED
    elif code == http.client.GONE or delivery.attempts > len(PAUSES):
        delivery.status = Status.FAILED
    else:
        delivery.next_at = timezone.now() + PAUSES[delivery.attempts - 1]
    with transaction.atomic():
        delivery.save(update_fields=["attempts", "tried_at", "answer", "status", "next_at"])
        if code == http.client.GONE:
            stop(endpoint=endpoint, by=None, why=_("answered 410: gone for good"))


def _post(endpoint: WebhookEndpoint, message_id: str, body: bytes) -> tuple[int, str]:
    """Post and return (status, what to note); 0 where nobody answered. A redirect is an answer like any other."""
    try:
        _check_url(endpoint.url)
    except EndpointRefused as refusal:
        return 0, str(refusal)[:60]
    parts, at = urlsplit(endpoint.url), int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json", "User-Agent": "vipcrm-webhooks", "webhook-id": message_id,
        "webhook-timestamp": str(at), "webhook-signature": signature(endpoint.secret, message_id, at, body),
    }  # fmt: skip
    secure = parts.scheme == "https"
    made = (
        http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=TIMEOUT, context=ssl.create_default_context()
        )
        if secure
        else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
    )
    try:
        made.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        answered = made.getresponse()
        return answered.status, f"HTTP {answered.status}"
    except (OSError, http.client.HTTPException) as error:
        return 0, type(error).__name__
    finally:
        made.close()


def signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    """Return the signature of Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


KEEP = timedelta(days=30)


def forget() -> int:
    """Drop what was delivered or given up a month ago; return how many."""
    return WebhookDelivery.objects.exclude(status=Status.WAITING).filter(tried_at__lt=timezone.now() - KEEP).delete()[0]
