"""Every address × role × (own, colleague's, other branch's): the code that must come back.

The rows are read against the URL resolver, so that a new address without a row fails. A row names who may
do it at all (else 403) and what belongs to a customer is looked for out of sight too (404).
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from churn.models import ChurnAlert, ChurnModelVersion, ChurnScore, LossReview
from customers import named_lists
from customers.feed import FEEDS
from customers.feed_api import ONE
from customers.imports.batch import keep
from customers.imports.reading import Table
from customers.models import (
    AdjustmentRequest,
    Assignment,
    BelowZero,
    Customer,
    CustomerListMember,
    CustomerMerge,
    Product,
    SavedView,
    Segment,
)
from customers.nomination import nominate
from customers.segments.segment import make as make_segment
from staff.models import Branch, OutboxEmail, Staff
from staff.roles import Role
from tests.factories import (
    LONG_AGO,
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    ContactTaskFactory,
    CustomerFactory,
    HeadOfficeFactory,
    JobFactory,
    LoadFactory,
    OpportunityFactory,
    ProductFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db

R = Role
MANAGER, HEAD, PRESIDENT, OFFICE = R.RELATIONSHIP_MANAGER, R.BRANCH_HEAD, R.SUB_BRANCH_PRESIDENT, R.RETAIL_ADMIN
ADVISER, LOBBY, TELLER, AUDITOR = R.WEALTH_ADVISER, R.LOBBY_MANAGER, R.TELLER, R.AUDITOR
ADMIN, SPECIALIST = R.SYS_ADMIN, R.PRODUCT_SPECIALIST

SIGHT = {
    MANAGER: {"own"},
    ADVISER: {"own"},
    LOBBY: {"own"},
    TELLER: {"own"},
    HEAD: {"own", "colleague"},
    PRESIDENT: {"own", "colleague"},
    OFFICE: {"own", "colleague", "other"},
    AUDITOR: {"own", "colleague", "other"},
    ADMIN: set(),
    SPECIALIST: set(),
}
EVERYBODY = set(SIGHT)
VIEW = EVERYBODY - {ADMIN, SPECIALIST}
ASSIGN = {HEAD, PRESIDENT}
TAG = {MANAGER, LOBBY, TELLER, HEAD, PRESIDENT}
MANAGE = {HEAD, PRESIDENT, OFFICE}
REVEAL = {MANAGER, LOBBY, HEAD, PRESIDENT, OFFICE}
EDIT = {MANAGER, LOBBY, HEAD}
LOG = {MANAGER, LOBBY, TELLER, ADVISER, HEAD}
DIAL = {MANAGER, LOBBY, HEAD}
MOVE = {MANAGER, HEAD}
ALERT = {MANAGER, LOBBY, HEAD, PRESIDENT, OFFICE, AUDITOR}
SETTLE = {MANAGER, LOBBY, HEAD, PRESIDENT}
MODEL = {HEAD, PRESIDENT, OFFICE, AUDITOR}
NIGHT = {HEAD, PRESIDENT, OFFICE, ADMIN}

DONE = {200, 204, 302}
ANSWERED = DONE | {400, 409, 422}
"""In sight and allowed: done, or refused in words (another rule, an empty form)."""

POSITIONS = ("own", "colleague", "other")


@dataclass(frozen=True)
class Row:
    """One address: who may use it, whose thing `about` names (in the path, or in the body by `field`), how."""

    who: set
    about: str = ""
    method: str = "get"
    ok: frozenset | set = frozenset({200})
    field: str = ""
    data: tuple = ()


def post(who, about="", ok=ANSWERED, **options):
    return Row(who, about, "post", ok, **options)


API = Row(EVERYBODY, ok={401, 405})
"""Clients with tokens only: a person who is signed in is nobody here."""

ROWS = {
    "": Row(EVERYBODY, ok={302}),
    "healthz": Row(EVERYBODY),
    "readyz": Row(EVERYBODY, ok={200, 503}),
    "language/": post(EVERYBODY, ok=DONE),
    "audit/": Row({AUDITOR}),
    "night/": Row(NIGHT),
    "night/mails/<int:pk>/send-again/": post({ADMIN}, "mail", ok={302, 409, 422}),
    "jobs/": Row(EVERYBODY),
    "jobs/bell/": Row(EVERYBODY),
    "jobs/<int:pk>/": Row(EVERYBODY, "job", ok={404}),  # nobody's but the asker's: tests/staff/test_jobs.py
    "jobs/<int:pk>/stop/": post(EVERYBODY, "job", ok={404}),
    "jobs/<int:pk>/again/": post(EVERYBODY, "job", ok={404}),
    "jobs/<int:pk>/errors/": Row(EVERYBODY, "job", ok={404}),
    "jobs/<int:pk>/result/": Row(EVERYBODY, "job", ok={404}),
    "preferences/": Row(EVERYBODY),
    "preferences/save/": post(EVERYBODY),
    "customers/": Row(VIEW),
    "customers/filters/": Row(VIEW),
    "customers/columns/": post(VIEW),
    "customers/views/": Row(VIEW),
    "customers/views/save/": post(VIEW),
    "customers/views/<int:pk>/update/": post(
        VIEW, "view", ok={404}
    ),  # neither own nor shared: tests/customers/test_views.py
    "customers/views/<int:pk>/delete/": post(VIEW, "view", ok={404}),
    "customers/views/<int:pk>/restore/": post(VIEW, "view", ok={404}),
    "customers/views/<int:pk>/pin/": post(VIEW, "view", ok={404}),
    "customers/bulk/": post(TAG, "customer", field="chosen", data=(("action", "tag"), ("word", "x"))),
    "customers/export/": post({HEAD, PRESIDENT, OFFICE}, "customer", field="chosen"),
    "potential/": Row(VIEW),
    "segments/": Row(VIEW),
    "segments/new/": Row(MANAGE),
    "segments/preview/": post(MANAGE),
    "segments/cross/": Row(VIEW),
    "segments/<int:pk>/": Row(VIEW, "segment"),
    "segments/<int:pk>/edit/": Row(MANAGE, "segment"),
    "segments/<int:pk>/strategy/": Row(MANAGE, "segment"),
    "segments/<int:pk>/retire/": post(MANAGE, "segment"),
    "duplicates/": Row(ASSIGN),
    "duplicates/<int:pk>/<int:other>/": Row(
        ASSIGN, "customer", ok=frozenset({200, 404})
    ),  # the other one is nobody here
    "merges/<int:pk>/undo/": post(ASSIGN, "merge"),
    "imports/": Row(ASSIGN),
    "imports/new/": Row(ASSIGN),
    "imports/template/<slug:kind>.<slug:form>": Row(ASSIGN),
    "imports/<int:pk>/": Row(ASSIGN, "import"),
    "imports/<int:pk>/match/": post(ASSIGN, "import"),
    "imports/<int:pk>/step/": post(ASSIGN, "import", data=(("step", "apply"),)),
    "imports/<int:pk>/report/": Row(ASSIGN, "import"),
    "lists/": Row(VIEW),
    "lists/new/": Row(MANAGE),
    "lists/<int:pk>/": Row(VIEW, "list"),
    "lists/<int:pk>/close/": post(MANAGE, "list"),
    "lists/members/<int:pk>/state/": post(LOG, "list member", data=(("state", "done"),)),
    "customers/<int:pk>/nominate/": Row(TAG - {PRESIDENT}, "customer"),
    "nominations/<int:pk>/withdraw/": post(TAG - {PRESIDENT}, "nomination"),
    "adjustments/": Row(ASSIGN),
    "adjustments/<int:pk>/settle/": post(ASSIGN, "adjustment", data=(("outcome", "refused"),)),
    "search/": Row(VIEW, ok={302}),
    "customers/<int:pk>/": Row(VIEW, "customer"),
    "customers/<int:pk>/facts/": Row(VIEW, "customer"),
    "customers/<int:pk>/reveal/": post(REVEAL, "customer", ok=DONE, data=(("field", "mobile"), ("purpose", "contact"))),
    "customers/<int:pk>/ladder/": Row(VIEW, "customer"),
    "customers/<int:pk>/assets/": Row(VIEW, "customer"),
    "customers/<int:pk>/holdings/": Row(VIEW, "customer"),
    "customers/<int:pk>/suitability/": Row(VIEW, "customer"),
    "customers/<int:pk>/profile/": Row(VIEW, "customer"),
    "customers/<int:pk>/completeness/": Row(VIEW, "customer"),
    "customers/<int:pk>/profile/interests/": post(EDIT, "customer"),
    "customers/<int:pk>/profile/<slug:kind>/<int:row>/end/": post(EDIT, "customer", ok={404}),  # not one of theirs
    "customers/<int:pk>/profile/values/<int:value>/restore/": post(EDIT, "customer", ok={404}),
    "customers/<int:pk>/profile/values/<int:value>/confirm/": post(EDIT, "customer", ok={404}),
    "customers/<int:pk>/profile/<slug:code>/": Row(EDIT, "customer"),
    "customers/<int:pk>/consents/": Row(VIEW, "customer"),
    "customers/<int:pk>/consents/record/": post(EDIT, "customer"),
    "customers/tabs/": Row(VIEW),
    "customers/<int:pk>/coverage/": Row(VIEW, "customer"),
    "customers/<int:pk>/assess/": post(EDIT, "customer"),
    "customers/<int:pk>/advise/": post(EDIT, "customer"),
    "products/": Row(VIEW),
    "products/<int:pk>/": Row(VIEW, "product"),
    "products/<int:pk>/edit/": Row({OFFICE}, "product"),
    "qualifications/": Row({HEAD, OFFICE}),
    "qualifications/<int:pk>/withdraw/": post({HEAD, OFFICE}, ok=ANSWERED | {404}),  # none is there
    "customers/<int:pk>/family/": Row(VIEW, "customer"),
    "customers/<int:pk>/family/<slug:kind>/add/": post(EDIT, "customer", ok=ANSWERED | {404}),  # no such kind
    "customers/<int:pk>/family/<slug:kind>/<int:row>/end/": post(EDIT, "customer", ok=ANSWERED | {404}),
    "customers/<int:pk>/care/": post(EDIT, "customer"),
    "customers/<int:pk>/care/ask/": post({MANAGER, LOBBY}, "customer"),
    "customers/<int:pk>/value/": Row(VIEW, "customer"),
    "value/below-zero/": Row(ASSIGN),
    "value/below-zero/<int:pk>/decide/": post(ASSIGN, "below zero"),
    "customers/<int:pk>/team/": Row(VIEW, "customer"),
    "customers/<int:pk>/history/": Row(VIEW, "customer"),
    "rules/": Row(MODEL),
    "rules/simulate/": post({OFFICE}),
    "rules/save/": post({OFFICE}),
    "rules/<int:pk>/withdraw/": post({OFFICE}, ok=ANSWERED | {404}),  # none lies ahead
    "customers/<int:pk>/feedback/": Row(VIEW, "customer"),
    "customers/<int:pk>/feedback/enter/": post(LOG, "customer"),
    "feedback/": Row(VIEW),
    "feedback/<int:pk>/step/": post(LOG, ok=ANSWERED | {404}),  # none is there: tests/contacts/test_feedback.py
    "morning/": Row(ASSIGN),
    "customers/<int:pk>/visit/": Row(LOG, "customer"),
    "visits/<int:pk>/": Row(VIEW, ok=frozenset({404})),  # none is planned: tests/contacts/test_visits.py
    "visits/<int:pk>/cancel/": post(LOG, ok=ANSWERED | {404}),
    "compliance/escalation/": post({OFFICE}),
    "calendar/": Row(LOG),
    "calendar/address/": post(LOG),
    "calendar/<str:key>.ics": Row(EVERYBODY, ok=frozenset({404})),  # nobody's secret
    "messages/": Row(ASSIGN | {MANAGER}),
    "messages/act/": post(ASSIGN | {MANAGER}),
    "introductions/": Row(VIEW),
    "introductions/<int:pk>/step/": post(LOG, ok=ANSWERED | {404}),  # none is there
    "customers/<int:pk>/introduce/": Row(LOG, "customer"),
    "opportunities/<int:pk>/plan/": Row(MOVE, "opportunity"),
    "opportunities/<int:pk>/helper/": post(MOVE, "opportunity", ok=ANSWERED | {404}),
    "lists/<int:pk>/opportunities/": Row(MANAGE, "list"),
    "messages/batches/": Row(ASSIGN | MANAGE | {MANAGER}),
    "messages/batches/<int:pk>/": Row(ASSIGN | MANAGE | {MANAGER}, ok=ANSWERED | {404}),  # none is there
    "messages/batches/<int:pk>/decide/": post(ASSIGN | MANAGE | {MANAGER}, ok=ANSWERED | {404}),
    "segments/<int:pk>/message/": Row(ASSIGN | {MANAGER}, "segment"),
    "messages/words/": Row(MANAGE),
    "messages/words/<slug:kind>/edit/": post(MANAGE),
    "messages/words/<int:pk>/approve/": post({PRESIDENT, OFFICE}, ok=ANSWERED | {404}),  # none waits
    "api/v1/sms:delivered": API,
    "api/v1/sms:replied": API,
    "compliance/": Row(MODEL | {MANAGER}),
    "compliance/<slug:rule>/<slug:first>/": Row(MODEL | {MANAGER}, ok=frozenset({404})),  # no such rule
    "reports/": Row(VIEW),
    "reports/<int:pk>/attach/": post(LOG, ok=ANSWERED | {404}),
    "reports/files/<int:pk>/": Row(VIEW, ok=frozenset({404})),  # none is there: test_report_files
    "reports/files/<int:pk>/remove/": post(LOG, ok=frozenset({404})),
    "reports/<int:pk>/": Row(VIEW, ok=frozenset({404})),  # none is there: tests/contacts/test_reports.py
    "reports/<int:pk>/write/": post(VIEW, ok=ANSWERED | {404}),
    "reports/<int:pk>/answer/": post(VIEW, ok=ANSWERED | {404}),
    "events/": Row(REVEAL | {TELLER}),
    "events/new/": Row(MANAGE, ok=frozenset({200})),  # for one customer: tests/contacts/test_event_pages.py
    "events/<int:pk>/": Row(REVEAL | {TELLER}, ok=frozenset({404})),  # none is there
    "events/<int:pk>/withdraw/": post(REVEAL | {TELLER}, ok=ANSWERED | {404}),
    "planning/": Row(MODEL),
    "planning/simulate/": post(MODEL),
    "planning/save/": post({OFFICE}),
    "planning/<int:pk>/withdraw/": post({OFFICE}, ok=ANSWERED | {404}),  # none lies ahead
    "planning/month/": Row(MODEL, ok=frozenset({404})),  # of no outlet: tests/contacts/test_feasibility.py
    "assignment/": Row(ASSIGN),
    "assignment/draft/": post(ASSIGN),
    "assignment/history/": Row(ASSIGN),
    "assignment/history/<int:pk>/": Row(
        ASSIGN, ok=frozenset({404})
    ),  # none was applied: tests/customers/test_proposal_record.py
    "assignment/<int:pk>/": Row(ASSIGN, "customer"),
    "handovers/": Row(VIEW),
    "handovers/new/": Row(ASSIGN),
    "handovers/watch/": Row(VIEW),
    "handovers/<int:pk>/": Row(VIEW, ok={404}),  # of those who take part in it: tests/customers/test_handover.py
    "handovers/<int:pk>/write/": post(ASSIGN, ok=ANSWERED | {404}),
    "handovers/<int:pk>/answer/": post(VIEW, ok=ANSWERED | {404}),
    "handovers/<int:pk>/approve/": post(ASSIGN, ok=ANSWERED | {404}),
    "handovers/<int:pk>/cancel/": post(ASSIGN, ok=ANSWERED | {404}),
    "handovers/<int:pk>/reverse/": post(ASSIGN, ok=ANSWERED | {404}),
    "assignment/to-reassign/": Row(ASSIGN),
    "assignment/overrides/": Row(ASSIGN),
    "assignment/overrides/<int:pk>/withdraw/": post(ASSIGN, ok=ANSWERED | {404}),  # none is there
    "assignment/<int:pk>/lock/": post(ASSIGN, "customer"),
    "assignment/<int:pk>/end/": post(ASSIGN, "customer"),
    "assignment/<int:pk>/why-not/<int:member>/": Row(ASSIGN, "customer", ok=frozenset({200, 404})),  # waits for nobody
    "assignment/assign/": post(ASSIGN, "customer", field="customer"),
    "assignment/assign/<int:to>/": post(ASSIGN, "customer", field="customer"),
    "assignment/assign-many/": post(ASSIGN, "customer", field="chosen"),
    "assignment/propose/": post(ASSIGN),
    "assignment/apply/": post(ASSIGN, "customer", field="line"),
    r"assignment/^undo/(?P<rows>\d{1,18}(-\d{1,18})?(,\d{1,18}(-\d{1,18})?)*)/$": post(ASSIGN, "assignment"),
    "today/": Row(LOG),
    "today/later/": post(LOG),
    "today/later/undo/": post(LOG),
    "customers/<int:pk>/snooze/": post(LOG, "customer"),
    "customers/<int:pk>/snooze/undo/": post(LOG, "customer"),
    "tasks/<int:pk>/dismiss/": post(LOG, "task"),
    "tasks/<int:pk>/dismiss/undo/": post(LOG, "task"),
    "customers/<int:pk>/log/": Row(LOG, "customer"),
    "customers/<int:pk>/log/effects/": Row(LOG, "customer", ok={200, 422}),
    "customers/<int:pk>/dial/": post(DIAL, "customer", ok=DONE),
    "contacts/<int:pk>/correct/": Row(LOG, "log", ok=ANSWERED | {404}),  # not there for others than its author
    "contacts/<int:pk>/void/": post(LOG, "log", ok=ANSWERED | {404}),  # not there for others than its author
    "customers/<int:pk>/timeline/": Row(VIEW, "customer"),
    "customers/<int:pk>/note/": post(LOG, "customer"),
    "customers/<int:pk>/opportunities/": Row(VIEW, "customer"),
    "referrals/": Row(EVERYBODY),
    "referrals/<int:pk>/step/": post(EVERYBODY, ok=frozenset({404})),  # only who was asked: test_requests
    "customers/<int:pk>/refer/": Row(LOG, "customer"),
    "specials/": Row(VIEW),
    "specials/<int:pk>/step/": post(VIEW, ok=ANSWERED | {404}),
    "customers/<int:pk>/special/": Row(MOVE, "customer"),
    "clients/": Row({ADMIN}),
    "clients/<int:pk>/webhooks/": Row({ADMIN}, ok=DONE | {404}),
    "clients/webhooks/<int:pk>/step/": post({ADMIN}, ok=DONE | {404}),
    "clients/webhooks/<int:pk>/resend/": post({ADMIN}, ok=DONE | {404}),
    "clients/<int:pk>/step/": post({ADMIN}, ok=ANSWERED | {404}),
    "activities/": Row(VIEW),
    "activities/new/": Row(ASSIGN | {MANAGER}),
    "activities/<int:pk>/": Row(VIEW, ok=frozenset({404})),  # none is there; whose guests are seen: test_activity
    "activities/<int:pk>/plan/": Row(ASSIGN | {MANAGER}, ok=frozenset({404})),
    "activities/<int:pk>/step/": post(ASSIGN | {MANAGER}, ok=ANSWERED | {404}),
    "activities/<int:pk>/invite/": post(ASSIGN | {MANAGER}, ok=ANSWERED | {404}),
    "activities/invitations/<int:pk>/": post(ASSIGN | {MANAGER}, ok=ANSWERED | {404}),
    "opportunities/": Row(VIEW),
    "opportunities/table/": Row(VIEW),
    "opportunities/analysis/": Row(VIEW),
    "opportunities/target/": post(VIEW),
    "opportunities/new/": Row(MOVE),
    "opportunities/drop/": post(MOVE, "opportunity", field="opportunity", data=(("stage", "planned"),)),
    "opportunities/<int:pk>/": Row(VIEW, "opportunity"),
    "opportunities/<int:pk>/move/": post(MOVE, "opportunity"),
    "opportunities/<int:pk>/undo/": post(MOVE, "opportunity"),
    "churn/": Row(ALERT),
    "churn/<int:pk>/settle/": post(SETTLE, "alert"),
    "churn/<int:pk>/follow-up/": post(SETTLE, "alert"),
    "churn/<int:pk>/reopen/": post(SETTLE, "alert"),
    "churn/<int:pk>/judge/": post(SETTLE, "alert"),
    "churn/reviews/": Row(ALERT),
    "churn/reviews/<int:pk>/": Row(SETTLE, "loss review"),
    "churn/customers/<int:pk>/explanation/": Row(ALERT, "customer"),
    "churn/outcomes/": Row(MODEL),
    "churn/outcomes/policy/": post({OFFICE}),
    "churn/customers/<int:pk>/reasons/": Row(ALERT, "customer"),
    "churn/how/": Row(ALERT),
    "churn/model/": Row(MODEL),
    "churn/model/<int:pk>/release/": post({OFFICE}, "model", ok=DONE | {409}),
    "churn/model/<int:pk>/assessments/": post({OFFICE}, "model"),
    "api/v1/oauth/token/": post(EVERYBODY, ok={400, 401}),
    **{f"api/v1/{feed}:{act}": API for feed in FEEDS for act in ("batch", "load")},
    **{f"api/v1/{address}": API for address in ONE.values()},
    "api/v1/jobs/<int:pk>/": API,
    "api/v1/jobs/<int:pk>/errors/": API,
    "api/v1/assignments/": API,
    "api/v1/assignments/proposal/": API,
    "api/v1/assignments:apply": API,
    "api/v1/changes/": API,
    "api/v1/kpis/": API,
    "api/v1/days/<str:day>:close": API,
    "api/v1/churn/alerts/": API,
    "api/v1/churn/alerts/<int:pk>:acknowledge": API,
    "api/v1/churn/scores/": API,
    "api/v1/customers/": API,
    "api/v1/customers/<str:customer_no>/": API,
    "api/v1/tier-changes/": API,
    "api/v1/consents/": API,
    "api/v1/contacts/": API,
    "api/v1/events/": API,
    "api/v1/opportunities/": API,
    "api/v1/schema/": Row(EVERYBODY),
    "api/v1/docs/": Row(EVERYBODY),
    "gallery/": Row(EVERYBODY, ok={200, 404}),
    "mailbox/": Row(EVERYBODY, ok={200, 404}),
    "mailbox/<str:key>/": Row(EVERYBODY, ok={404}),
    "mailbox/<str:key>/html/": Row(EVERYBODY, ok={404}),
}
OPEN = {"healthz", "readyz", "language/", "preferences/save/", "api/v1/oauth/token/", "api/v1/schema/", "api/v1/docs/",
        "calendar/<str:key>.ics"}  # fmt: skip
"""What needs no sign-in, beside the pages of signing in: language and theme of their page; the API asks for tokens,
the file of a calendar for a secret that nobody else knows."""

SHARED = {"mail", "model", "job", "view", "segment", "product"}
"""Things of the whole bank that belong to no customer."""


def routes(resolver=None, prefix=""):
    """Yield (route, name) of every address of the house; those of signing in belong to its package."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith("accounts/"):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern, route)
        else:
            yield route


