"""Write a whole invented bank: chunk by chunk of outlets, each chunk one transaction, by COPY, in flat memory."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from contacts import costs, regime
from customers import potential, value
from customers.assets import ensure_partitions
from customers.models import Customer, Load, Product
from staff.clients import create_client
from staff.refusal import Refused
from vipcrm.demo import lists, segments, talks
from vipcrm.demo.archives import write_archives
from vipcrm.demo.catalogue import ITEMS, SELLING_POINTS
from vipcrm.demo.chunk import Chunk
from vipcrm.demo.families import write_families
from vipcrm.demo.institutions import Institutions
from vipcrm.demo.money import draw_markets, months_until
from vipcrm.demo.names import Names

CHUNK = 4000
"""Customers simulated and written at a time, whole outlets."""

CORE_CLIENT, CORE_SECRET = "core", "demo-core-secret"
"""The demo's core banking system, as the API knows it."""

EMPTIED = (
    "customers_customer", "customers_dailyasset", "customers_monthlyasset", "churn_churnmodelversion",
    "staff_nightrun", "staff_outboxemail",
)  # fmt: skip


class NotADemo(Refused):
    """The demo bank is written only where DEMO is on."""

    code = "not_a_demo"


class BankIsNotEmpty(Refused):
    """There are customers already."""

    code = "bank_is_not_empty"


def write_bank(*, customers: int, seed: int, today: date, replace: bool = False, track: Callable = iter) -> Counter:
    """Write the demo bank with data through the day before `today`; return how many rows of each table.

    Args:
        track: wraps the list of chunks [(outlets, customers)], for a bar in the terminal.

    Raises:
        NotADemo: DEMO is off.
        BankIsNotEmpty: there are customers, and `replace` was not asked for. A run that broke leaves
            whole chunks behind; `replace` begins again.
    """
    if not settings.DEMO:
        raise NotADemo("The demo bank is written only with DEMO=1; this database is left as it is.")
    if Customer.objects.exists():
        if not replace:
            raise BankIsNotEmpty("This database has customers already. Use --replace to empty it and write anew.")
        empty()
    rng = np.random.default_rng(seed)
    names, last, written = Names(), today - timedelta(days=1), Counter()
    with transaction.atomic():
        institutions = Institutions(rng, names, today=today)
        outlets = institutions.write(customers)
        products = write_products()
        create_client(
            name="核心系统", branch=institutions.root, scopes=sorted(settings.OAUTH2_PROVIDER["SCOPES"]), by=None,
            client_id=CORE_CLIENT, secret=CORE_SECRET,
        )  # fmt: skip
        months = months_until(last)
        ensure_partitions(months[0], today)
    written["branches"], written["staff"] = institutions.branches, len(institutions.written)
    written["products"] = len(products)
    markets = draw_markets(np.random.default_rng(seed + 1), (last - months[0]).days + 400)
    serial = 0
    for number, group in enumerate(track(in_chunks(outlets))):
        part = Chunk(
            np.random.default_rng([seed, number]), group, names=names, markets=markets, products=products,
            today=today, serial=serial,
        )  # fmt: skip
        with transaction.atomic():
            written += part.write()
        serial += part.size
    written["relations"] = write_families(np.random.default_rng([seed, 78]))
    written["archive values"] = write_archives(np.random.default_rng([seed, 77]))
    for outlet in outlets:
        potential.refresh_branch(branch_id=outlet.branch.pk, on=last)
        regime.refresh_branch(branch_id=outlet.branch.pk, on=last)
        costs.refresh_branch(branch_id=outlet.branch.pk, on=last)
        value.value_branch(branch_id=outlet.branch.pk, on=last)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    written.update(lists.write())
    written.update(segments.write(today=today))
    written.update(talks.write(today=today))
    return written


def empty():
    """Remove customers and all that belongs to them; people, offices and the audit trail stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks cannot be emptied
        for table in EMPTIED:
            cursor.execute(f"TRUNCATE {table} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        Load.objects.update(potential=0, gold=0, platinum=0, diamond=0)


def in_chunks(outlets: list) -> list[list]:
    """Return the outlets in groups of about CHUNK customers."""
    groups, size = [[]], 0
    for outlet in outlets:
        if size and size + outlet.customers > CHUNK * 1.05:
            groups.append([])
            size = 0
        groups[-1].append(outlet)
        size += outlet.customers
    return groups


def write_products() -> list[int]:
    """Write the catalogue; return the keys in its order."""
    keys = []
    for item in ITEMS:
        product, _created = Product.objects.update_or_create(
            code=item.code,
            defaults={
                "name": item.name,
                "category": item.category,
                "ladder_rank": item.ladder,
                "risk_level": item.risk,
                "term_days": item.term,
                "annual_rate": item.rate,
                "min_amount": item.minimum,
                "is_agency": item.agency,
                "selling_points": SELLING_POINTS.get(item.code, ""),
            },
        )
        keys.append(product.pk)
    return keys
