"""The pages of floor 1: the trail, the night, and what a balancer asks."""

from datetime import date, timedelta
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisGone

from staff import audit, health, heartbeat, tasks
from staff.models import AuditEvent, Heartbeat, NightRun, NightStep, OutboxEmail
from staff.roles import Role
from tests.factories import BranchFactory, JobFactory, StaffFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    staff = StaffFactory(role=Role.AUDITOR)
    client.force_login(staff)
    return staff


def shown(response) -> list[int]:
    return [event.pk for event in response.context["events"]]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.AUDITOR])
def test_the_trail_is_for_auditors_alone(client, role):
    client.force_login(StaffFactory(role=role))
    assert client.get("/audit/").status_code == 403


def test_the_trail_comes_newest_first_page_by_page(client, auditor):
    events = [audit.record("customer.assigned", None, by=auditor, place=place).pk for place in range(120)]
    first = client.get("/audit/")
    assert shown(first) == events[:-51:-1]
    second = client.get(first.context["next_url"])
    assert shown(second) == events[69:19:-1]
    assert shown(client.get(second.context["next_url"])) == events[19::-1]


def test_more_of_the_trail_comes_as_rows_for_htmx(client, auditor):
    for place in range(60):
        audit.record("customer.assigned", None, by=auditor, place=place)
    url = client.get("/audit/").context["next_url"]
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith("<tr")
    assert "<html" not in part


def test_the_trail_is_found_by_person_action_and_day(client, auditor):
    other = StaffFactory()
    event = audit.record("customer.assigned", None, by=other)
    audit.record("staff.signed_in", other, by=other)
    audit.record("customer.assigned", None, by=auditor)
    query = {"staff_no": other.staff_no, "action": "customer.assigned", "on": timezone.localdate().isoformat()}
    assert shown(client.get("/audit/", query)) == [event.pk]
    assert shown(client.get("/audit/", query | {"on": "2020-01-01"})) == []


@pytest.mark.parametrize("query", ["before=abc", "before=-1", "before=9999999999999999999"])
def test_a_place_in_the_trail_that_is_none_is_refused(client, auditor, query):
    assert client.get(f"/audit/?{query}").status_code == 400


def test_the_number_of_queries_of_the_trail_does_not_grow(client, auditor, django_assert_max_num_queries):
    for _turn in range(40):
        audit.record("customer.assigned", None, by=StaffFactory())
    with django_assert_max_num_queries(12):
        client.get("/audit/")


@pytest.fixture
def night():
    """One night of two outlets; a step of the second has failed."""
    run = NightRun.objects.create(business_date=date(2026, 11, 24), status=NightRun.Status.FAILED)
    now = timezone.now()
    for branch, status in [(BranchFactory(name="湖滨网点"), "done"), (BranchFactory(name="江边网点"), "failed")]:
        NightStep.objects.create(
            run=run, branch=branch, step="averages", position=1, status=status, rows=120, attempts=1,
            error="" if status == "done" else "OperationalError", started_at=now - timedelta(seconds=3), finished_at=now,
        )  # fmt: skip
    return run


def branches(response) -> list[str]:
    return [group["branch"].name for group in response.context["branches"]]


def test_head_office_sees_the_night_of_all_outlets(client, night):
    head_office = night.steps.first().branch.parent
    client.force_login(StaffFactory(role=Role.RETAIL_ADMIN, branch=head_office))
    response = client.get("/night/")
    assert branches(response) == ["湖滨网点", "江边网点"]
    assert (response.context["totals"]["done"], response.context["totals"]["failed"]) == (1, 1)
    assert "OperationalError" in response.content.decode()


def test_a_branch_head_sees_the_night_of_the_own_outlet(client, night):
    own = night.steps.get(status="failed").branch
    client.force_login(StaffFactory(role=Role.BRANCH_HEAD, branch=own))
    assert branches(client.get("/night/")) == ["江边网点"]


