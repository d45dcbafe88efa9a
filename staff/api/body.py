"""Reading a JSON body strictly: what is doubtful is refused, with the place where it stands."""

import io
import json
import math
from datetime import UTC, datetime

import msgspec
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from staff.api.problem import Problem, escape

MAX_BYTES = 5 * 1024 * 1024


def read_as(request, shape):
    """Return the body as a msgspec struct.

    Raises:
        Problem: 400 that says what does not fit.
    """
    try:
        return msgspec.convert(request.data, shape)
    except msgspec.ValidationError as error:
        fault = {"pointer": "", "code": "invalid", "detail": str(error)}
        raise Problem(_("The body does not fit."), code="invalid", errors=[fault]) from error


FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def moment(at: datetime, pointer: str) -> datetime:
    """Return a time in UTC: JSON allows offsets and years that the database does not.

    Raises:
        Problem: 422 for a time that nobody can mean.
    """
    if not FIRST.year < at.year < LAST.year:
        text = _("This time cannot be meant.")
        errors = [{"pointer": pointer, "code": "time_out_of_range", "detail": text}]
        raise Problem(text, code="time_out_of_range", status_code=422, errors=errors)
    return at.astimezone(UTC)


class _Twice(dict):
    """An object in which a key stands twice; `key` is the first that does."""

    key = ""


class StrictJSONParser(BaseParser):
    """Reads JSON of at most 5 MB; keeps the bytes as `request.raw_body`, of which a repeated call is known."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            text = _("The body is larger than 5 MB; send it in parts.")
            raise Problem(text, code="body_too_large", status_code=413)
        request = (parser_context or {}).get("request")
        if request is not None:
            request.raw_body = raw
        return read_json(raw)


class NdjsonParser(BaseParser):
    """Hands the stream of lines on unread: it may be of any size."""

    media_type = "application/x-ndjson"

    def parse(self, stream, media_type=None, parser_context=None):
        return stream


def stream_of(request):
    """Return the body of a request as a stream; one without a body is an empty stream."""
    return request.data if hasattr(request.data, "read") else io.BytesIO()


def read_json(raw: bytes):
    """Return the value of a JSON text.

    Raises:
        Problem: 400 for a text that is not JSON in UTF-8, a key that stands twice, NaN, a number out of
            range, a NUL or half a character in a text; each with the pointer to it.
    """
    twice: list = []
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=lambda pairs: _object(pairs, twice),
            parse_constant=_constant,
            parse_float=_number,
        )
    except RecursionError:
        raise _refuse("too_deep", _("The body is nested too deeply.")) from None
    except UnicodeDecodeError:
        raise _refuse("not_utf8", _("The body is not UTF-8.")) from None
    except json.JSONDecodeError as error:
        where = _("line {line}, column {column}").format(line=error.lineno, column=error.colno)
        raise _refuse("not_json", _("The body is not JSON: {where}.").format(where=where)) from None
    except ValueError:
        raise _refuse("bad_number", _("A number is out of range.")) from None
    # Only an escape can bring a NUL or half a character into valid UTF-8: most bodies need no second look.
    return _checked(value) if twice or b"\\u" in raw else value


def _object(pairs, twice: list):
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _value in pairs]
    doubtful = _Twice(found)
    doubtful.key = next(key for place, key in enumerate(keys) if key in keys[:place])
    twice.append(doubtful)
    return doubtful


def _constant(name):
    raise ValueError(name)


def _number(text):
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    # 16.0 is a whole number in JSON.
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _checked(value):
    """Return the value if nothing in it is doubtful."""
    for pointer, part in _walk(value):
        if isinstance(part, _Twice):
            at = f"{pointer}/{escape(part.key)}"
            raise _refuse("duplicate_key", _("This key stands twice."), at)
        if isinstance(part, str):
            _check_text(part, pointer)
    return value


def _check_text(text: str, pointer: str) -> None:
    if "\0" in text:
        raise _refuse("nul", _("A text may not hold the character NUL."), pointer)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _refuse("bad_text", _("A text holds half a character."), pointer)


def _walk(value):
    """Give every part of a value with its pointer, depth first."""
    parts = [("", value)]
    while parts:
        pointer, part = parts.pop()
        yield pointer, part
        if isinstance(part, dict):
            for key, inner in reversed(part.items()):
                at = f"{pointer}/{escape(key)}"
                yield at, key
                parts.append((at, inner))
        elif isinstance(part, list):
            parts.extend((f"{pointer}/{place}", inner) for place, inner in reversed(list(enumerate(part))))


def _refuse(code: str, detail: str, pointer: str = "") -> Problem:
    return Problem(detail, code=code, errors=[{"pointer": pointer, "code": code, "detail": detail}])
