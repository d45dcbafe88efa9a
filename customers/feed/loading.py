"""Feeds of any size: lines of JSON are laid by in parts as they arrive, and merged part by part by a worker.

Nothing is ever whole in memory. A part is merged in one transaction with its checkpoint, so that a load that was broken
off goes on where it was; rows that were merged before would change nothing anyway.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.feed import FEEDS, Feed, read_rows
from customers.feed.rows import Outcome
from customers.models.feed_parts import FeedPart
from staff import audit, jobs
from staff.models import ApiClient, Job
from staff.refusal import Refused

PART_ROWS = 10_000
BLOCK_BYTES = 256 * 1024
LINE_BYTES = 64 * 1024
SECONDS = 900
"""How long the sending of one load may take: its transaction holds the feed of changes back for everybody."""

KEEP_PARTS = timedelta(days=7)
"""How long a load that broke off can be taken up again."""

STATUSES = ("created", "updated", "unchanged", "stale", "rejected")
KIND = "feed.load"

_NO_JSON = (msgspec.DecodeError, RecursionError)
"""What a line may raise that is no JSON, or is nested beyond all reason."""

_KEY = re.compile(rb'"\s*:')


class LineTooLong(Refused):
    code = "line_too_long"
    status_code = 422


class TooSlow(Refused):
    code = "too_slow"
    status_code = 422


class NotUtf8(Refused):
    code = "not_utf8"
    status_code = 422


class NothingSent(Refused):
    code = "empty"
    status_code = 422


@transaction.atomic
def receive(*, stream, feed: Feed, as_of: date, by: ApiClient) -> tuple[Job, str]:
    """Lay the lines of a stream by and ask a worker to take them; return the job and the SHA-256 of what came.

    Args:
        stream: gives bytes by `read(size)`.
        as_of: the business day of rows that name none.

    Raises:
        LineTooLong, NothingSent, NotUtf8, TooSlow: nothing is kept.
    """
    job = jobs.start(kind=KIND, by=by, title=feed.name, params={"feed": feed.name, "as_of": as_of.isoformat()})
    digest, first = hashlib.sha256(), 1
    for lines in _parts(stream, digest):
        FeedPart.objects.create(job=job, first=first, lines=_text(lines))
        first += len(lines)
    if first == 1:
        raise NothingSent(_("The body holds no line."))
    Job.objects.filter(pk=job.pk).update(total=first - 1)
    job.total = first - 1
    return job, digest.hexdigest()


def _text(lines: list[bytes]) -> str:
    try:
        return b"\n".join(lines).decode()
    except UnicodeDecodeError:
        raise NotUtf8(_("The body is not UTF-8.")) from None


def digest_of(stream) -> str:
    """Read a stream to its end and return its SHA-256: a repeated call is known by it."""
    digest = hashlib.sha256()
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _parts(stream, digest) -> Iterator[list[bytes]]:
    """Give the lines that hold something, some thousand at a time."""
    rest, lines, ends = b"", [], time.monotonic() + SECONDS
    while block := stream.read(BLOCK_BYTES):
        if time.monotonic() > ends:
            raise TooSlow(_("The sending took longer than 15 minutes; send the lines in several loads."))
        digest.update(block)
        *whole, rest = (rest + block).split(b"\n")
        if any(len(line) > LINE_BYTES for line in (*whole, rest)):
            raise LineTooLong(_("A line is longer than 64 KB; each row is one line."))
        lines += [line for line in whole if line.strip()]
        while len(lines) >= PART_ROWS:
            yield lines[:PART_ROWS]
            lines = lines[PART_ROWS:]
    if rest.strip():
        lines.append(rest)
    if lines:
        yield lines


@jobs.kind(KIND)
def work(job: Job, track) -> str:
    """Merge what is laid by, part by part; a row that cannot be taken is noted with its line."""
    feed, as_of = FEEDS[job.params["feed"]], date.fromisoformat(job.params["as_of"])
    counts = dict.fromkeys(STATUSES, 0) | job.checkpoint.get("counts", {})
    for first in list(job.feed_parts.values_list("first", flat=True)):
        track.look()
        with transaction.atomic():
            part = job.feed_parts.get(first=first)
            outcomes = take_lines(part.lines.encode(), first=first, feed=feed, as_of=as_of, by=job.client)
            for outcome in outcomes:
                counts[outcome.status] += 1
            track.faults(
                (f"{first + at} {_field(outcome)}".rstrip(), outcome.detail, outcome.code)
                for at, outcome in enumerate(outcomes)
                if outcome.status == "rejected"
            )
            part.delete()
            track.done += len(outcomes)
            track.checkpoint(counts=counts)
            audit.record("feed.taken", job.client, by=job.client, as_of=as_of, rows=feed.row.__name__, **counts)
    return _("{taken} taken, {rejected} rejected.").format(
        taken=sum(counts.values()) - counts["rejected"], rejected=counts["rejected"]
    )


def _field(outcome: Outcome) -> str:
    """Return the place within the line: /rows/17/amount is /amount."""
    return "".join(f"/{part}" for part in outcome.pointer.split("/")[3:])


def take_lines(lines: bytes, *, first: int, feed: Feed, as_of: date, by: ApiClient) -> list[Outcome]:
    """Merge lines of JSON in the caller's transaction; return what became of each, in order.

    Args:
        first: the number of the first of them in the load, by which refusals name their row.
    """
    start = first - 1
    rows, unread = _read(lines, start)
    good, outcomes = read_rows(rows, feed.row, start=start)
    for at, outcome in unread.items():
        outcomes[at] = outcome
    outcomes |= feed.take(rows=good, as_of=as_of, by=by)
    return [outcomes[at] for at in range(start, start + len(rows))]


def _read(lines: bytes, start: int) -> tuple[list[Any], dict[int, Outcome]]:
    """Return the values of lines, and refusals of those that are no JSON or in which a key stands twice."""
    each = lines.split(b"\n")
    try:
        rows = msgspec.json.decode(b"[" + b",".join(each) + b"]")
        # A key that stands twice leaves fewer fields than the text has keys.
        if all(isinstance(row, dict) for row in rows) and len(_KEY.findall(lines)) == sum(map(len, rows)):
            return rows, {}
    except _NO_JSON:
        pass  # at least one line is no JSON: find out which
    rows, unread = [], {}
    for at, line in enumerate(each, start):
        try:
            row = msgspec.json.decode(line)
        except _NO_JSON:
            row = None
            unread[at] = _unread(at, "not_json", _("the line is no JSON."))
        if isinstance(row, dict) and not _once(line, row):
            unread[at], row = _unread(at, "duplicate_key", _("a key stands twice.")), None
        rows.append(row)
    return rows, unread


def _once(line: bytes, row: dict) -> bool:
    """Say whether no key of the object stands twice; rows are flat, so that nothing within is looked at."""
    return len(json.loads(line, object_pairs_hook=list)) == len(row)


def _unread(at: int, code: str, problem: str) -> Outcome:
    detail = _("Row %(row)d: %(problem)s") % {"row": at + 1, "problem": problem}
    return Outcome(row_id="", status="rejected", code=code, pointer=f"/rows/{at}", detail=detail)


def forget() -> int:
    """Drop what broken loads left behind for a week; return how many parts."""
    old = FeedPart.objects.filter(job__finished_at__lt=timezone.now() - KEEP_PARTS)
    return old.delete()[0]
