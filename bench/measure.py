"""Measure one size in the database that the environment names; run by `python -m bench` in a process of its own."""

import argparse
import json
import os
import re
import statistics
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import django


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--repeat", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")
    os.environ["ALLOWED_HOSTS"] = "testserver,localhost"
    django.setup()
    from django.core.management import call_command

    from bench import calls, days, feeds, pipeline

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    figures = {}
    figures |= writing(asked.customers)
    figures |= rating_night()
    figures |= night_steps()
    figures |= month_end()
    figures |= segments(asked.repeat)
    figures |= pages(asked.repeat)
    figures |= calls.single(asked.repeat)
    figures |= pipeline.figures(asked.repeat)
    figures |= days.figures(asked.repeat)
    figures |= feeds.rates()
    asked.out.write_text(json.dumps(figures))


COPIES = 49
"""A bank above 100,000 customers is a demo bank of a fiftieth, with so many copies of it (bench.multiply)."""


def writing(customers: int) -> dict:
    """Write the bank and train its churn model, on the part of it that is simulated."""
    from django.core.management import call_command

    from bench.multiply import multiply

    copies = COPIES if customers > 100_000 else 0
    began = time.perf_counter()
    call_command("demo", customers=customers // (copies + 1))
    took = time.perf_counter() - began
    figures = {"demo bank written, s": took, "demo bank, customers/s": round(customers / (copies + 1) / took)}
    figures |= training()
    if copies:
        began = time.perf_counter()
        multiply(copies)
        figures["bank multiplied, s"] = time.perf_counter() - began
    return figures


def training() -> dict:
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("train_churn")
    return {"churn model trained, s": time.perf_counter() - began}


def rating_night() -> dict:
    """Average and rate everybody as the night of the newest month end does; return seconds of each, and customers a second."""
    from django.utils.timezone import localdate

    from customers import averages, rating
    from customers.models import Customer
    from staff.models import Branch

    on, outlets = localdate().replace(day=1) - timedelta(days=1), Branch.objects.filter(customers__isnull=False)
    spent = {}
    for name, verb in (("averages", averages.average_branch), ("rating", rating.rate_branch)):
        began = time.perf_counter()
        for outlet in outlets.distinct():
            verb(branch_id=outlet.pk, on=on)
        spent[f"month end: {name} of all, s"] = time.perf_counter() - began
    return spent | {"month end: customers/s": round(Customer.objects.count() / sum(spent.values()))}


def night_steps() -> dict:
    """Run the night of yesterday; return the seconds of each step, summed over the outlets, and of all."""
    from staff.models import NightStep
    from vipcrm import night

    on = night.business_date()
    night.start(on=on)
    began = time.perf_counter()
    night.work(on=on)
    took, seconds, rows = time.perf_counter() - began, {}, {}
    for step in NightStep.objects.filter(run__business_date=on).order_by("position"):
        if step.finished_at and step.started_at:
            spent = (step.finished_at - step.started_at).total_seconds()
            seconds[step.step] = seconds.get(step.step, 0) + spent
            rows[step.step] = rows.get(step.step, 0) + step.rows
    return {f"night: {name}, s": spent for name, spent in seconds.items()} | {"night: all, s": took}


def pages(repeat: int) -> dict:
    """Time the pages as the people who use them."""
    from customers.models import Customer
    from staff.models import Staff

    manager, head = (Staff.objects.get(staff_no=number) for number in ("manager", "head"))
    customer = Customer.objects.filter(manager=manager).order_by("-aum").first()
    name = quote(customer.name[:2])
    office = Staff.objects.get(staff_no="office")
    figures = {}
    for label, staff, path in (
        ("Today", manager, "/today/"),
        ("list of a manager", manager, "/customers/"),
        ("list of an outlet", head, "/customers/"),
        ("list of head office", office, "/customers/"),
        ("list of an outlet, deep", head, page_after(head)),
        ("list of head office, deep", office, page_after(office)),
        ("filter and sort, outlet", head, "/customers/?tier=gold&sort=-contact"),
        ("filter and sort, head office", office, "/customers/?tier=gold&sort=-aum"),
        ("tabs of head office, counted behind the page", office, "/customers/tabs/"),
        ("search by characters", head, f"/search/?q={name}"),
        ("search by pinyin", head, "/search/?q=wangx"),
        ("search by initials, head office", office, "/search/?q=wxm"),
        ("search by last 4 digits, head office", office, f"/search/?q={customer.mobile_last4}"),
        ("360", manager, f"/customers/{customer.pk}/"),
        *((f"360 panel {panel}", manager, f"/customers/{customer.pk}/{panel}/")
          for panel in ("ladder", "assets", "holdings", "timeline", "opportunities", "suitability", "coverage", "value",
                        "team", "family", "history", "completeness")),
        ("Potential customers", head, "/potential/"),
        ("Segments", head, "/segments/"),
        ("Products", head, "/products/"),
        ("Duplicates", head, "/duplicates/"),
        ("Assignment", head, "/assignment/"),
        ("Planning, outlet", head, "/planning/"),
        ("Planning, head office", office, "/planning/"),
        ("Morning meeting", head, "/morning/"),
        ("Compliance", head, "/compliance/"),
        ("Events", head, "/events/"),
        ("Calendar", manager, "/calendar/"),
        ("Messages", head, "/messages/"),
        ("Reports", head, "/reports/"),
        ("form of a contact", manager, f"/customers/{customer.pk}/log/"),
        ("Opportunities", manager, "/opportunities/"),
        ("Early warning", head, "/churn/"),
    ):  # fmt: skip
        took, queries = timed(staff, path, repeat)
        figures |= {f"{label}, ms": took, f"{label}, queries": queries}
    return figures


def page_after(staff) -> str:
    """Return the address of the page that follows the fortieth, as the list gives it; fewer where the list ends."""
    from django.test import Client

    client = Client()
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    address = "/customers/"
    for _turn in range(40):
        found = re.search(r'hx-get="([^"]*after=[^"]*)"', client.get(address).content.decode())
        if not found:
            break
        address = found[1].replace("&amp;", "&")
    return address


def month_end() -> dict:
    """Compute what contacts cost and what customers are worth, for every outlet, as the last night of a month does."""
    from django.utils.timezone import localdate

    from contacts import costs
    from customers import value
    from staff.models import Branch

    on, began = localdate() - timedelta(days=1), time.perf_counter()
    for outlet in Branch.objects.filter(customers__isnull=False).distinct():
        costs.refresh_branch(branch_id=outlet.pk, on=on)
        value.value_branch(branch_id=outlet.pk, on=on)
    return {"value of customers, s": time.perf_counter() - began}


def segments(repeat: int) -> dict:
    """Count a rule of and, or, not for an outlet and for head office, and make a segment of it with its members."""
    from django.utils.timezone import localdate

    from customers.segments import segment, sizes
    from customers.segments.rule import parse
    from staff.models import Staff

    office, head, on = *(Staff.objects.get(staff_no=number) for number in ("office", "head")), localdate()
    rule = {"all": [
        {"any": [{"field": "group", "op": "in", "value": ["merchant", "payroll", "custody", "elderly"]}]},
        {"not": {"field": "hobby", "op": "in", "value": ["茶"]}},
        {"field": "aum", "op": "from", "value": "30"},
    ]}  # fmt: skip
    figures = {}
    for label, viewer, times in (("outlet", head, repeat), ("whole bank", office, 3)):
        spent = []
        for _turn in range(times):
            began = time.perf_counter()
            sizes.size_of(parse(rule), viewer=viewer, branch_id=viewer.branch_id, on=on)
            spent.append((time.perf_counter() - began) * 1000)
        figures[f"segment counted, {label}, ms"] = statistics.median(spent)
    began = time.perf_counter()
    segment.make(name="bench", purpose="", rule=rule, by=office, on=on)
    return figures | {"segment made with its members, s": time.perf_counter() - began}


def timed(staff, path: str, repeat: int) -> tuple[float, int]:
    """Return the median milliseconds of a page and its number of queries; panels and the search come as fragments."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    fragment = path.startswith(("/search/", "/customers/tabs/")) or path.count("/") > 3
    headers = {"HX-Request": "true"} if fragment else {}
    client = Client()
    client.force_login(staff, backend="staff.sign_in.StaffBackend")
    for _warming in range(3):
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} as {staff.staff_no} answers {answer.status_code}")
    spent = []
    for _turn in range(repeat):
        began = time.perf_counter()
        client.get(path, headers=headers)
        spent.append((time.perf_counter() - began) * 1000)
    with CaptureQueriesContext(connection) as queries:
        client.get(path, headers=headers)
    return statistics.median(spent), len(queries)


if __name__ == "__main__":
    main()
