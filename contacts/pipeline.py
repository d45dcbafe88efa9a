"""The opportunity pipeline (domain.md §9): what may move where, on which conditions, and how to take it back."""

from datetime import date, timedelta

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import agenda
from contacts.detection import COOLING_DAYS, OPPORTUNITY_LEAD_DAYS
from contacts.models import MOVES, PROBABILITY, ContactLog, ContactTask, Opportunity, OpportunityStageHistory
from customers import suitability
from customers.archive.values import payment_ability
from customers.models import Customer
from customers.working_days import add_working_days
from staff import audit, qualification
from staff.models import Staff
from staff.refusal import Refused

Stage = Opportunity.Stage

FIRST_CONTACT_DAYS = {
    "retention": 3,
    "win_back": 3,
    "sign_up": 3,
    "upgrade": 3,
    "cross_sell": 5,
    "acquire": 5,
}
"""Working days within which a new opportunity is first contacted (domain.md §9, assumption)."""

URGENT_DAYS = 1
"""The same for the retention of a customer at high risk."""

STALLED_DAYS = 14
HOLD_DAYS = 90


class MoveRefused(Refused):
    """The pipeline does not lead there, or what the stage needs is missing."""

    code = "move_refused"


class AlreadyOpen(Refused):
    code = "already_open"


class Conflict(Refused):
    """Somebody else changed it in the meantime."""

    code = "conflict"


