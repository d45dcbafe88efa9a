"""The tables of floor 1: institutions and people, the audit trail, the outbox, long work, the night log, API clients
and what they are told."""

from staff.models.audit import AuditEvent
from staff.models.clients import ApiClient, IdempotencyRecord
from staff.models.jobs import Job, JobFault, JobResult
from staff.models.night import Heartbeat, NightRun, NightStep
from staff.models.outbox import OutboxEmail
from staff.models.people import Branch, Staff
from staff.models.qualifications import Qualification
from staff.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "ApiClient",
    "AuditEvent",
    "Branch",
    "Heartbeat",
    "IdempotencyRecord",
    "Job",
    "JobFault",
    "JobResult",
    "NightRun",
    "NightStep",
    "OutboxEmail",
    "Qualification",
    "Staff",
    "WebhookDelivery",
    "WebhookEndpoint",
]
