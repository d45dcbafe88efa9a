"""Webhooks against a real server on loopback: what happens is told once, signed, again where nobody answers."""

import json
import threading
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from churn.models import ChurnAlert, ChurnScore
from customers import assignment
from customers.feed.closing import close_day
from customers.models import TierChange
from staff import webhooks
from staff.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from staff.roles import Role
from tests.api.test_core_bank import make_client
from tests.factories import (
    BranchFactory,
    ContactLogFactory,
    CustomerFactory,
    LoadFactory,
    OpportunityFactory,
    StaffFactory,
)
from vipcrm import webhook_events

pytestmark = pytest.mark.django_db
SCOPES = "assignments:read contacts:read customers:read churn:read assets:write"
Status = WebhookDelivery.Status


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        code = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def receiver(settings):
    settings.DEMO = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def admin():
    return StaffFactory(role=Role.SYS_ADMIN, language="en")


def told(outlet, admin, url, *events):
    """Return an endpoint of everything, told of what happens from a minute ago on, and its secret."""
    client = make_client(outlet, scopes=SCOPES)
    endpoint, secret = webhooks.subscribe(client=client, url=url, events=events or list(webhooks.EVENTS), by=admin)
    WebhookEndpoint.objects.update(seen_until=timezone.now() - timedelta(minutes=1))
    return endpoint, secret


def alert_of(customer, **values) -> ChurnAlert:
    on = date(2026, 11, 23)
    score = ChurnScore.objects.create(customer=customer, data_date=on, probability=0.7, level=3, money_at_risk=90_000)
    values = {"sent_on": on} | values
    return ChurnAlert.objects.create(
        customer=customer,
        score=score,
        opened_on=on,
        level=3,
        probability=0.7,
        money_at_risk=90_000,
        due_on=on,
        **values,
    )


def again_now():
    """Let what waits for its next try be due."""
    WebhookDelivery.objects.filter(status=Status.WAITING).update(next_at=timezone.now() - timedelta(seconds=1))


def look():
    """Look for events, and let what is found be due."""
    found = webhook_events.collect_all()
    again_now()
    return found


def test_each_event_is_told_once_signed_and_names_ids_only(outlet, admin, receiver):
    _endpoint, secret = told(outlet, admin, receiver.url)
    member = LoadFactory(staff__branch=outlet).staff
    customer = CustomerFactory(branch=outlet, name="沈雅琴")
    on = date(2026, 11, 23)
    WebhookEndpoint.objects.update(seen_until="2020-01-01T00:00:00Z")
    assignment.assign(customer=customer, to=member, by=StaffFactory(role=Role.BRANCH_HEAD, branch=outlet), on=on)
    ContactLogFactory(customer=customer, staff=member)
    TierChange.objects.create(customer=customer, on=on, kind="up", from_tier=1, to_tier=2, month_avg=1)
    TierChange.objects.create(customer=customer, on=on, kind="watch", from_tier=2, to_tier=2, month_avg=1)
    alert_of(customer)
    OpportunityFactory(customer=customer, owner=member)
    won = OpportunityFactory(
        customer=customer, owner=member, kind="cross_sell", stage="won", closed_on=on, result_amount=9
    )
    close_day(on=on, rows=0, total=0, by=_endpoint.client)
    CustomerFactory()  # somebody of another branch
    ContactLogFactory()

    assert look() == 6
    assert look() == 0
    webhooks.send_due()

    assert WebhookDelivery.objects.filter(status=Status.DELIVERED).count() == 6
    verified = [Webhook(secret).verify(body.decode(), headers) for headers, body in receiver.got]
    assert {one["type"] for one in verified} == set(webhooks.EVENTS) - {"churn_alert.closed", "opportunity.lost"}
    assert next(one for one in verified if one["type"] == "opportunity.won")["data"] == {
        "id": won.pk, "customer_no": customer.customer_no,
    }  # fmt: skip
    assert all(set(one["data"]) <= {"id", "customer_no", "branch", "date"} for one in verified)
    headers, body = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.decode().replace(":", ": ", 1), headers)


