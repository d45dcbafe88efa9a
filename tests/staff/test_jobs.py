"""Long work: asked for once, done once, whoever dies; seen while it runs, and by nobody but the one who asked."""

import os
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from staff import job_work, jobs
from staff.models import AuditEvent, Branch, Job, JobResult
from staff.refusal import Refused
from staff.sheets import csv_bytes
from tests.factories import JobFactory, StaffFactory
from tests.proofs.banks import until

Status = Job.Status


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    """Let tests register kinds of their own; and tell no broker."""
    monkeypatch.setattr(jobs, "KINDS", dict(jobs.KINDS))
    told = []
    monkeypatch.setattr(jobs, "offer", told.append)
    return told


def count(job, track):
    for _n in track(range(10)):
        pass
    return "10 counted"


@pytest.mark.django_db
def test_a_job_is_offered_once_the_transaction_that_asked_for_it_is_kept(kinds, django_capture_on_commit_callbacks):
    jobs.kind("tests.count")(count)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.start(kind="tests.count", by=StaffFactory(), title="数一数", selection=[3, 1, 2])
        assert kinds == []

    assert kinds == [job.pk]
    assert (job.selection, job.total, job.status) == ([3, 1, 2], 3, Status.WAITING)


@pytest.mark.django_db
def test_a_kind_that_nobody_registered_is_a_defect():
    with pytest.raises(ValueError, match=r"nobody\.knows"):
        jobs.start(kind="nobody.knows", by=StaffFactory(), title="x")


@pytest.mark.django_db
def test_a_job_is_done_and_says_what_came_of_it():
    jobs.kind("tests.count")(count)
    job = JobFactory()

    assert job_work.run(job_id=job.pk) == Status.DONE

    job.refresh_from_db()
    assert (job.status, job.done, job.total, job.outcome) == (Status.DONE, 10, 10, "10 counted")
    assert job.finished_at and job.token is None and job.attempts == 1


@pytest.mark.django_db
def test_a_doubled_message_finds_nothing_to_claim():
    jobs.kind("tests.count")(count)
    job = JobFactory()
    job_work.run(job_id=job.pk)

    assert job_work.run(job_id=job.pk) is None
    assert job_work.run(job_id=10**9) is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_told_at_once_do_a_job_once():
    jobs.kind("tests.count")(count)
    job = JobFactory()
    with transaction.atomic():
        assert job_work.claim(job.pk) is not None
        assert claimed_elsewhere(job.pk) is False  # the row is locked: passed over, not waited for

    assert claimed_elsewhere(job.pk) is False  # the lease is held
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claimed_elsewhere(job.pk) is True


def claimed_elsewhere(job_id) -> bool:
    """Claim through another connection."""
    from threading import Thread

    found = []

    def claim():
        found.append(job_work.claim(job_id) is not None)
        connection.close()

    thread = Thread(target=claim)
    thread.start()
    thread.join(20)
    return found[0]


@pytest.mark.django_db
def test_a_refusal_ends_a_job_at_once_with_its_sentence():
    @jobs.kind("tests.refuse")
    def refuse(job, track):
        raise Refused("这个文件没有客户号一列。")

    job = JobFactory(kind="tests.refuse")

    assert job_work.run(job_id=job.pk) == Status.FAILED
    job.refresh_from_db()
    assert job.outcome == "这个文件没有客户号一列。"


@pytest.mark.django_db
def test_a_job_that_breaks_five_times_is_given_up_with_its_reason():
    @jobs.kind("tests.break")
    def break_off(job, track):
        raise ZeroDivisionError

    job = JobFactory(kind="tests.break")
    found = []
    for _try in range(jobs.MAX_ATTEMPTS):
        Job.objects.update(not_before=timezone.now())
        found.append(job_work.run(job_id=job.pk))

    assert found == [Status.WAITING] * 4 + [Status.DEAD]
    job.refresh_from_db()
    assert "ZeroDivisionError" in job.outcome


@pytest.mark.django_db
def test_a_job_whose_worker_died_five_times_is_given_up():
    past = timezone.now() - timedelta(minutes=5)
    job = JobFactory(
        status=Status.RUNNING, attempts=5, lease_until=past, started_at=past, token="0" * 32,
    )  # fmt: skip

    assert job_work.run(job_id=job.pk) == Status.DEAD
    job.refresh_from_db()
    assert job.outcome


@pytest.mark.django_db
def test_a_database_that_is_away_for_a_moment_only_puts_a_job_off():
    @jobs.kind("tests.away")
    def away(job, track):
        raise OperationalError("gone")

    job = JobFactory(kind="tests.away")

    assert job_work.run(job_id=job.pk) == Status.WAITING