def first_contact_days(kind: str, *, is_urgent: bool = False, is_key: bool = False) -> int:
    """Return the working days to the first contact: fewer at high risk, half, rounded up, for key customers (domain.md §9)."""
    days = URGENT_DAYS if is_urgent and kind == Opportunity.Kind.RETENTION else FIRST_CONTACT_DAYS[kind]
    return -(-days // 2) if is_key else days


@transaction.atomic
def open_opportunity(
    *,
    customer: Customer,
    kind: str,
    title: str,
    owner: Staff,
    by: Staff,
    on: date,
    contact_log: ContactLog | None = None,
    **fields,
) -> Opportunity:
    """Open an opportunity in the first stage, due within the working days of its kind, risk and customer unless a day is given.

    Raises:
        AlreadyOpen: the customer has an open one of this kind (cross-sell: of this product category).
    """
    fields.setdefault("next_action_on", None)
    days = first_contact_days(
        kind, is_urgent=customer.churn_level == Customer.ChurnLevel.HIGH, is_key=customer.key_customer
    )  # fmt: skip
    fields["next_action_on"] = fields["next_action_on"] or add_working_days(on, days)
    try:
        with transaction.atomic():
            opportunity = Opportunity.objects.create(
                customer=customer, kind=kind, title=title, owner=owner, stage_since=on, last_touched_on=on, **fields
            )
    except IntegrityError as error:
        if "opportunity_one_open_per_kind" not in str(error):
            raise
        raise AlreadyOpen(_("This customer already has an open opportunity of this kind.")) from error
    _write_history(opportunity, from_stage="", by=by, note="", contact_log=contact_log)
    _follow(opportunity, on=on)
    audit.record("opportunity.opened", opportunity, by=by, kind=kind, title=title)
    return opportunity


def move(
    *,
    opportunity: Opportunity,
    to: str,
    by: Staff,
    on: date,
    note: str = "",
    contact_log: ContactLog | None = None,
    version: str = "",
    **entry,
) -> Opportunity:
    """Move an opportunity along the pipeline, writing its history.

    Args:
        contact_log: the contact that moved it, so that voiding the contact takes the move back.
        version: `updated_at` as it was read (ISO); a stale one is refused.
        entry: what the stage needs, of expected_amount, expected_on, next_action, next_action_on, product,
            lost_reason, resume_on, result_amount, dual_record_no.

    Raises:
        MoveRefused: the pipeline does not lead there, or an entry condition is not met.
        suitability.Unsuitable: the product's risk is above the customer's, the assessment has expired, or the mover
            lacks the qualification; the trail keeps that it was tried.
        Conflict: it was changed since `version`.
    """
    try:
        return _move(opportunity, to, by=by, on=on, note=note, contact_log=contact_log, version=version, entry=entry)
    except suitability.Unsuitable as refusal:
        product = entry.get("product") or opportunity.product
        audit.record("opportunity.unsuitable", opportunity, by=by, product=product.code, reason=str(refusal))
        raise


@transaction.atomic
def _move(opportunity, to, *, by, on, note, contact_log, version, entry) -> Opportunity:
    opportunity = _lock(opportunity)
    if version and version != opportunity.updated_at.isoformat():
        raise Conflict(_("Somebody else has changed this opportunity. Look at it again and repeat your move."))
    if to not in MOVES[opportunity.stage]:
        raise MoveRefused(
            _("An opportunity cannot go from “{old}” to “{new}”.").format(
                old=Stage(opportunity.stage).label, new=Stage(to).label
            )
        )
    before = opportunity.stage
    for name, value in entry.items():
        if value not in (None, ""):
            setattr(opportunity, name, value)
    ENTRY[to](opportunity, on=on, note=note, before=before, by=by)
    opportunity.stage, opportunity.stage_since, opportunity.last_touched_on = to, on, on
    opportunity.closed_on = on if to in (Stage.WON, Stage.LOST) else None
    opportunity.resume_on = opportunity.resume_on if to == Stage.ON_HOLD else None
    opportunity.lost_reason = opportunity.lost_reason if to == Stage.LOST else ""
    _save(opportunity)
    _write_history(opportunity, from_stage=before, by=by, note=note, contact_log=contact_log)
    _follow(opportunity, on=on)
    audit.record("opportunity.moved", opportunity, by=by, old=before, new=to)
    return opportunity


@transaction.atomic
def undo_move(*, opportunity: Opportunity, by: Staff, on: date) -> Opportunity:
    """Take the newest move back, as long as it was made the same day; the history keeps both."""
    opportunity = _lock(opportunity)
    last = opportunity.history.order_by("-id").first()
    if last is None or not last.from_stage or last.to_stage != opportunity.stage:
        raise MoveRefused(_("There is no move to take back."))
    if timezone.localdate(last.at) != on:
        raise MoveRefused(_("Only a move of today can be taken back."))
    earlier = opportunity.history.filter(id__lt=last.pk, to_stage=last.from_stage).order_by("-id").first()
    before = opportunity.stage
    opportunity.stage = last.from_stage
    opportunity.stage_since = timezone.localdate(earlier.at) if earlier else opportunity.stage_since
    opportunity.closed_on = None
    opportunity.lost_reason = ""
    if opportunity.stage == Stage.ON_HOLD:
        opportunity.resume_on = on + timedelta(days=1)
    with connection.cursor() as cursor:
        # Tells the trigger of migration 0002 that this one may go back, until the transaction ends.
        cursor.execute("SELECT set_config('vipcrm.undo', %s, true)", [str(opportunity.pk)])
        _save(opportunity)
        cursor.execute("SELECT set_config('vipcrm.undo', '', true)")
    _write_history(opportunity, from_stage=before, by=by, note=_("taken back"))
    _follow(opportunity, on=on)
    audit.record("opportunity.move_undone", opportunity, by=by, old=before, new=opportunity.stage)
    return opportunity


def is_stalled(opportunity: Opportunity, on: date) -> bool:
    """Say whether nobody has touched it for two weeks."""
    return (on - opportunity.last_touched_on).days >= STALLED_DAYS


# --- what each stage needs -------------------------------------------------------------------------


def _enter_new(opportunity, *, on, before, **_others):
    is_cooling = (
        opportunity.lost_reason == Opportunity.LostReason.UNWILLING
        and opportunity.closed_on
        and (on - opportunity.closed_on).days < COOLING_DAYS
    )
    if is_cooling:
        until = opportunity.closed_on + timedelta(days=COOLING_DAYS)
        raise MoveRefused(
            _("The customer did not want this; it can be reopened from {day}.").format(day=until.isoformat())
        )
    if _others_open(opportunity):
        raise AlreadyOpen(_("This customer already has an open opportunity of this kind."))


def _enter_planned(opportunity, *, on, **_others):
    if opportunity.next_action_on is None or opportunity.next_action_on < on:
        raise MoveRefused(_("Say on which day the next step is planned."))


def _enter_contacted(opportunity, **_others):
    opened_on = min(timezone.localdate(opportunity.created_at), opportunity.stage_since)
    if not opportunity.customer.contact_logs.valid().filter(on__gte=opened_on).exists():
        raise MoveRefused(_("First log a contact in which the customer was reached."))


def _enter_proposed(opportunity, *, on, note, by, **_others):
    product, customer = opportunity.product, opportunity.customer
    if product is None:
        if not note.strip():
            raise MoveRefused(_("Say which product or service was introduced."))
        return
    suitability.check(suitability.offer_to(customer, product, on=on, held=qualification.held(by, on)))


def _enter_agreed(opportunity, *, on, by, **_others):
    if opportunity.expected_amount is None or opportunity.expected_on is None:
        raise MoveRefused(_("Give the expected amount and the expected date."))
    if opportunity.product is None:
        return
    suitability.check(
        suitability.offer_to(
            opportunity.customer, opportunity.product, on=on, amount=opportunity.expected_amount,
            ability=payment_ability(opportunity.customer), held=qualification.held(by, on),
        )
    )  # fmt: skip
    if opportunity.is_recorded and not opportunity.dual_record_no:
        raise MoveRefused(_("Record the sale in sound and picture, and give the number of the recording."))


def _enter_won(opportunity, **_others):
    if opportunity.result_amount is None:
        raise MoveRefused(_("Give the amount that was achieved."))
    if not opportunity.history.filter(to_stage=Stage.CONTACTED).exists():
        raise MoveRefused(_("An opportunity can only be won after the customer was contacted."))


def _enter_lost(opportunity, **_others):
    if not opportunity.lost_reason:
        raise MoveRefused(_("Choose why it was lost."))


def _enter_on_hold(opportunity, *, on, **_others):
    if opportunity.resume_on is None or not on < opportunity.resume_on <= on + timedelta(days=HOLD_DAYS):
        raise MoveRefused(_("Give the day on which it resumes, within {days} days.").format(days=HOLD_DAYS))


ENTRY = {
    Stage.NEW: _enter_new,
    Stage.PLANNED: _enter_planned,
    Stage.CONTACTED: _enter_contacted,
    Stage.PROPOSED: _enter_proposed,
    Stage.AGREED: _enter_agreed,
    Stage.WON: _enter_won,
    Stage.LOST: _enter_lost,
    Stage.ON_HOLD: _enter_on_hold,
}

NEEDS = {
    Stage.PLANNED: ["next_action", "next_action_on"],
    Stage.CONTACTED: ["note"],
    Stage.PROPOSED: ["product", "note"],
    Stage.AGREED: ["expected_amount", "expected_on", "dual_record_no"],
    Stage.WON: ["result_amount", "note"],
    Stage.LOST: ["lost_reason", "note"],
    Stage.ON_HOLD: ["resume_on", "note"],
    Stage.NEW: ["note"],
}
"""The fields that a page asks for when an opportunity enters a stage."""


def _others_open(opportunity: Opportunity) -> bool:
    return (
        Opportunity.objects.open()
        .filter(customer=opportunity.customer_id, kind=opportunity.kind, category=opportunity.category)
        .exclude(pk=opportunity.pk)
        .exists()
    )


# --- writing -------------------------------------------------------------------------------------------


def _lock(opportunity: Opportunity) -> Opportunity:
    locked = Opportunity.objects.select_for_update(no_key=True, of=("self",))
    return locked.select_related("customer", "product").get(pk=opportunity.pk)


def _save(opportunity: Opportunity) -> None:
    opportunity.save(
        update_fields=[
            "stage", "stage_since", "last_touched_on", "closed_on", "resume_on", "lost_reason", "expected_amount",
            "expected_on", "next_action", "next_action_on", "product", "result_amount", "dual_record_no", "updated_at",
        ]
    )  # fmt: skip


def _write_history(opportunity, *, from_stage, by, note, contact_log=None) -> None:
    OpportunityStageHistory.objects.create(
        opportunity=opportunity,
        from_stage=from_stage,
        to_stage=opportunity.stage,
        at=timezone.now(),
        by=by,
        note=note[:200],
        contact_log=contact_log,
    )


def _follow(opportunity: Opportunity, *, on: date) -> None:
    """Let the task of the step before lapse, and open that of the next one if it falls due soon."""
    tasks = ContactTask.objects.open().filter(opportunity=opportunity)
    due_on = opportunity.resume_on if opportunity.stage == Stage.ON_HOLD else opportunity.next_action_on
    key = f"opportunity:{opportunity.pk}:{due_on}"
    is_open = opportunity.stage not in (Stage.WON, Stage.LOST)
    is_due = is_open and due_on is not None and due_on <= on + timedelta(days=OPPORTUNITY_LEAD_DAYS)
    stale = tasks.exclude(key=key) if is_due else tasks
    stale.update(status=ContactTask.Status.EXPIRED, closed_on=on)
    if is_due:
        agenda.open_tasks([_task(opportunity, key=key, due_on=due_on, on=on)])


def _task(opportunity, *, key, due_on, on) -> dict:
    return {
        "key": key,
        "customer_id": opportunity.customer_id,
        "source": ContactTask.Source.OPPORTUNITY,
        "reason": "opportunity_resume" if opportunity.stage == Stage.ON_HOLD else "opportunity_due",
        "figures": {
            "title": opportunity.title,
            "action": opportunity.next_action,
            "stage": opportunity.stage,
            "stage_since": opportunity.stage_since,
            "amount": opportunity.expected_amount,
        },
        "stake": round((opportunity.expected_amount or 0) * PROBABILITY[opportunity.stage] / 100, 2),
        "opened_on": on,
        "due_on": due_on,
        "allowed_days": OPPORTUNITY_LEAD_DAYS,
        "opportunity_id": opportunity.pk,
    }
