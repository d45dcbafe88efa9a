"""The contact regime (domain.md §7): what is required of whom, and how each customer stands.

The first half is arithmetic on values: windows, credit of an either-or rule, the state on a day. The
second half is the same arithmetic in one SQL statement for a whole branch at once; a property test
holds the two equal. Compliance is computed from contacts, never typed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from contacts.models import FrequencyRule
from customers import standing as customer_standing
from customers.models import Customer, RelationStatus, Tier
from customers.working_days import working_days_left

AT_RISK_DAYS = 7
"""With so many days left, or fewer, a window that is not met is at risk (domain.md §7)."""

SHORT_WEEK = 2
"""Working days up to which a week may be spared (domain.md §7)."""

HELD_DAYS = 30
"""The quarterly rule binds for customers held this long at the quarter's end (domain.md §7, assumption)."""

State = Customer.ContactState


@dataclass(frozen=True)
class Rules:
    """The numbers of the regime in force on a day; `monthly` is {tier: (phones, meetings)}."""

    weekly: int
    quarterly: int
    monthly: dict[Tier, tuple[int, int]]
    gold_idle_days: int
    spares_short_weeks: bool = False


def rules_in_force(on: date) -> Rules:
    """Return the newest row of each rule up to that day."""
    rows = FrequencyRule.objects.filter(effective_from__lte=on).order_by("code", "-effective_from").distinct("code")
    by_code = {row.code: row for row in rows}
    code = FrequencyRule.Code
    return Rules(
        weekly=by_code[code.WEEKLY].contacts,
        quarterly=by_code[code.QUARTERLY].contacts,
        monthly={
            Tier.DIAMOND: (by_code[code.DIAMOND].phones, by_code[code.DIAMOND].meetings),
            Tier.PLATINUM: (by_code[code.PLATINUM].phones, by_code[code.PLATINUM].meetings),
        },
        gold_idle_days=by_code[code.GOLD_INACTIVE].idle_days,
        spares_short_weeks=by_code[code.WEEKLY].prorate_by_workdays,
    )


# --- windows: [first day, last day], natural months, quarters, and weeks from Monday -------------


@dataclass(frozen=True)
class Window:
    """Whole days from `first` to `last`, both included."""

    first: date
    last: date

    def days_left(self, on: date) -> int:
        """Return how many days follow `on` in the window; 0 on its last day."""
        return (self.last - on).days


def month_of(day: date) -> Window:
    """Return the natural month."""
    return Window(day.replace(day=1), _first_of_month(day, 1) - timedelta(days=1))


def quarter_of(day: date) -> Window:
    """Return the natural quarter."""
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    return Window(first, _first_of_month(first, 3) - timedelta(days=1))


def week_of(day: date) -> Window:
    """Return the week, Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return Window(monday, monday + timedelta(days=6))


def _first_of_month(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


# --- what counts ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contact:
    """A contact as the regime sees it: the bank's day, and `counts_as` of the log."""

    on: date
    counts_as: str


def count(contacts: Iterable[Contact], counts_as: str, window: Window) -> int:
    """Return how many days of the window have such a contact: at most one phone call and one meeting a day."""
    return len({c.on for c in contacts if c.counts_as == counts_as and window.first <= c.on <= window.last})


def count_any(contacts: Iterable[Contact], window: Window) -> int:
    """Return the valid contacts of any kind in the window, one a day and kind."""
    return len({c for c in contacts if c.counts_as != "nothing" and window.first <= c.on <= window.last})


def credit(rule: tuple[int, int], phones: int, meetings: int) -> Fraction:
    """Return the progress of an either-or rule (phones, meetings): the shares of both add up, 1 is met."""
    need_phones, need_meetings = rule
    return Fraction(phones, need_phones) + Fraction(meetings, need_meetings)


def weekly_requirement(managed: int, weekly: int) -> int:
    """Return how many customers a member has to contact in a week."""
    return min(weekly, managed)


def is_spared(week: Window, rules: Rules) -> bool:
    """Say whether nobody is judged by a week: so few of its days are worked, where the rule spares such weeks (domain.md §7)."""
    return rules.spares_short_weeks and working_days_left(week.first, week.last) <= SHORT_WEEK


def days_needed(rule: tuple[int, int] | None, phones: int = 0, meetings: int = 0) -> int:
    """Return the fewest days in which what is missing can be done, a call and a meeting a day; one for the quarterly rule."""
    if rule is None:
        return 1
    each_day = credit(rule, 1, 1)
    return max(1, ceil((1 - credit(rule, phones, meetings)) / each_day))


