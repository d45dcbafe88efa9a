"""Contacts and opportunities over the API: read by the core banking system, and written by it for a member of staff."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from django.shortcuts import get_object_or_404
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from contacts import contact_log, pipeline
from contacts.models import ContactLog, Opportunity
from customers.models import Customer, Product
from customers.serializers import PageSerializer
from staff.api.authentication import needs_scope
from staff.api.body import moment, read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems, rows_of
from staff.api.idempotency import idempotent
from staff.api.paging import iso_day, one_of, page_of, read_query
from staff.api.problem import Problem
from staff.models import Staff
from staff.refusal import Refused

Number = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
StaffNumber = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
AMOUNT = r"^[0-9]{1,14}(\.[0-9]{1,2})?$"
CATEGORIES = ("", *Product.Category.values)


class Contact(msgspec.Struct, forbid_unknown_fields=True):
    """A contact that took place; `at` with its offset from UTC."""

    customer_no: Number
    staff_no: StaffNumber
    channel: Literal[tuple(ContactLog.Channel.values)]
    result: Literal[tuple(ContactLog.Result.values)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    summary: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    purpose: Literal[tuple(ContactLog.Purpose.values)] = "care"
    minutes: Annotated[int, msgspec.Meta(ge=0, le=600)] | None = None


class Deal(msgspec.Struct, forbid_unknown_fields=True):
    """An opportunity; one of a kind is open at a time (cross-sell: of a category)."""

    customer_no: Number
    staff_no: StaffNumber
    kind: Literal[tuple(Opportunity.Kind.values)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    category: Literal[CATEGORIES] = ""
    expected_amount: Annotated[str, msgspec.Meta(pattern=AMOUNT)] | None = None
    expected_on: date | None = None


class ContactInSerializer(serializers.Serializer):
    customer_no = serializers.CharField(max_length=32)
    staff_no = serializers.CharField(max_length=20, help_text="who had the contact, within the client's branches")
    channel = serializers.ChoiceField(ContactLog.Channel.values)
    result = serializers.ChoiceField(ContactLog.Result.values)
    at = serializers.DateTimeField(help_text="with its offset from UTC, not in the future")
    summary = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    purpose = serializers.ChoiceField(ContactLog.Purpose.values, required=False)
    minutes = serializers.IntegerField(min_value=0, max_value=600, required=False, allow_null=True)


class DealInSerializer(serializers.Serializer):
    customer_no = serializers.CharField(max_length=32)
    staff_no = serializers.CharField(max_length=20)
    kind = serializers.ChoiceField(Opportunity.Kind.values)
    title = serializers.CharField(max_length=80)
    category = serializers.ChoiceField(CATEGORIES, required=False, allow_blank=True)
    expected_amount = serializers.RegexField(AMOUNT, required=False, allow_null=True, help_text="yuan, a string")
    expected_on = serializers.DateField(required=False, allow_null=True)


class ContactSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    staff_no = serializers.CharField(source="staff.staff_no")
    voided = serializers.SerializerMethodField()

    class Meta:
        model = ContactLog
        fields = [
            "id", "customer_no", "staff_no", "channel", "result", "at", "on", "entered_on", "purpose", "minutes",
            "next_contact_on", "counts_as", "voided",
        ]  # fmt: skip

    def get_voided(self, log) -> bool:
        return log.voided_at is not None


class ContactPageSerializer(PageSerializer):
    results = ContactSerializer(many=True)


class OpportunitySerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    staff_no = serializers.CharField(source="owner.staff_no")

    class Meta:
        model = Opportunity
        fields = [
            "id", "customer_no", "staff_no", "kind", "title", "category", "stage", "stage_since", "source",
            "expected_amount", "expected_on", "result_amount", "lost_reason", "closed_on", "updated_at",
        ]  # fmt: skip


class OpportunityPageSerializer(PageSerializer):
    results = OpportunitySerializer(many=True)


def _people(request, said) -> tuple[Customer, Staff]:
    """Return the customer and the member of staff that a body names, both within the client's branches."""
    customer = Customer.objects.visible_to(request.client).filter(customer_no=said.customer_no).first()
    staff = Staff.objects.active().members_of(request.client.branch_id).filter(staff_no=said.staff_no).first()
    errors = [
        {"pointer": f"/{name}", "code": "not_found", "detail": _("Nobody of this number is in your sight.")}
        for name, found in (("customer_no", customer), ("staff_no", staff))
        if found is None
    ]
    if customer is None or staff is None:
        raise Problem(_("Nothing was written."), code="not_found", status_code=422, errors=errors)
    return customer, staff


