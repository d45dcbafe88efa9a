"""What the core banking system reads of the churn room."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from churn.models import ChurnAlert
from churn.serializers import ChurnAlertPageSerializer, ChurnAlertSerializer
from staff.api.authentication import needs_scope
from staff.api.documentation import PAGE, problems
from staff.api.paging import one_of, page_after, read_query


@extend_schema(
    operation_id="churn_alerts_list",
    summary="Read churn alerts",
    parameters=[
        OpenApiParameter("status", str, enum=ChurnAlert.Status.values, description="of one status"),
        OpenApiParameter("customer_no", str, description="of one customer"),
        *PAGE,
    ],
    responses={200: ChurnAlertPageSerializer, **problems(400, 401, 403)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("churn:read")])
def churn_alerts(request):
    """List alerts of customers within the client's branches, oldest change first."""
    query = read_query(request, status=one_of(ChurnAlert.Status.values), customer_no=str)
    alerts = ChurnAlert.objects.visible_to(request.client)
    alerts = alerts.select_related("customer__branch", "customer__manager", "score")
    if "status" in query:
        alerts = alerts.filter(status=query["status"])
    if "customer_no" in query:
        alerts = alerts.filter(customer__customer_no=query["customer_no"])
    return Response(
        page_after(
            alerts,
            request=request,
            limit=query["limit"],
            cursor=query["cursor"],
            show=lambda alert: ChurnAlertSerializer(alert).data,
        )
    )
