"""What has to be done before the product can be used, and what of it is done already."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vipcrm.stack.messages import compile_messages
from vipcrm.stack.places import ROOT, write_private

LOCK = "requirements/app.txt"


@dataclass(frozen=True)
class Step:
    """One management command, done again when the files that it depends on change.

    `watched` are glob patterns under the root; without any the step is done once in the life of the data.
    Where a step is not `needed`, the stack starts without it and tries it again at the next start.
    """

    text: str
    command: tuple[str, ...]
    watched: tuple[str, ...] = ()
    needed: bool = True

    @property
    def name(self) -> str:
        return self.command[0]


EVERY_CHANGE = (
    Step(
        "Bringing the tables up to date", ("migrate", "--no-input", "--skip-checks", "-v0"), ("*/migrations/*.py", LOCK)
    ),
    Step("Collecting the static files", ("collectstatic", "--no-input", "-v0"), ("static/**/*", LOCK)),
)


def first_start(environ: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the steps of a demonstration's first start, in order; DEMO_CUSTOMERS sets the size of the bank."""
    customers = environ.get("DEMO_CUSTOMERS") or "4000"
    return (
        Step("Writing the demo bank", ("demo", "--if-empty", "--customers", customers)),
        Step("Training the churn model on the bank's past", ("train_churn",), needed=False),
        Step("Running the first night", ("night",), needed=False),
    )


def fingerprint(patterns: Iterable[str], *, root: Path = ROOT) -> str:
    """Return a digest of the names and contents of the files that the patterns find."""
    digest = hashlib.sha256()
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            if path.is_file():
                digest.update(f"{path.relative_to(root)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


class Preparation:
    """The steps of one database, remembered in VAR.

    Args:
        environ: the environment of the app; another DATABASE_URL is another database with steps of its own.
    """

    def __init__(self, var: Path, *, environ: Mapping[str, str], root: Path = ROOT):
        self.path = var / "prepared.json"
        self.environ = environ
        self.root = root
        self.database = hashlib.sha256(environ["DATABASE_URL"].encode()).hexdigest()[:12]

    def done(self) -> dict[str, str]:
        """Return the fingerprint under which each step was last done on this database."""
        return self._read().get(self.database, {})

    def missing(self, steps: Iterable[Step]) -> list[tuple[Step, str]]:
        """Return the steps to do, each with the fingerprint to remember."""
        done = self.done()
        marks = [(step, fingerprint(step.watched, root=self.root) if step.watched else "once") for step in steps]
        return [(step, mark) for step, mark in marks if done.get(step.name) != mark]

    def remember(self, step: Step, mark: str) -> None:
        """Note that a step is done."""
        state = self._read()
        state.setdefault(self.database, {})[step.name] = mark
        write_private(self.path, json.dumps(state, indent=1))

    def _read(self) -> dict:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def run(
        self, steps: Iterable[Step], *, call: Callable[[tuple[str, ...]], int], say: Callable[[str], None] = print
    ) -> bool:
        """Do what is missing, with a line for each step; say whether what is needed went well.

        Args:
            call: runs a management command, returns its exit code.
        """
        compile_messages(self.root / "locale")
        missing = self.missing(steps)
        for number, (step, mark) in enumerate(missing, 1):
            say(f"[{number}/{len(missing)}] {step.text} …")
            began = time.monotonic()
            code = call(step.command)
            if not code:
                self.remember(step, mark)
                say(f"      done in {time.monotonic() - began:.1f} s")
                continue
            say(f"      manage.py {' '.join(step.command)} ended with code {code}.")
            if step.needed:
                return False
        return True


def manage_command(arguments: Iterable[str]) -> list[str]:
    """Return the command line of a management command."""
    return [sys.executable, str(ROOT / "manage.py"), *arguments]


def call_manage(arguments: Iterable[str], *, environ: Mapping[str, str]) -> int:
    """Run a management command in the foreground; return its exit code."""
    return subprocess.run(manage_command(arguments), env=dict(environ), check=False, cwd=ROOT).returncode
