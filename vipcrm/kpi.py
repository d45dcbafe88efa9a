"""Figures of domain.md §15 by outlet, each as numerator and denominator: whoever reads them can add outlets up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from churn.models import ChurnAlert
from contacts.models import CommunicationReport, Compliance, ContactLog, Feedback, Opportunity
from customers.assets import month_start
from customers.models import (
    Customer,
    Holding,
    Load,
    MonthlyAsset,
    RiskAssessment,
    Tier,
    TierChange,
    TransactionEvent,
)
from staff.models import Branch

CARING = ("care", "after_sale", "information")
QUARTER_DAYS = 90
CROSS_SOLD = 3
"""Product categories from which a customer counts as cross-sold (practice)."""

TIER_WEIGHTS = {Tier.GOLD: 1, Tier.PLATINUM: 2, Tier.DIAMOND: 7}
"""What a customer of a tier counts in weighted new VIP (domain.md §15); the flag of private banking has no history and adds nothing."""
COMPLETE = 80
"""Percent from which a profile counts as complete."""
ACTIVE_AVERAGE = 1_000
"""Month average from which a customer is active, yuan (assumption of domain.md §15)."""
JUDGED_AFTER = timedelta(days=90)
"""How old an alert is when it is known whether its customer left."""
ASSESSMENT_YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Figure:
    """One figure of one outlet; `value` is None where there is nothing to divide by."""

    branch: str
    kpi: str
    numerator: Decimal
    denominator: Decimal

    @property
    def value(self) -> Decimal | None:
        return round(Decimal(self.numerator) / Decimal(self.denominator), 4) if self.denominator else None


def figures_of(*, viewer, since: date, until: date) -> list[Figure]:
    """Return every figure of the outlets in the viewer's sight, outlets in the order of their codes.

    Args:
        since, until: the period, both days included, of figures that are of a period; the others are as of now.
    """
    found = {kpi: dict(_pairs(rows)) for kpi, rows in _rows(viewer, since, until).items()}
    outlets = Branch.objects.under(viewer.branch_id).outlets().order_by("code").values_list("code", flat=True)
    return [
        Figure(outlet, kpi, *(Decimal(part or 0) for part in found[kpi].get(outlet, (0, 0))))
        for outlet in outlets
        for kpi in KPIS
    ]


def _pairs(rows):
    return ((code, (numerator, denominator)) for code, numerator, denominator in rows)


def _rows(viewer, since: date, until: date) -> dict:
    return _service(viewer, since, until) | _outcomes(viewer, since, until) | _growth(viewer, since, until)


def _service(viewer, since: date, until: date) -> dict[str, QuerySet]:
    """Return what is done for customers: coverage, load, contacts, reports, profiles."""
    customers = Customer.objects.visible_to(viewer).order_by()
    mine: dict[str, Callable] = {"customer__in": customers}
    talked = ContactLog.objects.valid().filter(customer=OuterRef("pk"), on__gt=until - timedelta(days=QUARTER_DAYS))
    active = Holding.objects.active().filter(customer=OuterRef("pk")).order_by().values("customer")
    held = active.annotate(n=Count("product__category", distinct=True)).values("n")
    vip = customers.vip().annotate(held=Coalesce(Subquery(held), 0)).values_list("branch__code")
    return {
        "ownership_coverage": _ratio(customers.assignable(), "branch__code", Q(manager__isnull=False)),
        "quarter_coverage": _ratio(customers.filter(manager__isnull=False), "branch__code", Exists(talked)),
        "product_coverage": vip.annotate(n=Sum("held"), of=Count("pk")),
        "cross_sell_rate": vip.annotate(n=Count("pk", filter=Q(held__gte=CROSS_SOLD)), of=Count("pk")),
        "quota_use": Load.objects.filter(
            staff__branch__in=Branch.objects.under(viewer.branch_id), staff__is_active=True, capacity__gt=0
        ).order_by().values_list("staff__branch__code").annotate(n=Sum("units"), of=Sum("capacity")),
        "contact_compliance": _ratio(
            Compliance.objects.filter(**mine, window_last__range=(since, until)).exclude(state="exempt"),
            "branch__code", Q(state="met"),
        ),
        "care_balance": _ratio(
            ContactLog.objects.standing().filter(**mine, on__range=(since, until)),
            "customer__branch__code", Q(purpose__in=CARING),
        ),
        "report_timeliness": _ratio(
            CommunicationReport.objects.filter(**mine, due_on__range=(since, until)),
            "customer__branch__code", Q(submitted_at__date__lte=F("due_on")),
        ),
        "profile_completeness": _ratio(
            customers.filter(manager__isnull=False), "branch__code", Q(archive_completeness__gte=COMPLETE)
        ),
        "maintenance_cost": customers.filter(manager__isnull=False, service_tier__gte=Tier.GOLD)
        .values_list("branch__code").annotate(n=Sum("service_cost"), of=Count("pk")),
    }  # fmt: skip


def _outcomes(viewer, since: date, until: date) -> dict[str, QuerySet]:
    """Return what came of it: sales and whether they were suitable, alerts, what customers say."""
    customers = Customer.objects.visible_to(viewer).order_by()
    mine, outlet = {"customer__in": customers}, "customer__branch__code"
    closed = {"closed_on__range": (since, until)}
    alerts = ChurnAlert.objects.filter(**mine)
    reached = ContactLog.objects.valid().filter(
        customer=OuterRef("customer"), on__gte=OuterRef("opened_on"), on__lte=OuterRef("due_on")
    )
    assessed = RiskAssessment.objects.filter(
        customer=OuterRef("customer"),
        grade__gte=OuterRef("product__risk_level"),
        assessed_on__lte=OuterRef("opened_on"),
        assessed_on__gt=OuterRef("opened_on") - ASSESSMENT_YEAR,
    )
    said = Feedback.objects.filter(**mine, received_on__range=(since, until)).order_by()
    complained = said.filter(kind=Feedback.Kind.COMPLAINT, customer=OuterRef("pk"))
    return {
        "opportunity_conversion": _ratio(Opportunity.objects.filter(**mine, **closed), outlet, Q(stage="won")),
        "suitability": _ratio(
            Holding.objects.filter(**mine, opened_on__range=(since, until), product__risk_level__isnull=False),
            outlet, Exists(assessed),
        ),
        "retention_success": _ratio(
            alerts.filter(**closed).exclude(status=ChurnAlert.Status.FALSE_ALARM),
            outlet, Q(status=ChurnAlert.Status.RETAINED),
        ),
        "alert_handling": _ratio(
            alerts.filter(sent_on__isnull=False, due_on__range=(since, until)), outlet, Exists(reached)
        ),
        "alert_precision": _ratio(
            alerts.filter(left__isnull=False, opened_on__range=(since - JUDGED_AFTER, until - JUDGED_AFTER)),
            outlet, Q(left=True) | Q(status=ChurnAlert.Status.RETAINED),
        ),
        "satisfaction": said.filter(score__isnull=False).values_list(outlet).annotate(n=Sum("score"), of=Count("pk")),
        "complaint_rate": _ratio(customers.filter(manager__isnull=False), "branch__code", Exists(complained)),
    }  # fmt: skip


def _growth(viewer, since: date, until: date) -> dict:
    """Return how tiers and money changed since the base: the day before `since`; of money, the month end before it."""
    customers = Customer.objects.visible_to(viewer).order_by()
    weight = {name: _weight(name) for name in ("service_tier", "from_tier", "to_tier")}
    steps = TierChange.objects.filter(customer__in=customers, kind__in=("up", "down"), on__gte=since).order_by()
    within, by_outlet = Q(on__lte=until), steps.values_list("customer__branch__code")
    moved = {
        outlet: changes
        for outlet, *changes in by_outlet.annotate(
            gained=Sum(weight["to_tier"] - weight["from_tier"], filter=within, default=0),
            since_base=Sum(weight["to_tier"] - weight["from_tier"]),
            fallen=Count("customer", distinct=True, filter=within & Q(kind="down", from_tier__gte=Tier.GOLD)),
            entered=Count("pk", filter=Q(from_tier__lt=Tier.GOLD, to_tier__gte=Tier.GOLD)),
            dropped=Count("pk", filter=Q(from_tier__gte=Tier.GOLD, to_tier__lt=Tier.GOLD)),
        )
    }
    held = customers.vip().values_list("branch__code").annotate(units=Sum(weight["service_tier"]), n=Count("pk"))
    now = {outlet: (units, vips) for outlet, units, vips in held}
    new_vip, fallen = [], []
    for outlet in now.keys() | moved.keys():
        units, vips = now.get(outlet, (0, 0))
        gained, since_base, down, entered, dropped = moved.get(outlet, (0,) * 5)
        new_vip.append((outlet, gained, units - since_base))
        fallen.append((outlet, down, vips - entered + dropped))
    base = MonthlyAsset.objects.filter(
        customer=OuterRef("pk"), month=month_start(month_start(since) - timedelta(days=1))
    )
    based = customers.annotate(base=Subquery(base.values("month_end")), year=Subquery(base.values("year_avg")))
    by_base, payroll = based.values_list("branch__code"), customers.filter(key_groups__contains=["payroll"])
    became = TierChange.objects.filter(
        customer=OuterRef("pk"), kind="up", from_tier__lt=Tier.GOLD, to_tier__gte=Tier.GOLD, on__range=(since, until)
    )
    active = TransactionEvent.objects.filter(
        customer=OuterRef("pk"), data_date__gt=until - timedelta(days=QUARTER_DAYS)
    )
    signed = customers.filter(signed_on__range=(since, until))
    return {
        "weighted_new_vip": new_vip,
        "downgrade_rate": fallen,
        "aum_growth": by_base.annotate(n=Sum(F("aum") - Coalesce("base", Decimal(0))), of=Sum("base")),
        "year_average_growth": by_base.annotate(n=Sum(F("year_avg") - Coalesce("year", Decimal(0))), of=Sum("year")),
        "signed_assets": signed.values_list("branch__code").annotate(n=Sum("aum"), of=Count("pk")),
        "payroll_to_vip": _ratio(payroll, "branch__code", Exists(became)),
        "active_customers": _ratio(customers, "branch__code", Q(month_avg__gte=ACTIVE_AVERAGE) | Exists(active)),
    }  # fmt: skip


def _weight(tier: str) -> Case:
    return Case(*(When(**{tier: of}, then=Value(units)) for of, units in TIER_WEIGHTS.items()), default=Value(0))


KPIS = (
    "ownership_coverage", "quarter_coverage", "product_coverage", "cross_sell_rate", "quota_use", "contact_compliance",
    "care_balance", "report_timeliness", "profile_completeness", "maintenance_cost", "opportunity_conversion",
    "suitability", "retention_success", "alert_handling", "alert_precision", "satisfaction", "complaint_rate",
    "weighted_new_vip", "downgrade_rate", "aum_growth", "year_average_growth", "signed_assets", "payroll_to_vip",
    "active_customers",
)  # fmt: skip


def _ratio(rows: QuerySet, outlet: str, counted) -> QuerySet:
    """Return (outlet, how many are counted, how many there are) of each outlet."""
    return rows.order_by().values_list(F(outlet)).annotate(n=Count("pk", filter=counted), of=Count("pk"))
