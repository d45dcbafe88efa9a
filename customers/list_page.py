"""A page of the customer list: its order, the rows after a place in it, its counts, and who stands before and after.

Pages are found by key, never by offset: a row's place is (value sorted by, id). What is unknown sorts as
if it were the least, so that who was never contacted comes before who was contacted long ago.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, DateField, DecimalField, F, FloatField, Q, When
from django.db.models.functions import Coalesce, Round
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.potential import Reason
from customers.search import SEALED

SIZE = 50
COUNT_CAP = 10_000
"""Counts stop here and read "10,000+": nobody waits for a million rows to be counted."""

LONG_AGO = date(1, 1, 1)
FAR_AHEAD = date(9999, 12, 31)
MONEY = DecimalField(max_digits=18, decimal_places=2)

BY_MONEY = ("aum", "month", "year", "clv")
"""Orders by an exact amount: of those who see bands only the first, as the list has always been."""

CHANGE = Case(
    When(aum_30d_before__gt=0, then=Round((F("aum") - F("aum_30d_before")) / F("aum_30d_before"), precision=6)),
    default=Decimal(-2),
    output_field=DecimalField(max_digits=24, decimal_places=6),
)
"""The relative change of AUM over 30 days; -2, below any real one, where it is not known."""


@dataclass(frozen=True)
class Sort:
    """An order of the list: the expression, how its value is read back from an address, and which way it begins."""

    expression: object
    parse: Callable
    descending: bool = True


SORTS = {
    "name": Sort(F("pinyin"), str, descending=False),
    "tier": Sort(F("service_tier"), int),
    "aum": Sort(F("aum"), Decimal),
    "change": Sort(CHANGE, Decimal, descending=False),
    "contact": Sort(
        Coalesce("last_contact_on", LONG_AGO, output_field=DateField()), date.fromisoformat, descending=False
    ),
    "next": Sort(
        Coalesce("next_maturity_on", FAR_AHEAD, output_field=DateField()), date.fromisoformat, descending=False
    ),
    "due": Sort(
        Coalesce("next_contact_due_on", FAR_AHEAD, output_field=DateField()), date.fromisoformat, descending=False
    ),
    "latest": Sort(
        Coalesce("contact_latest_on", FAR_AHEAD, output_field=DateField()), date.fromisoformat, descending=False
    ),
    "month": Sort(F("month_avg"), Decimal),
    "year": Sort(F("year_avg"), Decimal),
    "clv": Sort(Coalesce("clv", Decimal(-10) ** 15, output_field=MONEY), Decimal),
    "complete": Sort(F("archive_completeness"), int, descending=False),
    "signed": Sort(Coalesce("signed_on", LONG_AGO, output_field=DateField()), date.fromisoformat),
    "opened": Sort(Coalesce("opened_on", LONG_AGO, output_field=DateField()), date.fromisoformat),
    "age": Sort(Coalesce("birth_date", FAR_AHEAD, output_field=DateField()), date.fromisoformat, descending=False),
    "churn": Sort(Coalesce("churn_probability", -1.0, output_field=FloatField()), float),
}
"""The columns that can be sorted on, by the word in the address; -word is the other way round."""

LABELS = {
    "aum": _("Assets"),
    "change": _("30-day change"),
    "tier": _("Tier"),
    "name": _("Name"),
    "contact": _("Last contact"),
    "due": _("Contact due"),
    "next": _("Next maturity"),
    "churn": _("Churn risk"),
    "month": _("Month average"),
    "year": _("Year average"),
    "clv": _("CLV"),
    "complete": _("Archive complete"),
    "signed": pgettext_lazy("day", "Signed"),
    "opened": pgettext_lazy("day", "Opened"),
    "age": _("Age"),
}
"""What the control of the order calls each."""

VIEWS = (
    (_("All"), {}),
    (_("Diamond, off regime this month"), {"tier": ["diamond"], "regime": ["open", "at_risk", "missed"]}),
    (_("Maturing within a week"), {"matures": 7}),
    (_("Birthday within 30 days"), {"birthday": 30}),
    (_("Churn risk medium or high"), {"churn": ["high", "medium"]}),
    (_("Within 10% of the next tier"), {"near": 10}),
    (_("Potential"), {"potential": [str(reason) for reason in Reason]}),
)
"""The built-in views of the list: label, filters with their values."""


class BadAddress(ValueError):
    """A parameter of the list's address can't be read; the message names it."""


@dataclass(frozen=True)
class Order:
    """Which column the list is sorted on, and which way."""

    key: str
    descending: bool

    @classmethod
    def read(cls, text: str, viewer) -> "Order":
        """Read `aum` or `-aum`; by money unless the address says otherwise.

        Raises:
            BadAddress: for a column that isn't there, and for names where they are masked: order would tell them.
        """
        key = text.removeprefix("-") or "aum"
        hidden = (key == "name" and viewer.sees_names_masked) or (key in BY_MONEY[1:] and viewer.sees_bands)
        if key not in SORTS or hidden:
            raise BadAddress(_("The list cannot be sorted on “%(column)s”.") % {"column": key[:40]})
        return cls(key, text.startswith("-") if text else SORTS[key].descending)

    def __str__(self):
        return f"{'-' if self.descending else ''}{self.key}"

    @property
    def direction(self) -> str:
        return "desc" if self.descending else "asc"

    def clicked(self, key: str) -> "Order":
        """Return the order after a click on the head of a column: the other way round, or a new column."""
        return replace(self, descending=not self.descending) if key == self.key else Order(key, SORTS[key].descending)

    def reversed(self) -> "Order":
        return replace(self, descending=not self.descending)

    def arrange(self, customers):
        """Put rows in this order; each gets `sort_value`."""
        sign = "-" if self.descending else ""
        return customers.annotate(sort_value=SORTS[self.key].expression).order_by(f"{sign}sort_value", f"{sign}pk")

    def read_place(self, text: str) -> tuple:
        """Return the (value, id) of `value,id` in an address; BadAddress if it is not one."""
        value, comma, pk = text.rpartition(",")
        try:
            place = SORTS[self.key].parse(value), int(pk)
            if not comma or place[1] > 2**63 - 1 or str(place[0]) in ("nan", "NaN", "inf", "-inf", "Infinity"):
                raise ValueError(text)
        except (ValueError, InvalidOperation):
            raise BadAddress(_("The place in the list cannot be read; start from the top.")) from None
        return place

    def after(self, place: tuple) -> Q:
        """Return the condition for rows that come after a place in this order."""
        value, pk = place
        word = "lt" if self.descending else "gt"
        beyond = Q(**{f"sort_value__{word}": value}) | Q(sort_value=value, **{f"pk__{word}": pk})
        return Q(**{f"sort_value__{word}e": value}) & beyond  # the bound lets an index find the place


def place_of(customer) -> str:
    """Return a row's place as an address carries it."""
    return f"{customer.sort_value},{customer.pk}"


