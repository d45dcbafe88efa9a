"""API clients: a system of the bank, bound to a branch and to the scopes that it needs."""

import re
from ipaddress import ip_network

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import get_access_token_model

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


class BadAddress(Refused):
    code = "bad_address"


@transaction.atomic
def rotate_secret(*, client: ApiClient, by: Staff) -> str:
    """Give a client a new secret and end its tokens; return the secret, which can't be read again."""
    secret = generate_client_secret()
    client.client_secret = secret
    client.save()
    get_access_token_model().objects.filter(application=client).delete()
    audit.record("client.secret_rotated", client, by=by)
    return secret


@transaction.atomic
def restrict(*, client: ApiClient, addresses: str, by: Staff) -> ApiClient:
    """Let a client call only from these addresses or networks; none: from anywhere.

    Raises:
        BadAddress: one of them is no address; it is named.
    """
    for each in addresses.split():
        try:
            ip_network(each)
        except ValueError:
            raise BadAddress(
                _("“{address}” is no address or network, such as 10.8.0.0/16.").format(address=each)
            ) from None
    client.allowed_addresses = " ".join(addresses.split())
    client.save(update_fields=["allowed_addresses"])
    audit.record("client.restricted", client, by=by, new=client.allowed_addresses)
    return client


class BadCertificate(Refused):
    code = "bad_certificate"


@transaction.atomic
def bind(*, client: ApiClient, certificate: str, by: Staff) -> ApiClient:
    """Let a client call only with this certificate, named by its SHA-256 as `openssl x509 -fingerprint -sha256` prints it; none: without.

    Raises:
        BadCertificate: this is no SHA-256.
    """
    found = re.sub(r"[\s:]", "", certificate).lower()
    if found and not re.fullmatch(r"[0-9a-f]{64}", found):
        raise BadCertificate(_("A SHA-256 has 64 hexadecimal digits; openssl x509 -fingerprint -sha256 prints it."))
    client.certificate = found
    client.save(update_fields=["certificate"])
    audit.record("client.bound", client, by=by, new=found)
    return client


@transaction.atomic
def stop(*, client: ApiClient, by: Staff, stopped: bool) -> ApiClient:
    """Stop a client, whose tokens end with it, or let it call again."""
    client.stopped_at = timezone.now() if stopped else None
    client.save(update_fields=["stopped_at"])
    if stopped:
        get_access_token_model().objects.filter(application=client).delete()
    audit.record("client.stopped" if stopped else "client.resumed", client, by=by)
    return client
