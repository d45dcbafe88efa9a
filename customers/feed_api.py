"""The doors by which the core banking system sends: for each feed a batch, a load of any size, and one row by its keys.

All three go through the feed's one verb, so that a row has the same effect whichever way it comes.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, parser_classes, permission_classes
from rest_framework.response import Response

from customers import feed as feeds
from customers.feed import FEEDS, Feed, loading
from customers.serializers import BatchAnswerSerializer, CountsSerializer, PutAnswerSerializer
from staff import audit
from staff.api.authentication import IsClient, needs_scope
from staff.api.body import NdjsonParser
from staff.api.documentation import IDEMPOTENCY_KEY, problems
from staff.api.idempotency import idempotent, idempotent_stream
from staff.api.paging import DAY, day_in_path, iso_day, read_query
from staff.api.problem import Problem
from staff.api.shapes import serializer_of
from staff.models import Job

MAX_ROWS = 10_000
NDJSON = "application/x-ndjson"
AS_OF = OpenApiParameter(
    "as_of", {"type": "string", "format": "date"}, required=True, description="the business day that the rows speak of"
)


class Batch(msgspec.Struct, forbid_unknown_fields=True):
    """The envelope of a batch; rows are read one by one, so that a bad one does not hide the others."""

    as_of: date
    rows: Annotated[list[Any], msgspec.Meta(min_length=1, max_length=MAX_ROWS)]
    mode: Literal["partial", "atomic"] = "partial"


class BatchSerializer(serializers.Serializer):
    as_of = serializers.DateField(help_text="the business day that the rows speak of")
    mode = serializers.ChoiceField(choices=["partial", "atomic"], required=False)


class LoadSerializer(serializers.Serializer):
    """How far a load is; `counts` are of the rows taken so far."""

    id = serializers.IntegerField()
    feed = serializers.ChoiceField(choices=list(FEEDS))
    as_of = serializers.DateField()
    status = serializers.ChoiceField(choices=Job.Status.values)
    rows = serializers.IntegerField(help_text="sent")
    done = serializers.IntegerField(help_text="looked at so far")
    counts = CountsSerializer()
    outcome = serializers.CharField(allow_blank=True, help_text="what came of it, or why it broke off")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    href = serializers.CharField(help_text="where it is read again")
    errors_href = serializers.CharField(help_text="the rejected rows, a line each")


# --- batches ---------------------------------------------------------------------------------------------


def batch_view(feed: Feed) -> Callable:
    """Return the door for up to 10,000 rows of a feed."""
    rows = serializer_of(feed.row)(many=True)
    named = feed.row.__name__.removesuffix("Row")
    shape = type(f"{named}BatchSerializer", (BatchSerializer,), {"rows": rows})

    @extend_schema(
        operation_id=_operation(feed, "batch"),
        summary=f"Send {feed.what}",
        parameters=[IDEMPOTENCY_KEY],
        request=shape,
        responses={200: BatchAnswerSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
        tags=["in"],
    )
    @api_view(["POST"])
    @permission_classes([needs_scope(feed.scope)])
    @idempotent
    def batch(request):
        """Take up to 10,000 rows; each is answered, in the order sent."""
        return _take(request, feed)

    return batch


def _take(request, feed: Feed) -> Response:
    batch = _envelope(request.data)
    good, outcomes = feeds.read_rows(batch.rows, feed.row)
    with transaction.atomic():
        outcomes |= feed.take(rows=good, as_of=batch.as_of, by=request.client)
        answers = [outcomes[position] for position in range(len(batch.rows))]
        refused = [answer for answer in answers if answer.status == "rejected"]
        if batch.mode == "atomic" and refused:
            text = _("%(refused)d of %(rows)d rows cannot be taken; nothing was written.")
            errors = [{"pointer": row.pointer, "code": row.code, "detail": row.detail} for row in refused]
            counts = {"refused": len(refused), "rows": len(answers)}
            raise Problem(text % counts, code="batch_refused", status_code=422, errors=errors)
    counts = dict.fromkeys(loading.STATUSES, 0)
    for answer in answers:
        counts[answer.status] += 1
    audit.record("feed.taken", request.client, by=request.client, as_of=batch.as_of, rows=feed.row.__name__, **counts)
    return Response({"counts": counts, "results": [answer.as_json() for answer in answers]})


def _envelope(body: Any) -> Batch:
    try:
        return msgspec.convert(body, Batch)
    except msgspec.ValidationError as error:
        message = str(error)
        place = re.search(r"- at `\$\.?([^`\[]*)", message) or re.search(r"field `([^`]+)`", message)
        pointer = f"/{place.group(1)}" if place and place.group(1) else ""
        code = "unknown_field" if "unknown field" in message else "invalid"
        if "unknown field" in message:
            pointer = "/" + re.search(r"unknown field `([^`]+)`", message).group(1)
        detail = message.split(" - at ")[0]
        text = _("The batch does not fit: %(problem)s") % {"problem": detail}
        raise Problem(text, code=code, errors=[{"pointer": pointer, "code": code, "detail": detail}]) from None


# --- one at a time ---------------------------------------------------------------------------------------

_ANSWERS = {"created": 201, "updated": 200, "unchanged": 200}


def put_schema(feed: Feed, **more):
    """Return what describes the door for one row of a feed, whose keys the address names."""
    named = feed.row.__name__.removesuffix("Row")
    answers = {200: PutAnswerSerializer, 201: PutAnswerSerializer}
    return extend_schema(
        operation_id=_operation(feed, "put"),
        summary=f"Send one of the {feed.what}",
        request=serializer_of(feed.row, without=("row_id", *feed.keys), name=f"{named}Put"),
        responses={**answers, **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
        tags=["in"],
        **more,
    )


def put_view(feed: Feed) -> Callable:
    """Return the door for one row of a feed; a day in the address is the data date."""

    @put_schema(feed, parameters=[DAY] if "data_date" in feed.keys else [])
    @api_view(["PUT"])
    @permission_classes([needs_scope(feed.scope)])
    def put(request, **named):
        """Take one row; the same again changes nothing."""
        if "day" in named:
            named["data_date"] = day_in_path(named.pop("day")).isoformat()
        return put_one(request, feed, **named)

    return put


def put_one(request, feed: Feed, **named) -> Response:
    """Take one row, named by its address; the answer's code says what became of it.

    Raises:
        Problem: 409 for a row older than the one taken last, 422 for one that cannot be taken; nothing is written.
    """
    body = request.data
    if not isinstance(body, dict) or {"row_id", *named} & body.keys():
        text = _("Send one object; what the address names does not stand in it.")
        raise Problem(text, code="invalid", errors=[{"pointer": "", "code": "invalid", "detail": text}])
    as_of = named.get("data_date") or localdate().isoformat()
    good, outcomes = feeds.read_rows([{"row_id": "1", **named, **body}], feed.row)
    with transaction.atomic():
        outcomes |= feed.take(rows=good, as_of=date.fromisoformat(as_of), by=request.client)
        answer = outcomes[0]
        if answer.status in _ANSWERS:
            audit.record("feed.taken", request.client, by=request.client, rows=feed.row.__name__, result=answer.status)
    if answer.status in ("stale", "rejected"):
        pointer = (answer.pointer or "").replace("/rows/0", "", 1)
        code, text = answer.code or "stale", answer.detail or _("A newer version of it has been taken already.")
        errors = [{"pointer": pointer, "code": code, "detail": text}]
        raise Problem(text, code=code, status_code=409 if answer.status == "stale" else 422, errors=errors)
    return Response({"status": answer.status}, status=_ANSWERS[answer.status])


# --- loads of any size -----------------------------------------------------------------------------------


def load_view(feed: Feed) -> Callable:
    """Return the door for any number of rows of a feed, a line of JSON each."""

    @extend_schema(
        operation_id=_operation(feed, "load"),
        summary=f"Send any number of {feed.what}",
        parameters=[AS_OF, IDEMPOTENCY_KEY],
        request={NDJSON: OpenApiTypes.BINARY},
        responses={202: LoadSerializer, **problems(400, 401, 403, 409, 415, 422, 503)},
        tags=["in"],
    )
    @api_view(["POST"])
    @permission_classes([needs_scope(feed.scope)])
    @parser_classes([NdjsonParser])
    def load(request):
        """Lay rows by as they arrive, a line of JSON each; a worker takes them, and the answer says where to look."""
        as_of = read_query(request, as_of=iso_day).get("as_of")
        if as_of is None:
            missing = {"pointer": "?as_of", "code": "required", "detail": _("Name the business day.")}
            raise Problem(_("Name the business day."), code="invalid", errors=[missing])
        return idempotent_stream(
            request,
            digest_of=loading.digest_of,
            act=lambda stream: _receive(stream, feed, as_of, request.client),
        )

    return load


def _receive(stream, feed: Feed, as_of: date, client) -> tuple[Response, str]:
    job, digest = loading.receive(stream=stream, feed=feed, as_of=as_of, by=client)
    job.refresh_from_db()
    return Response(_shown(job), status=202), digest


def _shown(job: Job) -> dict:
    counts = dict.fromkeys(loading.STATUSES, 0) | job.checkpoint.get("counts", {})
    href = f"/api/v1/jobs/{job.pk}/"
    return {
        "id": job.pk, "feed": job.params["feed"], "as_of": job.params["as_of"], "status": job.status, "rows": job.total,
        "done": job.done, "counts": counts, "outcome": job.outcome, "created_at": job.created_at,
        "finished_at": job.finished_at, "href": href, "errors_href": f"{href}errors/",
    }  # fmt: skip


def _load_of(request, pk: int) -> Job:
    return get_object_or_404(Job, pk=pk, client=request.client, kind=loading.KIND)


@extend_schema(
    operation_id="jobs_retrieve",
    summary="See how far a load is",
    responses={200: LoadSerializer, **problems(401, 404)},
    tags=["in"],
)
@api_view(["GET"])
@permission_classes([IsClient])
def load_state(request, pk):
    """Return how far a load of the client's own is, and what became of its rows."""
    return Response(_shown(_load_of(request, pk)))


