"""The life of a batch: received, its columns matched, checked row by row, applied whole or not at all, undone."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.imports.columns import BadCell, by_code, guess
from customers.imports.reading import Table, read
from customers.imports.targets import TARGETS, Judged
from customers.models import Customer, ImportBatch, ImportMapping, ImportRow
from staff import audit, jobs
from staff.job_track import Track
from staff.models import Job, Staff
from staff.refusal import Refused

CHUNK = 1_000

Status, Outcome, Undoing = ImportBatch.Status, ImportRow.Outcome, ImportRow.Undoing


class ImportRefused(Refused):
    """The batch cannot be taken on so; the message says why."""

    code = "import_refused"


STEPS = {
    "check": gettext_lazy("Check a file"),
    "apply": gettext_lazy("Apply a file"),
    "undo": gettext_lazy("Undo a file"),
}


# --- Receiving and matching ------------------------------------------------------------------------


def receive(*, kind: str, name: str, content: bytes, encoding: str = "", by: Staff) -> ImportBatch:
    """Keep a file's rows, sealed, with its columns matched as the last time or by their names.

    Raises:
        Unreadable: see `reading.read`.
    """
    return keep(kind=kind, name=name, table=read(content, name=name, encoding=encoding), by=by)


@transaction.atomic
def keep(*, kind: str, name: str, table: Table, by: Staff) -> ImportBatch:
    """Keep a table that was read as a new batch."""
    known = ImportMapping.objects.filter(kind=kind, branch=by.branch_id, signature=signature(table.heads)).first()
    batch = ImportBatch.objects.create(
        kind=kind, file_name=name[-120:], encoding=table.encoding, heads=table.heads, branch_id=by.branch_id, by=by,
        mapping=known.mapping if known else guess(kind, table.heads),
    )  # fmt: skip
    ImportRow.objects.bulk_create(
        (
            ImportRow(batch=batch, number=number, cells=json.dumps(cells, ensure_ascii=False))
            for number, cells in enumerate(table.rows, start=2)
            if any(cells)
        ),
        batch_size=2000,
    )
    audit.record("import.received", batch, by=by, kind=kind, rows=len(table.rows))
    return batch


def signature(heads: list[str]) -> str:
    """Return by which a file's heads are known again."""
    return hashlib.sha256(json.dumps(heads, ensure_ascii=False).encode()).hexdigest()


@transaction.atomic
def match(*, batch: ImportBatch, mapping: dict[str, str], by: Staff) -> ImportBatch:
    """Say which column of the file is which of the kind's, {head: code}; remembered for the next file of these heads.

    Raises:
        ImportRefused: a column is named twice, a needed one is missing, or the batch was applied.
    """
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.status not in (Status.UPLOADED, Status.CHECKED):
        raise ImportRefused(_("The file was applied already."))
    columns = by_code(batch.kind)
    mapping = {head: code for head, code in mapping.items() if head in batch.heads and code in columns}
    twice = [code for code, number in Counter(mapping.values()).items() if number > 1]
    if twice:
        raise ImportRefused(_("“{label}” is matched twice.").format(label=columns[twice[0]].label))
    missing = [column for column in columns.values() if column.required and column.code not in mapping.values()]
    if missing:
        labels = "、".join(str(column.label) for column in missing)
        raise ImportRefused(_("Say which column of the file is: {labels}").format(labels=labels))
    batch.mapping, batch.status = mapping, Status.UPLOADED
    batch.save(update_fields=["mapping", "status"])
    ImportMapping.objects.update_or_create(
        kind=batch.kind, branch_id=batch.branch_id, signature=signature(batch.heads), defaults={"mapping": mapping}
    )
    return batch


