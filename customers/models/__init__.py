"""The tables of floor 2: customers, their money, and who looks after them."""

from customers.models.adjustment import AdjustmentRequest
from customers.models.archive import ConsentRecord, Hobby, ProfileValue, Resource, Source
from customers.models.assessment import AdviceAgainst, RiskAssessment
from customers.models.assets import ASSET_KINDS, DailyAsset, DayClose, LateBalance, MonthlyAsset
from customers.models.assignment import Assignment, Load, QuotaRule
from customers.models.assignment_rule import AssignmentRule
from customers.models.customer import Customer, RelationStatus, SearchKey, TierState, ValueClass
from customers.models.family import ExternalAsset, Gift, ImportantDate, Relation
from customers.models.feed_parts import FeedPart
from customers.models.handover import Handover, HandoverLine
from customers.models.imports import ImportBatch, ImportKind, ImportMapping, ImportRow
from customers.models.list_memory import ListChoice, SavedView, ViewPin
from customers.models.merging import CustomerMerge, NotSamePerson
from customers.models.named_lists import CustomerList, CustomerListMember, ListPurpose
from customers.models.nomination import Nomination
from customers.models.override import Override
from customers.models.portfolio import Holding, Product, ProductValue
from customers.models.proposal_record import ProposalRecord
from customers.models.segments import Segment, SegmentMember, SegmentStrategy
from customers.models.tiers import RatingRule, Tier, TierChange, TierRule
from customers.models.transactions import TransactionEvent
from customers.models.value import BelowZero, ValueMonth

__all__ = [
    "ASSET_KINDS",
    "AdjustmentRequest",
    "AdviceAgainst",
    "Assignment",
    "AssignmentRule",
    "BelowZero",
    "ConsentRecord",
    "Customer",
    "CustomerList",
    "CustomerListMember",
    "CustomerMerge",
    "DailyAsset",
    "DayClose",
    "ExternalAsset",
    "Gift",
    "FeedPart",
    "Handover",
    "HandoverLine",
    "Hobby",
    "Holding",
    "ImportantDate",
    "ImportBatch",
    "ImportKind",
    "ImportMapping",
    "ImportRow",
    "ListChoice",
    "LateBalance",
    "ListPurpose",
    "Load",
    "MonthlyAsset",
    "Nomination",
    "NotSamePerson",
    "Override",
    "Product",
    "ProductValue",
    "ProfileValue",
    "ProposalRecord",
    "QuotaRule",
    "RatingRule",
    "Relation",
    "RelationStatus",
    "RiskAssessment",
    "Resource",
    "SavedView",
    "SearchKey",
    "Segment",
    "SegmentMember",
    "SegmentStrategy",
    "Source",
    "Tier",
    "TierChange",
    "TierRule",
    "TierState",
    "TransactionEvent",
    "ValueClass",
    "ValueMonth",
    "ViewPin",
]
