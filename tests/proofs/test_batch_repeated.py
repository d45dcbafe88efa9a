"""Batches over real HTTP, many at once: one key has one effect, and rivals on the same customers end in the newest state."""

import json
import random
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from urllib.parse import urlencode

import pytest
from django.utils.timezone import localdate

from contacts.models import ContactEvent
from customers.models import Customer, DailyAsset, Holding, Product
from staff.models import AuditEvent, IdempotencyRecord
from tests.factories import BranchFactory, HeadOfficeFactory
from tests.proofs.scene import SECRET, core_of, row_of

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16
CALLS = 100
CUSTOMERS = 30


class Core:
    """A core banking system at the other end of a wire."""

    def __init__(self, url: str):
        self.url = url
        core_of(HeadOfficeFactory())
        asked = urlencode({"grant_type": "client_credentials", "client_id": "core", "client_secret": SECRET})
        status, _headers, body = self.call("/api/v1/oauth/token/", asked.encode())
        assert status == 200, body
        self.token = {"Authorization": f"Bearer {body['access_token']}", "Content-Type": "application/json"}

    def call(self, path: str, data: bytes, **headers) -> tuple[int, dict, dict]:
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.load(error)

    def send(self, batch: str, key: str, rows: list[dict], **envelope):
        """Send one batch; return (status, headers, body)."""
        body = {"as_of": localdate().isoformat(), "rows": rows} | envelope
        return self.call(f"/api/v1/{batch}:batch", json.dumps(body).encode(), **self.token, **{"Idempotency-Key": key})


@pytest.fixture
def core(live_server):
    return Core(live_server.url)


def at_once(jobs: list) -> list:
    """Run the jobs from THREADS threads that begin together."""
    gate = Barrier(THREADS)

    def run(mine):
        gate.wait(30)
        return [job() for job in mine]

    with ThreadPoolExecutor(THREADS) as pool:
        return [answer for part in pool.map(run, [jobs[n::THREADS] for n in range(THREADS)]) for answer in part]


def people(outlet, sequence: int = 1) -> list[dict]:
    """Return rows of CUSTOMERS customers whose names say which sequence wrote them."""
    numbers = [f"R{number:04}" for number in range(CUSTOMERS)]
    return [row_of(number, outlet, sequence=sequence, name=f"第{sequence}版{number}") for number in numbers]


def balances(sequence: int, day: str) -> list[dict]:
    return [
        {
            "row_id": f"{n}",
            "customer_no": f"R{n:04}",
            "sequence": sequence,
            "data_date": day,
            "demand": f"{sequence}.25",
        }
        for n in range(CUSTOMERS)
    ]


@pytest.mark.parametrize("batch", ["customers", "assets"])
def test_a_batch_sent_a_hundred_times_at_once_has_one_effect(core, batch):
    outlet = BranchFactory()
    rows = people(outlet)
    if batch == "assets":
        core.send("customers", "before", rows)
        rows = balances(1, localdate().isoformat())
    answers = at_once([lambda: core.send(batch, "the-same-key", rows)] * CALLS)

    kinds = Counter(
        (status, headers.get("Idempotency-Replayed"), body.get("code")) for status, headers, body in answers
    )
    assert kinds.pop((200, None, None)) == 1, "one call did it"
    assert set(kinds) <= {(200, "true", None), (409, None, "key_in_flight")}
    bodies = {json.dumps(body, sort_keys=True) for status, _headers, body in answers if status == 200}
    again, headers, body = core.send(batch, "the-same-key", rows)
    assert (again, headers["Idempotency-Replayed"]) == (200, "true")
    assert bodies == {json.dumps(body, sort_keys=True)}
    assert body["counts"]["created"] == CUSTOMERS
    assert IdempotencyRecord.objects.filter(key="the-same-key").count() == 1
    assert AuditEvent.objects.filter(action="feed.taken").count() == 1 + (batch == "assets")
    assert Customer.objects.count() == CUSTOMERS
    assert DailyAsset.objects.count() == (CUSTOMERS if batch == "assets" else 0)


