"""Encrypted columns: AES-GCM with a key id, so that keys can be rotated while old values stay readable.

A sealed value is the length of the key id (one byte), the key id, a nonce of 12 bytes, ciphertext
and tag. Empty stays empty. Keys come from `FIELD_KEYS`: `id:base64` with commas between; the last one
seals, all unseal. The first one also makes the blind index, so it stays on the list.
"""

import base64
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

NONCE_BYTES = 12


@lru_cache(maxsize=4)
def _keys(listed: str) -> dict[str, bytes]:
    """Return the keys by id, in the order listed."""
    keys = {}
    for entry in listed.split(","):
        name, _, encoded = entry.strip().partition(":")
        key = base64.b64decode(encoded)
        if not name or len(key) not in {16, 24, 32}:
            raise ImproperlyConfigured("FIELD_KEYS holds id:base64 entries of 16, 24 or 32 bytes, commas between.")
        keys[name] = key
    return keys


def current_key_id() -> str:
    """Return the id of the key that seals new values."""
    return list(_keys(settings.FIELD_KEYS))[-1]


@lru_cache(maxsize=8)
def _cipher(listed: str, key_id: str) -> AESGCM:
    return AESGCM(_keys(listed)[key_id])


def seal(text: str) -> bytes:
    """Encrypt a text with the current key; also for rows written by COPY."""
    if not text:
        return b""
    key_id = current_key_id()
    nonce = os.urandom(NONCE_BYTES)
    head = bytes([len(key_id)]) + key_id.encode()
    return head + nonce + _cipher(settings.FIELD_KEYS, key_id).encrypt(nonce, text.encode(), head)


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key that sealed a value."""
    return bytes(sealed[1 : 1 + sealed[0]]).decode()


def unseal(sealed: bytes) -> str:
    """Decrypt a sealed value.

    Raises:
        cryptography.exceptions.InvalidTag: the value was changed since it was sealed.
        KeyError: its key is not in FIELD_KEYS any more.
    """
    if not sealed:
        return ""
    sealed = bytes(sealed)
    head, rest = sealed[: 1 + sealed[0]], sealed[1 + sealed[0] :]
    cipher = _cipher(settings.FIELD_KEYS, key_id_of(sealed))
    return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head).decode()


@lru_cache(maxsize=4)
def _index_key(listed: str) -> bytes:
    first = next(iter(_keys(listed).values()))
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"vipcrm blind index").derive(first)


def blind_index(text: str) -> str:
    """Return a keyed hash (64 hex digits) by which a sealed value can be looked for, and only exactly."""
    return hmac.new(_index_key(settings.FIELD_KEYS), text.encode(), hashlib.sha256).hexdigest()


class SealedField(models.BinaryField):
    """A text that the database only ever sees encrypted. It can't be searched: keep a `blind_index` beside it."""

    def get_default(self):
        return ""

    def from_db_value(self, value, expression, connection):
        return None if value is None else unseal(value)

    def to_python(self, value):
        return value

    def get_db_prep_value(self, value, connection, prepared=False):
        if isinstance(value, str):
            value = seal(value)
        return super().get_db_prep_value(value, connection, prepared)

    def value_to_string(self, obj):
        return base64.b64encode(seal(self.value_from_object(obj))).decode()

    def get_lookup(self, lookup_name):
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: look for its blind index instead.")
        return super().get_lookup(lookup_name)
