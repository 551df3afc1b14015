"""Passkeys (WebAuthn): as a second factor, as a confirmation, and instead of a password.

A passkey always asks its owner for a finger, a face or a PIN, so it counts as two factors. What
its authenticator is to sign is a challenge of ours, good once, soon, and for one purpose.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import (
    DeviceSession,
    Factor,
    Passkey,
    PasskeyChallenge,
    PendingSignIn,
    SignInMethod,
    User,
)
from accounts.policies import check_is_confirmed
from accounts.services import identities, second_factor, sign_in
from accounts.services.sessions import Device
from common.errors import DomainError, InvalidInput
from notifications.services import notify
from notifications.wording import Kind

LONGEST_ID = 1023  # bytes
logger = structlog.get_logger(__name__)
Purpose = PasskeyChallenge.Purpose
Answer = TypeVar("Answer")
Response = TypeVar("Response", RegistrationResponse, AuthenticationResponse)

# What the library trips over in an answer that no authenticator gave.
MALFORMED = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError, RecursionError,
    OverflowError, NotImplementedError, struct.error,
)  # fmt: skip


class InvalidPasskey(InvalidInput):
    code = "invalid_passkey"
    detail = _("This passkey was not accepted. Please try again.")


class PasskeyTaken(DomainError):
    code = "passkey_exists"
    detail = _("This passkey is in use already.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to put to the browser or the app, in the JSON form of WebAuthn."""

    challenge_id: UUID
    options: dict[str, Any]


# --- Adding, renaming, removing --------------------------------------------------------------


def ask_to_register(*, session: DeviceSession) -> Asked:
    """For a passkey on a device that holds none of this account yet."""
    check_is_confirmed(session)
    user = session.user
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(
            id=user.pk.bytes, name=user.email, display_name=user.full_name
        ),
        credentials=_credentials(Passkey.objects.visible_to(user)),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _ask(options, state, purpose=Purpose.REGISTER, user=user)


def add_passkey(
    *, session: DeviceSession, challenge_id: UUID, credential: dict[str, Any], name: str
) -> tuple[Passkey, list[str]]:
    """Keep the public half of a new key; returns it with the recovery codes this made, if any."""
    check_is_confirmed(session)
    made = _read(RegistrationResponse, credential)
    state = _take_challenge(challenge_id, purpose=Purpose.REGISTER, user=session.user)
    _check_not_framed(made)
    data = _judged(lambda: _server().register_complete(state, made))
    return _keep(session, data, name=name)


def _keep(
    session: DeviceSession, data: AuthenticatorData, *, name: str
) -> tuple[Passkey, list[str]]:
    if data.credential_data is None:
        raise InvalidPasskey
    _check_is_usable(data.credential_data)
    try:
        with transaction.atomic():
            passkey = Passkey.objects.create(
                user=second_factor.lock_factors(session),
                name=name or gettext("Passkey"),
                credential_id=data.credential_data.credential_id,
                credential=bytes(data.credential_data),
                sign_count=data.counter,
            )
            return passkey, second_factor.factor_added(session, Factor.PASSKEY)
    except IntegrityError as error:
        raise PasskeyTaken from error


def _check_is_usable(credential: AttestedCredentialData) -> None:
    """A key we can verify with, of an algorithm that we offered (the library does not look), and
    an id of the length that WebAuthn allows (§4, "credential id")."""
    offered = [offer.alg for offer in _server().allowed_algorithms]
    if len(credential.credential_id) > LONGEST_ID or credential.public_key.get(3) not in offered:
        raise InvalidPasskey
    try:
        credential.public_key.verify(b"", b"")
    except InvalidSignature:
        return
    except MALFORMED as error:
        raise InvalidPasskey from error


def rename_passkey(*, actor: User, passkey_id: UUID, name: str) -> Passkey:
    passkey = Passkey.objects.visible_to(actor).filter(pk=passkey_id).first()
    if passkey is None:
        raise Http404
    passkey.name = name
    passkey.save(update_fields=["name"])
    return passkey


@transaction.atomic
def remove_passkey(*, session: DeviceSession, passkey_id: UUID) -> None:
    user = second_factor.lock_factors(session)
    removed, _rows = Passkey.objects.visible_to(user).filter(pk=passkey_id).delete()
    if not removed:
        raise Http404
    identities.check_way_in_is_left(user)
    second_factor.factor_removed(user)


# --- Signing in ------------------------------------------------------------------------------


def ask_to_sign_in() -> Asked:
    """For whichever passkey of ours the device holds: it tells us whose it is."""
    return _ask_for(None, purpose=Purpose.SIGN_IN, user=None)


def sign_in_by_passkey(
    *, challenge_id: UUID, credential: dict[str, Any], device: Device
) -> sign_in.SignIn:
    """Without a password: what one has, and the finger, face or PIN that opens it."""
    user = prove(
        challenge_id=challenge_id, credential=credential, purpose=Purpose.SIGN_IN, user=None
    )
    return sign_in.begin(
        user=user, method=SignInMethod.PASSKEY, device=device, factor=Factor.PASSKEY
    )


def ask_for_second_factor(*, pending: PendingSignIn) -> Asked:
    return ask_of(pending.user, Purpose.SIGN_IN)


