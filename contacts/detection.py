"""What asks for a contact, found in the data each night by one statement a kind (domain.md §§7–9).

Each SELECT below gives `key, customer_id, reason, figures, stake, due_on, allowed_days, opportunity_id`
for one branch and one day. Keys are natural, so a second run writes nothing twice. What is found again
is refreshed, what is no longer found lapses.
"""

from collections.abc import Container
from datetime import date, timedelta

from django.db import connection

from contacts import event_sql, regime
from contacts.models import PROBABILITY
from customers.birthdays import birthdays
from customers.models import Tier
from customers.working_days import add_working_days

MATURITY_LEAD_DAYS = {"deposit": 15, "wealth": 10, "insurance": 30}
"""How many days before a holding matures its customer appears (domain.md §8)."""

LAST_CALL_DAYS = 3
"""The second reminder of a maturity: by then the contact must have happened (domain.md §8)."""

BIRTHDAY_LEAD_DAYS = 7
OPPORTUNITY_LEAD_DAYS = 7
MAKE_UP_DAYS = {"month": 10, "quarter": 30}
"""How soon a missed window should be made up for, counted from the first day of the next (assumption)."""

REPEAT_GOLD_DAYS = 7
COOLING_DAYS = 90
"""Who did not want to become a VIP customer is left in peace for so long (requirements.md S2-31)."""

GOLD_WORKING_DAYS = 3

WRITE_SQL = """
WITH found AS MATERIALIZED (
    SELECT f.* FROM ({found}) f
     WHERE NOT EXISTS (
        SELECT 1 FROM contacts_opportunity o
         WHERE o.customer_id = f.customer_id AND o.stage = 'lost' AND o.lost_reason = 'unwilling'
           AND o.closed_on > %(on)s::date - %(cooling)s)
),
written AS (
    INSERT INTO contacts_contacttask AS t
           (key, customer_id, source, reason, figures, stake, opened_on, due_on, allowed_days, status,
            opportunity_id, dismiss_reason)
    SELECT f.key, f.customer_id, %(source)s, f.reason, f.figures, f.stake, %(on)s, f.due_on, f.allowed_days, 'open',
           f.opportunity_id, ''
      FROM found f
        ON CONFLICT (key) DO UPDATE
       SET figures = excluded.figures, stake = excluded.stake, due_on = excluded.due_on,
           allowed_days = excluded.allowed_days, status = 'open', closed_on = NULL
     WHERE t.status IN ('open', 'expired')
 RETURNING 1
), lapsed AS (
    UPDATE contacts_contacttask t SET status = 'expired', closed_on = %(on)s
      FROM customers_customer c
     WHERE c.id = t.customer_id AND c.branch_id = %(branch)s AND t.status = 'open'
       AND t.reason = ANY(%(reasons)s) AND NOT EXISTS (SELECT 1 FROM found f WHERE f.key = t.key)
 RETURNING 1
)
SELECT (SELECT count(*) FROM written) + (SELECT count(*) FROM lapsed)
"""

REGIME_SQL = """
SELECT 'regime:' || r.reason || ':' || r.first || ':' || r.phones || '-' || r.meetings || ':' || r.id AS key,
       r.id AS customer_id, r.reason,
       jsonb_build_object('need_phones', r.need_phones, 'need_meetings', r.need_meetings, 'last', r.last) AS figures,
       r.stake,
       CASE WHEN r.reason LIKE 'at_risk%%' THEN r.last
            WHEN r.reason LIKE 'missed%%' THEN least(r.last, r.first + r.make_up)
            ELSE least(r.last, %(week_end)s::date) END AS due_on,
       CASE WHEN r.reason LIKE 'missed%%' THEN r.make_up ELSE 7 END AS allowed_days,
       NULL::bigint AS opportunity_id
  FROM (
    SELECT w.*, CASE
             WHEN w.contact_state = 'at_risk' THEN 'at_risk'
             WHEN w.contact_state = 'missed' THEN 'missed'
             WHEN w.contact_state = 'open' AND %(on)s::date - w.first > (w.last - w.first) / 2 AND w.is_behind
             THEN 'behind' END || CASE WHEN w.monthly THEN '_month' ELSE '_quarter' END AS reason
      FROM (
        SELECT m.*,
               CASE WHEN m.monthly THEN %(month_first)s ELSE %(quarter_first)s END::date AS first,
               CASE WHEN m.monthly THEN %(month_last)s ELSE %(quarter_last)s END::date AS last,
               CASE WHEN m.monthly THEN %(make_up_month)s ELSE %(make_up_quarter)s END AS make_up,
               CASE WHEN m.monthly THEN 2 * (m.phones * m.need_meetings + m.meetings * m.need_phones)
                                        < m.need_phones * m.need_meetings
                    ELSE m.contact_count = 0 END AS is_behind
          FROM (
            SELECT c.id, c.contact_state, c.next_contact_due_on, c.contact_count, c.contact_phones AS phones,
                   c.contact_meetings AS meetings, coalesce(c.money_at_risk, 0) AS stake,
                   c.relation_status = 'signed' AND NOT c.low_disturb AND c.service_tier IN (2, 3) AS monthly,
                   CASE c.service_tier WHEN 3 THEN %(diamond_phones)s ELSE %(platinum_phones)s END AS need_phones,
                   CASE c.service_tier WHEN 3 THEN %(diamond_meetings)s ELSE %(platinum_meetings)s END AS need_meetings
              FROM customers_customer c
             WHERE c.branch_id = %(branch)s AND c.manager_id IS NOT NULL
               AND c.contact_state IN ('at_risk', 'missed', 'open')
          ) m
      ) w
     WHERE w.contact_state = 'missed' OR w.next_contact_due_on <= w.last
  ) r
 WHERE r.reason IS NOT NULL
"""

