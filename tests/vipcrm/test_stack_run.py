"""`make run` as a whole: started, asked over HTTP, stopped, killed, started again."""

import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vipcrm.stack.places import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
CUSTOMERS = "800"


class Run:
    """One `python -m vipcrm.stack run`, its lines read as they come."""

    def __init__(self, var, port):
        given = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        self.environ = given | {"VAR": str(var), "PORT": str(port), "DEMO_CUSTOMERS": CUSTOMERS}
        self.port = port
        self.began = time.monotonic()
        self.lines: list[str] = []
        self.coming: queue.Queue = queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vipcrm.stack", "run"],
            cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.coming.put(line.rstrip())
        self.coming.put(None)

    def wait_for(self, start, seconds=600):
        """Return the next line that begins so; fail with all that was said if it does not come."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            line = self.coming.get(timeout=left)
            if line is None:
                break
            self.lines.append(line)
            print(f"{time.monotonic() - self.began:6.1f}  {line}")
            if line.startswith(start):
                return line
        raise AssertionError(f"No line {start!r} came:\n" + "\n".join(self.lines[-60:]))

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def manage(self, *arguments):
        """Run `make manage` against the same VAR; return what it printed."""
        command = [sys.executable, "-m", "vipcrm.stack", "manage", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def count_customers(self):
        code = "from customers.models import Customer; print(Customer.objects.count())"
        return int(self.manage("shell", "--no-imports", "-c", code).splitlines()[-1])

    def end(self, signum):
        self.process.send_signal(signum)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path):
    """Give starts of one stack, on one port; whatever still runs is ended after the test."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    runs = []

    def begin():
        runs.append(Run(tmp_path / "var", port))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.end(signal.SIGTERM)


def ask_until(question, *, seconds=60):
    """Ask until the answer is true; return it."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "never came true"
        threading.Event().wait(0.2)
    return answer


def readiness(run):
    try:
        status, body = run.get("/readyz")
    except OSError:
        return None
    return json.loads(body) if status == 200 else None


def test_one_command_gives_the_whole_stack_and_keeps_its_data(start):
    cold = start()
    assert cold.wait_for("Ready: ") == f"Ready: http://127.0.0.1:{cold.port}"
    assert [line for line in cold.lines if line.startswith("[")][-1].endswith("Running the first night …")
    assert cold.wait_for("  sysadmin")
    assert cold.get("/healthz")[0] == 200
    # Worker and beat have each left a heartbeat.
    ask_until(lambda: (answer := readiness(cold)) and len(answer.get("heartbeats", {})) >= 2, seconds=120)
    assert cold.get("/accounts/login/")[0] == 200
    customers = cold.count_customers()
    assert customers >= int(CUSTOMERS)

    assert cold.end(signal.SIGTERM) == 0
    cold.wait_for("Stopped; the data is kept.")

    began = time.monotonic()
    warm = start()
    warm.wait_for("Ready: ")
    assert time.monotonic() - began < 30
    assert not [line for line in warm.lines if "demo bank" in line or "churn model" in line], "the data is there"
    assert warm.count_customers() == customers

    killed_and_started_again(warm, start, customers)


def killed_and_started_again(warm, start, customers):
    """A killed supervisor leaves nothing that blocks the next one, which also survives the death of its parts."""
    warm.process.kill()
    warm.process.wait()
    again = start()
    again.wait_for("Ready: ")
    assert again.count_customers() == customers

    for part, program in (("postgres", "postgres -D"), ("web", "gunicorn vipcrm.wsgi"), ("worker", "vipcrm worker")):
        os.kill(child_of(again.process.pid, program), signal.SIGKILL)
        again.wait_for(f"{part} ended (code -9); starting it again", seconds=30)
        ask_until(lambda: readiness(again))

    assert again.end(signal.SIGINT) == 0


def child_of(parent, program):
    """Return the process that a supervisor started with this command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if ppid == parent and program in command:
            return int(folder.name)
    raise AssertionError(f"no {program} under {parent}")


def test_a_second_stack_on_the_same_folder_is_refused(start):
    first = start()
    first.wait_for("Starting the database")

    second = start()

    assert second.process.wait(30) == 1
    second.wait_for("vipcrm: make run is already running on")
    assert first.end(signal.SIGTERM) == 0


def test_a_stop_while_the_stack_starts_is_clean(start):
    run = start()
    run.wait_for("[1/")

    assert run.end(signal.SIGTERM) == 0
    run.wait_for("Stopped; the data is kept.")