def test_every_address_has_a_row_and_every_row_an_address():
    assert set(routes()) == set(ROWS)


@dataclass
class Scene:
    """Two outlets under two branches, ten people, and a customer with everything in each position."""

    people: dict
    things: dict
    names: dict


@pytest.fixture
def scene() -> Scene:
    office = HeadOfficeFactory()
    sub, elsewhere = (BranchFactory(parent=office, level=Branch.Level.SUB_BRANCH) for _ in range(2))
    outlet, far = BranchFactory(parent=sub), BranchFactory(parent=elsewhere)
    places = {PRESIDENT: sub, OFFICE: office, AUDITOR: office, ADMIN: office}
    people = {
        role: LoadFactory(staff__role=role, staff__branch=places.get(role, outlet), staff__language="en").staff
        for role in SIGHT
    }
    names = {"own": "甲自己", "colleague": "乙同事", "other": "丙别处"}
    holders = {"own": people[MANAGER], "colleague": None, "other": None}
    things = {}
    for position in POSITIONS:
        branch = far if position == "other" else outlet
        holder = holders[position] or LoadFactory(staff__branch=branch).staff
        things[position] = _everything(branch, holder, names[position], position)
    for role in (ADVISER, LOBBY, TELLER):
        kind = Assignment.Role.ADVISER if role == ADVISER else Assignment.Role.BACKUP
        Assignment.objects.create(
            customer=things["own"]["customer"], staff=people[role], start=date(2026, 1, 1), role=kind
        )
    return Scene(people, things, names)


