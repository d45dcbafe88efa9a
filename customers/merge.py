"""Making two records of one person one, field by field, and parting them again.

What belongs to the record that goes is put under the one that stays, row by row; what the database would not have twice
stays where it is. Balances, months, churn scores and segments stay under the number they were written for: the first
are the core system's, which sends them under the number that stays from then on; the others the night writes anew.
"""

import json
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import assignment
from customers.archive import completeness
from customers.identity import sealed_columns
from customers.models import Assignment, Customer, CustomerMerge, RelationStatus, SegmentMember
from customers.names import pinyin_of
from staff import audit
from staff.models import Staff
from staff.refusal import Refused

FIELDS = (
    "name", "gender", "birth_date", "lunar_birthday", "id_no", "mobile", "address", "occupation", "employer", "needs",
    "special_care", "risk_grade", "opened_on",
)  # fmt: skip
"""What is chosen from one record or the other; a risk grade brings its day along."""

SEALED = ("id_no", "mobile", "address")

STAYS = frozenset({
    "customers_customer", "customers_searchkey", "customers_dailyasset", "customers_monthlyasset",
    "customers_latebalance", "customers_assignment", "customers_segmentmember", "customers_customermerge",
    "customers_notsameperson", "churn_churnscore", "churn_churnalert",
})  # fmt: skip
"""Tables whose rows stay under their number."""


class MergeRefused(Refused):
    """These records cannot be made one, or parted; the message says why."""

    code = "merge_refused"


def differing(kept: Customer, dropped: Customer) -> list[str]:
    """Return the fields in which two records differ, those empty in one included."""
    return [name for name in FIELDS if getattr(kept, name) != getattr(dropped, name)]


def usual_choice(kept: Customer, dropped: Customer) -> dict[str, str]:
    """Return {field: "kept" or "dropped"}: what the record that stays says, where it says anything."""
    return {
        name: "dropped" if getattr(kept, name) in (None, "") else "kept" for name in differing(kept, dropped)
    }  # fmt: skip


@transaction.atomic
def merge(*, kept: Customer, dropped: Customer, choices: dict[str, str], by: Staff, on: date) -> CustomerMerge:
    """Let one record take over the other.

    Args:
        choices: {field: "dropped"} where the value of the record that goes is to hold.

    Raises:
        MergeRefused: one of them is not in sight, is merged or closed, or the one that goes is of a higher standing.
    """
    pks = sorted({kept.pk, dropped.pk})
    found = (
        Customer.objects.visible_to(by).filter(pk__in=pks).order_by("pk").select_for_update(no_key=True, of=("self",))
    )
    here = {customer.pk: customer for customer in found}
    if len(here) < 2:
        raise MergeRefused(_("Somebody has merged one of them meanwhile, or it is not in your sight."))
    kept, dropped = here[kept.pk], here[dropped.pk]
    _check(kept, dropped)
    moved, stayed = _move(dropped.pk, kept.pk)
    held = _end_relations(dropped, by=by, on=on)
    values = {name: getattr(dropped, name) for name in differing(kept, dropped) if choices.get(name) == "dropped"}
    if "risk_grade" in values:
        values["risk_assessed_on"] = dropped.risk_assessed_on
    tags = [*kept.tags, *(tag for tag in dropped.tags if tag not in kept.tags)][:10]
    if tags != kept.tags:
        values["tags"] = tags
    for flag in ("do_not_contact", "low_disturb", "key_customer"):
        if getattr(dropped, flag) and not getattr(kept, flag):
            values[flag] = True  # a wish that one record holds is the person's
    before = {name: _plain(getattr(kept, name)) for name in values}
    _put(kept, values)
    dropped_before = {"relation_status": dropped.relation_status}
    Customer.objects.filter(pk=dropped.pk).update(
        merged_into=kept, relation_status=RelationStatus.CLOSED, updated_at=Now()
    )
    row = CustomerMerge.objects.create(
        kept=kept, dropped=dropped, by=by, moved=moved, stayed=stayed, held=held, dropped_before=dropped_before,
        before=json.dumps(before, ensure_ascii=False),
        after=json.dumps({name: _plain(value) for name, value in values.items()}, ensure_ascii=False),
    )  # fmt: skip
    completeness.refresh_customers(pks)
    audit.record("customer.merged", kept, by=by, other=dropped.customer_no, fields=", ".join(values))
    return row