# --- how one customer stands -----------------------------------------------------------------------


@dataclass(frozen=True)
class Subject:
    """What the regime needs to know of a customer; `assigned_on` is None without a primary manager.

    `below_zero`: the head has confirmed it; such customers are out of the regime (domain.md §13).

    `strategies`: (member of the segment since, a contact at least every so many days), of the segments with such a strategy.
    """

    tier: Tier
    relation_status: str
    low_disturb: bool
    assigned_on: date | None
    tier_changed_on: date | None
    below_zero: bool = False
    strategies: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True)
class Standing:
    """The contact columns of a customer, as of a day.

    `latest_on` is the last day on which what is missing can still be begun: less today, it is the slack.
    """

    last_contact_on: date | None
    phones: int
    meetings: int
    count: int
    state: str
    missed_last_window: bool
    due_on: date | None
    latest_on: date | None = None


def monthly_rule(subject: Subject, rules: Rules) -> tuple[int, int] | None:
    """Return the either-or rule that holds for the customer; None where only the quarterly one does."""
    if subject.relation_status != RelationStatus.SIGNED or subject.low_disturb:
        return None
    return rules.monthly.get(subject.tier)


def is_bound(subject: Subject, window: Window, *, monthly: bool) -> bool:
    """Say whether the rule judges this window.

    Monthly: from the first full natural month after the assignment's start or the change of tier.
    Quarterly: customers held at least 30 days at the quarter's end.
    """
    if monthly:
        return max(subject.assigned_on, subject.tier_changed_on or subject.assigned_on) <= window.first
    return (window.last - subject.assigned_on).days >= HELD_DAYS


def is_met(subject: Subject, contacts: list[Contact], window: Window, rules: Rules) -> bool:
    """Say whether the contacts of the window are enough."""
    rule = monthly_rule(subject, rules)
    if rule is None:
        return count_any(contacts, window) >= rules.quarterly
    return credit(rule, count(contacts, "phone", window), count(contacts, "meeting", window)) >= 1


def judge(*, met: bool, bound: bool, days_left: int, carried: bool = False, day_over: bool = False) -> str:
    """Return the state of a window on a day.

    Args:
        carried: the window before was missed and nothing has made up for it yet.
        day_over: the day itself has ended, so that the last one decides.
    """
    if met:
        return State.MET
    if bound and day_over and days_left <= 0:
        return State.MISSED
    if bound and days_left <= AT_RISK_DAYS:
        return State.AT_RISK
    return State.MISSED if carried else State.OPEN


def standing(
    subject: Subject, contacts: list[Contact], *, on: date, rules: Rules, rules_before: Rules | None = None
) -> Standing:
    """Return how a customer stands on a day; contacts dated after it are not seen.

    Args:
        rules_before: what was in force at the end of the window before; the same rules if not given.
    """
    contacts = [c for c in contacts if c.on <= on and c.counts_as != "nothing"]
    monthly = monthly_rule(subject, rules) is not None
    window_of = month_of if monthly else quarter_of
    window = window_of(on)
    seen = {
        "last_contact_on": max((c.on for c in contacts), default=None),
        "phones": count(contacts, "phone", window),
        "meetings": count(contacts, "meeting", window),
        "count": count_any(contacts, quarter_of(on)),
    }
    if subject.assigned_on is None or subject.below_zero or subject.relation_status not in ("signed", "potential"):
        return Standing(**seen, state=State.EXEMPT, missed_last_window=False, due_on=None)

    before = window_of(window.first - timedelta(days=1))
    missed = is_bound(subject, before, monthly=monthly) and not is_met(subject, contacts, before, rules_before or rules)
    met = is_met(subject, contacts, window, rules)
    bound = is_bound(subject, window, monthly=monthly)
    rule = monthly_rule(subject, rules)
    if bound and not met:
        due_on, needed = window.last, days_needed(rule, seen["phones"], seen["meetings"])
    else:
        due_on, needed = window_of(window.last + timedelta(days=1)).last, days_needed(rule)
    last = seen["last_contact_on"]
    asked = [max(since, last or since) + timedelta(days=every) for since, every in subject.strategies]
    return Standing(
        **seen,
        state=judge(
            met=met,
            bound=bound,
            days_left=window.days_left(on),
            carried=missed and count_any(contacts, window) == 0,
        ),
        missed_last_window=missed,
        latest_on=min([due_on - timedelta(days=needed - 1), *asked]),
        due_on=min([due_on, *asked]),  # a segment's strategy may ask for more than the rule, never for less
    )


