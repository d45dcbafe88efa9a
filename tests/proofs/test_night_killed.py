"""The night broken at any moment: nothing half, nothing twice, and in the end what an undisturbed night gives."""

import random
import signal
from datetime import date, timedelta

import pytest

from tests.proofs.banks import Bank, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200), pytest.mark.xdist_group("banks")]

CUSTOMERS, SEED = "400", "11"
KILLS = 8
WRITTEN = (
    "customers_dailyasset", "customers_monthlyasset", "customers_customer", "churn_churnscore", "churn_churnalert",
    "contacts_contacttask", "staff_outboxemail",
)  # fmt: skip
"""Tables of the steps, in the order in which a night writes them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("banks")


@pytest.fixture(scope="module")
def evening(folder):
    """The bank as it is before the night: written, and its model trained."""
    bank = Bank("proof_evening", folder)
    bank.manage("migrate", "-v0")
    bank.manage("demo", "--customers", CUSTOMERS, "--seed", SEED, "-v0")
    bank.manage("train_churn")
    yield bank
    bank.close()


@pytest.fixture(scope="module")
def nights():
    """The business dates: one before which a month ends, so that it rates, and the newest."""
    yesterday = date.today() - timedelta(days=1)
    return (yesterday.replace(day=1) - timedelta(days=1)).isoformat(), yesterday.isoformat()


@pytest.fixture(scope="module")
def undisturbed(evening, folder, nights):
    """What the nights give when nothing goes wrong: {table: (rows, digest)}, and the Message-IDs."""
    bank = Bank("proof_undisturbed", folder, copy_of=evening)
    for night in nights:
        bank.manage("night", "--date", night)
    digests, messages = bank.digests(), bank.sink.message_ids()
    bank.close()
    for table, (rows, _digest) in digests.items():
        assert rows, f"{table} is empty: the proof would prove nothing"
    assert messages and set(messages.values()) == {1}
    return digests, messages


@pytest.fixture
def bank(evening, folder):
    bank = Bank("proof_disturbed", folder, copy_of=evening)
    yield bank
    bank.close()


def done_steps(bank) -> int:
    return bank.query("SELECT count(*) FROM staff_nightstep WHERE status = 'done'")[0][0]


def is_complete(bank, night) -> bool:
    rows = bank.query("SELECT status = 'done' FROM staff_nightrun WHERE business_date = %s", night)
    return rows == [(True,)]


def run_to_the_end(bank, night) -> None:
    """Start the night again until it is complete, as beat does."""
    until(lambda: is_complete(bank, night) or bank.start("night", "--date", night).wait(240) and False, what=night)


def assert_as_undisturbed(bank, undisturbed) -> None:
    digests, messages = undisturbed
    found = bank.digests()
    assert {table: rows for table, (rows, _) in found.items()} == {t: rows for t, (rows, _) in digests.items()}
    assert [table for table in found if found[table] != digests[table]] == []
    keys = bank.query("SELECT count(*), count(DISTINCT key), count(DISTINCT message_id) FROM staff_outboxemail")[0]
    assert len(set(keys)) == 1
    received = bank.sink.message_ids()
    assert [message for message, times in received.items() if times > 1] == []
    assert set(received) <= set(messages)


def assert_no_mail_lost(bank) -> None:
    """Every mail is in the sink, or stands in the list of those that need a person."""
    received = bank.sink.message_ids()
    unseen = bank.query("SELECT message_id, status FROM staff_outboxemail WHERE NOT message_id = ANY(%s)", [*received])
    assert [status for _message, status in unseen if status not in ("uncertain", "dead")] == []


def kill_in_a_step(bank, process, rng) -> bool:
    """Kill the process at a random moment; say whether it was in the middle of something."""
    goal = done_steps(bank) + rng.randrange(5)
    until(lambda: process.poll() is not None or done_steps(bank) >= goal, what=f"{goal} steps")
    if rng.random() < 0.7:
        with bank.blocked(rng.choice(WRITTEN)) as waiting:
            until(lambda: process.poll() is not None or waiting(), what="a step that writes", seconds=30)
            process.kill()
            process.wait(30)
    else:
        process.kill()
        process.wait(30)
    return process.returncode == -signal.SIGKILL


def test_a_night_killed_at_random_moments_ends_like_an_undisturbed_one(bank, undisturbed, nights):
    rng = random.Random(20261125)
    killed = 0
    for night in nights:
        for _kill in range(KILLS // 2):
            if not is_complete(bank, night):
                killed += kill_in_a_step(bank, bank.start("night", "--date", night), rng)
        run_to_the_end(bank, night)
    bank.manage("night", "--date", nights[-1])

    assert killed >= KILLS - 2
    assert_as_undisturbed(bank, undisturbed)
    assert_no_mail_lost(bank)


def test_a_sender_killed_before_it_heard_the_answer_never_sends_that_mail_again(bank, undisturbed, nights):
    for night in nights:
        bank.manage("night", "--date", night, "--no-mail")
    assert not bank.sink.message_ids()
    bank.sink.release.clear()
    process = bank.start("night", "--date", nights[-1])
    until(bank.sink.holding.is_set, what="a mail handed over")
    process.kill()
    process.wait(30)
    bank.sink.release.set()
    bank.write("UPDATE staff_outboxemail SET lease_until = now() WHERE status = 'sending'")

    bank.manage("night", "--date", nights[-1])

    states = dict(bank.query("SELECT status, count(*) FROM staff_outboxemail GROUP BY status"))
    assert states.pop("uncertain") == 1
    assert set(states) == {"sent"}
    assert_as_undisturbed(bank, undisturbed)
    assert bank.sink.message_ids() == undisturbed[1]


def cut_off_at_each_table(bank, night: str, tables) -> str:
    """Run a night and terminate the backend of a step at its first write of each table in turn; return what it said.

    The process stands still from when it is caught until the next table is closed to it.
    """
    process = None
    for table in tables:
        with bank.blocked(table) as waiting:
            if process is None:
                process = bank.start("night", "--date", night)
            else:
                process.send_signal(signal.SIGCONT)
            pid = until(waiting, what=f"a step that writes {table}")
            process.send_signal(signal.SIGSTOP)
            assert bank.query("SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
    process.send_signal(signal.SIGCONT)
    said, _nothing = process.communicate(timeout=240)
    assert process.returncode == 0, said
    return said


def test_a_night_whose_backends_are_terminated_goes_on_by_itself(bank, undisturbed, nights):
    for night in nights:
        # A month back there are not the 90 days of balances that a score needs.
        tables = [table for table in WRITTEN if night == nights[-1] or table != "churn_churnscore"]
        said = cut_off_at_each_table(bank, night, tables)
        assert said.count("night step failed") == len(tables), said
        assert is_complete(bank, night)

    assert_as_undisturbed(bank, undisturbed)
    assert_no_mail_lost(bank)
