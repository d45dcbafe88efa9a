"""Who should perhaps be looked after by another (待调整): a list for the branch head; nobody moves by himself (domain.md §6)."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Assignment, Customer, Handover, RelationStatus, Tier
from customers.proposal import BANDS, LOBBY_FLOOR
from staff.models import Branch
from staff.roles import Role

NEGLECTED_DAYS = 180
"""Without a valid contact for so long, a customer is not looked after (domain.md §6)."""

LONG_LEAVE_DAYS = 60
"""A leave of more days, which a cover is arranged for, is long (assumption)."""

REASONS = {
    "role": _("The manager's post does not hold this tier any more"),
    "band_up": _("The year average has grown out of the teller's band"),
    "band_down": _("The year average has fallen into the teller's band"),
    "inactive": _("The manager has left"),
    "long_leave": _("The manager is away for more than 60 days"),
    "neglected": _("No contact for 180 days"),
}


@dataclass(frozen=True)
class Case:
    """A relation with why it is here; codes of REASONS, the gravest first."""

    relation: Assignment
    codes: list[str]

    @property
    def reasons(self) -> list[str]:
        return [str(REASONS[code]) for code in self.codes]


def _conditions(on: date) -> dict[str, Q]:
    """Return what puts a relation on the list, by code."""
    long_ago = on - timedelta(days=NEGLECTED_DAYS)
    signed, gold = Q(customer__relation_status=RelationStatus.SIGNED), Q(customer__service_tier=Tier.GOLD)
    covers = Handover.objects.filter(
        reason=Handover.Reason.LEAVE, status=Handover.Status.EFFECTIVE, effective_on__lte=on, until__gte=on
    )
    away = covers.filter(until__gt=F("effective_on") + LONG_LEAVE_DAYS)
    side, high = Q(staff__role__in=BANDS), Q(customer__year_avg__gte=LOBBY_FLOOR)
    return {
        "inactive": Q(staff__is_active=False),
        "role": side & ~(signed & gold) | Q(staff__role=Role.BRANCH_HEAD) & ~(signed & Q(customer__service_tier=Tier.DIAMOND)),
        "band_up": Q(staff__role=Role.TELLER) & signed & gold & high,
        "band_down": Q(staff__role=Role.LOBBY_MANAGER) & signed & gold & ~high,
        "long_leave": Q(staff__in=away.values("giver")),
        "neglected": Q(start__lte=long_ago) & (Q(customer__last_contact_on=None) | Q(customer__last_contact_on__lte=long_ago)),
    }  # fmt: skip


def relations(viewer, branch: Branch, on: date):
    """Return the open primary relations of an outlet that are on the list, the most money first."""
    either = Q()
    for condition in _conditions(on).values():
        either |= condition
    customers = Customer.objects.visible_to(viewer).assignable().filter(branch=branch)
    rows = Assignment.objects.open().primary().filter(customer__in=customers).filter(either)
    return rows.select_related("customer", "staff").order_by(F("customer__aum").desc(), "pk")


def cases(viewer, branch: Branch, on: date, *, most: int = 200) -> list[Case]:
    """Return the list with its reasons; a query for each reason."""
    rows = list(relations(viewer, branch, on)[:most])
    known = Assignment.objects.filter(pk__in=[row.pk for row in rows])
    of: dict[int, list[str]] = {row.pk: [] for row in rows}
    for code, condition in _conditions(on).items():
        for pk in known.filter(condition).values_list("pk", flat=True):
            of[pk].append(code)
    return [Case(row, of[row.pk]) for row in rows]
