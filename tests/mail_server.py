"""A real SMTP server on loopback, which answers as it is told."""

import socket


class Sink:
    """Receives mail; answers each with the next of `answers`, "hang up" cuts the line after DATA."""

    def __init__(self):
        self.mails, self.answers = [], []

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang up":
            self.mails.append(envelope)
            server.transport.close()
            return "421 gone"
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer

    def message_ids(self):
        lines = (line for mail in self.mails for line in mail.content.decode().splitlines())
        return [line.split(": ")[1] for line in lines if line.startswith("Message-ID")]


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]
