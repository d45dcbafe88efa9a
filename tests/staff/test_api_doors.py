"""What every call of the API meets: tokens and scopes, problems, strict bodies, keys, cursors."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from staff import tasks
from staff.api import idempotency, paging
from staff.api.authentication import needs_scope
from staff.api.body import read_json
from staff.api.problem import Problem
from staff.api.token import token
from staff.clients import UnknownScope, create_client
from staff.models import ApiClient, AuditEvent, Branch, IdempotencyRecord
from staff.refusal import Refused
from staff.roles import Scope
from tests.factories import BranchFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@api_view(["POST"])
@permission_classes([needs_scope("customers:write")])
@idempotency.idempotent
def echo(request):
    """Make a branch of the name that is sent, so that an effect can be counted."""
    if "fail" in request.data:
        raise {"refused": Refused("Not today."), "lock": OperationalError("lock"), "defect": RuntimeError("secret")}[
            request.data["fail"]
        ]
    branch = Branch.objects.create(code=request.data["code"], name="新网点", level=Branch.Level.OUTLET)
    return Response({"id": branch.pk, "branch": request.client.branch.code}, status=201)


@api_view(["GET"])
@permission_classes([needs_scope("customers:read")])
def records(request):
    readers = {"status": paging.one_of({"ok": 200, "new": 201}), "since": paging.iso_day}
    query = paging.read_query(request, **readers)
    return Response({"read": {name: str(value) for name, value in query.items()}})


urlpatterns = [
    path("api/v1/oauth/token/", token),
    path("api/v1/echo", echo),
    path("api/v1/records/", records),
]


@pytest.fixture
def branch():
    return BranchFactory(code="001")


@pytest.fixture
def core(branch):
    client, _secret = create_client(
        name="core",
        branch=branch,
        scopes=["customers:write", "customers:read"],
        by=None,
        client_id="core",
        secret="demo-core-secret",
    )
    return client


def ask_token(client, secret="demo-core-secret", **fields):
    basic = b64encode(f"core:{secret}".encode()).decode()
    data = {"grant_type": "client_credentials"} | fields
    return client.post("/api/v1/oauth/token/", data, headers={"Authorization": f"Basic {basic}"})


@pytest.fixture
def bearer(client, core):
    return f"Bearer {ask_token(client).json()['access_token']}"


def post(client, bearer, body, key="k-1", **headers):
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    sent = {"Authorization": bearer, "Idempotency-Key": key} | headers
    return client.post("/api/v1/echo", raw, content_type="application/json", headers=sent)


def problem(response, status, code):
    """Return the body of a problem after checking its form."""
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:vipcrm:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


# --- Tokens and scopes


def test_a_client_gets_a_short_token_for_its_scopes(client, core):
    answer = ask_token(client)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
    assert set(body["scope"].split()) == {"customers:write", "customers:read"}


def test_a_client_gets_no_scope_that_it_was_not_granted(client, core):
    body = problem(ask_token(client, scope="churn:read"), 400, "invalid_scope")
    assert body["error"] == "invalid_scope"


def test_a_wrong_secret_gets_no_token(client, core):
    problem(ask_token(client, secret="wrong"), 401, "invalid_client")


def test_without_a_token_nobody_calls(client):
    response = client.post("/api/v1/echo", "{}", content_type="application/json")
    problem(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic Y29yZTp4", "Bearer"])
def test_a_wrong_token_is_refused(client, header):
    problem(post(client, header, {"code": "X1"}), 401, "invalid_token")


def test_an_expired_token_is_refused(client, bearer):
    from oauth2_provider.models import AccessToken

    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    problem(post(client, bearer, {"code": "X1"}), 401, "invalid_token")


def test_a_token_without_the_scope_is_403(client, core):
    token = ask_token(client, scope="customers:read").json()["access_token"]
    problem(post(client, f"Bearer {token}", {"code": "X1"}), 403, "scope_missing")
    assert not Branch.objects.filter(code="X1").exists()


def test_a_client_sees_its_branch_and_beneath(core, branch):
    assert (core.scope, core.branch_id) == (Scope.BENEATH, branch.pk)


def test_a_client_is_stored_without_its_secret_and_put_on_the_trail(core):
    assert "demo-core-secret" not in core.client_secret
    event = AuditEvent.objects.get()
    assert (event.action, event.object_label) == ("client.created", "core")


def test_the_command_makes_a_client_and_prints_its_secret_once(branch, capsys):
    call_command("api_client", "--name", "feed", "--branch", "001", "--scopes", "customers:write assets:write")
    said = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    client = ApiClient.objects.get(client_id=said["client_id"])
    assert (client.branch, said["scopes"]) == (branch, "assets:write customers:write")
    assert check_password(said["client_secret"], client.client_secret)


def test_the_command_refuses_a_branch_that_does_not_exist(branch):
    with pytest.raises(CommandError, match="no branch 999"):
        call_command("api_client", "--name", "feed", "--branch", "999")


def test_a_scope_that_does_not_exist_is_not_granted(branch):
    with pytest.raises(UnknownScope):
        create_client(name="x", branch=branch, scopes=["everything"], by=None)


# --- Problems


def test_an_address_that_does_not_exist_is_a_problem(client):
    problem(client.get("/api/v1/nothing"), 404, "not_found")


def test_a_method_that_does_not_exist_is_a_problem(client, bearer):
    response = client.delete("/api/v1/echo", headers={"Authorization": bearer})
    problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_only_json_is_read(client, bearer):
    headers = {"Authorization": bearer, "Idempotency-Key": "k"}
    problem(client.post("/api/v1/echo", {"code": "X1"}, headers=headers), 415, "unsupported_media_type")


def test_a_refusal_of_a_rule_is_409_with_its_sentence(client, bearer):
    assert problem(post(client, bearer, {"fail": "refused"}), 409, "refused")["detail"] == "Not today."


def test_a_lock_not_granted_asks_to_try_again(client, bearer):
    response = post(client, bearer, {"fail": "lock"})
    problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"


def test_a_defect_is_500_and_tells_nothing(bearer):
    client = Client(raise_request_exception=False)
    body = problem(post(client, bearer, {"fail": "defect"}), 500, "error")
    assert "secret" not in json.dumps(body)


def test_the_words_follow_accept_language_and_the_code_does_not(client):
    english = client.get("/api/v1/nothing", headers={"Accept-Language": "en"}).json()
    assert (english["title"], english["code"]) == ("Not found", "not_found")


# --- Bodies


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b"{", "not_json", ""),
        (b"", "not_json", ""),
        (b'{"a": 1,}', "not_json", ""),
        (b'{"a": "\x00"}', "not_json", ""),
        (b"\xff\xfe", "not_utf8", ""),
        (b'{"rows": [{"no": 1, "no": 2}]}', "duplicate_key", "/rows/0/no"),
        (b'{"a/b": {"x": 1, "x": 1}}', "duplicate_key", "/a~1b/x"),
        (rb'{"rows": ["ok", "a\u0000b"]}', "nul", "/rows/1"),
        (rb'{"na\u0000me": 1}', "nul", "/na\0me"),
        (rb'{"name": "\ud800"}', "bad_text", "/name"),
        (b'{"n": NaN}', "bad_number", ""),
        (b'{"n": 1e999}', "bad_number", ""),
        (b'{"n": ' + b"9" * 5000 + b"}", "bad_number", ""),
        (b"[" * 100_000, "too_deep", ""),
    ],
)
def test_a_doubtful_body_is_refused_with_the_place(raw, code, pointer):
    with pytest.raises(Problem) as refusal:
        read_json(raw)
    assert refusal.value.status_code == 400
    assert (refusal.value.errors[0]["code"], refusal.value.errors[0]["pointer"]) == (code, pointer)


def test_a_good_body_is_read_as_it_is():
    raw = '{"rows": [{"姓名": "沈雅琴", "aum": "864213.50", "emoji": "\\ud83d\\ude00", "n": 1.5}]}'.encode()
    assert read_json(raw) == {"rows": [{"姓名": "沈雅琴", "aum": "864213.50", "emoji": "😀", "n": 1.5}]}


def test_a_body_over_five_megabytes_is_413(client, bearer):
    problem(post(client, bearer, b'"' + b"x" * (5 * 1024 * 1024) + b'"'), 413, "body_too_large")


# --- Keys


def test_the_same_call_again_gets_the_same_answer_and_has_one_effect(client, bearer):
    first, second = post(client, bearer, {"code": "X1"}), post(client, bearer, {"code": "X1"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert Branch.objects.filter(code="X1").count() == 1


def test_the_same_key_with_another_body_is_422(client, bearer):
    post(client, bearer, {"code": "X1"})
    problem(post(client, bearer, {"code": "X2"}), 422, "key_reused")
    assert not Branch.objects.filter(code="X2").exists()


@pytest.mark.parametrize(("key", "code"), [("", "missing"), ("a" * 129, "invalid"), ("a b", "invalid")])
def test_a_call_without_a_good_key_is_refused(client, bearer, key, code):
    problem(post(client, bearer, {"code": "X1"}, key=key), 400, f"idempotency_key_{code}")
    assert not Branch.objects.filter(code="X1").exists()


def test_a_call_that_failed_may_be_repeated_with_its_key(client, bearer):
    post(client, bearer, {"fail": "refused"})
    assert not IdempotencyRecord.objects.exists()
    assert post(client, bearer, {"code": "X1"}).status_code == 201


def test_keys_of_two_clients_do_not_meet(client, bearer, core):
    post(client, bearer, {"code": "X1"})
    create_client(
        name="other", branch=core.branch, scopes=["customers:write"], by=None, client_id="other", secret="s" * 20
    )
    basic = b64encode(f"other:{'s' * 20}".encode()).decode()
    answer = client.post(
        "/api/v1/oauth/token/", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"}
    )
    other = f"Bearer {answer.json()['access_token']}"
    assert post(client, other, {"code": "X2"}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_call_repeated_many_times_at_once_has_one_effect(client, bearer):
    def call(_turn):
        try:
            return post(Client(), bearer, {"code": "X1"})
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(call, range(40)))

    assert Branch.objects.filter(code="X1").count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = [answer.json() for answer in answers]
    assert len({body["id"] for body in bodies if "id" in body}) == 1
    assert {body["code"] for body in bodies if "code" in body} <= {"key_in_flight"}


def test_old_answers_are_forgotten(client, bearer):
    post(client, bearer, {"code": "X1"})
    post(client, bearer, {"code": "X2"}, key="k-2")
    IdempotencyRecord.objects.filter(key="k-1").update(created_at=timezone.now() - timedelta(days=8))
    assert tasks.forget_answers() == 1
    assert IdempotencyRecord.objects.get().key == "k-2"


# --- Query strings


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("tier=gold", "?tier", "unknown_parameter"),
        ("limit=0", "?limit", "invalid"),
        ("limit=201", "?limit", "invalid"),
        ("limit=abc", "?limit", "invalid"),
        ("limit=٣", "?limit", "invalid"),
        ("status=old", "?status", "invalid"),
        ("since=2026-02-30", "?since", "invalid"),
        ("since=20261125", "?since", "invalid"),
        ("status=ok&status=new", "?status", "repeated_parameter"),
        ("status=%00", "?status", "nul"),
    ],
)
def test_a_query_that_does_not_fit_is_400_and_says_where(client, bearer, query, pointer, code):
    body = problem(client.get(f"/api/v1/records/?{query}", headers={"Authorization": bearer}), 400, "invalid_query")
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [(pointer, code)]


def test_a_good_query_is_read(client, bearer):
    answer = client.get("/api/v1/records/?limit=200&status=new", headers={"Authorization": bearer})
    assert answer.json()["read"] == {"limit": "200", "cursor": "", "status": "201"}
