"""A file whose worker is killed while it is applied, or undone: all of it or nothing, and in the end as if undisturbed."""

import signal

import pytest

from tests.proofs.banks import Bank, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.xdist_group("banks")]

ROWS = 300
SCENE = """
from customers.imports import batch as batches
from staff.models import Staff
head = Staff.objects.get(staff_no="head")
lines = "".join(f"KILL{n:04},测试客户,女,1980-01-02,,139{n:08},\\n" for n in range(%d))
text = "客户号,姓名,性别,出生日期,证件号码,手机号,地址\\n" + lines
one = batches.receive(kind="customers", name="k.csv", content=text.encode(), by=head)
batches.match(batch=one, mapping=one.mapping, by=head)
batches.check(batch=one, by=head)
print("job", batches.ask(batch=one, step="apply", by=head).pk)
"""
UNDO = """
from customers.imports import batch as batches
from customers.models import ImportBatch
from staff.models import Staff
print("job", batches.ask(batch=ImportBatch.objects.get(), step="undo", by=Staff.objects.get(staff_no="head")).pk)
"""
WORK = "from staff import job_work; print(job_work.run(job_id=%d))"


@pytest.fixture
def bank(tmp_path):
    bank = Bank("proof_import", tmp_path)
    bank.manage("migrate", "-v0")
    bank.manage("demo", "--customers", "400", "--seed", "5", "-v0")
    yield bank
    bank.close()


def imported(bank) -> int:
    return bank.query("SELECT count(*) FROM customers_customer WHERE customer_no LIKE 'KILL%%'")[0][0]


def job_of(said: str) -> int:
    return int(said.split("job ")[1].split()[0])


def kill_while_writing(bank, job: int, table: str) -> None:
    """Kill the worker of a job with SIGKILL while it stands before the last table that it writes."""
    with bank.blocked(table) as waiting:
        process = bank.start("shell", "-v0", "-c", WORK % job)
        until(lambda: process.poll() is not None or waiting(), what="the worker in the middle")
        process.kill()
        process.wait(30)
    assert process.returncode == -signal.SIGKILL, process.stdout.read()
    bank.write("UPDATE staff_job SET lease_until = now() - interval '1 second' WHERE id = %s", job)


def test_a_file_is_applied_and_undone_whole_whoever_dies(bank):
    before = bank.digests()["customers_customer"]
    job = job_of(bank.manage("shell", "-v0", "-c", SCENE % ROWS))

    kill_while_writing(bank, job, "customers_importrow")
    assert imported(bank) == 0
    assert "done" in bank.manage("shell", "-v0", "-c", WORK % job)
    assert imported(bank) == ROWS
    assert bank.query("SELECT outcome, count(*) FROM customers_importrow GROUP BY outcome") == [("created", ROWS)]

    job = job_of(bank.manage("shell", "-v0", "-c", UNDO))
    kill_while_writing(bank, job, "customers_importrow")
    assert imported(bank) == ROWS
    assert "done" in bank.manage("shell", "-v0", "-c", WORK % job)
    assert imported(bank) == 0
    assert bank.digests()["customers_customer"] == before