def _everything(branch, holder, name, position) -> dict:
    row = AssignmentFactory(
        customer__branch=branch, customer__name=name, customer__mobile="13800006021",
        customer__mobile_masked="138 **** 6021", staff=holder,
    )  # fmt: skip
    customer = row.customer
    return {
        "customer": customer,
        "assignment": row,
        "adjustment": AdjustmentRequest.objects.create(customer=customer, asked_by=holder, reason="x"),
        "nomination": nominate(customer=customer, reason="新开了两间铺面", by=holder),
        "log": ContactLogFactory(customer=customer, staff=holder),
        "below zero": BelowZero.objects.create(customer=customer, proposed_on=date(2026, 11, 1), clv=-1),
        "merge": CustomerMerge.objects.create(
            kept=customer, dropped=CustomerFactory(branch=branch), by=holder, before="{}", after="{}"
        ),
        "import": keep(
            kind="customers", name="x.csv", table=Table(["客户号", "姓名"], [["NEW1", name]], "utf-8-sig"), by=holder
        ),
        "list": (listed := _listed(customer, holder)).customer_list,
        "list member": listed,
        "task": ContactTaskFactory(customer=customer, reason="planned"),
        "opportunity": OpportunityFactory(customer=customer, owner=holder),
        "alert": (alert := _alert(customer)),
        "loss review": LossReview.objects.create(alert=alert, due_on=date(2026, 12, 9)),
    }