@transaction.atomic
def ask(*, batch: ImportBatch, step: str, by: Staff) -> Job:
    """Ask for a step of the batch as a job: check, apply or undo.

    Raises:
        ImportRefused: the batch is in another state, or a job is at it.
    """
    batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("job").get(pk=batch.pk)
    if batch.job and batch.job.is_open:
        raise ImportRefused(_("A job is at this file already."))
    allowed = {"check": (Status.UPLOADED, Status.CHECKED), "apply": (Status.CHECKED,), "undo": (Status.APPLIED,)}
    if batch.status not in allowed[step]:
        raise ImportRefused(_("The file is in another state by now; look at it again."))
    batch.job = jobs.start(
        kind=f"customers.import_{step}", by=by, title=f"{STEPS[step]} · {batch.file_name}", params={"batch": batch.pk},
        total=batch.rows.count(),
    )  # fmt: skip
    batch.save(update_fields=["job"])
    return batch.job


# --- Judging ---------------------------------------------------------------------------------------


def _judged(batch: ImportBatch, rows: list[ImportRow], first_of: dict[str, int], by: Staff) -> list[Judged]:
    """Judge a part of a batch; `first_of` remembers the row in which a key stood first."""
    columns, target = by_code(batch.kind), TARGETS[batch.kind]
    places = [(batch.heads.index(head), columns[code]) for head, code in batch.mapping.items()]
    found, sound = [], []
    for row in rows:
        cells = json.loads(row.cells)
        one = Judged(row.number, {})
        for place, column in places:
            said = cells[place] if place < len(cells) else ""
            if not said:
                if column.required:
                    one.faults.append((column.code, _("is missing")))
                continue
            try:
                one.values[column.code] = column.read(said)
            except BadCell as fault:
                one.faults.append((column.code, str(fault)))
        key = one.values.get(target.key)
        if key is not None and first_of.setdefault(key, row.number) != row.number:
            one.faults.append((target.key, _("stands in row %(row)d already") % {"row": first_of[key]}))
        found.append(one)
        if not one.faults:
            sound.append(one)
    target.judge(sound, by=by)
    return found


def _parts(batch: ImportBatch) -> Iterator[list[ImportRow]]:
    last = 0
    while rows := list(batch.rows.filter(number__gt=last).order_by("number")[:CHUNK]):
        yield rows
        last = rows[-1].number


def _note(rows: list[ImportRow], judged: list[Judged], *, columns: list[str]) -> None:
    for row, one in zip(rows, judged, strict=True):
        row.outcome, row.target = one.outcome, one.target
        row.faults = [{"column": column, "reason": reason} for column, reason in one.faults]
        row.before = json.dumps(one.before, ensure_ascii=False) if one.after else ""
        row.after = json.dumps(one.after, ensure_ascii=False) if one.after else ""
    ImportRow.objects.bulk_update(rows, columns, batch_size=500)


def _counted(batch: ImportBatch) -> dict[str, int]:
    return dict(batch.rows.values_list("outcome").annotate(Count("pk")).order_by())


@transaction.atomic
def check(*, batch: ImportBatch, by: Staff, track: Callable = iter) -> dict[str, int]:
    """Judge every row and write nothing else; return how many have each outcome.

    Raises:
        ImportRefused: the batch was applied meanwhile.
    """
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.status not in (Status.UPLOADED, Status.CHECKED):
        raise ImportRefused(_("The file was applied already."))
    first_of: dict[str, int] = {}
    for rows in _parts(batch):
        judged = _judged(batch, rows, first_of, by)
        _note(rows, judged, columns=["outcome", "faults"])
        for _row in track(rows):
            pass
    batch.counts, batch.status = _counted(batch), Status.CHECKED
    batch.save(update_fields=["counts", "status"])
    return batch.counts


