"""Refuse tracked files that name a machine's folder or a package registry, and locks that hold an address."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINE_PATH = r"(?<![\w./<-])/(?:work|root|home/\w+|Users/\w+|opt/\w+)/[\w.-]"
REGISTRY = r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|deb\.debian\.org|proxy\.golang"
INDEX_OPTION = r"--(?:extra-)?index-url|--trusted-host|--find-links"
FORBIDDEN = re.compile("|".join((MACHINE_PATH, REGISTRY, INDEX_OPTION)))
OURS = {"scripts/check_tracked.py"}
FOREIGN = ("static/vendor/",)


def tracked_files() -> list[str]:
    """Return the paths of the tracked files that exist, from the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def offences(name: str, text: str) -> list[str]:
    """Return what a file may not hold, as `name:line: text`."""
    found = [
        f"{name}:{number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        if (match := FORBIDDEN.search(line))
    ]
    if name.startswith("requirements/") and "://" in text:
        found.append(f"{name}: an address in a lock")
    return found


def main() -> int:
    """Check the tree; print each offence."""
    found: list[str] = []
    for name in tracked_files():
        if name in OURS or name.startswith(FOREIGN):
            continue
        try:
            found += offences(name, (ROOT / name).read_text())
        except UnicodeDecodeError:
            continue  # pictures and fonts
    print("\n".join(found) or "No machine path, registry or index option in tracked files.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
