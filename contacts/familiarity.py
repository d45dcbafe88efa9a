"""Who has talked with a customer lately: a tie that the floor below asks for when it shares customers out."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from django.db.models import Count

from contacts.models import ContactLog

DAYS, TALKS = 180, 2
"""So many contacts within so many days make a member familiar (assumption)."""


def talked(customers: Iterable[int], on: date) -> Iterator[tuple[int, int]]:
    """Yield (customer, staff) of those with enough valid contacts, joint meetings for who logged them."""
    logs = ContactLog.objects.valid().standing().filter(customer__in=customers, on__gt=on - timedelta(days=DAYS))
    counted = logs.order_by().values("customer", "staff").annotate(n=Count("pk")).filter(n__gte=TALKS)
    yield from counted.values_list("customer", "staff")
