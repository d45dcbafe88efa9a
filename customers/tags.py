"""Words that staff put on customers, to find them again."""

from django.utils.translation import gettext as _

from customers.models import Customer
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

LONGEST = 20
MOST = 12


class NoSuchTag(Refused):
    """There is nothing to put on or to take off."""

    code = "tag"


def add(*, customer: Customer, word: str, by: Staff) -> None:
    """Put a tag on a customer.

    Raises:
        NoSuchTag: it is there already, or there are too many.
    """
    if word in customer.tags:
        raise NoSuchTag(_("has the tag already"))
    if len(customer.tags) >= MOST:
        raise NoSuchTag(_("has {n} tags, which is the most").format(n=MOST))
    _keep(customer, [*customer.tags, word[:LONGEST]], by=by, added=word)


def remove(*, customer: Customer, word: str, by: Staff) -> None:
    """Take a tag off a customer.

    Raises:
        NoSuchTag: it is not there.
    """
    if word not in customer.tags:
        raise NoSuchTag(_("does not have the tag"))
    _keep(customer, [tag for tag in customer.tags if tag != word], by=by, removed=word)


def _keep(customer: Customer, words: list[str], *, by: Staff, **figures) -> None:
    customer.tags = words
    customer.save(update_fields=["tags", "updated_at"])
    audit.record("customer.tagged", customer, by=by, **figures)
