"""What web, worker and beat keep in memory: the libraries of training and of imports are not among it."""

import os
import subprocess
import sys

from vipcrm.stack.places import ROOT

HEAVY = ("pandas", "sklearn", "scipy", "pypinyin")
CODE = f"""
import sys, django
django.setup()
from django.urls import get_resolver
from vipcrm.celery import app
app.loader.import_default_modules()
assert get_resolver().url_patterns
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_pages_and_tasks_are_ready_without_the_heavy_libraries():
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
