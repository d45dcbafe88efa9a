"""The panels of Customer 360 that belong to this room; each answers at its own address, alone as a whole page."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import Sum
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from customers import asset_chart, ladder, suitability
from customers.models import Holding, RatingRule, Tier, TierRule, TierState
from customers.views import may_view
from customers.views_detail import age_on, visible_customer
from staff.models import AuditEvent
from staff.shell import render_page

HISTORY_ROWS = 30


@require_GET
@may_view
def panel_ladder(request, pk):
    """Thresholds, the month average, what is missing, what maturing money would do, and one sentence of advice."""
    customer, on = visible_customer(request, pk), localdate()
    soon = Holding.objects.filter(customer=customer).maturing(start=on, end=on + timedelta(days=ladder.MATURITY_DAYS))
    due = list(soon.order_by("matures_on").values_list("matures_on", "amount"))
    figures = ladder.Figures(
        floors=TierRule.objects.floors(on),
        month_avg=customer.month_avg,
        service_tier=customer.tier,
        on=on,
        watch_months=customer.months_below_floor if customer.tier_state == TierState.WATCH else 0,
        patience=RatingRule.objects.in_force(on).patience(is_private_banking=customer.is_private_banking),
        maturing=sum((amount for _day, amount in due), Decimal(0)),
        matures_on=due[0][0] if due else None,
    )
    context = {
        "customer": customer,
        "figures": figures,
        "advice": ladder.advice(figures),
        "drawing": ladder.draw(figures),
        "rating_day": ladder.rating_day(on),
    }
    return render_page(request, "customers/panel_ladder.html", context, partial="panel")


@require_GET
@may_view
def panel_assets(request, pk):
    """The assets by kind over 3, 12 or 36 months; a teller, who sees bands, gets no chart."""
    customer = visible_customer(request, pk)
    asked = request.GET.get("months", "12")
    months = int(asked) if asked in {str(number) for number in asset_chart.RANGES} else 12
    url = reverse("customers:panel_assets", args=[customer.pk])
    context = {"customer": customer, "months": months}
    if not request.user.sees_bands:
        data = asset_chart.chart_of(customer, months=months, on=localdate())
        context |= {"data": data, "finding": asset_chart.finding(data), "legend": asset_chart.legend(data)}
        context["ranges"] = [
            {"label": _("{n} months").format(n=number), "url": f"{url}?months={number}", "active": number == months}
            for number in asset_chart.RANGES
        ]
    return render_page(request, "customers/panel_assets.html", context, partial="panel")


@require_GET
@may_view
def panel_holdings(request, pk):
    """What the customer holds, the largest first, with its share of all holdings and its maturity."""
    customer = visible_customer(request, pk)
    held = Holding.objects.filter(customer=customer).active()
    total = held.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    holdings = list(held.select_related("product").order_by("-amount", "pk"))
    context = {
        "customer": customer,
        "rows": [
            {"holding": row, "share": row.amount / total if total else None, "soon": _is_soon(row)} for row in holdings
        ],
        "next_maturity": min((row.matures_on for row in holdings if row.matures_on), default=None),
    }
    return render_page(request, "customers/panel_holdings.html", context, partial="panel")


def _is_soon(holding: Holding) -> bool:
    return holding.matures_on is not None and (holding.matures_on - localdate()).days <= 7


@require_GET
@may_view
def panel_suitability(request, pk):
    """The customer's risk grade, until when it holds, and which risk levels may be offered."""
    customer, on = visible_customer(request, pk), localdate()
    assessment = suitability.assess(grade=customer.risk_grade, assessed_on=customer.risk_assessed_on, on=on)
    age = age_on(customer.birth_date, on)
    context = {
        "customer": customer,
        "assessment": assessment,
        "grade": suitability.GRADES.get(assessment.grade, ""),
        "levels": [{"label": f"R{level}", "allowed": level <= assessment.highest} for level in range(1, 6)],
        "is_elderly": age is not None and age >= suitability.ELDERLY_AGE,
    }
    return render_page(request, "customers/panel_suitability.html", context, partial="panel")


@require_GET
@may_view
def panel_history(request, pk):
    """Changes of tier with the figure that caused each, who looked after the customer, and who looked at the record."""
    customer = visible_customer(request, pk)
    changes = customer.tier_changes.order_by("-on", "-pk")[:HISTORY_ROWS]
    context = {
        "customer": customer,
        "changes": [
            {"change": change, "from_tier": Tier(change.from_tier), "to_tier": Tier(change.to_tier)}
            for change in changes
        ],
        "assignments": customer.assignments.select_related("staff").order_by("-start", "-pk")[:HISTORY_ROWS],
        "events": AuditEvent.objects.about(customer).newest_first()[:HISTORY_ROWS],
    }
    return render_page(request, "customers/panel_history.html", context, partial="panel")