def rows_after(customers, order: Order, place: tuple | None, size: int = SIZE) -> tuple[list, bool]:
    """Return the rows of a page and whether there are more; two relations are read along with them."""
    rows = order.arrange(customers)
    if place:
        rows = rows.filter(order.after(place))
    found = list(rows.select_related("manager", "branch").defer(*SEALED)[: size + 1])
    return found[:size], len(found) > size


def neighbours(customers, order: Order, pk: int) -> tuple:
    """Return who stands before and after a customer in a list (each None at an end), and the place from 1, capped.

    A customer who is not in the list any more has no neighbours and place 0.
    """
    arranged = order.arrange(customers)
    here = arranged.filter(pk=pk).values_list("sort_value", "pk").first()
    if here is None:
        return None, None, 0
    following = arranged.filter(order.after(here)).values_list("pk", flat=True).first()
    back = order.reversed()
    earlier = back.arrange(customers).filter(back.after(here))
    place = capped_counts([earlier])[0] + 1
    return earlier.values_list("pk", flat=True).first(), following, place


def capped_counts(querysets, cap: int = COUNT_CAP) -> list[int]:
    """Return how many rows each queryset has, at most cap + 1, all in one statement."""
    parts: list[str] = []
    values: list = []
    for queryset in querysets:
        try:
            sql, params = queryset.order_by().values("pk")[: cap + 1].query.sql_with_params()
        except EmptyResultSet:
            sql, params = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS hit)")
        values += params
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), values)
        return list(cursor.fetchone())


def count_words(count: int, cap: int = COUNT_CAP) -> str:
    """Write a capped count: 62, or 10,000+ beyond the cap."""
    return f"{cap:,}+" if count > cap else f"{count:,}"
