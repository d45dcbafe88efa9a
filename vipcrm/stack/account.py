"""Whom PostgreSQL runs as: it refuses root, so root runs it in a user namespace, or as another account."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vipcrm.stack.places import StackError

NOBODY = "65534"
UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
FALLBACK_ACCOUNTS = ("postgres", "nobody")
FALLBACK_HOME = Path("/var/lib")


@dataclass(frozen=True)
class Account:
    """How a command of PostgreSQL is started: a prefix of the command line, or another user's numbers."""

    prefix: tuple[str, ...] = ()
    identity: tuple[int, int] | None = None

    def own(self, *folders: Path) -> None:
        """Give folders to the account, where it is another one than ours."""
        if self.identity:
            for folder in folders:
                os.chown(folder, *self.identity)


def namespace_works(postgres: Path, home: Path) -> bool:
    """Say whether root may start PostgreSQL in a user namespace of its own, and write `home` from there."""
    if not shutil.which("unshare"):
        return False
    trial = [*UNSHARE, "sh", "-c", 'test -w "$1" && "$2" --version', "sh", str(home), str(postgres)]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def fallback_user() -> pwd.struct_passwd:
    """Return the account that a root without user namespaces hands PostgreSQL to."""
    for name in FALLBACK_ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackError("PostgreSQL does not run as root, and there is no account postgres or nobody: use another user.")


def account_for(*, postgres: Path, home: Path, data: Path, euid: int | None = None) -> Account | None:
    """Return whom to run PostgreSQL as; None where root needs the fall-back (see `move_out`).

    Args:
        home: the folder that PostgreSQL writes to; made before.
        data: the data folder, whose owner decides where it exists: once made as a user, always run as that user.
        euid: the effective user id, ours if not given.
    """
    euid = os.geteuid() if euid is None else euid
    if euid != 0:
        return Account()
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(identity=(owner.st_uid, owner.st_gid))
    return Account(prefix=UNSHARE) if namespace_works(postgres, home) else None


def move_out(*, binaries: Path, libraries: Path, home: Path, name: str) -> tuple[Account, Path, Path]:
    """Put binaries and data under /var/lib, where a plain account reaches them.

    Returns:
        The account, the folder of the copied programs, and the new home, which `home` now links to.
    """
    user = fallback_user()
    account = Account(identity=(user.pw_uid, user.pw_gid))
    place = FALLBACK_HOME / f"vipcrm-{name}"
    programs = place / binaries.parent.parent.name / binaries.parent.name
    if not programs.exists():
        # The package finds its libraries by a path relative to the programs: both are copied side by side.
        shutil.copytree(binaries.parent, programs, symlinks=True, dirs_exist_ok=True)
        if libraries.exists():
            shutil.copytree(libraries, place / libraries.name, dirs_exist_ok=True)
    place.chmod(0o755)
    new_home = place / "postgres"
    new_home.mkdir(exist_ok=True)
    account.own(new_home)
    if not home.is_symlink():
        home.rmdir()
        home.symlink_to(new_home)
    return account, programs / binaries.name, new_home
