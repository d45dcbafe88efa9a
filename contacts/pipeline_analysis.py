"""The pipeline looked at: what may come in month by month, where it gets stuck, why it is lost. Aggregates in SQL only."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Case, Count, DecimalField, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import PROBABILITY, Opportunity, SalesTarget
from customers.assets import month_start
from staff import audit
from staff.models import Branch, Staff
from staff.refusal import Refused

Stage = Opportunity.Stage
STEPS = (Stage.NEW, Stage.PLANNED, Stage.CONTACTED, Stage.PROPOSED, Stage.AGREED, Stage.WON)
"""The way of an opportunity in the order of the board; one may skip `planned`."""

MONTHS_BACK, MONTHS_AHEAD = 3, 6
LOOK_BACK = 180
"""Days of opening within which an opportunity counts in the funnel and among the lost."""

WEIGHT = Case(
    *(When(stage=stage, then=Value(Decimal(percent) / 100)) for stage, percent in PROBABILITY.items()),
    output_field=DecimalField(max_digits=4, decimal_places=2),
)


class TargetRefused(Refused):
    code = "target_refused"


def totals_of(rows: QuerySet) -> dict:
    """Return count, amount and weighted amount (amount × probability of the stage) of open opportunities."""
    money = DecimalField(max_digits=20, decimal_places=2)
    return rows.aggregate(
        number=Count("pk"),
        amount=Sum("expected_amount", default=Decimal(0)),
        weighted=Sum(F("expected_amount") * WEIGHT, default=Decimal(0), output_field=money),
    )


# --- forecast ------------------------------------------------------------------------------------------


@dataclass
class Month:
    """One month: what was won, what is expected and weighted, and the target; yuan."""

    first: date
    won: Decimal = Decimal(0)
    expected: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    number: int = 0
    target: Decimal | None = None


def month_at(first: date, months: int) -> date:
    """Return the first day of the month so many months on."""
    place = first.year * 12 + first.month - 1 + months
    return date(place // 12, place % 12 + 1, 1)


def forecast(rows: QuerySet, branches, *, on: date) -> list[Month]:
    """Return the months from three back to five ahead; what was expected earlier and is still open stands in this month."""
    this = month_start(on)
    months = {first: Month(first) for first in (month_at(this, n) for n in range(-MONTHS_BACK, MONTHS_AHEAD))}
    first, end = month_at(this, -MONTHS_BACK), month_at(this, MONTHS_AHEAD)
    won = rows.filter(stage=Stage.WON, closed_on__gte=first, closed_on__lte=on)
    for row in won.values(month=TruncMonth("closed_on")).annotate(money=Sum("result_amount", default=Decimal(0))):
        months[row["month"]].won = row["money"]
    money = DecimalField(max_digits=20, decimal_places=2)
    coming = rows.open().filter(expected_on__lt=end).values(month=TruncMonth("expected_on"))
    coming = coming.annotate(
        n=Count("pk"), money=Sum("expected_amount", default=Decimal(0)),
        weighted=Sum(F("expected_amount") * WEIGHT, default=Decimal(0), output_field=money),
    )  # fmt: skip
    for row in coming:
        month = months[max(row["month"], this)]
        month.number += row["n"]
        month.expected += row["money"]
        month.weighted += row["weighted"]
    targets = SalesTarget.objects.filter(branch__in=branches, month__gte=first, month__lt=end)
    for row in targets.values("month").annotate(money=Sum("amount")):
        months[row["month"]].target = row["money"]
    return list(months.values())


@dataclass(frozen=True)
class Pace:
    """How this month goes against its target: yuan; `share` of the target reached, `due` the share of the month gone."""

    won: Decimal
    target: Decimal | None
    due: float

    @property
    def share(self) -> float | None:
        return float(self.won / self.target) if self.target else None

    @property
    def is_behind(self) -> bool:
        return self.share is not None and self.share < self.due


def pace_of(months: list[Month], *, on: date) -> Pace:
    """Return the pace of the month that a day lies in."""
    this = next(month for month in months if month.first == month_start(on))
    days = (month_at(this.first, 1) - this.first).days
    return Pace(this.won, this.target, on.day / days)


@transaction.atomic
def set_target(*, branch: Branch, month: date, amount: Decimal, by: Staff, on: date) -> SalesTarget:
    """Keep what an outlet means to win in a month that is not over.

    Raises:
        TargetRefused: the month is over.
    """
    if month < month_start(on):
        raise TargetRefused(_("The target of a month that is over does not change."))
    target, _created = SalesTarget.objects.update_or_create(
        branch=branch, month=month_start(month), defaults={"amount": amount, "set_by": by}
    )
    audit.record("sales_target.set", target, by=by, branch=branch.code, day=target.month, amount=amount)
    return target


# --- funnel --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One stage: how many came as far, what share of those of the stage before, and the median days spent in it."""

    stage: Stage
    number: int
    conversion: float | None
    days: float | None


