"""How far the day, the week and the month have come: the figures at the head of Today, read in a few queries."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, Min, Q, Sum
from django.utils.translation import gettext as _

from contacts import regime
from contacts.models import ContactLog, Opportunity
from contacts.pipeline import STALLED_DAYS
from customers.models import Customer, RelationStatus, Tier
from staff.models import Staff

SOON_DAYS = 7


@dataclass(frozen=True)
class Meter:
    """The contacts of a customer's window against the rule: a label, pips, and the rule in words."""

    label: str
    done: int
    of: int
    state: str
    words: str


def meter_of(
    customer: Customer, rules: regime.Rules, *, phones: int | None = None, meetings: int | None = None
) -> Meter:
    """Return the meter of a customer, of the contacts counted so far or of those given."""
    rule = _rule_of(customer, rules)
    if rule is None:
        return _quarter_meter(customer, rules)
    phones = customer.contact_phones if phones is None else phones
    meetings = customer.contact_meetings if meetings is None else meetings
    need_phones, need_meetings = rule
    progress = regime.credit(rule, phones, meetings)
    if not meetings:
        label = _("Calls {done}/{need}").format(done=phones, need=need_phones)
    elif not phones:
        label = _("Meetings {done}/{need}").format(done=meetings, need=need_meetings)
    else:
        label = _("Calls {calls}, met {meetings}").format(calls=phones, meetings=meetings)
    return Meter(
        label=label,
        done=min(int(progress * need_phones), need_phones),
        of=need_phones,
        state="met" if progress >= 1 else _colour(customer),
        words=_("This month: calls {done}/{need} or meetings {met}/{need_met}").format(
            done=phones, need=need_phones, met=meetings, need_met=need_meetings
        ),
    )


def meters_of(customers, on: date) -> dict[int, Meter]:
    """Return the meters of a page of customers by their keys, in one query: the rules in force."""
    rules = regime.rules_in_force(on)
    return {customer.pk: meter_of(customer, rules) for customer in customers}


def _quarter_meter(customer: Customer, rules: regime.Rules) -> Meter:
    done = min(customer.contact_count, rules.quarterly)
    return Meter(
        label=_("Quarter {done}/{need}").format(done=done, need=rules.quarterly),
        done=done,
        of=rules.quarterly,
        state="met" if done >= rules.quarterly else _colour(customer),
        words=_("Contacts this quarter: {done} of {need}").format(done=customer.contact_count, need=rules.quarterly),
    )


def _colour(customer: Customer) -> str:
    behind = (Customer.ContactState.AT_RISK, Customer.ContactState.MISSED)
    return "behind" if customer.contact_state in behind else "going"


def _rule_of(customer: Customer, rules: regime.Rules) -> tuple[int, int] | None:
    return regime.monthly_rule(
        regime.Subject(
            tier=customer.tier,
            relation_status=customer.relation_status,
            low_disturb=customer.low_disturb,
            assigned_on=None,
            tier_changed_on=None,
        ),
        rules,
    )


@dataclass(frozen=True)
class Week:
    """How many managed customers a member has contacted this week; `today` are those contacted first today."""

    done: int
    today: int
    required: int

    @property
    def pips(self) -> list[str]:
        """Return one word a required customer: on, today or empty."""
        before = self.done - self.today
        words = ["on"] * before + ["today"] * self.today
        return (words + [""] * self.required)[: max(self.required, 1)]

    @property
    def missing(self) -> int:
        return max(self.required - self.done, 0)


def week_of(*, staff: Staff, on: date, rules: regime.Rules) -> Week:
    """Return the week of a member: distinct managed customers with a valid contact of theirs, Monday to Sunday."""
    window = regime.week_of(on)
    contacted = (
        ContactLog.objects.valid()
        .filter(staff=staff, on__range=(window.first, min(window.last, on)), customer__manager=staff)
        .values("customer")
        .annotate(first=Min("on"))
    )
    firsts = [row["first"] for row in contacted]
    managed = Customer.objects.filter(manager=staff).count()
    return Week(
        done=len(firsts),
        today=sum(first == on for first in firsts),
        required=regime.weekly_requirement(managed, rules.weekly),
    )


@dataclass(frozen=True)
class Share:
    """How many of a class of customers are on regime."""

    label: str
    kind: str
    met: int
    total: int


def compliance_of(*, staff: Staff) -> list[Share]:
    """Return the customers on regime of a member: diamond and platinum by the month, the others by the quarter.

    A class without customers is left out.
    """
    monthly = Q(relation_status=RelationStatus.SIGNED, low_disturb=False)
    diamond, platinum = monthly & Q(service_tier=Tier.DIAMOND), monthly & Q(service_tier=Tier.PLATINUM)
    met = Q(contact_state=Customer.ContactState.MET)
    rest = ~(diamond | platinum)
    found = (
        Customer.objects.filter(manager=staff)
        .exclude(contact_state=Customer.ContactState.EXEMPT)
        .aggregate(
            **{
                name: Count("pk", filter=which)
                for name, which in {
                    "d": diamond,
                    "d_met": diamond & met,
                    "p": platinum,
                    "p_met": platinum & met,
                    "g": rest,
                    "g_met": rest & met,
                }.items()
            }
        )
    )
    labels = {"d": Tier.DIAMOND.label, "p": Tier.PLATINUM.label, "g": _("Gold, qtr")}
    shares = [Share(str(label), kind, found[f"{kind}_met"], found[kind]) for kind, label in labels.items()]
    return [share for share in shares if share.total]


@dataclass(frozen=True)
class Risk:
    """The money of a member's customers that is likely to leave."""

    money: Decimal
    high: int
    medium: int


def risk_of(*, staff: Staff) -> Risk:
    """Return the money at risk of the customers whose risk is medium or high."""
    level = Customer.ChurnLevel
    found = Customer.objects.filter(manager=staff, churn_level__gte=level.MEDIUM).aggregate(
        money=Sum("money_at_risk"),
        high=Count("pk", filter=Q(churn_level=level.HIGH)),
        medium=Count("pk", filter=Q(churn_level=level.MEDIUM)),
    )
    return Risk(money=found["money"] or Decimal(0), high=found["high"], medium=found["medium"])


@dataclass(frozen=True)
class Due:
    """The opportunities of a member whose next step falls within a week."""

    money: Decimal
    number: int
    today: int
    stalled: int


def due_of(*, staff: Staff, on: date) -> Due:
    """Return the opportunities due within seven days, overdue ones included, and how many have stalled."""
    soon = Q(next_action_on__lte=on + timedelta(days=SOON_DAYS))
    found = (
        Opportunity.objects.open()
        .filter(owner=staff)
        .aggregate(
            money=Sum("expected_amount", filter=soon),
            number=Count("pk", filter=soon),
            today=Count("pk", filter=Q(next_action_on=on)),
            stalled=Count("pk", filter=Q(last_touched_on__lte=on - timedelta(days=STALLED_DAYS))),
        )
    )
    return Due(found["money"] or Decimal(0), found["number"], found["today"], found["stalled"])


@dataclass(frozen=True)
class Strip:
    """The figures at the head of Today."""

    week: Week
    compliance: list[Share]
    risk: Risk
    due: Due


def strip_of(*, staff: Staff, on: date, rules: regime.Rules) -> Strip:
    """Return the four figures of a member's day."""
    return Strip(
        week=week_of(staff=staff, on=on, rules=rules),
        compliance=compliance_of(staff=staff),
        risk=risk_of(staff=staff),
        due=due_of(staff=staff, on=on),
    )
