"""Recording a risk assessment, and advice against a purchase."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from customers.models import AdviceAgainst, Customer, Product, RiskAssessment
from customers.suitability import GRADES, Unsuitable, year_before
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

MOST_A_DAY, MOST_A_YEAR = 2, 8


class AssessmentRefused(Refused):
    """This assessment may not be recorded; the message says why."""

    code = "assessment_refused"


@transaction.atomic
def record_assessment(*, customer: Customer, grade: int, confirmed: bool, by: Staff, on: date) -> RiskAssessment:
    """Record the grade that a customer was assessed with today; it holds for twelve months.

    Raises:
        AssessmentRefused: two were recorded that day or eight within 12 months, or the grade differs from the last one
            and the customer has not confirmed it again.
    """
    customer = Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)
    earlier = RiskAssessment.objects.filter(customer=customer)
    if earlier.filter(assessed_on=on).count() >= MOST_A_DAY:
        raise AssessmentRefused(_("A customer is assessed at most {n} times a day.").format(n=MOST_A_DAY))
    if earlier.filter(assessed_on__gt=year_before(on)).count() >= MOST_A_YEAR:
        raise AssessmentRefused(_("A customer is assessed at most {n} times in 12 months.").format(n=MOST_A_YEAR))
    if customer.risk_grade not in (None, grade) and not confirmed:
        before = GRADES[customer.risk_grade]
        raise AssessmentRefused(
            _("The last grade was {before}: let the customer confirm the new one again.").format(before=before)
        )
    made = RiskAssessment.objects.create(
        customer=customer, grade=grade, assessed_on=on, confirmed=confirmed and customer.risk_grade != grade, by=by
    )
    before = customer.risk_grade
    customer.risk_grade, customer.risk_assessed_on = grade, on
    customer.save(update_fields=["risk_grade", "risk_assessed_on", "updated_at"])
    audit.record("customer.assessed", customer, by=by, old=before, new=grade)
    return made


@transaction.atomic
def advise_against(*, customer: Customer, product: Product, amount, reason: str, by: Staff, on: date) -> AdviceAgainst:
    """Record that staff advised against a purchase, and why.

    Raises:
        Unsuitable: no reason is given.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise Unsuitable(_("Say why you advise against it."))
    made = AdviceAgainst.objects.create(
        customer=customer, product=product, amount=amount, reason=reason[:200], on=on, by=by
    )
    audit.record("customer.advised_against", customer, by=by, product=product.code)
    return made
