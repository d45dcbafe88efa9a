"""What a member of staff is licensed to sell (domain.md §2, 资质)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from staff.models.people import Staff


class QualificationQuerySet(models.QuerySet):
    def of_members(self, branch_id):
        """Keep those of the people of a branch and of all beneath it."""
        return self.filter(staff__in=Staff.objects.members_of(branch_id))

    def standing(self):
        """Keep what was not withdrawn; it may have run out."""
        return self.filter(withdrawn_on=None)

    def valid(self, on):
        """Keep what holds on a day, its last day included."""
        return self.filter(valid_from__lte=on).filter(Q(withdrawn_on=None) | Q(withdrawn_on__gt=on)).filter(
            Q(valid_until=None) | Q(valid_until__gte=on)
        )  # fmt: skip


class Qualification(models.Model):
    """One qualification, with its number and the days on which it holds; withdrawn, it stays in the file."""

    class Kind(models.TextChoices):
        WEALTH = "wealth", _("Wealth product sales")
        FUND = "fund", _("Fund sales")
        INSURANCE = "insurance", _("Insurance sales")
        GOLD = "gold", _("Precious metal sales")
        PRIVATE = "private", _("Private banking sales")
        AFP = "afp", "AFP"
        CFP = "cfp", "CFP"

    staff = models.ForeignKey(Staff, models.PROTECT, related_name="qualifications")
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.CharField(max_length=40)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=120, blank=True)

    objects = QualificationQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                name="qualification_one_of_a_kind", fields=["staff", "kind"], condition=Q(withdrawn_on=None)
            ),
            models.CheckConstraint(
                name="qualification_ends_after_it_begins",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
        ]

    def __str__(self):
        return f"{self.staff_id} {self.kind}"
