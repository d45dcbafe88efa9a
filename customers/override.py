"""Giving a member places beyond the limits, for a while, and taking them back (domain.md §5, 超额分配)."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from customers import load
from customers.models import AssignmentRule, Load, Override, QuotaRule, Tier
from customers.models.override import REASON_LENGTH
from staff import audit
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role

MISSED_NIGHTS = 31
"""So many nights may be missed, and quotas that began meanwhile are still taken up."""


class OverrideRefused(Refused):
    """These places cannot be given; the message says why."""

    code = "override_refused"


@transaction.atomic
def give(*, staff: Staff, tier: int, places: int, until: date, reason: str, by: Staff, on: date) -> Override:
    """Give a member so many more places for customers of a tier, from today up to a day.

    Raises:
        OverrideRefused: not the branch head, no reason, no such customers in this role, already over, or the load could
            pass 150 %.
        load.Busy: somebody else is assigning customers of the outlet.
    """
    reason = " ".join(reason.split())
    if by.role != Role.BRANCH_HEAD:
        raise OverrideRefused(_("Only the branch head gives places beyond the limits."))
    if len(reason) < REASON_LENGTH:
        raise OverrideRefused(_("Say in at least %(count)d characters why.") % {"count": REASON_LENGTH})
    if until < on:
        raise OverrideRefused(_("Choose an end day from today on."))
    load.lock_branches([staff.branch_id])
    row = Load.objects.filter(staff=staff).first()
    if row is None or load.book_of(row).limits[Tier(tier)] in (0, None):
        raise OverrideRefused(_("%(name)s has no quota for customers of this tier.") % {"name": staff.name})
    weight = load.book_of(row).weights[Tier(tier)]
    allowed = load.MOST_LOAD * AssignmentRule.objects.in_force(on).load_share * row.full_capacity
    if row.capacity + places * weight > allowed:
        most = int((allowed - row.capacity) // weight)
        raise OverrideRefused(
            _("Beyond 150%% of the load limit: at most %(n)d more places for this tier.") % {"n": max(0, most)}
        )
    made = Override.objects.create(
        staff=staff, tier=tier, places=places, reason=reason[:200], valid_from=on, valid_until=until, given_by=by
    )
    load.refresh_limits([staff.pk], on=on)
    figures = {"kind": Tier(tier).code, "number": places, "until": until, "reason": made.reason}
    audit.record("override.given", staff, by=by, **figures)
    return made


@transaction.atomic
def withdraw(*, override: Override, by: Staff, on: date) -> Override:
    """Take places back; who stands on them stays, but nobody else comes.

    Raises:
        OverrideRefused: not the branch head, or it ended before.
    """
    if by.role != Role.BRANCH_HEAD:
        raise OverrideRefused(_("Only the branch head gives places beyond the limits."))
    override = Override.objects.select_for_update(of=("self",)).select_related("staff").get(pk=override.pk)
    if override.withdrawn_on is not None or override.valid_until < on:
        raise OverrideRefused(_("These places have ended already."))
    override.withdrawn_on = on
    override.save(update_fields=["withdrawn_on"])
    load.refresh_limits([override.staff_id], on=on)
    audit.record("override.withdrawn", override.staff, by=by, kind=Tier(override.tier).code, number=override.places)
    return override


def refresh_branch(*, branch_id: int, on: date) -> int:
    """Write the limits of the morning after `on`: overrides that end, quotas that begin; return whose were looked at."""
    morning = date.fromordinal(on.toordinal() + 1)
    members = Staff.objects.filter(branch=branch_id, load__isnull=False)
    # Whatever ended or began, not only today: a night that was missed is made good by the next.
    since = date.fromordinal(on.toordinal() - MISSED_NIGHTS)
    begun = {"effective_from__gt": since, "effective_from__lte": morning}
    if not any(model.objects.filter(**begun).exists() for model in (QuotaRule, AssignmentRule)):
        members = members.filter(overrides__valid_until__lte=on)
    return load.refresh_limits(list(members.distinct().values_list("pk", flat=True)), on=morning)