def test_an_alert_is_told_when_it_opens_and_when_it_closes_but_never_while_only_watched(outlet, admin, receiver):
    told(outlet, admin, receiver.url, "churn_alert.opened", "churn_alert.closed")
    WebhookEndpoint.objects.update(seen_until="2020-01-01T00:00:00Z")
    alert = alert_of(CustomerFactory(branch=outlet))
    alert_of(CustomerFactory(branch=outlet), status="watched", sent_on=None)
    assert look() == 1
    ChurnAlert.objects.filter(pk=alert.pk).update(status="retained", cause="price", closed_on=date(2026, 11, 24))
    WebhookEndpoint.objects.update(seen_until="2020-01-01T00:00:00Z")
    assert look() == 1
    assert set(WebhookDelivery.objects.values_list("event", flat=True)) == {"churn_alert.opened", "churn_alert.closed"}


def one_event(outlet, admin, receiver):
    endpoint, _secret = told(outlet, admin, receiver.url, "day.closed")
    webhooks.lay_by(endpoint=endpoint, found=[("day.closed", "day-1", timezone.now(), {"date": "2026-11-23"})])
    return endpoint, WebhookDelivery.objects.get()


@pytest.mark.parametrize("code", [500, 429, 404, 302])
def test_what_is_not_taken_is_tried_again_with_the_same_id(outlet, admin, receiver, code):
    _endpoint, delivery = one_event(outlet, admin, receiver)
    receiver.answers = [code]
    webhooks.send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.answer) == (Status.WAITING, 1, f"HTTP {code}")
    assert delivery.next_at > timezone.now()
    assert webhooks.send_due() == 0
    again_now()
    webhooks.send_due()
    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED
    assert [headers["webhook-id"] for headers, _body in receiver.got] == ["day-1", "day-1"]


def test_after_three_days_it_is_given_up_and_can_be_sent_again_by_hand(outlet, admin, receiver):
    assert timedelta(days=2, hours=12) < sum(webhooks.PAUSES, timedelta()) < timedelta(days=4)
    _endpoint, delivery = one_event(outlet, admin, receiver)
    receiver.answers = [503] * 99
    for _turn in range(len(webhooks.PAUSES) + 1):
        webhooks.send_due()
        again_now()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (Status.FAILED, len(webhooks.PAUSES) + 1)
    receiver.answers = []
    webhooks.resend(delivery=delivery, by=admin)
    webhooks.send_due()
    delivery.refresh_from_db()
    assert delivery.status == Status.DELIVERED


def test_gone_for_good_stops_the_endpoint(outlet, admin, receiver):
    endpoint, delivery = one_event(outlet, admin, receiver)
    receiver.answers = [410]
    webhooks.send_due()
    endpoint.refresh_from_db(), delivery.refresh_from_db()
    assert "410" in endpoint.stopped_why and delivery.status == Status.FAILED
    assert AuditEvent.objects.filter(action="webhook.stopped").exists()
    assert webhook_events.collect(endpoint) == 0
    webhooks.resume(endpoint=endpoint, by=admin)
    endpoint.refresh_from_db()
    assert endpoint.stopped_why == ""


def test_a_stopped_client_is_told_nothing_and_a_lost_scope_ends_its_events(outlet, admin, receiver):
    endpoint, _delivery = one_event(outlet, admin, receiver)
    type(endpoint.client).objects.update(stopped_at=timezone.now())
    assert webhooks.send_due() == 0 and webhook_events.collect_all() == 0
    type(endpoint.client).objects.update(stopped_at=None, allowed_scopes="churn:read")
    close_day(on=date(2026, 11, 23), rows=0, total=0, by=endpoint.client)
    assert webhook_events.collect_all() == 0


