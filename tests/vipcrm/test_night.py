"""The night's chain: once each, in order by outlet, safe to break and to run again."""

import threading
from datetime import date

import pytest
from django.db import OperationalError, connection

from staff.models import AuditEvent, NightRun, NightStep
from staff.refusal import Refused
from tests.factories import CustomerFactory
from vipcrm import night

TUESDAY = date(2026, 11, 24)
MONTH_END = date(2026, 11, 30)


class Ledger:
    """Steps that write down what they did, in the database, so that a rollback takes it back."""

    def __init__(self):
        self.fail: dict = {}

    def step(self, code):
        def run(*, branch_id, on):
            AuditEvent.objects.create(action=code, object_id=str(branch_id), figures={"on": on.isoformat()})
            if (code, branch_id) in self.fail:
                raise self.fail[code, branch_id]
            return 1

        return run

    @property
    def done(self):
        return list(AuditEvent.objects.order_by("id").values_list("action", "object_id"))


@pytest.fixture
def ledger(monkeypatch):
    ledger = Ledger()
    steps = (
        night.Step("first", ledger.step("first")),
        night.Step("monthly", ledger.step("monthly"), due=night.rating.is_rating_night),
        night.Step("last", ledger.step("last"), for_morning=True),
    )
    monkeypatch.setattr(night, "STEPS", steps)
    return ledger


@pytest.fixture
def outlets(db):
    return [CustomerFactory().branch_id for _ in range(2)]


def run(on=TUESDAY):
    night.start(on=on)
    return night.work(on=on)


def test_a_night_does_every_step_of_every_outlet_in_order(ledger, outlets):
    result = run()

    assert result.status == NightRun.Status.DONE
    for outlet in outlets:
        assert [code for code, branch in ledger.done if branch == str(outlet)] == ["first", "last"]
    assert NightRun.objects.last_complete_date() == TUESDAY


def test_a_month_end_also_rates_and_the_morning_steps_work_for_the_next_day(ledger, outlets):
    run(on=MONTH_END)

    days = dict(AuditEvent.objects.filter(object_id=str(outlets[0])).values_list("action", "figures__on"))
    assert days == {"first": "2026-11-30", "monthly": "2026-11-30", "last": "2026-12-01"}


def test_a_night_run_twice_does_nothing_twice(ledger, outlets):
    run()
    before = ledger.done

    run()

    assert ledger.done == before
    assert NightStep.objects.count() == 4


def test_a_failing_outlet_does_not_stop_the_other_and_leaves_nothing_half(ledger, outlets):
    broken, sound = outlets
    ledger.fail["first", broken] = ValueError("a defect")

    result = run()

    assert result.status == NightRun.Status.FAILED
    assert ledger.done == [("first", str(sound)), ("last", str(sound))]
    failed = NightStep.objects.get(branch=broken, step="first")
    assert (failed.status, failed.attempts, failed.error) == ("failed", night.MAX_ATTEMPTS, "ValueError")
    assert NightStep.objects.get(branch=broken, step="last").status == "waiting"


def test_after_the_fault_is_mended_the_night_carries_on_where_it_stopped(ledger, outlets):
    ledger.fail["last", outlets[0]] = ValueError("a defect")
    run()
    ledger.fail.clear()

    night.retry(on=TUESDAY)
    result = night.work(on=TUESDAY)

    assert result.status == NightRun.Status.DONE
    assert sorted(ledger.done) == sorted((code, str(o)) for o in outlets for code in ("first", "last"))


def test_an_outlet_without_its_feed_is_skipped_with_the_reason_and_tried_again(ledger, outlets):
    ledger.fail["first", outlets[0]] = Refused("the balances have not arrived")
    result = run()

    assert result.status == NightRun.Status.FAILED
    assert NightStep.objects.get(branch=outlets[0], step="first").error == "the balances have not arrived"
    assert NightRun.objects.last_complete_date() is None

    ledger.fail.clear()
    night.retry_skipped(on=TUESDAY)
    assert night.work(on=TUESDAY).status == NightRun.Status.DONE


def test_a_worker_killed_in_a_step_leaves_it_as_if_never_begun(ledger, outlets):
    ledger.fail["last", outlets[0]] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert ("last", str(outlets[0])) not in ledger.done
    ledger.fail.clear()

    assert run().status == NightRun.Status.DONE
    assert sorted(ledger.done) == sorted((code, str(o)) for o in outlets for code in ("first", "last"))


def test_a_fault_before_any_step_is_claimed_is_not_hidden(ledger, outlets, monkeypatch):
    def unreachable(run):
        raise OperationalError("the database went away")

    night.start(on=TUESDAY)
    monkeypatch.setattr(night, "_claim", unreachable)

    with pytest.raises(OperationalError, match="went away"):
        night.work(on=TUESDAY)
    assert ledger.done == []


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_a_night_and_do_each_step_once(ledger):
    outlets = [CustomerFactory().branch_id for _ in range(6)]
    night.start(on=TUESDAY)
    together = threading.Barrier(4)

    def worker():
        together.wait()
        try:
            night.work(on=TUESDAY)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ledger.done) == sorted((code, str(o)) for o in outlets for code in ("first", "last"))
    assert night.work(on=TUESDAY).status == NightRun.Status.DONE
