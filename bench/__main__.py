"""`make bench`, or `python -m bench --customers 4000 100000 [--write]`: measure pages, nights and feeds by the size of the bank,
then the sharing out of customers (`--no-sharing` leaves it out); print, and write docs/performance.md."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2
from django.db.backends.utils import names_digest
from environ import Env
from psycopg2.extensions import quote_ident

from bench.table import page, table
from vipcrm.stack.places import ROOT
from vipcrm.stack.servers import Stack


def main() -> int:
    """Start servers of our own, measure each size in a fresh process and database, print the table."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[4_000, 100_000])
    parser.add_argument("--repeat", type=int, default=15, help="measurements of a page; the median counts")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--no-sharing", action="store_true", help="do not measure the optimiser")
    asked = parser.parse_args()
    var = Path(tempfile.mkdtemp(prefix="vipcrm-bench-"))
    given = {name: value for name, value in os.environ.items() if name not in ("VAR", "DATABASE_URL", "REDIS_URL")}
    stack = Stack(var, given=given | {"DEMO": "1"})
    try:
        stack.start()
        results = {size: measure(stack.environ, size, asked.repeat, var) for size in sorted(set(asked.customers))}
    finally:
        stack.stop()
        if stack.postgres and stack.postgres.home.parent != var:
            shutil.rmtree(stack.postgres.home.parent, ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)
    print(table(results))
    if not asked.no_sharing:
        subprocess.run([sys.executable, "-m", "bench.sharing"], check=True, cwd=ROOT)
    if asked.write:
        target = ROOT / "docs" / "performance.md"
        target.write_text(page(target.read_text(), results, repeat=asked.repeat))
        print(f"Written to {target.relative_to(ROOT)}.")
    return 0


def measure(environ: dict, size: int, repeat: int, var: Path) -> dict:
    """Measure one size in a scratch database; return {figure: value}."""
    name = f"bench_{names_digest(str(size), length=8)}"
    scratch(environ["DATABASE_URL"], "CREATE DATABASE {} TEMPLATE template0", name)
    out = var / f"{size}.json"
    command = [
        sys.executable,
        "-m",
        "bench.measure",
        "--customers",
        str(size),
        "--repeat",
        str(repeat),
        "--out",
        str(out),
    ]
    address = with_database(environ["DATABASE_URL"], name)
    try:
        subprocess.run(command, env=environ | {"DATABASE_URL": address}, check=True, cwd=ROOT)
        return json.loads(out.read_text())
    finally:
        scratch(environ["DATABASE_URL"], "DROP DATABASE {} WITH (FORCE)", name)


def with_database(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    base, question, options = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{question}{options}"


def scratch(url: str, statement: str, name: str) -> None:
    """Make or drop a database."""
    config = Env.db_url_config(url)
    host = config.get("OPTIONS", {}).get("host") or config["HOST"] or None
    connection = psycopg2.connect(
        dbname=config["NAME"], user=config["USER"], password=config["PASSWORD"], host=host, port=config["PORT"] or None
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement.format(quote_ident(name, connection)))
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
