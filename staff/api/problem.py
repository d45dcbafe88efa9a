"""Errors of the API as application/problem+json (RFC 9457): `code` is stable, the texts follow Accept-Language."""

import json
import logging

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response

from staff import request_context
from staff.refusal import Refused

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
API_ROOT = "/api/"

TITLES = {
    400: gettext_lazy("The request cannot be read"),
    401: gettext_lazy("Sign in first"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("No such action here"),
    406: gettext_lazy("No such format"),
    409: gettext_lazy("Refused"),
    412: gettext_lazy("Changed in the meantime"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("JSON only"),
    422: gettext_lazy("A rule is not met"),
    428: gettext_lazy("A condition is missing"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Our mistake"),
    503: gettext_lazy("Busy, try again"),
}

CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "throttled",
    500: "error",
    503: "unavailable",
}


class Problem(exceptions.APIException):
    """An error that the API answers with; `errors` point at the places in the input.

    Args:
        errors: rows of {"pointer", "code", "detail"}; the pointer is RFC 6901, a query parameter is "?name".
    """

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_request"
    default_detail = gettext_lazy("The request cannot be read.")

    def __init__(self, detail=None, *, code=None, status_code=None, errors=(), headers=None):
        super().__init__(detail, code)
        self.code = code or self.default_code
        self.status_code = status_code or self.status_code
        self.errors = list(errors)
        self.headers = headers or {}


def describe(*, status_code: int, code: str = "", detail: str = "", errors=(), **members) -> dict:
    """Return the body of a problem."""
    code = code or CODES.get(status_code, "error")
    body = {
        "type": f"urn:vipcrm:problem:{code}",
        "title": str(TITLES.get(status_code, TITLES[400 if status_code < 500 else 500])),
        "status": status_code,
        "detail": str(detail or TITLES.get(status_code, "")),
        "code": code,
        "request_id": request_context.current().request_id,
    }
    if errors:
        body["errors"] = [dict(error) for error in errors]
    return body | members


def exception_handler(exc, context):
    """Turn whatever a view of the API raises into a problem; a defect goes up, to be logged (ProblemMiddleware)."""
    if isinstance(exc, Refused):
        return respond(status_code=getattr(exc, "status_code", 409), code=exc.code, detail=str(exc))
    if isinstance(exc, Http404):
        return respond(status_code=404, detail=_("There is nothing here, or nothing that you may see."))
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, OperationalError):  # a lock not granted in time, a deadlock, a lost connection
        logger.warning("api busy", exc_info=exc)
        busy = _("The database is busy; nothing was written. Try again.")
        return respond(status_code=503, detail=busy, headers={"Retry-After": "1"})
    if not isinstance(exc, exceptions.APIException):
        return None
    headers = dict(getattr(exc, "headers", {}))
    if getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = exc.auth_header
    if getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(exc.wait))
    if isinstance(exc, exceptions.ValidationError):
        text = _("Some values do not fit.")
        return respond(status_code=400, code="invalid", detail=text, errors=_flatten(exc.detail), headers=headers)
    code = getattr(exc, "code", None) or exc.get_codes()
    return respond(
        status_code=exc.status_code,
        code=code if isinstance(code, str) else "",
        detail=str(exc.detail),
        errors=getattr(exc, "errors", ()),
        headers=headers,
    )


def respond(*, headers=None, **parts) -> Response:
    """Answer an API call with a problem."""
    body = describe(**parts)
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _flatten(detail, pointer: str = "") -> list[dict]:
    """Return DRF's nested validation errors as rows with pointers."""
    if isinstance(detail, dict):
        return [row for name, inner in detail.items() for row in _flatten(inner, f"{pointer}/{escape(name)}")]
    if isinstance(detail, list):
        nested = any(isinstance(inner, dict | list) for inner in detail)
        if nested:
            return [row for place, inner in enumerate(detail) for row in _flatten(inner, f"{pointer}/{place}")]
        return [{"pointer": pointer, "code": error.code, "detail": str(error)} for error in detail]
    return [{"pointer": pointer, "code": detail.code, "detail": str(detail)}]


def escape(name) -> str:
    """Return a name as one step of a JSON pointer (RFC 6901)."""
    return str(name).replace("~", "~0").replace("/", "~1")


class ProblemMiddleware:
    """Below /api/ every error is a problem, also those that no API view has seen: 404, 405, 500, OAuth's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not request.path.startswith(API_ROOT) or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        return self.as_problem(response)

    def as_problem(self, response) -> HttpResponse:
        """Make the same refusal a problem; OAuth's own members stay, for OAuth's own clients."""
        oauth = _json_object(response) if "json" in response.headers.get("Content-Type", "") else {}
        members = {name: oauth[name] for name in ("error", "error_description") if name in oauth}
        body = describe(
            status_code=response.status_code,
            code=members.get("error", ""),
            detail=members.get("error_description", ""),
            request_id=response.headers.get("X-Request-ID", ""),
            **members,
        )
        response.content = json.dumps(body, ensure_ascii=False)
        response.headers["Content-Type"] = MEDIA_TYPE
        # The length of the page that it was would let clients wait for the rest.
        response.headers["Content-Length"] = str(len(response.content))
        return response

    def process_exception(self, request, exception):
        """Log a defect with its request's number, and answer without its details."""
        if not request.path.startswith(API_ROOT) or isinstance(exception, Http404 | PermissionDenied):
            return None
        logger.error("api request failed", exc_info=exception, extra={"path": request.path})
        text = _("Something went wrong on our side; nothing was written. Quote the request_id.")
        body = describe(status_code=500, detail=text)
        return HttpResponse(json.dumps(body, ensure_ascii=False), status=500, content_type=MEDIA_TYPE)


def _json_object(response) -> dict:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
