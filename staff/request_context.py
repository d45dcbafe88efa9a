"""Where a request comes from, for the audit trail and for error answers, without handing it through every call."""

import ipaddress
import uuid
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest


@dataclass(frozen=True)
class RequestContext:
    """The address and the number of the request being answered; empty in tasks and commands."""

    ip: str | None = None
    request_id: str = ""


_NOWHERE = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("request_context", default=_NOWHERE)


def current() -> RequestContext:
    """Return the context of the request that is being answered, an empty one outside requests."""
    return _current.get()


def address_of(request) -> str | None:
    """Return the caller's address; behind proxies (TRUSTED_PROXIES, how many) what the outermost of them saw."""
    proxies = getattr(settings, "TRUSTED_PROXIES", 0)
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    address = seen[-proxies] if proxies and len(seen) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None  # a Unix socket has no address


class RequestContextMiddleware:
    """Keep the request's address and number at hand, and send the number back as X-Request-ID."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        number = structlog.contextvars.get_contextvars().get("request_id") or str(uuid.uuid4())
        context = RequestContext(ip=address_of(request), request_id=str(number)[:40])
        token = _current.set(context)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response.headers["X-Request-ID"] = context.request_id
        return response


class NoNulMiddleware:
    """Answer 400 to an address that holds a NUL: no text of the bank has one, and the database takes none.

    The API reads its own query strings, and names the parameter.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        in_query = "%00" in request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or (in_query and not request.path_info.startswith("/api/")):
            raise BadRequest("An address may not hold the character NUL.")
        return self.get_response(request)