@pytest.mark.django_db
def test_the_sweeper_offers_what_waits_unheard_and_what_a_dead_worker_left(kinds):
    long_ago, soon = timezone.now() - timedelta(minutes=3), timezone.now() + timedelta(minutes=1)
    running = {"status": Status.RUNNING, "started_at": long_ago, "token": "0" * 32}
    unheard = JobFactory(offered_at=long_ago)
    left = JobFactory(offered_at=long_ago, lease_until=long_ago, **running)
    JobFactory(offered_at=long_ago, lease_until=soon, **running)
    JobFactory(offered_at=long_ago, not_before=soon)
    JobFactory()
    JobFactory(offered_at=long_ago, status=Status.DONE, finished_at=long_ago)

    assert jobs.sweep() == 2
    assert set(kinds) == {unheard.pk, left.pk}
    assert jobs.sweep() == 0


@pytest.mark.django_db
def test_a_job_that_waits_is_stopped_at_once_and_can_go_on():
    job = JobFactory()
    jobs.kind("tests.count")(count)

    assert jobs.stop(job=job, by=job.asked_by).status == Status.STOPPED
    assert job_work.run(job_id=job.pk) is None
    with pytest.raises(jobs.NotNow):
        jobs.stop(job=job, by=job.asked_by)

    jobs.again(job=job, by=job.asked_by)
    assert job_work.run(job_id=job.pk) == Status.DONE
    with pytest.raises(jobs.NotNow):
        jobs.again(job=job, by=job.asked_by)
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == ["job.stopped", "job.again"]


@pytest.mark.django_db
def test_a_job_that_runs_stops_between_two_rows_and_keeps_what_was_done():
    @jobs.kind("tests.stop")
    def stops(job, track):
        for n in track(range(10)):
            Branch.objects.create(code=f"S{n}", name="x", level=Branch.Level.OUTLET)
            track.checkpoint(next=n + 1)
            if n == 2:
                Job.objects.filter(pk=job.pk).update(stop_asked=True)

    job = JobFactory(kind="tests.stop")

    assert job_work.run(job_id=job.pk) == Status.STOPPED
    job.refresh_from_db()
    assert (job.done, job.checkpoint) == (3, {"next": 3})
    assert Branch.objects.filter(code__startswith="S").count() == 3


@pytest.mark.django_db
def test_who_lost_the_lease_writes_nothing_more():
    @jobs.kind("tests.lost")
    def lost(job, track):
        Job.objects.filter(pk=job.pk).update(token="1" * 32)
        with transaction.atomic():
            Branch.objects.create(code="LOST", name="x", level=Branch.Level.OUTLET)
            track.checkpoint(next=1)

    job = JobFactory(kind="tests.lost")

    assert job_work.run(job_id=job.pk) == Status.RUNNING
    assert not Branch.objects.filter(code="LOST").exists()


@pytest.mark.django_db(transaction=True)
def test_the_page_sees_how_far_a_job_is_while_its_transaction_is_open(monkeypatch):
    monkeypatch.setattr("staff.job_track.BREATH", 0.01)
    seen = []

    @jobs.kind("tests.long")
    def long(job, track):
        with transaction.atomic():
            for n in track(range(10)):
                if n == 6:
                    until(lambda: seen_from_elsewhere(job.pk, seen) == 6, what="six rows on the page", seconds=20)

    job = JobFactory(kind="tests.long")

    assert job_work.run(job_id=job.pk) == Status.DONE
    assert seen[-1] == 6


def seen_from_elsewhere(job_id, seen) -> int:
    from concurrent.futures import ThreadPoolExecutor

    def read():
        done = Job.objects.get(pk=job_id).done
        connection.close()
        return done

    with ThreadPoolExecutor(1) as pool:
        seen.append(pool.submit(read).result())
    return seen[-1]


WORKER = """
import sys, django
django.setup()
from django.db import connection, transaction
from staff import job_work, jobs
from staff.models import Branch

@jobs.kind("tests.chunks")
def chunks(job, track):
    first = job.checkpoint.get("next", 0)
    track.at(first)
    for n in track(range(first, 10)):
        with transaction.atomic():
            Branch.objects.create(code=f"K{n}", name="x", level="outlet")
            if n == 4:
                connection.cursor().execute("SELECT pg_advisory_xact_lock(4711)")
            track.checkpoint(next=n + 1)
    return "done"

print(job_work.run(job_id=int(sys.argv[1])))
"""


def worker(job_id: int) -> subprocess.Popen:
    """Begin a worker of its own process on the tests' database."""
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}"))
    environ = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "vipcrm.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(job_id)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_worker_is_killed_in_the_middle_ends_as_if_it_had_not_been():
    job = JobFactory(kind="tests.chunks")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(4711)")
        first = worker(job.pk)

        def waits():
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted")
            return first.poll() is not None or cursor.fetchone()[0]

        until(waits, what="the worker in its fifth part", seconds=60)
        first.kill()
        first.wait(30)
        cursor.execute("SELECT pg_advisory_unlock(4711)")
    assert first.returncode == -9, first.stdout.read()
    assert Branch.objects.filter(code__startswith="K").count() == 4
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    second = worker(job.pk)
    said, _nothing = second.communicate(timeout=60)

    assert said.strip() == "done", said
    job.refresh_from_db()
    assert (job.status, job.done, job.attempts) == (Status.DONE, 10, 1)
    assert Branch.objects.filter(code__startswith="K").count() == 10


