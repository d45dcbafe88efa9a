"""What every test may use."""

import pgtrigger
import pytest


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let the tests with real transactions empty the tables afterwards: the audit trail refuses that."""
    with django_db_blocker.unblock():
        model, trigger = pgtrigger.registered("staff.AuditEvent:audit_never_emptied")[0]
        trigger.disable(model)