def show_as_second_factor(
    *, pending: PendingSignIn, challenge_id: UUID, credential: dict[str, Any], device: Device
) -> sign_in.SignIn:
    """The second step of a sign-in, by a passkey."""
    prove(
        challenge_id=challenge_id,
        credential=credential,
        purpose=Purpose.SIGN_IN,
        user=pending.user,
    )
    return second_factor.go_on(pending=pending, factor=Factor.PASSKEY, device=device)


# --- Showing ---------------------------------------------------------------------------------


def ask_of(user: User, purpose: PasskeyChallenge.Purpose) -> Asked:
    """For one of the passkeys of an account that has some."""
    passkeys = Passkey.objects.visible_to(user)
    if not passkeys.exists():
        raise second_factor.NothingSetUp
    return _ask_for(_credentials(passkeys), purpose=purpose, user=user)


def prove(
    *,
    challenge_id: UUID,
    credential: dict[str, Any],
    purpose: PasskeyChallenge.Purpose,
    user: User | None,
) -> User:
    """Whose passkey has signed the challenge. Raises `InvalidPasskey`.

    The challenge is spent whatever comes of it, so call this outside a transaction.
    """
    shown = _read(AuthenticationResponse, credential)
    state = _take_challenge(challenge_id, purpose=purpose, user=user)
    _check_not_framed(shown)
    passkey = Passkey.objects.select_related("user").filter(credential_id=shown.raw_id).first()
    if passkey is None or (user is not None and passkey.user_id != user.pk):
        raise InvalidPasskey
    handle = shown.response.user_handle
    if handle is not None and handle != passkey.user_id.bytes:
        raise InvalidPasskey
    known = [AttestedCredentialData(bytes(passkey.credential))]
    _judged(lambda: _server().authenticate_complete(state, known, shown))
    _count(passkey, shown.response.authenticator_data.counter)
    return passkey.user


def _count(passkey: Passkey, counter: int) -> None:
    """A counter goes up with every use, or stays 0 where there is none (WebAuthn §6.1.1). One
    that does not is a copy's: it is refused, and its owner told."""
    mine = Passkey.objects.filter(pk=passkey.pk)
    earlier = mine.filter(sign_count__lt=counter) if counter else mine.filter(sign_count=0)
    if earlier.update(sign_count=counter, last_used_at=timezone.now()):
        return
    logger.warning("passkey_counter_went_back", user_id=str(passkey.user_id))
    notify(recipient=passkey.user, kind=Kind.PASSKEY_COPIED, url="/security")
    raise InvalidPasskey


# --- WebAuthn --------------------------------------------------------------------------------


@cache
def _server_of(site: str, app_origins: tuple[str, ...]) -> Fido2Server:
    parts = urlsplit(site)
    origins = {f"{parts.scheme}://{parts.netloc}", *app_origins}
    return Fido2Server(
        PublicKeyCredentialRpEntity(name=second_factor.ISSUER, id=parts.hostname),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin in origins,
    )


def _server() -> Fido2Server:
    return _server_of(settings.SITE_URL, tuple(settings.PASSKEY_APP_ORIGINS))


def _credentials(passkeys: QuerySet[Passkey]) -> list[AttestedCredentialData]:
    return [AttestedCredentialData(bytes(passkey.credential)) for passkey in passkeys]


def _ask_for(
    credentials: list[AttestedCredentialData] | None,
    *,
    purpose: PasskeyChallenge.Purpose,
    user: User | None,
) -> Asked:
    options, state = _server().authenticate_begin(
        credentials, user_verification=UserVerificationRequirement.REQUIRED
    )
    return _ask(options, state, purpose=purpose, user=user)


def _ask(
    options: Any, state: Any, *, purpose: PasskeyChallenge.Purpose, user: User | None
) -> Asked:
    challenge = PasskeyChallenge.objects.create(
        user=user,
        purpose=purpose,
        state=state,
        expires_at=timezone.now() + PasskeyChallenge.LASTS,
    )
    # The library's objects are mappings that JSON knows how to write.
    plain = json.loads(json.dumps(dict(options), default=dict))
    return Asked(challenge_id=challenge.pk, options=plain["publicKey"])


def _take_challenge(
    challenge_id: UUID, *, purpose: PasskeyChallenge.Purpose, user: User | None
) -> Any:
    """The state of a challenge of ours, once: of two who take it at once, one has it."""
    asked = PasskeyChallenge.objects.filter(
        pk=challenge_id, purpose=purpose, user=user, expires_at__gt=timezone.now()
    )
    challenge = asked.first()
    taken, _rows = asked.delete() if challenge else (0, {})
    if challenge is None or not taken:
        raise InvalidPasskey
    return challenge.state


def _read(kind: type[Response], credential: dict[str, Any]) -> Response:
    try:
        return kind.from_dict(credential)
    except MALFORMED as error:
        raise InvalidPasskey(attr="credential") from error


def _judged(judge: Callable[[], Answer]) -> Answer:
    try:
        return judge()
    except MALFORMED as error:
        raise InvalidPasskey from error


def _check_not_framed(answer: RegistrationResponse | AuthenticationResponse) -> None:
    """No page of another site shows ours to ask for a passkey within it."""
    if answer.response.client_data.cross_origin:
        raise InvalidPasskey
