"""Which kinds of products a customer holds, which he could, and which bundle is not complete; easy ones first (domain.md §§9, 16)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Holding, Product
from customers.suitability import judge, offer_to

LADDER: Mapping[str, int] = {
    "channel": 1, "payroll": 2, "deposit": 2, "card": 3, "loan": 4, "wealth": 5, "fund": 6, "gold": 6, "insurance": 7,
    "private": 8,
}  # fmt: skip
"""The order of recommending, easy before difficult, channels before investments."""


class Bundle(models.TextChoices):
    """Products that pull one another along (000_12a35795c6eec638.txt)."""

    MERCHANT = "merchant", _("Merchant bundle")
    PAYROLL = "payroll", _("Payroll bundle")


BUNDLES: Mapping[Bundle, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Bundle.MERCHANT: (("市场通", "惠农"), ("掌上银行", "信用卡", "活利丰", "时时付")),
    Bundle.PAYROLL: (("代发工资",), ("掌上银行", "活利丰", "时时付")),
}
"""By which products (beginnings of names) a bundle begins, and what belongs to it in ladder order."""


@dataclass(frozen=True)
class Cell:
    """One category of the grid: `state` is held, open, or barred with `why`."""

    category: str
    label: str
    state: str
    why: str = ""


def grid(customer: Customer, products: Iterable[Product], *, held: set[str], on: date) -> list[Cell]:
    """Return every category in the order of the ladder; a category is open where one of its products may be offered."""
    by_category: dict[str, list[Product]] = {}
    for product in products:
        by_category.setdefault(product.category, []).append(product)
    cells = []
    for code in sorted(by_category, key=lambda category: LADDER[category]):
        label = str(Product.Category(code).label)
        verdicts = [judge(offer_to(customer, product, on=on)) for product in by_category[code]]
        if code in held:
            cells.append(Cell(code, label, "held"))
        elif any(verdict.allowed for verdict in verdicts):
            cells.append(Cell(code, label, "open"))
        else:
            cells.append(Cell(code, label, "barred", verdicts[0].refusals[0]))
    return cells


def lacking(names: set[str]) -> list[tuple[Bundle, list[str]]]:
    """Return the bundles that a customer has begun, each with what he lacks, in ladder order.

    Args:
        names: of the products held.
    """
    found = []
    for bundle, (starts, parts) in BUNDLES.items():
        begun = all(any(name.startswith(start) for name in names) for start in starts)
        missing = [part for part in parts if not any(part in name for name in names)]
        if begun and missing:
            found.append((bundle, missing))
    return found


def coverage_of(customer: Customer, *, on: date) -> tuple[list[Cell], list[tuple[Bundle, list[str]]]]:
    """Return the grid and the unfinished bundles of a customer, in two queries."""
    products = list(Product.objects.on_sale(on).order_by("ladder_rank", "code"))
    holdings = Holding.objects.filter(customer=customer).active().select_related("product")
    names = {holding.product.name for holding in holdings}
    held = {holding.product.category for holding in holdings} | set(customer.product_marks.split())
    return grid(customer, products, held=held, on=on), lacking(names)
