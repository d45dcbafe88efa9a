"""The day's work: tasks from all sources, one ranked list for each member of staff, put off or dismissed by hand."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils.translation import gettext as _

from contacts import detection, ranking
from contacts.models import ContactLog, ContactTask
from contacts.reasons import Reason, reason_of
from customers.models import Customer
from customers.suitability import age_on
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

SNOOZE_DAYS = 30
"""A task may be put off by at most this many days (assumption)."""


SEALED = ("customer__id_no", "customer__mobile", "customer__address")
"""What a list never shows, so that it is neither read nor decrypted."""


class TaskClosed(Refused):
    code = "task_closed"


class BadDate(Refused):
    code = "bad_date"


OPEN_SQL = """
INSERT INTO contacts_contacttask AS t
       (key, customer_id, source, reason, figures, stake, opened_on, due_on, allowed_days, status,
        opportunity_id, dismiss_reason)
SELECT r.key, r.customer_id, r.source, r.reason, coalesce(r.figures, '{}'::jsonb), coalesce(r.stake, 0),
       r.opened_on, r.due_on, coalesce(r.allowed_days, 1), 'open', r.opportunity_id, ''
  FROM jsonb_to_recordset(%s::jsonb) AS r(key text, customer_id bigint, source text, reason text, figures jsonb,
       stake numeric, opened_on date, due_on date, allowed_days int, opportunity_id bigint)
 ORDER BY r.key
    ON CONFLICT (key) DO UPDATE
   SET figures = excluded.figures, stake = excluded.stake, due_on = excluded.due_on,
       allowed_days = excluded.allowed_days
 WHERE t.status = 'open'
"""


def open_tasks(rows: Iterable[dict]) -> int:
    """Open tasks, or refresh those of the same key that are still open; return how many were written.

    Args:
        rows: dicts of ContactTask's columns: key, customer_id, source, reason, opened_on, due_on, and
            figures, stake, allowed_days, opportunity_id where they differ from the defaults.
    """
    rows = list(rows)
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(OPEN_SQL, [json.dumps(rows, cls=DjangoJSONEncoder)])
        return cursor.rowcount


def close_tasks(*, keys: Iterable[str], on: date, by: Staff | None = None) -> int:
    """Close open tasks of these keys as done; return how many there were."""
    return (
        ContactTask.objects.open()
        .filter(key__in=list(keys))
        .update(status=ContactTask.Status.DONE, closed_on=on, closed_by=by)
    )


@transaction.atomic
def refresh_tasks(*, branch_id: int, on: date) -> int:
    """Create, refresh and let lapse the tasks of a branch for a day; run again it changes nothing."""
    return detection.write_found(branch_id=branch_id, on=on)


# --- by hand ---------------------------------------------------------------------------------------


def _lock_open(task: ContactTask) -> ContactTask:
    locked = ContactTask.objects.select_for_update(no_key=True).get(pk=task.pk)
    if locked.status != ContactTask.Status.OPEN:
        raise TaskClosed(_("This reminder has been closed already."))
    return locked


@transaction.atomic
def snooze(*, task: ContactTask, until: date, by: Staff, on: date) -> ContactTask:
    """Put an open task off until a day."""
    task = _lock_open(task)
    if not on < until <= on + timedelta(days=SNOOZE_DAYS):
        raise BadDate(_("Choose a day within the next {days} days.").format(days=SNOOZE_DAYS))
    task.snoozed_until = until
    task.save(update_fields=["snoozed_until"])
    audit.record("task.snoozed", task, by=by, until=until.isoformat())
    return task


@transaction.atomic
def dismiss(*, task: ContactTask, reason: str, by: Staff, on: date) -> ContactTask:
    """Take a task off the list without a contact, and say why."""
    task = _lock_open(task)
    if not reason.strip():
        raise Refused(_("Say why nothing needs to be done."))
    task.status = ContactTask.Status.DISMISSED
    task.dismiss_reason = reason.strip()[:200]
    task.closed_on, task.closed_by = on, by
    task.save(update_fields=["status", "dismiss_reason", "closed_on", "closed_by"])
    audit.record("task.dismissed", task, by=by, reason=task.dismiss_reason)
    return task


@transaction.atomic
def reopen(*, task: ContactTask, by: Staff) -> ContactTask:
    """Undo a dismissal, or bring a task back that was put off."""
    task = ContactTask.objects.select_for_update(no_key=True).get(pk=task.pk)
    if task.status not in (ContactTask.Status.OPEN, ContactTask.Status.DISMISSED):
        raise TaskClosed(_("This reminder has been closed already."))
    task.status, task.dismiss_reason, task.snoozed_until = ContactTask.Status.OPEN, "", None
    task.closed_on = task.closed_by = None
    task.save(update_fields=["status", "dismiss_reason", "snoozed_until", "closed_on", "closed_by"])
    audit.record("task.reopened", task, by=by)
    return task


# --- the list --------------------------------------------------------------------------------------


@dataclass
class Item:
    """One task with its words and its rank."""

    task: ContactTask
    reason: Reason
    rank: ranking.Rank

    @property
    def is_pressing(self) -> bool:
        """Say whether it is a high churn alert."""
        return self.task.source == ContactTask.Source.ALERT and self.task.figures["level"] == 3


@dataclass
class Row:
    """One customer of the list: the strongest reason leads, `others` are the rest."""

    customer: Customer
    lead: Item
    on: date
    others: list[Item] = field(default_factory=list)
    group: str = ""
    place: int = 0
    last_words: str = ""

    @property
    def items(self) -> list[Item]:
        return [self.lead, *self.others]

    @property
    def tier_shown(self):
        """Return what the tier chip takes: the tier, or the word for customers who have not signed."""
        return self.customer.tier if self.customer.relation_status == "signed" else "potential"

    @property
    def about(self) -> str:
        """Return age and occupation, what of them is known."""
        age = age_on(self.customer.birth_date, self.on)
        known = [_("{age} years").format(age=age) if age else "", self.customer.occupation]
        return " · ".join(part for part in known if part)

    @property
    def sources(self) -> set[str]:
        return {item.task.source for item in self.items}


@dataclass
class Today:
    """Everything that a member of staff has to do, in order."""

    rows: list[Row]
    kind: str

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of customers for each kind of reason, and for all."""
        return {"all": len(self.rows)} | {
            source: sum(source in row.sources for row in self.rows) for source in ContactTask.Source.values
        }

    @property
    def shown(self) -> list[Row]:
        """Return the rows of the chosen kind; places stay those of the whole list."""
        return self.rows if self.kind == "all" else [row for row in self.rows if self.kind in row.sources]

    def groups(self, limit: int | None = None) -> list[tuple[str, list[Row]]]:
        """Return (code, rows) for each group that has rows, of the first `limit` rows."""
        shown = self.shown[:limit]
        found = [(code, [row for row in shown if row.group == code]) for code in ("first", "today", "week", "later")]
        return [(code, rows) for code, rows in found if rows]


