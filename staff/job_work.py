"""Doing a job: claim it, call what its kind registered, write what came of it.

A claim is a lease with a token. A worker that dies loses the lease within a minute, and another begins
again from the checkpoint; after five tries without progress the job is given up, with its reason.
A refusal of the bank's rules ends it at once: trying again would not change the answer.
"""

import logging
import uuid
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from staff import jobs
from staff.job_track import LEASE, LeaseLost, Stopped, Track
from staff.models import Job
from staff.models.jobs import CLOCK
from staff.refusal import Refused

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=5)
Status = Job.Status


def run(*, job_id: int) -> str | None:
    """Do one job if nobody else does; return the status it came to, None if there was nothing to claim."""
    job = claim(job_id)
    if job is None:
        return None
    if job.status != Status.RUNNING:
        return job.status
    with translation.override(job.language):
        return _do(job)


@transaction.atomic
def claim(job_id: int) -> Job | None:
    """Take the lease of a job that waits, or that a dead worker left; the last of its tries over, give it up."""
    free = Job.objects.claimable().select_for_update(skip_locked=True, of=("self",), no_key=True)
    job = free.select_related("asked_by__branch", "client__branch").filter(pk=job_id).first()
    if job is None:
        return None
    if job.stop_asked:
        return _close(job, Status.STOPPED, "")
    if job.attempts >= jobs.MAX_ATTEMPTS:
        with translation.override(job.language):
            return _close(job, Status.DEAD, job.outcome or _("The worker died each time it was at this job."))
    job.status, job.attempts, job.token = Status.RUNNING, job.attempts + 1, uuid.uuid4()
    job.started_at, job.lease_until = timezone.now(), CLOCK + LEASE
    job.save(update_fields=["status", "attempts", "token", "started_at", "lease_until"])
    job.lease_until = None  # an expression until it is read again, which nobody here does
    return job


def _close(job: Job, status: str, outcome: str) -> Job:
    job.status, job.outcome, job.finished_at = status, outcome[:300], timezone.now()
    job.token, job.lease_until = None, None
    job.save(update_fields=["status", "outcome", "finished_at", "token", "lease_until"])
    return job


def _do(job: Job) -> str:
    own_thread = not connection.in_atomic_block
    with Track(job, own_thread=own_thread) as track:
        try:
            outcome = jobs.KINDS[job.kind](job, track) or ""
        except LeaseLost:
            logger.warning("job taken over by another worker", extra={"job": job.pk})
            return Status.RUNNING
        except Stopped:
            return _end(job, track, Status.STOPPED)
        except Refused as refusal:
            return _end(job, track, Status.FAILED, str(refusal))
        except OperationalError as error:  # the database is away: the job is not to blame
            if own_thread:
                connection.close_if_unusable_or_obsolete()
            return _try_later(job, track, error)
        except Exception as error:  # a defect must end in words on the page; the log has the rest
            logger.exception("job failed", extra={"job": job.pk, "kind": job.kind, "attempt": job.attempts})
            return _try_later(job, track, error)
    return _end(job, track, Status.DONE, outcome)


def _end(job: Job, track: Track, status: str, outcome: str = "") -> str:
    """Write the end of a job, unless another worker holds it by now."""
    ended = Job.objects.filter(pk=job.pk, token=job.token).update(
        status=status, outcome=str(outcome)[:300], finished_at=timezone.now(), done=track.done,
        total=max(track.total, track.done), token=None, lease_until=None,
    )  # fmt: skip
    return status if ended else Status.RUNNING


def _try_later(job: Job, track: Track, error: Exception) -> str:
    job.refresh_from_db(fields=["attempts"])
    reason = _("It broke off: {error}.").format(error=type(error).__name__)
    if job.attempts >= jobs.MAX_ATTEMPTS:
        return _end(job, track, Status.DEAD, reason)
    Job.objects.filter(pk=job.pk, token=job.token).update(
        status=Status.WAITING, outcome=reason, token=None, lease_until=None,
        not_before=CLOCK + FIRST_PAUSE * 3 ** (job.attempts - 1),
    )  # fmt: skip
    return Status.WAITING
