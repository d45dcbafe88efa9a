"""What a rule means in figures before it is kept: how many, how much money, which groups, and two dimensions crossed."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, CharField, Count, Q, Sum, Value, When

from customers.models import Customer
from customers.segments.dimensions import ALL, BY_CODE, Group, group_q
from customers.segments.kinds import Choice
from customers.segments.membership import GONE
from customers.segments.rule import Rule
from staff.models import Branch

CROSSABLE = tuple(one.code for one in ALL if isinstance(one.kind, Choice))
"""Dimensions of a few values: those that a table can cross."""


@dataclass(frozen=True)
class Size:
    """Of the customers in sight within the branch: how many, their AUM in yuan, the share of all, counts by group."""

    customers: int
    aum: Decimal
    percent: Decimal
    groups: list[tuple[str, int]]


def reach_of(viewer, branch_id: int):
    """Return the customers among whom a viewer's segment of a branch counts."""
    here = Customer.objects.visible_to(viewer).exclude(relation_status__in=GONE)
    return here.filter(branch__in=Branch.objects.under(branch_id))


def size_of(rule: Rule, *, viewer, branch_id: int, on: date) -> Size:
    """Count a rule, in one query."""
    groups = {code: Count("pk", filter=rule.q(on) & group_q(code, on)) for code in Group.values}
    found = reach_of(viewer, branch_id).aggregate(
        everybody=Count("pk"), customers=Count("pk", filter=rule.q(on)), money=Sum("aum", filter=rule.q(on)), **groups
    )
    share = Decimal(100 * found["customers"]) / found["everybody"] if found["everybody"] else Decimal(0)
    parts = [(str(Group(code).label), found[code]) for code in Group.values if found[code]]
    return Size(found["customers"], found["money"] or Decimal(0), share.quantize(Decimal("0.1")), parts)


def cross(row: str, column: str, *, viewer, branch_id: int, on: date) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """Return [(code, label, [(code, customers)])] of two dimensions crossed, in one query.

    A customer with several values of a dimension counts under the first of them in its order.
    """
    down, across = BY_CODE[row].kind, BY_CODE[column].kind

    def place(kind):
        whens = [When(kind.q("in", [code], None, on), then=Value(code)) for code in kind.codes()]
        return Case(*whens, default=Value(""), output_field=CharField())

    counted = (
        reach_of(viewer, branch_id).annotate(down=place(down), across=place(across))
        .exclude(Q(down="") | Q(across="")).values_list("down", "across").annotate(Count("pk")).order_by()
    )  # fmt: skip
    found: Counter = Counter({(one, other): number for one, other, number in counted})
    return [
        (code, str(label), [(other, found[code, other]) for other in across.codes()])
        for code, label in down.codes().items()
    ]