@transaction.atomic
def apply(*, batch: ImportBatch, by: Staff, track: Callable = iter) -> dict[str, int]:
    """Judge every row again and write the sound ones, all in one transaction; a batch that is applied stays as it is.

    Raises:
        ImportRefused: it was not checked.
    """
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.status == Status.APPLIED:
        return batch.counts
    if batch.status != Status.CHECKED:
        raise ImportRefused(_("Check the file first."))
    first_of: dict[str, int] = {}
    target = TARGETS[batch.kind]
    for rows in _parts(batch):
        judged = _judged(batch, rows, first_of, by)
        _lock([one.customer for one in judged if one.customer])
        target.write([one for one in judged if one.outcome in (Outcome.CREATED, Outcome.UPDATED)], by=by)
        _note(rows, judged, columns=["outcome", "faults", "target", "before", "after"])
        for _row in track(rows):
            pass
    batch.counts, batch.status, batch.applied_at = _counted(batch), Status.APPLIED, timezone.now()
    batch.save(update_fields=["counts", "status", "applied_at"])
    audit.record("import.applied", batch, by=by, kind=batch.kind, **_numbers(batch.counts))
    return batch.counts


def _lock(customers: list[int]) -> None:
    """Take the customers in key order, as every writer does."""
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))


def _numbers(counts: dict[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in ("created", "updated", "unchanged", "refused")}


@transaction.atomic
def undo(*, batch: ImportBatch, by: Staff, track: Callable = iter) -> dict[str, int]:
    """Take a batch back, the newest row first; rows that were edited since stay and say so. Again changes nothing.

    Raises:
        ImportRefused: it was not applied.
    """
    batch = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.status == Status.UNDONE:
        return batch.counts
    if batch.status != Status.APPLIED:
        raise ImportRefused(_("Only an applied file can be undone."))
    changed = batch.rows.filter(outcome__in=[Outcome.CREATED, Outcome.UPDATED]).order_by("number")
    pks = list(changed.values_list("pk", flat=True))
    for start in range(0, len(pks), CHUNK):
        rows = list(ImportRow.objects.filter(pk__in=pks[start : start + CHUNK]).order_by("number"))
        _take_back(batch, rows, by)
        for _row in track(rows):
            pass
    undone = batch.rows.filter(undoing=Undoing.UNDONE).count()
    batch.counts |= {"undone": undone, "kept": batch.rows.filter(undoing=Undoing.KEPT).count()}
    batch.status, batch.undone_at = Status.UNDONE, timezone.now()
    batch.save(update_fields=["counts", "status", "undone_at"])
    audit.record("import.undone", batch, by=by, kind=batch.kind, undone=undone, kept=batch.counts["kept"])
    return batch.counts


def _take_back(batch: ImportBatch, rows: list[ImportRow], by: Staff) -> None:
    target = TARGETS[batch.kind]
    now = target.now([row.target for row in rows], ())
    changes = {}
    for row in rows:
        after = json.loads(row.after)
        held = now.get(row.target)
        if held is None or any(held.get(name) != value for name, value in after.items() if name in held):
            row.undoing = Undoing.KEPT
        else:
            before = json.loads(row.before) if row.before else None
            changes[row.target] = before
            row.undoing = Undoing.UNDONE
    stays = target.revert(changes, by=by)
    for row in rows:
        if row.target in stays:
            row.undoing = Undoing.KEPT
    ImportRow.objects.bulk_update(rows, ["undoing"], batch_size=500)


# --- As jobs ---------------------------------------------------------------------------------------


def _batch_of(job: Job) -> ImportBatch:
    return ImportBatch.objects.visible_to(job.asked_by).get(pk=job.params["batch"])


@jobs.kind("customers.import_check")
def check_as_job(job: Job, track: Track) -> str:
    counts = check(batch=_batch_of(job), by=job.asked_by, track=track)
    return _("{created} new, {updated} changed, {unchanged} unchanged, {refused} refused.").format(**_numbers(counts))


@jobs.kind("customers.import_apply")
def apply_as_job(job: Job, track: Track) -> str:
    counts = apply(batch=_batch_of(job), by=job.asked_by, track=track)
    return _("{created} new, {updated} changed, {unchanged} unchanged, {refused} refused.").format(**_numbers(counts))


@jobs.kind("customers.import_undo")
def undo_as_job(job: Job, track: Track) -> str:
    counts = undo(batch=_batch_of(job), by=job.asked_by, track=track)
    return _("{undone} rows undone, {kept} kept because they were edited since.").format(**counts)
