"""Mail: posted in the transaction that decides it, sent after it, once each, however often the sender dies.

A mail is claimed in a transaction of its own, handed to the mail server outside any, and marked after. A
claim whose lease ran out may have reached the server, so it is never sent again by itself: it is
`uncertain`. A refusal "for now" (4xx, or no connection) is tried again with growing distance; a refusal
for good, and the fifth "for now", is the end: `dead`.
"""

import hashlib
import logging
import smtplib
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.utils import timezone

from staff import audit
from staff.models import OutboxEmail, Staff

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 5
FIRST_PAUSE = timedelta(minutes=1)

Status = OutboxEmail.Status


def message_id(key: str) -> str:
    """Return the Message-ID of a mail: the same at every try, so that mail servers see a repeat."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def post(*, key: str, to: str, subject: str, text: str, html: str = "", language: str = "zh-hans") -> bool:
    """Put a mail into the outbox, in the caller's transaction; say whether it is new.

    Args:
        key: names the effect, such as "alert:2026-11-25:17"; the same key again changes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO staff_outboxemail (key, "to", subject, text, html, language, message_id, status, attempts, last_error)
            VALUES (%s, %s, %s, %s, %s, %s, %s, 'waiting', 0, '') ON CONFLICT (key) DO NOTHING""",
            [key, to, " ".join(subject.split())[:200], text, html, language, message_id(key)],
        )
        return cursor.rowcount == 1


def send_waiting(*, limit: int = 200) -> dict[str, int]:
    """Send what waits, oldest first; return how many ended in each status. Several may send at once."""
    counts = {Status.UNCERTAIN: mark_abandoned()}
    server = get_connection()
    try:
        for _turn in range(limit):
            mail = _claim()
            if mail is None:
                break
            status = _send(mail, server)
            counts[status] = counts.get(status, 0) + 1
    finally:
        server.close()
    return {str(status): count for status, count in counts.items() if count}


def mark_abandoned() -> int:
    """Call mails `uncertain` whose sender vanished between handing over and marking."""
    abandoned = OutboxEmail.objects.filter(status=Status.SENDING, lease_until__lt=timezone.now())
    return abandoned.update(
        status=Status.UNCERTAIN, last_error="The sender stopped before it could say whether it was sent."
    )


@transaction.atomic
def _claim() -> OutboxEmail | None:
    waiting = OutboxEmail.objects.filter(status=Status.WAITING, not_before__lte=timezone.now())
    mail = waiting.select_for_update(skip_locked=True).order_by("not_before", "id").first()
    if mail is not None:
        mail.status, mail.attempts, mail.lease_until = Status.SENDING, mail.attempts + 1, timezone.now() + LEASE
        mail.save(update_fields=["status", "attempts", "lease_until"])
    return mail


def _send(mail: OutboxEmail, server) -> str:
    """Hand one claimed mail to the server and mark what came of it."""
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as error:
        return _try_later(mail, error)
    try:
        server.send_messages([_message(mail)])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        server.close()
        return _try_later(mail, error) if 400 <= _code_of(error) < 500 else _mark(mail, Status.DEAD, error)
    except (BadHeaderError, UnicodeError) as error:
        return _mark(mail, Status.DEAD, error)
    except (smtplib.SMTPException, OSError) as error:  # cut off midway: it may have arrived
        server.close()
        return _mark(mail, Status.UNCERTAIN, error)
    return _mark(mail, Status.SENT)


def _code_of(error) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max(code for code, _words in error.recipients.values())
    return error.smtp_code


def _message(mail: OutboxEmail) -> EmailMultiAlternatives:
    headers = {"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", "Content-Language": mail.language}
    message = EmailMultiAlternatives(mail.subject, mail.text, settings.DEFAULT_FROM_EMAIL, [mail.to], headers=headers)
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _try_later(mail: OutboxEmail, error: Exception) -> str:
    if mail.attempts >= MAX_ATTEMPTS:
        return _mark(mail, Status.DEAD, error)
    return _mark(mail, Status.WAITING, error, not_before=timezone.now() + FIRST_PAUSE * 4 ** (mail.attempts - 1))


def _mark(mail: OutboxEmail, status: str, error: Exception | None = None, **columns) -> str:
    if status == Status.SENT:
        columns["sent_at"] = timezone.now()
    if error is not None:
        columns["last_error"] = f"{type(error).__name__}: {error}".replace(mail.to, "<recipient>")[:300]
        logger.warning("mail not sent", extra={"mail": mail.pk, "status": str(status), "error": type(error).__name__})
    OutboxEmail.objects.filter(pk=mail.pk).update(status=status, lease_until=None, **columns)
    return status


def oldest_waiting_age() -> timedelta | None:
    """Return how long the oldest mail that is due has been waiting; None when none is."""
    due = OutboxEmail.objects.filter(status=Status.WAITING, not_before__lte=timezone.now())
    oldest = due.order_by("not_before").values_list("not_before", flat=True).first()
    return None if oldest is None else timezone.now() - oldest


def needs_a_look():
    """Return the mails that only a person can decide about: uncertain and given up, newest first."""
    return OutboxEmail.objects.filter(status__in=[Status.UNCERTAIN, Status.DEAD]).order_by("-id")


@transaction.atomic
def send_again(*, mail: OutboxEmail, by: Staff) -> bool:
    """Let a mail that needs a look wait once more, because a person decided so; say whether it was one."""
    offered = needs_a_look().filter(pk=mail.pk).update(status=Status.WAITING, attempts=0, not_before=timezone.now())
    if offered:
        audit.record("mail.offered_again", mail, by=by, before=mail.status)
    return bool(offered)
