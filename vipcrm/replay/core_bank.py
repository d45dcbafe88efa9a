"""A core banking system as the API sees it: signs in with client credentials and posts batches."""

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from urllib.parse import urlencode

TRIES = 5


class CallFailed(Exception):
    """The API refused a call; the message is its own words."""


class CoreBank:
    """One sender. Each batch has its own Idempotency-Key, so that a call repeated after a fault has one effect.

    Args:
        run: a word that is new with each run; the same batch in another run is another call.
    """

    def __init__(self, url: str, *, client_id: str, secret: str, run: str):
        self.url, self.client_id, self.secret, self.run = url.rstrip("/"), client_id, secret, run
        self.token, self.token_until = "", 0.0
        self.counts = {"customers": Counter(), "assets": Counter()}
        self.refusals: list[dict] = []

    def sign_in(self):
        body = urlencode(
            {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.secret}
        )
        answer = self._call(
            "/api/v1/oauth/token/", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        self.token = answer["access_token"]
        self.token_until = time.monotonic() + answer["expires_in"] * 0.8

    def send(self, kind: str, *, as_of, rows: list[dict]) -> Counter:
        """Post one batch of `customers` or `assets` and add up what became of its rows."""
        if time.monotonic() >= self.token_until:
            self.sign_in()
        body = json.dumps({"as_of": as_of.isoformat(), "rows": rows}).encode()
        key = hashlib.sha256(f"{self.run} {kind} ".encode() + body).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            "Idempotency-Key": key,
        }
        answer = self._call(f"/api/v1/{kind}:batch", body, headers)
        counts = Counter(answer["counts"])
        self.counts[kind].update(counts)
        self.refusals += [result for result in answer["results"] if result["status"] == "rejected"]
        return counts

    def _call(self, path: str, body: bytes, headers: dict) -> dict:
        """Post, again after a fault of the line or of the server.

        Raises:
            CallFailed: the API refused, or did not answer in TRIES tries.
        """
        problem = ""
        for turn in range(TRIES):
            request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310 (our own URL)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                problem = f"{error.code} {error.read(2000).decode(errors='replace')}"
                if error.code not in (409, 429, 500, 502, 503, 504):
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                problem = str(error)
            time.sleep(0.5 * 2**turn)
        raise CallFailed(f"{path}: {problem}")
