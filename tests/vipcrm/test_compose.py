"""The production-like form: docker-compose.yml says what it should, and its settings pass Django's deploy checks."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = {
    "SECRET_KEY": "k3Jx9-" * 12,
    "FIELD_KEYS": "a:" + base64.b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "vip.bank.example",
    "DB_PASSWORD": "app-password",
    "DB_OWNER_PASSWORD": "owner-password",
}
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


def interpolated(text: str, given: dict[str, str]) -> str:
    """Fill in `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as Compose does."""

    def value(match):
        name, kind, rest = match.groups()
        if given.get(name):
            return given[name]
        if kind == ":?":
            raise ValueError(f"{name}: {rest}")
        return rest or ""

    return VARIABLE.sub(value, text)


def compose(given=SECRETS) -> dict:
    return yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text(), given))


def test_compose_runs_the_same_parts_as_make_run():
    services = compose()["services"]

    assert set(services) == {"migrate", "web", "worker", "beat", "postgres", "redis", "mail"}
    assert services["worker"]["command"][3] == "worker"
    assert services["beat"]["command"][3] == "beat"
    assert services["postgres"]["image"].startswith("postgres:18")


def test_redis_keeps_every_acknowledged_task():
    command = " ".join(compose()["services"]["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_compose_does_not_start_without_each_secret(missing):
    with pytest.raises(ValueError, match=missing):
        compose({name: value for name, value in SECRETS.items() if name != missing})


def test_no_secret_is_written_down():
    text = (ROOT / "docker-compose.yml").read_text()

    for name in ("SECRET_KEY", "FIELD_KEYS", "DB_PASSWORD", "DB_OWNER_PASSWORD"):
        assert re.search(rf"\$\{{{name}:\?", text)


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_the_settings_of_a_service_pass_the_deploy_checks(service, tmp_path):
    environ = compose()["services"][service]["environment"] | {"VAR": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_production_settings_refuse_to_start_without_secrets(tmp_path):
    environ = compose()["services"]["web"]["environment"] | {"VAR": str(tmp_path), "PATH": os.environ["PATH"]}
    del environ["FIELD_KEYS"]

    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Set FIELD_KEYS in the environment" in done.stderr
