"""Actions on many customers of the list: who is meant is frozen when it is asked, a job does it, each refusal is named.

The job goes through the selection in parts, each one transaction with its checkpoint: a restart does nothing
twice, a stop keeps what was done. Who left the asker's sight meanwhile is skipped with that reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers import adjustment, assignment, tags
from customers.listing import Listing
from customers.models import Customer
from staff import audit, jobs
from staff.job_track import Track
from staff.models import Job, Staff
from staff.refusal import Refused

LARGEST = 50_000
"""So many customers one action takes at most."""

CHUNK = 100


class TooMany(Refused):
    """The selection is larger than one action takes."""

    code = "too_many"


class NobodyChosen(Refused):
    """The selection is empty."""

    code = "nobody_chosen"


@dataclass(frozen=True)
class Action:
    """One action of the bulk bar: the job that does it, what it asks for, and who may."""

    kind: str
    label: object
    permission: str


ACTIONS = {
    "tag": Action("customers.tag", gettext_lazy("Add the tag"), "customers.tag_customer"),
    "untag": Action("customers.untag", gettext_lazy("Remove the tag"), "customers.tag_customer"),
    "plan": Action("contacts.plan", gettext_lazy("Plan a contact"), "contacts.log_contact"),
    "adjust": Action("customers.adjust", gettext_lazy("Ask for re-assignment"), "customers.ask_adjustment"),
    "assign": Action("customers.assign", gettext_lazy("Assign customers"), "customers.assign_customer"),
}
"""`contacts.plan` is a kind of the floor above, known here by its name alone."""


def freeze(listing: Listing, *, viewer: Staff, chosen=(), everyone: bool = False, most: int = LARGEST) -> list[int]:
    """Return the ids that are meant, as they are now, in the order of the list.

    Args:
        everyone: all of the list, whatever is ticked.
    Raises:
        NobodyChosen, TooMany; Customer.DoesNotExist if one chosen is not in the viewer's sight.
    """
    customers = listing.customers if everyone else Customer.objects.visible_to(viewer).filter(pk__in=chosen)
    found = [pk for pk, _value in listing.order.arrange(customers).values_list("pk", "sort_value")[: most + 1]]
    if not everyone and len(found) < len(set(chosen)):
        raise Customer.DoesNotExist
    if not found:
        raise NobodyChosen(_("Choose at least one customer."))
    if len(found) > most:
        raise TooMany(_("One action takes at most {n} customers; narrow the list.").format(n=f"{most:,}"))
    return found


@transaction.atomic
def start(*, action: str, by: Staff, selection: list[int], params: dict, detail: str = "") -> Job:
    """Ask for an action on these customers."""
    chosen = ACTIONS[action]
    title = f"{chosen.label} · {detail}" if detail else str(chosen.label)
    job = jobs.start(kind=chosen.kind, by=by, title=title, params=params, selection=selection, unit=Job.Unit.CUSTOMERS)
    audit.record("customers.bulk_asked", job, by=by, kind=chosen.kind, number=len(selection))
    return job


def work(job: Job, track: Track, change: Callable[[Customer], None], *, lock: bool = True) -> str:
    """Do one thing to each customer of the selection, and say how many took it.

    Args:
        change: does it to one customer; a Refused is that customer's reason, shown in the list of failures.
        lock: take the rows first, in key order; not where the verb has an order of its own.
    """
    selection, first = job.selection, job.checkpoint.get("next", 0)
    done = job.checkpoint.get("done", 0)
    track.at(first, len(selection))
    for start_at in range(first, len(selection), CHUNK):
        part = selection[start_at : start_at + CHUNK]
        with transaction.atomic():
            rows = Customer.objects.visible_to(job.asked_by).filter(pk__in=part).order_by("pk")
            rows = rows.select_for_update(no_key=True, of=("self",)) if lock else rows
            here = {customer.pk: customer for customer in rows}
            faults = []
            for pk in track(part):
                reason = _one(here.get(pk), change)
                done += not reason
                if reason:
                    faults.append((here[pk].customer_no if pk in here else f"#{pk}", reason))
            track.faults(faults)
            track.checkpoint(next=start_at + len(part), done=done)
    skipped = len(selection) - done
    said = ngettext("{n} customer done.", "{n} customers done.", done).format(n=f"{done:,}")
    return said + (_(" {n} skipped: see the failed rows.").format(n=f"{skipped:,}") if skipped else "")


def _one(customer: Customer | None, change) -> str:
    """Do it to one customer, or return why not; what a refused one had begun is taken back."""
    if customer is None:
        return _("not in your sight any more")
    try:
        with transaction.atomic():
            change(customer)
    except Refused as refusal:
        return str(refusal)
    return ""


@jobs.kind("customers.tag")
def add_tags(job: Job, track: Track) -> str:
    return work(job, track, lambda one: tags.add(customer=one, word=job.params["word"], by=job.asked_by))


@jobs.kind("customers.untag")
def remove_tags(job: Job, track: Track) -> str:
    return work(job, track, lambda one: tags.remove(customer=one, word=job.params["word"], by=job.asked_by))


@jobs.kind("customers.adjust")
def ask_adjustments(job: Job, track: Track) -> str:
    return work(job, track, lambda one: adjustment.ask(customer=one, by=job.asked_by, reason=job.params["reason"]))


@jobs.kind("customers.assign")
def assign_all(job: Job, track: Track) -> str:
    """Give each to the receiver, as far as his load goes; who holds the customer already is left out."""
    to, on = Staff.objects.get(pk=job.params["to"]), localdate()

    def give(customer):
        if customer.manager_id == to.pk:
            raise AlreadyHeld(_("{name} looks after this customer already.").format(name=to.name))
        assignment.assign(customer=customer, to=to, by=job.asked_by, on=on, reason=job.params.get("reason", ""))

    return work(job, track, give, lock=False)


class AlreadyHeld(Refused):
    """There is nothing to do for this customer."""

    code = "already_held"
