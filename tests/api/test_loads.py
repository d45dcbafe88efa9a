"""Loads of any size: laid by as they arrive, taken part by part, resumed, told row by row."""

import json
from datetime import date
from io import BytesIO

import pytest
from django.db import OperationalError

from customers.feed import FEEDS, loading
from customers.models import DailyAsset, FeedPart
from staff import job_work
from staff.models import Job
from tests.api.test_core_bank import Core
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 11, 23)


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="customers:write assets:write")


def balance(number, **said):
    return {"row_id": str(number), "customer_no": f"C{number}", "sequence": 1, "demand": f"{number}.50"} | said


def body(*rows):
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)


def load(core, sent, key="l-1", path="assets:load?as_of=2026-11-23", kind="application/x-ndjson"):
    return core.http.post(
        f"/api/v1/{path}", sent, content_type=kind, headers=core.headers | {"Idempotency-Key": key}
    )  # fmt: skip


def test_lines_are_taken_by_a_worker_and_bad_ones_are_told(core, outlet):
    for number in range(3):
        CustomerFactory(branch=outlet, customer_no=f"C{number}")
    lines = body(
        balance(0), balance(1, demand="-1"), b"{nonsense", balance(2, customer_no="C9"), b'{"row_id":"x","row_id":"y"}',
        balance(2), b"", b"7",
    )  # fmt: skip
    answer = load(core, lines)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["rows"], told["done"], told["status"], told["feed"]) == (7, 0, "waiting", "assets")

    assert job_work.run(job_id=told["id"]) == Job.Status.DONE

    now = core.get(told["href"]).json()
    assert (now["status"], now["done"]) == ("done", 7)
    assert now["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 5}
    errors = [json.loads(line) for line in core.get(told["errors_href"]).getvalue().splitlines()]
    assert [(one["line"], one["field"], one["code"]) for one in errors] == [
        (2, "/demand", "invalid"), (3, "", "not_json"), (4, "/customer_no", "unknown_customer"), (5, "", "duplicate_key"),
        (7, "", "invalid"),
    ]  # fmt: skip
    assert DailyAsset.objects.count() == 2 and not FeedPart.objects.exists()


def test_the_same_load_again_is_one_load(core):
    first = load(core, body(balance(0)))
    again = load(core, body(balance(0)))
    other = load(core, body(balance(1)))

    assert again.json() == first.json() and again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "kind", "key", "status"),
    [
        ("assets:load", "application/x-ndjson", "k", 400),
        ("assets:load?as_of=2026-13-01", "application/x-ndjson", "k", 400),
        ("assets:load?as_of=2026-11-23", "application/json", "k", 415),
        ("assets:load?as_of=2026-11-23", "application/x-ndjson", "", 400),
        ("holdings:load?as_of=2026-11-23", "application/x-ndjson", "k", 403),
    ],
)
def test_a_load_that_cannot_be_taken_is_refused_and_keeps_nothing(core, path, kind, key, status):
    assert load(core, body(balance(0)), key, path, kind).status_code == status
    assert not Job.objects.exists() and not FeedPart.objects.exists()


def test_a_line_without_end_is_refused(core):
    answer = load(core, b"x" * (loading.LINE_BYTES + loading.BLOCK_BYTES))
    assert (answer.status_code, answer.json()["code"]) == (422, "line_too_long")
    assert not Job.objects.exists() and not FeedPart.objects.exists()


@pytest.mark.parametrize("sent", [b"", b"\n \n"])
def test_a_load_without_a_line_is_refused(core, sent):
    assert load(core, sent).json()["code"] == "empty"
    assert not Job.objects.exists()


def test_a_load_that_takes_too_long_to_send_is_refused(core, monkeypatch):
    monkeypatch.setattr(loading, "SECONDS", -1)
    assert load(core, body(balance(0))).json()["code"] == "too_slow"
    assert not Job.objects.exists() and not FeedPart.objects.exists()


def test_lines_of_later_parts_are_named_by_their_place_in_the_load(core, monkeypatch):
    monkeypatch.setattr(loading, "PART_ROWS", 2)
    told = load(core, body(*(balance(number) for number in range(3)), b"{", balance(4, demand="-1"))).json()
    job_work.run(job_id=told["id"])
    errors = [json.loads(line) for line in core.get(told["errors_href"]).getvalue().splitlines()]
    assert [one["line"] for one in errors] == [1, 2, 3, 4, 5]
    assert all(f" {one['line']} " in one["detail"] for one in errors)


def test_a_line_nested_beyond_reason_is_one_bad_line(core, outlet):
    CustomerFactory(branch=outlet, customer_no="C0")
    deep = b'{"row_id":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    told = load(core, body(deep, balance(0))).json()
    assert job_work.run(job_id=told["id"]) == Job.Status.DONE
    assert core.get(told["href"]).json()["counts"]["created"] == 1


def test_what_is_not_utf8_is_refused(core):
    assert load(core, b'{"row_id":"\xff"}').json()["code"] == "not_utf8"
    assert not Job.objects.exists() and not FeedPart.objects.exists()


def test_another_client_sees_neither_a_load_nor_its_errors(core, client, outlet):
    told = load(core, body(balance(0))).json()
    other = Core(client, outlet, scopes="assets:write", name="other")
    assert other.get(told["href"]).status_code == 404
    assert other.get(told["errors_href"]).status_code == 404


def test_what_a_client_sends_is_sealed_while_it_waits(core):
    load(core, body({"mobile": "13800138000"}), path="customers:load?as_of=2026-11-23")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT lines FROM customers_feedpart")
        assert b"13800138000" not in bytes(cursor.fetchone()[0])


def test_a_load_broken_off_goes_on_where_it_was(core, outlet, monkeypatch):
    """The database goes away in the second of three parts; nothing of the first is taken twice, nothing is missing."""
    monkeypatch.setattr(loading, "PART_ROWS", 2)
    for number in range(5):
        CustomerFactory(branch=outlet, customer_no=f"C{number}")
    told = load(core, body(*(balance(number) for number in range(5)))).json()
    take, calls = loading.take_lines, []

    def breaking(lines, **named):
        calls.append(lines)
        if len(calls) == 2:
            raise OperationalError("gone")
        return take(lines, **named)

    monkeypatch.setattr(loading, "take_lines", breaking)
    assert job_work.run(job_id=told["id"]) == Job.Status.WAITING
    assert DailyAsset.objects.count() == 2
    Job.objects.update(not_before="2020-01-01T00:00:00Z")
    assert job_work.run(job_id=told["id"]) == Job.Status.DONE
    assert len(calls) == 4
    now = core.get(told["href"]).json()
    assert (now["done"], now["counts"]["created"], DailyAsset.objects.count()) == (5, 5, 5)


class Slow(BytesIO):
    """Gives few bytes at a time, as a network does."""

    def read(self, size=-1):
        return super().read(min(size, 7))


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_lines_are_cut_alike_however_they_arrive(core, outlet, end):
    rows = [balance(number) for number in range(9)]
    sent = body(*rows) + end
    job, digest = loading.receive(stream=Slow(sent), feed=FEEDS["assets"], as_of=MONDAY, by=core.client)
    other, same = loading.receive(stream=BytesIO(sent), feed=FEEDS["assets"], as_of=MONDAY, by=core.client)
    assert (job.total, digest) == (other.total, same) == (9, loading.digest_of(BytesIO(sent)))
    kept = [[json.loads(line) for line in one.feed_parts.get().lines.splitlines()] for one in (job, other)]
    assert kept == [rows, rows]
