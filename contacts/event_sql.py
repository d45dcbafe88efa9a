"""One statement for each kind of event that the system finds by itself; `contacts.detection` writes what they give.

Each gives key, customer_id, reason, figures, stake, due_on, allowed_days, opportunity_id for one outlet and day. What
happened on one day stays found for FRESH_DAYS, what is seen by the month for MONTH_DAYS, so that it neither comes
twice nor lapses before anybody could act.
"""

from datetime import date, timedelta

from contacts import event_catalogue as catalogue
from customers.working_days import add_working_days

MANAGED = "c.branch_id = %(branch)s AND c.manager_id IS NOT NULL AND c.relation_status IN ('signed', 'potential')"

_HEAD = """
SELECT 'event:{code}:' || f.day || ':' || f.customer_id AS key, f.customer_id, '{code}' AS reason, f.figures,
       f.stake, f.due_on, f.allowed AS allowed_days, NULL::bigint AS opportunity_id FROM ({found}) f
"""


def _statement(code: str, found: str) -> str:
    """Wrap a query of customer_id, day, figures, stake, due_on, allowed into what detection takes."""
    return _HEAD.format(code=code, found=found)


_MOVE = f"""
SELECT d.customer_id, d.data_date AS day, d.change,
       jsonb_build_object('day', d.data_date, 'amount', abs(d.change)) AS figures, abs(d.change) AS stake,
       (SELECT z.due FROM unnest(%(fresh_dates)s::date[], %(fresh_due)s::date[]) AS z(day, due) WHERE z.day = d.data_date) AS due_on, 1 AS allowed
  FROM (SELECT a.customer_id, a.data_date, a.total - lag(a.total) OVER w AS change,
               lag(a.data_date) OVER w AS before, c.service_tier, c.month_avg
          FROM customers_customer c
          JOIN customers_dailyasset a ON a.customer_id = c.id AND a.data_date > %(on)s::date - %(fresh)s - 4 AND a.data_date <= %(on)s
         WHERE {MANAGED} WINDOW w AS (PARTITION BY a.customer_id ORDER BY a.data_date)) d
 WHERE d.data_date >= %(on)s::date - %(fresh)s AND d.before = d.data_date - 1 AND {{sign}}
   AND (abs(d.change) >= (%(moves)s::numeric[])[d.service_tier]
        OR abs(d.change) >= greatest(%(least)s, %(share)s * d.month_avg))
"""

_IMPORTANT = (
    """
SELECT i.customer_id, b.day, jsonb_build_object('day', b.day, 'name', i.shown) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, b.day AS due_on, {lead} AS allowed
  FROM ({dates}) i
  JOIN customers_customer c ON c.id = i.customer_id
  JOIN unnest(%(names)s::text[], %(days)s::date[], %(lunar)s::bool[]) AS b(name, day, lunar)
    ON b.name = i.at AND b.lunar = i.lunar AND b.day <= %(on)s::date + {lead}
 WHERE """
    + MANAGED
)

_FAMILY_DATES = """
SELECT customer_id, day AS at, lunar, '' AS shown FROM customers_importantdate
 WHERE ended_at IS NULL AND kind = 'family_birthday'
"""
_ANNIVERSARIES = """
SELECT customer_id, day AS at, lunar, name AS shown FROM customers_importantdate WHERE ended_at IS NULL AND kind <> 'family_birthday'
 UNION ALL
SELECT customer_id, substr(value #>> '{}', 6), false, '' FROM customers_profilevalue
 WHERE ended_at IS NULL AND field = 'wedding_date'
"""

_CHILD = (
    """
SELECT DISTINCT ON (r.customer_id, x.day) r.customer_id, x.day, jsonb_build_object('day', x.day, 'age', x.age) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, x.day AS due_on, {lead} AS allowed
  FROM customers_relation r
  JOIN customers_customer c ON c.id = r.customer_id
  JOIN LATERAL (SELECT y.age, make_date(r.birth_year + y.age, {month}, {month_day}) AS day FROM unnest(ARRAY[{ages}]) AS y(age)) x ON true
 WHERE r.ended_at IS NULL AND r.kind = 'child' AND r.birth_year IS NOT NULL
   AND x.day BETWEEN %(on)s::date AND %(on)s::date + {lead} AND """
    + MANAGED
)

_RETIREMENT = (
    """
SELECT p.customer_id, p.day, jsonb_build_object('day', p.day) AS figures, c.aum AS stake, p.day AS due_on, {lead} AS allowed
  FROM (SELECT customer_id, (value #>> '{{}}')::date AS day FROM customers_profilevalue
         WHERE ended_at IS NULL AND field = 'retirement_date') p
  JOIN customers_customer c ON c.id = p.customer_id
 WHERE p.day BETWEEN %(on)s::date AND %(on)s::date + {lead} AND """
    + MANAGED
)