@pytest.mark.django_db
def test_a_fault_is_noted_once_however_often_the_job_begins():
    @jobs.kind("tests.faults")
    def faults(job, track):
        track.fault("C001", "no mobile")
        track.fault("C002", "=cmd")

    job = JobFactory(kind="tests.faults")
    job_work.run(job_id=job.pk)
    Job.objects.update(status=Status.STOPPED)
    jobs.again(job=job, by=job.asked_by)
    job_work.run(job_id=job.pk)

    assert list(job.faults.values_list("row", "reason")) == [("C001", "no mobile"), ("C002", "=cmd")]


def test_a_cell_that_begins_like_a_formula_is_text():
    written = csv_bytes([["=1+1", "+86", "-x", "@a", "\tb", "\rc", "a=b", -5, None]])

    assert written.decode("utf-8-sig").strip().split(",")[:5] == ["'=1+1", "'+86", "'-x", "'@a", "'\tb"]
    assert written.decode("utf-8-sig").endswith('"\'\rc",a=b,-5,\r\n')
    assert written.startswith(b"\xef\xbb\xbf")


@pytest.fixture
def made(client):
    """A job that made a file, and its asker signed in."""
    staff = StaffFactory(language="en")
    now = timezone.now()
    job = JobFactory(asked_by=staff, status=Status.DONE, started_at=now, finished_at=now, title="Export of customers")
    JobResult.objects.create(
        job=job, name="customers.csv", content_type="text/csv", content=b"x", size=1, expires_at=now + jobs.KEEP_RESULTS
    )
    client.force_login(staff)
    return job


@pytest.mark.django_db
def test_only_the_asker_takes_the_file_within_a_day_and_the_trail_knows(client, made):
    url = reverse("staff:job_result", args=[made.pk])

    answer = client.get(url)

    assert (answer.content, answer["Content-Disposition"]) == (b"x", 'attachment; filename="customers.csv"')
    assert AuditEvent.objects.get(action="job.result_taken").object_id == str(made.pk)
    JobResult.objects.update(expires_at=timezone.now())
    assert client.get(url).status_code == 404
    client.force_login(StaffFactory())
    for name in ("job", "job_result", "job_errors"):
        assert client.get(reverse(f"staff:{name}", args=[made.pk])).status_code == 404
    for name in ("job_stop", "job_again"):
        assert client.post(reverse(f"staff:{name}", args=[made.pk])).status_code == 404


@pytest.mark.django_db
def test_a_page_asks_again_while_a_job_runs_and_stops_by_itself(client, made):
    open_job = JobFactory(asked_by=made.asked_by, title="Runs", done=4)

    page = client.get(open_job.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in page and "40%" in page
    ended = client.get(made.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert f'hx-get="{made.get_absolute_url()}' not in ended and "Download" in ended


@pytest.mark.django_db
def test_the_bell_tells_the_end_of_a_job_once_and_forgets_it_when_it_was_looked_at(client, made):
    page = client.get("/preferences/").content.decode()
    assert 'class="dot"' in page and "load delay" in page

    first = client.get(reverse("staff:bell")).content.decode()
    second = client.get(reverse("staff:bell")).content.decode()
    assert "Export of customers: done" in first
    assert "Export of customers: done" not in second and 'class="dot"' in second

    client.get("/jobs/")
    assert 'class="dot"' not in client.get(reverse("staff:bell")).content.decode()


@pytest.mark.django_db
def test_stopping_over_the_page_and_beginning_again(client, made):
    job = JobFactory(asked_by=made.asked_by)

    assert client.post(reverse("staff:job_stop", args=[job.pk])).status_code == 302
    assert client.post(reverse("staff:job_stop", args=[job.pk])).status_code == 409
    assert client.post(reverse("staff:job_again", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.status == Status.WAITING


@pytest.mark.django_db
def test_results_go_after_a_day_and_jobs_after_three_months(made):
    JobResult.objects.update(expires_at=timezone.now())
    assert jobs.forget() == 1
    assert Job.objects.count() == 1

    Job.objects.update(finished_at=timezone.now() - timedelta(days=91))
    jobs.forget()
    assert Job.objects.count() == 0


@pytest.mark.django_db
def test_the_list_of_jobs_takes_the_same_queries_however_many(client, made, django_assert_max_num_queries):
    from django.test.utils import CaptureQueriesContext

    counts = []
    client.get("/jobs/")  # counts what stands in the menu
    for _more in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get("/jobs/")
        counts.append(len(captured))
        for n in range(5):
            JobFactory(asked_by=made.asked_by, title=f"Job {n}")
    assert counts[0] == counts[1]
