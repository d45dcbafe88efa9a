"""A whole site for the browser: its own database with a demo bank, the real web server, a real Chromium."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = ROOT / "var" / "screenshots"
CUSTOMERS = "1500"
PASSWORD = "demo-vip-2026"


class Site:
    """Commands and a web server on a database of their own, beside the tests'."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        here = urlsplit(os.environ["DATABASE_URL"])
        self.database = f"browser_{os.getpid()}_{self.port}"
        self.database_url = urlunsplit(here._replace(path=f"/{self.database}"))
        self.environ = os.environ | {
            "DATABASE_URL": self.database_url,
            "CACHE_PREFIX": self.database,
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "DEMO": "1",
            "DEBUG": "0",
            "OMP_NUM_THREADS": "1",
        }
        self.server = None
        self.log = folder / "web.log"

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def query(self, sql: str, *values):
        """Read the database itself, not what the app says of it."""
        with psycopg2.connect(self.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def write(self, sql: str, *values) -> None:
        """Set the scene where no page does."""
        with psycopg2.connect(self.database_url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)

    def start(self) -> None:
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {self.database}")
        connection.close()
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--no-input", "-v0")
        self.manage("demo", "--customers", CUSTOMERS, "--seed", "7")
        self.manage("train_churn")
        self.manage("night")
        with self.log.open("w") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "vipcrm.wsgi", "--threads", "8", "--bind", f"127.0.0.1:{self.port}"],
                cwd=ROOT, env=self.environ, stdout=log, stderr=log,
            )  # fmt: skip
        wait_for(self.url + "/readyz", self.server)

    def stop(self) -> None:
        if self.server:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen, seconds: int = 60) -> None:
    """Return once the address answers."""
    for _try in range(seconds * 5):
        assert process.poll() is None, "the web server ended"
        try:
            urllib.request.urlopen(url, timeout=10)
            return
        except OSError:
            time.sleep(0.2)  # a process that starts can only be asked again
    raise AssertionError(f"{url} did not answer")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    assert path, "No Chromium: install Debian's chromium, or name one with CHROMIUM=…"
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


class Visitor:
    """A person at the browser; what the page complains of is kept, and fails the test at its end."""

    def __init__(self, browser, site: Site, *, language="zh-CN", width=1440, height=900, theme="light"):
        self.site, self.language = site, language
        self.context = browser.new_context(
            base_url=site.url, locale=language, viewport={"width": width, "height": height},
            color_scheme=theme, timezone_id="Asia/Shanghai",
        )  # fmt: skip
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(
                f"{message.text} ({message.location.get('url')}:{message.location.get('lineNumber')})"
            )

    def sign_in(self, number: str) -> Page:
        """Sign in with the language and theme of this visit: what an earlier test chose for the person is not kept."""
        kept = "en" if self.language.startswith("en") else "zh-hans"
        self.site.write("UPDATE staff_staff SET language = %s, theme = 'auto' WHERE staff_no = %s", kept, number)
        self.page.goto("/accounts/login/")
        self.page.fill("#id_login", number)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("main form button[type=submit], form button.btn-primary")
        self.page.wait_for_url(lambda url: "/accounts/login" not in url)
        return self.page

    def screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.settle()
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def settle(self) -> None:
        """Wait until nothing is being fetched and no panel is a skeleton any more."""
        self.page.wait_for_load_state("networkidle")

    def unexpected(self, *expected_statuses: int) -> list[str]:
        """Return the complaints, less the statuses that the test provoked."""
        # The answer to a page that was left meanwhile finds no place for its toast: nothing is lost by that.
        allowed = (*(f"status of {status}" for status in expected_statuses), "htmx:oobErrorNoTarget, #toasts")
        return [text for text in self.complaints if not any(part in text for part in allowed)]


@pytest.fixture
def visit(chromium, site):
    """Return a function that opens the browser as somebody: visit("manager", width=390)."""
    visitors = []

    def open_as(number: str, **options) -> Visitor:
        visitor = Visitor(chromium, site, **options)
        visitors.append(visitor)
        visitor.sign_in(number)
        return visitor

    yield open_as
    for visitor in visitors:
        visitor.context.close()