_IDLE_CASH = f"""
SELECT c.id AS customer_id, %(month_first)s::date AS day, jsonb_build_object('amount', i.least, 'days', %(idle_days)s) AS figures,
       i.least AS stake, %(month_first)s::date + %(month_days)s AS due_on, %(month_days)s AS allowed
  FROM customers_customer c
  JOIN LATERAL (SELECT min(a.demand) AS least, count(*) AS days FROM customers_dailyasset a
                 WHERE a.customer_id = c.id AND a.data_date >= %(month_first)s::date - %(idle_days)s
                   AND a.data_date < %(month_first)s) i ON i.days = %(idle_days)s AND i.least >= %(idle_cash)s
 WHERE %(early)s AND {MANAGED}
"""

_TRANSACTION = (
    """
SELECT t.customer_id, t.data_date AS day, jsonb_build_object('day', t.data_date, 'amount', sum(t.amount)) AS figures,
       sum(t.amount) AS stake, (SELECT z.due FROM unnest(%(fresh_dates)s::date[], %(fresh_due)s::date[]) AS z(day, due) WHERE z.day = t.data_date) AS due_on, 1 AS allowed
  FROM customers_customer c
  JOIN customers_transactionevent t ON t.customer_id = c.id AND t.kind = '{kind}'
   AND t.data_date >= %(on)s::date - %(fresh)s AND t.data_date <= %(on)s
 WHERE """
    + MANAGED
    + """
 GROUP BY t.customer_id, t.data_date HAVING sum(t.amount) >= {floor}
"""
)

_SILENCE = (
    """
SELECT c.id AS customer_id, l.last AS day, jsonb_build_object('day', l.last) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, l.last + {days} + %(month_days)s AS due_on, %(month_days)s AS allowed
  FROM customers_customer c
  JOIN LATERAL (SELECT max(t.data_date) AS last FROM customers_transactionevent t
                 WHERE t.customer_id = c.id {which}) l
    ON l.last BETWEEN %(on)s::date - {days} - %(month_days)s AND %(on)s::date - {days}
 WHERE """
    + MANAGED
)

_CARD = f"""
SELECT i.customer_id, i.day, jsonb_build_object('day', i.day) AS figures, 0 AS stake,
       i.day + %(card_days)s + %(month_days)s AS due_on, %(month_days)s AS allowed
  FROM (SELECT t.customer_id, max(t.data_date) AS day FROM customers_customer c
          JOIN customers_transactionevent t ON t.customer_id = c.id AND t.kind = 'card_issue'
         WHERE {MANAGED} GROUP BY t.customer_id) i
 WHERE i.day BETWEEN %(on)s::date - %(card_days)s - %(month_days)s AND %(on)s::date - %(card_days)s
   AND NOT EXISTS (SELECT 1 FROM customers_transactionevent u WHERE u.customer_id = i.customer_id
                      AND u.kind IN ('card_spend', 'card_cancel') AND u.data_date >= i.day)
"""

_LOAN_DONE = f"""
SELECT d.customer_id, d.data_date AS day, jsonb_build_object('day', d.data_date, 'amount', d.before) AS figures,
       d.before AS stake, (SELECT z.due FROM unnest(%(fresh_dates)s::date[], %(fresh_due)s::date[]) AS z(day, due) WHERE z.day = d.data_date) AS due_on, 1 AS allowed
  FROM (SELECT a.customer_id, a.data_date, a.loan_balance,
               lag(a.loan_balance) OVER (PARTITION BY a.customer_id ORDER BY a.data_date) AS before
          FROM customers_customer c
          JOIN customers_dailyasset a ON a.customer_id = c.id AND a.data_date > %(on)s::date - %(fresh)s - 4 AND a.data_date <= %(on)s
         WHERE {MANAGED}) d
 WHERE d.data_date >= %(on)s::date - %(fresh)s AND d.loan_balance = 0 AND d.before > 0
"""

_RISK = f"""
SELECT c.id AS customer_id, x.day, jsonb_build_object('day', x.day, 'grade', c.risk_grade) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, x.day AS due_on, 30 AS allowed
  FROM customers_customer c
  JOIN LATERAL (SELECT (c.risk_assessed_on + interval '12 months')::date AS day) x
    ON x.day BETWEEN %(on)s::date AND %(on)s::date + 30
 WHERE c.risk_assessed_on IS NOT NULL AND {MANAGED}
"""

_TIER = (
    """
SELECT t.customer_id, t."on" AS day, jsonb_build_object('day', t."on", 'from', t.from_tier, 'to', t.to_tier, 'average', t.month_avg)
       AS figures, t.month_avg AS stake, t."on" + {lasts} AS due_on, {lasts} AS allowed
  FROM customers_tierchange t JOIN customers_customer c ON c.id = t.customer_id
 WHERE t.kind = '{kind}' AND t."on" BETWEEN %(on)s::date - {lasts} AND %(on)s AND """
    + MANAGED
)

_NEAR = f"""
SELECT c.id AS customer_id, %(month_first)s::date AS day, jsonb_build_object('average', c.month_avg) AS figures,
       c.month_avg AS stake, %(month_first)s::date + %(month_days)s AS due_on, %(month_days)s AS allowed
  FROM customers_customer c
 WHERE %(early)s AND 'near_threshold' = ANY(c.potential_reasons) AND {MANAGED}
"""

