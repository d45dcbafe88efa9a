"""Up to when the past is complete: what a transaction that still writes will commit lies after it."""

from datetime import datetime

from django.db import connection


def settled_until() -> datetime:
    """Return the time before which every change that will ever be is visible: a transaction that is still writing began after it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]
