"""SMART Health Cards: signing one, and reading one strictly.

A card is a compact JWS (ES256) over DEFLATEd JSON, made so that whoever has the issuer's public
keys can check it without a network. https://spec.smarthealth.cards/
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import zlib
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from joserfc import jws
from joserfc.errors import JoseError

from common.errors import InvalidInput
from common.renderers import dumps
from qrverify.smart.chunks import MOST_CHUNKS, PREFIX, Incomplete, NotReadable, jws_of
from qrverify.smart.keys import card_keys, signing_key

FHIR_VERSION = "4.0.1"
HEALTH_CARD = "https://smarthealth.cards#health-card"
FILE_TYPE = "application/smart-health-card"
FILE_EXTENSION = "smart-health-card"

# What a reader takes in: characters given, bytes after inflating, braces within braces.
MOST_CHARACTERS = 100_000
MOST_BYTES = 64 * 1024
MOST_DEPTH = 32
SIGNATURE_BYTES = 64
JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
HOST = re.compile(r"[a-z0-9.:-]{1,253}")
# `zip` is no header of plain JWS; the framework defines what it means here.
REGISTRY = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)


class CardRefused(InvalidInput):
    """What was given is no health card that can be believed; `code` says why."""

    DETAILS: ClassVar[dict[str, str | Promise]] = {
        "not_a_card": _("This is not a health card."),
        "too_large": _("This is too large for a health card."),
        "incomplete": _("Some of this card's QR codes are missing. Scan all of them."),
        "malformed": _("This health card is damaged and cannot be read."),
        "wrong_algorithm": _("This health card is not signed in a way that can be trusted."),
        "other_issuer": _("This health card is from %(host)s, not from us. We cannot check it."),
        "unknown_key": _("This health card names a key that we do not have."),
        "altered": _("This health card has been altered, or is not from us."),
        "not_yet_valid": _("This health card is not valid yet."),
        "expired": _("This health card has expired."),
    }

    def __init__(self, code: str, *, host: str = "") -> None:
        self.code = code
        self.host = host
        super().__init__(str(self.DETAILS[code]) % {"host": host})


@dataclass(frozen=True, slots=True)
class ReadCard:
    """A card of ours, unaltered and in date. Whether it was revoked since, `rid` finds out."""

    kid: str
    rid: str
    issued_at: dt.datetime
    expires_at: dt.datetime | None
    bundle: dict[str, Any]


def sign_card(
    bundle: dict[str, Any], *, rid: str, issued_at: dt.datetime, expires_at: dt.datetime
) -> str:
    """The card over a FHIR bundle, signed with the first key."""
    claims = {
        "iss": settings.SITE_URL,
        "nbf": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "vc": {
            "type": [HEALTH_CARD],
            "credentialSubject": {"fhirVersion": FHIR_VERSION, "fhirBundle": bundle},
            "rid": rid,
        },
    }
    kid, key = signing_key()
    header = {"alg": "ES256", "zip": "DEF", "kid": kid}
    return jws.serialize_compact(header, _deflate(dumps(claims)), key, registry=REGISTRY)


def card_file(card: str) -> bytes:
    """The content of a `.smart-health-card` file."""
    return dumps({"verifiableCredential": [card]})


def read_card(given: str | list[str]) -> ReadCard:
    """Read and verify a card of this installation.

    `given` is the text of a QR code, those of several, all of them line by line, a JWS, or the
    content of a `.smart-health-card` file. Raises `CardRefused`, whose `code` is one of
    `not_a_card`, `too_large`, `incomplete`, `malformed`, `wrong_algorithm`, `other_issuer` (with
    `host`), `unknown_key`, `altered`, `not_yet_valid` and `expired`. Everything but the issuer's
    name is checked before anything is believed.
    """
    compact = _jws_within(given)
    head, body, signature = (_unpadded(part) for part in compact.split("."))
    header = _object(head)
    if header.get("alg") != "ES256" or header.get("zip") != "DEF" or "crit" in header:
        raise CardRefused("wrong_algorithm")
    claims = _object(_inflate(body))
    _check_issuer(claims.get("iss"))
    kid = header.get("kid")
    if not isinstance(kid, str) or kid not in card_keys():
        raise CardRefused("unknown_key")
    _check_signature(compact, signature, kid)
    return _card(kid, claims)


def _jws_within(given: str | list[str]) -> str:
    texts = [given] if isinstance(given, str) else given
    if sum(map(len, texts)) > MOST_CHARACTERS:
        raise CardRefused("too_large")
    chunks = [chunk for text in texts for chunk in text.split()]
    if chunks and all(chunk.startswith(PREFIX) for chunk in chunks):
        return _jws_of(chunks)
    text = "".join(texts).strip()
    if text.startswith("{"):
        text = _jws_of_file(text)
    if not JWS.fullmatch(text):
        raise CardRefused("not_a_card")
    return text


def _jws_of(chunks: list[str]) -> str:
    if len(chunks) > MOST_CHUNKS:
        raise CardRefused("too_large")
    try:
        text = jws_of(chunks)
    except Incomplete as error:
        raise CardRefused("incomplete") from error
    except NotReadable as error:
        raise CardRefused("malformed") from error
    if not JWS.fullmatch(text):
        raise CardRefused("malformed")
    return text


def _jws_of_file(text: str) -> str:
    """The first card of a file; ours hold one."""
    content = _object(text.encode("utf-8", "replace"))
    cards = content.get("verifiableCredential")
    if not isinstance(cards, list) or not cards or not isinstance(cards[0], str):
        raise CardRefused("not_a_card")
    return cards[0]


def _unpadded(part: str) -> bytes:
    """The bytes of a part, of which only one spelling is taken: no padding, no spare bits."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise CardRefused("malformed") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode():
        raise CardRefused("malformed")
    return decoded


