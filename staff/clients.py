"""API clients: a system of the bank, bound to a branch and to the scopes that it needs."""

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret

from staff import audit
from staff.models import ApiClient, Branch, Staff
from staff.refusal import Refused


class UnknownScope(Refused):
    code = "unknown_scope"


@transaction.atomic
def create_client(
    *, name: str, branch: Branch, scopes: list[str], by: Staff | None, client_id: str = "", secret: str = ""
) -> tuple[ApiClient, str]:
    """Make a client for the client-credentials grant, or give the one of that id these scopes and this secret.

    Returns the client and its secret, which is stored hashed and can't be read again.
    """
    unknown = sorted(set(scopes) - set(settings.OAUTH2_PROVIDER["SCOPES"]))
    if unknown or not scopes:
        raise UnknownScope(_("No such scope: {scopes}.").format(scopes=", ".join(unknown) or "—"))
    secret = secret or generate_client_secret()
    client = ApiClient.objects.filter(client_id=client_id).first() if client_id else None
    client = client or ApiClient(**({"client_id": client_id} if client_id else {}))
    client.name, client.branch, client.allowed_scopes = name, branch, " ".join(sorted(set(scopes)))
    client.client_type = ApiClient.CLIENT_CONFIDENTIAL
    client.authorization_grant_type = ApiClient.GRANT_CLIENT_CREDENTIALS
    client.client_secret = secret
    client.save()
    audit.record("client.created", client, by=by, branch=branch.code, scopes=client.allowed_scopes)
    return client, secret
