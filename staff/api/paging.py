"""Lists of the API: query strings read strictly, pages by an opaque signed cursor over (updated_at, id)."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from django.core import signing
from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from staff.api.problem import Problem

LIMIT = 50
MAX_LIMIT = 200


def read_query(request, *, rows_of: type | None = None, **readers: Callable[[str], object]) -> dict:
    """Return the query parameters as values; each reader takes a text and raises ValueError if it does not fit.

    `limit` and `cursor` are read everywhere; a parameter that nobody reads, or that stands twice, is refused.

    Args:
        rows_of: the serializer of the list's rows, of whose fields the client may ask for some (`fields`).

    Raises:
        Problem: 400 that names every parameter that does not fit.
    """
    known = {"limit": limit, "cursor": str} | readers
    if rows_of:
        known["fields"] = some_of(rows_of().fields)
    values, errors = {}, []
    for name, texts in request.query_params.lists():
        if name not in known:
            errors.append(_error(name, "unknown_parameter", _("There is no such parameter.")))
        elif len(texts) > 1:
            errors.append(_error(name, "repeated_parameter", _("Give this parameter once.")))
        elif "\0" in texts[0]:
            errors.append(_error(name, "nul", _("A text may not hold the character NUL.")))
        else:
            try:
                values[name] = known[name](texts[0])
            except ValueError:
                errors.append(_error(name, "invalid", _("This value does not fit.")))
    if errors:
        raise Problem(_("The query does not fit."), code="invalid_query", errors=errors)
    return {"limit": LIMIT, "cursor": ""} | values


def _error(name, code, detail) -> dict:
    return {"pointer": f"?{name}", "code": code, "detail": detail}


def limit(text: str) -> int:
    """Read how many rows a page has: 1 to 200."""
    return whole_number(1, MAX_LIMIT)(text)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from low to high."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return read


def one_of(values: dict | list | tuple | set) -> Callable[[str], object]:
    """Return a reader of certain words; with a dict, of what they stand for."""

    def read(text: str):
        if text not in values:
            raise ValueError(text)
        return values[text] if isinstance(values, dict) else text

    return read


def some_of(names) -> Callable[[str], list[str]]:
    """Return a reader of names that commas separate."""

    def read(text: str) -> list[str]:
        return [one_of(set(names))(name) for name in text.split(",")]

    return read


def iso_day(text: str) -> date:
    """Read a day: 2026-11-25."""
    if len(text) != 10:
        raise ValueError(text)
    return date.fromisoformat(text)


def day_in_path(text: str) -> date:
    """Return the day that an address names.

    Raises:
        Problem: 404 where there is no such day.
    """
    try:
        return iso_day(text)
    except ValueError:
        raise Problem(_("There is no such day."), code="not_found", status_code=404) from None


DAY = OpenApiParameter("day", {"type": "string", "format": "date"}, OpenApiParameter.PATH)


def page_of(rows, *, request, query: dict, serializer: type, by_change: bool = True) -> Response:
    """Answer with one page of a queryset, as `page_after`; `query` is that of `read_query`, its `fields` are shown."""
    row_of = serializer()
    for name in set(row_of.fields) - set(query.get("fields", row_of.fields)):
        row_of.fields.pop(name)
    page = page_after(
        rows, request=request, limit=query["limit"], cursor=query["cursor"], show=row_of.to_representation,
        by_change=by_change,
    )  # fmt: skip
    return Response(page)


def page_after(rows, *, request, limit: int, cursor: str, show: Callable, by_change: bool = True) -> dict:
    """Return one page of a queryset: {"results": […], "next_cursor": text or null}.

    Args:
        rows: a queryset already cut to what the client may see.
        cursor: of the page before, "" for the first.
        show: makes the dict of one row.
        by_change: in the order of `updated_at`, so that a changed row comes again; else as they were written (`id`).
    """
    salt = f"cursor:{request.client.pk}:{request.path}"
    rows = rows.order_by("updated_at", "id") if by_change else rows.order_by("id")
    if cursor:
        at, pk = _read_cursor(cursor, salt)
        after = Q(updated_at__gt=at) | Q(updated_at=at, id__gt=pk)
        rows = rows.filter(after, updated_at__gte=at) if by_change else rows.filter(id__gt=pk)
    page = list(rows[: limit + 1])
    last = page[limit - 1] if len(page) > limit else None
    at = last.updated_at if last and by_change else BEGINNING
    return {
        "results": [show(row) for row in page[:limit]],
        "next_cursor": signing.dumps([at.isoformat(), last.pk], salt=salt) if last else None,
    }


BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for the time in the cursor of a list that has none."""


def _read_cursor(cursor: str, salt: str) -> tuple[datetime, int]:
    try:
        at, pk = signing.loads(cursor, salt=salt)
        return datetime.fromisoformat(at), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        text = _("This cursor was not given out here; begin without one.")
        error = _error("cursor", "invalid_cursor", text)
        raise Problem(text, code="invalid_query", errors=[error]) from None
