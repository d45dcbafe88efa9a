"""A load whose worker is killed in the middle of a part: what was merged stays, the part is taken whole by the next."""

import signal

import pytest

from tests.proofs.banks import Bank, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(600), pytest.mark.xdist_group("banks")]

SCENE = """
import json
from datetime import date
from io import BytesIO
from customers.feed import FEEDS, loading
from customers.models import Customer
from staff.models import ApiClient
numbers = Customer.objects.order_by("pk").values_list("customer_no", flat=True)
lines = "\\n".join(
    json.dumps({"row_id": "r", "customer_no": no, "sequence": 9, "data_date": f"2001-01-{day:02}", "demand": f"{day}.5"})
    for day in range(1, 31) for no in numbers
)
job, _digest = loading.receive(
    stream=BytesIO(lines.encode()), feed=FEEDS["assets"], as_of=date(2001, 1, 1), by=ApiClient.objects.get(client_id="core")
)
print("job", job.pk, job.total)
"""
WORK = "from staff import job_work; print(job_work.run(job_id=%d))"
TAKEN = "SELECT count(*), coalesce(sum(total), 0) FROM customers_dailyasset WHERE data_date < '2001-02-01'"


@pytest.fixture
def bank(tmp_path):
    bank = Bank("proof_load", tmp_path)
    bank.manage("migrate", "-v0")
    bank.manage("demo", "--customers", "400", "--seed", "5", "-v0")
    yield bank
    bank.close()


def test_a_load_ends_whole_whoever_dies(bank):
    said = bank.manage("shell", "-v0", "-c", SCENE).split("job ")[1].split()
    job, total = int(said[0]), int(said[1])
    assert total == 30 * bank.query("SELECT count(*) FROM customers_customer")[0][0] > 10_000

    with bank.blocked("customers_dailyasset") as waiting:
        process = bank.start("shell", "-v0", "-c", WORK % job)
        until(lambda: process.poll() is not None or waiting(), what="the worker in the middle")
        process.kill()
        process.wait(30)
    assert process.returncode == -signal.SIGKILL, process.stdout.read()
    assert bank.query(TAKEN)[0][0] == 0
    assert bank.query("SELECT count(*) FROM customers_feedpart")[0][0] == 2

    bank.write("UPDATE staff_job SET lease_until = now() - interval '1 second' WHERE id = %s", job)
    assert "done" in bank.manage("shell", "-v0", "-c", WORK % job)
    rows, money = bank.query(TAKEN)[0]
    assert (rows, money) == (total, sum(day + 0.5 for day in range(1, 31)) * total / 30)
    checkpoint = bank.query("SELECT checkpoint -> 'counts' ->> 'created', done FROM staff_job WHERE id = %s", job)[0]
    assert (int(checkpoint[0]), checkpoint[1]) == (total, total)
    assert bank.query("SELECT count(*) FROM customers_feedpart")[0][0] == 0
    assert bank.manage("shell", "-v0", "-c", WORK % job).strip().endswith("None")