def tasks_of(*, staff: Staff, on: date):
    """Return the tasks that ask something of a member of staff on a day."""
    return ContactTask.objects.of_manager(staff).due(on)


def today(*, staff: Staff, on: date, kind: str = "all") -> Today:
    """Return the ranked list of a member of staff, joined by customer: one query, whatever its length."""
    rows: dict[int, Row] = {}
    for item in sorted(_items(staff, on), key=_order):
        row = rows.get(item.task.customer_id)
        if row is None:
            rows[item.task.customer_id] = Row(customer=item.task.customer, lead=item, on=on)
        else:
            row.others.append(item)
    ordered = list(rows.values())
    _place(ordered, on)
    return Today(rows=ordered, kind=kind)


def _items(staff: Staff, on: date) -> list[Item]:
    return [
        Item(
            task=task,
            reason=reason_of(task, on=on, viewer=staff),
            rank=ranking.rank(
                stake=task.stake,
                due_on=task.due_on,
                allowed_days=task.allowed_days,
                tier=task.customer.service_tier,
                on=on,
            ),
        )
        for task in tasks_of(staff=staff, on=on).select_related("customer").defer(*SEALED)
    ]


def last_words_of(customers: Iterable[int]) -> dict[int, str]:
    """Return {customer id: what was said in the newest contact in which they were reached}, in one query."""
    logs = ContactLog.objects.standing().exclude(result=ContactLog.Result.NOT_REACHED).filter(customer__in=customers)
    newest = logs.order_by("customer", "-on", "-pk").distinct("customer")
    return dict(newest.values_list("customer", "summary"))


def _order(item: Item) -> tuple:
    return (not item.is_pressing, -item.rank.points, item.task.due_on, item.task.pk)


def _place(rows: list[Row], on: date) -> None:
    """Give each row its group and its place; groups come before points."""
    first = 0
    for row in rows:
        row.group = ranking.group_of(
            due_on=min(item.task.due_on for item in row.items),
            on=on,
            is_pressing=row.lead.is_pressing,
            first_so_far=first,
        )
        first += row.group == "first"
    rows.sort(key=lambda row: ("first", "today", "week", "later").index(row.group))
    for place, row in enumerate(rows, start=1):
        row.place = place


@transaction.atomic
def put_off(*, customer: Customer, until: date, by: Staff, on: date) -> int:
    """Put off everything that a customer asks for today; return how many tasks."""
    tasks = list(tasks_of(staff=by, on=on).filter(customer=customer).order_by("pk"))
    if not tasks:
        raise TaskClosed(_("This reminder has been closed already."))
    for task in tasks:
        snooze(task=task, until=until, by=by, on=on)
    return len(tasks)


@transaction.atomic
def put_off_many(*, customers: Iterable[Customer], until: date, by: Staff, on: date) -> list[int]:
    """Put off everything that each of the customers asks for; return the keys of those who asked for something still."""
    done = []
    for customer in customers:
        try:
            put_off(customer=customer, until=until, by=by, on=on)
        except TaskClosed:
            continue
        done.append(customer.pk)
    return done


@transaction.atomic
def bring_back(*, customer: Customer, by: Staff) -> int:
    """Undo putting off: everything open of a customer stands in the list again."""
    tasks = list(customer.tasks.open().exclude(snoozed_until=None).order_by("pk"))
    for task in tasks:
        reopen(task=task, by=by)
    return len(tasks)
