"""Starts the servers of the tests before pytest-django reads the settings (`addopts = -p vipcrm.stack.pytest_plugin`).

One PostgreSQL, one Valkey and one mail catcher a run, in a folder under the temp folder; the workers
of xdist share them, each with its own database (pytest-django) and its own Redis database for the cache.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from vipcrm.stack.messages import compile_messages
from vipcrm.stack.places import ROOT, StackError
from vipcrm.stack.servers import Stack

TEST_SETTINGS = {"DEMO": "1", "DEBUG": "0", "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver"}
NAMED_BY_MAKE = ("SECRET_KEY", "FIELD_KEYS", "VAR", "PORT", "SITE_URL")
"""What a developer's shell may hold for `make run` must not change a test."""


class Servers:
    """The stack of one run of pytest."""

    def __init__(self):
        self.var = Path(tempfile.mkdtemp(prefix="vipcrm-test-"))
        given = {key: value for key, value in os.environ.items() if key not in NAMED_BY_MAKE}
        self.stack = Stack(self.var, given=given | TEST_SETTINGS, durable=False)

    def start(self) -> None:
        compile_messages(ROOT / "locale")
        (self.var / "static").mkdir()  # WhiteNoise asks for it; tests are served from the sources
        self.stack.start()
        for name in NAMED_BY_MAKE:
            os.environ.pop(name, None)
        os.environ.update(self.stack.environ)

    def stop(self) -> None:
        self.stack.stop()
        postgres = self.stack.postgres
        if postgres and postgres.home.parent != self.var:
            shutil.rmtree(postgres.home.parent, ignore_errors=True)
        shutil.rmtree(self.var, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    """Start the servers in the process that steers the run; a worker of xdist finds them in its environment."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # A Redis database each: what one worker clears must not sign people out in another.
        os.environ["CACHE_DATABASE"] = str(2 + int(worker.removeprefix("gw")))
    else:
        servers = Servers()
        try:
            servers.start()
        except StackError as error:
            raise pytest.UsageError(str(error)) from error
        early_config.add_cleanup(servers.stop)
    return (yield)


def pytest_collection_modifyitems(items):
    """Keep the tests that share a browser's site on one worker of xdist."""
    for item in items:
        if item.get_closest_marker("browser") or "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.xdist_group("browser"))
