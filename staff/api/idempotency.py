"""A call repeated with the same Idempotency-Key has one effect and one answer."""

import hashlib
import json
import re
from functools import wraps

from django.db import connection, transaction
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from staff.api.body import stream_of
from staff.api.problem import Problem
from staff.models import IdempotencyRecord

KEY = re.compile(r"[\x21-\x7e]{1,128}")


def idempotent(view):
    """Make a POST of an API view repeatable; the answer is stored in the transaction of the effect.

    Same key and body: the stored answer again, with `Idempotency-Replayed: true`. Other body: 422. A
    first call still at work: 409. A call that failed stores nothing and may be repeated as it is.
    Works on functions (request, …) and on methods (self, request, …).
    """

    @wraps(view)
    def once(*args, **kwargs):
        request = next(arg for arg in args if hasattr(arg, "headers"))
        key = _key(request)
        _body = request.data  # read first: a body that can't be read is a 400, whatever the key
        fingerprint = fingerprint_of(request)
        with transaction.atomic():
            _hold(request.client, key)
            stored = IdempotencyRecord.objects.filter(client=request.client, key=key).first()
            if stored is not None:
                return _replay(stored, fingerprint)
            response = view(*args, **kwargs)
            _remember(request, key, fingerprint, response)
            return response

    return once


def idempotent_stream(request, *, digest_of, act) -> Response:
    """Make a POST repeatable whose body is a stream: read once, never whole in memory.

    Args:
        digest_of: reads the stream to its end and returns its SHA-256, where the call is a repeated one.
        act: reads the stream, does the work and returns (response, SHA-256 of the body), in one transaction with the answer.
    """
    key, stream = _key(request), stream_of(request)
    with transaction.atomic():
        _hold(request.client, key)
        stored = IdempotencyRecord.objects.filter(client=request.client, key=key).first()
        if stored is not None:
            return _replay(stored, _fingerprint(request, digest_of(stream)))
        response, digest = act(stream)
        _remember(request, key, _fingerprint(request, digest), response)
        return response


def _fingerprint(request, digest: str) -> str:
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{digest}".encode()).hexdigest()


def _remember(request, key: str, fingerprint: str, response: Response) -> None:
    IdempotencyRecord.objects.create(
        client=request.client,
        key=key,
        fingerprint=fingerprint,
        status_code=response.status_code,
        response=json.loads(JSONRenderer().render(response.data)),
    )


def _key(request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        text = _("Send an Idempotency-Key of 1 to 128 visible ASCII characters, a new one for each new call.")
        code = "idempotency_key_invalid" if key else "idempotency_key_missing"
        raise Problem(text, code=code)
    return key


def fingerprint_of(request) -> str:
    """Return SHA-256 over method, address and the body as it was sent."""
    said = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(said + getattr(request, "raw_body", b"")).hexdigest()


def _hold(client, key: str) -> None:
    """Hold the key until the transaction ends, or say that another call does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"idempotency:{client.pk}:{key}"])
        if not cursor.fetchone()[0]:
            text = _("The first call with this key is still at work; ask again in a moment.")
            raise Problem(text, code="key_in_flight", status_code=409, headers={"Retry-After": "1"})


def _replay(stored: IdempotencyRecord, fingerprint: str) -> Response:
    if stored.fingerprint != fingerprint:
        text = _("This key was used for another call; use a new one.")
        raise Problem(text, code="key_reused", status_code=422)
    return Response(stored.response, status=stored.status_code, headers={"Idempotency-Replayed": "true"})