def _deflate(content: bytes) -> bytes:
    compressor = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


def _inflate(content: bytes) -> bytes:
    """Inflate no more than a card may hold, however much is announced."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(content, MOST_BYTES + 1)
    except zlib.error as error:
        raise CardRefused("malformed") from error
    if len(inflated) > MOST_BYTES:
        raise CardRefused("too_large")
    if not inflater.eof or inflater.unused_data:
        raise CardRefused("malformed")
    return inflated


def _object(content: bytes) -> dict[str, Any]:
    """A JSON object that is not too deep."""
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CardRefused("malformed") from error
    if not isinstance(parsed, dict) or _is_deeper(parsed, MOST_DEPTH):
        raise CardRefused("malformed")
    return parsed


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def _check_issuer(issuer: Any) -> None:
    if not isinstance(issuer, str):
        raise CardRefused("malformed")
    if issuer != settings.SITE_URL:
        raise CardRefused("other_issuer", host=safe_host(issuer))


def safe_host(url: str) -> str:
    """The host of an address that somebody else wrote, safe to show: letters that look like
    others are spelt out (`xn--…`), and what is no host is a dash."""
    try:
        host = (urlsplit(url).hostname or "").encode("idna").decode()
    except ValueError:
        host = ""
    return host if HOST.fullmatch(host) else "–"


def _check_signature(compact: str, signature: bytes, kid: str) -> None:
    if len(signature) != SIGNATURE_BYTES:
        raise CardRefused("altered")
    try:
        jws.deserialize_compact(compact, card_keys()[kid], registry=REGISTRY)
    except JoseError as error:
        raise CardRefused("altered") from error


def _card(kid: str, claims: dict[str, Any]) -> ReadCard:
    """What a card of ours says; other software may hold the key, so shapes are checked too."""
    now = timezone.now()
    issued_at = _instant(claims.get("nbf"))
    expires_at = None if claims.get("exp") is None else _instant(claims["exp"])
    if issued_at > now:
        raise CardRefused("not_yet_valid")
    if expires_at is not None and expires_at <= now:
        raise CardRefused("expired")
    try:
        credential = claims["vc"]
        rid, bundle = credential["rid"], credential["credentialSubject"]["fhirBundle"]
        is_card = HEALTH_CARD in credential["type"] and isinstance(bundle["entry"], list)
    except (KeyError, TypeError) as error:
        raise CardRefused("malformed") from error
    if not is_card or not isinstance(rid, str):
        raise CardRefused("malformed")
    return ReadCard(kid, rid, issued_at, expires_at, bundle)


def _instant(seconds: Any) -> dt.datetime:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise CardRefused("malformed")
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CardRefused("malformed") from error
