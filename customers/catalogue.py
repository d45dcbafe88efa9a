"""Changing a product of the catalogue: what head office says of it, the rest comes from the core banking system."""

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import Product
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

CHANGEABLE = ("name", "risk_level", "min_amount", "on_sale_from", "on_sale_to", "selling_points")


class ProductRefused(Refused):
    """This change of a product is not possible; the message says why."""

    code = "product_refused"


@transaction.atomic
def change(*, product: Product, by: Staff, **values) -> Product:
    """Set what CHANGEABLE names; the trail keeps each value before and after.

    Raises:
        ProductRefused: it would end before it is sold, or a product that investors buy would carry no risk level.
    """
    product = Product.objects.select_for_update().get(pk=product.pk)
    before = {name: getattr(product, name) for name in CHANGEABLE}
    changed = {name: value for name, value in values.items() if value != before[name]}
    for name, value in changed.items():
        setattr(product, name, value)
    if product.on_sale_from and product.on_sale_to and product.on_sale_to < product.on_sale_from:
        raise ProductRefused(_("It cannot end before it begins."))
    if before["risk_level"] is not None and product.risk_level is None:
        raise ProductRefused(_("A risk level cannot be taken away; choose another."))
    if changed:
        product.save(update_fields=[*changed])
        changes = [f"{name}: {before[name] or '—'} → {value or '—'}" for name, value in changed.items()]
        audit.record("product.changed", product, by=by, product=product.code, changes=changes)
    return product
