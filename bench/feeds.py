"""How fast balances come in: raw COPY with the same merge, the batch over HTTP, a load of a million lines, and DRF with models.

Every way writes days that nobody has written before, in batches of 10,000, one client, side by side in one run.
"""

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from http.client import HTTPConnection
from pathlib import Path

ROWS = 10_000
LINES = 1_000_000
PORT = 8_791
FIRST = date(1995, 1, 1)


def rates(lines: int = LINES) -> dict:
    """Return rows a second of each way, their ratio to raw, and the memory of the load in MiB."""
    from customers.models import Customer

    numbers = list(Customer.objects.order_by("pk").values_list("customer_no", flat=True))
    days = (FIRST + timedelta(days=n) for n in range(9_999))
    raw = _median([_raw(_rows(numbers, days)) for _turn in range(5)])
    with tempfile.TemporaryDirectory() as folder, _server():
        headers = _token()
        batch = _median([_batch(_rows(numbers, days), headers, n) for n in range(5)])
        load = _load(numbers, days, lines, headers, Path(folder))
    models = _models(_rows(numbers, days))
    return {
        "feed: raw COPY and merge, rows/s": round(raw),
        "feed: assets:batch over HTTP, rows/s": round(batch),
        "feed: assets:batch, % of raw": 100 * batch / raw,
        f"feed: load of {lines:,} lines, rows/s": round(load["rate"]),
        "feed: load, % of raw": 100 * load["rate"] / raw,
        "feed: load, s to send": load["sent"],
        "feed: load, MiB of the worker": load["worker"],
        "feed: load, MiB more in the web process": load["web"],
        "feed: DRF serializer and bulk_create, rows/s": round(models),
    }


def _median(found: list[float]) -> float:
    return sorted(found)[len(found) // 2]


def _rows(numbers: list[str], days) -> list[dict]:
    found: list[dict] = []
    while len(found) < ROWS:
        day = next(days).isoformat()
        found += [
            {
                "row_id": f"{no}",
                "customer_no": no,
                "sequence": 1,
                "data_date": day,
                "demand": "12345.67",
                "wealth": "80000.00",
            }
            for no in numbers
        ]
    return found[:ROWS]


def _raw(rows: list[dict]) -> float:
    """COPY lines that are ready into staging, and run the merge of the feed."""
    from django.db import connection, transaction

    from customers.assets import ensure_partitions
    from customers.feed import balances
    from staff.models import ApiClient
    from vipcrm.demo.bank import CORE_CLIENT

    ready = io.StringIO(
        "".join(
            "\t".join(
                [
                    str(at),
                    row["customer_no"],
                    row["data_date"],
                    "1",
                    *(row.get(name, "0") for name in balances.STAGED[4:]),
                ]
            )
            + "\n"
            for at, row in enumerate(rows)
        )
    )
    days = [date.fromisoformat(row["data_date"]) for row in (rows[0], rows[-1])]
    client = ApiClient.objects.get(client_id=CORE_CLIENT)
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        ensure_partitions(*days)
        cursor.execute(balances.STAGING)
        cursor.cursor.copy_expert(f"COPY staged_balance ({', '.join(balances.STAGED)}) FROM STDIN", ready)
        balances.merge_staged(cursor, client)
    return len(rows) / (time.perf_counter() - began)


class _server:
    """The web process as `make run` starts it, on loopback."""

    def __enter__(self):
        environ = os.environ | {"ALLOWED_HOSTS": "127.0.0.1"}
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "vipcrm.wsgi",
            "--threads",
            "4",
            "--timeout",
            "600",
            "--bind",
            f"127.0.0.1:{PORT}",
        ]
        self.process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
        for _turn in range(300):
            try:
                http = HTTPConnection("127.0.0.1", PORT)
                http.request("GET", "/healthz")
                http.getresponse().read()
                return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the web process did not come up")

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()


def _ask(method: str, path: str, body, headers: dict) -> dict:
    http = HTTPConnection("127.0.0.1", PORT, timeout=600)
    http.request(method, path, body, headers)
    answer = http.getresponse()
    said = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(f"{path} answers {answer.status}: {said}")
    return said


