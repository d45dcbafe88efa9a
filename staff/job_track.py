"""How a job that runs says how far it is, and hears that it should stop.

The row is written by a thread with a connection of its own, once a second: so the page sees it while the
job's transaction is still open, and a long statement keeps its lease. Inside a transaction of the caller's
(a test) there is no thread: another connection could not see the row.
"""

import threading
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import DatabaseError, connection

from staff.models import Job, JobFault, JobResult

LEASE = timedelta(seconds=60)
BREATH = 1.0
"""Seconds between two looks at the row."""
FAULT_LENGTH = 300


class Stopped(Exception):
    """The job was asked to stop: what is open is taken back, what was done before stays."""


class LeaseLost(Exception):
    """Another worker holds the job by now; this one writes nothing more."""


class Track:
    """Handed to the function of a kind: `for row in track(rows)`, `track.fault`, `track.checkpoint`, `track.keep`."""

    def __init__(self, job: Job, *, own_thread: bool):
        self.job = job
        self.done, self.total = (job.done if job.checkpoint else 0), job.total
        self._stop, self._lost = False, False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._breathe, daemon=True) if own_thread else None

    def __enter__(self):
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *error):
        self._over.set()
        if self._thread:
            self._thread.join()

    def __call__(self, rows: Iterable, *, total: int | None = None) -> Iterator:
        """Hand rows on and count them, each when its turn is over.

        Raises:
            Stopped: somebody pressed stop.
        """
        if total is not None:
            self.total = total
        elif not self.total and hasattr(rows, "__len__"):
            self.total = len(rows)
        for row in rows:
            self.look()
            yield row
            self.done += 1

    def at(self, done: int, total: int | None = None) -> None:
        """Say how far the job is, where no loop counts it."""
        self.done = done
        if total is not None:
            self.total = total
        self.look()

    def look(self) -> None:
        """Stop here if that was asked, or if another worker took over."""
        if self._thread is None:
            self._write()
        if self._lost:
            raise LeaseLost
        if self._stop:
            raise Stopped

    def fault(self, row: str, reason: str) -> None:
        """Note a row that could not be done, in the transaction of the caller."""
        self.faults([(row, reason)])

    def faults(self, found: Iterable[tuple[str, ...]]) -> None:
        """Note rows as (row, reason) or (row, reason, code)."""
        rows = (
            JobFault(job=self.job, row=str(row)[:120], reason=str(reason)[:FAULT_LENGTH], code="".join(code))
            for row, reason, *code in found
        )
        JobFault.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)

    def checkpoint(self, **state) -> None:
        """Note how far the work itself is, in the transaction that did it: a restart finds it in `job.checkpoint`.

        Raises:
            LeaseLost: the transaction of the caller must not be kept.
        """
        held = Job.objects.filter(pk=self.job.pk, token=self.job.token)
        if not held.update(checkpoint=state, attempts=1, done=self.done, total=self.total):
            raise LeaseLost
        self.job.checkpoint = state

    def keep(self, *, name: str, content: bytes, content_type: str, until) -> None:
        """Keep the file that the job made, for the one who asked; a restart replaces it."""
        values = {"name": name, "content": content, "content_type": content_type, "size": len(content)}
        JobResult.objects.update_or_create(job=self.job, defaults=values | {"expires_at": until})

    def _breathe(self) -> None:
        try:
            while not self._over.wait(BREATH):
                try:
                    self._write()
                except DatabaseError:  # the next breath tries again; too many missed ones lose the lease
                    connection.close()
        finally:
            connection.close()

    def _write(self) -> None:
        """Write how far the job is, prolong the lease, and hear whether to stop: one statement."""
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE staff_job SET done = %s, total = %s, lease_until = clock_timestamp() + %s
                WHERE id = %s AND token = %s AND status = 'running' RETURNING stop_asked""",
                [self.done, max(self.total, self.done), LEASE, self.job.pk, self.job.token],
            )
            row = cursor.fetchone()
        self._lost = row is None
        self._stop = bool(row and row[0])
