"""What a customer is worth to the bank: explicit, potential and growth value, lifetime value, class (domain.md §13).

`lifetime` is the rule for one customer; `value_branch` computes it for an outlet at once at the end of a month. The unit
rates are assumptions that finance sets. Balances are the mean of the month ends of twelve months by kind, loans the last
known balance, card spend the sum of twelve months. There is no fee income in the feed yet, so it counts nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.assets import is_month_end, month_start
from customers.models import BelowZero, Customer, ValueClass
from customers.suitability import VALID_MONTHS
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

MARGINS: Mapping[str, Decimal] = {
    "demand": Decimal("0.0150"),
    "time_deposit": Decimal("0.0060"),
    "structured": Decimal("0.0060"),
    "wealth": Decimal("0.0040"),
    "fund": Decimal("0.0060"),
    "bond": Decimal("0.0020"),
    "gold": Decimal("0.0030"),
    "custody_cash": Decimal("0.0010"),
    "loan": Decimal("0.0180"),
    "card_spend": Decimal("0.0030"),
}
"""What a yuan brings in a year, by kind of balance (card spend: by yuan spent). Insurance and trust bring fees alone."""

CATEGORY_OF: Mapping[str, tuple[str, ...]] = {
    "deposit": ("demand", "time_deposit", "structured", "bond"),
    "wealth": ("wealth",),
    "fund": ("fund",),
    "gold": ("gold",),
    "channel": ("custody_cash",),
    "loan": ("loan",),
    "card": ("card_spend",),
}
"""Which kinds make up the yearly contribution of a category of products."""

GROWTH_LIMIT = Decimal("0.30")
DISCOUNT = Decimal("0.08")
YEARS = 5
FEW = 30
"""An outlet with fewer customers is measured by the distribution of the institution above it."""

TOP_EV, TOP_GROWTH = Decimal("0.80"), Decimal("0.70")
"""The quantiles above which a customer is most valuable, or of the rest most growable."""

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Lifetime:
    """The three sums that make up the lifetime value, yuan."""

    explicit: Decimal
    potential: Decimal
    growth: Decimal

    @property
    def clv(self) -> Decimal:
        return self.explicit + self.potential + self.growth


def retention(p90: Decimal) -> Decimal:
    """Return the yearly probability of staying, from that of leaving within 90 days."""
    return (1 - p90) ** (Decimal(365) / Decimal(90))


def lifetime(*, ev: Decimal, pv: Decimal, g: Decimal, r: Decimal) -> Lifetime:
    """Return the lifetime value over five years.

    Args:
        ev, pv: explicit and potential value, yuan a year.
        g: growth of AUM a year, clipped to ±30 %.
        r: yearly probability of staying, 0–1.
    """
    g = max(-GROWTH_LIMIT, min(GROWTH_LIMIT, g))
    k = r / (1 + DISCOUNT)
    explicit = sum((ev * k**t for t in range(1, YEARS + 1)), Decimal(0))
    potential = sum((pv * k**t for t in range(1, YEARS + 1)), Decimal(0))
    growth = sum((ev * ((1 + g) ** t - 1) * k**t for t in range(1, YEARS + 1)), Decimal(0)) if ev >= 0 else Decimal(0)
    return Lifetime(*(part.quantize(CENT, ROUND_HALF_UP) for part in (explicit, potential, growth)))


def is_value_night(on: date) -> bool:
    """Say whether the night after this business day computes values: the month is over."""
    return is_month_end(on)


@transaction.atomic
def value_branch(*, branch_id: int, on: date) -> int:
    """Compute the value of an outlet's customers as of a day; return how many. Running it again changes nothing.

    Writes the columns of Customer, one ValueMonth each, and proposals for those below zero; a proposal never changes the
    class by itself, and who is above zero again loses the class that was confirmed.
    """
    values = {
        "branch": branch_id, "on": on, "month": month_start(on), "valid_months": VALID_MONTHS, "few": FEW,
        "top_ev": TOP_EV, "top_growth": TOP_GROWTH, "limit": GROWTH_LIMIT, "discount": DISCOUNT,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (_WORTH, _SHELVES, _POTENTIAL, _VALUED, _KEEP, _APPLY, _CLASSES, _OVER, _PROPOSE):
            cursor.execute(statement, values)
        cursor.execute("SELECT count(*) FROM valued")
        (number,) = cursor.fetchone()
        cursor.execute("DROP TABLE worth, shelves, potential_value, valued")
    return number


# --- The branch head's decision --------------------------------------------------------------------


class DecisionRefused(Refused):
    """The proposal was decided before."""

    code = "decision_refused"


@transaction.atomic
def decide(*, proposal: BelowZero, confirmed: bool, by: Staff) -> BelowZero:
    """Confirm that a customer is below zero, or say that he is not: only a confirmed one leaves the marketing effort.

    His tier, service and complaints stay as they are.

    Raises:
        DecisionRefused: it was decided before.
    """
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=proposal.customer_id)
    proposal = BelowZero.objects.get(pk=proposal.pk)
    if proposal.decision != BelowZero.Decision.OPEN:
        raise DecisionRefused(_("This was decided already."))
    proposal.decision = BelowZero.Decision.CONFIRMED if confirmed else BelowZero.Decision.REFUSED
    proposal.decided_by, proposal.decided_at = by, timezone.now()
    proposal.save(update_fields=["decision", "decided_by", "decided_at"])
    if confirmed:
        customer.value_class = ValueClass.BZC
        customer.save(update_fields=["value_class", "updated_at"])
    audit.record("customer.below_zero", customer, by=by, result=proposal.decision, clv=str(proposal.clv))
    return proposal


# --- The SQL of everybody --------------------------------------------------------------------------

_BALANCES = [kind for kind in MARGINS if kind not in ("loan", "card_spend")]

_WORTH = f"""
CREATE TEMP TABLE worth ON COMMIT DROP AS
SELECT c.id, c.service_tier, c.product_marks, c.aum, coalesce(c.churn_probability, 0)::numeric AS p90, c.service_cost,
       CASE WHEN c.risk_assessed_on + make_interval(months => %(valid_months)s) >= %(on)s THEN c.risk_grade END AS grade,
       year.base,
       {", ".join(f"coalesce(year.{kind}, 0) * {MARGINS[kind]} AS {kind}" for kind in _BALANCES)},
       coalesce(d.loan_balance, 0) * {MARGINS["loan"]} AS loan,
       coalesce(spent.amount, 0) * {MARGINS["card_spend"]} AS card_spend
