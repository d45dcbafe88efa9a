"""The embedded servers themselves: started in a folder of their own, asked over their sockets."""

import mailbox
import os
import shutil
import signal
import smtplib
import stat
import tempfile
from pathlib import Path

import environ
import psycopg2
import pytest
import redis

from vipcrm.stack import account
from vipcrm.stack.places import StackError
from vipcrm.stack.postgres import Postgres
from vipcrm.stack.servers import Stack


def connect(url):
    """Connect as the settings do: through django-environ's reading of the URL."""
    read = environ.Env.db_url_config(url)
    return psycopg2.connect(
        dbname=read["NAME"], user=read["USER"], password=read["PASSWORD"], port=read["PORT"], **read["OPTIONS"]
    )


def ask(url, statement):
    connection = connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


@pytest.fixture
def make_stack(tmp_path):
    """Give stacks of one VAR folder, whose name has a space and Chinese in it; all stopped at the end."""
    stacks = []

    def make(**given):
        stack = Stack(tmp_path / "贵宾 客户", given=given, durable=False)
        stacks.append(stack)
        return stack

    (tmp_path / "贵宾 客户").mkdir()
    yield make
    for stack in stacks:
        stack.stop()


def test_the_stack_starts_in_a_folder_with_spaces_and_keeps_what_was_written(make_stack):
    first = make_stack()
    first.start()
    ask(first.environ["DATABASE_URL"], "CREATE TABLE kept AS SELECT '张伟' AS name")
    first.stop()

    second = make_stack()
    second.start()

    assert ask(second.environ["DATABASE_URL"], "SELECT name FROM kept") == ("张伟",)
    assert second.environ["DATABASE_URL"] == first.environ["DATABASE_URL"]


def test_the_app_signs_in_as_a_role_that_row_level_security_holds_for(make_stack):
    stack = make_stack()
    stack.start()
    url = stack.environ["DATABASE_URL"]

    assert ask(url, "SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user") == (
        False, False, True,
    )  # fmt: skip
    ask(url, "CREATE EXTENSION pg_trgm")
    ask(url, "CREATE EXTENSION btree_gist")
    assert ask(url, "SELECT cardinality(show_trgm('张伟'))") == (3,)
    assert ask(url, "SELECT datcollate, datctype <> 'C' FROM pg_database WHERE datname = current_database()") == (
        "C",
        True,
    )


