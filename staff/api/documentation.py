"""How the API's doors are described in OpenAPI: errors, sign-in, the key of repeated calls."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from staff.api.problem import TITLES, describe


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
    {"type": "string", "pattern": "^[!-~]{1,128}$"},
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 128 visible characters, new for each new call; the same key and body get the stored answer",
)

PAGE = [
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before"),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 200}, description="rows a page; 50"),
]


def rows_of(serializer: type) -> list[OpenApiParameter]:
    """Return the parameters of a list of such rows: its page, and to which of their fields they are cut."""
    names = {"type": "string", "enum": list(serializer().fields)}
    return [
        *PAGE,
        OpenApiParameter(
            "fields", {"type": "array", "items": names, "minItems": 1, "uniqueItems": True}, style="form", explode=False,
            description="names of fields, between commas: rows hold these alone",
        ),
    ]  # fmt: skip


def problems(*codes: int) -> dict:
    """Return the responses of an operation for these error codes."""
    return {(code, PROBLEM): OpenApiResponse(ProblemSerializer, description=_english(TITLES[code])) for code in codes}


def _english(text) -> str:
    from django.utils import translation

    with translation.override("en"):
        return str(text)


def strict_requests(result: dict, **_others) -> dict:
    """Say of every body that may be sent what `staff.api.body` holds it to: no other field, no empty list, and no
    empty text where one is required."""
    schemas = result["components"]["schemas"]
    bodies = [
        content["schema"]
        for item in result["paths"].values()
        for operation in item.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    seen = set()
    while bodies:
        schema = bodies.pop()
        if name := schema.get("$ref", "").rpartition("/")[2]:
            if name not in seen:
                seen.add(name)
                bodies.append(schemas[name])
            continue
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
            for name in schema.get("required", []):
                if schema["properties"][name].get("type") == "string" and "format" not in schema["properties"][name]:
                    schema["properties"][name].setdefault("minLength", 1)
            bodies += schema.get("properties", {}).values()
        elif schema.get("type") == "array":
            schema["minItems"] = 1
            bodies.append(schema["items"])
    return result


def cut_rows(result: dict, **_others) -> dict:
    """Say of the rows of lists that can be cut to some `fields` that no field of theirs is certain."""
    schemas = result["components"]["schemas"]
    for item in result["paths"].values():
        for operation in item.values():
            if any(parameter["name"] == "fields" for parameter in operation.get("parameters", [])):
                page = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
                rows = schemas[page.rpartition("/")[2]]["properties"]["results"]["items"]["$ref"]
                schemas[rows.rpartition("/")[2]].pop("required", None)
    return result


def with_examples(result: dict, **_others) -> dict:
    """Show every body and every answer once, made of the examples of its fields; an error with the words of its code."""
    schemas = result["components"]["schemas"]
    for item in result["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                content.setdefault("example", example_of(content["schema"], schemas))
            for code, answer in operation["responses"].items():
                for media, content in answer.get("content", {}).items():
                    error = media == PROBLEM
                    content["example"] = _problem(int(code)) if error else example_of(content["schema"], schemas)
    return result


def _problem(code: int) -> dict:
    from django.utils import translation

    with translation.override("en"):
        return describe(status_code=code) | {"request_id": "5b1c0f6e-7a1d-4a53-9d0b-0c5e3c7e9f10"}


_FORMATS = {
    "date": "2026-11-26", "date-time": "2026-11-26T08:00:00+08:00", "decimal": "125000.00", "double": 0.37, "uri": "https://core.bank.example/hook",
    "binary": "",
}  # fmt: skip


def example_of(schema: dict, schemas: dict):
    """Return a value that fits a schema: its own example, else one of its enum, format or type."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return example_of(schemas[name], schemas)
    if "allOf" in schema or "oneOf" in schema or "anyOf" in schema:
        return example_of((schema.get("allOf") or schema.get("oneOf") or schema["anyOf"])[0], schemas)
    if "examples" in schema or "enum" in schema:
        return (schema.get("examples") or schema["enum"])[0]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {name: example_of(part, schemas) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], schemas)]
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return {"integer": schema.get("minimum", 1), "number": 0.37, "boolean": True}.get(kind, "…")


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
            permission.scope_for(auto_schema.method)
            for permission in auto_schema.view.get_permissions()
            if hasattr(permission, "scope_for")
        ]
        return {self.name: scopes}
