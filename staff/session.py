"""What holds between sign-in and sign-out: how long it lasts, in which language, and with a second factor."""

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

BEGAN = "signed_in_at"

WITHOUT_SECOND_FACTOR = {
    "mfa_activate_totp",
    "account_logout",
    "account_reauthenticate",
    "account_change_password",
    "staff:preferences",
    "set_language",
    "healthz",
    "readyz",
}
"""What a member may open before the second factor is set up."""


def remember_newest(request, staff) -> None:
    """Note the session that a member has just begun: it ends the one before (`is_over`)."""
    cache.set(f"newest-session-{staff.pk}", request.session.session_key, settings.SESSION_ABSOLUTE_AGE.total_seconds())


class SessionRulesMiddleware:
    """End a session after its absolute age or when its owner signs in elsewhere; tell htmx by 401.

    The idle limit is the age of the session cookie, which every request renews.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and self.is_over(request):
            logout(request)
            response = redirect_to_login(request.get_full_path())
        else:
            response = self.get_response(request)
        return self.answer_part(request, response)

    def is_over(self, request) -> bool:
        now = timezone.now().timestamp()
        began = request.session.setdefault(BEGAN, now)
        too_old = now - began > settings.SESSION_ABSOLUTE_AGE.total_seconds()
        return too_old or (settings.ONE_SESSION_PER_PERSON and self.is_left(request))

    def is_left(self, request) -> bool:
        newest = cache.get(f"newest-session-{request.user.pk}")
        return newest is not None and newest != request.session.session_key

    def answer_part(self, request, response):
        """Answer 401 where htmx would swap the sign-in page into a corner of another page."""
        is_part = request.headers.get("HX-Request") and not request.headers.get("HX-Boosted")
        leads_to_sign_in = response.status_code == 302 and response.url.startswith(reverse(settings.LOGIN_URL))
        return HttpResponse(status=401) if is_part and leads_to_sign_in else response


class PreferredLanguageMiddleware:
    """Write to signed-in people in the language they chose."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return self.get_response(request)


class SecondFactorMiddleware:
    """Send members without a second factor to set one up; a demonstration lets them in without."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not settings.SECOND_FACTOR_REQUIRED or not request.user.is_authenticated:
            return None
        if request.resolver_match.view_name in WITHOUT_SECOND_FACTOR:
            return None
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return None
        return redirect("mfa_activate_totp")
