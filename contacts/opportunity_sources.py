"""Where opportunities come from besides people: rating, bulletins, named lists, and what floors above register (domain.md §9).

Each source finds customers in one statement; each finding has a natural key, so that it opens one opportunity once, however
often the night runs and whatever became of it. Nobody's work is doubled: while one of the kind is open, none is opened.
Whatever nobody has touched until it expires ends by itself.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from contacts.detection import COOLING_DAYS
from contacts.event_catalogue import KINDS
from contacts.models import Opportunity
from contacts.pipeline import first_contact_days
from customers.models import CustomerList, CustomerListMember, TierRule
from customers.working_days import add_working_days
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

RECENT_DAYS = 7
"""How far back a step of the rating is looked for, so that nights that did not run are made good."""


@dataclass(frozen=True)
class Source:
    """One source: `select` gives key, customer_id, title, category, product_id, amount, is_urgent, expires_on.

    It may use %(branch)s, %(on)s, %(since)s (some days before), %(floors)s (of the tiers, rising), %(pitches)s (kinds of bulletins that offer something) and %(until)s, `days` after %(on)s.
    An empty title is the source's own.
    """

    code: str
    kind: str
    title: str
    days: int
    select: str


def _of_rating(kind: str) -> str:
    return f"""
        SELECT '{kind}:' || c.id || ':' || t."on" AS key, c.id AS customer_id, '' AS title, '' AS category, NULL::bigint AS product_id,
               NULL::numeric AS amount, false AS is_urgent, %(until)s::date AS expires_on
          FROM customers_tierchange t JOIN customers_customer c ON c.id = t.customer_id
         WHERE c.branch_id = %(branch)s AND t.kind = '{kind}' AND t."on" BETWEEN %(since)s AND %(on)s"""


def _of_potential(reason: str, condition: str) -> str:
    return f"""
        SELECT '{reason}:' || c.id || ':' || c.potential_since, c.id, '', '', NULL::bigint,
               (SELECT min(f) FROM unnest(%(floors)s::numeric[]) f WHERE f > c.month_avg) - c.month_avg,
               false, %(until)s::date
          FROM customers_customer c
         WHERE c.branch_id = %(branch)s AND '{reason}' = ANY(c.potential_reasons) AND c.potential_since IS NOT NULL
           AND {condition}"""


SOURCES = [
    Source("reached", "sign_up", _("Reached the tier: sign up"), 30,
           _of_potential("reached", "c.relation_status <> 'signed'")),
    Source("reached", "upgrade", _("Reached a higher tier: upgrade"), 30,
           _of_potential("reached", "c.relation_status = 'signed'")),
    Source("near_threshold", "upgrade", _("Near the next tier"), 30,
           _of_potential("near_threshold", "c.relation_status = 'signed'")),
    Source("watch", "retention", _("On watch: assets below the floor"), 30, _of_rating("watch")),
    Source("downgraded", "win_back", _("Downgraded: win the assets back"), 60, _of_rating("down")),
    Source("event", "cross_sell", _("Bulletin"), 14, """
        SELECT 'event:' || e.id || ':' || c.id, c.id, e.title, p.category, p.id, NULL::numeric, false, e.expires_on
          FROM contacts_eventmatch m JOIN contacts_contactevent e ON e.id = m.event_id
          JOIN customers_product p ON p.id = e.product_id JOIN customers_customer c ON c.id = m.customer_id
         WHERE c.branch_id = %(branch)s AND m.skip = '' AND e.withdrawn_at IS NULL AND e.kind = ANY(%(pitches)s)
           AND e.appears_on <= %(on)s AND e.expires_on >= %(on)s"""),
]  # fmt: skip
"""Floors above add theirs when the app starts (churn.apps)."""

WORDS = {
    "manual": pgettext_lazy("opportunity source", "By hand"),
    "api": pgettext_lazy("opportunity source", "Core banking system"),
    "contact": pgettext_lazy("opportunity source", "A contact"),
    "referral": pgettext_lazy("opportunity source", "A colleague"),
    "introduction": pgettext_lazy("opportunity source", "Introduced by a customer"),
    "list": pgettext_lazy("opportunity source", "A named list"),
    "reached": pgettext_lazy("opportunity source", "Rating: reached, not upgraded"),
    "near_threshold": pgettext_lazy("opportunity source", "Rating: near the threshold"),
    "watch": pgettext_lazy("opportunity source", "Rating: on watch"),
    "downgraded": pgettext_lazy("opportunity source", "Rating: downgraded"),
    "event": pgettext_lazy("opportunity source", "A bulletin"),
    "churn_alert": pgettext_lazy("opportunity source", "Early warning"),
}
"""What a source is called, by `Opportunity.source`."""


class ListRefused(Refused):
    """This list opens no opportunities; the message says why."""

    code = "list_refused"


@transaction.atomic
def refresh_branch(*, branch_id: int, on: date) -> int:
    """Open what the sources find for an outlet on a day, and end what expired untouched; return how many of both."""
    done = _end_expired(branch_id=branch_id, on=on)
    floors = sorted(floor for floor in TierRule.objects.floors(on).values() if floor)
    pitches = [kind.code for kind in KINDS.values() if kind.pitches]
    params = {"branch": branch_id, "pitches": pitches, "since": on - timedelta(days=RECENT_DAYS), "floors": floors}
    for source in SOURCES:
        done += _open(source, on=on, params=params | {"until": on + timedelta(days=source.days)})
    return done


@transaction.atomic
def open_from_list(*, customer_list: CustomerList, kind: str, category: str, by: Staff, on: date) -> int:
    """Open an opportunity for each member still to be done of a named list, titled as the list; return how many.

    Members who have one of the kind, whose manager is missing, or who declined lately are passed over.

    Raises:
        ListRefused: the list is closed, or a cross-sale names no category.
    """
    if customer_list.closed_at is not None:
        raise ListRefused(gettext("The list is closed."))
    if (kind == Opportunity.Kind.CROSS_SELL) != bool(category):
        raise ListRefused(gettext("Name a product category for a cross-sale, and for nothing else."))
    source = Source("list", kind, customer_list.name, 0, """
        SELECT 'list:' || m.customer_list_id || ':' || m.customer_id, m.customer_id, '', %(category)s, NULL::bigint, NULL::numeric,
               false, greatest(%(due)s, %(on)s::date + 14)
          FROM customers_customerlistmember m
         WHERE m.customer_list_id = %(list)s AND m.state = %(open)s AND m.customer_id = ANY(%(seen)s)""")  # fmt: skip
    seen = (
        CustomerListMember.objects.visible_to(by).filter(customer_list=customer_list).values_list("customer", flat=True)
    )
    params = {"list": customer_list.pk, "category": category, "due": customer_list.due_on, "seen": list(seen),
              "open": CustomerListMember.State.OPEN}  # fmt: skip
    done = _open(source, on=on, params=params, by=by)
    audit.record("list.opportunities_opened", customer_list, by=by, number=done, kind=kind)
    return done


def _open(source: Source, *, on: date, params: dict, by: Staff | None = None) -> int:
    """Write the opportunities of one source with the first line of their history, in one statement."""
    days = {
        f"{'urgent' if urgent else 'usual'}_{'key' if key else 'other'}": add_working_days(
            on, first_contact_days(source.kind, is_urgent=urgent, is_key=key)
        )
        for urgent in (True, False)
        for key in (True, False)
    }
    with translation.override(settings.LANGUAGE_CODE):  # what is written down is the bank's, not a reader's
        fixed = {"title": str(source.title)[:80], "kind": source.kind, "source": source.code, "on": on,
                 "cooling": COOLING_DAYS, "by": by and by.pk}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(select=source.select), params | days | fixed)
        return cursor.fetchone()[0]


_WRITE = """
WITH found (key, customer_id, title, category, product_id, amount, is_urgent, expires_on) AS ({select}),
made AS (
    INSERT INTO contacts_opportunity
           (source_key, customer_id, kind, title, owner_id, source, category, product_id, stage, stage_since, expected_amount,
            next_action, next_action_on, last_touched_on, lost_reason, expires_on)
    SELECT f.key, f.customer_id, %(kind)s, coalesce(nullif(f.title, ''), %(title)s), c.manager_id, %(source)s, f.category, f.product_id,
           'new', %(on)s, f.amount, '',
           CASE WHEN f.is_urgent AND c.key_customer THEN %(urgent_key)s::date WHEN f.is_urgent THEN %(urgent_other)s
                WHEN c.key_customer THEN %(usual_key)s ELSE %(usual_other)s END,
           %(on)s, '', f.expires_on
      FROM found f JOIN customers_customer c ON c.id = f.customer_id
     WHERE c.manager_id IS NOT NULL AND c.merged_into_id IS NULL AND c.relation_status IN ('signed', 'potential')
       AND NOT EXISTS (
            SELECT FROM contacts_opportunity o
             WHERE o.customer_id = c.id AND o.stage = 'lost' AND o.closed_on > %(on)s::date - %(cooling)s
               AND (o.lost_reason = 'unwilling' OR o.kind = %(kind)s AND o.category = f.category
                                                   AND o.lost_reason IN ('no_need', 'unsuitable')))
        ON CONFLICT DO NOTHING
 RETURNING id
), told AS (
    INSERT INTO contacts_opportunitystagehistory (opportunity_id, from_stage, to_stage, at, by_id, note)
    SELECT id, '', 'new', now(), %(by)s, '' FROM made
)
SELECT count(*) FROM made
"""


def _end_expired(*, branch_id: int, on: date) -> int:
    """End what a source opened and nobody has touched until its day."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"branch": branch_id, "on": on})
        return cursor.fetchone()[0]


_EXPIRE = """
WITH over AS (
    UPDATE contacts_opportunity o SET stage = 'lost', lost_reason = 'lapsed', closed_on = %(on)s, stage_since = %(on)s, updated_at = now()
      FROM customers_customer c
     WHERE c.id = o.customer_id AND c.branch_id = %(branch)s AND o.stage = 'new' AND o.expires_on < %(on)s
 RETURNING o.id
), told AS (
    INSERT INTO contacts_opportunitystagehistory (opportunity_id, from_stage, to_stage, at, note)
    SELECT id, 'new', 'lost', now(), '' FROM over
), tasks AS (
    UPDATE contacts_contacttask t SET status = 'expired', closed_on = %(on)s
      FROM over WHERE t.opportunity_id = over.id AND t.status = 'open'
)
SELECT count(*) FROM over
"""
