"""OpenID Connect with the provider that people sign in at; it knows no user.

Authlib builds the two requests of the code flow with PKCE, joserfc verifies what comes back. What
is fetched from the provider is believed only as far as this module says, and every failure of it
is one of three refusals: it cannot be reached, it said no, or what it vouched for does not hold.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry

from common import crypto
from common.errors import DomainError, InvalidInput, NotAllowed

# Never what a token or the provider's description asks for: "none" signs nothing, and HS256
# would take the public key for a password.
ALGORITHMS = ["RS256", "ES256"]
KEY_TYPES = {"RSA", "EC"}
LEEWAY = dt.timedelta(seconds=30)
FRESH = dt.timedelta(minutes=10)
PATIENCE_SECONDS = 5
# What reading JSON of any shape can lead to.
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class ProviderUnavailable(DomainError):
    code = "google_unavailable"
    detail = _("Google cannot be reached just now. Please try again later.")
    status_code = 503


class CallbackRefused(InvalidInput):
    code = "google_callback_refused"
    detail = _("This sign-in with Google has expired or was begun elsewhere. Please try again.")


class InvalidIdToken(DomainError):
    code = "invalid_id_token"
    detail = _("What Google sent does not prove who you are. Please try again.")
    status_code = 401


class AddressNotVerified(NotAllowed):
    code = "google_address_not_verified"
    detail = _("Google has not verified the e-mail address of this account.")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an id_token vouches for, and until when that can be used. `digest` is that of what
    was signed: the signature after it can be written in more than one way."""

    issuer: str
    subject: str
    email: str
    first_name: str
    last_name: str
    digest: str
    expires_at: dt.datetime

    def kept(self) -> dict[str, Any]:
        """As a browser's session keeps it while its owner is asked something."""
        return asdict(self) | {"expires_at": self.expires_at.isoformat()}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Identity:
        return cls(**kept | {"expires_at": dt.datetime.fromisoformat(kept["expires_at"])})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser keeps between leaving for the provider and coming back."""

    LASTS: ClassVar = 600

    state: str
    nonce: str
    verifier: str
    begun_at: float

    @classmethod
    def begin(cls) -> Attempt:
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            begun_at=time.time(),
        )

    def kept(self) -> dict[str, Any]:
        return asdict(self)


def is_configured() -> bool:
    return bool(settings.GOOGLE_CLIENT_ID)


def address_to_leave_for(attempt: Attempt, *, come_back_to: str) -> str:
    """Where the browser goes to be asked who it is."""
    with _session(come_back_to) as session:
        url, _state = session.create_authorization_url(
            _provider().endpoint("authorization_endpoint"),
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.verifier,
            # People share computers: let them say which account.
            prompt="select_account",
        )
    return str(url)


def identity_from_callback(
    answer: Mapping[str, str], kept: dict[str, Any] | None, *, come_back_to: str
) -> Identity:
    """Trade the code of a browser that came back. Raises `CallbackRefused` unless it left from
    here, not long ago, and with this very state."""
    attempt = Attempt(**kept) if kept else None
    if attempt is None or time.time() > attempt.begun_at + attempt.LASTS:
        raise CallbackRefused
    if not constant_time_compare(answer.get("state", ""), attempt.state):
        raise CallbackRefused
    if not answer.get("code"):
        raise CallbackRefused
    token = _trade(answer["code"], attempt, come_back_to=come_back_to)
    return identity_of(token, nonce=attempt.nonce, clients=[settings.GOOGLE_CLIENT_ID])


def identity_from_app(id_token: str, *, nonce: str) -> Identity:
    """What an app was given. A nonce in the token has to be the one that the app says it asked
    for: so what was issued to a browser is worth nothing here."""
    clients = [settings.GOOGLE_CLIENT_ID, *settings.GOOGLE_APP_CLIENT_IDS]
    return identity_of(id_token, nonce=nonce, clients=clients)


def identity_of(id_token: str, *, nonce: str, clients: list[str]) -> Identity:
    """Everything that has to hold of an id_token (OpenID Connect Core 3.1.3.7)."""
    try:
        claims = _provider().verified(id_token)
        _check_claims(claims, nonce=nonce, clients=clients)
    except (JoseError, *MALFORMED) as error:
        raise InvalidIdToken(attr="id_token") from error
    if claims.get("email_verified") is not True:
        raise AddressNotVerified
    first_name, last_name = _names(claims)
    return Identity(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=claims["email"].lower(),
        first_name=first_name,
        last_name=last_name,
        digest=crypto.digest(id_token.rpartition(".")[0]),
        expires_at=_instant(claims["iat"]) + FRESH,
    )


def _check_claims(claims: dict[str, Any], *, nonce: str, clients: list[str]) -> None:
    jwt.JWTClaimsRegistry(
        leeway=int(LEEWAY.total_seconds()),
        iss={"essential": True, "value": settings.GOOGLE_ISSUER},
        aud={"essential": True, "values": clients},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    ).validate(claims)
    is_for_us = claims.get("azp", clients[0]) in clients
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if not is_for_us or (is_for_several and "azp" not in claims):
        raise ValueError("This token was issued to another party.")
    if not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise ValueError("This token answers another request.")
    if timezone.now() > _instant(claims["iat"]) + FRESH + LEEWAY:
        raise ValueError("This token is not fresh.")
    if not (_is_text(claims["sub"], longest=255) and _is_text(claims.get("email"), longest=254)):
        raise ValueError("This token names nobody.")


def _is_text(value: Any, *, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def _instant(seconds: float) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    except (OverflowError, OSError) as error:
        raise ValueError("No such time.") from error


def _names(claims: dict[str, Any]) -> tuple[str, str]:
    """First and last name. Some people have one name, and some accounts none."""
    first, last = _clean(claims.get("given_name")), _clean(claims.get("family_name"))
    whole_first, _space, whole_last = _clean(claims.get("name")).partition(" ")
    first = first or whole_first or _clean(claims["email"].partition("@")[0])
    return first[:80].strip(), (last or whole_last)[:80].strip()


def _clean(name: Any) -> str:
    """On one line, of printable characters."""
    text = name if isinstance(name, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _trade(code: str, attempt: Attempt, *, come_back_to: str) -> str:
    """The id_token for a code. No redirect is followed: the secret goes nowhere else."""
    endpoint = _provider().endpoint("token_endpoint")
    try:
        with _session(come_back_to) as session:
            answer = session.fetch_token(
                endpoint, code=code, code_verifier=attempt.verifier, allow_redirects=False
            )
    except OAuthError as error:
        raise CallbackRefused from error
    except (requests.RequestException, *MALFORMED) as error:
        raise ProviderUnavailable from error
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise InvalidIdToken(attr="id_token")
    return token


def _session(come_back_to: str) -> OAuth2Session:
    return OAuth2Session(
        settings.GOOGLE_CLIENT_ID,
        settings.GOOGLE_CLIENT_SECRET,
        scope="openid email profile",
        redirect_uri=come_back_to,
        code_challenge_method="S256",
        default_timeout=PATIENCE_SECONDS,
    )


class Provider:
    """What the provider says of itself and the keys it signs with, each kept for an hour."""

    KEEP_SECONDS = 3600
    # A key not known may be a new one. Whoever makes keys up has us ask no more often than this.
    ASK_AGAIN_SECONDS = 60

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._description: dict[str, str] = {}
        self._described_at = 0.0
        self._keys = KeySet([])
        self._keys_at = 0.0

    def endpoint(self, name: str) -> str:
        if time.time() > self._described_at + self.KEEP_SECONDS:
            self._description = self._described()
            self._described_at = time.time()
        return self._description[name]

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of a token that this provider signed."""
        if time.time() > self._keys_at + self.KEEP_SECONDS:
            self._fetch_keys()
        try:
            return self._decode(token)
        except InvalidKeyIdError:
            if time.time() < self._keys_at + self.ASK_AGAIN_SECONDS:
                raise
            self._fetch_keys()
            return self._decode(token)

    def _decode(self, token: str) -> dict[str, Any]:
        # Unknown members of the header are ignored, as RFC 7515 wants it; critical ones are not.
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        return jwt.decode(token, self._keys, registry=registry).claims

    def _described(self) -> dict[str, str]:
        """Only what is needed, and only of the issuer asked, reached as safely as it is."""
        found = _read(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        endpoints = {name: str(found.get(name, "")) for name in names}
        scheme = urlsplit(self.issuer).scheme
        are_safe = all(urlsplit(url).scheme == scheme for url in endpoints.values())
        if found.get("issuer") != self.issuer or not are_safe:
            raise ProviderUnavailable
        return endpoints

    def _fetch_keys(self) -> None:
        found = _read(self.endpoint("jwks_uri")).get("keys")
        try:
            keys = [JWKRegistry.import_key(key) for key in found or [] if _is_usable(key)]
        except (JoseError, *MALFORMED) as error:
            raise ProviderUnavailable from error
        self._keys, self._keys_at = KeySet(list(keys)), time.time()


@lru_cache(maxsize=4)
def _provider_at(issuer: str) -> Provider:
    return Provider(issuer)


def _provider() -> Provider:
    return _provider_at(settings.GOOGLE_ISSUER)


def _is_usable(key: dict[str, Any]) -> bool:
    return key["kty"] in KEY_TYPES and key.get("use", "sig") == "sig"


def _read(url: str) -> dict[str, Any]:
    """A JSON object of the provider's."""
    try:
        answer = requests.get(url, timeout=PATIENCE_SECONDS, allow_redirects=False)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, *MALFORMED) as error:
        raise ProviderUnavailable from error
    if not isinstance(found, dict):
        raise ProviderUnavailable
    return found
