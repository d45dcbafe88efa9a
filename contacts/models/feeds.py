"""The secret address under which a member's own calendar program reads the days."""

from django.db import models
from django.db.models.functions import Now

from staff.models import Staff


class CalendarFeed(models.Model):
    """One member's address; only the hash of its secret is kept, and a new one ends the old."""

    staff = models.OneToOneField(Staff, models.CASCADE, primary_key=True, related_name="calendar_feed")
    secret_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.staff_id)
