"""SMART Health Links: what a link says, and the encryption of what it leads to.

https://hl7.org/fhir/uv/smart-health-cards-and-links/STU1/links-specification.html
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from typing import Any

from joserfc import jwe
from joserfc.jwk import OctKey

from common.renderers import dumps

FHIR_TYPE = "application/fhir+json"
KEY_BYTES = 32
# Where what is behind a link may change for long, a reader may come back for it.
LONG_TERM = dt.timedelta(days=1)


def new_key() -> str:
    """A fresh key, as links write it: 32 bytes in 43 characters."""
    return secrets.token_urlsafe(KEY_BYTES)


def flags(*, lasts: dt.timedelta, has_passcode: bool) -> str:
    """`L` for what may be read again later, `P` for what asks for a passcode."""
    return ("L" if lasts > LONG_TERM else "") + ("P" if has_passcode else "")


def shlink(*, url: str, key: str, flag: str, label: str, expires_at: dt.datetime) -> str:
    """The link itself, without a viewer before it."""
    payload: dict[str, Any] = {"url": url, "key": key, "exp": int(expires_at.timestamp())}
    if flag:
        payload["flag"] = flag
    if label:
        payload["label"] = label
    return f"shlink:/{_base64url(dumps(payload | {'v': 1}))}"


def encrypt_file(content: bytes, *, key: str, content_type: str) -> str:
    """A file as a compact JWE under the link's key, compressed before."""
    header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF", "cty": content_type}
    secret = OctKey.import_key(base64.urlsafe_b64decode(f"{key}="))
    return jwe.encrypt_compact(header, content, secret, algorithms=["dir", "A256GCM", "DEF"])


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
