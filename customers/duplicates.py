"""Pairs of records that may be the same person: the same identity number, the same mobile, the same name and birthday."""

from dataclasses import dataclass

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, NotSamePerson
from customers.search import SEALED
from staff import audit
from staff.models import Staff

MOST = 100


class Sign(models.TextChoices):
    """What speaks for it, the strongest first."""

    IDENTITY = "identity", _("same identity number")
    MOBILE = "mobile", _("same mobile")
    BIRTHDAY = "birthday", _("same name and birthday")


@dataclass(frozen=True)
class Pair:
    """Two records, the one with the higher tier (then the older number) first, and what speaks for one person."""

    one: Customer
    other: Customer
    signs: list[str]


def pairs(viewer: Staff, most: int = MOST) -> list[Pair]:
    """Return the pairs in sight, the strongest signs first; those said to be two people are left out."""
    seen, values = Customer.objects.visible_to(viewer).values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS.format(seen=seen), [*values, most])
        found = cursor.fetchall()
    customers = Customer.objects.select_related("manager", "branch").defer(*SEALED)
    here = customers.in_bulk({pk for one, other, _signs in found for pk in (one, other)})
    return [_pair(here[one], here[other], signs) for one, other, signs in found]


def _pair(one: Customer, other: Customer, signs: list[str]) -> Pair:
    first, second = sorted(
        [one, other], key=lambda each: (-each.service_tier, -(each.relation_status == "signed"), each.pk)
    )
    return Pair(first, second, [str(Sign(code).label) for code in Sign.values if code in signs])


def say_not_same(*, one: Customer, other: Customer, by: Staff) -> None:
    """Remember that two records are two people; said twice is said once."""
    low, high = sorted([one.pk, other.pk])
    _row, made = NotSamePerson.objects.get_or_create(one_id=low, other_id=high, defaults={"by": by})
    if made:
        audit.record("customer.not_same", one, by=by, other=other.customer_no)


_PAIRS = """
WITH seen AS MATERIALIZED (
    SELECT id, id_no_hash, mobile_hash, name, birth_date FROM customers_customer
    WHERE id IN ({seen}) AND relation_status <> 'closed'
), signed AS (
    SELECT 'identity' AS sign, 1 AS place, array_agg(id ORDER BY id) AS ids FROM seen
    WHERE id_no_hash <> '' GROUP BY id_no_hash HAVING count(*) > 1
    UNION ALL
    SELECT 'mobile', 2, array_agg(id ORDER BY id) FROM seen
    WHERE mobile_hash <> '' GROUP BY mobile_hash HAVING count(*) BETWEEN 2 AND 5
    UNION ALL
    SELECT 'birthday', 3, array_agg(id ORDER BY id) FROM seen
    WHERE birth_date IS NOT NULL GROUP BY name, birth_date HAVING count(*) > 1
)
SELECT one, other, array_agg(sign) FROM (
    SELECT one, other, sign, place FROM signed
    CROSS JOIN LATERAL unnest(ids) AS one CROSS JOIN LATERAL unnest(ids) AS other WHERE one < other
) pairs
WHERE NOT EXISTS (SELECT FROM customers_notsameperson n WHERE n.one_id = one AND n.other_id = other)
GROUP BY one, other ORDER BY min(place), count(*) DESC, one, other LIMIT %s
"""
