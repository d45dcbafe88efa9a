"""How many alerts a manager is given a week, and how many are only watched: set from a later day on, never for the past."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from churn.models import AlertPolicy
from staff import audit
from staff.models import Staff
from staff.refusal import Refused


class PolicyRefused(Refused):
    code = "policy_refused"


@transaction.atomic
def set_policy(*, weekly_capacity: int, holdout_percent: int, valid_from: date, by: Staff, on: date) -> AlertPolicy:
    """Keep a policy from a later day on; one already laid down for that day is replaced.

    Raises:
        PolicyRefused: the day is not in the future.
    """
    if valid_from <= on:
        raise PolicyRefused(_("Choose a day after today: what has been sent cannot be changed."))
    policy, _created = AlertPolicy.objects.update_or_create(
        valid_from=valid_from,
        defaults={"weekly_capacity": weekly_capacity, "holdout_percent": holdout_percent, "set_by": by},
    )
    audit.record(
        "alert_policy.set",
        policy,
        by=by,
        valid_from=valid_from.isoformat(),
        capacity=weekly_capacity,
        holdout=holdout_percent,
    )
    return policy