def _listed(customer, holder) -> CustomerListMember:
    made, _draft = named_lists.make(
        name="x", purpose="service", task="x", due_on=timezone.localdate(), customers=Customer.objects.filter(pk=customer.pk),
        by=holder, on=timezone.localdate(),
    )  # fmt: skip
    return made.members.get()


def _alert(customer) -> ChurnAlert:
    figures = {"level": 3, "probability": 0.6, "money_at_risk": Decimal(120_000)}
    score = ChurnScore.objects.create(customer=customer, data_date=date(2026, 11, 24), **figures)
    days = {"opened_on": date(2026, 11, 25), "due_on": date(2026, 11, 28)}
    return ChurnAlert.objects.create(customer=customer, score=score, **days, **figures)


BESIDE = {"member": 1, "kind": "hobby", "row": 1, "value": 1, "other": 1, "code": "temperament"}
"""What stands in an address beside the customer."""


def ask(client, route, row, thing, people):
    """Send the request of a row about one thing and take back what it changed."""
    pk = getattr(thing, "pk", 1)
    data = dict(row.data)
    kwargs = {}
    if "<int:pk>" in route:
        kwargs = {"pk": pk} | {name: value for name, value in BESIDE.items() if f":{name}>" in route}
    elif "<int:to>" in route:
        kwargs = {"to": people[MANAGER].pk}
    elif "<str:" in route:
        kwargs = {name: "2026-11-24" if name == "day" else "none" for name in re.findall(r"<str:(\w+)>", route)}
    elif "rows" in route:
        kwargs = {"rows": str(pk)}
    elif "<slug:form>" in route:
        kwargs = {"kind": "customers", "form": "csv"}
    elif "<slug:kind>" in route:
        kwargs = {"kind": "birthday"}
    elif "<slug:rule>" in route:
        kwargs = {"rule": "none", "first": "2026-11-01"}
    if row.field:
        data[row.field] = pk
        data.setdefault("to", people[MANAGER].pk)
        data[f"to-{pk}"] = people[MANAGER].pk
    with transaction.atomic():
        answer = getattr(client, row.method)(reverse(NAMES[route], kwargs=kwargs), data)
        transaction.set_rollback(True)
    return answer


