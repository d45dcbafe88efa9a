"""A child process: a session of its own, its output read line by line, gone when its parent is gone."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
KEPT_LINES = 40


def die_with_parent(signum: int) -> Callable[[], None]:
    """Return what a forked child runs first, so that the kernel sends it `signum` when its parent dies."""
    parent = os.getpid()

    def arrange() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return arrange


class Child:
    """A running part of the stack. Start it from the main thread: a parent's death is that of its thread.

    Args:
        show: called with every line of output, without its end, that holds none of the words in `hide`.
        orphan_signal: what the kernel sends when the supervisor dies without stopping its children.
        identity: user and group numbers to run as, for a root that must not be root.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        show: Callable[[str], None] = lambda line: None,
        hide: Sequence[str] = (),
        orphan_signal: int = signal.SIGTERM,
        identity: tuple[int, int] | None = None,
        cwd=None,
    ):
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.started = time.monotonic()
        user = {"user": identity[0], "group": identity[1], "extra_groups": []} if identity else {}
        self.process = subprocess.Popen(
            [os.fspath(part) for part in command],
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(orphan_signal),
            **user,
        )
        self.reader = threading.Thread(target=self._read, args=(show, hide), daemon=True)
        self.reader.start()

    def _read(self, show: Callable[[str], None], hide: Sequence[str]) -> None:
        for raw in self.process.stdout or ():
            line = raw.decode(errors="replace").rstrip()
            self.lines.append(line)
            if not any(word in line for word in hide):
                show(line)

    def ended(self) -> bool:
        """Say whether the process is over."""
        return self.process.poll() is not None

    def output(self) -> str:
        """Return the last lines that it wrote, for a message about its failure."""
        self.reader.join(1)
        return "\n".join(self.lines)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; say whether it came in time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, signum: int = signal.SIGTERM, *, seconds: float = 10, then: int = signal.SIGKILL) -> None:
        """Ask the process to end, and after `seconds` make it: `then` to the process, last SIGKILL to all its group."""
        if not self.ended():
            self.process.send_signal(signum)
            if not self.wait(seconds):
                self.process.send_signal(then)
                self.wait(5)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(1)
