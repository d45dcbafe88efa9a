"""How the API's doors are described in OpenAPI: errors, sign-in, the key of repeated calls."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from staff.api.problem import TITLES


class ProblemErrorSerializer(serializers.Serializer):
    pointer = serializers.CharField(help_text="RFC 6901 into the body, or ?name of a query parameter")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="in the language of Accept-Language")
    code = serializers.CharField(help_text="stable; branch on this")
    request_id = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)


PROBLEM = "application/problem+json"

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 128 visible characters, new for each new call; the same key and body get the stored answer",
)

PAGE = [
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before"),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200}, description="rows a page; 50"),
]


def problems(*codes: int) -> dict:
    """Return the responses of an operation for these error codes."""
    return {(code, PROBLEM): OpenApiResponse(ProblemSerializer, description=_english(TITLES[code])) for code in codes}


def _english(text) -> str:
    from django.utils import translation

    with translation.override("en"):
        return str(text)


class ClientScheme(OpenApiAuthenticationExtension):
    """OAuth2 client credentials, as `/api/v1/oauth/token/` grants them."""

    target_class = "staff.api.authentication.ClientAuthentication"
    name = "oauth2"

    def get_security_definition(self, auto_schema):
        from django.conf import settings

        return {
            "type": "oauth2",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": "/api/v1/oauth/token/",
                    "scopes": settings.OAUTH2_PROVIDER["SCOPES"],
                }
            },
        }

    def get_security_requirement(self, auto_schema):
        scopes = [
            permission.required_scope
            for permission in auto_schema.view.get_permissions()
            if hasattr(permission, "required_scope")
        ]
        return {self.name: scopes}