FROM customers_customer c
LEFT JOIN LATERAL (
    SELECT {", ".join(f"avg(m.{kind}) AS {kind}" for kind in _BALANCES)},
           max(m.month_end) FILTER (WHERE m.month = (%(month)s::date - interval '12 months')::date) AS base
    FROM customers_monthlyasset m
    WHERE m.customer_id = c.id AND m.month > %(month)s::date - interval '13 months' AND m.month <= %(month)s
) year ON true
LEFT JOIN LATERAL (
    SELECT d.loan_balance FROM customers_dailyasset d
    WHERE d.customer_id = c.id AND d.data_date = c.data_date LIMIT 1
) d ON true
LEFT JOIN LATERAL (
    SELECT sum(t.amount) AS amount FROM customers_transactionevent t
    WHERE t.customer_id = c.id AND t.kind = 'card_spend' AND t.data_date > %(on)s::date - interval '12 months'
      AND t.data_date <= %(on)s
) spent ON true
WHERE c.branch_id = %(branch)s AND c.relation_status <> 'closed'
"""

_EACH = " UNION ALL ".join(
    f"SELECT '{category}' AS category, {' + '.join(f'worth.{kind}' for kind in kinds)} AS contribution"
    for category, kinds in CATEGORY_OF.items()
)

# Penetration × median contribution of holders, by tier and category.
_SHELVES = f"""
CREATE TEMP TABLE shelves ON COMMIT DROP AS
SELECT service_tier, category,
       round(count(*) FILTER (WHERE held)::numeric / count(*)
             * coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY contribution) FILTER (WHERE held), 0)::numeric, 2)
           AS worth
