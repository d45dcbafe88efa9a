"""Board, progress table and analysis with two opportunities a customer, and the night that opens them."""

import statistics
import time


def figures(repeat: int) -> dict:
    """Fill the pipeline up to two opportunities a customer, time its looks, and the night's sources over all outlets."""
    from datetime import timedelta

    from django.db import connection
    from django.utils.timezone import localdate

    from bench.measure import timed
    from contacts import opportunity_sources
    from contacts.models import Opportunity
    from customers.models import Customer
    from staff.models import Branch, Staff

    with connection.cursor() as cursor:
        cursor.execute(_FILL)
        cursor.execute("VACUUM (ANALYZE) contacts_opportunity")
        cursor.execute("VACUUM (ANALYZE) contacts_opportunitystagehistory")
    found = {
        "opportunities": Opportunity.objects.count(),
        "opportunities a customer": round(Opportunity.objects.count() / Customer.objects.count(), 1),
    }
    manager, head, office = (Staff.objects.get(staff_no=number) for number in ("manager", "head", "office"))
    for label, staff in (("manager", manager), ("outlet", head), ("head office", office)):
        for look, path in (
            ("board", "/opportunities/"),
            ("progress table", "/opportunities/table/"),
            ("funnel and forecast", "/opportunities/analysis/"),
        ):
            took, queries = timed(staff, path, repeat if label != "head office" else 3)
            found |= {f"{look}, {label}, ms": took, f"{look}, {label}, queries": queries}
    spent, opened = [], 0
    on = localdate() + timedelta(days=1)
    began_all = time.perf_counter()
    for outlet in Branch.objects.filter(customers__isnull=False).distinct():
        began = time.perf_counter()
        opened += opportunity_sources.refresh_branch(branch_id=outlet.pk, on=on)
        spent.append(time.perf_counter() - began)
    return found | {
        "night: opportunities of all, s": time.perf_counter() - began_all,
        "night: opportunities of an outlet, s": statistics.median(spent),
        "night: opportunities opened or ended": opened,
    }


# Closed ones of the last two years, in the shares of the demo bank, with every step of their history.
_FILL = """
WITH wanted AS (
    SELECT c.id AS customer_id, c.manager_id, n, (ARRAY['acquire','sign_up','upgrade','cross_sell','retention','win_back'])[1 + (c.id + n) % 6] AS kind,
           (c.id * 7919 + n * 104729) % 700 AS age, (c.id + n) % 3 = 0 AS won
      FROM customers_customer c CROSS JOIN generate_series(1, 2) n
     WHERE c.manager_id IS NOT NULL
     UNION ALL
    SELECT c.id, (SELECT min(s.id) FROM staff_staff s WHERE s.branch_id = c.branch_id AND s.role = 'relationship_manager'), n,
           (ARRAY['acquire','sign_up','upgrade','cross_sell','retention','win_back'])[1 + (c.id + n) % 6], (c.id * 7919 + n * 104729) % 700, (c.id + n) % 3 = 0
      FROM customers_customer c CROSS JOIN generate_series(1, 2) n WHERE c.manager_id IS NULL
), made AS (
    INSERT INTO contacts_opportunity (customer_id, kind, title, owner_id, source, source_key, category, stage, stage_since, expected_amount,
        expected_on, next_action, last_touched_on, lost_reason, result_amount, closed_on, created_at)
    SELECT customer_id, kind, '往期商机', manager_id, 'manual', 'bench:' || n || ':' || customer_id, '', CASE WHEN won THEN 'won' ELSE 'lost' END,
           current_date - age::int, 100000, current_date - age::int, '', current_date - age::int, CASE WHEN won THEN '' ELSE 'no_need' END,
           CASE WHEN won THEN 90000 END, current_date - age::int, now() - make_interval(days => age::int + 40)
      FROM wanted WHERE manager_id IS NOT NULL ON CONFLICT DO NOTHING
    RETURNING id, stage, created_at
)
INSERT INTO contacts_opportunitystagehistory (opportunity_id, from_stage, to_stage, at, note)
SELECT m.id, s.was, CASE WHEN s.step = 4 THEN m.stage ELSE s.now END, m.created_at + make_interval(days => s.step * 9), ''
  FROM made m CROSS JOIN (VALUES (0, '', 'new'), (1, 'new', 'contacted'), (2, 'contacted', 'proposed'), (3, 'proposed', 'agreed'), (4, 'agreed', '')) s (step, was, now)
"""
