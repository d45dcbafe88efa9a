"""Who is in a segment: written by the night and at saving, for everybody at once, with who came in and who went out."""

from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q

from customers.models import Customer, RelationStatus, Segment, SegmentMember
from customers.segments.rule import parse
from staff.models import Branch

GONE = (RelationStatus.CLOSED, RelationStatus.TERMINATED)


def customers_of(segment: Segment, *, on: date):
    """Return the customers that a segment's rule means on a day, within its branch; those of a fixed list are its members."""
    here = Customer.objects.filter(branch__in=Branch.objects.under(segment.branch_id), merged_into=None)
    here = here.exclude(relation_status__in=GONE)
    if segment.rule is None:
        return here.filter(segment_times__segment=segment, segment_times__until=None)
    return here.filter(parse(segment.rule).q(on))


@transaction.atomic
def refresh(segment: Segment, *, on: date, branch_id: int | None = None) -> int:
    """Bring the members of a segment up to a day, of all its branches or of one; return how many came or went.

    Who comes is a member from `on`, who goes no longer is on `on`. Running it again changes nothing; two at once
    wait for one another on the segment's row.
    """
    segment = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    if segment.retired_at is not None:
        return 0
    meant = customers_of(segment, on=on)
    members = SegmentMember.objects.current().filter(segment=segment)
    if branch_id is not None:
        meant = meant.filter(branch=branch_id)
        members = members.filter(customer__branch=branch_id)
    sql, values = meant.values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE meant ON COMMIT DROP AS {sql}", values)
        cursor.execute("ANALYZE meant")
        cursor.execute(_COME, {"segment": segment.pk, "on": on})
        changed = cursor.rowcount
        who, values = members.values("id").query.sql_with_params()
        cursor.execute(_GO.format(who=who), [on, *values])
        changed += cursor.rowcount
        cursor.execute("DROP TABLE meant")
    if segment.refreshed_on != on:
        Segment.objects.filter(pk=segment.pk).update(refreshed_on=on)
    return changed


_COME = """
INSERT INTO customers_segmentmember (segment_id, customer_id, since)
SELECT %(segment)s, meant.id, %(on)s FROM meant
WHERE NOT EXISTS (
    SELECT FROM customers_segmentmember m
    WHERE m.segment_id = %(segment)s AND m.customer_id = meant.id AND m.until IS NULL)
ORDER BY meant.id
ON CONFLICT DO NOTHING
"""

_GO = """
UPDATE customers_segmentmember m SET until = greatest(%s, m.since)
WHERE m.id IN ({who}) AND m.customer_id NOT IN (SELECT id FROM meant)
"""


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Bring every segment that reaches an outlet up to a day, for the outlet's customers; return how many came or went."""
    reaching = Segment.objects.active().filter(branch__in=Branch.objects.above(branch_id)).order_by("pk")
    return sum(refresh(segment, on=on, branch_id=branch_id) for segment in reaching)


def movements(segment: Segment, *, viewer, on: date, days: int = 30) -> list[dict]:
    """Return [{day, members, came, went}] of the last days, oldest first, of the customers in the viewer's sight."""
    first = on - timedelta(days=days - 1)
    times = SegmentMember.objects.visible_to(viewer).filter(segment=segment)
    came = dict(times.filter(since__gte=first).values_list("since").annotate(Count("pk")).order_by())
    went = dict(times.filter(until__gte=first).values_list("until").annotate(Count("pk")).order_by())
    members = times.filter(since__lt=first).filter(Q(until=None) | Q(until__gte=first)).count()
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        members += came.get(day, 0) - went.get(day, 0)
        found.append({"day": day, "members": members, "came": came.get(day, 0), "went": went.get(day, 0)})
    return found