def _names(resolver=None, prefix="", spaces=()):
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            inner = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _names(pattern, route, inner)
        else:
            yield route, ":".join((*spaces, pattern.name))


NAMES = dict(_names())


IN_EVERY_RUN = {HEAD, MANAGER, OFFICE, AUDITOR, ADMIN}
"""One role of each scope; the others, which differ by single permissions, with the long runs."""


@pytest.mark.parametrize(
    "role", [role if role in IN_EVERY_RUN else pytest.param(role, marks=pytest.mark.long) for role in SIGHT]
)
def test_a_role_gets_the_code_of_the_table(client, scene, role):
    wrong = []
    client.force_login(scene.people[role])
    for route, row in ROWS.items():
        for position in POSITIONS if row.about and row.about not in SHARED else ("own",):
            thing = _shared(row.about) if row.about in SHARED else scene.things[position].get(row.about)
            expected = {403} if role not in row.who else row.ok
            if role in row.who and row.about and row.about not in SHARED and position not in SIGHT[role]:
                expected = {404}
            code = ask(client, route, row, thing, scene.people).status_code
            if code not in expected:
                wrong.append((route, position, code, sorted(expected)))
    assert not wrong


def _shared(about):
    """Return a thing of the whole bank, made new: the request before was taken back, this one too."""
    if about == "mail":
        mail = {"to": "a@bank.example", "subject": "x", "text": "x", "message_id": "<x@bank.example>"}
        return OutboxEmail.objects.get_or_create(key="x", status=OutboxEmail.Status.DEAD, defaults=mail)[0]
    if about == "job":
        asker = Staff.objects.filter(staff_no="asker").first() or StaffFactory(staff_no="asker")
        return JobFactory(asked_by=asker)
    if about == "product":
        return Product.objects.first() or ProductFactory()
    if about == "segment":
        head = Staff.objects.filter(role=HEAD).first()
        return Segment.objects.first() or make_segment(
            name="x", purpose="", rule={"field": "aum", "op": "from", "value": "1"}, by=head, on=timezone.localdate()
        )
    if about == "view":
        owner = Staff.objects.filter(staff_no="asker").first() or StaffFactory(staff_no="asker")
        return SavedView.objects.get_or_create(owner=owner, name="x")[0]
    trained = {"algorithm": "logistic", "trained_at": timezone.now(), "data_from": LONG_AGO, "data_to": LONG_AGO}
    values = trained | {"parameters": {}, "sha256": "", "backtest": {}}
    return ChurnModelVersion.objects.get_or_create(name="x", defaults=values)[0]


