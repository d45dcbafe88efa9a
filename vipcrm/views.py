"""Pages that belong to no room: the way in, and the demo's mailbox."""

import mailbox as maildirs
from datetime import UTC
from email import policy
from email.parser import BytesParser

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from staff.shell import render_page
from vipcrm.navigation import home_route

MAILS_SHOWN = 100


@require_GET
def home(request):
    """Lead everybody to the first page of his menu."""
    return redirect(home_route(request.user))


@require_GET
def gallery(request):
    """Show every component and state side by side; only a demo has it."""
    if not settings.DEMO:
        raise Http404
    return render_page(request, "gallery.html", {})


@require_GET
def mailbox(request, key=None):
    """Show what the embedded mail catcher received; only a demo has one."""
    mails = _caught()
    shown = next((mail for mail in mails if mail["key"] == key), None)
    if key and not shown:
        raise Http404
    return render_page(request, "vipcrm/mailbox.html", {"mails": mails, "shown": shown or (mails or [None])[0]})


@require_GET
@xframe_options_sameorigin
def mailbox_html(request, key):
    """Show one mail's HTML by itself, for the frame of the mailbox page, with nothing allowed to run."""
    mail = next((mail for mail in _caught() if mail["key"] == key), None)
    if mail is None:
        raise Http404
    response = HttpResponse(mail["html"])
    # The mail carries its own styles, as mails do; the frame forbids scripts and everything from elsewhere.
    response._csp_replace = {
        "default-src": ["'none'"],
        "style-src": ["'unsafe-inline'"],
        "frame-ancestors": ["'self'"],
        "sandbox": [""],
    }
    return response


def _caught() -> list[dict]:
    """Return the newest mails of the catcher's Maildir, newest first."""
    if not settings.DEMO:
        raise Http404
    folder = settings.VAR / "mail"
    if not folder.exists():
        return []
    box = maildirs.Maildir(folder, factory=None, create=False)
    newest = sorted(box.keys(), reverse=True)[:MAILS_SHOWN]
    parser = BytesParser(policy=policy.default)
    return [_read(key, parser.parsebytes(box.get_bytes(key))) for key in newest]


def _read(key: str, message) -> dict:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return {
        "key": key,
        "subject": message["subject"],
        "to": message["to"],
        "sent_at": _sent_at(message),
        "text": plain.get_content() if plain else "",
        "html": html.get_content() if html else "",
    }


def _sent_at(message):
    """Return when a mail was sent; "-0000", as Django writes it, means UTC and comes without a zone."""
    at = message["date"].datetime if message["date"] else None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