def test_a_night_is_chosen_by_its_date(client, night):
    NightRun.objects.create(business_date=date(2026, 11, 25))
    client.force_login(StaffFactory(role=Role.SYS_ADMIN))
    assert client.get("/night/").context["run"].business_date == date(2026, 11, 25)
    assert client.get("/night/?date=2026-11-24").context["run"] == night


@pytest.fixture
def uncertain():
    return OutboxEmail.objects.create(
        key="alert:17", to="head@bank.example", subject="流失预警", text="t", message_id="<17@bank.example>",
        status="uncertain", attempts=1, last_error="SMTPServerDisconnected: gone",
    )  # fmt: skip


def test_a_mail_that_may_have_arrived_is_listed_with_its_reason(client, uncertain):
    client.force_login(StaffFactory(role=Role.SYS_ADMIN))
    assert "SMTPServerDisconnected" in client.get("/night/").content.decode()
    client.force_login(StaffFactory(role=Role.BRANCH_HEAD))
    assert "SMTPServerDisconnected" not in client.get("/night/").content.decode()


def test_only_an_administrator_sends_such_a_mail_again_and_it_is_on_the_trail(client, uncertain):
    url = f"/night/mails/{uncertain.pk}/send-again/"
    client.force_login(StaffFactory(role=Role.BRANCH_HEAD))
    assert client.post(url).status_code == 403
    admin = StaffFactory(role=Role.SYS_ADMIN)
    client.force_login(admin)
    assert client.post(url).status_code == 302
    uncertain.refresh_from_db()
    assert (uncertain.status, uncertain.attempts) == ("waiting", 0)
    event = AuditEvent.objects.get(action="mail.offered_again")
    assert (event.staff, event.figures) == (admin, {"before": "uncertain"})
    client.post(url)  # it waits already
    assert AuditEvent.objects.filter(action="mail.offered_again").count() == 1


def test_managers_do_not_see_the_night(client, night):
    client.force_login(StaffFactory(role=Role.RELATIONSHIP_MANAGER))
    assert client.get("/night/").status_code == 403


def test_the_date_of_the_data_is_that_of_the_last_complete_night(night):
    assert NightRun.objects.last_complete_date() is None
    NightRun.objects.create(business_date=date(2026, 11, 20), status="done", finished_at=timezone.now())
    assert NightRun.objects.last_complete_date() == date(2026, 11, 20)


def test_the_process_says_that_it_lives(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_whole_stack_is_ready(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}


def test_a_standstill_shows_within_two_minutes(client):
    tasks.heartbeat()
    OutboxEmail.objects.create(
        key="k", to="a@bank.example", subject="s", text="t", message_id="<k@x>",
        not_before=timezone.now() - timedelta(seconds=121),
    )  # fmt: skip
    assert client.get("/readyz").json()["stalled"] == ["outbox"]
    Heartbeat.objects.filter(part="beat").update(at=timezone.now() - timedelta(seconds=121))
    body = client.get("/readyz").json()
    assert (body["status"], body["stalled"]) == ("stalled", ["beat", "outbox"])


def test_a_job_that_nobody_takes_up_is_a_standstill(client):
    JobFactory(not_before=timezone.now() - timedelta(seconds=121))

    body = client.get("/readyz").json()

    assert body["stalled"] == ["jobs"] and body["oldest_waiting_job"] >= 121


def test_a_part_that_lives_again_is_not_listed():
    heartbeat.beat(part="beat")
    Heartbeat.objects.update(at=timezone.now() - timedelta(hours=1))
    heartbeat.beat(part="beat")
    assert heartbeat.ages()["beat"] < 5
    assert Heartbeat.objects.count() == 1


def test_without_redis_the_process_is_not_ready(client):
    with mock.patch.object(health.store, "set", side_effect=RedisGone("gone")):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["redis"] == "failed"


def test_before_a_migration_the_process_is_not_ready(client):
    health._all_applied.cache_clear()
    with connection.cursor() as cursor:
        newest = "SELECT max(name) FROM django_migrations WHERE app = 'staff'"
        cursor.execute(f"DELETE FROM django_migrations WHERE app = 'staff' AND name = ({newest})")
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "failed")
    health._all_applied.cache_clear()
