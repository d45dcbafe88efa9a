"""Customers as a file: chosen columns of who was in the list when it was asked, masked, as a job, with its purpose.

Numbers are bare, days ISO, the unit stands in the head; the last line says who took it, when and what for.
"""

import io
from dataclasses import dataclass

import xlsxwriter
from django.db import models, transaction
from django.utils import timezone
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.columns import BY_KEY, Column, Look, head_of, offered, raw_of
from customers.models import Customer
from customers.search import SEALED
from staff import audit, jobs
from staff.job_track import Track
from staff.models import Job, Staff
from staff.refusal import Refused
from staff.roles import Role
from staff.sheets import CSV_TYPE, XLSX_TYPE, cell, csv_bytes

CHUNK = 500

LIMITS = {Role.BRANCH_HEAD: 5_000, Role.SUB_BRANCH_PRESIDENT: 20_000, Role.RETAIL_ADMIN: 50_000}
"""How many rows one export of a role holds at most; above it, somebody with a wider limit exports."""

ABOVE = {Role.BRANCH_HEAD: Role.SUB_BRANCH_PRESIDENT, Role.SUB_BRANCH_PRESIDENT: Role.RETAIL_ADMIN}


class Format(models.TextChoices):
    XLSX = "xlsx", gettext_lazy("Excel (XLSX)")
    CSV = "csv", gettext_lazy("CSV (UTF-8)")


class TooManyRows(Refused):
    """The list is longer than the person's role may export."""

    code = "too_many_rows"


def limit_of(viewer: Staff) -> int:
    """Return how many rows this person may export at once; 0 for those who may not at all."""
    return LIMITS.get(viewer.role, 0)


def who_may_more(viewer: Staff) -> str:
    """Return the role that exports what is above this person's limit; empty if nobody."""
    above = ABOVE.get(viewer.role)
    return str(Role(above).label) if above else ""


@transaction.atomic
def ask(*, by: Staff, selection: list[int], columns: list[str], file_format: str, purpose: str, filters: str) -> Job:
    """Ask for an export of these customers, in their order; the trail keeps the purpose, the filters and the number.

    Raises:
        TooManyRows: more than the role's limit.
    """
    if len(selection) > limit_of(by):
        raise TooManyRows(
            _("You may export at most {limit} customers at once; {role} may export more.").format(
                limit=f"{limit_of(by):,}", role=who_may_more(by) or _("nobody")
            )
        )
    allowed = {column.key for column in offered(by) if column.exported}
    keys = [key for key in BY_KEY if key in set(columns) and key in allowed]
    params = {"columns": keys, "format": Format(file_format).value, "purpose": purpose}
    job = jobs.start(
        kind="customers.export", by=by, title=_("Export of customers"), params=params, selection=selection,
        unit=Job.Unit.CUSTOMERS,
    )  # fmt: skip
    audit.record(
        "customer.export_asked", job, by=by, number=len(selection), purpose=purpose, filters=filters[:400],
        columns=", ".join(keys), format=params["format"],
    )  # fmt: skip
    return job


@dataclass(frozen=True)
class Sheet:
    """What is written: heads, the rows one after another, the line at the end."""

    columns: list[Column]
    heads: list[str]
    foot: str


@jobs.kind("customers.export")
def export(job: Job, track: Track) -> str:
    """Write the file; who left the asker's sight since it was asked is left out and named."""
    viewer, params = job.asked_by, job.params
    sheet = sheet_of(viewer, params)
    rows = rows_of(job, track, sheet, Look(viewer, localdate()))
    writer = {Format.XLSX: xlsx, Format.CSV: comma_separated}[Format(params["format"])]
    content, number = writer(sheet, rows)
    content_type = XLSX_TYPE if params["format"] == Format.XLSX else CSV_TYPE
    name = f"customers-{localdate():%Y%m%d}-{job.pk}.{params['format']}"
    with transaction.atomic():
        track.keep(name=name, content=content, content_type=content_type, until=timezone.now() + jobs.KEEP_RESULTS)
        audit.record(
            "customer.exported", job, by=viewer, number=number, purpose=params["purpose"], format=params["format"]
        )
    return _("{n} customers in the file.").format(n=f"{number:,}")


def sheet_of(viewer: Staff, params: dict) -> Sheet:
    columns = [BY_KEY[key] for key in params["columns"]]
    taken = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    foot = " · ".join(
        [
            viewer.branch.name,
            f"{viewer.name} {viewer.staff_no}",
            taken,
            params["purpose"],
            _("internal, do not pass on"),
        ]
    )
    return Sheet(columns, [head_of(column, viewer) for column in columns], foot)


def rows_of(job: Job, track: Track, sheet: Sheet, look: Look):
    """Yield the cells of each customer of the selection that is still in sight, in the order asked for."""
    missing = []
    scope = Customer.objects.visible_to(look.viewer).select_related("manager", "branch").defer(*SEALED)
    for start in range(0, len(job.selection), CHUNK):
        part = job.selection[start : start + CHUNK]
        here = scope.in_bulk(part)
        for pk in track(part):
            if pk in here:
                yield [raw_of(here[pk], column, look) for column in sheet.columns]
            else:
                missing.append((f"#{pk}", _("not in your sight any more")))
    track.faults(missing)


def comma_separated(sheet: Sheet, rows) -> tuple[bytes, int]:
    """Return the file and how many customers are in it."""
    found = list(rows)
    return csv_bytes([sheet.heads, *found, [f"# {sheet.foot}"]]), len(found)


def xlsx(sheet: Sheet, rows) -> tuple[bytes, int]:
    """Return the workbook and how many customers are in it; rows go to disk one by one, no text becomes a formula."""
    memory = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(memory, options)
    page = book.add_worksheet(str(_("Customers"))[:31])
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    page.freeze_panes(1, 1)
    page.set_column(0, len(sheet.heads) - 1, 16)
    page.set_footer(f"&L{sheet.foot.replace('&', '&&')[:200]}&R&P/&N")
    page.write_row(0, 0, sheet.heads, bold)
    number = 0
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, str):
                page.write_string(number, place, cell(value))
            elif value is not None:
                page.write_number(number, place, value, money if sheet.columns[place].money else None)
    page.write_string(number + 1, 0, sheet.foot)
    book.close()
    return memory.getvalue(), number
