"""Where the stack keeps its things: the VAR folder, its lock, and a folder short enough for sockets."""

import fcntl
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel refuses a socket's path over 107 (Linux) or 103 (macOS)."""
LONGEST_SOCKET = ".s.PGSQL.5432.lock"


class StackError(Exception):
    """The stack cannot run; the message says what a person can do about it."""


def var_folder(environ=os.environ) -> Path:
    """Return the folder of run-time data, made if missing."""
    var = Path(environ.get("VAR") or ROOT / "var").absolute()
    try:
        var.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"Cannot make the folder {var}: {error.strerror}. Name another one with VAR=…") from error
    return var


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner can enter; refuse one that another person prepared."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), 0}:
        raise StackError(f"{folder} belongs to someone else: remove it, or set TMPDIR to a folder of your own.")
    folder.chmod(0o700)
    return folder


def socket_folder(var: Path, *, temp: str | None = None) -> Path:
    """Return the folder for sockets: inside VAR, or under the temp folder where that path is too long."""
    inside = var / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT:
        return inside
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(temp or tempfile.gettempdir()) / f"vipcrm-{os.geteuid()}-{name}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


class Lock:
    """One stack a VAR folder: an flock, which the kernel lets go of however the holder dies."""

    def __init__(self, var: Path):
        self.path = var / "stack.lock"
        self.file: IO[str] | None = None

    def take(self, *, wait: bool = False) -> bool:
        """Take the lock, at once or when its holder ends; say whether it was taken."""
        try:
            file = open(self.path, "a")  # noqa: SIM115 (held as long as the stack runs)
        except PermissionError as error:
            raise StackError(f"{self.path} belongs to another user: run as that user, or set VAR=…") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            return False
        self.file = file
        return True

    def release(self) -> None:
        """Let the lock go."""
        if self.file:
            self.file.close()
            self.file = None


class Notice:
    """What the running stack tells others: the environment that reaches it, and what it is doing."""

    def __init__(self, var: Path):
        self.path = var / "stack.json"

    def write(self, **content) -> None:
        """Publish; read by `make manage` and by people looking for the address."""
        write_private(self.path, json.dumps(content, indent=1))

    def read(self) -> dict:
        """Return what was published; empty when nothing is."""
        try:
            return json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def remove(self) -> None:
        """Withdraw the notice."""
        self.path.unlink(missing_ok=True)
