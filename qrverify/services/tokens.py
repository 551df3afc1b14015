"""Showing, scanning and withdrawing a doctor's invitations to connect."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Role
from accounts.policies import check_is_active, check_may_administer
from common import crypto
from common.errors import DomainError, InvalidInput
from common.live import announce, user_group
from connections.models import Connection
from connections.services.connections import connect
from connections.services.grants import NOTHING, Sharing
from prescriptions.numbers import ALPHABET
from qrverify import payloads
from qrverify.models import QrSighting, QrToken
from qrverify.payloads import CODE_LENGTH, Kind, Payload

logger = structlog.get_logger(__name__)


class QrNotValid(DomainError):
    code = "qr_not_valid"
    detail = _("This code is not valid. Ask for a new one.")


class QrUsed(DomainError):
    code = "qr_used"
    detail = _("This code has been used already. Ask for a new one.")


class QrExpired(DomainError):
    code = "qr_expired"
    detail = _("This code has expired. Ask for a new one.")


class OtherKind(DomainError):
    """A code of ours that connects nobody; `payload` says what it is and where it leads."""

    code = "qr_other_kind"

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        super().__init__(payload.purpose, attr="token")


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token together with its secrets, which are known at this moment only."""

    token: QrToken
    secret: str
    code: str

    @property
    def url(self) -> str:
        """What the QR code holds."""
        return f"{settings.SITE_URL}/scan/{self.secret}"


def issue_connection_token(*, actor: Any, lasts: dt.timedelta = QrToken.DEFAULT) -> ShownToken:
    """A doctor's invitation, good for one patient and for 1 to 60 minutes."""
    check_is_active(actor, role=Role.DOCTOR)
    if not QrToken.SHORTEST <= lasts <= QrToken.LONGEST:
        raise InvalidInput(_("Between 1 and 60 minutes."), attr="expiry_minutes")
    secret = crypto.new_secret()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    token = QrToken.objects.create(
        issuer=actor,
        secret_digest=crypto.digest(secret),
        code_digest=_code_digest(code),
        expires_at=timezone.now() + lasts,
    )
    return ShownToken(token, secret, f"{code[:5]}-{code[5:]}")


def find_token(*, actor: Any, scanned: str) -> QrToken:
    """The usable token that a patient scanned or typed, without using it: who would I
    connect with? Who shows it sees at once that they look."""
    token = _usable_token(actor, scanned)
    _sighting, is_new = QrSighting.objects.get_or_create(token=token, person=actor)
    if is_new:
        _tell_issuer(token, "qr.seen", name=actor.display_name)
    return token


def look_up_token(*, scanned: str) -> QrToken:
    """The token of a link, a secret or a short code, whatever its state. Raises
    `PayloadRefused`, `OtherKind` and `QrNotValid`."""
    payload = payloads.read(scanned, attr="token")
    if payload.kind != Kind.CONNECTION:
        raise OtherKind(payload)
    return token_of(payload)


def token_of(payload: Payload) -> QrToken:
    """The token that a payload opens, by its secret or the short code."""
    is_typed = len(payload.secret) == CODE_LENGTH
    digest = _code_digest(payload.secret) if is_typed else crypto.digest(payload.secret)
    tokens = QrToken.objects.select_related("issuer__doctor_profile__specialization")
    token = tokens.filter(**{"code_digest" if is_typed else "secret_digest": digest}).first()
    if token is None:
        raise QrNotValid(attr="token")
    return token


@transaction.atomic
def redeem_token(*, actor: Any, scanned: str, sharing: Sharing = NOTHING) -> Connection:
    """Use the token and connect, on what the patient chose to share. Of many at once, one
    conditional UPDATE lets one through; if the connection cannot be made, the token is not used
    up. Whoever used it and asks again, as a phone does whose answer got lost, gets the
    connection it made."""
    check_is_active(actor, role=Role.PATIENT)
    made = _made_before(actor, look_up_token(scanned=scanned))
    if made is not None:
        return made
    token = _usable_token(actor, scanned)
    now = timezone.now()
    is_first = QrToken.objects.usable(now).filter(pk=token.pk).update(used_at=now, used_by=actor)
    if not is_first:
        token.refresh_from_db()
        _check_usable(token)
    connection = connect(
        actor=actor, doctor_id=token.issuer_id, origin=Connection.Origin.QR, sharing=sharing
    )
    _tell_issuer(token, "qr.scanned", connection_id=str(connection.pk), name=actor.display_name)
    return connection


def revoke_token(*, actor: Any, token_id: UUID) -> None:
    """Withdraw one of the actor's tokens before it is used."""
    mine = QrToken.objects.visible_to(actor)
    now = timezone.now()
    if not mine.usable(now).filter(pk=token_id).update(revoked_at=now):
        if not mine.filter(pk=token_id).exists():
            raise Http404
        raise QrNotValid


def forget_stale_tokens() -> int:
    """Forget the tokens that ended more than a week ago; how many they were."""
    _count, by_model = QrToken.objects.stale(timezone.now()).delete()
    return by_model.get(QrToken._meta.label, 0)


def clean_up(*, session: DeviceSession) -> int:
    """The same, now: an administrator does not wait for the hour."""
    check_may_administer(session)
    count = forget_stale_tokens()
    logger.info("qr_tokens_cleaned_up", user_id=str(session.user_id), count=count)
    return count


def _usable_token(actor: Any, scanned: str) -> QrToken:
    check_is_active(actor, role=Role.PATIENT)
    token = look_up_token(scanned=scanned)
    _check_usable(token)
    return token


def _made_before(actor: Any, token: QrToken) -> Connection | None:
    if token.used_by_id != actor.pk:
        return None
    mine = Connection.objects.visible_to(actor).active().with_people()
    return mine.filter(doctor_id=token.issuer_id).first()


def _code_digest(code: str) -> str:
    return crypto.blind_index(code, purpose="qrverify.token.code")


def _check_usable(token: QrToken) -> None:
    state = token.state(timezone.now())
    if state == QrToken.State.USED:
        raise QrUsed(attr="token")
    if state == QrToken.State.EXPIRED:
        raise QrExpired(attr="token")
    if state != QrToken.State.ACTIVE:
        raise QrNotValid(attr="token")


def _tell_issuer(token: QrToken, event: str, **said: str) -> None:
    announce(user_group(token.issuer_id), {"type": event, "token_id": str(token.pk)} | said)
