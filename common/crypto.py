"""Encryption of single values at rest, and keyed digests for looking them up.

A sealed value reads `v1.<key id>.<base64url(nonce ‖ ciphertext ‖ tag)>`: AES-256-GCM with a
random 96-bit nonce. The purpose a value was sealed for is authenticated with it, so a value
moved to another column does not open (NIST SP 800-38D).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

NONCE_BYTES = 12
KEY_BYTES = 32


class CannotDecrypt(Exception):
    """The value was sealed with an unknown key, for another purpose, or was altered."""


def parse_keys(entries: list[str]) -> dict[str, bytes]:
    """`["id:base64key", …]` as an ordered mapping; the first entry seals new values."""
    keys: dict[str, bytes] = {}
    for entry in entries:
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id.isalnum() or len(key) != KEY_BYTES:
            raise ImproperlyConfigured(
                "FIELD_ENCRYPTION_KEYS: each entry is id:key, with a letters-and-digits id "
                "and a base64 key of 32 bytes."
            )
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS needs at least one key.")
    return keys


@lru_cache(maxsize=4)
def _ciphers(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    return {key_id: AESGCM(key) for key_id, key in parse_keys(list(entries)).items()}


def _configured_ciphers() -> dict[str, AESGCM]:
    return _ciphers(tuple(settings.FIELD_ENCRYPTION_KEYS))


def seal(plaintext: str, *, purpose: str) -> str:
    """Encrypt for one purpose with the current key."""
    key_id, cipher = next(iter(_configured_ciphers().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plaintext.encode(), purpose.encode())
    return f"v1.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(value: str, *, purpose: str) -> str:
    """Decrypt a value sealed for that purpose; raises `CannotDecrypt`."""
    try:
        version, key_id, encoded = value.split(".")
        blob = base64.urlsafe_b64decode(encoded)
        cipher = _configured_ciphers()[key_id]
        if version != "v1":
            raise CannotDecrypt("Unknown format of a sealed value.")
        opened = cipher.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], purpose.encode())
        return opened.decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise CannotDecrypt(f"A value sealed for {purpose} does not open.") from error


def blind_index(value: str, *, purpose: str) -> str:
    """A keyed digest by which an encrypted value can be found and kept unique."""
    key = hmac.digest(settings.BLIND_INDEX_KEY.encode(), purpose.encode(), hashlib.sha256)
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


def new_secret() -> str:
    """256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """How a 256-bit random secret is stored; it has too much entropy to need a salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
