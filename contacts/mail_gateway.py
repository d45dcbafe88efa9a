"""The door for messages by e-mail: one customer, one mail, over the bank's SMTP server."""

import re
import smtplib

from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from contacts.sms_gateway import MayHaveLeft, Refused, TryLater
from staff import outbox

STOP_BY_TEXT = re.compile(r"\s*(退订回|回)(TD|T)(退订)?\s*$")
"""The way to unsubscribe that only text messages have."""


class MailGateway:
    """Hands one message to the mail server; the Message-ID is the same at every try. 4xx and no connection are for later."""

    def __init__(self, subject: str):
        self.subject = subject

    def send(self, *, reference: str, to: str, text: str) -> None:
        body = f"{STOP_BY_TEXT.sub('', text)}\n\n{_('To get no more such mails, tell your manager.')}\n"
        mail = EmailMessage(
            " ".join(self.subject.split())[:80], body, to=[to], connection=get_connection(),
            headers={"Message-ID": outbox.message_id(f"message:{reference}")},
        )  # fmt: skip
        try:
            mail.send()
        except smtplib.SMTPServerDisconnected as error:
            raise MayHaveLeft(type(error).__name__) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            raise (TryLater if all(400 <= code < 500 for code in codes) else Refused)(f"SMTP {codes[0]}") from error
        except smtplib.SMTPResponseException as error:
            raise (TryLater if 400 <= error.smtp_code < 500 else Refused)(f"SMTP {error.smtp_code}") from error
        except OSError as error:  # SMTPException is one
            raise TryLater(type(error).__name__) from error
        except ValueError as error:  # an address that no header can hold
            raise Refused(type(error).__name__) from error