def funnel(rows: QuerySet, *, on: date) -> list[Step]:
    """Return the way of the opportunities opened within LOOK_BACK days, stage by stage in board order: two queries."""
    first = datetime.combine(on - timedelta(days=LOOK_BACK - 1), time(), tzinfo=timezone.get_current_timezone())
    chosen = rows.filter(created_at__gte=first)
    reached, days = _reached(chosen), _days_in_stage(chosen)
    steps: list[Step] = []
    for place, stage in enumerate(STEPS):
        number = sum(count for depth, count in reached.items() if depth >= place)
        before = steps[-1].number if steps else 0
        steps.append(Step(stage, number, number / before if before else None, days.get(stage)))
    return steps


def slowest(steps: list[Step]) -> Step | None:
    """Return the stage in which most days pass; None where nothing has passed yet."""
    known = [step for step in steps if step.days is not None and step.stage != Stage.WON]
    return max(known, key=lambda step: step.days or 0.0, default=None)


def _reached(chosen: QuerySet) -> dict[int, int]:
    """Return how many opportunities came as far as which place of STEPS: {place: number}."""
    places = " ".join(f"WHEN '{stage}' THEN {place}" for place, stage in enumerate(STEPS))
    return dict(
        _asked(
            chosen,
            f"""SELECT depth, count(*) FROM (
                    SELECT max(CASE h.to_stage {places} ELSE 0 END) AS depth FROM contacts_opportunitystagehistory h
                    WHERE h.opportunity_id IN ({{chosen}}) GROUP BY h.opportunity_id) AS each GROUP BY depth""",
        )
    )


def _days_in_stage(chosen: QuerySet) -> dict[str, float]:
    """Return the median days between entering a stage and leaving it: {stage: days}."""
    return dict(
        _asked(
            chosen,
            """SELECT to_stage, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM left_at - at) / 86400)
               FROM (SELECT to_stage, at, lead(at) OVER (PARTITION BY opportunity_id ORDER BY at, id) AS left_at
                     FROM contacts_opportunitystagehistory WHERE opportunity_id IN ({chosen})) AS step
               WHERE left_at IS NOT NULL GROUP BY to_stage""",
        )
    )


def _asked(chosen: QuerySet, select: str) -> list[tuple]:
    inner, params = chosen.order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(select.replace("{chosen}", inner), params)
        return cursor.fetchall()


# --- lost ----------------------------------------------------------------------------------------------


def lost_reasons(rows: QuerySet, *, on: date) -> list[dict]:
    """Return why business was lost within LOOK_BACK days, most often first: reason, label, number, money, share."""
    lost = rows.filter(stage=Stage.LOST, closed_on__gt=on - timedelta(days=LOOK_BACK))
    found = list(
        lost.values("lost_reason").annotate(number=Count("pk"), money=Sum("expected_amount", default=Decimal(0)))
        .order_by("-number", "lost_reason")
    )  # fmt: skip
    total = sum(row["number"] for row in found)
    labels = dict(Opportunity.LostReason.choices)
    return [row | {"label": labels[row["lost_reason"]], "share": row["number"] / total} for row in found]


def win_rate(rows: QuerySet, *, on: date) -> float | None:
    """Return won ÷ (won + lost) of what was closed within LOOK_BACK days; None where nothing was."""
    closed = rows.filter(closed_on__gt=on - timedelta(days=LOOK_BACK))
    found = closed.aggregate(won=Count("pk", filter=Q(stage=Stage.WON)), all=Count("pk"))
    return found["won"] / found["all"] if found["all"] else None
