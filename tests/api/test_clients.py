"""API clients as the administrator keeps them: made, restricted, given a new secret, stopped; each at once."""

import pytest

from staff import clients
from staff.models import ApiClient, AuditEvent
from staff.roles import Role
from tests.api.test_core_bank import SECRET, Core
from tests.factories import BranchFactory, StaffFactory, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def outlet():
    return BranchFactory(code="CZ01")


@pytest.fixture
def core(client, outlet):
    return Core(client, outlet, scopes="assignments:read")


@pytest.fixture
def admin(client, core):
    staff = StaffFactory(role=Role.SYS_ADMIN, language="en")
    sign_in(client, staff)
    return staff


def step(client, core, name, **fields):
    return client.post(f"/clients/{core.client.pk}/step/", {"step": name} | fields)


def token(client, secret) -> int:
    asked = {"grant_type": "client_credentials", "client_id": "core", "client_secret": secret}
    return client.post("/api/v1/oauth/token/", asked).status_code


def test_a_new_secret_is_shown_once_and_ends_the_old_one_and_its_tokens(client, core, admin):
    page = step(client, core, "rotate").content.decode()
    secret = page.split("<code>")[1].split("</code>")[0]

    assert core.get("/api/v1/assignments/").status_code == 401
    assert (token(client, SECRET), token(client, secret)) == (401, 200)
    assert secret not in client.get("/clients/").content.decode()
    assert secret not in str(list(AuditEvent.objects.values()))


def test_a_client_calls_only_from_its_addresses(client, core, admin):
    step(client, core, "restrict", addresses="10.8.0.0/16 192.0.2.7")
    assert core.get("/api/v1/assignments/").status_code == 403
    assert core.http.get("/api/v1/assignments/", headers=core.headers, REMOTE_ADDR="10.8.3.4").status_code == 200

    step(client, core, "restrict", addresses="nonsense")
    assert ApiClient.objects.get(pk=core.client.pk).allowed_addresses == "10.8.0.0/16 192.0.2.7"
    step(client, core, "restrict", addresses="")
    assert core.get("/api/v1/assignments/").status_code == 200


def test_a_stopped_client_is_out_at_once_and_may_be_let_in_again(client, core, admin):
    step(client, core, "stop")
    assert core.get("/api/v1/assignments/").status_code == 401

    step(client, core, "resume")
    assert token(client, SECRET) == 200


def test_a_client_is_made_with_its_branch_and_scopes(client, core, admin, outlet):
    form = {"name": "Cards", "branch": outlet.pk, "scopes": ["customers:read"]}
    assert client.post("/clients/", form | {"scopes": []}).status_code == 422

    page = client.post("/clients/", form).content.decode()

    made = ApiClient.objects.get(name="Cards")
    assert (made.branch, made.allowed_scopes) == (outlet, "customers:read")
    assert made.client_id in page and "<code>" in page


def test_only_the_administrator_keeps_clients(client, core):
    sign_in(client, StaffFactory(role=Role.RETAIL_ADMIN))
    assert client.get("/clients/").status_code == 403
    assert step(client, core, "stop").status_code == 403


DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("header", "shown", "status"),
    [
        ("X-Client-Cert-Sha256", DIGEST, 200), ("X-Client-Cert-Sha256", ":".join(["AB"] * 32), 200),
        ("X-Client-Cert-Sha256", "cd" * 32, 403), ("X-Client-Cert-Sha256", "", 403), ("", DIGEST, 403),
    ],
)  # fmt: skip
def test_a_client_bound_to_a_certificate_calls_with_it_only(client, settings, header, shown, status):
    settings.CLIENT_CERT_HEADER = header
    core = Core(client, BranchFactory(), scopes="customers:read")
    clients.bind(client=core.client, certificate=":".join(["AB"] * 32), by=StaffFactory(role=Role.SYS_ADMIN))
    answer = client.get("/api/v1/customers/", headers=core.headers | {"X-Client-Cert-Sha256": shown})
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "certificate_refused"


def test_what_is_no_certificate_is_refused(client):
    core = Core(client, BranchFactory(), scopes="customers:read")
    with pytest.raises(clients.BadCertificate):
        clients.bind(client=core.client, certificate="ab:cd", by=StaffFactory(role=Role.SYS_ADMIN))
