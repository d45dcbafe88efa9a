"""The pages of imports: all batches, a new one, and one batch from its columns to its undoing."""

import io

import xlsxwriter
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.imports import batch as batches
from customers.imports.columns import COLUMNS, by_code
from customers.imports.reading import ENCODINGS
from customers.models import ImportBatch, ImportKind, ImportRow
from staff.refusal import Refused
from staff.sheets import CSV_TYPE, XLSX_TYPE, cell, csv_bytes
from staff.shell import render_page

may_import = permission_required("customers.import_file", raise_exception=True)

SHOWN = 100


class UploadForm(forms.Form):
    """Reads a file and what it holds."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What the file holds"), choices=ImportKind.choices, widget=forms.RadioSelect,
        initial=ImportKind.CUSTOMERS,
    )  # fmt: skip
    file = forms.FileField(
        label=gettext_lazy("File"), widget=forms.FileInput(attrs={"class": "form-control", "accept": ".csv,.xlsx"}),
        help_text=gettext_lazy("CSV or XLSX, 10 MB and 50,000 rows at most; the first row holds the heads."),
    )  # fmt: skip
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding of a CSV"), required=False, widget=forms.Select(attrs={"class": "form-select"}),
        choices=[("", gettext_lazy("found by itself")), *((code, code.upper()) for code in ENCODINGS)],
    )  # fmt: skip


def _visible(request):
    return ImportBatch.objects.visible_to(request.user).select_related("by", "job", "branch")


@require_GET
@may_import
def import_list(request):
    """The newest batches, and where to bring in another."""
    context = {"batches": _visible(request)[:50], "kinds": ImportKind.choices}
    return render_page(request, "customers/import_list.html", context)


@require_http_methods(["GET", "POST"])
@may_import
def import_new(request):
    """Take a file in; then its columns are matched."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = batches.receive(
                kind=form.cleaned_data["kind"], name=file.name, content=file.read(), by=request.user,
                encoding=form.cleaned_data["encoding"],
            )  # fmt: skip
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect(made)
    context = {"form": form, "kinds": ImportKind.choices}
    return render_page(request, "customers/import_new.html", context, status=422 if form.errors else 200)


@require_GET
@may_import
def import_batch(request, pk):
    """One batch: the columns to match, or the report of the rows, with what can be done next."""
    held = get_object_or_404(_visible(request), pk=pk)
    columns = by_code(held.kind)
    wanted = request.GET.get("outcome", ImportRow.Outcome.REFUSED if held.counts.get("refused") else "")
    wanted = wanted if wanted in ImportRow.Outcome.values else ""
    rows = held.rows.filter(outcome=wanted) if wanted else held.rows.exclude(outcome="")
    here = held.get_absolute_url()
    context = {
        "batch": held,
        "columns": COLUMNS[held.kind],
        "matching": [{"head": head, "code": held.mapping.get(head, "")} for head in held.heads],
        "tabs": [
            {"label": label, "count": held.counts.get(code, 0), "url": f"{here}?outcome={code}", "active": code == wanted}
            for code, label in ImportRow.Outcome.choices
            if code
        ],
        "rows": [_shown(row, columns) for row in rows.order_by("number")[:SHOWN]],
        "shown": SHOWN,
        "busy": held.job is not None and held.job.is_open,
        "may_check": held.status in (ImportBatch.Status.UPLOADED, ImportBatch.Status.CHECKED),
        "writes": held.counts.get("created", 0) + held.counts.get("updated", 0),
    }  # fmt: skip
    return render_page(request, "customers/import_batch.html", context)


def _shown(row: ImportRow, columns) -> dict:
    """Return a row of the report: its number, outcome and faults; no cell is shown."""
    faults = [
        {"label": columns[fault["column"]].label if fault["column"] in columns else fault["column"], **fault}
        for fault in row.faults
    ]
    return {"row": row, "faults": faults}


@require_POST
@may_import
def import_match(request, pk):
    """Keep which column is which, and check the rows."""
    held = get_object_or_404(_visible(request), pk=pk)
    mapping = {
        head: request.POST.get(f"column-{number}", "")
        for number, head in enumerate(held.heads)
        if request.POST.get(f"column-{number}")
    }
    try:
        batches.match(batch=held, mapping=mapping, by=request.user)
        job = batches.ask(batch=held, step="check", by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(held)
    return redirect(f"{job.get_absolute_url()}?back={held.get_absolute_url()}")


@require_POST
@may_import
def import_step(request, pk):
    """Apply a checked batch, or undo an applied one, as a job."""
    held, step = get_object_or_404(_visible(request), pk=pk), request.POST.get("step", "")
    if step not in ("apply", "undo"):
        raise Http404
    try:
        job = batches.ask(batch=held, step=step, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(held)
    return redirect(f"{job.get_absolute_url()}?back={held.get_absolute_url()}")


@require_GET
@may_import
def import_report(request, pk):
    """The report as a file: row, outcome, column, reason."""
    held = get_object_or_404(_visible(request), pk=pk)
    columns = by_code(held.kind)
    lines = [[_("Row"), _("Outcome"), _("Column"), _("Reason")]]
    for row in held.rows.exclude(outcome="").order_by("number").iterator():
        for fault in _shown(row, columns)["faults"] or [{"label": "", "reason": ""}]:
            lines.append([row.number, str(row.get_outcome_display()), str(fault["label"]), fault["reason"]])
    response = HttpResponse(csv_bytes(lines), content_type=CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="import-{held.pk}-report.csv"'
    return response


@require_GET
@may_import
def import_template(request, kind, form):
    """A file to fill in: the heads of a kind in the reader's language, and a row of examples."""
    if kind not in ImportKind.values or form not in ("csv", "xlsx"):
        raise Http404
    heads = [str(column.label) for column in COLUMNS[kind]]
    example = [column.example for column in COLUMNS[kind]]
    if form == "csv":
        response = HttpResponse(csv_bytes([heads, example]), content_type=CSV_TYPE)
    else:
        response = HttpResponse(_workbook(heads, example, kind), content_type=XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{kind}-template.{form}"'
    return response


def _workbook(heads: list[str], example: list[str], kind: str) -> bytes:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(memory, {"strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet(kind)
    plain, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    page.set_column(0, len(heads) - 1, 18, plain)  # text, so that long numbers keep their digits
    page.freeze_panes(1, 0)
    for place, (head, said) in enumerate(zip(heads, example, strict=True)):
        page.write_string(0, place, head, bold)
        page.write_string(1, place, cell(said), plain)
    book.close()
    return memory.getvalue()
