"""Places beyond a member's limits (超额分配): for a named person, with a reason and an end (domain.md §5)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Now
from django.utils.translation import gettext_lazy as _

from customers.models.tiers import Tier
from staff.models import Staff

models.CharField.register_lookup(Length)

REASON_LENGTH = 10


class OverrideQuerySet(models.QuerySet):
    def of_members(self, branch_id):
        """Keep those of the people of a branch and of all beneath it."""
        return self.filter(staff__in=Staff.objects.members_of(branch_id))

    def valid(self, on):
        """Keep what gives places on a day, its last day included."""
        return self.filter(valid_from__lte=on, valid_until__gte=on).filter(
            Q(withdrawn_on=None) | Q(withdrawn_on__gt=on)
        )


class Override(models.Model):
    """So many more places for customers of a class, from a day to a day; potential customers need none."""

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="overrides")
    tier = models.PositiveSmallIntegerField(choices=Tier)
    places = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_until = models.DateField()
    given_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    given_at = models.DateTimeField(db_default=Now())
    withdrawn_on = models.DateField(null=True, blank=True)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(name="override_gives_places", condition=Q(places__gt=0)),
            models.CheckConstraint(name="override_of_a_tier", condition=Q(tier__range=(Tier.GOLD, Tier.DIAMOND))),
            models.CheckConstraint(name="override_says_why", condition=Q(reason__length__gte=REASON_LENGTH)),
            models.CheckConstraint(name="override_ends", condition=Q(valid_until__gte=F("valid_from"))),
        ]

    def __str__(self):
        return f"{self.staff_id} +{self.places} {Tier(self.tier).code}"


REASON_HELP = _("at least 10 characters")