def _check(kept: Customer, dropped: Customer) -> None:
    if RelationStatus.CLOSED in (kept.relation_status, dropped.relation_status):
        raise MergeRefused(_("A closed customer is not merged."))
    standing = [(one.service_tier, one.relation_status == RelationStatus.SIGNED) for one in (kept, dropped)]
    if standing[1] > standing[0]:
        raise MergeRefused(_("Keep the record of the higher tier: it carries the card and the signing."))


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


def _relations():
    """Return the (model, column) of every table that refers to a customer and whose rows go along."""
    for relation in Customer._meta.get_fields(include_hidden=True):
        refers = relation.auto_created and not relation.concrete and not relation.many_to_many
        if refers and relation.related_model._meta.db_table not in STAYS:
            yield relation.related_model, relation.field.name


def _move(source: int, target: int) -> tuple[dict, dict]:
    """Put rows from one customer under another; return ({table: keys} moved, {table: number} that the database refused)."""
    moved: dict[str, list[int]] = {}
    stayed: dict[str, int] = {}
    for model, column in _relations():
        rows, name = model._base_manager.filter(**{column: source}), f"{model._meta.label}.{column}"
        for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=pk).update(**{column: target})
            except IntegrityError:
                stayed[name] = stayed.get(name, 0) + 1
            else:
                moved.setdefault(name, []).append(pk)
    return moved, stayed


def _end_relations(dropped: Customer, *, by: Staff, on: date) -> list[dict]:
    """End who looks after the record that goes, and its time in segments; return what there was."""
    rows = list(Assignment.objects.open().filter(customer=dropped).order_by("pk"))
    with assignment.refused_in_words():
        for row in rows:
            Assignment.objects.filter(pk=row.pk).update(end=max(on, row.start), updated_at=Now())
    for time in SegmentMember.objects.current().filter(customer=dropped):
        SegmentMember.objects.filter(pk=time.pk).update(until=max(on, time.since))
    return [{"staff": row.staff_id, "role": row.role} for row in rows]


def _put(customer: Customer, values: dict) -> None:
    """Write columns of a record, with what hangs on them."""
    columns = {name: value for name, value in values.items() if name not in SEALED}
    if "name" in values:
        columns["pinyin"] = pinyin_of(values["name"])
    if any(name in values for name in SEALED):
        columns |= sealed_columns(**{name: values.get(name, getattr(customer, name)) for name in SEALED})
    if columns:
        Customer.objects.filter(pk=customer.pk).update(**columns, updated_at=Now())


@transaction.atomic
def unmerge(*, merged: CustomerMerge, by: Staff, on: date) -> CustomerMerge:
    """Part two records again: rows go back, fields that nobody changed since get their earlier values, the manager returns.

    Raises:
        MergeRefused: it was parted before, or a later merge took over the record that stayed.
        Refused: the manager has no place for the customer any more; nothing is changed then.
    """
    pks = sorted({merged.kept_id, merged.dropped_id})
    here = Customer.objects.filter(pk__in=pks).order_by("pk").select_for_update(no_key=True, of=("self",))
    customers = {customer.pk: customer for customer in here}
    merged = CustomerMerge.objects.select_for_update().get(pk=merged.pk)
    kept, dropped = customers[merged.kept_id], customers[merged.dropped_id]
    if merged.undone_at is not None:
        raise MergeRefused(_("These records were parted already."))
    if kept.merged_into_id is not None:
        raise MergeRefused(_("The record that stayed was merged itself meanwhile; part that first."))
    for model, column in _relations():
        keys = merged.moved.get(f"{model._meta.label}.{column}", [])
        model._base_manager.filter(pk__in=keys, **{column: kept.pk}).update(**{column: dropped.pk})
    before, after = json.loads(merged.before), json.loads(merged.after)
    _put(kept, {name: value for name, value in before.items() if _plain(getattr(kept, name)) == after[name]})
    Customer.objects.filter(pk=dropped.pk).update(merged_into=None, updated_at=Now(), **merged.dropped_before)
    dropped.refresh_from_db(fields=["merged_into", "relation_status"])
    for relation in merged.held:
        to = Staff.objects.get(pk=relation["staff"])
        if to.is_active and relation["role"] in (Assignment.Role.PRIMARY, Assignment.Role.ADVISER):
            assignment.assign(customer=dropped, to=to, by=by, on=on, reason=_("Records parted"), role=relation["role"])
    merged.undone_by, merged.undone_at = by, timezone.now()
    merged.save(update_fields=["undone_by", "undone_at"])
    completeness.refresh_customers(pks)
    audit.record("customer.unmerged", kept, by=by, other=dropped.customer_no)
    return merged
