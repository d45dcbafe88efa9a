"""Who calls: an API client with a bearer token, and what the token may be used for."""

import re
from hmac import compare_digest

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_lazy as _
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.scopes import SettingsScopes
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from staff.api.problem import Problem
from staff.request_context import address_of


class ClientScopes(SettingsScopes):
    """A client may ask for the scopes that it was granted, and gets them all if it asks for none."""

    def get_available_scopes(self, application=None, request=None, *args, **kwargs):
        if application is None:
            return super().get_available_scopes(application, request, *args, **kwargs)
        return application.allowed_scopes.split()

    def get_default_scopes(self, application=None, request=None, *args, **kwargs):
        return self.get_available_scopes(application, request, *args, **kwargs)


class ClientAuthentication(OAuth2Authentication):
    """Sets `request.client` to the ApiClient of the token; no member of staff stands behind it."""

    def authenticate(self, request):
        request.client = None
        if not request.headers.get("Authorization"):
            return None
        accepted = super().authenticate(request)
        if accepted is None or accepted[1] is None:
            raise AuthenticationFailed(_("The token is wrong or has expired; get a new one."), code="invalid_token")
        token = accepted[1]
        request.client = token.application
        if request.client.stopped_at is not None:
            raise AuthenticationFailed(_("This client has been stopped."), code="client_stopped")
        if not request.client.may_call_from(address_of(request)):
            text = _("This client may not call from this address.")
            raise Problem(text, code="address_refused", status_code=403)
        if request.client.certificate and not self._shows(request, request.client.certificate):
            text = _("This client must call with its certificate.")
            raise Problem(text, code="certificate_refused", status_code=403)
        return AnonymousUser(), token

    @staticmethod
    def _shows(request, certificate: str) -> bool:
        """Say whether the proxy, which ends TLS and overwrites the header, saw the certificate of this SHA-256."""
        seen = request.headers.get(settings.CLIENT_CERT_HEADER, "") if settings.CLIENT_CERT_HEADER else ""
        return compare_digest(re.sub(r"[\s:]", "", seen).lower().encode(), certificate.encode())


class IsClient(BasePermission):
    """Lets in any client with a valid token."""

    def has_permission(self, request, view):
        return getattr(request, "client", None) is not None


def needs_scope(scope: str, *, to_write: str = "") -> type[BasePermission]:
    """Return a permission that asks for one scope, such as "customers:write"; for another to write by the same address."""

    class NeedsScope(IsClient):
        @staticmethod
        def scope_for(method: str) -> str:
            return scope if method in SAFE_METHODS or not to_write else to_write

        def has_permission(self, request, view):
            if not super().has_permission(request, view):
                return False
            needed = self.scope_for(request.method)
            if needed not in request.auth.scope.split():
                text = _("This needs the scope {scope}.").format(scope=needed)
                raise Problem(text, code="scope_missing", status_code=403)
            return True

    return NeedsScope
