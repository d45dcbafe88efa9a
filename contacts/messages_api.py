"""What the text message provider tells us: deliveries and answers."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response

from contacts import message_answers, messages
from staff.api.authentication import needs_scope
from staff.api.body import moment, read_as
from staff.api.documentation import IDEMPOTENCY_KEY, problems
from staff.api.idempotency import idempotent


class Delivery(msgspec.Struct, forbid_unknown_fields=True):
    """What became of a message; `reference` as it was sent."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    state: Literal["delivered", "failed"]
    reason: Annotated[str, msgspec.Meta(max_length=120)] = ""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody answered; `external_id` again changes nothing."""

    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    mobile: Annotated[str, msgspec.Meta(min_length=5, max_length=20)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]


class DeliverySerializer(serializers.Serializer):
    reference = serializers.CharField(max_length=40)
    state = serializers.ChoiceField(["delivered", "failed"])
    reason = serializers.CharField(max_length=120, required=False)


class ReplySerializer(serializers.Serializer):
    external_id = serializers.CharField(max_length=64)
    mobile = serializers.CharField(min_length=5, max_length=20)
    text = serializers.CharField(max_length=500)
    at = serializers.DateTimeField()


class TakenSerializer(serializers.Serializer):
    taken = serializers.BooleanField()


@extend_schema(
    operation_id="sms_delivered",
    summary="Report a delivery",
    parameters=[IDEMPOTENCY_KEY],
    request=DeliverySerializer,
    responses={200: TakenSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("messages:write")])
@idempotent
def sms_delivered(request):
    """Note what became of a message; `taken` is false where the reference is none of ours."""
    said = read_as(request, Delivery)
    taken = messages.delivered(
        reference=said.reference, ok=said.state == "delivered", why=said.reason, by=request.client
    )
    return Response({"taken": taken})


@extend_schema(
    operation_id="sms_replied",
    summary="Report an answer",
    parameters=[IDEMPOTENCY_KEY],
    request=ReplySerializer,
    responses={200: TakenSerializer, **problems(400, 401, 403, 409, 413, 415, 422, 503)},
    tags=["in"],
)
@api_view(["POST"])
@permission_classes([needs_scope("messages:write")])
@idempotent
def sms_replied(request):
    """Take an answer; "TD" withdraws consent at once. `taken` is false where nobody has this number."""
    said = read_as(request, Reply)
    reply = message_answers.receive(
        external_id=said.external_id, mobile=said.mobile, text=said.text, at=moment(said.at, "/at"), by=request.client
    )
    return Response({"taken": reply.customer_id is not None})
