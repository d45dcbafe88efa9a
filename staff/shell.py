"""How a page is answered: the whole, or only the part that htmx asked for."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.http import trigger_client_event


def wants_part(request) -> bool:
    """Say whether htmx asks for a piece of the page: not for a boosted link, nor for Back after a lost cache."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(request, template: str, context: dict, *, partial: str | None = None, status: int = 200):
    """Answer with the page, or with its `{% partialdef %}` of that name when htmx asks for a part."""
    name = f"{template}#{partial}" if partial and wants_part(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def with_toast(response: HttpResponse, message: str, *, kind: str = "ok") -> HttpResponse:
    """Let the answer show a short message at the bottom; `kind` "error" stays until dismissed.

    A message that can be undone is `components/toast.html` at the end of the answer instead.
    """
    return trigger_client_event(response, "toast", {"message": str(message), "kind": kind})
