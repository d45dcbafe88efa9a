"""Figures of domain.md §15 by outlet, each as numerator and denominator: whoever reads them can add outlets up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from churn.models import ChurnAlert
from contacts.models import Compliance, ContactLog, Opportunity
from customers.models import Customer, Holding, Load
from staff.models import Branch

CARING = ("care", "after_sale", "information")
QUARTER_DAYS = 90
CROSS_SOLD = 3
"""Product categories from which a customer counts as cross-sold (practice)."""


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


def _rows(viewer, since: date, until: date) -> dict[str, QuerySet]:
    customers = Customer.objects.visible_to(viewer).order_by()
    mine: dict[str, Callable] = {"customer__in": customers}
    period = {"closed_on__range": (since, until)}
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
        "opportunity_conversion": _ratio(
            Opportunity.objects.filter(**mine, **period), "customer__branch__code", Q(stage="won")
        ),
        "retention_success": _ratio(
            ChurnAlert.objects.filter(**mine, **period).exclude(status=ChurnAlert.Status.FALSE_ALARM),
            "customer__branch__code", Q(status=ChurnAlert.Status.RETAINED),
        ),
    }  # fmt: skip


KPIS = (
    "ownership_coverage", "quarter_coverage", "product_coverage", "cross_sell_rate", "quota_use", "contact_compliance",
    "care_balance", "opportunity_conversion", "retention_success",
)  # fmt: skip


def _ratio(rows: QuerySet, outlet: str, counted) -> QuerySet:
    """Return (outlet, how many are counted, how many there are) of each outlet."""
    return rows.order_by().values_list(F(outlet)).annotate(n=Count("pk", filter=counted), of=Count("pk"))
