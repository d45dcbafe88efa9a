"""A small bank fed through the API, people of every role in it, and a walk over every address of the URL resolver."""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone

from churn.models import ChurnAlert, ChurnModelVersion, ChurnScore
from contacts import event, report
from contacts.models import ContactTask
from customers import named_lists
from customers.models import AdjustmentRequest, Assignment, BelowZero, Customer, CustomerMerge
from customers.nomination import nominate
from staff.models import ApiClient, Branch, Staff
from staff.roles import Scope, scope_of
from tests.factories import (
    AssignmentFactory,
    BranchFactory,
    ContactLogFactory,
    ContactTaskFactory,
    CustomerFactory,
    HeadOfficeFactory,
    HoldingFactory,
    LoadFactory,
    OpportunityFactory,
    StaffFactory,
    daily_assets,
    monthly_asset,
)

SECRET = "core-secret-of-the-proof"
SCOPES = "assets:write assignments:read churn:read contacts:write customers:write holdings:write products:write"


def core_of(branch: Branch, name: str = "core") -> ApiClient:
    """Make a core banking system that feeds a branch and all beneath it."""
    return ApiClient.objects.create(
        name=name, client_id=name, client_secret=SECRET, branch=branch, allowed_scopes=SCOPES,
        client_type=ApiClient.CLIENT_CONFIDENTIAL, authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
    )  # fmt: skip


class Api:
    """The API as a client of the whole bank sees it."""

    def __init__(self):
        self.client = core_of(HeadOfficeFactory())
        self.http = Client(raise_request_exception=False)
        answer = self.http.post(
            "/api/v1/oauth/token/",
            {"grant_type": "client_credentials", "client_id": self.client.client_id, "client_secret": SECRET},
        )
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        self.calls = 0

    def get(self, path):
        return self.http.get(path, headers=self.headers)

    def feed(self, *rows: dict, batch: str = "customers"):
        """Send rows; return the answer."""
        self.calls += 1
        body = {"as_of": timezone.localdate().isoformat(), "rows": list(rows)}
        return self.http.post(
            f"/api/v1/{batch}:batch",
            json.dumps(body),
            content_type="application/json",
            headers=self.headers | {"Idempotency-Key": f"call-{self.calls}"},
        )


def row_of(customer_no: str, branch: Branch, **values) -> dict:
    """Return a feed row of a signed gold customer."""
    return {
        "row_id": customer_no, "customer_no": customer_no, "sequence": 1, "branch": branch.code,
        "service_tier": "gold", "signed_on": "2024-05-06", "opened_on": "2020-01-02", "birth_date": "1968-04-12",
        "risk_grade": 3, "risk_assessed_on": "2026-03-01",
    } | values  # fmt: skip


def live_with(customer: Customer, manager: Staff) -> None:
    """Give a customer a past and a present: assets, a holding, a contact, an opportunity, a task, an alert."""
    today = timezone.localdate()
    AssignmentFactory(customer=customer, staff=manager)
    daily_assets(customer, {today - timedelta(days=ago): 900_000 - ago * 1000 for ago in range(1, 40)})
    monthly_asset(customer, today.replace(day=1), 880_000)
    HoldingFactory(customer=customer, matures_on=today + timedelta(days=5))
    log = ContactLogFactory(customer=customer, staff=manager, on=today - timedelta(days=3))
    opportunity = OpportunityFactory(
        customer=customer, owner=manager, next_action_on=today, stage_since=today, last_touched_on=today
    )
    ContactTaskFactory(customer=customer, opened_on=today, due_on=today, reason="at_risk_month", figures={
        "need_phones": 2, "need_meetings": 1, "last": (today + timedelta(days=5)).isoformat(),
    })  # fmt: skip
    score = ChurnScore.objects.create(
        customer=customer, data_date=today - timedelta(days=1), probability=0.8, level=3, money_at_risk=500_000,
    )  # fmt: skip
    alert = ChurnAlert.objects.create(
        customer=customer,
        score=score,
        opened_on=today,
        level=3,
        probability=0.8,
        money_at_risk=500_000,
        due_on=today,
        sent_on=today,
    )
    Customer.objects.filter(pk=customer.pk).update(
        churn_probability=0.8, churn_level=3, money_at_risk=500_000, aum=890_000, data_date=today - timedelta(days=1)
    )
    adjustment = AdjustmentRequest.objects.create(customer=customer, asked_by=manager, reason="moved")
    nomination = nominate(customer=customer, reason="新开了两间铺面", by=manager)
    customer.refresh_from_db()
    made, _draft = named_lists.make(
        name="x", purpose="service", task="x", due_on=today, customers=Customer.objects.filter(pk=customer.pk),
        by=manager, on=today,
    )  # fmt: skip
    told = event.publish(
        kind="life_change", title="x", occurs_on=today, customer=customer, by=manager, branch=customer.branch, on=today
    )
    customer.ids = {
        "event": told.pk, "report": report.begin(log=log, on=today).pk,
        "below zero": BelowZero.objects.create(customer=customer, proposed_on=today, clv=-1).pk,
        "merge": CustomerMerge.objects.create(
            kept=customer, dropped=CustomerFactory(branch=customer.branch), by=manager, before="{}", after="{}"
        ).pk,
        "list": made.pk, "list member": made.members.get().pk,
        "nomination": nomination.pk,
        "adjustment": adjustment.pk, "customer": customer.pk, "log": log.pk, "opportunity": opportunity.pk, "alert": alert.pk, "score": score.pk,
        "task": ContactTask.objects.filter(customer=customer).first().pk,
        "assignment": Assignment.objects.filter(customer=customer).first().pk, "staff": manager.pk,
    }  # fmt: skip


