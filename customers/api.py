"""What the core banking system calls: customers and balances in, assignments out (domain.md §21)."""

import re
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from customers import feed
from customers.models import Assignment
from customers.serializers import (
    AssignmentPageSerializer,
    AssignmentSerializer,
    BalanceBatchSerializer,
    BalanceSerializer,
    BatchAnswerSerializer,
    CustomerBatchSerializer,
    PutAnswerSerializer,
    TransactionBatchSerializer,
)
from staff import audit
from staff.api.authentication import needs_scope
from staff.api.documentation import IDEMPOTENCY_KEY, PAGE, problems
from staff.api.idempotency import idempotent
from staff.api.paging import DAY, day_in_path, one_of, page_after, read_query
from staff.api.problem import Problem

MAX_ROWS = 10_000
STATUSES = ("created", "updated", "unchanged", "stale", "rejected")


class Batch(msgspec.Struct, forbid_unknown_fields=True):
    """The envelope of a batch; rows are read one by one, so that a bad one does not hide the others."""

    as_of: date
    rows: Annotated[list[Any], msgspec.Meta(min_length=1, max_length=MAX_ROWS)]
    mode: Literal["partial", "atomic"] = "partial"


@extend_schema(
    operation_id="customers_batch",
    summary="Send customers",
    parameters=[IDEMPOTENCY_KEY],
    request=CustomerBatchSerializer,
    responses={200: BatchAnswerSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("customers:write")])
@idempotent
def customers_batch(request):
    """Take up to 10,000 customers; each row is answered, in the order sent."""
    return _take(request, feed.CustomerRow, feed.take_customers)


@extend_schema(
    operation_id="assets_batch",
    summary="Send daily balances",
    parameters=[IDEMPOTENCY_KEY],
    request=BalanceBatchSerializer,
    responses={200: BatchAnswerSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("assets:write")])
@idempotent
def assets_batch(request):
    """Take up to 10,000 end-of-day balances; each row is answered, in the order sent."""
    return _take(request, feed.BalanceRow, feed.take_balances)


@extend_schema(
    operation_id="transactions_batch",
    summary="Send transaction events",
    parameters=[IDEMPOTENCY_KEY],
    request=TransactionBatchSerializer,
    responses={200: BatchAnswerSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("assets:write")])
@idempotent
def transactions_batch(request):
    """Take up to 10,000 events of money and visits; each row is answered, in the order sent."""
    return _take(request, feed.TransactionRow, feed.take_transactions)


def _take(request, shape, take) -> Response:
    batch = _envelope(request.data)
    good, outcomes = feed.read_rows(batch.rows, shape)
    with transaction.atomic():
        outcomes |= take(rows=good, as_of=batch.as_of, by=request.client)
        answers = [outcomes[position] for position in range(len(batch.rows))]
        refused = [answer for answer in answers if answer.status == "rejected"]
        if batch.mode == "atomic" and refused:
            text = _("%(refused)d of %(rows)d rows cannot be taken; nothing was written.")
            errors = [{"pointer": row.pointer, "code": row.code, "detail": row.detail} for row in refused]
            counts = {"refused": len(refused), "rows": len(answers)}
            raise Problem(text % counts, code="batch_refused", status_code=422, errors=errors)
    counts = dict.fromkeys(STATUSES, 0)
    for answer in answers:
        counts[answer.status] += 1
    audit.record("feed.taken", request.client, by=request.client, as_of=batch.as_of, rows=shape.__name__, **counts)
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


@extend_schema(
    operation_id="assignments_list",
    summary="Read who looks after whom",
    parameters=[
        OpenApiParameter("customer_no", str, description="of one customer"),
        OpenApiParameter("staff_no", str, description="of one member of staff"),
        OpenApiParameter("open", str, enum=["true", "false"], description="true: only those that have not ended"),
        *PAGE,
    ],
    responses={200: AssignmentPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("assignments:read")])
def assignments(request):
    """List assignments within the client's branches, oldest change first, history included."""
    query = read_query(request, customer_no=str, staff_no=str, open=one_of({"true": True, "false": False}))
    rows = Assignment.objects.visible_to(request.client).select_related("customer__branch", "staff")
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    if "staff_no" in query:
        rows = rows.filter(staff__staff_no=query["staff_no"])
    if "open" in query:
        rows = rows.filter(end__isnull=query["open"])
    return Response(
        page_after(
            rows,
            request=request,
            limit=query["limit"],
            cursor=query["cursor"],
            show=lambda row: AssignmentSerializer(row).data,
        )
    )


# --- one at a time ---------------------------------------------------------------------------------------

_ANSWERS = {"created": 201, "updated": 200, "unchanged": 200}


def put_one(request, shape, take, **named) -> Response:
    """Take one row, named by its address; the answer's code says what became of it.

    Raises:
        Problem: 409 for a row older than the one taken last, 422 for one that cannot be taken; nothing is written.
    """
    body = request.data
    if not isinstance(body, dict) or {"row_id", *named} & body.keys():
        text = _("Send one object; what the address names does not stand in it.")
        raise Problem(text, code="invalid", errors=[{"pointer": "", "code": "invalid", "detail": text}])
    as_of = named.get("data_date") or localdate().isoformat()
    good, outcomes = feed.read_rows([{"row_id": "1", **named, **body}], shape)
    with transaction.atomic():
        outcomes |= take(rows=good, as_of=date.fromisoformat(as_of), by=request.client)
        answer = outcomes[0]
        if answer.status in _ANSWERS:
            audit.record("feed.taken", request.client, by=request.client, rows=shape.__name__, result=answer.status)
    if answer.status in ("stale", "rejected"):
        pointer = (answer.pointer or "").replace("/rows/0", "", 1)
        code, text = answer.code or "stale", answer.detail or _("A newer version of it has been taken already.")
        errors = [{"pointer": pointer, "code": code, "detail": text}]
        raise Problem(text, code=code, status_code=409 if answer.status == "stale" else 422, errors=errors)
    return Response({"status": answer.status}, status=_ANSWERS[answer.status])


@extend_schema(
    operation_id="assets_put",
    summary="Send one customer's balance of a day",
    parameters=[DAY],
    request=BalanceSerializer,
    responses={
        200: PutAnswerSerializer,
        201: PutAnswerSerializer,
        **problems(400, 401, 403, 404, 409, 413, 415, 422, 503),
    },
    tags=["in"],
)
@api_view(["PUT"])
@permission_classes([needs_scope("assets:write")])
def balance(request, customer_no, day):
    """Take the balance of a customer at the end of a day; the same again changes nothing."""
    on = day_in_path(day).isoformat()
    return put_one(request, feed.BalanceRow, feed.take_balances, customer_no=customer_no, data_date=on)
