"""Sealed values are nowhere but in the answer of a reveal, and full names nowhere where they are masked."""

import base64
import email
import io
import logging
import zipfile
from email import policy

import pytest
import redis
from django.conf import settings
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from churn import alert_mail
from customers import export
from customers.columns import COLUMNS
from staff import job_work, outbox
from staff.models import AuditEvent, JobResult, OutboxEmail
from staff.roles import SEES_NAMES_MASKED, Role
from tests.proofs.canaries import PEOPLE, hits, names, sealed_values
from tests.proofs.scene import Api, addresses, row_of, set_scene, signed_in
from vipcrm.tasks import night

pytestmark = pytest.mark.django_db

NUMBERS = ("K7700001", "K7700002", "K7700003")
SEALED = {f"{field} of {number}": value for number, person in zip(NUMBERS, PEOPLE, strict=True)
          for field, value in sealed_values(person).items()}  # fmt: skip


def rows() -> list[dict]:
    return [row_of(number, _Anywhere, **person) for number, person in zip(NUMBERS, PEOPLE, strict=True)]


class _Anywhere:
    code = ""


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def logs(caplog):
    """Everything that the app writes to its log, with the arguments and tracebacks of each line."""
    caplog.set_level(logging.INFO)
    return lambda: (
        "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.get_records("call")).encode()
        + caplog.text.encode()
    )


def body_of(answer) -> bytes:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content + str(dict(answer.headers)).encode()


def walk(client, urls):
    """Yield (url, answer) for each address, as a page and as the part that htmx asks for."""
    for url in urls:
        page = client.get(url)
        yield url, page
        if page.status_code == 200:
            yield url, client.get(url, headers={"HX-Request": "true"})


def test_the_search_for_canaries_finds_them_in_every_form():
    for value in SEALED.values():
        for text in (value.encode(), value.encode().hex().encode(), base64.b64encode(b"x" + value.encode() + b"yz")):
            assert hits({"": value}, b"<p>" + text + b"</p>")
    assert hits({"": "13812346021"}, b"138 1234 6021")
    assert not hits(SEALED, "138 **** 6021 3****************5 江城市西湖区文三路***".encode())


EVERY_RUN = (Role.BRANCH_HEAD, Role.RELATIONSHIP_MANAGER, Role.TELLER)
"""Whose pages are read in every run; those of the other roles with the long ones."""


@pytest.mark.parametrize(
    "role", [pytest.param(role, marks=[pytest.mark.long] * (role not in EVERY_RUN)) for role in Role.values]
)
def test_no_page_of_any_role_shows_a_sealed_value_or_somebody_out_of_sight(role, api, logs):
    scene = set_scene(role, api, rows())
    client = signed_in(scene.viewer)
    shown = {customer.customer_no for customer in scene.visible()}
    hidden = dict(SEALED)
    for number, person in zip(NUMBERS, PEOPLE, strict=True):
        if number not in shown or role in SEES_NAMES_MASKED:
            hidden |= {f"{kind} of {number}": text for kind, text in names(person).items()}
    urls = addresses(None) + [url for customer in scene.customers for url in addresses(customer)]
    urls += [f"/customers/{scene.own.pk}/?tab={tab}" for tab in ("ledger", "holdings", "profile", "history")]
    seen = 0

    for url, answer in walk(client, urls):
        assert answer.status_code < 500, f"{url}: {answer.status_code}"
        found = hits(hidden, body_of(answer))
        assert not found, f"{url} ({answer.status_code}): {found}"
        seen += any(number.encode() in answer.content for number in NUMBERS)

    assert bool(seen) == bool(shown), "the walk saw no page with a customer, or saw one that it should not"
    assert hits(SEALED, logs()) == []


@pytest.mark.parametrize("role", Role.values)
def test_no_search_finds_somebody_out_of_sight_or_by_what_is_masked(role, api, logs):
    scene = set_scene(role, api, rows())
    client, person = signed_in(scene.viewer), PEOPLE[2 if scene.own in scene.visible() else 0]
    customer = scene.customers[PEOPLE.index(person)]
    by_name = [person["name"], person["name"][2:], "shuangxu", "baili"]
    by_number = [person["mobile"][-4:], customer.customer_no, "K77"]
    sealed = [person["id_no"], person["mobile"], person["mobile"][:7], person["address"][-6:]]
    lists = ("/customers/?q=", "/search/?q=", "/assignment/?q=", "/assignment/?tab=charge&q=")
    asked = by_name + by_number + sealed if customer not in scene.visible() else sealed
    if role in SEES_NAMES_MASKED:
        asked = by_name + sealed

    for url, answer in walk(client, [each + text for each in lists for text in asked]):
        assert answer.status_code < 500, f"{url}: {answer.status_code}"
        assert f"/customers/{customer.pk}/".encode() not in answer.content, url
    assert hits(SEALED, logs()) == []


@pytest.mark.parametrize("role", export.LIMITS)
def test_no_export_or_action_carries_a_sealed_value_or_somebody_out_of_sight(role, api, logs):
    scene = set_scene(role, api, rows())
    shown = {customer.customer_no for customer in scene.visible()}
    hidden = dict(SEALED)
    for number, person in zip(NUMBERS, PEOPLE, strict=True):
        if number not in shown or role in SEES_NAMES_MASKED:
            hidden |= {f"{kind} of {number}": text for kind, text in names(person).items()}
    everybody = [customer.pk for customer in scene.customers]
    columns = [column.key for column in COLUMNS]
    for file_format in export.Format.values:
        job = export.ask(
            by=scene.viewer, selection=everybody, columns=columns, file_format=file_format, purpose="proof", filters=""
        )
        assert job_work.run(job_id=job.pk) == "done"
        content = bytes(JobResult.objects.get(job=job).content)
        if file_format == export.Format.XLSX:
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                content = b"".join(book.read(name) for name in book.namelist())
        assert NUMBERS[0].encode() in content
        assert hits(hidden, content) == []
        assert job.faults.count() == len(everybody) - len(shown)
    client = signed_in(scene.viewer)
    for url in ("/jobs/", f"/jobs/{job.pk}/", f"/jobs/{job.pk}/errors/", "/audit/"):
        assert hits(hidden, body_of(client.get(url))) == [], url
    assert hits(SEALED, logs() + stored_in_redis() + stored_in_tables()) == []


