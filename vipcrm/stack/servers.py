"""The servers of one VAR folder, and the environment that reaches them."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from vipcrm.stack.child import Child
from vipcrm.stack.keys import local_keys
from vipcrm.stack.mail import MailCatcher
from vipcrm.stack.places import private_folder, socket_folder
from vipcrm.stack.postgres import Postgres
from vipcrm.stack.valkey import Valkey


class Stack:
    """PostgreSQL, Valkey and the mail catcher, those that the environment does not name.

    Whoever starts it holds the lock of `var`. `environ` is complete after `start()`.

    Args:
        given: the environment that may name servers of its own (DATABASE_URL, REDIS_URL, EMAIL_URL).
        durable: False for tests: nothing is forced to disk.
        show: called with the server's name and a line of its output.
    """

    def __init__(
        self,
        var: Path,
        *,
        given: Mapping[str, str] = os.environ,
        durable: bool = True,
        show: Callable[[str, str], None] = lambda name, line: None,
    ):
        self.var = var
        self.given = given
        self.show = show
        sockets = socket_folder(var)
        private_folder(sockets)
        self.postgres = self.valkey = None
        if not given.get("DATABASE_URL"):
            self.postgres = Postgres(home=var / "postgres", sockets=sockets, durable=durable, show=self._tell)
        if not given.get("REDIS_URL"):
            self.valkey = Valkey(home=var / "valkey", sockets=sockets, durable=durable, show=self._tell)
        self.mail = None if given.get("EMAIL_URL") else MailCatcher(var / "mail")
        self.children: dict[str, Child] = {}
        self.environ: dict[str, str] = {}

    def start(self) -> None:
        """Start what is missing, both servers at once, and wait until they answer."""
        servers = {"postgres": self.postgres, "valkey": self.valkey}
        try:
            for name, server in servers.items():
                if server:
                    server.prepare()
                    self.respawn(name)
            if self.mail:
                self.mail.start()
                (self.var / "mail.port").write_text(f"{self.mail.port}\n")
            for name, server in servers.items():
                if server:
                    server.wait_ready(self.children[name])
        except BaseException:
            self.stop()
            raise
        self.environ = self._environment()

    def respawn(self, name: str) -> Child:
        """Start one server again (or the first time)."""
        server = self.postgres if name == "postgres" else self.valkey
        if server is None:
            raise KeyError(name)
        self.children[name] = server.spawn(lambda line: self.show(name, line))
        return self.children[name]

    def _tell(self, line: str) -> None:
        self.show("stack", line)

    def stop(self) -> None:
        """Stop the servers, PostgreSQL last."""
        if valkey := self.children.pop("valkey", None):
            valkey.stop(seconds=15)
        if postgres := self.children.pop("postgres", None):
            # SIGINT is the fast stop: sessions are ended, the data is written.
            postgres.stop(signal.SIGINT, seconds=30, then=signal.SIGQUIT)
        if self.mail:
            self.mail.stop()
            (self.var / "mail.port").unlink(missing_ok=True)

    def _environment(self) -> dict[str, str]:
        """Return the whole environment of the app: what is given, and what the embedded servers add."""
        added = {"VAR": str(self.var), "DJANGO_SETTINGS_MODULE": "vipcrm.settings"}
        if self.postgres:
            added["DATABASE_URL"] = self.postgres.url()
        if self.valkey:
            added["REDIS_URL"] = self.valkey.url()
        if self.mail:
            added["EMAIL_URL"] = self.mail.url()
        # Threads of OpenMP that wait for each other on busy cores are many times slower than one.
        defaults = {"DEMO": "1", "OMP_NUM_THREADS": "1"} | local_keys(self.var)
        return defaults | dict(self.given) | added
