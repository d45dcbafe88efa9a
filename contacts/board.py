"""The opportunities as a board: columns by stage with their sums, and the figures above them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Avg, Count, F, Max, Min, Q, Sum
from django.db.models.functions import TruncDate

from contacts import regime
from contacts.models import MOVES, PROBABILITY, Opportunity
from contacts.opportunity_sources import WORDS
from contacts.pipeline import STALLED_DAYS, is_stalled
from staff.models import Staff
from staff.roles import Scope

Stage = Opportunity.Stage
COLUMNS = (Stage.NEW, Stage.PLANNED, Stage.CONTACTED, Stage.PROPOSED, Stage.AGREED)
CARDS = 30
"""Cards drawn in a column at first."""

PACE_DAYS = 90


@dataclass
class Card:
    """One opportunity with what a card shows of it."""

    opportunity: Opportunity
    days_in_stage: int
    untouched_days: int
    is_stalled: bool
    is_overdue: bool

    @property
    def may_enter(self) -> list[str]:
        """Return the stages that it may go to, in the pipeline's order."""
        leads_to = MOVES[self.opportunity.stage]
        return [stage for stage in Stage if stage in leads_to]

    @property
    def moves(self) -> list[tuple[str, str]]:
        """Return (stage, label) for the menu of a card."""
        return [(stage.value, stage.label) for stage in self.may_enter]

    @property
    def to(self) -> str:
        return " ".join(self.may_enter)

    @property
    def version(self) -> str:
        return self.opportunity.updated_at.isoformat()


@dataclass
class Column:
    """One stage: its cards, and the count and sum of all that are in it."""

    stage: Stage
    number: int = 0
    money: Decimal = Decimal(0)
    cards: list[Card] = field(default_factory=list)

    @property
    def more(self) -> int:
        """Return how many of it are not drawn; the progress table has them all."""
        return max(0, self.number - len(self.cards))

    @property
    def probability(self) -> int:
        return PROBABILITY[self.stage]

    @property
    def label(self) -> str:
        return str(self.stage.label)


def card_of(opportunity: Opportunity, on: date) -> Card:
    """Return the card of an opportunity as of a day."""
    return Card(
        opportunity=opportunity,
        days_in_stage=(on - opportunity.stage_since).days,
        untouched_days=(on - opportunity.last_touched_on).days,
        is_stalled=is_stalled(opportunity, on),
        is_overdue=opportunity.next_action_on is not None and opportunity.next_action_on < on,
    )


@dataclass(frozen=True)
class Filters:
    """What the looks at the pipeline are narrowed to; all of them read and keep the same."""

    mine: bool = False
    kind: str = ""
    source: str = ""
    stalled: bool = False
    overdue: bool = False

    def query(self, **more) -> str:
        """Return the part of an address that says so."""
        said = {name: "1" if value is True else value for name, value in vars(self).items() if value}
        # Whoever sees his own alone by default says that he wants to see all, too.
        return urlencode({"mine": "0"} | said | {name: value for name, value in more.items() if value})


def filters_of(query, *, staff: Staff) -> Filters:
    """Read the filters of an address; what does not fit is as if not there. Without `mine`, members see their own."""
    return Filters(
        mine=query.get("mine", "0" if staff.scope != Scope.OWN else "1") == "1",
        kind=query.get("kind", "") if query.get("kind", "") in Opportunity.Kind.values else "",
        source=query.get("source", "") if query.get("source", "") in WORDS else "",
        stalled=query.get("stalled") == "1",
        overdue=query.get("overdue") == "1",
    )


def visible_opportunities(*, staff: Staff, filters: Filters, on: date):
    """Return the opportunities that a member may see, narrowed; his own are those he owns or helps with."""
    rows = Opportunity.objects.visible_to(staff)
    if filters.mine:
        rows = rows.filter(Q(owner=staff) | Q(pk__in=staff.helped_opportunities.values("pk")))
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    if filters.source:
        rows = rows.filter(source=filters.source)
    if filters.stalled:
        rows = rows.filter(last_touched_on__lte=on - timedelta(days=STALLED_DAYS))
    if filters.overdue:
        rows = rows.filter(Q(next_action_on__lt=on) | Q(resume_on__lt=on, stage=Stage.ON_HOLD))
    return rows


ORDERS = {"due": ("next_action_on", "pk"), "amount": (F("expected_amount").desc(nulls_last=True), "pk")}


def columns_of(rows, sums: dict, *, on: date, order: str = "due") -> list[Column]:
    """Return the columns of the board with their first cards: a query each, as a whole bank's would be too many to number."""
    columns = []
    sealed = ("customer__id_no", "customer__mobile", "customer__address")
    for stage in COLUMNS:
        number, money = sums["stages"].get(stage, (0, None))
        column = Column(stage, number, money or Decimal(0))
        if number:
            placed = rows.filter(stage=stage).select_related("customer", "product", "owner").defer(*sealed)
            column.cards = [card_of(opportunity, on) for opportunity in placed.order_by(*ORDERS[order])[:CARDS]]
        columns.append(column)
    return columns


@dataclass(frozen=True)
class Figures:
    """The strip above the board; money in yuan, pace in days."""

    number: int
    money: Decimal
    weighted: Decimal
    stalled: int
    stalled_money: Decimal
    pace: float | None
    won: int
    won_money: Decimal
    lost: int
    on_hold: int


def sums_of(rows, *, on: date) -> dict:
    """Return the numbers of the board: each stage's count and money, what stalled, how this month went, the pace; three queries."""
    month = regime.month_of(on)
    closed = Q(closed_on__range=(month.first, month.last))
    stalled = Q(last_touched_on__lte=on - timedelta(days=STALLED_DAYS), stage__in=COLUMNS)
    stages = rows.filter(stage__in=COLUMNS).order_by().values_list("stage")
    found = rows.filter(~Q(stage__in=[Stage.WON, Stage.LOST]) | closed).aggregate(
        stalled=Count("pk", filter=stalled),
        stalled_money=Sum("expected_amount", filter=stalled),
        won=Count("pk", filter=Q(stage=Stage.WON) & closed),
        won_money=Sum("result_amount", filter=Q(stage=Stage.WON) & closed),
        lost=Count("pk", filter=Q(stage=Stage.LOST) & closed),
        on_hold=Count("pk", filter=Q(stage=Stage.ON_HOLD)),
    )
    spans = (
        rows.filter(stage=Stage.WON, closed_on__gt=on - timedelta(days=PACE_DAYS))
        .values("pk")
        .annotate(days=Max("closed_on") - Min(TruncDate("history__at")))
        .aggregate(pace=Avg("days"))
    )
    counted = stages.annotate(number=Count("pk"), money=Sum("expected_amount"))
    return {
        "stages": {stage: (number, money) for stage, number, money in counted},
        "found": found,
        "pace": spans["pace"],
    }


def figures_of(columns: list[Column], sums: dict) -> Figures:
    """Return the figures above the board: what is open, weighted and stalled, and how this month went."""
    found, pace = sums["found"], sums["pace"]
    return Figures(
        number=sum(column.number for column in columns),
        money=sum((column.money for column in columns), Decimal(0)),
        weighted=sum((column.money * column.probability / 100 for column in columns), Decimal(0)),
        stalled=found["stalled"],
        stalled_money=found["stalled_money"] or Decimal(0),
        pace=pace.days if pace is not None else None,
        won=found["won"],
        won_money=found["won_money"] or Decimal(0),
        lost=found["lost"],
        on_hold=found["on_hold"],
    )
