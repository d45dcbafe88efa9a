"""The bank's figures over the API."""

from datetime import date

from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from staff.api.authentication import needs_scope
from staff.api.documentation import problems
from staff.api.paging import iso_day, read_query
from staff.api.problem import Problem
from vipcrm.kpi import KPIS, figures_of

FIRST = date(2000, 1, 1)


class FigureSerializer(serializers.Serializer):
    branch = serializers.CharField(help_text="code of the outlet")
    kpi = serializers.ChoiceField(KPIS)
    numerator = serializers.DecimalField(max_digits=20, decimal_places=2)
    denominator = serializers.DecimalField(max_digits=20, decimal_places=2)
    value = serializers.DecimalField(
        max_digits=12, decimal_places=4, allow_null=True, help_text="null: nothing to divide by"
    )


class FiguresSerializer(serializers.Serializer):
    since = serializers.DateField()
    until = serializers.DateField()
    results = FigureSerializer(many=True)


@extend_schema(
    operation_id="kpis_list",
    summary="Read figures by outlet",
    parameters=[
        OpenApiParameter(
            "since", {"type": "string", "format": "date"}, description="first day; that of the month of `until`"
        ),
        OpenApiParameter("until", {"type": "string", "format": "date"}, description="last day; today"),
    ],
    responses={200: FiguresSerializer, **problems(400, 401, 403, 422)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([needs_scope("kpis:read")])
def kpis(request):
    """Return the figures of the outlets in the client's sight; those of a period are of the days given."""
    query = read_query(request, since=iso_day, until=iso_day)
    until = query.get("until", localdate())
    since = query.get("since", until.replace(day=1))
    if not FIRST <= since <= until:
        text = _("The period begins in this century and ends no earlier than it begins.")
        raise Problem(
            text,
            code="period_refused",
            status_code=422,
            errors=[{"pointer": "?since", "code": "period_refused", "detail": text}],
        )
    found = figures_of(viewer=request.client, since=since, until=until)
    return Response(FiguresSerializer({"since": since, "until": until, "results": found}).data)