def test_nobody_gets_in_without_the_password_or_over_a_port(make_stack):
    stack = make_stack()
    stack.start()
    url = stack.environ["DATABASE_URL"]

    assert ask(url, "SHOW listen_addresses") == ("",)
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        connect(url.replace(stack.postgres.app_password(), "guess"))
    assert stat.S_IMODE((stack.postgres.home / "app.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(stack.postgres.sockets.stat().st_mode) == 0o700


def test_the_log_of_the_database_holds_no_rows(make_stack):
    stack = make_stack()
    stack.start()
    log = stack.children["postgres"].lines
    url = stack.environ["DATABASE_URL"]
    ask(url, "CREATE TABLE person (id_no text UNIQUE)")
    ask(url, "INSERT INTO person VALUES ('110101199003070011')")

    with pytest.raises(psycopg2.errors.UniqueViolation):
        ask(url, "INSERT INTO person VALUES ('110101199003070011')")

    stack.stop()
    assert any("duplicate key" in line for line in log)
    assert not any("110101199003070011" in line for line in log)


def test_data_of_another_version_is_left_alone(make_stack):
    stack = make_stack()
    stack.start()
    stack.stop()
    (stack.postgres.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(StackError, match="is of PostgreSQL 17, the programs are 18"):
        make_stack().start()

    assert (stack.postgres.data / "PG_VERSION").read_text() == "17\n"


def test_servers_that_a_killed_supervisor_left_behind_are_ended(make_stack):
    orphaned = make_stack()
    orphaned.start()
    ask(orphaned.environ["DATABASE_URL"], "CREATE TABLE kept AS SELECT 1")
    store = redis.Redis.from_url(orphaned.environ["REDIS_URL"])
    store.set("key", "value")

    stack = make_stack()
    stack.start()

    assert orphaned.children["postgres"].wait(10)
    assert orphaned.children["valkey"].wait(10)
    assert ask(stack.environ["DATABASE_URL"], "SELECT count(*) FROM kept") == (1,)


def test_a_pid_file_left_by_a_power_cut_does_not_block_the_start(make_stack):
    stack = make_stack()
    stack.start()
    stack.children["postgres"].process.send_signal(signal.SIGKILL)
    stack.children.pop("postgres").wait(10)
    assert (stack.postgres.data / "postmaster.pid").exists()
    stack.stop()

    again = make_stack()
    again.start()

    assert ask(again.environ["DATABASE_URL"], "SELECT 1") == (1,)


def test_an_unfinished_cluster_is_made_anew(make_stack):
    stack = make_stack()
    stack.postgres.data.mkdir(parents=True)
    (stack.postgres.data / "half").write_text("made")

    stack.start()

    assert ask(stack.environ["DATABASE_URL"], "SELECT 1") == (1,)


def test_valkey_keeps_what_it_acknowledged(tmp_path):
    (tmp_path / "var").mkdir()
    stacks = [Stack(tmp_path / "var", given={"DATABASE_URL": "x", "EMAIL_URL": "x"}) for _ in range(2)]
    try:
        stacks[0].start()
        redis.Redis.from_url(stacks[0].environ["REDIS_URL"]).set("task", "waiting")
        stacks[0].stop()
        stacks[1].start()
        store = redis.Redis.from_url(stacks[1].environ["REDIS_URL"])

        assert store.get("task") == b"waiting"
        assert store.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert store.config_get("port") == {"port": "0"}
    finally:
        for stack in stacks:
            stack.stop()


def test_servers_named_by_the_environment_are_not_started(make_stack):
    given = {"DATABASE_URL": "postgres://bank", "REDIS_URL": "redis://bank", "EMAIL_URL": "smtp://bank"}
    stack = make_stack(**given)

    stack.start()

    assert stack.children == {}
    assert given.items() <= stack.environ.items()


def test_a_caught_mail_is_in_the_maildir_when_it_is_acknowledged(make_stack):
    stack = make_stack(DATABASE_URL="x", REDIS_URL="x")
    stack.start()
    port = int((stack.var / "mail.port").read_text())

    with smtplib.SMTP("127.0.0.1", port) as sender:
        sender.sendmail("vip@bank.example", ["lin@bank.example"], "Subject: =?utf-8?b?6aKE6K2m?=\r\n\r\nhi\r\n")

    (caught,) = mailbox.Maildir(stack.var / "mail")
    assert caught["X-Envelope-To"] == "lin@bank.example"
    assert caught.get_payload().strip() == "hi"


# --- Root ----------------------------------------------------------------------------------------------


def test_an_ordinary_user_runs_postgres_as_themselves(tmp_path):
    assert account.account_for(postgres=Path("postgres"), home=tmp_path, data=tmp_path, euid=1000) == account.Account()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand PostgreSQL to another account")
def test_root_without_user_namespaces_runs_postgres_as_another_account(monkeypatch):
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    place.chmod(0o755)
    monkeypatch.setattr(account, "FALLBACK_HOME", place)
    monkeypatch.setattr(account, "namespace_works", lambda *_: False)
    sockets = place / "run"
    sockets.mkdir(mode=0o700)
    try:
        for _start in range(2):
            server = Postgres(home=place / "var", sockets=sockets, durable=False)
            server.prepare()
            child = server.spawn()
            try:
                server.wait_ready(child)
                assert ask(server.url(), "SELECT 1") == (1,)
                assert Path(f"/proc/{child.process.pid}").stat().st_uid == account.fallback_user().pw_uid
            finally:
                child.stop(signal.SIGINT)
    finally:
        shutil.rmtree(place)
