"""The catcher of e-mails: an SMTP server on a free port of this machine that keeps what it gets in a Maildir."""

import asyncio
import mailbox
import socket
import threading
from functools import partial
from pathlib import Path

LARGEST_MAIL = 32 * 1024 * 1024
"""Bytes."""


class Keep:
    """Files each message in the Maildir before it is acknowledged."""

    def __init__(self, folder: Path):
        self.maildir = mailbox.Maildir(folder)

    async def handle_DATA(self, server, session, envelope):
        """Keep one message, with the addresses of its envelope."""
        message = mailbox.MaildirMessage(envelope.content)
        message["X-Envelope-From"] = envelope.mail_from or ""
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.maildir.add(message)
        return "250 Kept"


class MailCatcher:
    """Listens in a thread of the calling process, from `start()` to `stop()`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = 0

    def start(self) -> None:
        """Listen on a free port of the loopback address."""
        from aiosmtpd.smtp import SMTP

        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        protocol = partial(
            SMTP,
            Keep(self.folder),
            hostname="localhost",
            ident="Mail catcher",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            loop=self.loop,
        )
        self.server = self.loop.run_until_complete(self.loop.create_server(protocol, sock=listener))
        self.thread = threading.Thread(target=self.loop.run_forever, name="mail", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Stop listening, if it does."""

        async def close():
            self.server.close()
            self.loop.stop()

        if self.port:
            asyncio.run_coroutine_threadsafe(close(), self.loop)
            self.thread.join(5)
            self.port = 0

    def url(self) -> str:
        """Return the EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"
