"""Showing, scanning and withdrawing QR codes; verifying a prescription by one."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.policies import check_is_active
from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from common.live import announce, user_group
from connections.models import Connection
from connections.services import connect
from prescriptions.models import Prescription
from prescriptions.numbers import ALPHABET, AMBIGUOUS
from qrverify.models import QrToken

CODE_LENGTH = 10
SECRET_LENGTH = 43


class QrNotValid(DomainError):
    code = "qr_not_valid"
    detail = _("This code is not valid. Ask for a new one.")


class QrUsed(DomainError):
    code = "qr_used"
    detail = _("This code has been used already. Ask for a new one.")


class QrExpired(DomainError):
    code = "qr_expired"
    detail = _("This code has expired. Ask for a new one.")


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


class Outcome(models.TextChoices):
    """What verification finds. Only `AUTHENTIC` paper may be relied on."""

    AUTHENTIC = "authentic", _("Authentic")
    ALTERED = "altered", _("Not as issued")
    UNKNOWN = "unknown", _("Not known here")


@dataclass(frozen=True, slots=True)
class Verification:
    outcome: Outcome
    prescription: Prescription | None = None

    @property
    def state(self) -> Prescription.State | None:
        if self.prescription is None:
            return None
        return self.prescription.state(clinic_date())


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
    connect with?"""
    check_is_active(actor, role=Role.PATIENT)
    token = look_up_token(scanned=scanned)
    _check_usable(token)
    return token


def look_up_token(*, scanned: str) -> QrToken:
    """The token of a link, a secret or a short code, whatever its state."""
    token = _by_secret(scanned).select_related("issuer__doctor_profile__specialization").first()
    if token is None:
        raise QrNotValid(attr="token")
    return token


@transaction.atomic
def redeem_token(*, actor: Any, scanned: str) -> Connection:
    """Use the token and connect. Of many at once, one conditional UPDATE lets one through;
    if the connection cannot be made, the token is not used up. Whoever used it and asks again,
    as a phone does whose answer got lost, gets the connection it made."""
    made = _made_before(actor, look_up_token(scanned=scanned))
    if made is not None:
        return made
    token = find_token(actor=actor, scanned=scanned)
    now = timezone.now()
    is_first = QrToken.objects.usable(now).filter(pk=token.pk).update(used_at=now, used_by=actor)
    if not is_first:
        token.refresh_from_db()
        _check_usable(token)
    connection = connect(actor=actor, doctor_id=token.issuer_id, origin=Connection.Origin.QR)
    announce(
        user_group(token.issuer_id),
        {
            "type": "qr.scanned",
            "token_id": str(token.pk),
            "connection_id": str(connection.pk),
            "name": actor.display_name,
        },
    )
    return connection


def _made_before(actor: Any, token: QrToken) -> Connection | None:
    if token.used_by_id != actor.pk:
        return None
    mine = Connection.objects.visible_to(actor).active().with_people()
    return mine.filter(doctor_id=token.issuer_id).first()


def code_within(scanned: str) -> str:
    """The secret or short code of what was scanned or typed, which may be a whole link."""
    path = scanned.strip().partition("?")[0].partition("#")[0]
    return path.rpartition("/")[2]


def revoke_token(*, actor: Any, token_id: UUID) -> None:
    """Withdraw one of the actor's tokens before it is used."""
    mine = QrToken.objects.visible_to(actor)
    now = timezone.now()
    if not mine.usable(now).filter(pk=token_id).update(revoked_at=now):
        if not mine.filter(pk=token_id).exists():
            raise Http404
        raise QrNotValid


def verify_prescription(*, code: str, version: int, content_hash: str) -> Verification:
    """Whether a paper is one of ours, unaltered. Needs no account; every look is logged.

    Authentic means: the secret is known, the version and the start of the content hash that
    the paper carries are those issued, and the stored rows still have that hash.
    """
    prescription = Prescription.objects.by_verification_code(code).with_items().first()
    if prescription is None:
        return Verification(Outcome.UNKNOWN)
    record_access(
        actor_id=None,
        patient_id=prescription.patient_id,
        action=AccessEvent.Action.VERIFIED,
        target=prescription,
    )
    claims_fit = version == prescription.version and constant_time_compare(
        content_hash, prescription.printed_hash
    )
    if claims_fit and prescription.is_intact():
        return Verification(Outcome.AUTHENTIC, prescription)
    return Verification(Outcome.ALTERED, prescription)


def _code_digest(code: str) -> str:
    return crypto.blind_index(code, purpose="qrverify.token.code")


def _by_secret(scanned: str) -> models.QuerySet[QrToken]:
    """Find a token by what was scanned or typed: a link, the secret, or the short code."""
    scanned = code_within(scanned)
    if len(scanned) == SECRET_LENGTH:
        return QrToken.objects.filter(secret_digest=crypto.digest(scanned))
    typed = scanned.upper().replace("-", "").replace(" ", "").translate(AMBIGUOUS)
    if len(typed) == CODE_LENGTH:
        return QrToken.objects.filter(code_digest=_code_digest(typed))
    return QrToken.objects.none()


def _check_usable(token: QrToken) -> None:
    state = token.state(timezone.now())
    if state == QrToken.State.USED:
        raise QrUsed(attr="token")
    if state == QrToken.State.EXPIRED:
        raise QrExpired(attr="token")
    if state != QrToken.State.ACTIVE:
        raise QrNotValid(attr="token")
