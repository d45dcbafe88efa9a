"""What every test may use."""

import pgtrigger
import pytest
from aiosmtpd.controller import Controller
from django.utils import translation

from tests import factories
from tests.mail_server import Sink, free_port


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let the tests with real transactions empty the tables afterwards: the audit trail refuses that."""
    with django_db_blocker.unblock():
        model, trigger = pgtrigger.registered("staff.AuditEvent:audit_never_emptied")[0]
        trigger.disable(model)


@pytest.fixture(autouse=True)
def the_banks_language(settings):
    """Begin every test in Chinese, whatever language the one before left behind."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(autouse=True)
def the_banks_rules(request):
    """Put back the rules a bank begins with, where a test with real transactions emptied the tables."""
    if not request.node.get_closest_marker("django_db") and not {"db", "transactional_db"} & set(request.fixturenames):
        return
    request.getfixturevalue("_django_db_helper")
    factories.put_back_rules()


@pytest.fixture
def sink(settings):
    """A mail server on loopback that keeps what it takes."""
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    yield handler
    controller.stop()
