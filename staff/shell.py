"""How a page is answered: the whole, or only the part that htmx asked for."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from staff.refusal import Refused


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


def take_step(request, acts: Mapping[str, Callable]) -> None:
    """Do what `step` in the form asks for and say that it is kept, or why it is refused.

    Args:
        acts: what may be asked for: {step: function without arguments}.

    Raises:
        Http404: none of them was asked for.
    """
    act = acts.get(request.POST.get("step", ""))
    if act is None:
        raise Http404
    try:
        act()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Kept"))


def with_toast(response: HttpResponse, message: str, *, kind: str = "ok") -> HttpResponse:
    """Let the answer show a short message at the bottom; `kind` "error" stays until dismissed.

    A message that can be undone is `components/toast.html` at the end of the answer instead.
    """
    return trigger_client_event(response, "toast", {"message": str(message), "kind": kind})