FROM (
    SELECT worth.service_tier, each.category, each.contribution,
           each.category = ANY(string_to_array(worth.product_marks, ' ')) AS held
    FROM worth CROSS JOIN LATERAL ({_EACH}) each
) all_of_them
GROUP BY service_tier, category
"""

# A category is suitable where its mildest product is; what carries no risk suits everybody.
_POTENTIAL = """
CREATE TEMP TABLE potential_value ON COMMIT DROP AS
WITH mildest AS (
    SELECT category, min(coalesce(risk_level, 0)) AS risk,
           bool_and(category IN ('wealth', 'fund', 'gold', 'private')) AS investment
    FROM customers_product GROUP BY category
)
SELECT worth.id, sum(shelves.worth) AS pv, jsonb_object_agg(shelves.category, shelves.worth) AS parts
FROM worth
JOIN shelves USING (service_tier)
LEFT JOIN mildest USING (category)
WHERE NOT shelves.category = ANY(string_to_array(worth.product_marks, ' ')) AND shelves.worth > 0
  AND (NOT coalesce(mildest.investment, false) OR coalesce(worth.grade, 0) >= mildest.risk AND worth.grade IS NOT NULL)
GROUP BY worth.id
"""

_EV_PARTS = ", ".join(f"'{kind}', round(worth.{kind}, 2)" for kind in MARGINS)
_SUM_OF = " + ".join(f"worth.{kind}" for kind in MARGINS)

_VALUED = f"""
CREATE TEMP TABLE valued ON COMMIT DROP AS
WITH facts AS (
    SELECT worth.id, round({
    _SUM_OF
} - worth.service_cost, 2) AS ev, coalesce(round(coalesce(p.pv, 0) + coalesce(elsewhere.worth, 0), 2), 0) AS pv,
           greatest(-%(limit)s, least(%(limit)s, CASE WHEN worth.base > 0 THEN worth.aum / worth.base - 1 ELSE 0 END)) AS g,
           power(1 - worth.p90, 365.0 / 90) AS r,
           jsonb_build_object({_EV_PARTS}, 'service_cost', -worth.service_cost) AS ev_parts,
           coalesce(p.parts, '{{}}'::jsonb)
               || CASE WHEN elsewhere.worth > 0 THEN jsonb_build_object('elsewhere', round(elsewhere.worth, 2)) ELSE '{{}}'::jsonb END
               AS pv_parts
    FROM worth LEFT JOIN potential_value p USING (id)
    LEFT JOIN LATERAL (
        SELECT sum(amount) * 0.10 * 0.0050 AS worth FROM customers_externalasset x
        WHERE x.customer_id = worth.id AND x.ended_at IS NULL
    ) elsewhere ON true
), k AS (
    SELECT *, r / (1 + %(discount)s) AS k FROM facts
), sums AS (
    SELECT id, ev, pv, g, r, ev_parts, pv_parts,
           round({" + ".join(f"ev * power(k, {t})" for t in range(1, YEARS + 1))}, 2) AS explicit,
           round({" + ".join(f"pv * power(k, {t})" for t in range(1, YEARS + 1))}, 2) AS potential,
           CASE WHEN ev < 0 THEN 0 ELSE round({
    " + ".join(f"ev * (power(1 + g, {t}) - 1) * power(k, {t})" for t in range(1, YEARS + 1))
}, 2) END AS growth
    FROM k
)
SELECT id, ev, pv, growth AS gv, explicit + potential + growth AS clv, potential + growth AS promise,
       jsonb_build_object('ev', ev_parts, 'pv', pv_parts, 'g', round(g, 4), 'r', round(r, 4),
                          'explicit', explicit, 'potential', potential) AS parts
