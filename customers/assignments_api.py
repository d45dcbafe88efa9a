"""Assignments over the API: who looks after whom, the proposal of an outlet, and assigning lines, all or none, by the same
verb as the page."""

from typing import Annotated

import msgspec
from django.shortcuts import get_object_or_404
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from customers import assignment
from customers.assignment import Line, LinesRefused
from customers.branch_proposal import as_figures, propose_branch
from customers.models import Assignment, Customer
from customers.serializers import (
    AppliedSerializer,
    ApplySerializer,
    AssignmentPageSerializer,
    AssignmentSerializer,
    ProposalSerializer,
)
from staff.api.authentication import needs_scope
from staff.api.body import read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems, rows_of
from staff.api.idempotency import idempotent
from staff.api.paging import one_of, page_of, read_query
from staff.api.problem import Problem
from staff.models import Branch, Staff

MOST = 1_000


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    customer_no: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    staff_no: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]


class Apply(msgspec.Struct, forbid_unknown_fields=True):
    """Lines to be assigned in one transaction."""

    lines: Annotated[list[Asked], msgspec.Meta(min_length=1, max_length=MOST)]
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


@extend_schema(
    operation_id="assignments_list",
    summary="Read who looks after whom",
    parameters=[
        OpenApiParameter("customer_no", str, description="of one customer"),
        OpenApiParameter("staff_no", str, description="of one member of staff"),
        OpenApiParameter("open", str, enum=["true", "false"], description="true: only those that have not ended"),
        *rows_of(AssignmentSerializer),
    ],
    responses={200: AssignmentPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("assignments:read")])
def assignments(request):
    """List assignments within the client's branches, oldest change first, history included."""
    query = read_query(
        request,
        rows_of=AssignmentSerializer,
        customer_no=str,
        staff_no=str,
        open=one_of({"true": True, "false": False}),
    )
    rows = Assignment.objects.visible_to(request.client).select_related("customer__branch", "staff")
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    if "staff_no" in query:
        rows = rows.filter(staff__staff_no=query["staff_no"])
    if "open" in query:
        rows = rows.filter(end__isnull=query["open"])
    return page_of(rows, request=request, query=query, serializer=AssignmentSerializer)


@extend_schema(
    operation_id="assignments_proposal",
    summary="Read the proposal of an outlet",
    parameters=[
        OpenApiParameter("branch", str, required=True, description="code of the outlet"),
        OpenApiParameter(
            "moving", bool, description="present relations may move too, as few as lets others find a place"
        ),
    ],
    responses={200: ProposalSerializer, **problems(400, 401, 403, 404)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("assignments:read")])
def proposal(request):
    """Return the best sharing of those who wait at an outlet, with objective, bound and gap."""
    query = read_query(request, branch=str, moving=one_of({"true": True, "false": False}))
    if "branch" not in query:
        missing = {"pointer": "?branch", "code": "required", "detail": _("Name an outlet.")}
        raise Problem(_("Name an outlet."), code="invalid", errors=[missing])
    outlets = Branch.objects.under(request.client.branch_id)
    outlet = get_object_or_404(outlets, code=query["branch"])
    found, members = propose_branch(
        viewer=request.client, branch=outlet, on=localdate(), moving=query.get("moving", False)
    )
    numbers = dict(
        Customer.objects.visible_to(request.client)
        .filter(pk__in=[*(line.customer.id for line in found.lines), *(one.id for one, _why in found.left_over)])
        .values_list("pk", "customer_no")
    )
    lines = [
        {"customer_no": numbers[line.customer.id], "staff_no": members[line.member_id].staff_no, "reason": line.reason}
        for line in found.lines
    ]
    left = [{"customer_no": numbers[one.id], "reason": why} for one, why in found.left_over]
    return Response(as_figures(found) | {"branch": outlet.code, "lines": lines, "left_over": left})


@extend_schema(
    operation_id="assignments_apply",
    summary="Assign customers",
    parameters=[IDEMPOTENCY_KEY],
    request=ApplySerializer,
    responses={200: AppliedSerializer, **problems(400, 401, 403, 409, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("assignments:write")])
@idempotent
def apply(request):
    """Assign every line or none; what does not fit is named line by line."""
    asked = read_as(request, Apply)
    customers = Customer.objects.visible_to(request.client).in_bulk(
        [line.customer_no for line in asked.lines], field_name="customer_no"
    )
    staff = Staff.objects.members_of(request.client.branch_id).in_bulk(
        [line.staff_no for line in asked.lines], field_name="staff_no"
    )
    unknown = [
        {"pointer": f"/lines/{n}/{name}", "code": "not_found", "detail": _("Nobody of this number is in your sight.")}
        for n, line in enumerate(asked.lines)
        for name, found in (("customer_no", customers), ("staff_no", staff))
        if getattr(line, name) not in found
    ]
    if unknown:
        raise Problem(_("Nothing was assigned."), code="lines_refused", status_code=422, errors=unknown)
    lines = [Line(customers[line.customer_no], staff[line.staff_no]) for line in asked.lines]
    try:
        rows = assignment.assign_many(
            lines=lines, by=request.client, on=localdate(), reason=asked.reason, source="auto"
        )
    except LinesRefused as refused:
        errors = [
            {"pointer": f"/lines/{lines.index(line)}", "code": refusal.code, "detail": str(refusal)}
            for line, refusal in refused.refusals
        ]
        raise Problem(_("Nothing was assigned."), code="lines_refused", status_code=422, errors=errors) from None
    return Response({"assignments": AssignmentSerializer(rows, many=True).data})