@pytest.mark.parametrize("field", ["id_no", "mobile", "address"])
def test_a_reveal_shows_that_field_alone_and_writes_one_event(api, logs, field):
    scene = set_scene(Role.RELATIONSHIP_MANAGER, api, rows())
    client, person = signed_in(scene.viewer), PEOPLE[0]
    before = AuditEvent.objects.count()

    part = client.post(
        f"/customers/{scene.own.pk}/reveal/", {"field": field, "purpose": "contact"}, headers={"HX-Request": "true"}
    )
    assert (part.status_code, part.content.decode()) == (200, person[field])
    assert "no-store" in part.headers["Cache-Control"]
    event = AuditEvent.objects.latest("pk")
    assert AuditEvent.objects.count() == before + 1
    assert (event.action, event.staff, event.object_id) == ("customer.revealed", scene.viewer, str(scene.own.pk))
    assert event.figures == {"field": field, "purpose": "contact", "times_today": 1}

    page = client.post(f"/customers/{scene.own.pk}/reveal/", {"field": field, "purpose": "verify"})
    others = {kind: value for kind, value in SEALED.items() if kind != f"{field} of {NUMBERS[0]}"}
    assert person[field] in page.content.decode()
    assert hits(others, body_of(page)) == []
    for url, answer in walk(client, addresses(scene.own)):
        assert hits(SEALED, body_of(answer)) == [], url
    assert hits(SEALED, logs() + stored_in_redis() + stored_in_tables()) == []


@pytest.mark.parametrize("role", Role.values)
def test_nobody_reveals_a_customer_out_of_sight(api, role):
    scene = set_scene(role, api, rows())
    client = signed_in(scene.viewer)
    unseen = [customer for customer in scene.customers if customer not in scene.visible()]
    for customer in unseen:
        answer = client.post(f"/customers/{customer.pk}/reveal/", {"field": "mobile", "purpose": "contact"})
        assert answer.status_code in (403, 404)
        assert hits(SEALED, body_of(answer)) == []
    assert not AuditEvent.objects.filter(action="customer.revealed").exists()


def test_the_api_gives_no_sealed_value_back(api):
    scene = set_scene(Role.BRANCH_HEAD, api, rows())
    sent = [row | {"sequence": 0, "branch": customer.branch.code} for row, customer in zip(rows(), scene.customers)]
    bad = [row | {"branch": "NOWHERE"} for row in sent] + [row | {"mobile": int(row["mobile"])} for row in sent]
    answers = [api.feed(*sent), api.feed(*bad)]
    answers += [api.get(f"/api/v1/{path}") for path in ("assignments/", "churn/alerts/", "assignments/?limit=1")]

    assert {answer.status_code for answer in answers} == {200}
    for answer in answers:
        assert hits(SEALED, body_of(answer)) == []


def stored_in_tables() -> bytes:
    """Return what a dump of every table would hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        dump = io.BytesIO()
        for table in tables:
            cursor.cursor.copy_expert(f'COPY "{table}" TO STDOUT', dump)
    return dump.getvalue()


def stored_in_redis() -> bytes:
    """Return every key and value: sessions, the cache, the queue."""
    found = []
    for location in {settings.CACHES["default"]["LOCATION"], settings.REDIS_URL}:
        store = redis.Redis.from_url(location)
        for key in store.scan_iter():
            found += [key, store.dump(key) or b""]
            if store.type(key) == b"string":
                found.append(store.get(key) or b"")
            elif store.type(key) == b"list":
                found += store.lrange(key, 0, -1)
    return b"\n".join(found)


def test_database_and_redis_hold_no_sealed_value_in_clear(api):
    scene = set_scene(Role.BRANCH_HEAD, api, rows())
    client = signed_in(scene.viewer)
    for _url, _answer in walk(client, addresses(None) + addresses(scene.own)):
        pass
    message = night.apply_async(kwargs={"day": "2026-11-24"}, queue="proof")
    dump, kept = stored_in_tables(), stored_in_redis()
    redis.Redis.from_url(settings.REDIS_URL).delete("proof")

    assert NUMBERS[0].encode() in dump
    assert message.id.encode() in kept
    assert client.session.session_key.encode() in kept
    assert hits(SEALED, dump) == []
    assert hits(SEALED, kept) == []


def test_mails_hold_neither_sealed_values_nor_full_names(api):
    scene = set_scene(Role.BRANCH_HEAD, api, rows())
    hidden = SEALED | {f"{kind} of {p['name']}": text for p in PEOPLE for kind, text in names(p).items()}
    yesterday = timezone.localdate() - timezone.timedelta(days=1)
    with transaction.atomic():
        posted = sum(alert_mail.post_mails(branch_id=c.branch_id, on=yesterday) for c in scene.customers[1:])
    outbox.send_waiting()

    assert posted == len(mail.outbox) == OutboxEmail.objects.filter(status="sent").count() > 2
    for sent in mail.outbox:
        message = email.message_from_bytes(sent.message().as_bytes(), policy=policy.default)
        bodies = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
        content = "\n".join([str(message.items()), *bodies]).encode()
        assert hits(hidden, content) == []
    assert any("欧阳**" in sent.body for sent in mail.outbox)