def test_rival_batches_on_the_same_customers_end_in_the_newest_state(core):
    outlet, rng, today = BranchFactory(), random.Random(7), localdate().isoformat()
    core.send("customers", "first", people(outlet, 0))
    jobs = []
    for sequence in range(1, 25):
        for batch, rows in (("customers", people(outlet, sequence)), ("assets", balances(sequence, today))):
            rng.shuffle(rows)
            rows = rows[: CUSTOMERS // 2] if sequence % 4 else rows  # every fourth, the newest too, is whole
            jobs.append(lambda batch=batch, sequence=sequence, rows=rows: core.send(batch, f"{batch}-{sequence}", rows))
    rng.shuffle(jobs)

    answers = at_once(jobs)

    assert Counter(status for status, _headers, _body in answers) == {200: len(jobs)}
    assert sum(body["counts"]["rejected"] for _status, _headers, body in answers) == 0
    assert {(c.name, c.source_sequence) for c in Customer.objects.all()} == {
        (f"第24版R{number:04}", 24) for number in range(CUSTOMERS)
    }
    assert set(DailyAsset.objects.values_list("demand", "sequence")) == {(24.25, 24)}
    assert DailyAsset.objects.count() == CUSTOMERS


def test_customers_sent_for_two_outlets_at_once_are_made_once(core):
    outlets = [BranchFactory(), BranchFactory()]
    jobs = [
        lambda number=number: core.send("customers", f"new-{number}", people(outlets[number % 2], number + 1))
        for number in range(THREADS)
    ]

    answers = at_once(jobs)

    assert Counter(status for status, _headers, _body in answers) == {200: THREADS}
    assert sum(body["counts"]["created"] for _status, _headers, body in answers) == CUSTOMERS
    assert set(Customer.objects.values_list("source_sequence", flat=True)) == {THREADS}


def test_balances_of_new_months_at_once_make_each_month_once(core):
    core.send("customers", "first", people(BranchFactory()))
    days = [date(2019 + number % 3, 1 + number % 12, 3).isoformat() for number in range(THREADS)]
    jobs = [
        lambda day=day, number=number: core.send("assets", f"month-{number}", balances(1, day))
        for number, day in enumerate(days)
    ]

    answers = at_once(jobs)

    assert Counter(status for status, _headers, _body in answers) == {200: THREADS}
    assert DailyAsset.objects.count() == len(set(days)) * CUSTOMERS


def test_rival_feeds_of_keyed_rows_end_in_the_newest_state(core):
    """Products lock their table, holdings their customers: rivals wait for one another, and the newest version stands."""
    outlet, rng = BranchFactory(), random.Random(11)
    core.send("customers", "first", people(outlet))
    product = {"row_id": "1", "code": "LC-1", "name": "活利丰", "category": "wealth", "ladder_rank": 5}
    assert core.send("products", "p-0", [product | {"sequence": 0}])[2]["counts"]["created"] == 1
    jobs = []
    for sequence in range(1, 17):
        rows = [
            {"row_id": f"{n}", "external_id": f"H{n}", "customer_no": f"R{n:04}", "product": "LC-1", "sequence": sequence,
             "amount": f"{sequence}.25", "opened_on": "2026-01-05"}
            for n in range(CUSTOMERS)
        ]  # fmt: skip
        rng.shuffle(rows)
        jobs.append(lambda sequence=sequence, rows=rows: core.send("holdings", f"h-{sequence}", rows))
        renamed = [product | {"sequence": sequence, "name": f"第{sequence}版"}]
        jobs.append(lambda sequence=sequence, rows=renamed: core.send("products", f"p-{sequence}", rows))
    rng.shuffle(jobs)

    answers = at_once(jobs)

    assert Counter(status for status, _headers, _body in answers) == {200: len(jobs)}
    assert set(Holding.objects.values_list("amount", "sequence")) == {(16.25, 16)}
    assert Holding.objects.count() == CUSTOMERS
    assert Product.objects.get().name == "第16版"


def test_one_event_published_by_many_at_once_stands_once(core):
    product = {"row_id": "1", "code": "LC-1", "name": "活利丰", "category": "wealth", "ladder_rank": 5, "sequence": 1}
    core.send("products", "p-0", [product])
    day = localdate().isoformat()
    said = {"external_id": "EV-1", "kind": "yield_change", "title": "收益率下调", "occurs_on": day, "product": "LC-1"}
    publish = lambda n: core.call(  # noqa: E731 (a job a number)
        "/api/v1/events/", json.dumps(said).encode(), **core.token, **{"Idempotency-Key": f"e-{n}"}
    )
    answers = at_once([lambda n=n: publish(n) for n in range(THREADS)])
    assert Counter(status for status, _headers, _body in answers) == {201: THREADS}
    assert ContactEvent.objects.count() == 1
