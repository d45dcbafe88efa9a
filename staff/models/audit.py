"""The audit trail: what was done, by whom, from where. Append-only, chained by hashes."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

CHAIN_LOCK = 7_201_125
"""The advisory lock under which events join the chain."""


class AuditEventQuerySet(models.QuerySet):
    def newest_first(self):
        return self.order_by("-id").select_related("staff", "client")

    def before(self, event_id):
        """Keep the events older than that one: the next page of the list."""
        return self.filter(id__lt=event_id)

    def about(self, obj):
        """Keep what was done to one object."""
        return self.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))


class AuditEvent(models.Model):
    """One action on one object. `object_label` and `figures` carry masks only, never a revealed value.

    The row joins the chain when its transaction commits: `position` counts up without a gap and
    `hash` is SHA-256 over the row and the hash before it (`staff.audit.verify` recomputes it). It
    joins that late so that the chain's lock is the last one taken: two verbs can't deadlock over it.
    """

    at = models.DateTimeField(db_default=models.functions.Now())
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    client = models.ForeignKey(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL, models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    action = models.CharField(_("action"), max_length=60, help_text=_("such as customer.assigned"))
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    object_label = models.CharField(max_length=120, blank=True, help_text=_("masked"))
    figures = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    position = models.BigIntegerField(null=True, unique=True, editable=False)
    previous_hash = models.CharField(max_length=64, default="", editable=False)
    hash = models.CharField(max_length=64, default="", editable=False)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            # What happened to one object: Customer 360, "changes and views".
            models.Index(name="audit_by_object", fields=["object_type", "object_id", "-id"]),
            # What one person did.
            models.Index(name="audit_by_staff", fields=["staff", "-id"]),
        ]
        triggers = [
            pgtrigger.Protect(
                name="audit_never_changes",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__position__isnull=False),
            ),
            pgtrigger.Protect(name="audit_never_goes", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="audit_never_emptied",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'the audit trail cannot be emptied' USING ERRCODE = 'insufficient_privilege';",
            ),
            pgtrigger.Trigger(
                name="audit_joins_the_chain",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                declare=[("last_position", "bigint"), ("last_hash", "text"), ("lock_taken", "text")],
                func=f"""
                    SELECT pg_advisory_xact_lock({CHAIN_LOCK})::text INTO lock_taken;
                    SELECT position, hash INTO last_position, last_hash FROM staff_auditevent
                        WHERE position IS NOT NULL ORDER BY position DESC LIMIT 1;
                    UPDATE staff_auditevent event SET
                        position = COALESCE(last_position, 0) + 1,
                        previous_hash = COALESCE(last_hash, ''),
                        hash = staff_audit_hash(event, COALESCE(last_position, 0) + 1, COALESCE(last_hash, ''))
                    WHERE id = NEW.id;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.object_label}"

    @property
    def actor(self):
        """Return who did it, a person or an API client; None for the bank's own night."""
        return self.staff or self.client
