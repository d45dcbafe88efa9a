#!/usr/bin/env python
"""Run a management command; `make manage ARGS="…"` does so against the embedded stack."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vipcrm.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
