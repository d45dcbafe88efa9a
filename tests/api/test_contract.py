"""The published description of the API: it is what the app does, nothing in it breaks a client, and the app keeps to it."""

import copy
import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.api.compatibility import breaking
from tests.api.test_core_bank import Core
from tests.api.test_reading import everything_of
from tests.factories import AssignmentFactory, BranchFactory

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "api"
ALL_SCOPES = (
    "customers:read customers:write assets:write assignments:read assignments:write contacts:read contacts:write"
    " churn:read churn:write messages:write kpis:read holdings:write products:write staff:write"
)


def described(client) -> dict:
    return client.get("/api/v1/schema/?format=json").json()


@pytest.mark.django_db
def test_the_committed_description_is_that_of_the_app(client):
    committed = json.loads((DOCS / "openapi.json").read_text())

    assert described(client) == committed, "run: make openapi"


@pytest.mark.django_db
def test_nothing_that_was_released_breaks(client):
    released = json.loads((DOCS / "released.json").read_text())

    assert breaking(released, described(client)) == []


def _without(api: dict, *path) -> dict:
    changed = copy.deepcopy(api)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def test_what_would_break_a_client_is_found():
    api = json.loads((DOCS / "openapi.json").read_text())
    alert = api["components"]["schemas"]["ChurnAlert"]
    assert breaking(api, api) == []

    gone = _without(api, "paths", "/api/v1/churn/alerts/")
    less = copy.deepcopy(api)
    del less["components"]["schemas"]["ChurnAlert"]["properties"]["due_on"]
    more = copy.deepcopy(api)
    more["components"]["schemas"]["CustomerRow"]["required"].append("mobile")
    asks = copy.deepcopy(api)
    asks["paths"]["/api/v1/churn/alerts/"]["get"]["parameters"].append(
        {"in": "query", "name": "region", "required": True}
    )

    assert "due_on" in alert["properties"]
    assert breaking(api, gone) == ["GET /api/v1/churn/alerts/ is gone"]
    assert any("due_on is gone" in each for each in breaking(api, less))
    assert any("field mobile is asked for" in each for each in breaking(api, more))
    assert breaking(api, asks) == ["GET /api/v1/churn/alerts/: parameter region is asked for"]
    grown = copy.deepcopy(api)
    grown["components"]["schemas"]["ChurnAlert"]["properties"]["more"] = {"type": "string"}
    assert breaking(api, grown) == []


@schemathesis.serializer("application/x-ndjson")
def lines(_context, value) -> bytes:
    """Send what was drawn as it is: any bytes may stand where lines should."""
    return value if isinstance(value, bytes) else getattr(value, "data", str(value).encode())


# --- the running app keeps to it: drawn calls over a socket, every check ------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_every_drawn_call_is_answered_as_described(client, live_server):
    outlet = BranchFactory(code="CZ01")
    own = AssignmentFactory(customer__branch=outlet, customer__customer_no="A1", staff__branch=outlet)
    everything_of(own.customer, own.staff)
    core = Core(client, outlet, scopes=ALL_SCOPES)
    schema = schemathesis.openapi.from_url(f"{live_server.url}/api/v1/schema/?format=json")

    faults = faults_of(schema, core.headers)

    assert not faults, "\n\n".join(f"{label}: {fault}" for label, fault in faults.items())


def faults_of(schema, headers: dict) -> dict[str, str]:
    """Return what is wrong with each operation, by its label, over calls drawn from the description."""
    faults = {}
    schema.config.generation.update(allow_x00=False)  # a NUL is refused with its place: test_body
    # What is well formed may still name nobody, or be refused by a rule of the bank.
    schema.config.checks.positive_data_acceptance.expected_statuses.append("422")
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def answered(case):
            (case.query or {}).pop("cursor", None)  # given out by the answer before, not to be made up
            case.call_and_validate(headers=headers)

        try:
            answered()
        except (Exception, BaseExceptionGroup) as fault:  # every operation is looked at, whatever the first ones do
            faults[operation.label] = str(fault)[:900]

    return faults