@extend_schema(
    operation_id="jobs_errors",
    summary="Read the rows of a load that were rejected",
    responses={
        (200, NDJSON): OpenApiResponse(OpenApiTypes.STR, description="{line, field, code, detail} a line"),
        **problems(401, 404),
    },
    tags=["in"],
)
@api_view(["GET"])
@permission_classes([IsClient])
def load_errors(request, pk):
    """Stream the rejected rows in the order of their lines: {"line", "field", "code", "detail"} each."""
    faults = _load_of(request, pk).faults.order_by("pk").values_list("row", "code", "reason")
    return StreamingHttpResponse((_fault(*one) for one in faults.iterator(chunk_size=2000)), content_type=NDJSON)


def _fault(row: str, code: str, detail: str) -> bytes:
    line, _space, field = row.partition(" ")
    return msgspec.json.encode({"line": int(line), "field": field, "code": code, "detail": detail}) + b"\n"


# --- addresses -------------------------------------------------------------------------------------------


def _operation(feed: Feed, act: str) -> str:
    return f"{feed.name.replace('-', '_')}_{act}"


ONE = {
    "assets": "customers/<str:customer_no>/assets/<str:day>/",
    "transactions": "transactions/<str:external_id>/",
    "holdings": "holdings/<str:external_id>/",
    "products": "products/<str:code>/",
    "product-values": "products/<str:product>/values/<str:day>/",
    "risk-assessments": "risk-assessments/<str:external_id>/",
    "outlets": "outlets/<str:code>/",
    "staff": "staff/<str:staff_no>/",
}
"""Where one row of a feed is sent; a customer's own address is read as well (`customers.read_api`)."""


def feed_urls() -> list:
    """Return the addresses of every feed: batch, load, and one row."""
    found = [
        path("jobs/<int:pk>/", login_not_required(load_state), name="load_state"),
        path("jobs/<int:pk>/errors/", login_not_required(load_errors), name="load_errors"),
    ]
    for feed in FEEDS.values():
        found += [
            path(f"{feed.name}:batch", login_not_required(batch_view(feed)), name=_operation(feed, "batch")),
            path(f"{feed.name}:load", login_not_required(load_view(feed)), name=_operation(feed, "load")),
        ]
        if feed.name in ONE:
            found.append(path(ONE[feed.name], login_not_required(put_view(feed)), name=_operation(feed, "put")))
    return found