def _token() -> dict:
    from vipcrm.demo.bank import CORE_CLIENT, CORE_SECRET

    body = f"grant_type=client_credentials&client_id={CORE_CLIENT}&client_secret={CORE_SECRET}"
    said = _ask("POST", "/api/v1/oauth/token/", body, {"Content-Type": "application/x-www-form-urlencoded"})
    return {"Authorization": f"Bearer {said['access_token']}", "Content-Type": "application/json"}


def _batch(rows: list[dict], headers: dict, turn: int) -> float:
    body = json.dumps({"as_of": rows[0]["data_date"], "rows": rows})
    began = time.perf_counter()
    said = _ask("POST", "/api/v1/assets:batch", body, headers | {"Idempotency-Key": f"b-{time.time_ns()}-{turn}"})
    took = time.perf_counter() - began
    if said["counts"]["created"] != len(rows):
        raise RuntimeError(str(said["counts"]))
    return len(rows) / took


def _load(numbers, days, lines: int, headers: dict, folder: Path) -> dict:
    """Send a file of lines, then do its job in a process of its own; the rate is of both together."""
    file = folder / "lines"
    with file.open("w") as out:
        left = lines
        while left > 0:
            part = _rows(numbers, days)[:left]
            out.writelines(json.dumps(row) + "\n" for row in part)
            left -= len(part)
    before, began = _web_memory(), time.perf_counter()
    with file.open("rb") as body:
        said = _ask(
            "POST", f"/api/v1/assets:load?as_of={FIRST}", body,
            headers | {"Content-Type": "application/x-ndjson", "Content-Length": str(file.stat().st_size), "Idempotency-Key": f"l-{time.time_ns()}"},
        )  # fmt: skip
    sent = time.perf_counter() - began
    grown = _web_memory() - before
    out = subprocess.run(
        [sys.executable, "-m", "bench.feeds", str(said["id"])],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    took = time.perf_counter() - began
    status, worker = out.stdout.split()
    if status != "done":
        raise RuntimeError(status)
    return {"rate": lines / took, "sent": sent, "worker": int(worker), "web": grown}


def _web_memory() -> int:
    """Return the MiB that the largest web process has held at most."""
    found = subprocess.run(
        ["pgrep", "-f", f"vipcrm.wsgi.*{PORT}"], capture_output=True, text=True, check=True
    ).stdout.split()
    peaks = [
        int(line.split()[1]) // 1024
        for pid in found
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return max(peaks)


def _models(rows: list[dict]) -> float:
    """The usual way of Django: a DRF serializer checks each row, bulk_create writes instances."""
    from rest_framework import serializers

    from customers.assets import ensure_partitions
    from customers.models import Customer, DailyAsset

    class Usual(serializers.Serializer):
        row_id = serializers.CharField()
        customer_no = serializers.CharField()
        sequence = serializers.IntegerField()
        data_date = serializers.DateField()
        demand = serializers.DecimalField(18, 2, default=0)
        wealth = serializers.DecimalField(18, 2, default=0)

    ensure_partitions(date.fromisoformat(rows[0]["data_date"]), date.fromisoformat(rows[-1]["data_date"]))
    began = time.perf_counter()
    read = Usual(data=rows, many=True)
    read.is_valid(raise_exception=True)
    keys = dict(Customer.objects.values_list("customer_no", "pk"))
    DailyAsset.objects.bulk_create(
        [
            DailyAsset(customer_id=keys[row["customer_no"]], data_date=row["data_date"], sequence=1, demand=row["demand"], wealth=row["wealth"])
            for row in read.validated_data
        ],
        batch_size=1000,
    )  # fmt: skip
    return len(rows) / (time.perf_counter() - began)


def work(job: int) -> None:
    """Do a job as the worker does, and print its end and the MiB that it took at most."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")
    django.setup()
    from staff import job_work

    status = job_work.run(job_id=job)
    print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    work(int(sys.argv[1]))
