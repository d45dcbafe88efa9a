"""What the core banking system reads, and writes back: only within its branches, by the verbs of the pages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from churn.models import ChurnAlert, ChurnScore
from contacts.models import ContactLog, Opportunity
from customers.models import ConsentRecord, TierChange
from tests.api.test_core_bank import Core
from tests.factories import AssignmentFactory, BranchFactory, ContactLogFactory, CustomerFactory, OpportunityFactory

pytestmark = pytest.mark.django_db

SCOPES = "customers:read contacts:read contacts:write churn:read churn:write"
ON = date(2026, 11, 24)


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes=SCOPES)


@pytest.fixture
def own(outlet):
    return AssignmentFactory(customer__branch=outlet, customer__customer_no="A1", staff__branch=outlet)


def everything_of(customer, staff) -> None:
    """One row of each kind that is read."""
    TierChange.objects.create(customer=customer, on=ON, kind="up", from_tier=1, to_tier=2, month_avg=Decimal(600_000))
    ConsentRecord.objects.create(customer=customer, purpose="care", channel="sms", granted=True)
    ContactLogFactory(customer=customer, staff=staff)
    OpportunityFactory(customer=customer, owner=staff)
    score = ChurnScore.objects.create(
        customer=customer, data_date=ON, probability=0.7, level=3, money_at_risk=Decimal(90_000)
    )
    ChurnAlert.objects.create(
        customer=customer, score=score, opened_on=ON + timedelta(days=1), level=3, probability=0.7,
        money_at_risk=Decimal(90_000), due_on=ON + timedelta(days=2), sent_on=ON + timedelta(days=1),
    )  # fmt: skip


LISTS = [
    "customers/", "tier-changes/", "consents/", "contacts/", "opportunities/", "churn/alerts/",
    f"churn/scores/?as_of={ON}",
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_each_list_holds_what_lies_within_the_clients_branches_and_nothing_else(core, own, path):
    foreign = AssignmentFactory(customer__customer_no="B1")
    for row in (own, foreign):
        everything_of(row.customer, row.staff)

    answer = core.get(f"/api/v1/{path}")

    assert answer.status_code == 200, answer.content
    assert [row["customer_no"] for row in answer.json()["results"]] == ["A1"]
    sign = "&" if "?" in path else "?"
    if "customers/" not in path:
        assert core.get(f"/api/v1/{path}{sign}customer_no=B1").json()["results"] == []


@pytest.mark.parametrize("path", LISTS)
def test_each_list_goes_on_by_its_cursor(core, own, outlet, path):
    rows = [own, *(AssignmentFactory(customer__branch=outlet, staff__branch=outlet) for _ in range(2))]
    for row in rows:
        everything_of(row.customer, row.staff)
    sign = "&" if "?" in path else "?"

    first = core.get(f"/api/v1/{path}{sign}limit=2").json()
    second = core.get(f"/api/v1/{path}{sign}limit=2&cursor={first['next_cursor']}").json()

    read = [row["customer_no"] for row in first["results"] + second["results"]]
    assert sorted(read) == sorted(row.customer.customer_no for row in rows)
    assert second["next_cursor"] is None


def test_what_has_not_changed_is_answered_by_304(core, own):
    first = core.get("/api/v1/customers/A1/")
    again = core.http.get("/api/v1/customers/A1/", headers=core.headers | {"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    own.customer.aum += 1
    own.customer.save()
    changed = core.http.get("/api/v1/customers/A1/", headers=core.headers | {"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_one_customer_is_read_without_what_the_core_system_keeps_itself(core, own):
    answer = core.get("/api/v1/customers/A1/").json()

    assert answer["staff_no"] == own.staff.staff_no
    assert not {"name", "id_no", "mobile", "address"} & set(answer)
    CustomerFactory(customer_no="B1")
    assert core.get("/api/v1/customers/B1/").status_code == 404


def contact(own, **changes):
    said = {
        "customer_no": "A1", "staff_no": own.staff.staff_no, "channel": "phone", "result": "connected",
        "at": timezone.now().isoformat(), "summary": "存单到期续存",
    }  # fmt: skip
    return said | changes


def test_a_contact_is_logged_for_the_member_who_had_it_and_counts(core, own):
    said = contact(own)
    answer, again = core.post("/api/v1/contacts/", said), core.post("/api/v1/contacts/", said)

    assert answer.status_code == again.status_code == 201, answer.content
    assert again.headers["Idempotency-Replayed"] == "true"
    log = ContactLog.objects.get()
    assert (log.customer, log.staff, log.counts_as) == (own.customer, own.staff, "phone")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"customer_no": "NOBODY"}, 422),
        ({"staff_no": "NOBODY"}, 422),
        ({"channel": "telepathy"}, 400),
        ({"at": "2026-11-24"}, 400),
        ({"at": "2099-01-01T00:00:00+08:00"}, 409),
        ({"at": "0001-01-01T00:00:00-17:35"}, 422),
        ({"what": 1}, 400),
    ],
)
def test_a_contact_that_does_not_fit_writes_nothing(core, own, changes, status):
    assert core.post("/api/v1/contacts/", contact(own, **changes)).status_code == status
    assert not ContactLog.objects.exists()


def test_nobody_logs_for_a_member_who_does_not_serve_the_customer(core, own, outlet):
    stranger = AssignmentFactory(customer__branch=outlet, staff__branch=outlet).staff

    assert core.post("/api/v1/contacts/", contact(own, staff_no=stranger.staff_no)).status_code == 409
    assert not ContactLog.objects.exists()


def test_an_opportunity_is_opened_once(core, own):
    deal = {
        "customer_no": "A1",
        "staff_no": own.staff.staff_no,
        "kind": "upgrade",
        "title": "金卡升白金",
        "expected_amount": "300000.00",
    }

    first = core.post("/api/v1/opportunities/", deal)
    second = core.post("/api/v1/opportunities/", deal, key="k-2")

    assert (first.status_code, second.status_code) == (201, 409), second.content
    assert second.json()["code"] == "already_open"
    made = Opportunity.objects.get()
    assert (made.owner, made.source, made.expected_amount) == (own.staff, "api", 300_000)


def test_an_alert_is_acknowledged_by_who_looks_after_the_customer(core, own, outlet):
    everything_of(own.customer, own.staff)
    alert = ChurnAlert.objects.get()
    url = f"/api/v1/churn/alerts/{alert.pk}:acknowledge"
    stranger = AssignmentFactory(customer__branch=outlet, staff__branch=outlet).staff

    assert core.post(url, {"staff_no": stranger.staff_no}).status_code == 422
    assert core.post(url, {"staff_no": own.staff.staff_no}, key="k-2").json()["status"] == "working"
    foreign = AssignmentFactory()
    everything_of(foreign.customer, foreign.staff)
    other = ChurnAlert.objects.exclude(pk=alert.pk).get()
    assert (
        core.post(
            f"/api/v1/churn/alerts/{other.pk}:acknowledge", {"staff_no": own.staff.staff_no}, key="k-3"
        ).status_code
        == 404
    )


def test_reading_and_writing_need_their_own_scopes(client, outlet, own):
    reader = Core(client, outlet, name="reader", scopes="contacts:read")

    assert reader.get("/api/v1/contacts/").status_code == 200
    assert reader.post("/api/v1/contacts/", contact(own)).status_code == 403
    assert reader.get("/api/v1/customers/").status_code == 403


# --- one at a time ---------------------------------------------------------------------------------------


@pytest.fixture
def writer(client, outlet):
    return Core(client, outlet, name="writer", scopes="customers:read customers:write assets:write")


def put(core, path, **body):
    return core.http.put(f"/api/v1/{path}", body, content_type="application/json", headers=core.headers)


def test_one_customer_is_put_again_without_effect_and_an_older_version_is_refused(writer):
    row = {"sequence": 3, "name": "沈雅琴", "branch": "CZ01"}

    answers = [put(writer, "customers/C9/", **row), put(writer, "customers/C9/", **row)]
    older = put(writer, "customers/C9/", **(row | {"sequence": 2, "name": "沈雅"}))

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (201, "created"),
        (200, "unchanged"),
    ]
    assert (older.status_code, older.json()["code"]) == (409, "older_sequence")
    assert writer.get("/api/v1/customers/C9/").json()["branch"] == "CZ01"


def test_one_balance_is_put_and_a_wrong_one_names_its_field(writer, own):
    day = (timezone.localdate() - timedelta(days=1)).isoformat()

    taken = put(writer, f"customers/A1/assets/{day}/", sequence=1, demand="1200.50")
    wrong = put(writer, f"customers/A1/assets/{day}/", sequence=2, demand="-1.00")

    assert (taken.status_code, taken.json()) == (201, {"status": "created"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/demand"
    assert put(writer, "customers/NOBODY/assets/2026-11-01/", sequence=1).status_code == 422
    assert put(writer, f"customers/A1/assets/{day}/", sequence=3, customer_no="B1").status_code == 400
    assert put(writer, "customers/A1/assets/2026-99-01/", sequence=3).status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_rows_hold_the_fields_asked_for_alone(core, own, path):
    everything_of(own.customer, own.staff)
    sign = "&" if "?" in path else "?"

    rows = core.get(f"/api/v1/{path}{sign}fields=customer_no").json()["results"]
    assert rows == [{"customer_no": "A1"}]

    refused = core.get(f"/api/v1/{path}{sign}fields=customer_no,id_no")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "?fields"


@pytest.mark.parametrize("path", ["jobs/-1/", "nothing/here/"])
def test_an_unknown_address_is_answered_with_its_own_length(core, path):
    answer = core.get(f"/api/v1/{path}")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
