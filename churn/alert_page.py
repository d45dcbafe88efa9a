"""What the page of early warning shows: figures, rows, and the one row that stands open. A constant number of queries."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from churn import playbook, reasons
from churn.models import ChurnAlert, Level
from contacts.models import ContactLog
from customers.models import Customer, DailyAsset
from staff import formats

SIZE = 50
LOOK_BACK = 90
"""Days that the figures about outcomes look back."""

CHART_DAYS = 30
CHIPS = 2

Status = ChurnAlert.Status


@dataclass
class Row:
    """One alert of the list with the chips of its strongest reasons."""

    alert: ChurnAlert
    chips: list[dict]
    is_new: bool
    is_overdue: bool

    @property
    def customer(self) -> Customer:
        return self.alert.customer


def figures_of(alerts: QuerySet, *, on: date) -> dict:
    """Return the counts of the tabs and the figures of the strip, of the last 90 days where they look back: one query."""
    since = on - timedelta(days=LOOK_BACK)
    begun = Q(status=Status.WORKING) | Q(status=Status.OPEN, customer__last_contact_on__gte=F("opened_on"))
    is_open = Q(status__in=[Status.OPEN, Status.WORKING])
    judged = Q(closed_on__gte=since) & ~is_open
    first_contact = ContactLog.objects.valid().filter(
        customer=OuterRef("customer"), on__gte=OuterRef("opened_on"), on__lte=OuterRef("due_on")
    )
    in_time = Q(is_contacted=True) | Q(closed_on__lte=F("due_on"))
    asked = Q(opened_on__gte=since) & (Q(due_on__lt=on) | in_time)
    found = alerts.annotate(is_contacted=Exists(first_contact)).aggregate(
        open=Count("id", filter=is_open),
        money=Sum("money_at_risk", filter=is_open, default=Decimal(0)),
        high=Count("id", filter=is_open & Q(level=Level.HIGH)),
        medium=Count("id", filter=is_open & Q(level=Level.MEDIUM)),
        working=Count("id", filter=begun),
        settled=Count("id", filter=~is_open),
        retained_money=Sum("money_at_risk", filter=judged & Q(status=Status.RETAINED), default=Decimal(0)),
        retained=Count("id", filter=judged & Q(status=Status.RETAINED)),
        lost=Count("id", filter=judged & Q(status=Status.LOST)),
        false_alarm=Count("id", filter=judged & Q(status=Status.FALSE_ALARM)),
        asked=Count("id", filter=asked),
        in_time=Count("id", filter=asked & in_time),
        opened=Count("id", filter=Q(opened_on__gte=since)),
    )
    found["waiting"] = found["open"] - found["working"]
    found["judged"] = found["retained"] + found["lost"] + found["false_alarm"]
    found["hits"] = found["retained"] + found["lost"]
    found["hit_rate"] = found["hits"] / found["judged"] if found["judged"] else None
    found["in_time_rate"] = found["in_time"] / found["asked"] if found["asked"] else None
    return found


def of_tab(alerts: QuerySet, tab: str) -> QuerySet:
    """Keep the alerts of a tab, in its order: most money first, settled ones newest first."""
    if tab == "settled":
        return alerts.settled().order_by("-closed_on", "-id")
    return (alerts.in_progress() if tab == "working" else alerts.to_handle()).order_by("-money_at_risk", "-id")


def page_after(alerts: QuerySet, *, tab: str, after: str, on: date) -> tuple[list[Row], str]:
    """Return up to SIZE rows after a place of the list, and the place of the next ones ("" at the end)."""
    name = "closed_on" if tab == "settled" else "money_at_risk"
    place = _place(after, name)
    if place:
        value, key = place
        alerts = alerts.filter(Q(**{f"{name}__lt": value}) | Q(**{name: value, "id__lt": key}))
    found = list(alerts.select_related("customer__manager", "score")[: SIZE + 1])
    rows = [row_of(alert, on=on) for alert in found[:SIZE]]
    last = found[SIZE - 1] if len(found) > SIZE else None
    return rows, f"{getattr(last, name)}~{last.pk}" if last else ""


def _place(after: str, name: str):
    """Read a place of the list; None for none and for what is not one."""
    value, _mark, key = after.partition("~")
    try:
        return (date.fromisoformat(value) if name == "closed_on" else Decimal(value)), int(key)
    except (ValueError, InvalidOperation):
        return None


def row_of(alert: ChurnAlert, *, on: date) -> Row:
    pushing = [reason for reason in alert.score.reasons if reason["points"] >= 0]
    chips = [{"label": reasons.cause(reason["code"]), "points": round(reason["points"])} for reason in pushing[:CHIPS]]
    is_open = alert.status in (Status.OPEN, Status.WORKING)
    return Row(
        alert=alert, chips=chips, is_new=is_open and alert.opened_on >= on, is_overdue=is_open and alert.due_on < on
    )


def detail_of(alert: ChurnAlert) -> dict:
    """Return what an open row shows: the balance of 30 days, every reason, the suggestion. One query."""
    last = alert.score.data_date
    days = DailyAsset.objects.filter(
        customer=alert.customer_id, data_date__gt=last - timedelta(days=CHART_DAYS), data_date__lte=last
    )
    balances = list(days.order_by("data_date").values_list("data_date", "total"))
    return {
        "chart": balance_chart(balances),
        "balances": balances,
        "from": balances[0][1] if balances else None,
        "to": balances[-1][1] if balances else None,
        "bars": bars_of(alert.score.reasons),
        "suggestion": playbook.suggestion(alert),
    }


def balance_chart(balances: list[tuple[date, Decimal]]) -> dict:
    """Return the step chart of end-of-day balances, in the unit of money columns."""
    scale = 10_000 if formats.chinese() else 1_000
    return {
        "labels": [f"{day:%m-%d}" for day, _total in balances],
        "series": [
            {"name": formats.column_unit(), "color": "--churn", "data": [float(t) / scale for _d, t in balances]}
        ],
        "unit": formats.column_unit(),
    }


def bars_of(stored: list[dict], *, most: int | None = None) -> list[dict]:
    """Return reasons as signed bars: the sentence, whole points, the length as a share of the longest."""
    shown = [reason for reason in stored if abs(reason["points"]) >= 0.5 or reason["code"] == reasons.ONE_DAY][:most]
    top = max((abs(reason["points"]) for reason in shown), default=1) or 1
    return [
        {
            "label": reasons.sentence(reason),
            "points": round(reason["points"]),
            "share": round(100 * abs(reason["points"]) / top),
        }
        for reason in shown
    ]