def test_a_lease_outlasts_the_work_that_it_covers():
    """A second worker must not post what the first is still at: connecting, sending, waiting for each of those taken."""
    assert timedelta(seconds=3 * webhooks.TIMEOUT * webhooks.AT_ONCE) <= webhooks.LEASE


def test_many_that_are_due_go_out_in_one_run(outlet, admin, receiver):
    endpoint, _secret = told(outlet, admin, receiver.url, "day.closed")
    found = [("day.closed", f"day-{n}", timezone.now(), {"date": "2026-11-23"}) for n in range(12)]
    webhooks.lay_by(endpoint=endpoint, found=found)
    assert webhooks.send_due() == 12 == len(receiver.got)


def test_nobody_at_home_is_tried_again(outlet, admin, receiver):
    _endpoint, delivery = one_event(outlet, admin, receiver)
    WebhookEndpoint.objects.update(url="http://127.0.0.1:9/hook")
    webhooks.send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.answer) == (Status.WAITING, "ConnectionRefusedError")


@pytest.mark.parametrize(
    ("url", "hosts", "refused"),
    [
        ("https://core.bank.example/hooks", ["core.bank.example"], False),
        ("https://core.bank.example/hooks", [], True),
        ("http://core.bank.example/hooks", ["core.bank.example"], True),
        ("https://core.bank.example@evil.example/", ["core.bank.example"], True),
        ("https://127.0.0.1/hooks", ["core.bank.example"], True),
        ("file:///etc/passwd", ["core.bank.example"], True),
    ],
)
def test_only_listed_hosts_are_told(outlet, admin, settings, url, hosts, refused):
    settings.DEMO, settings.WEBHOOK_HOSTS = False, hosts
    client = make_client(outlet, scopes=SCOPES)
    if refused:
        with pytest.raises(webhooks.EndpointRefused):
            webhooks.subscribe(client=client, url=url, events=["day.closed"], by=admin)
    else:
        webhooks.subscribe(client=client, url=url, events=["day.closed"], by=admin)
    assert WebhookEndpoint.objects.exists() is not refused


def test_nobody_is_told_what_he_could_not_read(outlet, admin, receiver):
    client = make_client(outlet, scopes="customers:read")
    with pytest.raises(webhooks.EndpointRefused, match=r"contact\.logged"):
        webhooks.subscribe(client=client, url=receiver.url, events=["tier.changed", "contact.logged"], by=admin)


def test_every_event_has_a_source_and_a_scope():
    kinds = {event.split(".")[0] for event in webhooks.EVENTS}
    assert kinds == set(webhook_events.SOURCES) == set(webhooks.SCOPES)


def test_the_administrator_makes_stops_and_resends_on_the_page(client, outlet, admin, receiver):
    api = make_client(outlet, scopes=SCOPES)
    client.force_login(admin)
    page = reverse("staff:webhook_list", args=[api.pk])
    made = client.post(page, {"url": receiver.url, "events": ["day.closed"]}).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in made and endpoint.secret not in client.get(page).content.decode()
    wrong = client.post(page, {"url": "https://evil.example/", "events": ["day.closed"]})
    assert wrong.status_code == 422 and "WEBHOOK_HOSTS" in wrong.content.decode()

    webhooks.lay_by(endpoint=endpoint, found=[("day.closed", "day-1", timezone.now(), {"date": "2026-11-23"})])
    webhooks.send_due()
    assert "HTTP 200" in client.get(page).content.decode()
    client.post(reverse("staff:webhook_resend", args=[WebhookDelivery.objects.get().pk]), {"step": "resend"})
    webhooks.send_due()
    assert len(receiver.got) == 2
    client.post(reverse("staff:webhook_step", args=[endpoint.pk]), {"step": "stop"})
    endpoint.refresh_from_db()
    assert endpoint.stopped_why


def test_a_body_is_json_without_spaces(outlet, admin, receiver):
    one_event(outlet, admin, receiver)
    webhooks.send_due()
    _headers, body = receiver.got[0]
    assert set(json.loads(body)) == {"type", "timestamp", "data"} and b" " not in body
