"""The audit trail: one call writes what was done, in the transaction that does it."""

import json
from dataclasses import dataclass

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

from staff import request_context
from staff.masking import mask_name
from staff.models import ApiClient, AuditEvent, Branch, Staff


def record(action: str, obj: models.Model | None, *, by: Staff | ApiClient | None, **figures) -> AuditEvent:
    """Write that somebody did something to an object; nothing is done if this can't be written.

    Args:
        action: the bank's word for it, such as "customer.assigned".
        by: a member of staff or an API client; None for the bank's own night.
        figures: what it was about, masked: amounts, dates and codes, never a revealed value.
    """
    event = _event(action, obj, by=by, figures=figures)
    event.save(force_insert=True)
    return event


def record_many(action: str, rows, *, by: Staff | ApiClient | None) -> int:
    """Write one event for each (object, figures) of a bulk action, in order; return how many."""
    events = [_event(action, obj, by=by, figures=figures) for obj, figures in rows]
    return len(AuditEvent.objects.bulk_create(events, batch_size=1000))


def _event(action, obj, *, by, figures) -> AuditEvent:
    context = request_context.current()
    return AuditEvent(
        action=action,
        staff=by if isinstance(by, Staff) else None,
        client=by if isinstance(by, ApiClient) else None,
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        object_label=label_of(obj),
        figures=json.loads(json.dumps(figures, cls=DjangoJSONEncoder)),
        ip=context.ip,
        request_id=context.request_id,
    )


def label_of(obj: models.Model | None) -> str:
    """Return what the trail calls an object: `audit_label` if it has one, else its name, people's masked."""
    if obj is None:
        return ""
    if hasattr(obj, "audit_label"):
        return str(obj.audit_label)[:120]
    if isinstance(obj, Staff | Branch | ApiClient):
        return str(obj)[:120]
    return mask_name(getattr(obj, "name", ""))


@dataclass(frozen=True)
class Verdict:
    """What the check of the chain found: how many events, the first that does not fit (its id), the last hash."""

    checked: int
    broken_id: int | None
    head: str


CHECK = """
    SELECT (event).id FROM (
        SELECT event, lag(event.hash, 1, '') OVER chain AS before, row_number() OVER chain AS place
        FROM staff_auditevent event WINDOW chain AS (ORDER BY event.position NULLS LAST, event.id)
    ) chained
    WHERE (event).position IS DISTINCT FROM place OR (event).previous_hash <> before
        OR (event).hash <> staff_audit_hash(event, place, before)
    ORDER BY place LIMIT 1
"""


def verify() -> Verdict:
    """Recompute the whole chain in the database. A changed, lost or slipped-in event breaks it.

    Cutting off the newest events leaves a whole, shorter chain: compare `head` with one kept elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHECK)
        broken = cursor.fetchone()
    newest = AuditEvent.objects.exclude(position=None).order_by("-position").values_list("hash", flat=True).first()
    return Verdict(AuditEvent.objects.count(), broken[0] if broken else None, newest or "")