# --- everybody at once -------------------------------------------------------------------------------

STANDING_SQL = """
WITH subject AS (
    SELECT c.id, a.start AS assigned_on, greatest(a.start, t.changed_on) AS bound_from,
           a.start IS NOT NULL AND c.value_class <> 'bzc' AND c.relation_status IN ('signed', 'potential') AS managed,
           c.relation_status = 'signed' AND NOT c.low_disturb AND c.service_tier IN (2, 3) AS monthly,
           CASE c.service_tier WHEN 3 THEN %(diamond_phones)s ELSE %(platinum_phones)s END AS phones,
           CASE c.service_tier WHEN 3 THEN %(diamond_meetings)s ELSE %(platinum_meetings)s END AS meetings,
           CASE c.service_tier WHEN 3 THEN %(before_diamond_phones)s ELSE %(before_platinum_phones)s END AS b_phones,
           CASE c.service_tier WHEN 3 THEN %(before_diamond_meetings)s ELSE %(before_platinum_meetings)s END AS b_meetings
      FROM customers_customer c
      LEFT JOIN customers_assignment a ON a.customer_id = c.id AND a.role = 'primary' AND a."end" IS NULL
      LEFT JOIN LATERAL (
          SELECT max(tc."on") AS changed_on FROM customers_tierchange tc
           WHERE tc.customer_id = c.id AND tc.kind IN ('up', 'down') AND tc."on" <= %(on)s
      ) t ON true
     WHERE {which}
), counted AS (
    SELECT s.id, s.monthly, l."on" AS day, l.counts_as,
           l."on" >= CASE WHEN s.monthly THEN %(month_first)s ELSE %(quarter_first)s END::date AS in_window,
           l."on" >= %(quarter_first)s::date AS in_quarter,
           l."on" BETWEEN CASE WHEN s.monthly THEN %(month_before)s ELSE %(quarter_before)s END::date
                      AND CASE WHEN s.monthly THEN %(month_before_last)s ELSE %(quarter_before_last)s END::date AS before
      FROM subject s JOIN contacts_contactlog l ON l.customer_id = s.id
     WHERE l.counts_as <> 'nothing' AND l."on" BETWEEN %(quarter_before)s AND %(on)s
), summed AS (
    SELECT id,
           count(DISTINCT day) FILTER (WHERE in_window AND counts_as = 'phone') AS phones,
           count(DISTINCT day) FILTER (WHERE in_window AND counts_as = 'meeting') AS meetings,
           count(DISTINCT (day, counts_as)) FILTER (WHERE in_window) AS contacts,
           count(DISTINCT (day, counts_as)) FILTER (WHERE in_quarter) AS in_quarter,
           count(DISTINCT day) FILTER (WHERE before AND counts_as = 'phone') AS b_phones,
           count(DISTINCT day) FILTER (WHERE before AND counts_as = 'meeting') AS b_meetings,
           count(DISTINCT (day, counts_as)) FILTER (WHERE before) AS b_contacts
      FROM counted GROUP BY id
), judged AS (
    SELECT s.id, s.monthly, s.managed, coalesce(n.phones, 0) AS phones, coalesce(n.meetings, 0) AS meetings,
           coalesce(n.contacts, 0) AS contacts, coalesce(n.in_quarter, 0) AS in_quarter,
           CASE WHEN s.monthly
                THEN coalesce(n.phones, 0) * s.meetings + coalesce(n.meetings, 0) * s.phones >= s.phones * s.meetings
                ELSE coalesce(n.contacts, 0) >= %(quarterly)s END AS met,
           CASE WHEN s.monthly THEN s.bound_from <= %(month_first)s
                ELSE %(quarter_last)s - s.assigned_on >= %(held_days)s END AS bound,
           CASE WHEN s.monthly
                THEN s.bound_from <= %(month_before)s AND coalesce(n.b_phones, 0) * s.b_meetings
                     + coalesce(n.b_meetings, 0) * s.b_phones < s.b_phones * s.b_meetings
                ELSE %(quarter_before_last)s - s.assigned_on >= %(held_days)s
                     AND coalesce(n.b_contacts, 0) < %(before_quarterly)s END AS missed_before,
           CASE WHEN s.monthly THEN %(month_left)s ELSE %(quarter_left)s END AS days_left,
           s.phones * s.meetings AS whole, s.phones + s.meetings AS each_day,
           s.phones * s.meetings - coalesce(n.phones, 0) * s.meetings - coalesce(n.meetings, 0) * s.phones AS missing
      FROM subject s LEFT JOIN summed n ON n.id = s.id
)
SELECT j.id AS customer_id, last.day AS last_contact_on,
       j.phones AS contact_phones, j.meetings AS contact_meetings, j.in_quarter AS contact_count,
       CASE WHEN NOT j.managed THEN 'exempt'
            WHEN j.met THEN 'met'
            WHEN j.bound AND j.days_left <= %(at_risk_days)s THEN 'at_risk'
            WHEN j.missed_before AND j.contacts = 0 THEN 'missed'
            ELSE 'open' END AS contact_state,
       j.managed AND j.missed_before AS missed_last_window,
       CASE WHEN j.managed THEN least(strategy.due_on, window_due.day) END AS next_contact_due_on,
       CASE WHEN j.managed THEN least(strategy.due_on, window_due.day + 1 - CASE WHEN j.monthly
            THEN ((CASE WHEN j.bound AND NOT j.met THEN j.missing ELSE j.whole END) + j.each_day - 1) / j.each_day ELSE 1 END::int
       ) END AS contact_latest_on
  FROM judged j
 CROSS JOIN LATERAL (
     SELECT CASE WHEN j.bound AND NOT j.met
                 THEN CASE WHEN j.monthly THEN %(month_last)s ELSE %(quarter_last)s END
                 ELSE CASE WHEN j.monthly THEN %(next_month_last)s ELSE %(next_quarter_last)s END
            END::date AS day
 ) window_due
 CROSS JOIN LATERAL (
     SELECT max(l."on") AS day FROM contacts_contactlog l
      WHERE l.customer_id = j.id AND l.counts_as <> 'nothing' AND l."on" <= %(on)s
 ) last
  LEFT JOIN LATERAL (
     -- A segment's strategy may ask for more than the tier's rule, never for less: the earlier day counts.
     SELECT min(greatest(m.since, last.day) + t.every_days) AS due_on
       FROM customers_segmentmember m
       JOIN customers_segment g ON g.id = m.segment_id AND g.retired_at IS NULL
       JOIN customers_segmentstrategy t ON t.segment_id = m.segment_id AND t.ended_at IS NULL
      WHERE m.customer_id = j.id AND m.until IS NULL
 ) strategy ON true
"""


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring the contact columns of a branch's customers up to a day; return how many changed."""
    select = STANDING_SQL.format(which="c.branch_id = %(branch)s")
    return customer_standing.set_contact_standing(select=select, params=_parameters(on) | {"branch": branch_id})


