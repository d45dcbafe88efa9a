"""What fits a customer next: in the order of the ladder, each with why, and what forbids it just now (domain.md §§9, 16, 19).

Three fits: the right time (no open complaint, within the cap of offers), the right product (suitable, not declined
lately), the right customer (agreed to marketing, not on low disturbance). What is forbidden stays in the list, said why.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from contacts import care
from contacts.models import Opportunity
from customers import coverage, reach
from customers.models import Customer, Holding, Product
from customers.suitability import judge, offer_to
from staff import formats, qualification
from staff.models import Staff

DECLINED_DAYS = 90
"""A product category that the customer declined is not suggested again for so long (assumption)."""

SOON_DAYS = 30
MOST = 4
LASTING = ("deposit", "wealth")
"""Categories into which money that falls due may go on."""


@dataclass(frozen=True)
class Suggestion:
    """One category: its product, why it fits, and what forbids it just now (none: it may be offered)."""

    category: str
    label: str
    product: Product
    reasons: tuple[str, ...]
    forbids: tuple[str, ...]


def suggestions_for(customer: Customer, *, by: Staff, on: date) -> list[Suggestion]:
    """Return at most MOST categories that the customer lacks, those that may be offered first, easy before difficult.

    A constant number of queries.
    """
    products = list(Product.objects.on_sale(on).order_by("ladder_rank", "code"))
    holdings = list(Holding.objects.filter(customer=customer).active().select_related("product"))
    held = {holding.product.category for holding in holdings} | set(customer.product_marks.split())
    bundles = coverage.lacking({holding.product.name for holding in holdings})
    maturing = sum(
        holding.amount
        for holding in holdings
        if holding.matures_on and on <= holding.matures_on <= on + timedelta(days=SOON_DAYS)
    )
    barred = _barred(customer, on)
    declined = _declined(customer, on)
    qualified = qualification.held(by, on)
    found: dict[str, Suggestion] = {}
    for product in products:
        fits_due = maturing > 0 and product.category in LASTING
        if product.category in held and not fits_due:
            continue
        verdict = judge(offer_to(customer, product, on=on, held=qualified))
        refused = declined.get(product.category)
        forbids = [*barred, *verdict.refusals]
        if refused:
            until = formats.day(refused + timedelta(days=DECLINED_DAYS), today=on)
            forbids.append(_("declined lately: not before {day}").format(day=until))
        earlier = found.get(product.category)
        if earlier is None or (earlier.forbids and not forbids):
            reasons = _reasons(product, held, bundles, maturing if fits_due else 0)
            label = str(Product.Category(product.category).label)
            found[product.category] = Suggestion(product.category, label, product, reasons, tuple(forbids))
    in_order = sorted(found.values(), key=lambda each: (bool(each.forbids), coverage.LADDER[each.category]))
    return in_order[:MOST]


def _reasons(product: Product, held: set[str], bundles, maturing) -> tuple[str, ...]:
    said = []
    if maturing:
        said.append(_("{money} falls due within {days} days").format(money=formats.money(maturing), days=SOON_DAYS))
    said += [
        _("completes the {bundle}").format(bundle=bundle.label)
        for bundle, missing in bundles
        if any(part in product.name for part in missing)
    ]
    if product.category not in held:
        said.append(_("not held yet, step {step} of the ladder").format(step=coverage.LADDER[product.category]))
    return tuple(said)


def _barred(customer: Customer, on: date) -> list[str]:
    """Return what forbids any offer just now, in words."""
    said = []
    skip = Customer.objects.filter(pk=customer.pk).values_list(reach.why_not(reach.Purpose.MARKETING), flat=True)[0]
    if skip:
        said.append(str(reach.Skip(skip).label))
    known = care.care_of(customer, on)
    if known.has_complaint:
        said.append(_("a complaint is open"))
    if known.pitch_from and known.pitch_from > on:
        said.append(_("offered something lately: not before {day}").format(day=formats.day(known.pitch_from, today=on)))
    return said


def _declined(customer: Customer, on: date) -> dict[str, date]:
    """Return the categories that the customer declined within DECLINED_DAYS, with the day."""
    lost = customer.opportunities.filter(
        stage=Opportunity.Stage.LOST, lost_reason__in=care.REFUSED, closed_on__gt=on - timedelta(days=DECLINED_DAYS)
    )
    return dict(lost.exclude(category="").order_by("closed_on").values_list("category", "closed_on"))
