"""What the core banking system reads of the churn room, and what it may say of an alert."""

from typing import Annotated

import msgspec
from django.shortcuts import get_object_or_404
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from churn import alerts
from churn.models import ChurnAlert, ChurnScore
from churn.serializers import (
    AcknowledgeSerializer,
    ChurnAlertPageSerializer,
    ChurnAlertSerializer,
    ChurnScorePageSerializer,
    ChurnScoreSerializer,
)
from staff.api.authentication import needs_scope
from staff.api.body import read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems, rows_of
from staff.api.idempotency import idempotent
from staff.api.paging import iso_day, one_of, page_of, read_query
from staff.api.problem import Problem
from staff.models import Staff
from staff.refusal import Refused


@extend_schema(
    operation_id="churn_alerts_list",
    summary="Read churn alerts",
    parameters=[
        OpenApiParameter("status", str, enum=ChurnAlert.Status.values, description="of one status"),
        OpenApiParameter("customer_no", str, description="of one customer"),
        *rows_of(ChurnAlertSerializer),
    ],
    responses={200: ChurnAlertPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("churn:read")])
def churn_alerts(request):
    """List alerts of customers within the client's branches, oldest change first."""
    query = read_query(request, rows_of=ChurnAlertSerializer, status=one_of(ChurnAlert.Status.values), customer_no=str)
    rows = ChurnAlert.objects.visible_to(request.client)
    rows = rows.select_related("customer__branch", "customer__manager", "score")
    if "status" in query:
        rows = rows.filter(status=query["status"])
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    return page_of(rows, request=request, query=query, serializer=ChurnAlertSerializer)


@extend_schema(
    operation_id="churn_scores_list",
    summary="Read churn scores",
    parameters=[
        OpenApiParameter(
            "as_of", {"type": "string", "format": "date"}, required=True, description="of one business date"
        ),
        OpenApiParameter("customer_no", str, description="of one customer"),
        *rows_of(ChurnScoreSerializer),
    ],
    responses={200: ChurnScorePageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("churn:read")])
def churn_scores(request):
    """List the scores of one day, of customers within the client's branches."""
    query = read_query(request, rows_of=ChurnScoreSerializer, as_of=iso_day, customer_no=str)
    if "as_of" not in query:
        missing = {"pointer": "?as_of", "code": "required", "detail": _("Name a business date.")}
        raise Problem(_("Name a business date."), code="invalid_query", errors=[missing])
    rows = ChurnScore.objects.visible_to(request.client).filter(data_date=query["as_of"]).select_related("customer")
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    return page_of(rows, request=request, query=query, serializer=ChurnScoreSerializer, by_change=False)


class Acknowledge(msgspec.Struct, forbid_unknown_fields=True):
    """Who follows an alert up."""

    staff_no: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


@extend_schema(
    operation_id="churn_alerts_acknowledge",
    summary="Take an alert on",
    parameters=[IDEMPOTENCY_KEY],
    request=AcknowledgeSerializer,
    responses={200: ChurnAlertSerializer, **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("churn:write")])
@idempotent
def churn_alert_acknowledge(request, pk):
    """Say that a member of staff follows an alert up."""
    said = read_as(request, Acknowledge)
    rows = ChurnAlert.objects.visible_to(request.client).select_related(
        "customer__branch", "customer__manager", "score"
    )
    alert = get_object_or_404(rows, pk=pk)
    staff = Staff.objects.active().members_of(request.client.branch_id).filter(staff_no=said.staff_no).first()
    if staff is None or not ChurnAlert.objects.visible_to(staff).filter(pk=pk).exists():
        text = _("Nobody of this number looks after this customer.")
        errors = [{"pointer": "/staff_no", "code": "not_found", "detail": text}]
        raise Problem(text, code="not_found", status_code=422, errors=errors)
    try:
        alerts.follow_up(alert=alert, by=staff, on=localdate())
    except Refused as refusal:
        raise Problem(str(refusal), code=refusal.code, status_code=409) from None
    return Response(ChurnAlertSerializer(rows.get(pk=pk)).data)
