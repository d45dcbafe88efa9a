"""The core banking system's calls over HTTP: token, batches, feeds, errors."""

import json
from datetime import date

import pytest

from customers.identity import sealed_columns
from customers.models import ConsentRecord, Customer, DailyAsset
from staff.models import ApiClient
from tests.factories import AssignmentFactory, BranchFactory, CustomerFactory, LoadFactory

pytestmark = pytest.mark.django_db

SECRET = "core-secret-of-the-test"
SCOPES = "customers:write assets:write assignments:read assignments:write churn:read"


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


def make_client(branch, name="core", scopes=SCOPES):
    return ApiClient.objects.create(
        name=name,
        client_id=name,
        client_secret=SECRET,
        branch=branch,
        client_type=ApiClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=ApiClient.GRANT_CLIENT_CREDENTIALS,
        allowed_scopes=scopes,
    )


class Core:
    """A core banking system with its token."""

    def __init__(self, http, branch, **options):
        self.http = http
        self.client = make_client(branch, **options)
        answer = http.post(
            "/api/v1/oauth/token/",
            {"grant_type": "client_credentials", "client_id": self.client.client_id, "client_secret": SECRET},
        )
        assert answer.status_code == 200, answer.content
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def post(self, path, body, key="k-1", **headers):
        data = body if isinstance(body, str) else json.dumps(body)
        return self.http.post(
            path, data, content_type="application/json", headers=self.headers | {"Idempotency-Key": key} | headers
        )

    def get(self, path):
        return self.http.get(path, headers=self.headers)


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet)


ROW = {"row_id": "r1", "customer_no": "A1", "sequence": 1, "name": "沈雅琴", "branch": "CZ01"}


def batch(*rows, **envelope):
    return {"as_of": "2026-11-24", "rows": list(rows)} | envelope


def test_a_customer_and_its_balances_come_in(core):
    first = core.post("/api/v1/customers:batch", batch(ROW))
    second = core.post(
        "/api/v1/assets:batch",
        batch({"row_id": "r1", "customer_no": "A1", "sequence": 1, "demand": "1200.50"}),
        key="k-2",
    )

    assert first.json() == {
        "counts": {"created": 1, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0},
        "results": [{"row_id": "r1", "status": "created"}],
    }
    assert second.json()["results"] == [{"row_id": "r1", "status": "created"}]
    assert DailyAsset.objects.get().data_date == date(2026, 11, 24)


def test_a_repeated_key_gets_the_stored_answer_and_writes_nothing(core):
    core.post("/api/v1/customers:batch", batch(ROW))
    again = core.post("/api/v1/customers:batch", batch(ROW))

    assert again.json()["results"] == [{"row_id": "r1", "status": "created"}]
    assert again.headers["Idempotency-Replayed"] == "true"

    other = core.post("/api/v1/customers:batch", batch(ROW | {"name": "别人"}))
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert Customer.objects.get().name == "沈雅琴"


def test_an_atomic_batch_with_a_bad_row_writes_nothing(core):
    answer = core.post("/api/v1/customers:batch", batch(ROW, ROW | {"row_id": "r2", "branch": "NO"}, mode="atomic"))

    assert (answer.status_code, answer.json()["code"]) == (422, "batch_refused")
    assert answer.json()["errors"][0]["pointer"] == "/rows/1/branch"
    assert not Customer.objects.exists()


def test_a_partial_batch_takes_the_good_rows_and_names_the_bad(core):
    answer = core.post("/api/v1/customers:batch", batch(ROW | {"row_id": "r0", "age": 5, "customer_no": "A0"}, ROW))

    assert [row["status"] for row in answer.json()["results"]] == ["rejected", "created"]
    assert answer.json()["results"][0]["pointer"] == "/rows/0/age"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ("{", 400, "not_json", ""),
        ('{"as_of": "2026-11-24", "rows": [{"a": "\\u0000"}]}', 400, "nul", "/rows/0/a"),
        ('{"as_of": "2026-11-24", "as_of": "2026-11-25", "rows": []}', 400, "duplicate_key", "/as_of"),
        ({"rows": [ROW]}, 400, "invalid", "/as_of"),
        (batch(), 400, "invalid", "/rows"),
        (batch(ROW, colour="red"), 400, "unknown_field", "/colour"),
        (batch(ROW, as_of="24.11.2026"), 400, "invalid", "/as_of"),
        ([], 400, "invalid", ""),
    ],
)
def test_a_batch_that_cannot_be_read_says_where(core, body, status, code, pointer):
    answer = core.post("/api/v1/customers:batch", body)

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.json()["request_id"]
    assert not Customer.objects.exists()


