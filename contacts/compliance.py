"""Judging the windows of the regime that have ended, and what the pages say of them (domain.md §7).

The statements say the same as `regime.is_met` and `regime.is_bound` at the last day of a window; a property test holds
them equal.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from contacts import regime
from contacts.models import Compliance, ContactTask, Escalation, FrequencyRule
from contacts.models.logs import LATE_AFTER_DAYS
from customers.load import MANAGERS
from customers.models import Tier
from staff import audit
from staff.models import Branch, Staff
from staff.refusal import Refused
from staff.roles import Role

Code, State = FrequencyRule.Code, Compliance.State

ESCALATES = ("", Role.BRANCH_HEAD, Role.SUB_BRANCH_PRESIDENT)
"""Whom an overdue task is brought before, in order; "" is the manager."""

FIRST_ESCALATION = 3
"""Days for who has no row of his own and where the manager's is missing."""

_CUSTOMERS = """
WITH held AS (
    SELECT c.id, c.branch_id, c.service_tier AS tier, c.value_class, a.staff_id, a.start,
           greatest(a.start, (SELECT max(t."on") FROM customers_tierchange t
                               WHERE t.customer_id = c.id AND t.kind IN ('up', 'down') AND t."on" <= %(last)s)) AS bound_from
      FROM customers_customer c
      JOIN LATERAL (SELECT s.staff_id, s.start FROM customers_assignment s
                     WHERE s.customer_id = c.id AND s.role = 'primary' AND s.start <= %(last)s
                       AND (s."end" IS NULL OR s."end" > %(last)s) ORDER BY s.start DESC, s.id DESC LIMIT 1) a ON true
     WHERE c.branch_id = %(branch)s AND c.merged_into_id IS NULL AND {which}
), counted AS (
    SELECT h.id, count(DISTINCT l."on") FILTER (WHERE l.counts_as = 'phone') AS phones,
           count(DISTINCT l."on") FILTER (WHERE l.counts_as = 'meeting') AS meetings,
           count(DISTINCT (l."on", l.counts_as)) AS contacts
      FROM held h JOIN contacts_contactlog l ON l.customer_id = h.id
     WHERE l.counts_as <> 'nothing' AND l."on" BETWEEN %(first)s AND %(last)s GROUP BY h.id
), judged AS (
    SELECT h.id AS customer_id, h.staff_id, h.branch_id, {rule} AS rule, {required} AS required,
           coalesce(n.phones, 0) AS phones, coalesce(n.meetings, 0) AS meetings, coalesce(n.contacts, 0) AS contacts,
           CASE WHEN h.value_class = 'bzc' THEN 'exempt' WHEN {met} THEN 'met' WHEN {bound} THEN 'missed' ELSE 'exempt' END AS state
      FROM held h LEFT JOIN counted n ON n.id = h.id
)
INSERT INTO contacts_compliance AS k
       (rule, window_first, window_last, customer_id, staff_id, branch_id, state, phones, meetings, contacts, required)
SELECT rule, %(first)s, %(last)s, customer_id, staff_id, branch_id, state, phones, meetings, contacts, required
  FROM judged ORDER BY customer_id
    ON CONFLICT (rule, window_first, customer_id) WHERE customer_id IS NOT NULL DO UPDATE
   SET state = excluded.state, staff_id = excluded.staff_id, phones = excluded.phones, meetings = excluded.meetings,
       contacts = excluded.contacts, required = excluded.required
 WHERE (k.state, k.staff_id, k.phones, k.meetings, k.contacts) IS DISTINCT FROM
       (excluded.state, excluded.staff_id, excluded.phones, excluded.meetings, excluded.contacts)
"""

_PHONES = "CASE h.tier WHEN 3 THEN %(diamond_phones)s ELSE %(platinum_phones)s END"
_MEETINGS = "CASE h.tier WHEN 3 THEN %(diamond_meetings)s ELSE %(platinum_meetings)s END"

