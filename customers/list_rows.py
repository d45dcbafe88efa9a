"""What a row of the customer list shows beside its columns: sparkline, marks, meter, what comes next."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from customers import regime_meter
from customers.birthdays import birthdays
from customers.models import Customer, DailyAsset, Product, RelationStatus, Tier, TierState
from staff import formats, masking

WEEKS = 8
SPARK_WIDTH, SPARK_HEIGHT = 64, 20
BIRTHDAY_DAYS = 7

MARKS = {
    "deposit": pgettext_lazy("mark of a product", "D"),
    "wealth": pgettext_lazy("mark of a product", "W"),
    "fund": pgettext_lazy("mark of a product", "F"),
    "insurance": pgettext_lazy("mark of a product", "I"),
    "gold": pgettext_lazy("mark of a product", "G"),
    "private": pgettext_lazy("mark of a product", "V"),
    "loan": pgettext_lazy("mark of a product", "L"),
    "card": pgettext_lazy("mark of a product", "C"),
    "payroll": pgettext_lazy("mark of a product", "P"),
    "channel": pgettext_lazy("mark of a product", "M"),
}
"""One character for each category held, in the order of the column; the legend names them."""


CATEGORIES = dict(Product.Category.choices)

TIER_KEYS = "ngpd"
"""The letter of a tier's pair of colours, by its number."""

RISK_KEYS = {1: "low", 2: "medium", 3: "high"}


@dataclass(frozen=True)
class Row:
    """A customer and what the list draws of them, ready to be written: a page has fifty.

    `spark` are points of an SVG polyline, `pips` says of each call required whether it was made.
    """

    customer: Customer
    pk: int
    name: str
    about: str
    tier: dict
    on_watch: str
    amount: str
    exact: str
    change_class: str
    change_words: str
    spark: str
    fell: bool
    marks: list
    meter: object
    pips: list
    next: dict | None
    contact_late: bool
    risk: dict | None
    more: tuple | list = ()

    @property
    def initial(self) -> str:
        return self.name[:1]

    @property
    def yuan(self) -> str:
        """Return whole yuan for the sum that the page makes of chosen rows; nothing to those who see bands."""
        return f"{self.customer.aum:.0f}" if self.exact else ""

    @property
    def regime(self) -> str:
        return self.customer.get_contact_state_display()


def rows_of(customers: list[Customer], *, viewer, on: date) -> list[Row]:
    """Return the rows of a page: one query for the sparklines, and what the meter's reader asks."""
    sparks = sparklines(customers)
    meters = regime_meter.meters_of(customers, on)
    near = {(name, lunar): day for name, day, lunar in birthdays(on, on + timedelta(days=BIRTHDAY_DAYS))}
    tiers = [{"key": TIER_KEYS[tier], "label": str(tier.label)} for tier in Tier]
    potential = {"key": "n", "label": _("Potential")}
    return [
        Row(
            customer=customer,
            pk=customer.pk,
            name=masking.name_for(viewer, customer.name),
            about=" · ".join(filter(None, [customer.occupation, *customer.tags[:2]])),
            tier=potential if customer.relation_status == RelationStatus.POTENTIAL else tiers[customer.service_tier],
            on_watch=_("On watch") if customer.tier_state == TierState.WATCH else "",
            amount=amount_of(customer.aum, viewer),
            exact="" if viewer.sees_bands else formats.yuan(customer.aum),
            change_class=direction_of(change_of(customer)),
            change_words=formats.percent_change(change_of(customer)),
            spark=sparks[customer.pk][0],
            fell=sparks[customer.pk][1],
            marks=marks_of(customer),
            meter=(meter := meters.get(customer.pk)),
            pips=[n < meter.done for n in range(meter.of)] if meter else [],
            next=next_of(customer, on=on, near=near, viewer=viewer),
            contact_late=customer.contact_state in (Customer.ContactState.MISSED, Customer.ContactState.AT_RISK),
            risk=risk_of(customer),
        )
        for customer in customers
    ]


def direction_of(change: Decimal | None) -> str:
    """Return the class that colours a change."""
    return "ink-2" if not change else "up" if change > 0 else "down"


def risk_of(customer: Customer) -> dict | None:
    """Return {key, words} of the churn band, its word and its percent; None where there is no score."""
    if customer.churn_level is None:
        return None
    word = Customer.ChurnLevel(customer.churn_level).label
    return {
        "key": RISK_KEYS[customer.churn_level],
        "words": f"{word} {formats.percent(customer.churn_probability)}",
    }


def amount_of(value, viewer) -> str:
    """Write an amount of the column: its one unit, or the band that a teller sees."""
    return formats.money_band(value) if viewer.sees_bands else formats.money_in_column(value)


def change_of(customer: Customer) -> Decimal | None:
    """Return the relative change of AUM over 30 days; None where there was nothing to compare with."""
    if not customer.aum_30d_before:
        return None
    return (customer.aum - customer.aum_30d_before) / customer.aum_30d_before


def marks_of(customer: Customer) -> list[dict]:
    """Return [{mark, label}] of the categories held, in the column's order."""
    held = customer.product_marks.split()
    return [{"mark": str(mark), "label": CATEGORIES[code]} for code, mark in MARKS.items() if code in held]


def next_of(customer: Customer, *, on: date, near: dict, viewer) -> dict | None:
    """Return what comes next, {words, on, soon}: a birthday within a week, else a maturity, else the contact due.

    Args:
        near: {(name of a birthday, is lunar): day} of the coming week.
    """
    solar = customer.birth_date.strftime("%m-%d") if customer.birth_date else ""
    birthday = near.get((customer.lunar_birthday, True) if customer.lunar_birthday else (solar, False))
    if birthday:
        return {"words": _("birthday"), "on": birthday, "soon": True}
    if customer.next_maturity_on and customer.next_maturity_on >= on:
        money = formats.money_for(viewer, customer.next_maturity_amount)
        words = _("{money} matures").format(money=money) if customer.next_maturity_amount else _("matures")
        return {"words": words, "on": customer.next_maturity_on, "soon": (customer.next_maturity_on - on).days <= 7}
    due = customer.next_contact_due_on
    return {"words": _("contact due"), "on": due, "soon": due <= on} if due else None


def sparklines(customers: list[Customer]) -> dict[int, tuple[str, bool]]:
    """Return {pk: (points of the polyline, it fell)} of eight weeks of AUM, one query for all of them."""
    dates = [customer.data_date for customer in customers if customer.data_date]
    series: dict[int, list] = {customer.pk: [] for customer in customers}
    if dates:
        weeks = [max(dates) - timedelta(weeks=n) for n in range(WEEKS + 1)]
        found = DailyAsset.objects.filter(customer__in=list(series), data_date__in=weeks).order_by("data_date")
        for pk, day, total in found.values_list("customer_id", "data_date", "total"):
            series[pk].append((day, total))
    return {pk: (polyline(values), bool(values) and values[-1][1] < values[0][1]) for pk, values in series.items()}


def polyline(values: list[tuple[date, Decimal]]) -> str:
    """Return "x,y x,y" in a box of 64 × 20, the lowest value at the bottom; a flat line in the middle."""
    if len(values) < 2:
        return ""
    first, last = values[0][0], values[-1][0]
    low, high = min(total for _day, total in values), max(total for _day, total in values)
    points = []
    for day, total in values:
        x = SPARK_WIDTH * (day - first).days / (last - first).days
        y = SPARK_HEIGHT / 2 if high == low else 2 + (SPARK_HEIGHT - 4) * float((high - total) / (high - low))
        points.append(f"{x:.0f},{y:.1f}")
    return " ".join(points)
