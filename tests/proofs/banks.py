"""Whole banks in databases of their own: commands as processes of their own, a mail sink, and what the tables hold."""

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from aiosmtpd.controller import Controller

from vipcrm.stack.mail import Keep
from vipcrm.stack.places import ROOT

SECONDS = 90
"""How long anything may take to happen."""

PASSING = {
    "id", "score_id", "opportunity_id", "created_at", "updated_at", "started_at", "finished_at", "scored_at", "trained_at", "sent_at",
    "seconds", "attempts", "error", "last_error", "not_before", "lease_until",
}  # fmt: skip
"""Columns that tell how often and when something was tried, and keys that a rolled-back try uses up."""

RESULT = {
    "customers_customer": (), "customers_dailyasset": (), "customers_monthlyasset": (), "customers_tierchange": (),
    "churn_churnscore": (), "churn_churnalert": (), "churn_scoringrun": (), "contacts_contacttask": (),
    "contacts_opportunity": (), "contacts_opportunitystagehistory": ("at",),
    "staff_outboxemail": ("status",), "staff_nightstep": (), "staff_nightrun": (),
}  # fmt: skip
"""The tables that a night writes, each with more columns that may differ."""


def until(ready: Callable, *, what: str, seconds: float = SECONDS):
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (answer := ready()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for: {what}"
        pause.wait(0.003)
    return answer


class Sink(Keep):
    """Keeps mails in a Maildir; while `release` is not set a mail is kept, but its sender hears nothing."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.release, self.holding = threading.Event(), threading.Event()
        self.release.set()

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        if not self.release.is_set():
            self.holding.set()
            await asyncio.get_running_loop().run_in_executor(None, self.release.wait, SECONDS)
        return answer

    def message_ids(self) -> Counter:
        """Return how often each Message-ID arrived."""
        return Counter(message["Message-ID"] for message in self.maildir)


class Bank:
    """One database with its mail sink; `manage.py` runs against it in processes of their own."""

    def __init__(self, name: str, folder: Path, *, copy_of: "Bank | None" = None):
        self.name = name
        here = os.environ["DATABASE_URL"]
        self.url = urlunsplit(urlsplit(here)._replace(path=f"/{name}"))
        with connected(here) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {copy_of.name}" if copy_of else ""))
        self.sink = Sink(Path(tempfile.mkdtemp(prefix=name, dir=folder)) / "mail")
        self.server = Controller(self.sink, hostname="127.0.0.1", port=free_port())
        self.server.start()
        self.environ = os.environ | {
            "DATABASE_URL": self.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.server.port}",
            "CACHE_PREFIX": name,
            "OMP_NUM_THREADS": "1",
        }

    def close(self) -> None:
        self.sink.release.set()
        self.server.stop()
        with connected(os.environ["DATABASE_URL"]) as server:
            server.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def start(self, *arguments: str) -> subprocess.Popen:
        """Begin a management command."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def manage(self, *arguments: str) -> str:
        """Do a management command to its good end."""
        process = self.start(*arguments)
        said, _nothing = process.communicate(timeout=240)
        assert process.returncode == 0, f"{arguments}: {said[-4000:]}"
        return said

    def query(self, sql: str, *values) -> list[tuple]:
        """Read the database itself."""
        with connected(self.url) as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def write(self, sql: str, *values) -> int:
        with connected(self.url) as cursor:
            cursor.execute(sql, values)
            return cursor.rowcount

    def digests(self) -> dict[str, tuple[int, str]]:
        """Return for each table of the result how many rows it has and SHA-256 over them, ordered."""
        found = {}
        for table, more in RESULT.items():
            # Tasks of alerts and opportunities are named by their ids, which a rolled-back try uses up.
            rows = self.query(
                rf"""SELECT line FROM (SELECT regexp_replace((to_jsonb(r) - %s::text[])::text, '"(alert|opportunity):\d+', '"\1', 'g')
                AS line FROM {table} r) lines ORDER BY line COLLATE "C" """,
                [*PASSING, *more],
            )
            found[table] = len(rows), hashlib.sha256("\n".join(line for (line,) in rows).encode()).hexdigest()
        return found

    @contextmanager
    def blocked(self, table: str):
        """Let nobody write a table for a while; gives a function that says which backend waits for it, 0 if none."""
        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

                def waiting() -> int:
                    cursor.execute(
                        "SELECT coalesce(max(pid), 0) FROM pg_locks"
                        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                    )
                    return cursor.fetchone()[0]

                yield waiting
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


@contextmanager
def connected(url: str):
    """Give a cursor that commits by itself."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()
