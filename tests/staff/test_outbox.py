"""Mail is sent once, whatever the server does; held against a real SMTP server on loopback."""

import smtplib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from staff import outbox
from staff.models import OutboxEmail

Status = OutboxEmail.Status


def post(key="alert:2026-11-25:17", **mail):
    words = {"to": "head@bank.example", "subject": "流失预警 3 条", "text": "沈** 可能流失", "html": "<p>沈**</p>"}
    return outbox.post(key=key, **words | mail)


def due_again():
    """Let the pause before the next try be over."""
    OutboxEmail.objects.update(not_before=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_sent_in_text_and_html_under_its_own_id(sink):
    assert post() is True
    assert outbox.send_waiting() == {"sent": 1}
    mail = OutboxEmail.objects.get()
    assert (mail.status, mail.attempts, mail.sent_at is not None) == (Status.SENT, 1, True)
    assert sink.message_ids() == [mail.message_id]
    content = sink.mails[0].content.decode()
    assert "text/plain" in content
    assert "text/html" in content
    assert sink.mails[0].rcpt_tos == ["head@bank.example"]


@pytest.mark.django_db(transaction=True)
def test_the_same_effect_posted_twice_is_one_mail(sink):
    assert (post(), post(subject="another")) == (True, False)
    outbox.send_waiting()
    assert outbox.send_waiting() == {}
    assert len(sink.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_of_an_undone_decision_never_leaves(sink):
    with pytest.raises(RuntimeError), transaction.atomic():
        post()
        raise RuntimeError
    assert outbox.send_waiting() == {}
    assert sink.mails == []


@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_later_is_asked_again_later(sink):
    sink.answers = ["451 busy"]
    post()
    assert outbox.send_waiting() == {"waiting": 1}
    mail = OutboxEmail.objects.get()
    assert mail.not_before > timezone.now() + timedelta(seconds=50)
    assert "451" in mail.last_error
    due_again()
    assert outbox.send_waiting() == {"sent": 1}
    assert sink.message_ids() == [mail.message_id]


@pytest.mark.django_db(transaction=True)
def test_after_five_tries_a_mail_is_given_up_with_its_reason(sink):
    sink.answers = ["451 busy"] * 5
    post()
    for _turn in range(6):
        outbox.send_waiting()
        due_again()
    mail = OutboxEmail.objects.get()
    assert (mail.status, mail.attempts) == (Status.DEAD, 5)
    assert "busy" in mail.last_error


@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_never_is_not_asked_again(sink):
    sink.answers = ["550 no such person"]
    post()
    assert outbox.send_waiting() == {"dead": 1}
    assert OutboxEmail.objects.get().attempts == 1


@pytest.mark.django_db(transaction=True)
def test_a_line_cut_after_the_mail_was_handed_over_leaves_it_uncertain(sink):
    sink.answers = ["hang up"]
    post()
    assert outbox.send_waiting() == {"uncertain": 1}
    due_again()
    assert outbox.send_waiting() == {}
    assert len(sink.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_whose_sender_died_midway_is_uncertain_and_stays(sink):
    post()
    OutboxEmail.objects.update(status=Status.SENDING, lease_until=timezone.now() - timedelta(seconds=1))
    assert outbox.send_waiting() == {"uncertain": 1}
    assert sink.mails == []


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_somebody_is_sending_is_left_alone(sink):
    post()
    OutboxEmail.objects.update(status=Status.SENDING, lease_until=timezone.now() + timedelta(minutes=1))
    assert outbox.send_waiting() == {}
    assert OutboxEmail.objects.get().status == Status.SENDING


@pytest.mark.django_db(transaction=True)
def test_without_a_server_mail_waits(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    post()
    assert outbox.send_waiting() == {"waiting": 1}
    assert OutboxEmail.objects.get().status == Status.WAITING


@pytest.mark.django_db(transaction=True)
def test_many_senders_send_each_mail_once(sink):
    for number in range(60):
        post(key=f"alert:{number}")

    def send(_turn):
        try:
            return outbox.send_waiting()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(send, range(6)))

    assert sum(count.get("sent", 0) for count in counts) == 60
    assert len(set(sink.message_ids())) == len(sink.mails) == 60


@pytest.mark.django_db
def test_a_subject_cannot_smuggle_in_a_header():
    post(subject="预警\r\nBcc: thief@example.org")
    assert OutboxEmail.objects.get().subject == "预警 Bcc: thief@example.org"


@pytest.mark.django_db
def test_the_reason_of_a_failure_does_not_name_the_recipient():
    post()
    mail = OutboxEmail.objects.get()
    refused = smtplib.SMTPRecipientsRefused({mail.to: (550, b"head@bank.example unknown")})
    outbox._mark(mail, Status.DEAD, refused)
    mail.refresh_from_db()
    assert "head@bank.example" not in mail.last_error
