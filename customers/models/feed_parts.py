"""What a large feed sent, until a worker has taken it."""

from django.db import models

from staff.models import Job
from staff.sealing import SealedField


class FeedPart(models.Model):
    """Some thousand lines of a feed, sealed, in the order sent; gone when its rows are merged.

    `first` is the number of its first line, 1 for the first of all.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="feed_parts")
    first = models.PositiveIntegerField()
    lines = SealedField()

    class Meta:
        default_permissions = ()
        ordering = ["first"]
        constraints = [models.UniqueConstraint(name="feed_part_once", fields=["job", "first"])]

    def __str__(self):
        return f"{self.job_id} {self.first}"
