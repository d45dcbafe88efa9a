"""How an opportunity is to be won, and who helps: the plan on its record, colleagues who see the customer meanwhile."""

from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from contacts.models import Opportunity, SalesPlan, StaffReferral, VisitPlan
from customers import companion
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

HELP_DAYS = 90
"""How long a helper sees the customer, counted from the day he is asked."""

MOST_HELPERS = 3


class PlanRefused(Refused):
    """This cannot be done with the opportunity; the message says why."""

    code = "sales_plan_refused"


@transaction.atomic
def keep(*, opportunity: Opportunity, by: Staff, **words: str) -> SalesPlan:
    """Keep the plan of an open opportunity in place of the one before.

    Args:
        words: goal, products, steps, scripts, timing, competitor.

    Raises:
        PlanRefused: the opportunity is closed.
    """
    _open(opportunity)
    plan, _made = SalesPlan.objects.update_or_create(opportunity=opportunity, defaults={**words, "changed_by": by})
    audit.record("opportunity.planned", opportunity, by=by)
    return plan


@transaction.atomic
def add_helper(*, opportunity: Opportunity, staff: Staff, by: Staff, on: date) -> None:
    """Let a colleague help: he sees the customer for HELP_DAYS, and the opportunity among his own looks.

    Raises:
        PlanRefused: it is closed, has helpers enough, or the colleague owns it.
        CompanionRefused: the customer is out of sight, or the colleague works here no more.
    """
    _open(opportunity)
    if staff.pk == opportunity.owner_id:
        raise PlanRefused(_("{name} is in charge of it already.").format(name=staff.name))
    if opportunity.helpers.exclude(pk=staff.pk).count() >= MOST_HELPERS:
        raise PlanRefused(_("At most {n} colleagues help.").format(n=MOST_HELPERS))
    companion.join(customer=opportunity.customer, staff=staff, until=on + timedelta(days=HELP_DAYS), by=by, on=on)
    opportunity.helpers.add(staff)
    audit.record("opportunity.helper_added", opportunity, by=by, to=staff.staff_no)


@transaction.atomic
def remove_helper(*, opportunity: Opportunity, staff: Staff, by: Staff, on: date) -> None:
    """End a colleague's help; he sees the customer no longer, unless something else needs it or he looks after him."""
    opportunity.helpers.remove(staff)
    elsewhere = staff.helped_opportunities.open().filter(customer=opportunity.customer_id)
    meeting = staff.joint_visits.filter(customer=opportunity.customer_id, status=VisitPlan.Status.PLANNED)
    asked = staff.got_referrals.filter(
        customer=opportunity.customer_id, kind=StaffReferral.Kind.REFERRAL, closed_at=None
    )
    if not elsewhere.exists() and not meeting.exists() and not asked.exists():
        companion.leave(customer=opportunity.customer, staff=staff, on=on)
    audit.record("opportunity.helper_removed", opportunity, by=by, to=staff.staff_no)


def _open(opportunity: Opportunity) -> None:
    held = Opportunity.objects.select_for_update(no_key=True).only("stage").get(pk=opportunity.pk)
    if held.stage in (Opportunity.Stage.WON, Opportunity.Stage.LOST):
        raise PlanRefused(_("The opportunity is closed."))
