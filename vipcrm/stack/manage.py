"""`make manage`: a management command against the running stack, or against one started for its time."""

import os
import signal
import subprocess
import sys
import time

from vipcrm.stack.keys import local_keys
from vipcrm.stack.places import ROOT, Lock, Notice, StackError, var_folder
from vipcrm.stack.preparation import EVERY_CHANGE, Preparation, call_manage, manage_command
from vipcrm.stack.servers import Stack

WORKS_ON_ANY_SCHEMA = {"migrate", "makemigrations", "showmigrations", "sqlmigrate", "check", "makemessages", "help"}
ATTACH_SECONDS = 120


def attach(var, lock: Lock) -> dict[str, str] | None:
    """Return the environment of the running stack; None once the lock is ours, as no stack runs."""
    deadline = time.monotonic() + ATTACH_SECONDS
    told = False
    while not lock.take():
        notice = Notice(var).read()
        if environ := notice.get("environ"):
            return {"VAR": str(var), "DJANGO_SETTINGS_MODULE": "vipcrm.settings"} | local_keys(var) | environ
        if not told:
            print(f"Waiting for {notice.get('doing', 'another command')} on {var} …", file=sys.stderr)
            told = True
        if notice.get("doing") == "make run" and time.monotonic() > deadline:
            raise StackError("The running stack does not get ready; see its terminal.")
        time.sleep(0.1)
    return None


def manage(arguments: list[str]) -> int:
    """Run a management command; return its exit code."""
    var = var_folder()
    lock = Lock(var)
    running = attach(var, lock)
    if running is not None:
        os.execve(sys.executable, manage_command(arguments), running | dict(os.environ))  # noqa: S606 (no shell is meant)
    notice = Notice(var)
    notice.write(doing=f"make manage ({' '.join(arguments[:1])})", pid=os.getpid())
    stack = Stack(var, show=lambda name, line: print(f"{name:8} | {line}", file=sys.stderr))
    # Ctrl-C reaches the command too, which ends by it; SIGTERM is handed on.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        stack.start()
        if arguments and arguments[0] not in WORKS_ON_ANY_SCHEMA:
            preparation = Preparation(var, environ=stack.environ)
            migrate = [step for step in EVERY_CHANGE if step.name == "migrate"]
            say = lambda line: print(line, file=sys.stderr)  # noqa: E731
            if not preparation.run(migrate, call=lambda c: call_manage(c, environ=stack.environ), say=say):
                return 1
        command = subprocess.Popen(manage_command(arguments), env=stack.environ, cwd=ROOT)
        signal.signal(signal.SIGTERM, lambda *_: command.terminate())
        return command.wait()
    finally:
        stack.stop()
        notice.remove()
        lock.release()
