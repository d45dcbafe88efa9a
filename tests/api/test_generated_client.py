"""A client made from the published description alone does a whole day against the running app."""

import importlib
import json
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from churn.models import ChurnAlert, ChurnScore
from customers.models import Customer
from staff import webhooks
from staff.models import WebhookEndpoint
from staff.roles import Role
from tests.api.test_core_bank import SECRET, make_client
from tests.api.test_webhooks import Receiver
from tests.factories import BranchFactory, LoadFactory, StaffFactory
from vipcrm import webhook_events

DESCRIPTION = Path(__file__).resolve().parent.parent.parent / "docs" / "api" / "openapi.json"
DAY = date(2026, 11, 23)
SCOPES = "customers:read customers:write assets:write assignments:write churn:read churn:write"


@pytest.fixture(scope="module")
def core_client(tmp_path_factory):
    """Return the package that openapi-python-client writes, whatever the description holds."""
    folder = tmp_path_factory.mktemp("generated")
    settings = folder / "settings.yaml"
    settings.write_text("content_type_overrides:\n  application/x-ndjson: application/octet-stream\n")
    subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", str(DESCRIPTION), "--meta", "none",
            "--output-path", str(folder / "core_client"), "--config", str(settings), "--fail-on-warning",
        ],
        check=True, capture_output=True, env={"PATH": str(Path(sys.executable).parent)},
    )  # fmt: skip
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"core_client.{name}")
    sys.path.remove(str(folder))


@pytest.mark.django_db(transaction=True)
def test_a_whole_day_from_token_to_verified_webhooks(core_client, live_server, settings):
    settings.DEMO = True
    outlet = BranchFactory(code="CZ01")
    manager = LoadFactory(staff__branch=outlet).staff
    client = make_client(outlet, scopes=SCOPES)
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.got, receiver.answers = [], []
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    _endpoint, secret = webhooks.subscribe(
        client=client, url=f"http://127.0.0.1:{receiver.server_port}/", events=["day.closed", "churn_alert.opened"],
        by=StaffFactory(role=Role.SYS_ADMIN),
    )  # fmt: skip
    WebhookEndpoint.objects.update(seen_until=datetime.now(UTC) - timedelta(minutes=1))

    flow = json.loads(DESCRIPTION.read_text())["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    token = httpx.post(
        live_server.url + flow["tokenUrl"], data={"grant_type": "client_credentials"}, auth=(client.client_id, SECRET)
    ).json()["access_token"]
    api = core_client("client").AuthenticatedClient(base_url=live_server.url, token=token)
    models = core_client("models")

    rows = [{"row_id": "1", "customer_no": "A1", "sequence": 1, "name": "沈雅琴", "branch": "CZ01"}]
    rows[0] |= {"service_tier": "gold", "signed_on": "2025-04-10"}
    body = models.CustomerBatch.from_dict({"as_of": DAY.isoformat(), "rows": rows})
    fed = core_client("api.in_.customers_batch").sync(client=api, body=body, idempotency_key="c-1")
    assert fed.counts.created == 1, fed
    rows = [{"row_id": "1", "customer_no": "A1", "sequence": 1, "demand": "1200.50"}]
    body = models.BalanceBatch.from_dict({"as_of": DAY.isoformat(), "rows": rows})
    assert core_client("api.in_.assets_batch").sync(client=api, body=body, idempotency_key="a-1").counts.created == 1
    lines = core_client("types").File(payload=json.dumps(rows[0] | {"sequence": 2}).encode())
    load = core_client("api.in_.assets_load").sync(client=api, body=lines, as_of=DAY, idempotency_key="l-1")
    assert (load.rows, load.status) == (1, "waiting"), load

    line = {"customer_no": "A1", "staff_no": manager.staff_no}
    apply = models.Apply.from_dict({"lines": [line]})
    given = core_client("api.in_.assignments_apply").sync(client=api, body=apply, idempotency_key="g-1")
    assert [one.staff_no for one in given.assignments] == [manager.staff_no]

    close = core_client("api.in_.days_close")
    wrong = models.Close.from_dict({"rows": 2, "total": "1200.50"})
    differs = close.sync(day=DAY, client=api, body=wrong, idempotency_key="d-1")
    assert differs.code == "day_differs" and [one.detail for one in differs.errors] == ["1", "1200.50"]
    right = models.Close.from_dict({"rows": 1, "total": "1200.50"})
    assert close.sync(day=DAY, client=api, body=right, idempotency_key="d-2").rows == 1

    customer = Customer.objects.get(customer_no="A1")  # what the night would find
    score = ChurnScore.objects.create(customer=customer, data_date=DAY, probability=0.7, level=3, money_at_risk=840)
    ChurnAlert.objects.create(
        customer=customer,
        score=score,
        opened_on=DAY,
        level=3,
        probability=0.7,
        money_at_risk=840,
        due_on=DAY,
        sent_on=DAY,
    )
    alerts = core_client("api.out.churn_alerts_list").sync(client=api).results
    assert [one.customer_no for one in alerts] == ["A1"]
    acknowledge, body = core_client("api.in_.churn_alerts_acknowledge"), models.Acknowledge(staff_no=manager.staff_no)
    assert acknowledge.sync(alerts[0].id, client=api, body=body, idempotency_key="k-1").status == "working"

    api.get_httpx_client().close()
    webhook_events.collect_all()
    webhooks.send_due()
    receiver.shutdown()
    receiver.server_close()
    told = [Webhook(secret).verify(sent.decode(), headers) for headers, sent in receiver.got]
    assert sorted(one["type"] for one in told) == ["churn_alert.opened", "day.closed"]
    assert {"branch": "CZ01", "date": DAY.isoformat()} in [one["data"] for one in told]