@dataclass
class Scene:
    """One viewer of a role, and three customers: his own, a colleague's in the same outlet, one of another branch."""

    viewer: Staff
    own: Customer
    colleagues: Customer
    elsewhere: Customer

    @property
    def customers(self) -> list[Customer]:
        return [self.own, self.colleagues, self.elsewhere]

    def visible(self) -> list[Customer]:
        """Return those the viewer may see, by his role's scope as domain.md §4 has it, not by `visible_to`."""
        return {
            Scope.ALL: self.customers, Scope.BENEATH: [self.own, self.colleagues], Scope.OWN: [self.own], Scope.NONE: [],
        }[scope_of(self.viewer.role)]  # fmt: skip


def set_scene(role: str, api: Api, rows: list[dict]) -> Scene:
    """Feed three customers (values of `row_of`) and let them live; the viewer is in charge of the first if his role can."""
    outlet, other = BranchFactory(), BranchFactory()
    for row, branch in zip(rows, (outlet, outlet, other), strict=True):
        row["branch"] = branch.code
    answer = api.feed(*rows)
    assert answer.status_code == 200 and answer.json()["counts"]["created"] == len(rows), answer.content
    viewer = StaffFactory(role=role, branch=outlet)
    customers = [Customer.objects.get(customer_no=row["customer_no"]) for row in rows]
    in_charge = viewer if scope_of(role) == Scope.OWN else LoadFactory(staff__branch=outlet).staff
    managers = [in_charge, LoadFactory(staff__branch=outlet).staff, LoadFactory(staff__branch=other).staff]
    for customer, manager in zip(customers, managers, strict=True):
        live_with(customer, manager)
    ChurnModelVersion.objects.create(
        name="2026-10-31", algorithm="logistic", trained_at=timezone.now(), data_from="2024-01-01",
        data_to="2026-10-31", sha256="0" * 64, parameters={"levels": {"medium": 0.2, "high": 0.5}, "drift": {}},
        backtest={"candidates": {}, "folds": [], "calibration": [], "lift": [], "training": {}},
    )  # fmt: skip
    return Scene(viewer, *customers)


def signed_in(staff: Staff) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    return client


# --- Every address ----------------------------------------------------------------------------------

IDS = (
    ("planning/", ""), ("clients/", ""), ("referrals/", ""), ("introductions/", ""), ("specials/", ""), ("activities/", ""), ("events/", "event"), ("reports/files/", ""), ("reports/", "report"), ("messages/", ""), ("visits/", ""), ("feedback/", ""), ("calendar/", ""), ("compliance/", ""), ("assignment/history/", ""), ("customers/views/", ""), ("nominations/", "nomination"), ("imports/", ""), ("products/", ""), ("value/below-zero/", "below zero"), ("duplicates/", "customer"), ("merges/", "merge"), ("segments/", ""), ("lists/members/", "list member"), ("lists/", "list"), ("jobs/", ""), ("qualifications/", ""), ("handovers/", ""), ("adjustments/", "adjustment"), ("customers/", "customer"), ("assignment/assign/", "staff"), ("assignment/undo/", "assignment"), ("assignment/overrides/", ""),
    ("assignment/", "customer"), ("tasks/", "task"), ("contacts/", "log"), ("opportunities/", "opportunity"),
    ("churn/customers/", "customer"), ("churn/model", ""), ("churn/how", ""), ("churn/reviews/", ""), ("churn/outcomes/", ""), ("churn/", "alert"), ("night/", ""),
    ("rules/", ""), ("mailbox/", ""), ("accounts/", ""), ("api/", ""), ("static/", ""),
)  # fmt: skip
"""What an id in an address means, by the address's beginning; the first that fits. "" means no object of a customer."""


def routes(resolver=None, before: str = "") -> list[str]:
    """Return every route of the resolver, as `customers/<int:pk>/`."""
    found = []
    for part in (resolver or get_resolver()).url_patterns:
        here = before + str(part.pattern).lstrip("^").rstrip("$")
        if isinstance(part, URLResolver):
            found += routes(part, here)
        elif isinstance(part, URLPattern):
            found.append(here)
    return found


def addresses(customer: Customer | None) -> list[str]:
    """Return every address that names a thing of this customer; without one, every address that names none.

    A new route with an id that IDS does not know fails here: say what its id means.
    """
    found = []
    for route in routes():
        parts = route.replace("(?P<", "<").split("<")
        if len(parts) == 1:
            if customer is None:
                found.append(f"/{route}")
            continue
        meaning = next((kind for start, kind in IDS if route.startswith(start)), None)
        assert meaning is not None, f"say in IDS what the id in {route} is"
        if (customer is None) == (meaning == ""):
            value = customer.ids[meaning] if customer else 1
            tail = parts[-1].rpartition(")" if "(?P<" in route else ">")[2]
            found.append(f"/{parts[0]}{value}{tail}")
    return found
