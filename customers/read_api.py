"""What the core banking system reads of customers: the service side of each, tier changes, consents (domain.md §21).

Names, identity numbers, phones and addresses are the core system's own and are not given back.
"""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from customers.feed import FEEDS
from customers.feed_api import put_one, put_schema
from customers.models import ConsentRecord, Customer, RelationStatus, Tier, TierChange
from customers.serializers import PageSerializer
from staff.api.authentication import needs_scope
from staff.api.documentation import problems, rows_of
from staff.api.paging import iso_day, one_of, page_of, read_query

TIERS = {tier.code: tier for tier in Tier}
MONEY = {"max_digits": 18, "decimal_places": 2}


class CustomerSerializer(serializers.ModelSerializer):
    branch = serializers.CharField(source="branch.code")
    service_tier = serializers.ChoiceField(choices=list(TIERS), source="tier.code")
    staff_no = serializers.CharField(source="manager.staff_no", allow_null=True, default=None)
    aum = serializers.DecimalField(**MONEY, help_text="yuan, at the end of data_date")

    class Meta:
        model = Customer
        fields = [
            "customer_no", "branch", "service_tier", "relation_status", "staff_no", "aum", "data_date", "risk_grade",
            "last_contact_on", "churn_probability", "do_not_contact", "low_disturb", "updated_at",
        ]  # fmt: skip


class CustomerPageSerializer(PageSerializer):
    results = CustomerSerializer(many=True)


class TierChangeSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")
    from_tier = serializers.SerializerMethodField()
    to_tier = serializers.SerializerMethodField()

    class Meta:
        model = TierChange
        fields = ["id", "customer_no", "on", "kind", "from_tier", "to_tier", "month_avg"]

    def get_from_tier(self, row) -> str:
        return Tier(row.from_tier).code

    def get_to_tier(self, row) -> str:
        return Tier(row.to_tier).code


class TierChangePageSerializer(PageSerializer):
    results = TierChangeSerializer(many=True)


class ConsentSerializer(serializers.ModelSerializer):
    customer_no = serializers.CharField(source="customer.customer_no")

    class Meta:
        model = ConsentRecord
        fields = ["id", "customer_no", "purpose", "channel", "granted", "at", "evidence"]


class ConsentPageSerializer(PageSerializer):
    results = ConsentSerializer(many=True)


BY_CUSTOMER = OpenApiParameter("customer_no", str, description="of one customer")
READS = needs_scope("customers:read")


@extend_schema(
    operation_id="customers_list",
    summary="Read customers",
    parameters=[
        OpenApiParameter("service_tier", str, enum=list(TIERS)),
        OpenApiParameter("relation_status", str, enum=RelationStatus.values),
        OpenApiParameter("staff_no", str, description="of one manager"),
        OpenApiParameter("branch", str, description="of one outlet"),
        *rows_of(CustomerSerializer),
    ],
    responses={200: CustomerPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([READS])
def customers(request):
    """List customers within the client's branches, oldest change first."""
    query = read_query(
        request,
        rows_of=CustomerSerializer,
        service_tier=one_of(TIERS),
        relation_status=one_of(RelationStatus.values),
        staff_no=str,
        branch=str,
    )
    rows = Customer.objects.visible_to(request.client).select_related("branch", "manager")
    rows = rows.defer("id_no", "mobile", "address")
    names = {"service_tier": "service_tier", "relation_status": "relation_status", "staff_no": "manager__staff_no",
             "branch": "branch__code"}  # fmt: skip
    rows = rows.filter(**{column: query[name] for name, column in names.items() if name in query})
    return page_of(rows, request=request, query=query, serializer=CustomerSerializer)


@put_schema(FEEDS["customers"], methods=["PUT"])
@extend_schema(
    methods=["GET"],
    operation_id="customers_retrieve",
    summary="Read one customer",
    responses={200: CustomerSerializer, **problems(401, 403, 404)},
    tags=["out"],
)
@api_view(["GET", "PUT"])
@permission_classes([needs_scope("customers:read", to_write="customers:write")])
def customer(request, customer_no):
    """Return a customer within the client's branches; or take one, as a batch of one: the same again changes nothing."""
    if request.method == "PUT":
        return put_one(request, FEEDS["customers"], customer_no=customer_no)
    rows = (
        Customer.objects.visible_to(request.client)
        .select_related("branch", "manager")
        .defer("id_no", "mobile", "address")
    )
    return Response(CustomerSerializer(get_object_or_404(rows, customer_no=customer_no)).data)


def _of_customer(request, rows, serializer, **readers):
    """Return a page of rows as they were written, of one customer where he is named."""
    query = read_query(request, rows_of=serializer, customer_no=str, **readers)
    rows = rows.visible_to(request.client) if hasattr(rows, "visible_to") else rows
    rows = rows.filter(customer__in=Customer.objects.visible_to(request.client)).select_related("customer")
    if "customer_no" in query:
        rows = rows.filter(customer__customer_no=query["customer_no"])
    if "since" in query:
        rows = rows.filter(on__gte=query["since"])
    return page_of(rows, request=request, query=query, serializer=serializer, by_change=False)


@extend_schema(
    operation_id="tier_changes_list",
    summary="Read tier changes",
    parameters=[
        BY_CUSTOMER,
        OpenApiParameter("since", {"type": "string", "format": "date"}),
        *rows_of(TierChangeSerializer),
    ],
    responses={200: TierChangePageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([READS])
def tier_changes(request):
    """List the steps of rating, in the order written, with the figure that caused each."""
    return _of_customer(request, TierChange.objects.all(), TierChangeSerializer, since=iso_day)


@extend_schema(
    operation_id="consents_list",
    summary="Read consents",
    parameters=[BY_CUSTOMER, *rows_of(ConsentSerializer)],
    responses={200: ConsentPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([READS])
def consents(request):
    """List grants and withdrawals in the order written; the newest of a purpose and channel holds."""
    return _of_customer(request, ConsentRecord.objects.all(), ConsentSerializer)
