"""Signs of life of what works by itself."""

from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from staff.models import Heartbeat

STALLED_AFTER = timedelta(seconds=120)


def beat(*, part: str) -> None:
    """Note that a part is alive now."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(part=part, at=Now())], update_conflicts=True, unique_fields=["part"], update_fields=["at"]
    )


def ages() -> dict[str, float]:
    """Return the seconds since each part was last seen alive."""
    return {
        part: age.total_seconds()
        for part, age in Heartbeat.objects.annotate(age=Now() - F("at")).values_list("part", "age")
    }
