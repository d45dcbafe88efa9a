"""Events over the API: what was published, and publishing one of the bank's own systems' (domain.md §8)."""

from datetime import date
from typing import Annotated, Literal

import msgspec
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from contacts import event
from contacts.event_catalogue import ENTERED
from contacts.models import ContactEvent
from customers.models import Customer, Product
from customers.serializers import PageSerializer
from staff.api.authentication import needs_scope
from staff.api.body import read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems, rows_of
from staff.api.idempotency import idempotent
from staff.api.paging import page_of, read_query
from staff.api.problem import Problem
from staff.api.shapes import serializer_of
from staff.models import Branch

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)


class Event(msgspec.Struct, forbid_unknown_fields=True):
    """Something that concerns one customer, or whoever holds a product or is suited by it."""

    external_id: Annotated[
        str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", examples=["EV-77"])
    ]
    kind: Annotated[Literal[tuple(ENTERED)], msgspec.Meta(description="of the catalogue: those that are entered")]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=60, examples=["金价创新高"])]
    occurs_on: Annotated[date, msgspec.Meta(examples=["2026-11-30"])]
    expires_on: Annotated[date, msgspec.Meta(description="the kind's own span where it is left out")] | None = None
    note: Annotated[str, msgspec.Meta(max_length=300)] = ""
    customer_no: Annotated[str, msgspec.Meta(max_length=32, description="whom it concerns; or a product")] = ""
    product: Annotated[str, msgspec.Meta(max_length=24, description="code; its holders, or those whom it suits")] = ""


class EventSerializer(serializers.ModelSerializer):
    branch = serializers.CharField(source="branch.code")
    product = serializers.CharField(source="product.code", allow_null=True, default=None)
    concerned = serializers.IntegerField(help_text="customers in the client's sight whom it concerns")
    skipped = serializers.IntegerField(help_text="who would be, but for a reason that is kept")
    withdrawn = serializers.SerializerMethodField()

    class Meta:
        model = ContactEvent
        fields = [
            "id", "external_id", "branch", "kind", "title", "occurs_on", "appears_on", "expires_on", "product", "source",
            "concerned", "skipped", "withdrawn",
        ]  # fmt: skip

    def get_withdrawn(self, one) -> bool:
        return one.withdrawn_at is not None


class EventPageSerializer(PageSerializer):
    results = EventSerializer(many=True)


@extend_schema(
    methods=["GET"], operation_id="events_list", summary="Read events", parameters=rows_of(EventSerializer),
    responses={200: EventPageSerializer, **problems(400, 401, 403)}, tags=["out"],
)  # fmt: skip
@extend_schema(
    methods=["POST"], operation_id="events_publish", summary="Publish an event", parameters=[IDEMPOTENCY_KEY],
    request=serializer_of(Event, name="EventIn"), tags=["in"],
    responses={201: EventSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
)  # fmt: skip
@api_view(["GET", "POST"])
@permission_classes([needs_scope("contacts:read", to_write="contacts:write")])
def events(request):
    """List the events of the client's institutions in the order they were entered; or publish one, whose key again changes nothing."""
    if request.method == "POST":
        return _publish(request)
    query = read_query(request, rows_of=EventSerializer)
    rows = event.counted(ContactEvent.objects.visible_to(request.client), request.client)
    return page_of(
        rows.select_related("branch", "product"),
        request=request,
        query=query,
        serializer=EventSerializer,
        by_change=False,
    )


@idempotent
def _publish(request) -> Response:
    said = read_as(request, Event)
    named = {"customer": None, "product": None}
    if said.customer_no:
        named["customer"] = Customer.objects.visible_to(request.client).filter(customer_no=said.customer_no).first()
    if said.product:
        named["product"] = Product.objects.filter(code=said.product).first()
    missing = [
        {"pointer": f"/{field}", "code": "not_found", "detail": _("There is nothing of this key in your sight.")}
        for field, found in (("customer_no", named["customer"]), ("product", named["product"]))
        if getattr(said, field) and found is None
    ]
    missing += [
        {"pointer": f"/{field}", "code": "date_out_of_range", "detail": _("This time cannot be meant.")}
        for field in ("occurs_on", "expires_on")
        if (day := getattr(said, field)) and not FIRST < day < LAST
    ]
    if missing:
        raise Problem(_("Nothing was written."), code=missing[0]["code"], status_code=422, errors=missing)
    made = event.publish(
        kind=said.kind, title=said.title, occurs_on=said.occurs_on, expires_on=said.expires_on, note=said.note,
        by=request.client, branch=request.client.branch, on=localdate(), source=ContactEvent.Source.API,
        external_id=said.external_id, **named,
    )  # fmt: skip
    own = ContactEvent.objects.filter(branch__in=Branch.objects.under(request.client.branch_id), pk=made.pk)
    seen = event.counted(own, request.client).first()
    if seen is None:
        text = _("This key belongs to an event of another institution.")
        raise Problem(text, code="key_of_another", status_code=409)
    return Response(EventSerializer(seen).data, status=201)
