"""The pieces of the embedded stack that need no server: folders, keys, lock, steps, children, translations."""

import base64
import gettext
import io
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

from vipcrm.stack import messages, places
from vipcrm.stack.child import Child
from vipcrm.stack.keys import local_keys
from vipcrm.stack.places import ROOT, Lock, Notice, StackError
from vipcrm.stack.preparation import Preparation, Step, fingerprint, first_start
from vipcrm.stack.supervisor import BackOff, free_port


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def python(code, **options):
    """Start Python on a piece of code, its first line of output awaited."""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)
    return process, process.stdout.readline().strip()


def gone(pid, *, seconds=10):
    """Say whether a process ends in time; one that is dead and not yet buried has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    return bool(select.select([handle], [], [], seconds)[0])


# --- Folders ------------------------------------------------------------------------------------------


def test_sockets_lie_in_var_where_the_path_is_short_enough(tmp_path):
    assert places.socket_folder(tmp_path) == tmp_path / "run"


def test_sockets_of_a_deep_var_lie_under_the_temp_folder(tmp_path):
    deep = tmp_path / ("d" * 90)

    folder = places.socket_folder(deep, temp="/tmp")

    assert str(folder).startswith("/tmp/vipcrm-")
    assert len(os.fsencode(folder / places.LONGEST_SOCKET)) <= places.SOCKET_PATH_LIMIT
    assert folder == places.socket_folder(deep, temp="/tmp")
    assert folder != places.socket_folder(tmp_path / ("e" * 90), temp="/tmp")


def test_a_path_is_measured_in_bytes_not_characters(tmp_path):
    assert places.socket_folder(tmp_path / ("客" * 25)) != tmp_path / ("客" * 25) / "run"


def test_a_private_folder_is_its_owners_only(tmp_path):
    (tmp_path / "run").mkdir(mode=0o755)

    assert mode(places.private_folder(tmp_path / "run")) == 0o700


def test_a_private_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "there")

    with pytest.raises(StackError, match="belongs to someone else"):
        places.private_folder(tmp_path / "run")


# --- Keys ----------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_kept_private(tmp_path):
    first = local_keys(tmp_path)

    assert local_keys(tmp_path) == first
    assert mode(tmp_path / "keys.json") == 0o600
    name, _, key = first["FIELD_KEYS"].partition(":")
    assert (name, len(base64.b64decode(key))) == ("local", 32)
    assert len(first["SECRET_KEY"]) >= 50


def test_two_folders_have_different_keys(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert local_keys(tmp_path / "a")["FIELD_KEYS"] != local_keys(tmp_path / "b")["FIELD_KEYS"]


# --- Lock and notice -----------------------------------------------------------------------------------


def test_a_var_folder_takes_one_stack_at_a_time(tmp_path):
    first, second = Lock(tmp_path), Lock(tmp_path)

    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()


def test_the_lock_of_a_killed_holder_is_free(tmp_path):
    code = (
        "import sys, pathlib; from vipcrm.stack.places import Lock;"
        f"lock = Lock(pathlib.Path({str(tmp_path)!r})); print(lock.take(), flush=True); sys.stdin.read()"
    )
    holder, said = python(code, stdin=subprocess.PIPE)
    assert said == "True"
    assert not Lock(tmp_path).take()

    holder.kill()
    holder.wait()

    assert Lock(tmp_path).take()


def test_a_notice_is_private_and_withdrawn(tmp_path):
    notice = Notice(tmp_path)
    notice.write(doing="make run", environ={"DATABASE_URL": "secret"})

    assert mode(notice.path) == 0o600
    assert notice.read()["doing"] == "make run"
    notice.remove()
    assert notice.read() == {}


# --- Steps ---------------------------------------------------------------------------------------------

ENVIRON = {"DATABASE_URL": "postgres://one"}


def test_a_step_is_done_again_only_when_its_files_change(tmp_path):
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("a")
    step = Step("Collecting", ("collectstatic",), ("static/**/*",))
    preparation = Preparation(tmp_path, environ=ENVIRON, root=tmp_path)
    calls = []

    def run():
        return preparation.run([step], call=lambda command: calls.append(command) or 0, say=lambda line: None)

    assert run()
    assert run()
    assert calls == [("collectstatic",)]
    (tmp_path / "static" / "a.css").write_text("b")
    assert run()
    assert len(calls) == 2


def test_a_failed_step_ends_the_preparation_and_is_tried_again(tmp_path):
    steps = [Step("One", ("one",)), Step("Two", ("two",)), Step("Three", ("three",))]
    preparation = Preparation(tmp_path, environ=ENVIRON, root=tmp_path)
    said = []

    assert not preparation.run(steps, call=lambda command: int(command == ("two",)), say=said.append)

    assert [step.name for step, _ in preparation.missing(steps)] == ["two", "three"]
    assert said[-1].strip() == "manage.py two ended with code 1."


def test_the_stack_starts_without_a_step_that_is_not_needed(tmp_path):
    steps = [Step("Night", ("night",), needed=False), Step("More", ("more",))]
    preparation = Preparation(tmp_path, environ=ENVIRON, root=tmp_path)

    assert preparation.run(steps, call=lambda command: int(command == ("night",)), say=lambda line: None)

    assert [step.name for step, _ in preparation.missing(steps)] == ["night"]


def test_another_database_has_steps_of_its_own(tmp_path):
    step = Step("Writing", ("demo",))
    Preparation(tmp_path, environ=ENVIRON, root=tmp_path).remember(step, "once")

    other = Preparation(tmp_path, environ={"DATABASE_URL": "postgres://two"}, root=tmp_path)

    assert other.missing([step]) == [(step, "once")]


def test_the_size_of_the_demo_bank_can_be_named():
    assert first_start({})[0].command == ("demo", "--if-empty", "--customers", "4000")
    assert first_start({"DEMO_CUSTOMERS": "500"})[0].command == ("demo", "--if-empty", "--customers", "500")


def test_a_fingerprint_sees_names_and_contents(tmp_path):
    (tmp_path / "a").write_text("1")
    first = fingerprint(["*"], root=tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")

    assert fingerprint(["*"], root=tmp_path) != first


# --- Restarting ----------------------------------------------------------------------------------------


def test_a_part_that_keeps_ending_is_started_later_each_time():
    back_off = BackOff()

    assert [back_off.plan(lived=1, now=0) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_part_that_ran_long_is_started_at_once():
    back_off = BackOff(delay=30)

    assert back_off.plan(lived=3600, now=100) == 0
    assert back_off.due == 100


def test_a_port_asked_for_and_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"Port {port} is taken"):
            free_port(str(port))


def test_the_port_of_a_killed_stack_is_waited_for():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Timer(0.3, listener.close).start()

    assert free_port(str(port), orphaned=str(port)) == port


def test_without_a_wish_a_free_port_is_found():
    assert 8000 <= free_port(None) < 8100


# --- Children ------------------------------------------------------------------------------------------

IGNORES_TERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def test_a_child_shows_its_lines_without_the_hidden_ones():
    shown = []
    child = Child(
        [sys.executable, "-c", "print('one'); print('LOG: two'); print('three')"],
        environ=os.environ, show=shown.append, hide=("LOG:",),
    )  # fmt: skip
    child.wait(20)

    assert child.output().splitlines() == ["one", "LOG: two", "three"]
    assert shown == ["one", "three"]


def test_a_child_that_does_not_stop_is_killed():
    child = Child([sys.executable, "-c", IGNORES_TERM], environ=os.environ)
    while "up" not in child.lines and not child.ended():
        child.wait(0.01)

    child.stop(seconds=0.2)

    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux only tells children of their parent's death")
def test_a_child_ends_when_its_supervisor_is_killed():
    code = (
        "import os, sys, time; from vipcrm.stack.child import Child;"
        "child = Child([sys.executable, '-c', 'import time; time.sleep(60)'], environ=os.environ);"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    supervisor, pid = python(code)

    supervisor.kill()
    supervisor.wait()

    assert gone(int(pid))


# --- Translations --------------------------------------------------------------------------------------

CATALOGUE = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=1; plural=0;\n"

#: a.html:1
msgid "Customers"
msgstr "客户"
msgctxt "menu"
msgid "Customers"
msgstr ""
"客户"
"列表\n"

#, fuzzy
msgid "Doubtful"
msgstr "存疑"

#, python-format
msgid "%d day"
msgid_plural "%d days"
msgstr[0] "%d 天"

msgid "Not yet"
msgstr ""

#~ msgid "Gone"
#~ msgstr "没了"
"""


def test_translations_compile_without_gettext_tools():
    read = gettext.GNUTranslations(io.BytesIO(messages.as_mo(messages.read_entries(CATALOGUE))))

    assert read.gettext("Customers") == "客户"
    assert read.pgettext("menu", "Customers") == "客户列表\n"
    assert read.ngettext("%d day", "%d days", 3) == "%d 天"
    assert [read.gettext(text) for text in ("Doubtful", "Not yet", "Gone")] == ["Doubtful", "Not yet", "Gone"]


def test_a_catalogue_is_compiled_once_until_it_changes(tmp_path):
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE)

    assert messages.compile_messages(tmp_path) == 1
    assert messages.compile_messages(tmp_path) == 0
    os.utime(folder / "django.po", ns=(2**62, 2**62))
    assert messages.compile_messages(tmp_path) == 1