@pytest.mark.parametrize("role", SIGHT)
def test_no_page_names_a_customer_out_of_sight(client, scene, role):
    client.force_login(scene.people[role])
    hidden = [scene.names[position] for position in POSITIONS if position not in SIGHT[role]]
    for route, row in ROWS.items():
        if row.method == "get" and not row.about and role in row.who:
            page = ask(client, route, row, None, scene.people).content.decode()
            assert not [name for name in hidden if name in page], route


@pytest.mark.parametrize("role", SIGHT)
def test_no_filter_search_or_order_reaches_out_of_sight(client, scene, role):
    person = scene.people[role]
    client.force_login(person)
    if role not in VIEW:
        pytest.skip("sees no customer at all")
    for position in set(POSITIONS) - SIGHT[role]:
        customer = scene.things[position]["customer"]
        name, number = scene.names[position], customer.customer_no
        for query in (f"q={name}", f"q={number}", f"manager={customer.manager_id}", f"branch={customer.branch_id}",
                      f"after=999999999999,{customer.pk + 1}", f"sort=-aum&after=1,{customer.pk}"):  # fmt: skip
            listed = client.get(f"/customers/?{query}").content.decode()
            assert f"/customers/{customer.pk}/" not in listed
        found = client.get(f"/search/?q={number}", headers={"HX-Request": "true"}).content.decode()
        assert f"/customers/{customer.pk}/" not in found


def test_nobody_gets_in_without_signing_in(scene):
    for route, row in ROWS.items():
        answer = ask(Client(), route, row, scene.things["own"].get(row.about), scene.people)

        if route in OPEN:
            assert answer.status_code in row.ok | {302}, route
        elif route.startswith("api/"):
            assert answer.status_code in {401, 405}, route
        else:
            assert answer.status_code == 302, route
            assert answer["Location"].startswith("/accounts/login/"), route
