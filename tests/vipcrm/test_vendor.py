"""The vendored front end is what vendor.json says it is, and holds nothing that breaks in use."""

import json
import re
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "static" / "vendor"
PACKAGES = json.loads((VENDOR / "vendor.json").read_text())
SPRITE = (ROOT / "static" / "img" / "icons.svg").read_text()


def test_every_vendored_file_has_the_hash_that_the_list_says():
    for package in PACKAGES:
        for name, digest in package["sha256"].items():
            assert sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_vendored_file_is_on_the_list():
    listed = {(VENDOR / name).resolve() for package in PACKAGES for name in package["sha256"]}
    present = {path for path in VENDOR.rglob("*") if path.is_file() and path.name != "vendor.json"}
    assert present == listed - {ROOT / "static" / "img" / "icons.svg"}


def test_every_package_comes_with_a_version_and_its_licence_text():
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert {package["name"]: package["version"] for package in PACKAGES} == wanted
    for package in PACKAGES:
        assert package["licence"]
        assert any(name.endswith("LICENSE") for name in package["sha256"]), package["name"]


def test_no_file_names_a_source_map_that_is_not_there():
    for path in [*VENDOR.rglob("*.css"), *VENDOR.rglob("*.js")]:
        assert "sourceMappingURL" not in path.read_text(), path.name


def test_the_lock_names_no_registry():
    lock = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in lock


def test_every_icon_that_a_template_names_is_in_the_sprite():
    for path in (ROOT / "templates").rglob("*.html"):
        named = re.findall(r'components/icon\.html" with name="([^"]+)"', path.read_text())
        missing = [name for name in named if f'id="{name}"' not in SPRITE]
        assert not missing, f"{path.name}: {missing}"


def test_no_template_has_an_inline_script_handler_or_style():
    """The policy is default-src 'self': the browser would drop them without a word."""
    for path in (ROOT / "templates").rglob("*.html"):
        if "mail" in path.parts or "/email" in str(path):
            continue
        text = path.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), path
        assert not re.search(r"<[a-z][^>]*\s(?:on[a-z]+|style|hx-on[:a-z-]*)=", text), path


def test_colours_stand_in_the_tokens_alone():
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*[;}])")
    for path in (ROOT / "static" / "css").glob("*.css"):
        if path.name != "tokens.css":
            assert not literal.search(path.read_text()), path.name
    for path in (ROOT / "static" / "js").glob("*.js"):
        assert not re.search(r"[\"']#[0-9a-fA-F]{3,8}[\"']", path.read_text()), path.name