FROM sums
"""

_KEEP = """
INSERT INTO customers_valuemonth AS kept (customer_id, month, ev, pv, gv, clv, parts)
SELECT id, %(month)s, ev, pv, gv, clv, parts FROM valued
ON CONFLICT (customer_id, month) DO UPDATE SET
    ev = excluded.ev, pv = excluded.pv, gv = excluded.gv, clv = excluded.clv, parts = excluded.parts
WHERE (kept.ev, kept.pv, kept.gv, kept.clv, kept.parts)
    IS DISTINCT FROM (excluded.ev, excluded.pv, excluded.gv, excluded.clv, excluded.parts)
"""

_APPLY = """
UPDATE customers_customer c SET ev = v.ev, pv = v.pv, gv = v.gv, clv = v.clv, updated_at = now()
FROM valued v
WHERE v.id = c.id AND (c.ev, c.pv, c.gv, c.clv) IS DISTINCT FROM (v.ev, v.pv, v.gv, v.clv)
"""

# Where the outlet is small, the customers of the institution above it set the marks.
_CLASSES = """
WITH here AS (
    SELECT CASE WHEN (SELECT count(*) FROM valued) < %(few)s THEN coalesce(b.parent_id, b.id) ELSE b.id END AS id
    FROM staff_branch b WHERE b.id = %(branch)s
), crowd AS (
    SELECT c.ev, c.clv - c.ev_sum AS promise
    FROM (SELECT c.ev, c.clv, c.branch_id, c.relation_status,
                 (m.parts->>'explicit')::numeric AS ev_sum
          FROM customers_customer c
          JOIN customers_valuemonth m ON m.customer_id = c.id AND m.month = %(month)s) c
    JOIN staff_branch b ON b.id = c.branch_id
    WHERE b.path LIKE '%%/' || (SELECT id FROM here) || '/%%' AND c.relation_status <> 'closed' AND c.clv >= 0
), high AS (
    SELECT percentile_disc(%(top_ev)s) WITHIN GROUP (ORDER BY ev) AS ev FROM crowd
), marks AS (
    SELECT high.ev, (SELECT percentile_disc(%(top_growth)s) WITHIN GROUP (ORDER BY promise)
                     FROM crowd WHERE crowd.ev <= high.ev) AS promise
    FROM high
), ranked AS (
    SELECT v.id, ntile(5) OVER (ORDER BY v.ev DESC, v.id) AS quintile,
           CASE WHEN v.clv < 0 THEN CASE WHEN c.value_class = 'bzc' THEN 'bzc' ELSE 'general' END
                WHEN v.ev > marks.ev THEN 'mvc'
                WHEN v.promise > marks.promise THEN 'mgc'
                ELSE 'general' END AS class
    FROM valued v JOIN customers_customer c ON c.id = v.id CROSS JOIN marks
)
UPDATE customers_customer c SET value_class = ranked.class, contribution_quintile = ranked.quintile, updated_at = now()
FROM ranked
WHERE ranked.id = c.id
  AND (c.value_class, c.contribution_quintile) IS DISTINCT FROM (ranked.class, ranked.quintile::smallint)
"""

_OVER = """
UPDATE customers_belowzero p SET decision = 'over'
FROM valued v WHERE v.id = p.customer_id AND v.clv >= 0 AND p.decision = ''
"""

# Who was refused is not asked about again within the year.
_PROPOSE = """
INSERT INTO customers_belowzero (customer_id, proposed_on, clv)
SELECT v.id, %(on)s, v.clv FROM valued v JOIN customers_customer c ON c.id = v.id
WHERE v.clv < 0 AND c.value_class <> 'bzc' AND NOT EXISTS (
    SELECT FROM customers_belowzero p WHERE p.customer_id = v.id
      AND (p.decision = '' OR p.decision = 'refused' AND p.decided_at > %(on)s::date - interval '12 months'))
ON CONFLICT DO NOTHING
"""
