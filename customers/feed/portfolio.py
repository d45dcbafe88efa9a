"""Products, their net values, and what customers hold of them, from the core banking system."""

from datetime import date
from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from customers.feed import keyed
from customers.feed.days import dated
from customers.feed.keyed import OF_CUSTOMER, Column, Guard, Keyed, Reference
from customers.feed.rows import CustomerNo, Outcome, Row, day, key, money, text, whole
from customers.models import Product

RATE = r"^\d{1,3}(\.\d{1,3})?$"
VALUE = r"^\d{1,10}(\.\d{1,6})?$"

FROM_HEAD_OFFICE = Guard(
    "head_office_only", "row_id", "EXISTS (SELECT FROM staff_branch b WHERE b.id = %(branch)s AND b.parent_id IS NOT NULL)",
    _("products are the whole bank's: only a client bound to head office sends them."),
)  # fmt: skip
OF_PRODUCT = Reference(
    "product", "product_id", "unknown_product", _("no such product; send it to products:batch first."),
    lambda by: Product.objects.values("id", "code"),
)  # fmt: skip

PRODUCTS = Keyed(
    table="customers_product",
    key=("code",),
    columns=(
        Column("code", "text"), Column("name", "text"), Column("category", "text"), Column("ladder_rank", "smallint"),
        Column("risk_level", "smallint"), Column("term_days", "integer"), Column("annual_rate", "numeric(6,3)"),
        Column("min_amount", "numeric(18,2)"), Column("is_agency", "boolean"), Column("on_sale_from", "date"),
        Column("on_sale_to", "date"),
    ),
    guards=(
        FROM_HEAD_OFFICE,
        Guard("dates_out_of_order", "on_sale_to", "s.on_sale_to < s.on_sale_from", _("the sale ends before it begins.")),
    ),
)  # fmt: skip
VALUES = Keyed(
    table="customers_productvalue",
    key=("product_id", "data_date"),
    references=(OF_PRODUCT,),
    columns=(Column("data_date", "date"), Column("value", "numeric(16,6)")),
    guards=(FROM_HEAD_OFFICE,),
)
HOLDINGS = Keyed(
    table="customers_holding",
    key=("external_id",),
    references=(OF_CUSTOMER, OF_PRODUCT),
    columns=(
        Column("external_id", "text"), Column("amount", "numeric(18,2)"), Column("annual_rate", "numeric(6,3)"),
        Column("opened_on", "date"), Column("matures_on", "date"), Column("status", "text"),
    ),
    guards=(
        Guard("dates_out_of_order", "matures_on", "s.matures_on < s.opened_on", _("it falls due before it was opened.")),
    ),
)  # fmt: skip

Rate = Annotated[str, Meta(pattern=RATE, description="percent a year", examples=["2.350"])]
ProductCode = key("code of the product", most=24, example="LC-2026-118")


class ProductRow(Row, kw_only=True):
    """One product of the bank's catalogue; only a client bound to head office sends it."""

    code: ProductCode
    name: text(80, "as customers read it", least=1, example="活利丰七日")
    category: Literal[
        "channel", "payroll", "deposit", "card", "loan", "wealth", "fund", "gold", "insurance", "private"
    ]  # fmt: skip
    ladder_rank: whole(1, 8, "1 easy (channel) … 8 private banking")
    risk_level: whole(1, 5, "1–5 for R1–R5") | None = None
    term_days: whole(1, 36_500, "days until it falls due") | None = None
    annual_rate: Rate | None = None
    min_amount: money("yuan, the least that can be bought") = "0"
    is_agency: Annotated[bool, Meta(description="sold for another house")] = False
    on_sale_from: day("first day of sale") | None = None
    on_sale_to: day("last day of sale") | None = None


class ProductValueRow(Row, kw_only=True):
    """The net value of a product at the end of a day; only a client bound to head office sends it."""

    product: ProductCode
    value: Annotated[str, Meta(pattern=VALUE, description="yuan a unit", examples=["1.023400"])]
    data_date: day("of the value; as_of where it is left out") | None = None


class HoldingRow(Row, kw_only=True):
    """One product in a customer's hands."""

    external_id: key("your key of the holding; unique in the bank", most=40, example="H-88120017")
    customer_no: CustomerNo
    product: ProductCode
    amount: money("yuan at present")
    annual_rate: Rate | None = None
    opened_on: day("when it was bought")
    matures_on: day("when it falls due") | None = None
    status: Literal["active", "ended"] = "active"


def take_products(*, rows: dict[int, ProductRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge products by position in the batch; return what became of each."""
    return keyed.take(rows, into=PRODUCTS, by=by)


def take_product_values(*, rows: dict[int, ProductValueRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge net values by position in the batch; return what became of each. `as_of`: the day of rows that name none."""
    good, outcomes = dated(rows, as_of=as_of)
    return outcomes | keyed.take(good, into=VALUES, by=by)


def take_holdings(*, rows: dict[int, HoldingRow], as_of: date, by) -> dict[int, Outcome]:
    """Merge holdings by position in the batch; return what became of each. Maturities of customers follow in the night."""
    return keyed.take(rows, into=HOLDINGS, by=by)