GOLD_INACTIVE_SQL = """
SELECT coalesce(t.key, 'gold_inactive:' || %(on)s::date || ':' || c.id) AS key, c.id AS customer_id,
       'gold_inactive' AS reason, jsonb_build_object('since', c.data_date - %(idle)s) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, coalesce(t.due_on, %(gold_due)s::date) AS due_on,
       %(gold_allowed)s AS allowed_days, NULL::bigint AS opportunity_id
  FROM customers_customer c
  LEFT JOIN contacts_contacttask t
    ON t.customer_id = c.id AND t.reason = 'gold_inactive' AND t.status = 'open'
 WHERE c.branch_id = %(branch)s AND c.manager_id IS NOT NULL AND c.relation_status = 'signed' AND c.service_tier = 1
   AND c.data_date >= %(on)s::date - 3
   AND (c.last_contact_on IS NULL OR c.last_contact_on < %(on)s::date - %(idle)s)
   AND (t.id IS NOT NULL OR NOT EXISTS (
       SELECT 1 FROM contacts_contacttask r WHERE r.customer_id = c.id AND r.reason = 'gold_inactive'
          AND r.opened_on > %(on)s::date - %(repeat)s))
   AND (SELECT count(*) > %(idle)s AND min(d.demand + d.time_deposit + d.structured)
                                     = max(d.demand + d.time_deposit + d.structured)
          FROM customers_dailyasset d
         WHERE d.customer_id = c.id AND d.data_date BETWEEN c.data_date - %(idle)s AND c.data_date)
"""

MATURITY_SQL = """
SELECT 'event:' || g.reason || ':' || g.matures_on || ':' || g.customer_id AS key, g.customer_id, g.reason,
       jsonb_build_object('product', g.product, 'pieces', g.pieces, 'matures_on', g.matures_on) AS figures,
       g.stake, g.matures_on - %(last_call)s AS due_on, g.lead - %(last_call)s AS allowed_days,
       NULL::bigint AS opportunity_id
  FROM (
    SELECT h.customer_id, p.category || '_due' AS reason, h.matures_on, l.lead, sum(h.amount) AS stake,
           count(*) AS pieces, (array_agg(p.name ORDER BY h.amount DESC))[1] AS product
      FROM customers_holding h
      JOIN customers_product p ON p.id = h.product_id
      JOIN unnest(%(categories)s::text[], %(leads)s::int[]) AS l(category, lead) ON l.category = p.category
      JOIN customers_customer c ON c.id = h.customer_id
     WHERE h.status = 'active' AND h.matures_on BETWEEN %(on)s AND %(on)s::date + l.lead
       AND c.branch_id = %(branch)s AND c.manager_id IS NOT NULL
     GROUP BY h.customer_id, p.category, h.matures_on, l.lead
  ) g
"""

BIRTHDAY_SQL = """
SELECT 'event:birthday:' || b.day || ':' || c.id AS key, c.id AS customer_id, 'birthday' AS reason,
       jsonb_build_object('day', b.day, 'lunar', b.lunar, 'age',
           CASE WHEN NOT b.lunar THEN extract(year FROM b.day)::int - extract(year FROM c.birth_date)::int END) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, b.day AS due_on, %(birthday_lead)s AS allowed_days,
       NULL::bigint AS opportunity_id
  FROM customers_customer c
  JOIN unnest(%(names)s::text[], %(days)s::date[], %(lunar)s::bool[]) AS b(name, day, lunar)
    ON CASE WHEN b.lunar THEN c.lunar_birthday = b.name
            ELSE c.lunar_birthday = '' AND to_char(c.birth_date, 'MM-DD') = b.name END
 WHERE c.branch_id = %(branch)s AND c.manager_id IS NOT NULL AND c.relation_status IN ('signed', 'potential')
"""

