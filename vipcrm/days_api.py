"""Closing a day over the API, which lets its night begin."""

from decimal import Decimal
from typing import Annotated

import msgspec
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from customers.feed.closing import DayDiffers, close_day
from staff.api.authentication import needs_scope
from staff.api.body import read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems
from staff.api.idempotency import idempotent
from staff.api.paging import DAY, day_in_path
from staff.api.problem import Problem
from vipcrm import night as nights
from vipcrm.tasks import night

TOTAL = r"^[0-9]{1,16}(\.[0-9]{1,2})?$"


class Close(msgspec.Struct, forbid_unknown_fields=True):
    """What was sent for the day."""

    rows: Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
    total: Annotated[str, msgspec.Meta(pattern=TOTAL)]


class CloseSerializer(serializers.Serializer):
    rows = serializers.IntegerField(min_value=0, max_value=2_000_000_000, help_text="balances sent for the day")
    total = serializers.RegexField(TOTAL, help_text="sum of their assets in yuan, loans and cards not counted")


class ClosedSerializer(serializers.Serializer):
    date = serializers.DateField()
    rows = serializers.IntegerField()
    total = serializers.DecimalField(max_digits=18, decimal_places=2)


@extend_schema(
    operation_id="days_close",
    summary="Close a day",
    parameters=[DAY, IDEMPOTENCY_KEY],
    request=CloseSerializer,
    responses={200: ClosedSerializer, **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("assets:write")])
@idempotent
def day_close(request, day):
    """Close a day with its control totals; where they differ the answer says by how much, and nothing is closed."""
    said = read_as(request, Close)
    on = day_in_path(day)
    try:
        closed = close_day(on=on, rows=said.rows, total=Decimal(said.total), by=request.client)
    except DayDiffers as refusal:
        errors = [
            {"pointer": "/rows", "code": refusal.code, "detail": str(refusal.rows)},
            {"pointer": "/total", "code": refusal.code, "detail": str(refusal.total)},
        ]
        raise Problem(str(refusal), code=refusal.code, status_code=422, errors=errors) from None
    if on == nights.business_date():
        transaction.on_commit(lambda: night.delay(day=on.isoformat()))
    return Response({"date": on.isoformat(), "rows": closed.rows, "total": str(closed.total)})