def _refused(refusal: Refused) -> Problem:
    return Problem(str(refusal), code=refusal.code, status_code=409)


def _list(request, query, rows, serializer, *, by_change: bool):
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    return page_of(rows, request=request, query=query, serializer=serializer, by_change=by_change)


@extend_schema(
    methods=["GET"],
    operation_id="contacts_list",
    summary="Read contacts",
    parameters=[
        OpenApiParameter("customer_no", str, description="of one customer"),
        OpenApiParameter(
            "since", {"type": "string", "format": "date"}, description="that took place on this day or later"
        ),
        *rows_of(ContactSerializer),
    ],
    responses={200: ContactPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@extend_schema(
    methods=["POST"],
    operation_id="contacts_log",
    summary="Log a contact",
    parameters=[IDEMPOTENCY_KEY],
    request=ContactInSerializer,
    responses={201: ContactSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["GET", "POST"])
@permission_classes([needs_scope("contacts:read", to_write="contacts:write")])
def contacts(request):
    """List contacts in the order written; or log one for the member of staff who had it, by the verb of the page."""
    return _log(request) if request.method == "POST" else _contacts(request)


def _contacts(request):
    query = read_query(request, rows_of=ContactSerializer, customer_no=str, since=iso_day)
    rows = ContactLog.objects.visible_to(request.client).select_related("customer", "staff").defer("summary")
    rows = rows.filter(on__gte=query["since"]) if "since" in query else rows
    return _list(request, query, rows, ContactSerializer, by_change=False)


@idempotent
def _log(request):
    said = read_as(request, Contact)
    customer, staff = _people(request, said)
    try:
        log = contact_log.log_contact(
            customer=customer, by=staff, channel=said.channel, result=said.result, at=moment(said.at, "/at"), on=localdate(),
            summary=said.summary, purpose=said.purpose, minutes=said.minutes,
        )  # fmt: skip
    except Refused as refusal:
        raise _refused(refusal) from None
    return Response(ContactSerializer(log).data, status=201)


@extend_schema(
    methods=["GET"],
    operation_id="opportunities_list",
    summary="Read opportunities",
    parameters=[
        OpenApiParameter("customer_no", str, description="of one customer"),
        OpenApiParameter("stage", str, enum=Opportunity.Stage.values),
        *rows_of(OpportunitySerializer),
    ],
    responses={200: OpportunityPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@extend_schema(
    methods=["POST"],
    operation_id="opportunities_open",
    summary="Open an opportunity",
    parameters=[IDEMPOTENCY_KEY],
    request=DealInSerializer,
    responses={201: OpportunitySerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["GET", "POST"])
@permission_classes([needs_scope("contacts:read", to_write="contacts:write")])
def opportunities(request):
    """List opportunities, oldest change first; or open one for a member of staff, by the verb of the page."""
    return _open(request) if request.method == "POST" else _opportunities(request)


def _opportunities(request):
    query = read_query(request, rows_of=OpportunitySerializer, customer_no=str, stage=one_of(Opportunity.Stage.values))
    rows = Opportunity.objects.visible_to(request.client).select_related("customer", "owner")
    rows = rows.filter(stage=query["stage"]) if "stage" in query else rows
    return _list(request, query, rows, OpportunitySerializer, by_change=True)


@idempotent
def _open(request):
    said = read_as(request, Deal)
    customer, staff = _people(request, said)
    get_object_or_404(Customer.objects.visible_to(staff), pk=customer.pk)
    amount = Decimal(said.expected_amount) if said.expected_amount else None
    try:
        made = pipeline.open_opportunity(
            customer=customer, kind=said.kind, title=said.title, owner=staff, by=staff, on=localdate(), category=said.category,
            expected_amount=amount, expected_on=said.expected_on, source="api",
        )  # fmt: skip
    except Refused as refusal:
        raise _refused(refusal) from None
    return Response(OpportunitySerializer(made).data, status=201)
