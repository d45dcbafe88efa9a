"""Single calls of the API: server time of the whole answer, and queries, for the demo client over the whole bank."""

import json
import statistics
import time
import uuid
from datetime import timedelta


def single(repeat: int) -> dict:
    """Time reads and writes of one thing; each write names another customer, or a new key, and is taken."""
    from django.test import Client
    from django.utils import timezone

    from customers.models import Customer
    from staff.models import ApiClient, Branch
    from vipcrm.demo.bank import CORE_CLIENT, CORE_SECRET

    root = Branch.objects.get(parent=None)
    ApiClient.objects.filter(client_id=CORE_CLIENT).update(branch=root)
    http = Client()
    token = http.post(
        "/api/v1/oauth/token/",
        {"grant_type": "client_credentials", "client_id": CORE_CLIENT, "client_secret": CORE_SECRET},
    ).json()["access_token"]
    held = (
        Customer.objects.filter(manager__isnull=False)
        .exclude(opportunities__kind="win_back")
        .select_related("manager", "branch")
        .order_by("-id")
    )
    people, now = list(held[: repeat + 4]), timezone.now()
    yesterday = timezone.localdate() - timedelta(days=1)
    first, calls = people[0].customer_no, iter(people * 8)

    def put():
        one = next(calls)
        signed = one.signed_on and str(one.signed_on)
        row = {"sequence": one.source_sequence + 1, "name": one.name, "branch": one.branch.code, "signed_on": signed}
        return "PUT", f"customers/{one.customer_no}/?as_of={yesterday}", row

    def log():
        one = next(calls)
        said = {"customer_no": one.customer_no, "staff_no": one.manager.staff_no, "channel": "phone", "result": "connected",
                "at": (now - timedelta(minutes=30)).isoformat(), "summary": "到期安排已沟通", "purpose": "care"}  # fmt: skip
        return "POST", "contacts/", said

    def deal():
        one = next(calls)
        said = {
            "customer_no": one.customer_no,
            "staff_no": one.manager.staff_no,
            "kind": "win_back",
            "title": "存款承接",
        }
        return "POST", "opportunities/", said

    figures = {}
    for label, call in (
        ("read a customer", lambda: ("GET", f"customers/{first}/", None)),
        ("read who looks after him", lambda: ("GET", f"assignments/?customer_no={first}", None)),
        ("read a page of open alerts", lambda: ("GET", "churn/alerts/?status=open&limit=50", None)),
        ("read a page of customers", lambda: ("GET", "customers/?limit=50", None)),
        ("read a page of changes", lambda: ("GET", "changes/?limit=50", None)),
        ("put a customer", put),
        ("log a contact", log),
        ("open an opportunity", deal),
    ):
        took, queries = _timed(http, token, call, repeat)
        figures |= {f"API: {label}, ms": took, f"API: {label}, queries": queries}
    return figures


def _timed(http, token: str, call, repeat: int) -> tuple[float, int]:
    """Return the median milliseconds of a call and its number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def ask() -> float:
        method, path, body = call()
        began = time.perf_counter()
        answer = http.generic(
            method, f"/api/v1/{path}", json.dumps(body) if body else "", content_type="application/json",
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex},
        )  # fmt: skip
        took = (time.perf_counter() - began) * 1000
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"{method} {path} answers {answer.status_code}: {answer.content[:300]!r}")
        return took

    for _warming in range(2):
        ask()
    spent = [ask() for _turn in range(repeat)]
    with CaptureQueriesContext(connection) as queries:
        ask()
    return statistics.median(spent), len(queries)
