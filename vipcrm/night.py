"""The night: one chain of steps for each outlet, keyed by its business date, safe to break and to run again.

A step is one transaction that also marks its row done. Whoever works on a night claims the next row
that is ready with SKIP LOCKED and holds it until the end: if he dies, the database lets go of it
and the work is as if never begun. Outlets do not wait for one another, and a failed one does not
stop the others.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from churn import alert_mail, alerts, outcomes, scoring
from contacts import agenda, compliance, costs, messages, opportunity_sources, regime, special
from customers import assets, averages, companion, handover, override, potential, rating, value
from customers.archive import completeness
from customers.segments import membership
from staff.models import Branch, NightRun, NightStep
from staff.refusal import Refused

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class Step:
    """One piece of the night: a verb that takes an outlet and a day and says how many rows it wrote.

    `for_morning` steps prepare the day on which the pages are read, the day after the business date.
    """

    code: str
    run: Callable[..., int]
    due: Callable[[date], bool] = lambda on: True
    for_morning: bool = False

    def day(self, on: date) -> date:
        """Return the day the verb works for, in the night of a business date."""
        return on + timedelta(days=1) if self.for_morning else on


STEPS = (
    Step("assets", assets.complete_day),
    Step("averages", averages.average_branch),
    Step("rating", rating.rate_branch, due=rating.is_rating_night),
    Step("potential", potential.refresh_branch),
    Step("archives", completeness.refresh_branch),
    Step("regime", regime.refresh_branch, for_morning=True),
    Step("compliance", compliance.refresh_branch),
    Step("scores", scoring.score_branch),
    Step("outcomes", outcomes.measure_branch),
    Step("limits", override.refresh_branch),
    Step("handovers", handover.refresh_branch),
    Step("companions", companion.refresh_branch),
    Step("specials", special.refresh_branch, for_morning=True),
    Step("segments", membership.refresh_branch),
    Step("costs", costs.refresh_branch, due=value.is_value_night),
    Step("value", value.value_branch, due=value.is_value_night),
    Step("alerts", alerts.open_alerts),
    Step("opportunities", opportunity_sources.refresh_branch, for_morning=True),
    Step("tasks", agenda.refresh_tasks, for_morning=True),
    Step("messages", messages.draft_branch, for_morning=True),
    Step("mail", alert_mail.post_mails),
)


def business_date() -> date:
    """Return the day that the coming night closes: the bank's yesterday."""
    return timezone.localdate() - timedelta(days=1)


@transaction.atomic
def start(*, on: date) -> NightRun:
    """Lay out the night of a business date, a row for each step and outlet with customers; again changes nothing."""
    run, _created = NightRun.objects.get_or_create(business_date=on)
    outlets = Branch.objects.filter(active=True, customers__isnull=False).distinct()
    NightStep.objects.bulk_create(
        (
            NightStep(run=run, branch=outlet, step=step.code, position=position)
            for outlet in outlets
            for position, step in enumerate(STEPS)
            if step.due(on)
        ),
        ignore_conflicts=True,
    )
    return run


def retry(*, on: date) -> None:
    """Offer the failed and skipped steps of a night again: the feed has come, or the fault is mended."""
    _offer_again(on, [NightStep.Status.FAILED, NightStep.Status.SKIPPED])


def retry_skipped(*, on: date) -> None:
    """Offer again the steps that waited for the feed; a defect waits for a person."""
    _offer_again(on, [NightStep.Status.SKIPPED])


def _offer_again(on: date, statuses: list) -> None:
    NightStep.objects.filter(run__business_date=on, status__in=statuses).update(
        status=NightStep.Status.WAITING, attempts=0, error=""
    )


def work(*, on: date, track: Callable = iter) -> NightRun:
    """Do what is ready of a night until nothing is, then close the run; several may work at once.

    Args:
        track: wraps the loop, for a bar in the terminal.
    """
    run = NightRun.objects.get(business_date=on)
    for _step in track(iter(lambda: _do_next(run), None)):
        pass
    return finish(run)


def _do_next(run: NightRun) -> NightStep | None:
    """Claim and do one step; None when none is ready. What fails before a step is claimed is the caller's to see."""
    step = None
    try:
        with transaction.atomic():
            step = _claim(run)
            if step is None:
                return None
            piece = next(each for each in STEPS if each.code == step.step)
            began = timezone.now()
            rows = piece.run(branch_id=step.branch_id, on=piece.day(run.business_date))
            NightStep.objects.filter(pk=step.pk).update(
                status=NightStep.Status.DONE,
                rows=rows,
                attempts=F("attempts") + 1,
                error="",
                started_at=began,
                finished_at=timezone.now(),
            )
    except Refused as refusal:  # the bank's data are not ready: what follows waits for the next try
        _note(step, NightStep.Status.SKIPPED, str(refusal))
    except Exception as error:  # a defect in one outlet must not stop the others; it is logged and shown
        if step is None:
            raise
        logger.exception("night step failed", extra={"step": step.step, "branch": step.branch_id})
        last = step.attempts + 1 >= MAX_ATTEMPTS
        _note(step, NightStep.Status.FAILED if last else NightStep.Status.WAITING, type(error).__name__)
    return step


def _claim(run: NightRun) -> NightStep | None:
    """Lock the next step whose outlet has done everything before it."""
    unfinished = NightStep.objects.filter(
        ~Q(status=NightStep.Status.DONE),
        run=run,
        branch=OuterRef("branch"),
        position__lt=OuterRef("position"),
    )
    ready = NightStep.objects.filter(run=run, status=NightStep.Status.WAITING).exclude(Exists(unfinished))
    return ready.select_for_update(skip_locked=True, of=("self",)).order_by("attempts", "branch_id", "position").first()


def _note(step: NightStep, status: str, error: str) -> None:
    NightStep.objects.filter(pk=step.pk).update(
        status=status, error=error, attempts=F("attempts") + 1, finished_at=timezone.now()
    )


@transaction.atomic
def finish(run: NightRun) -> NightRun:
    """Close a run in which nothing is left to do: done if every step is, failed if some are stuck."""
    run = NightRun.objects.select_for_update().get(pk=run.pk)
    stuck = NightStep.objects.filter(
        run=run, branch=OuterRef("branch"), status__in=[NightStep.Status.FAILED, NightStep.Status.SKIPPED]
    )
    waiting = run.steps.filter(status=NightStep.Status.WAITING)
    if waiting.exclude(Exists(stuck)).exists():
        return run  # another worker has it in hand
    complete = not run.steps.exclude(status=NightStep.Status.DONE).exists()
    run.status = NightRun.Status.DONE if complete else NightRun.Status.FAILED
    run.finished_at = timezone.now()
    run.save(update_fields=["status", "finished_at"])
    return run