def refresh_customer(*, customer: Customer, on: date) -> None:
    """Bring the contact columns of one customer up to a day, in the database and on the object."""
    select = STANDING_SQL.format(which="c.id = %(customer)s")
    customer_standing.set_contact_standing(select=select, params=_parameters(on) | {"customer": customer.pk})
    customer.refresh_from_db(fields=customer_standing.CONTACT_COLUMNS)


def _parameters(on: date) -> dict:
    month, quarter = month_of(on), quarter_of(on)
    month_before = month_of(month.first - timedelta(days=1))
    quarter_before = quarter_of(quarter.first - timedelta(days=1))
    rules, before_month = rules_in_force(on), rules_in_force(month_before.last)
    values = {
        "on": on,
        "month_first": month.first,
        "month_last": month.last,
        "month_left": month.days_left(on),
        "month_before": month_before.first,
        "month_before_last": month_before.last,
        "next_month_last": month_of(month.last + timedelta(days=1)).last,
        "quarter_first": quarter.first,
        "quarter_last": quarter.last,
        "quarter_left": quarter.days_left(on),
        "quarter_before": quarter_before.first,
        "quarter_before_last": quarter_before.last,
        "next_quarter_last": quarter_of(quarter.last + timedelta(days=1)).last,
        "quarterly": rules.quarterly,
        "before_quarterly": rules_in_force(quarter_before.last).quarterly,
        "held_days": HELD_DAYS,
        "at_risk_days": AT_RISK_DAYS,
    }
    for prefix, table in (("", rules), ("before_", before_month)):
        for tier in (Tier.DIAMOND, Tier.PLATINUM):
            phones, meetings = table.monthly[tier]
            values |= {f"{prefix}{tier.code}_phones": phones, f"{prefix}{tier.code}_meetings": meetings}
    return values