def test_a_call_without_a_key_a_token_or_a_scope_is_refused(client, core, outlet):
    without_key = client.post("/api/v1/customers:batch", "{}", content_type="application/json", headers=core.headers)
    without_token = client.post("/api/v1/customers:batch", "{}", content_type="application/json")
    reader = Core(client, outlet, name="reader", scopes="churn:read")
    without_scope = reader.post("/api/v1/customers:batch", batch(ROW))

    assert (without_key.status_code, without_key.json()["code"]) == (400, "idempotency_key_missing")
    assert without_token.status_code == 401
    assert (without_scope.status_code, without_scope.json()["code"]) == (403, "scope_missing")


def test_a_wrong_secret_gets_no_token(client, core):
    answer = client.post(
        "/api/v1/oauth/token/",
        {"grant_type": "client_credentials", "client_id": core.client.client_id, "client_secret": "wrong"},
    )

    assert answer.status_code == 401


def test_text_of_an_error_follows_the_language_and_its_code_does_not(core):
    chinese = core.post("/api/v1/customers:batch", batch(ROW | {"branch": "NO"}), **{"Accept-Language": "zh-CN"})
    english = core.post("/api/v1/customers:batch", batch(ROW | {"branch": "NO"}), "k-9", **{"Accept-Language": "en"})

    one, other = chinese.json()["results"][0], english.json()["results"][0]
    assert one["code"] == other["code"] == "unknown_branch"
    assert one["detail"].startswith("第 1 行")
    assert other["detail"].startswith("Row 1")


def test_assignments_come_in_pages_and_stay_within_the_branches(core, outlet):
    own = [AssignmentFactory(customer=CustomerFactory(branch=outlet)) for _ in range(3)]
    AssignmentFactory()  # another outlet's

    first = core.get("/api/v1/assignments/?limit=2").json()
    second = core.get(f"/api/v1/assignments/?limit=2&cursor={first['next_cursor']}").json()

    seen = [row["customer_no"] for row in first["results"] + second["results"]]
    assert seen == [assignment.customer.customer_no for assignment in own]
    assert second["next_cursor"] is None
    assert first["results"][0]["service_tier"] == "gold"


def test_the_number_of_queries_of_a_page_does_not_grow(core, outlet, django_assert_max_num_queries):
    for _ in range(12):
        AssignmentFactory(customer=CustomerFactory(branch=outlet))

    with django_assert_max_num_queries(4):
        core.get("/api/v1/assignments/?limit=10")


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=x", "?tier=abc", "?open=maybe", "?cursor=made-up", "?limit=1&limit=2"]
)
def test_a_query_that_does_not_fit_is_a_400_that_names_the_parameter(core, query):
    answer = core.get(f"/api/v1/assignments/{query}")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith("?")


def test_the_schema_names_every_door_and_its_errors(client):
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"}).content.decode()

    for path in (
        "customers:batch",
        "assets:batch",
        "transactions:batch",
        "assignments/",
        "churn/alerts/",
        "sms:replied",
    ):
        assert f"/api/v1/{path}" in schema
    assert "application/problem+json" in schema
    assert client.get("/api/v1/docs/").status_code == 200


