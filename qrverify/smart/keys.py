"""The keys that sign health cards: EC P-256, known by their RFC 7638 thumbprints.

`HEALTH_CARD_SIGNING_KEYS` lists them in base64 of DER. The first signs and is a private key
(PKCS #8). The others are only published, so that the cards they signed go on being verified;
their public halves (SubjectPublicKeyInfo) suffice.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

HOW_TO_WRITE = (
    "HEALTH_CARD_SIGNING_KEYS: each entry is an EC key on the curve P-256 in base64 of DER, and "
    "the first is a private one. docs/health-cards.md says how to make it."
)


def parse_keys(entries: list[str]) -> dict[str, ECKey]:
    """The keys by thumbprint, in the order given; the first can sign."""
    keys = {key.thumbprint(): key for key in map(_parse, entries)}
    if not keys or not next(iter(keys.values())).is_private:
        raise ImproperlyConfigured(HOW_TO_WRITE)
    return keys


def _parse(entry: str) -> ECKey:
    try:
        key = ECKey.import_key(base64.b64decode(entry.strip(), validate=True))
    except (ValueError, JoseError) as error:
        raise ImproperlyConfigured(HOW_TO_WRITE) from error
    if key.curve_name != "P-256":
        raise ImproperlyConfigured(HOW_TO_WRITE)
    return key


@lru_cache(maxsize=4)
def _parsed(entries: tuple[str, ...]) -> dict[str, ECKey]:
    return parse_keys(list(entries))


def card_keys() -> dict[str, ECKey]:
    """Every key of this installation, by thumbprint; the first signs."""
    return _parsed(tuple(settings.HEALTH_CARD_SIGNING_KEYS))


def signing_key() -> tuple[str, ECKey]:
    """The key that signs now, with its thumbprint."""
    return next(iter(card_keys().items()))


def published_key(kid: str, *, crl_version: int) -> dict[str, Any]:
    """The public half as a JWK, with the counter of its revocation list."""
    public = card_keys()[kid].as_dict(private=False)
    return {
        "kty": "EC",
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
        "crv": "P-256",
        "x": public["x"],
        "y": public["y"],
        "crlVersion": crl_version,
    }