OPPORTUNITY_SQL = """
SELECT 'opportunity:' || o.id || ':' || o.due AS key, o.customer_id,
       CASE WHEN o.stage = 'on_hold' THEN 'opportunity_resume' ELSE 'opportunity_due' END AS reason,
       jsonb_build_object('title', o.title, 'action', o.next_action, 'stage', o.stage,
                          'stage_since', o.stage_since, 'amount', o.expected_amount) AS figures,
       round(coalesce(o.expected_amount, 0) * s.probability / 100.0, 2) AS stake, o.due AS due_on, %(opportunity_lead)s AS allowed_days,
       o.id AS opportunity_id
  FROM (
    SELECT p.*, CASE WHEN p.stage = 'on_hold' THEN p.resume_on ELSE p.next_action_on END AS due
      FROM contacts_opportunity p WHERE p.stage NOT IN ('won', 'lost')
  ) o
  JOIN unnest(%(stages)s::text[], %(probabilities)s::int[]) AS s(stage, probability) ON s.stage = o.stage
  JOIN customers_customer c ON c.id = o.customer_id
 WHERE c.branch_id = %(branch)s AND o.due <= %(on)s::date + %(opportunity_lead)s
"""

KINDS = [
    (
        "regime",
        REGIME_SQL,
        ["at_risk_month", "at_risk_quarter", "missed_month", "missed_quarter", "behind_month", "behind_quarter"],
    ),
    ("regime", GOLD_INACTIVE_SQL, ["gold_inactive"]),
    ("event", MATURITY_SQL, ["deposit_due", "wealth_due", "insurance_due"]),
    ("event", BIRTHDAY_SQL, ["birthday"]),
    ("opportunity", OPPORTUNITY_SQL, ["opportunity_due", "opportunity_resume"]),
    *event_sql.statements(),
]
"""Source, statement, and the reasons that the statement owns: those lapse when it no longer finds them."""


def write_found(*, branch_id: int, on: date, reasons: Container[str] | None = None) -> int:
    """Write what each statement finds for a branch on a day, and let lapse what it no longer does; return rows touched.

    Args:
        reasons: look only for what owns one of these; for everything if not given.
    """
    parameters = _parameters(on) | {"branch": branch_id}
    touched = 0
    with connection.cursor() as cursor:
        for source, found, owned in KINDS:
            if reasons is not None and not any(reason in reasons for reason in owned):
                continue
            cursor.execute(WRITE_SQL.format(found=found), parameters | {"source": source, "reasons": owned})
            touched += cursor.fetchone()[0]
    return touched


def _parameters(on: date) -> dict:
    month, quarter, week = regime.month_of(on), regime.quarter_of(on), regime.week_of(on)
    rules = regime.rules_in_force(on)
    gold_due = add_working_days(on, GOLD_WORKING_DAYS)
    friday = week.first + timedelta(days=4)
    days = birthdays(on, on + timedelta(days=BIRTHDAY_LEAD_DAYS))
    return event_sql.parameters(on) | {
        "on": on,
        "month_first": month.first,
        "month_last": month.last,
        "quarter_first": quarter.first,
        "quarter_last": quarter.last,
        "week_end": friday if on <= friday else week.last,
        "make_up_month": MAKE_UP_DAYS["month"],
        "make_up_quarter": MAKE_UP_DAYS["quarter"],
        "diamond_phones": rules.monthly[Tier.DIAMOND][0],
        "diamond_meetings": rules.monthly[Tier.DIAMOND][1],
        "platinum_phones": rules.monthly[Tier.PLATINUM][0],
        "platinum_meetings": rules.monthly[Tier.PLATINUM][1],
        "idle": rules.gold_idle_days,
        "repeat": REPEAT_GOLD_DAYS,
        "gold_due": gold_due,
        "gold_allowed": (gold_due - on).days,
        "last_call": LAST_CALL_DAYS,
        "categories": list(MATURITY_LEAD_DAYS),
        "leads": list(MATURITY_LEAD_DAYS.values()),
        "names": [name for name, _, _ in days],
        "days": [day for _, day, _ in days],
        "lunar": [lunar for _, _, lunar in days],
        "birthday_lead": BIRTHDAY_LEAD_DAYS,
        "opportunity_lead": OPPORTUNITY_LEAD_DAYS,
        "stages": [stage.value for stage in PROBABILITY],
        "probabilities": list(PROBABILITY.values()),
        "cooling": COOLING_DAYS,
    }
