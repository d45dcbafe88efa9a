"""The panels of Customer 360 that belong to this room; each answers at its own address, alone as a whole page."""

from datetime import timedelta
from decimal import Decimal

from django import forms
from django.db.models import Sum
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from customers import asset_chart, ladder, suitability
from customers.archive.fields import BY_CODE
from customers.archive.values import words_of
from customers.assets import month_start
from customers.models import Assignment, Holding, MonthlyAsset, Product, RatingRule, Tier, TierRule, TierState
from customers.outlook import MonthSoFar, coming
from customers.views import may_view
from customers.views_detail import visible_customer
from staff import formats
from staff.formats import WAN
from staff.models import AuditEvent
from staff.shell import render_page

HISTORY_ROWS, HISTORY_MOST = 30, 500


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
        "outlook": None if request.user.sees_bands else _outlook(request, customer, figures.floors, on),
        "figures": figures,
        "advice": ladder.advice(figures),
        "drawing": ladder.draw(figures),
        "rating_day": ladder.rating_day(on),
    }
    return render_page(request, "customers/panel_ladder.html", context, partial="panel")


class ChangeForm(forms.Form):
    """Reads a change of assets in 10,000 yuan, and from which day."""

    change = forms.DecimalField(min_value=-100_000, max_value=100_000, max_digits=8, decimal_places=2)
    since = forms.DateField(required=False)


def _outlook(request, customer, floors, on) -> dict | None:
    """Return what the coming ratings would find as it stands, and with the change that was asked for.

    None where no month's average decides the tier: before the first night, or under a rule that rates by the year.
    """
    by_month = RatingRule.objects.in_force(on).rating_measure == RatingRule.Measure.MONTH_AVG
    if customer.data_date is None or not by_month:
        return None
    month = MonthlyAsset.objects.filter(customer=customer, month=month_start(customer.data_date)).first()
    if month is None:
        return None
    so_far = MonthSoFar(month.balances, month.days, customer.data_date, customer.aum)
    form = ChangeForm(request.GET if "change" in request.GET else None)
    found = {
        "form": form,
        "so_far": so_far,
        "as_it_is": coming(so_far, floors=floors),
        "change": request.GET.get("change", ""),
        "since": request.GET.get("since", ""),
        "first": customer.data_date + timedelta(days=1),
    }
    if form.is_valid():
        change = form.cleaned_data["change"] * WAN
        changed = coming(so_far, floors=floors, change=change, since=form.cleaned_data["since"])
        found |= {"changed": changed, "amount": change}
    return found


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
    age = suitability.age_on(customer.birth_date, on)
    context = {
        "customer": customer,
        "assessment": assessment,
        "grade": suitability.GRADES.get(assessment.grade, ""),
        "levels": [{"label": f"R{level}", "allowed": level <= assessment.highest} for level in range(1, 6)],
        "is_elderly": age is not None and age >= suitability.ELDERLY_AGE,
        "advice": customer.advice_against.select_related("product", "by")[:3],
        "may_edit": request.user.has_perm("customers.edit_profile"),
        "grades": list(suitability.GRADES.items()),
        "products": Product.objects.on_sale(on).exclude(risk_level=None).order_by("ladder_rank", "code"),
    }
    return render_page(request, "customers/panel_suitability.html", context, partial="panel")


@require_GET
@may_view
def panel_team(request, pk):
    """Who serves the customer now, as what, since when, and how to reach them."""
    customer = visible_customer(request, pk)
    team = customer.assignments.open().select_related("staff__branch").order_by("role", "start", "pk")
    order = {Assignment.Role.PRIMARY: 0, Assignment.Role.BACKUP: 1, Assignment.Role.ADVISER: 2}
    context = {
        "customer": customer,
        "team": sorted(team, key=lambda row: order.get(row.role, 3)),
        "may_assign": request.user.has_perm("customers.assign_customer"),
        "lacks_adviser": customer.service_tier >= Tier.PLATINUM
        and not any(row.role == Assignment.Role.ADVISER for row in team),
    }
    return render_page(request, "customers/panel_team.html", context, partial="panel")


HISTORIES = {
    "tiers": gettext_lazy("Changes of tier"),
    "people": gettext_lazy("Who looked after the customer"),
    "archive": gettext_lazy("Changes of the archive"),
    "views": gettext_lazy("Who looked and what was done"),
}


@require_GET
@may_view
def panel_history(request, pk):
    """One history at a time (`of`), the newest first, `rows` at most: tiers with what caused each, people, archive, the trail."""
    customer = visible_customer(request, pk)
    of = request.GET.get("of", "tiers")
    of = of if of in HISTORIES else "tiers"
    asked = request.GET.get("rows", "")
    rows = min(int(asked), HISTORY_MOST) if asked.isdecimal() and len(asked) < 5 else HISTORY_ROWS
    read = {"tiers": _tier_changes, "people": _people, "archive": _archive_changes, "views": _events}[of]
    found = list(read(customer)[: rows + 1])
    url = reverse("customers:panel_history", args=[customer.pk])
    context = {
        "customer": customer,
        "of": of,
        "rows": _in_words(of, found[:rows]),
        "more_url": f"{url}?of={of}&rows={rows + HISTORY_ROWS * 3}" if len(found) > rows else "",
        "tabs": [
            {"label": label, "url": f"{url}?of={code}", "active": code == of} for code, label in HISTORIES.items()
        ],
    }
    return render_page(request, "customers/panel_history.html", context, partial="panel")


def _tier_changes(customer):
    return customer.tier_changes.order_by("-on", "-pk")


def _people(customer):
    return customer.assignments.select_related("staff", "assigned_by").order_by("-start", "-pk")


def _archive_changes(customer):
    return customer.profile_values.select_related("by").order_by("-at", "-pk")


def _events(customer):
    return AuditEvent.objects.about(customer).newest_first()


def _in_words(of: str, rows: list) -> list:
    """Return rows as the page shows them: tiers by their names, values of the archive with the one before."""
    if of == "tiers":
        return [
            {
                "change": row,
                "from_tier": Tier(row.from_tier),
                "to_tier": Tier(row.to_tier),
                "cause": _cause(row.figures),
            }
            for row in rows
        ]
    if of == "archive":
        earlier: dict[str, str] = {}
        found = []
        for row in reversed(rows):
            field = BY_CODE.get(row.field)
            said = words_of(field, row.value) if field else str(row.value)
            found.append(
                {
                    "row": row,
                    "label": field.label if field else row.field,
                    "old": earlier.get(row.field, ""),
                    "new": said,
                }
            )
            earlier[row.field] = said
        return found[::-1]
    return rows


def _cause(figures: dict) -> str:
    """Return in words what caused a change of tier: the floor, and the months below it with their averages."""
    parts = []
    if figures.get("reached"):
        parts.append(_("floor reached {money}").format(money=formats.money(Decimal(figures["reached"]))))
    if figures.get("below"):
        months = "、".join(
            f"{month} {formats.money(Decimal(average))}" for month, average in sorted(figures["below"].items())
        )
        floor = formats.money(Decimal(figures["floor"])) if figures.get("floor") else ""
        parts.append(_("below the floor {floor}: {months}").format(floor=floor, months=months))
    return " · ".join(parts)
