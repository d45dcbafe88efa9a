"""The tables of floor 3: contacts and their rules, tasks, opportunities."""

from contacts.models.activities import Activity, Invitation
from contacts.models.compliance import Compliance, Escalation
from contacts.models.events import ContactEvent, EventMatch
from contacts.models.feedback import Feedback
from contacts.models.feeds import CalendarFeed
from contacts.models.logs import ContactLog, ContactLogVersion, FrequencyRule
from contacts.models.messages import InboundMessage, MessageBatch, MessageTemplate, OutboundMessage
from contacts.models.opportunities import (
    MOVES,
    PROBABILITY,
    CustomerIntroduction,
    Opportunity,
    OpportunityStageHistory,
    SalesPlan,
    SalesTarget,
)
from contacts.models.reports import CommunicationReport, ReportAddendum, ReportAttachment
from contacts.models.requests import SpecialApplication, SpecialDecision, StaffReferral
from contacts.models.tasks import ContactTask
from contacts.models.visits import VisitPlan

__all__ = [
    "MOVES",
    "PROBABILITY",
    "Activity",
    "CalendarFeed",
    "CommunicationReport",
    "Compliance",
    "ContactEvent",
    "ContactLog",
    "ContactLogVersion",
    "ContactTask",
    "CustomerIntroduction",
    "Escalation",
    "EventMatch",
    "Feedback",
    "FrequencyRule",
    "InboundMessage",
    "Invitation",
    "MessageBatch",
    "MessageTemplate",
    "Opportunity",
    "OpportunityStageHistory",
    "OutboundMessage",
    "ReportAddendum",
    "ReportAttachment",
    "SalesPlan",
    "SalesTarget",
    "SpecialApplication",
    "SpecialDecision",
    "StaffReferral",
    "VisitPlan",
]