_MONTHLY = _CUSTOMERS.format(
    which="c.relation_status = 'signed' AND NOT c.low_disturb AND c.service_tier IN (2, 3)",
    rule="CASE h.tier WHEN 3 THEN 'diamond_month' ELSE 'platinum_month' END",
    required=_PHONES,
    met=f"coalesce(n.phones, 0) * {_MEETINGS} + coalesce(n.meetings, 0) * {_PHONES} >= {_PHONES} * {_MEETINGS}",
    bound="h.bound_from <= %(first)s",
)
_QUARTERLY = _CUSTOMERS.format(
    which="c.relation_status IN ('signed', 'potential')",
    rule="'quarterly_1'",
    required="%(quarterly)s",
    met="coalesce(n.contacts, 0) >= %(quarterly)s",
    bound="%(last)s::date - h.start >= %(held_days)s",
)
_WEEKLY = """
WITH counted AS (
    SELECT s.id AS staff_id, s.branch_id, m.managed, least(m.managed, %(weekly)s) AS required, d.done
      FROM staff_staff s
      JOIN LATERAL (SELECT count(*) AS managed FROM customers_assignment a
                     WHERE a.staff_id = s.id AND a.role = 'primary' AND a.start <= %(last)s
                       AND (a."end" IS NULL OR a."end" > %(last)s)) m ON true
      JOIN LATERAL (SELECT count(DISTINCT l.customer_id) AS done FROM contacts_contactlog l
                     WHERE l.staff_id = s.id AND l.counts_as <> 'nothing' AND l."on" BETWEEN %(first)s AND %(last)s
                       AND EXISTS (SELECT 1 FROM customers_assignment a
                                    WHERE a.customer_id = l.customer_id AND a.staff_id = s.id AND a.role = 'primary'
                                      AND a.start <= %(last)s AND (a."end" IS NULL OR a."end" > %(last)s))) d ON true
     WHERE s.branch_id = %(branch)s AND s.is_active AND s.role = ANY(%(managers)s)
)
INSERT INTO contacts_compliance AS k
       (rule, window_first, window_last, staff_id, branch_id, state, phones, meetings, contacts, required)
SELECT 'weekly_10', %(first)s, %(last)s, staff_id, branch_id,
       CASE WHEN managed = 0 OR %(is_spared)s THEN 'exempt' WHEN done >= required THEN 'met' ELSE 'missed' END, 0, 0, done, required
  FROM counted ORDER BY staff_id
    ON CONFLICT (rule, window_first, staff_id) WHERE customer_id IS NULL DO UPDATE
   SET state = excluded.state, contacts = excluded.contacts, required = excluded.required
 WHERE (k.state, k.contacts, k.required) IS DISTINCT FROM (excluded.state, excluded.contacts, excluded.required)
"""


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Judge the windows of an outlet that ended on a day or within the seven before it; return how many rows changed."""
    changed = 0
    with connection.cursor() as cursor:
        for window, statement in _ended(on):
            cursor.execute(statement, _parameters(window) | {"branch": branch_id})
            changed += cursor.rowcount
    return changed


def _ended(on: date) -> list[tuple[regime.Window, str]]:
    """Return the windows whose last day is at most LATE_AFTER_DAYS before a day, with their statements."""
    found = []
    for statement, window_of in (
        (_WEEKLY, regime.week_of),
        (_MONTHLY, regime.month_of),
        (_QUARTERLY, regime.quarter_of),
    ):
        days = (on - timedelta(days=n) for n in range(LATE_AFTER_DAYS + 1))
        found += [(window_of(day), statement) for day in days if window_of(day).last == day]
    return found


def _parameters(window: regime.Window) -> dict:
    rules = regime.rules_in_force(window.last)
    return {
        "first": window.first,
        "last": window.last,
        "weekly": rules.weekly,
        "is_spared": regime.is_spared(window, rules),
        "quarterly": rules.quarterly,
        "diamond_phones": rules.monthly[Tier.DIAMOND][0],
        "diamond_meetings": rules.monthly[Tier.DIAMOND][1],
        "platinum_phones": rules.monthly[Tier.PLATINUM][0],
        "platinum_meetings": rules.monthly[Tier.PLATINUM][1],
        "held_days": regime.HELD_DAYS,
        "managers": [str(role) for role in MANAGERS],
    }


# --- What the pages say --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One member's week: how many customers of how many; `heat` 1–5 by the share reached, 0 where not judged."""

    window_first: date
    done: int = 0
    required: int = 0
    state: str = State.EXEMPT

    @property
    def heat(self) -> int:
        if self.state == State.EXEMPT or not self.required:
            return 0
        return 5 if self.done >= self.required else 1 + min(3, 4 * self.done // self.required)


@dataclass(frozen=True)
class Line:
    """One member's row of the heat map."""

    staff: Staff
    cells: list[Cell]

    @property
    def met(self) -> int:
        return sum(cell.state == State.MET for cell in self.cells)

    @property
    def judged(self) -> int:
        return sum(cell.state != State.EXEMPT for cell in self.cells)


@dataclass(frozen=True)
class Figure:
    """One window of one rule: how many customers were judged, and how many on regime."""

    rule: str
    window_first: date
    window_last: date
    met: int
    judged: int

    @property
    def missed(self) -> int:
        return self.judged - self.met

    @property
    def share(self) -> float:
        return 100 * self.met / self.judged if self.judged else 0.0


@dataclass(frozen=True)
class Rule:
    """A rule with its latest windows, the newest first."""

    code: str
    label: str
    windows: list[Figure] = field(default_factory=list)


def heat_of(*, viewer, branch: Branch, on: date, weeks: int = 12) -> tuple[list[date], list[Line]]:
    """Return the Mondays and the members' weeks of an outlet, who missed the most first; one query."""
    last = regime.week_of(on).first
    mondays = [last - timedelta(weeks=n) for n in range(weeks, 0, -1)]
    rows = Compliance.objects.visible_to(viewer).filter(
        branch=branch, rule=Code.WEEKLY, window_first__gte=mondays[0], window_first__lt=last
    )
    found: dict[Staff, dict[date, Cell]] = {}
    for row in rows.select_related("staff"):
        found.setdefault(row.staff, {})[row.window_first] = Cell(
            row.window_first, row.contacts, row.required, row.state
        )
    lines = [Line(staff, [cells.get(day, Cell(day)) for day in mondays]) for staff, cells in found.items()]
    return mondays, sorted(lines, key=lambda line: (line.met - line.judged, line.staff.staff_no))


def rules_of(*, viewer, branch: Branch, on: date, windows: int = 6) -> list[Rule]:
    """Return the customers' rules with the share on regime of their latest windows; one query."""
    since = on - timedelta(days=92 * (windows + 1))  # as many quarters, and no older ones are read
    rows = Compliance.objects.visible_to(viewer).filter(branch=branch, customer__isnull=False).order_by()
    rows = rows.filter(window_first__gte=since)
    counted = rows.exclude(state=State.EXEMPT).values("rule", "window_first", "window_last")
    counted = counted.annotate(met=Count("pk", filter=Q(state=State.MET)), judged=Count("pk")).order_by("-window_first")
    by_rule: dict[str, list[Figure]] = {}
    for row in counted:
        by_rule.setdefault(row["rule"], []).append(Figure(**row))
    order = (Code.DIAMOND, Code.PLATINUM, Code.QUARTERLY)
    return [Rule(code, str(Code(code).label), by_rule[code][:windows]) for code in order if code in by_rule]


def overdue(*, viewer, on: date):
    """Return the regime tasks in sight that are overdue long enough to be brought before this viewer, oldest first."""
    held = dict(Escalation.objects.filter(role__in=[viewer.role, ""]).values_list("role", "days"))
    days = held.get(viewer.role, held.get("", FIRST_ESCALATION))
    tasks = ContactTask.objects.visible_to(viewer).open().filter(source=ContactTask.Source.REGIME)
    late = tasks.filter(due_on__lte=on - timedelta(days=days)).select_related("customer__manager")
    return days, late.order_by("due_on", "-stake")


class EscalationRefused(Refused):
    """These days cannot be kept; the message says why."""

    code = "escalation_refused"


@transaction.atomic
def set_escalation(*, days: dict[str, int], by: Staff) -> None:
    """Keep from how many days overdue each step looks at a task: {role, "" for the manager: days}, rising from step to step.

    Raises:
        EscalationRefused: not 1 to 90 days, or a later step not later than the one before.
    """
    steps = [days[role] for role in ESCALATES if role in days]
    if len(steps) != len(ESCALATES) or any(not 1 <= number <= 90 for number in steps):
        raise EscalationRefused(_("Give each step 1 to 90 days."))
    if any(after <= before for before, after in pairwise(steps)):
        raise EscalationRefused(_("Each step must be later than the one before."))
    for role in ESCALATES:
        Escalation.objects.update_or_create(role=role, defaults={"days": days[role], "changed_by": by})
    audit.record("escalation.changed", None, by=by, days=steps)
