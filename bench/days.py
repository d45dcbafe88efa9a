"""The regime and the day with twenty contacts a customer: the night over all outlets, Today of the fullest book, one contact logged."""

import statistics
import time
from datetime import timedelta

A_CUSTOMER = 20


def figures(repeat: int) -> dict:
    """Fill the contacts up to twenty a customer over two years; time what the night and the morning do with them."""
    from django.db import connection
    from django.db.models import Count
    from django.utils.timezone import localdate

    from bench.calls import single
    from bench.measure import timed
    from contacts import agenda, compliance, messages, regime
    from contacts.models import ContactLog
    from customers.models import Customer
    from staff.models import Branch, Staff

    with connection.cursor() as cursor:
        have, everybody = ContactLog.objects.count(), Customer.objects.count()
        cursor.execute(_FILL, {"each": max(0, A_CUSTOMER - have // everybody)})
        cursor.execute("VACUUM (ANALYZE) contacts_contactlog")
    found = {"contacts": ContactLog.objects.count()}
    on, outlets = localdate(), list(Branch.objects.filter(customers__isnull=False).distinct())
    month_end = on.replace(day=1) - timedelta(days=1)
    for name, verb, day in (
        ("regime", regime.refresh_branch, on),
        ("windows of a month judged", compliance.refresh_branch, month_end),
        ("events and tasks", agenda.refresh_tasks, on),
        ("messages drafted", messages.draft_branch, on),
    ):
        spent = []
        for outlet in outlets:
            began = time.perf_counter()
            verb(branch_id=outlet.pk, on=day)
            spent.append(time.perf_counter() - began)
        found |= {
            f"night: {name} of all, s": sum(spent),
            f"night: {name} of an outlet, ms": statistics.median(spent) * 1000,
        }
    fullest = Customer.objects.filter(manager__isnull=False).values("manager").annotate(n=Count("pk")).order_by("-n")[0]
    took, queries = timed(Staff.objects.get(pk=fullest["manager"]), "/today/", repeat)
    found |= {
        "Today, fullest book, customers": fullest["n"],
        "Today, fullest book, ms": took,
        "Today, fullest book, queries": queries,
    }
    logged = {name: value for name, value in single(repeat).items() if "log a contact" in name}
    return found | {f"{name}, of so many": value for name, value in logged.items()}


# One voice for all: calls, meetings and messages in turn, spread over two years, by the manager or anybody of the outlet.
_FILL = """
INSERT INTO contacts_contactlog (customer_id, staff_id, channel, result, at, "on", entered_on, purpose, summary)
SELECT c.id, coalesce(c.manager_id, s.id), w.channel, w.result, moment, moment::date, moment::date, 'care', '近况都好'
  FROM customers_customer c
  JOIN LATERAL (SELECT min(id) AS id FROM staff_staff WHERE branch_id = c.branch_id) s ON true
 CROSS JOIN generate_series(1, %(each)s) n
 CROSS JOIN LATERAL (SELECT current_date - ((c.id * 7919 + n * 104729) %% 720)::int - 1 + time '10:30' AS moment) t
 CROSS JOIN LATERAL (SELECT (ARRAY['phone','office','wechat'])[1 + n %% 3] AS channel, (ARRAY['connected','met','replied'])[1 + n %% 3] AS result) w
"""
