"""The verbs of feedback: enter, answer, settle (domain.md §19). While a complaint is open nothing is sold."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from contacts import agenda
from contacts.models import ContactTask, Feedback
from customers.models import Customer
from customers.suitability import age_on
from customers.working_days import add_working_days
from staff import audit, outbox
from staff.masking import mask_name
from staff.models import Staff
from staff.refusal import Refused
from staff.roles import Role

ANSWER_WORKING_DAYS, SETTLE_DAYS = 1, 15
UNHAPPY, YOUNG = 2, 45
"""A score of at most so much by a customer under so many years goes to the head the same day (domain.md §19)."""


class FeedbackRefused(Refused):
    """This step is not possible; the message says why."""

    code = "feedback_refused"


@transaction.atomic
def enter(*, customer: Customer, kind: str, area: str, text: str, score: int | None, by: Staff, on: date) -> Feedback:
    """Write down what a customer said; a complaint comes on Today until it is answered, then until it is settled.

    Raises:
        FeedbackRefused: nothing is written.
    """
    if not text.strip():
        raise FeedbackRefused(_("Write what the customer said."))
    made = Feedback.objects.create(
        customer=customer,
        kind=kind,
        area=area,
        score=score,
        text=text.strip()[:500],
        received_on=on,
        answer_due=add_working_days(on, ANSWER_WORKING_DAYS),
        settle_due=on + timedelta(days=SETTLE_DAYS),
        entered_by=by,
    )
    if kind == Feedback.Kind.COMPLAINT:
        _remind(made, due_on=made.answer_due, on=on)
    age = age_on(customer.birth_date, on)
    if score is not None and score <= UNHAPPY and age is not None and age < YOUNG:
        _tell_head(made)
    audit.record("feedback.entered", made, by=by, kind=kind)
    return made


@transaction.atomic
def answer(*, feedback: Feedback, text: str, by: Staff, on: date) -> Feedback:
    """Note what the customer was answered; a complaint then waits to be settled.

    Raises:
        FeedbackRefused: nothing is written, or it was answered before.
    """
    feedback = Feedback.objects.select_for_update().get(pk=feedback.pk)
    if feedback.answered_at or not text.strip():
        raise FeedbackRefused(_("Write the answer; it is given once."))
    feedback.answer, feedback.answered_at, feedback.answered_by = text.strip()[:500], timezone.now(), by
    feedback.save(update_fields=["answer", "answered_at", "answered_by"])
    if feedback.kind == Feedback.Kind.COMPLAINT:
        _remind(feedback, due_on=feedback.settle_due, on=on)
    audit.record("feedback.answered", feedback, by=by)
    return feedback


@transaction.atomic
def settle(*, feedback: Feedback, outcome: str, by: Staff, on: date) -> Feedback:
    """Close a complaint with its outcome.

    Raises:
        FeedbackRefused: it was not answered yet, was settled before, or no outcome is written.
    """
    feedback = Feedback.objects.select_for_update().get(pk=feedback.pk)
    if not feedback.answered_at:
        raise FeedbackRefused(_("Answer the customer first."))
    if feedback.settled_at or not outcome.strip():
        raise FeedbackRefused(_("Write how it was settled; it is settled once."))
    feedback.outcome, feedback.settled_at, feedback.settled_by = outcome.strip()[:500], timezone.now(), by
    feedback.save(update_fields=["outcome", "settled_at", "settled_by"])
    agenda.close_tasks(keys=[_key(feedback)], on=on, by=by)
    audit.record("feedback.settled", feedback, by=by)
    return feedback


def _key(feedback: Feedback) -> str:
    return f"complaint:{feedback.pk}"


def _remind(feedback: Feedback, *, due_on: date, on: date) -> None:
    agenda.open_tasks(
        [
            {
                "key": _key(feedback),
                "customer_id": feedback.customer_id,
                "source": ContactTask.Source.MANUAL,
                "reason": "complaint",
                "figures": {"text": feedback.text[:60], "answered": feedback.answered_at is not None},
                "opened_on": on,
                "due_on": due_on,
                "allowed_days": max((due_on - on).days, 1),
                "opportunity_id": None,
            }
        ]
    )


def _tell_head(feedback: Feedback) -> None:
    """Write to the branch heads of the outlet, masked: young customers leave without a word."""
    heads = Staff.objects.active().of_role(Role.BRANCH_HEAD).filter(branch=feedback.customer.branch_id)
    for head in heads.exclude(email=""):
        with override(head.language):
            name = mask_name(feedback.customer.name)
            outbox.post(
                key=f"feedback:{feedback.pk}:{head.pk}",
                to=head.email,
                subject=_("A young customer is not content: {name}").format(name=name),
                text=_("{name} gave {score} of 5 today. Open the customer's page for the words, and call soon.").format(
                    name=name, score=feedback.score
                ),
                language=head.language,
            )