_SLIDE = f"""
SELECT c.id AS customer_id, %(month_first)s::date AS day,
       jsonb_build_object('share', round((m.third - m.first) / m.third, 4), 'amount', m.third - m.first) AS figures,
       m.third - m.first AS stake, %(month_first)s::date + %(month_days)s AS due_on, %(month_days)s AS allowed
  FROM customers_customer c
  JOIN LATERAL (SELECT max(a.month_avg) FILTER (WHERE a.month = (%(month_first)s::date - interval '1 month')::date) AS first,
                       max(a.month_avg) FILTER (WHERE a.month = (%(month_first)s::date - interval '2 months')::date) AS second,
                       max(a.month_avg) FILTER (WHERE a.month = (%(month_first)s::date - interval '3 months')::date) AS third,
                       max(a.month_avg) FILTER (WHERE a.month = (%(month_first)s::date - interval '4 months')::date) AS fourth
                  FROM customers_monthlyasset a
                 WHERE a.customer_id = c.id AND a.month >= (%(month_first)s::date - interval '4 months')::date) m
    ON m.first < m.second AND m.second < m.third AND m.third < m.fourth AND m.fourth - m.first >= %(slide)s * m.fourth
 WHERE %(early)s AND {MANAGED}
"""

_ENTERED = f"""
SELECT 'event:' || e.kind || ':' || e.id || ':' || m.customer_id AS key, m.customer_id, e.kind AS reason,
       jsonb_build_object('title', e.title, 'day', e.occurs_on) AS figures,
       coalesce(c.money_at_risk, 0) AS stake, greatest(e.occurs_on, e.appears_on) AS due_on,
       greatest(1, e.occurs_on - e.appears_on) AS allowed_days, NULL::bigint AS opportunity_id
  FROM contacts_contactevent e
  JOIN contacts_eventmatch m ON m.event_id = e.id AND m.skip = ''
  JOIN customers_customer c ON c.id = m.customer_id
 WHERE e.withdrawn_at IS NULL AND %(on)s::date BETWEEN e.appears_on AND e.expires_on AND {MANAGED}
"""


def statements() -> list[tuple[str, str, list[str]]]:
    """Return (source, statement, reasons that it owns) of every kind, as `detection.KINDS` has them."""
    lead = {code: kind.lead for code, kind in catalogue.KINDS.items()}
    found = {
        "large_in": _MOVE.format(sign="d.change > 0"),
        "large_out": _MOVE.format(sign="d.change < 0"),
        "family_birthday": _IMPORTANT.format(lead=lead["family_birthday"], dates=_FAMILY_DATES),
        "anniversary": _IMPORTANT.format(lead=lead["anniversary"], dates=_ANNIVERSARIES),
        "child_school": _CHILD.format(lead=lead["child_school"], ages="6", month=8, month_day=31),
        "child_exam": _CHILD.format(lead=lead["child_exam"], ages="15, 18", month=6, month_day=7),
        "retirement": _RETIREMENT.format(lead=lead["retirement"]),
        "idle_cash": _IDLE_CASH,
        "redeem": _TRANSACTION.format(kind="redeem", floor="%(redeem)s"),
        "payroll_in": _TRANSACTION.format(kind="payroll", floor="%(pay)s"),
        "dormant": _SILENCE.format(days="%(dormant)s", which=""),
        "payroll_stop": _SILENCE.format(days="%(pay_stopped)s", which="AND t.kind = 'payroll'"),
        "card_inactive": _CARD,
        "loan_done": _LOAN_DONE,
        "risk_expiring": _RISK,
        "tier_reached": _TIER.format(kind="reached", lasts=10),
        "tier_watch": _TIER.format(kind="watch", lasts=10),
        "tier_down": _TIER.format(kind="down", lasts=10),
        "near_tier": _NEAR,
        "aum_slide": _SLIDE,
    }
    own = [("event", _statement(code, sql), [code]) for code, sql in found.items()]
    return [*own, ("event", _ENTERED, catalogue.ENTERED)]


def parameters(on: date) -> dict:
    """Return the numbers of the catalogue that the statements use, and by when what happened of late asks for a call."""
    fresh = [on - timedelta(days=n) for n in range(catalogue.FRESH_DAYS + 1)]
    return {
        "fresh_dates": fresh,
        "fresh_due": [add_working_days(day, 1) for day in fresh],
        "early": on.day <= catalogue.MONTH_DAYS,
        "fresh": catalogue.FRESH_DAYS,
        "month_days": catalogue.MONTH_DAYS,
        "moves": [catalogue.LARGE_MOVES[tier] for tier in (1, 2, 3)],
        "least": catalogue.LARGE_LEAST,
        "share": catalogue.LARGE_SHARE,
        "redeem": catalogue.REDEEM_FLOOR,
        "pay": catalogue.PAY_FLOOR,
        "idle_cash": catalogue.IDLE_CASH,
        "idle_days": catalogue.IDLE_DAYS,
        "dormant": catalogue.DORMANT_DAYS,
        "pay_stopped": catalogue.PAY_STOPPED_DAYS,
        "card_days": catalogue.CARD_UNUSED_DAYS,
        "slide": catalogue.SLIDE_SHARE,
    }
