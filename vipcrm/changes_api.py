"""One list of what has changed, over all that a client may read, with one cursor: what to fetch again, and where."""

from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from django.core import signing
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from churn.models import ChurnAlert
from contacts.models import Opportunity
from customers.models import Assignment, Customer
from staff.api.authentication import IsClient
from staff.api.documentation import PAGE, problems
from staff.api.paging import read_query
from staff.api.problem import Problem
from vipcrm.settled import settled_until


@dataclass(frozen=True)
class Kind:
    """One kind of thing: the scope that reads it, and where it is read."""

    code: str
    model: type
    scope: str
    href: str


KINDS = (
    Kind("customer", Customer, "customers:read", "/api/v1/customers/{customer_no}/"),
    Kind("assignment", Assignment, "assignments:read", "/api/v1/assignments/?customer_no={customer_no}"),
    Kind("opportunity", Opportunity, "contacts:read", "/api/v1/opportunities/?customer_no={customer_no}"),
    Kind("churn_alert", ChurnAlert, "churn:read", "/api/v1/churn/alerts/?customer_no={customer_no}"),
)


class ChangeSerializer(serializers.Serializer):
    kind = serializers.ChoiceField([kind.code for kind in KINDS])
    id = serializers.IntegerField()
    customer_no = serializers.CharField()
    updated_at = serializers.DateTimeField()
    href = serializers.CharField(help_text="where it is read as it now is")


class ChangePageSerializer(serializers.Serializer):
    results = ChangeSerializer(many=True)
    next_cursor = serializers.CharField(help_text="keep it: what changes later comes after it")
    has_more = serializers.BooleanField(help_text="true: ask again at once")


@extend_schema(
    operation_id="changes_list",
    summary="Read what has changed",
    parameters=PAGE,
    responses={200: ChangePageSerializer, **problems(400, 401)},
    tags=["out"],
)
@api_view(["GET"])
@permission_classes([IsClient])
def changes(request):
    """List changes of everything the token may read, oldest first; the same thing again when it changes again."""
    query = read_query(request)
    limit, salt = query["limit"], f"changes:{request.client.pk}"
    after = (
        _read_cursor(query["cursor"], salt)
        if query["cursor"]
        else (datetime(1970, 1, 1, tzinfo=timezone.get_default_timezone()), -1, 0)
    )
    scopes = request.auth.scope.split()
    until = settled_until()
    lists = [
        _changed(kind, place, request.client, after=after, until=until, limit=limit)
        for place, kind in enumerate(KINDS)
        if kind.scope in scopes
    ]
    found = [row for _n, row in zip(range(limit + 1), merge(*lists), strict=False)]
    page, has_more = found[:limit], len(found) > limit
    last = page[-1][:3] if page else after
    return Response(
        {
            "results": [
                {
                    "kind": KINDS[place].code, "id": pk, "customer_no": number, "updated_at": at,
                    "href": KINDS[place].href.format(customer_no=number),
                }
                for at, place, pk, number in page
            ],
            "next_cursor": signing.dumps([last[0].isoformat(), last[1], last[2]], salt=salt),
            "has_more": has_more,
        }
    )  # fmt: skip


def _changed(kind: Kind, place: int, client, *, after: tuple, until: datetime, limit: int) -> list[tuple]:
    """Return (updated_at, place, id, customer number) of the next changes of a kind: one query."""
    at, last_place, last_pk = after
    # Of the same instant come first the kinds that stand later in the list, then this one's higher ids.
    same = Q(updated_at=at, id__gt=last_pk if place == last_place else -1 if place > last_place else 2**62)
    rows = kind.model.objects.visible_to(client).filter(Q(updated_at__gt=at) | same, updated_at__lte=until)
    number = "customer_no" if kind.model is Customer else "customer__customer_no"
    rows = rows.order_by("updated_at", "id").values_list("updated_at", "id", number)[: limit + 1]
    return [(changed, place, pk, text) for changed, pk, text in rows]


def _read_cursor(cursor: str, salt: str) -> tuple[datetime, int, int]:
    try:
        at, place, pk = signing.loads(cursor, salt=salt)
        return datetime.fromisoformat(at), int(place), int(pk)
    except (signing.BadSignature, ValueError, TypeError):
        text = _("This cursor was not given out here; begin without one.")
        errors = [{"pointer": "?cursor", "code": "invalid_cursor", "detail": text}]
        raise Problem(text, code="invalid_query", errors=errors) from None
