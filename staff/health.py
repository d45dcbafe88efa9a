"""Whether this process lives, and whether it may be given work. Open to all: the answers name no data."""

from functools import cache

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache as store
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from staff import heartbeat, jobs, outbox


@login_not_required
@require_safe
@never_cache
def healthz(request):
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@never_cache
def readyz(request):
    """Say whether database, Redis and schema are there (else 503), and what stands still (still 200)."""
    checks = {"database": _database(), "redis": _redis()}
    checks["migrations"] = checks["database"] and _migrated()
    ready = all(checks.values())
    answer = {"checks": {name: "ok" if good else "failed" for name, good in checks.items()}}
    if ready:
        answer |= _standstill()
    status = "unavailable" if not ready else "stalled" if answer["stalled"] else "ok"
    return JsonResponse({"status": status} | answer, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        store.set("readyz", "ok", timeout=60)
        return store.get("readyz") == "ok"
    except RedisError:
        return False


def _migrated() -> bool:
    """Say whether every migration was applied; a no is asked again at the next call, a yes is not."""
    if not _all_applied():
        _all_applied.cache_clear()
        return False
    return True


@cache
def _all_applied() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _standstill() -> dict:
    limit = heartbeat.STALLED_AFTER.total_seconds()
    ages = {part: round(age, 1) for part, age in heartbeat.ages().items()}
    waiting = outbox.oldest_waiting_age()
    stalled = [part for part, age in ages.items() if age > limit]
    if waiting and waiting > heartbeat.STALLED_AFTER:
        stalled.append("outbox")
    jobs_waiting = jobs.oldest_waiting_age()
    if jobs_waiting and jobs_waiting > heartbeat.STALLED_AFTER:
        stalled.append("jobs")
    return {
        "heartbeats": ages,
        "oldest_waiting_mail": round(waiting.total_seconds(), 1) if waiting else None,
        "oldest_waiting_job": round(jobs_waiting.total_seconds(), 1) if jobs_waiting else None,
        "stalled": stalled,
    }
