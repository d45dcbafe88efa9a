"""`make run`: starts the servers, prepares the product, keeps web, worker and beat running, stops in order."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vipcrm.stack.child import Child, die_with_parent
from vipcrm.stack.places import ROOT, Lock, Notice, StackError, var_folder
from vipcrm.stack.preparation import EVERY_CHANGE, Preparation, first_start, manage_command
from vipcrm.stack.servers import Stack

FIRST_PORT = 8000
READY_SECONDS = 90
ORPHAN_SECONDS = 10
TICK = 0.2
LONGEST_BACK_OFF = 30.0
STEADY_SECONDS = 60
"""A part that ran this long is taken for sound: its next restart comes at once again."""

PROGRAMS = {
    "web": (
        *("gunicorn", "vipcrm.wsgi:application", "--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        *("--preload", "--timeout", "60", "--graceful-timeout", "10", "--log-level", "warning", "--no-control-socket"),
    ),
    "worker": (
        *("celery", "--quiet", "--app", "vipcrm", "worker", "--concurrency", "2", "--loglevel", "WARNING"),
        *("--without-gossip", "--without-mingle"),
    ),
    "beat": ("celery", "--quiet", "--app", "vipcrm", "beat", "--loglevel", "WARNING", "--pidfile="),
}
ORPHAN_SIGNALS = {"web": signal.SIGQUIT, "worker": signal.SIGQUIT, "beat": signal.SIGTERM}
STOP_ORDER = (("web", 12), ("beat", 5), ("worker", 20))
"""Each part with the seconds that it has to end what it is doing."""
SIGN_INS = (
    ("head", "branch head"),
    ("manager", "relationship manager"),
    ("manager2", "relationship manager"),
    ("adviser", "wealth adviser"),
    ("lobby", "lobby manager"),
    ("teller", "teller"),
    ("president", "president of the sub-branch"),
    ("office", "head office"),
    ("auditor", "auditor"),
    ("sysadmin", "system administrator"),
)
PASSWORD = "demo-vip-2026"  # noqa: S105 (the demo's published password)


def is_free(port: int) -> bool:
    """Say whether nothing listens on a port of this machine."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(asked: str | None, *, orphaned: str | None = None) -> int:
    """Return the port asked for, if it is free; without a wish the first free one from 8000.

    Args:
        orphaned: the port of a stack that was killed, whose web server may need a moment to notice.
    """
    wished = asked or orphaned
    deadline = time.monotonic() + (ORPHAN_SECONDS if orphaned else 0)
    while wished and not is_free(int(wished)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if wished and is_free(int(wished)):
        return int(wished)
    if asked:
        raise StackError(f"Port {asked} is taken by another program: choose another one with PORT=…")
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        if is_free(port):
            return port
    raise StackError(f"No free port from {FIRST_PORT} to {FIRST_PORT + 99}: choose one with PORT=…")


@dataclass
class BackOff:
    """When a part that ended is started again: at once, then after 0.5 s, doubling up to 30 s."""

    delay: float = 0.0
    due: float = field(default=0.0)

    def plan(self, *, lived: float, now: float) -> float:
        """Set when to start again after a life of `lived` seconds; return the delay."""
        if lived >= STEADY_SECONDS:
            self.delay = 0.0
        self.due = now + self.delay
        waited, self.delay = self.delay, min(max(0.5, self.delay * 2), LONGEST_BACK_OFF)
        return waited


class Terminal:
    """One line at a time from many threads, each with the name of its part."""

    def __init__(self):
        self.lock = threading.Lock()

    def say(self, text: str = "") -> None:
        """Print a line of the supervisor itself."""
        with self.lock, contextlib.suppress(OSError, ValueError):
            print(text, flush=True)

    def show(self, name: str, line: str) -> None:
        """Print a line of a part."""
        self.say(f"{name:8} | {line}")


class Supervisor:
    """The parts of one running stack, held from start to stop by the main thread."""

    def __init__(self, var: Path, *, given: Mapping[str, str] = os.environ, orphaned: str | None = None):
        self.var = var
        self.terminal = Terminal()
        self.stopping = threading.Event()
        self.stack = Stack(var, given=given, show=self.terminal.show)
        self.port = free_port(given.get("PORT"), orphaned=orphaned)
        self.parts: dict[str, Child] = {}
        self.back_offs: dict[str, BackOff] = {}
        self.environ: dict[str, str] = {}

    # --- Up -------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Bring everything up; say whether it is ready to be used."""
        began = time.monotonic()
        self.terminal.say(f"Starting the database, Redis and the mail catcher in {self.var} …")
        self.stack.start()
        address = f"http://127.0.0.1:{self.port}"
        self.environ = {"SITE_URL": address} | self.stack.environ | {"PORT": str(self.port)}
        steps = EVERY_CHANGE + (first_start(self.environ) if self.in_demo() else ())
        prepared = Preparation(self.var, environ=self.environ).run(steps, call=self.call, say=self.terminal.say)
        if not prepared or self.stopping.is_set():
            return False
        for name in PROGRAMS:
            self.start_part(name)
        if not self.wait_for_web():
            return False
        shared = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "DEMO", "PORT", "SITE_URL", "OMP_NUM_THREADS")
        Notice(self.var).write(
            doing="make run", pid=os.getpid(), environ={key: self.environ[key] for key in shared if key in self.environ}
        )
        self.terminal.say(self.welcome(address, seconds=time.monotonic() - began))
        return True

    def in_demo(self) -> bool:
        """Say whether this is a demonstration, which loads the invented bank and lets its people in."""
        return self.environ.get("DEMO", "").lower() in {"1", "true", "yes", "on"}

    def welcome(self, address: str, *, seconds: float) -> str:
        """Return the lines that tell a person where to go."""
        lines = [f"Ready: {address}", f"(in {seconds:.1f} s; data in {self.var}; Ctrl-C stops everything)"]
        if self.in_demo():
            lines.append(f"Sign in with one of these employee numbers and the password {PASSWORD}:")
            lines += [f"  {number:<10} {who}" for number, who in SIGN_INS]
        return "\n".join(lines)

    def call(self, command: tuple[str, ...]) -> int:
        """Run a management command with its bars on this terminal; a stop of the stack ends it too."""
        process = subprocess.Popen(
            manage_command(command),
            env=self.environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        while process.poll() is None:
            if self.stopping.wait(0.05):
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return process.wait()

    def start_part(self, name: str) -> None:
        """Start web, worker or beat."""
        command = [sys.executable, "-m", *PROGRAMS[name]]
        environ = dict(self.environ) | {"PYTHONUNBUFFERED": "1"}
        if name == "web":
            command += ["--bind", f"127.0.0.1:{self.port}"]
            if Path("/dev/shm").is_dir():  # noqa: S108 (gunicorn's own advice: heartbeats off the disk)
                command += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108
        if name == "worker":
            # Root is warned off at every start; on a machine where root is all there is, that helps nobody.
            environ |= {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
        self.parts[name] = Child(
            command,
            environ=environ,
            cwd=ROOT,
            show=lambda line: self.terminal.show(name, line),
            orphan_signal=ORPHAN_SIGNALS[name],
        )

    def wait_for_web(self) -> bool:
        """Wait until the web server answers; say whether it did before a stop."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.stopping.wait(0.1):
            if self.web_answers():
                return True
            if self.parts["web"].ended():
                raise StackError("The web server did not start; its lines are above.")
            if time.monotonic() > deadline:
                raise StackError(f"The web server does not answer after {READY_SECONDS} s; its lines are above.")
        return False

    def web_answers(self) -> bool:
        """Ask the web server how it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    # --- Watch ----------------------------------------------------------------------------------

    def watch(self) -> None:
        """Restart what ends, until asked to stop."""
        while not self.stopping.wait(TICK):
            for name, child in [*self.stack.children.items(), *self.parts.items()]:
                if child.ended():
                    self.revive(name, child)

    def revive(self, name: str, child: Child) -> None:
        """Plan the restart of an ended part, and do it when due."""
        now = time.monotonic()
        back_off = self.back_offs.setdefault(name, BackOff())
        if not back_off.due:
            waited = back_off.plan(lived=now - child.started, now=now)
            code = child.process.returncode
            self.terminal.say(
                f"{name} ended (code {code}); starting it again" + (f" in {waited:.1f} s." if waited else ".")
            )
        if now >= back_off.due:
            back_off.due = 0.0
            child.stop()  # what is left of its group
            restart: Callable = self.start_part if name in PROGRAMS else self.stack.respawn
            restart(name)

    # --- Down -----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop web, beat and worker, then the servers."""
        for name, seconds in STOP_ORDER:
            if child := self.parts.pop(name, None):
                child.stop(seconds=seconds, then=ORPHAN_SIGNALS[name])
        self.stack.stop()

    def ask_to_stop(self, *_) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP."""
        self.stopping.set()


def run() -> int:
    """Run the stack in the foreground until a signal; return the exit code."""
    var = var_folder()
    lock = Lock(var)
    notice = Notice(var)
    if not lock.take():
        running = notice.read()
        address = running.get("environ", {}).get("SITE_URL", "")
        raise StackError(f"{running.get('doing', 'A stack')} is already running on {var} {address}".strip() + ".")
    orphaned = notice.read().get("environ", {}).get("PORT")  # a stack that was killed took back no notice
    notice.write(doing="make run", pid=os.getpid())
    try:
        supervisor = Supervisor(var, orphaned=orphaned)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, supervisor.ask_to_stop)
        try:
            ready = supervisor.start()
            if ready:
                supervisor.watch()
        finally:
            supervisor.terminal.say("Stopping …")
            supervisor.stop()
        supervisor.terminal.say("Stopped; the data is kept.")
        return 0 if ready or supervisor.stopping.is_set() else 1
    finally:
        notice.remove()
        lock.release()
