"""The door to the text message provider: one function, a real HTTP form, and a file where there is no provider."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol

from django.conf import settings

TIMEOUT = 15


class TryLater(Exception):
    """The provider is not there now; the same message may be offered again."""


class Refused(Exception):
    """The provider will never take this message."""


class MayHaveLeft(Exception):
    """The line broke after the message was handed over: it may have been taken."""


class Gateway(Protocol):
    """Hands one message over. `reference` is the same at every try: the provider sends it once."""

    def send(self, *, reference: str, to: str, text: str) -> None: ...


class HttpGateway:
    """Posts {"reference", "to", "text"} as JSON with a bearer key; 2xx is taken, 429 and 5xx are for later, other codes refuse."""

    def __init__(self, url: str, key: str):
        self.url, self.key = url, key

    def send(self, *, reference: str, to: str, text: str) -> None:
        body = json.dumps({"reference": reference, "to": to, "text": text}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 (the operator's)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            if error.code == 429 or error.code >= 500:
                raise TryLater(f"HTTP {error.code}") from error
            raise Refused(f"HTTP {error.code}") from error
        except OSError as error:
            raise TryLater(type(error).__name__) from error


class FileGateway:
    """Appends a line of JSON to a file: for a bank without a provider, and for trying things out."""

    def __init__(self, path: Path):
        self.path = path

    def send(self, *, reference: str, to: str, text: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"reference": reference, "to": to, "text": text}, ensure_ascii=False) + "\n")


def gateway() -> Gateway | None:
    """Return the gateway that SMS_URL names: http(s)://… a provider, file:///… a file.

    Without one the demo writes the file in VAR; a bank has none, and messages wait: numbers are not left on a disk.
    """
    url = settings.SMS_URL
    if not url and not settings.DEMO:
        return None
    if url.startswith(("http://", "https://")):
        return HttpGateway(url, settings.SMS_KEY)
    return FileGateway(Path(url.removeprefix("file://")) if url else settings.VAR / "sms.jsonl")