def test_a_proposal_is_read_and_applied(core, outlet):
    member = LoadFactory(staff__branch=outlet).staff
    customer = CustomerFactory(branch=outlet)
    CustomerFactory()

    found = core.get("/api/v1/assignments/proposal/?branch=CZ01").json()
    assert (found["assigned"], found["unassigned"], found["gap"]) == (1, 0, 0)
    assert found["lines"] == [{"customer_no": customer.customer_no, "staff_no": member.staff_no, "reason": "only_room"}]
    lines = [{name: line[name] for name in ("customer_no", "staff_no")} for line in found["lines"]]
    applied = core.post("/api/v1/assignments:apply", {"lines": lines}, key="a-1")
    assert applied.status_code == 200, applied.content
    assert applied.json()["assignments"][0]["staff_no"] == member.staff_no
    again = core.post("/api/v1/assignments:apply", {"lines": lines}, key="a-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    customer.refresh_from_db()
    assert customer.manager == member


def test_a_proposal_may_move_relations_and_is_applied_as_it_stands(core, outlet):
    """The only member is full of one gold customer who could be held by the other, who may hold no diamond."""
    full = LoadFactory(staff__branch=outlet, capacity=60, staff__capacity_factor="0.10").staff
    other = LoadFactory(staff__branch=outlet, diamond_limit=0).staff
    for _each in range(2):
        AssignmentFactory(customer__branch=outlet, staff=full, customer__service_tier=3)
    gold = AssignmentFactory(customer__branch=outlet, staff=full)
    diamond = CustomerFactory(branch=outlet, service_tier=3)

    assert core.get("/api/v1/assignments/proposal/?branch=CZ01").json()["unassigned"] == 1
    found = core.get("/api/v1/assignments/proposal/?branch=CZ01&moving=true").json()
    assert {line["customer_no"]: line["staff_no"] for line in found["lines"]} == {
        gold.customer.customer_no: other.staff_no, diamond.customer_no: full.staff_no,
    }  # fmt: skip
    lines = [{name: line[name] for name in ("customer_no", "staff_no")} for line in found["lines"]]
    applied = core.post("/api/v1/assignments:apply", {"lines": lines}, key="m-1")
    assert applied.status_code == 200, applied.content
    diamond.refresh_from_db()
    assert diamond.manager == full


@pytest.mark.parametrize("branch", ["", "?branch=", "?branch=B9", "?who=x", "?branch=CZ01&moving=1"])
def test_a_proposal_is_of_an_outlet_of_the_client(core, branch):
    assert core.get(f"/api/v1/assignments/proposal/{branch}").status_code in (400, 404)


def test_lines_that_do_not_fit_are_named_and_nothing_is_assigned(core, outlet):
    full = LoadFactory(staff__branch=outlet, gold=200).staff
    free = LoadFactory(staff__branch=outlet).staff
    one, two, stranger = CustomerFactory(branch=outlet), CustomerFactory(branch=outlet), CustomerFactory()

    def apply(*pairs):
        lines = [{"customer_no": customer.customer_no, "staff_no": member.staff_no} for customer, member in pairs]
        return core.post("/api/v1/assignments:apply", {"lines": lines}, key=f"k-{len(lines)}")

    refused = apply((one, free), (two, full))
    assert (refused.status_code, [row["pointer"] for row in refused.json()["errors"]]) == (422, ["/lines/1"])
    unseen = apply((stranger, free))
    assert unseen.json()["errors"][0]["pointer"] == "/lines/0/customer_no"
    assert core.post("/api/v1/assignments:apply", {"lines": []}, key="none").status_code == 400
    assert not Customer.objects.exclude(manager=None).exists()


def test_a_provider_reports_deliveries_and_answers(client, outlet):
    provider = Core(client, outlet, name="sms", scopes="messages:write")
    customer = CustomerFactory(branch=outlet, **sealed_columns(id_no="", mobile="13800138000", address=""))
    said = {"external_id": "r1", "mobile": "+86 138 0013 8000", "text": "TD", "at": "2026-11-25T10:00:00+08:00"}

    assert provider.post("/api/v1/sms:replied", said).json() == {"taken": True}
    again = provider.post("/api/v1/sms:replied", said | {"text": "x"}, "k-2")
    assert again.json() == {"taken": True}
    assert ConsentRecord.objects.filter(customer=customer, purpose="care", granted=False).count() == 1
    assert provider.post("/api/v1/sms:delivered", {"reference": "vip-1", "state": "delivered"}, "k-3").json() == {
        "taken": False
    }
    for number, wrong in enumerate(
        [{}, said | {"at": "2026-11-25T10:00:00"}, said | {"more": 1}, {"reference": 1, "state": "x"}]
    ):
        assert provider.post("/api/v1/sms:replied", wrong, f"w-{number}").status_code == 400
