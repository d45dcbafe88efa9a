"""The columns of the customer list: which there are, who may read them, what a cell and an export say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.list_rows import amount_of, change_of, marks_of
from customers.models import Customer
from customers.potential import KeyGroup, Reason
from customers.suitability import assess
from staff import formats, masking

YUAN = "元"
PERCENT = "%"


@dataclass(frozen=True)
class Look:
    """Who reads, and on which day."""

    viewer: object
    on: date


@dataclass(frozen=True)
class Column:
    """One column. `text` is what the page says, `raw` what an export holds: numbers bare, days as ISO.

    `unit` stands in the head of an export; a column with `money` is a band for those who see bands. Those of
    the page's own drawing (`drawn`) have their cell in `customers.list_markup`.
    """

    key: str
    label: object
    raw: Callable[[Customer, Look], object]
    text: Callable[[Customer, Look], str] | None = None
    unit: str = ""
    sort: str = ""
    money: bool = False
    drawn: bool = False
    shown: bool = False
    exported: bool = True
    numeric: bool = False


def day_cell(field: str) -> dict:
    return {
        "raw": lambda customer, look: day.isoformat() if (day := getattr(customer, field)) else None,
        "text": lambda customer, look: formats.day(getattr(customer, field), today=look.on),
    }


def money_cell(field: str) -> dict:
    return {
        "raw": lambda customer, look: getattr(customer, field),
        "text": lambda customer, look: (
            formats.UNKNOWN if getattr(customer, field) is None else amount_of(getattr(customer, field), look.viewer)
        ),
        "unit": YUAN,
        "money": True,
        "numeric": True,
    }


def labels(field: str, choices) -> dict:
    """Return the cell of a column of codes: their words."""
    named = dict(choices)
    return {"raw": lambda customer, look: ", ".join(str(named.get(code, code)) for code in getattr(customer, field))}


def change_percent(customer: Customer, look: Look) -> Decimal | None:
    change = change_of(customer)
    return None if change is None else formats.rounded(change * 100, 1)


def churn_percent(customer: Customer, look: Look) -> Decimal | None:
    chance = customer.churn_probability
    return None if chance is None else formats.rounded(Decimal(str(chance)) * 100, 1)


def age(customer: Customer, look: Look) -> int | None:
    born, on = customer.birth_date, look.on
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) if born else None


def grade(customer: Customer, look: Look) -> str:
    """Return the risk grade with its end: C3, until 2027-03-01."""
    standing = assess(grade=customer.risk_grade, assessed_on=customer.risk_assessed_on, on=look.on)
    return f"C{standing.grade} {standing.valid_until:%Y-%m-%d}" if standing.grade else ""


COLUMNS = (
    Column("name", _("Customer"), lambda c, look: masking.name_for(look.viewer, c.name), drawn=True, shown=True),
    Column("number", _("Customer number"), lambda c, look: c.customer_no),
    Column("tier", _("Tier"), lambda c, look: str(c.tier.label), drawn=True, shown=True),
    Column("aum", _("Assets"), **money_cell("aum") | {"text": None}, drawn=True, shown=True, sort="aum"),
    Column("change", _("30-day change"), change_percent, unit=PERCENT, drawn=True, shown=True, numeric=True),
    Column("spark", _("8 weeks"), lambda c, look: None, drawn=True, shown=True, exported=False),
    Column("marks", _("Holds"), lambda c, look: ", ".join(str(mark["label"]) for mark in marks_of(c)), drawn=True, shown=True),
    Column("regime", pgettext_lazy("column", "Contacts"), lambda c, look: c.get_contact_state_display(), drawn=True, shown=True),
    Column("last", _("Last contact"), **day_cell("last_contact_on") | {"text": None}, drawn=True, shown=True),
    Column("next", pgettext_lazy("item", "Next"), **day_cell("next_maturity_on") | {"text": None}, drawn=True, shown=True),
    Column("risk", _("Churn risk"), churn_percent, unit=PERCENT, drawn=True, shown=True, numeric=True),
    Column("manager", _("Manager"), lambda c, look: c.manager.name if c.manager else None, drawn=True, shown=True),
    Column("branch", _("Branch"), lambda c, look: c.branch.name),
    Column("month", _("Month average"), **money_cell("month_avg"), sort="month"),
    Column("year", _("Year average"), **money_cell("year_avg"), sort="year"),
    Column("at_risk", _("Money at risk"), **money_cell("money_at_risk")),
    Column("clv", _("CLV"), **money_cell("clv"), sort="clv"),
    Column("value", _("Value class"), lambda c, look: c.get_value_class_display() if c.value_class else None),
    Column("potential", _("Potential reasons"), **labels("potential_reasons", Reason.choices)),
    Column("groups", _("Key groups"), **labels("key_groups", KeyGroup.choices)),
    Column("complete", _("Archive complete"), lambda c, look: c.archive_completeness, unit=PERCENT, sort="complete", numeric=True),
    Column("grade", _("Risk grade"), grade),
    Column("due", _("Contact due"), **day_cell("next_contact_due_on"), sort="due"),
    Column("latest", _("Contact to begin by"), **day_cell("contact_latest_on"), sort="latest"),
    Column("signed", pgettext_lazy("day", "Signed"), **day_cell("signed_on"), sort="signed"),
    Column("opened", pgettext_lazy("day", "Opened"), **day_cell("opened_on"), sort="opened"),
    Column("age", _("Age"), age, numeric=True, sort="age"),
    Column("occupation", _("Occupation"), lambda c, look: c.occupation or None),
    Column("tags", _("Tags"), lambda c, look: ", ".join(c.tags) or None),
    Column("mobile", _("Mobile"), lambda c, look: c.mobile_masked or None),
)  # fmt: skip
"""In the order of the page; the mobile is masked here as everywhere."""

BY_KEY = {column.key: column for column in COLUMNS}
DEFAULT = tuple(column.key for column in COLUMNS if column.shown)
FIXED = ("name",)
"""Always there: a row without a name leads nowhere."""


def offered(viewer) -> list[Column]:
    """Return the columns that a viewer may choose among."""
    alone = viewer.scope == "own"
    return [column for column in COLUMNS if not (alone and column.key in ("manager", "branch"))]


def chosen(keys, viewer) -> list[Column]:
    """Return the columns of these keys that the viewer may read, in the order of the page; the usual ones of none."""
    wanted = set(keys or DEFAULT) | set(FIXED)
    return [column for column in offered(viewer) if column.key in wanted]


def cells(customer: Customer, columns: list[Column], look: Look) -> list[dict]:
    """Return [{key, label, text, numeric}] of the columns that the page does not draw itself."""
    return [
        {"key": column.key, "label": column.label, "text": text_of(customer, column, look), "numeric": column.numeric}
        for column in columns
        if not column.drawn
    ]


def text_of(customer: Customer, column: Column, look: Look) -> str:
    if column.text:
        return column.text(customer, look)
    value = column.raw(customer, look)
    if value is None or value == "":
        return formats.UNKNOWN
    return f"{value}{column.unit}" if column.unit == PERCENT else str(value)


def raw_of(customer: Customer, column: Column, look: Look):
    """Return what an export holds: the band instead of an amount for those who see bands."""
    value = column.raw(customer, look)
    if column.money and value is not None and look.viewer.sees_bands:
        return formats.money_band(value)
    return value


def head_of(column: Column, viewer) -> str:
    """Return the head of an exported column, with its unit."""
    unit = "" if column.money and viewer.sees_bands else column.unit
    return f"{column.label} ({unit})" if unit else str(column.label)
