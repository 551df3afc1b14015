"""The codes a person shows, whatever their kind: an invitation to connect, a prescription's
paper, an emergency card. Each kind is kept where it belongs; here they are spoken of as one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession, Role, User
from accounts.policies import check_is_active
from common.clock import clinic_date
from common.errors import InvalidInput
from prescriptions.models import Prescription
from prescriptions.services.codes import reissue_code
from qrverify import payloads
from qrverify.models import EmergencyCard, QrToken
from qrverify.payloads import Kind, Payload
from qrverify.services import emergency, tokens
from qrverify.services.verification import Outcome, verify_prescription

MOST_LISTED = 100
# What may be made and listed here: the other kinds have no code of their own.
KINDS = (Kind.CONNECTION, Kind.PRESCRIPTION, Kind.EMERGENCY)
STATES = {
    Prescription.State.ACTIVE: QrToken.State.ACTIVE,
    Prescription.State.COMPLETED: QrToken.State.USED,
    Prescription.State.EXPIRED: QrToken.State.EXPIRED,
    Prescription.State.STOPPED: QrToken.State.REVOKED,
    Prescription.State.SUPERSEDED: QrToken.State.REVOKED,
    Prescription.State.ENTERED_IN_ERROR: QrToken.State.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Code:
    """How one stands. `id` is that of the token, the prescription or the card; an emergency card
    lasts until it is withdrawn; `number` is that of the prescription. Of paper that was replaced
    nothing is told but that."""

    type: Kind
    state: QrToken.State
    id: UUID | None = None
    created_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ShownCode:
    """One that was made just now. Of an invitation this is the only moment at which its secrets
    are known; `typed` is its short code, `pin` what opens the paper of a prescription."""

    code: Code
    secret: str
    url: str
    typed: str | None = None
    pin: str | None = None


def make_code(
    *,
    session: DeviceSession,
    kind: Kind,
    lasts: dt.timedelta | None = None,
    prescription_id: UUID | None = None,
) -> ShownCode:
    """A new code of that kind. Of a prescription, and of an emergency card, it takes the place
    of the one before; only an invitation to connect has a time of its own. Who makes a card's has
    just confirmed that it is them."""
    actor = session.user
    if kind == Kind.CONNECTION:
        shown = tokens.issue_connection_token(actor=actor, lasts=lasts or QrToken.DEFAULT)
        return ShownCode(of_token(shown.token), shown.secret, shown.url, typed=shown.code)
    check_is_active(actor, role=Role.PATIENT)
    if lasts is not None:
        raise InvalidInput(_("Only a code to connect is given a time."), attr="expiry_minutes")
    if kind == Kind.EMERGENCY:
        return _of_new_card(session)
    return _of_new_paper(actor, prescription_id)


def active_codes(*, actor: Any) -> list[Code]:
    """The actor's codes that still work, newest first of each kind."""
    today = clinic_date()
    shown = QrToken.objects.visible_to(actor).usable(timezone.now())[:MOST_LISTED]
    papers = Prescription.objects.of(actor).opening(today)[:MOST_LISTED]
    cards = EmergencyCard.objects.visible_to(actor).live()
    return [
        *(of_token(token) for token in shown),
        *(_of_paper(paper) for paper in papers),
        *(_of_card(card) for card in cards),
    ]


def revoke_code(*, actor: Any, code_id: UUID) -> None:
    """Withdraw one. A prescription stays in force: what was printed of it opens nothing any
    more, and its patient prints it anew. What is not the actor's is not there."""
    if EmergencyCard.objects.visible_to(actor).filter(pk=code_id).exists():
        _withdraw_card(actor, code_id)
    elif Prescription.objects.of(actor).filter(pk=code_id).exists():
        reissue_code(actor=actor, prescription_id=code_id)
    else:
        tokens.revoke_token(actor=actor, token_id=code_id)


def state_of_code(*, scanned: str) -> Code:
    """How a code stands that somebody holds, without using it. Looking at a prescription is
    logged as every verification is. Raises `PayloadRefused` and `QrNotValid`."""
    payload = payloads.read(scanned, attr="token")
    if payload.kind == Kind.CONNECTION:
        return of_token(tokens.token_of(payload))
    if payload.kind == Kind.PRESCRIPTION:
        return _verified(payload)
    if payload.kind == Kind.EMERGENCY:
        return _held_card(payload)
    raise tokens.OtherKind(payload)


def of_token(token: QrToken) -> Code:
    return Code(
        id=token.pk,
        type=Kind.CONNECTION,
        state=token.state(timezone.now()),
        created_at=token.created_at,
        expires_at=token.expires_at,
    )


def _of_paper(paper: Prescription) -> Code:
    return Code(
        id=paper.pk,
        type=Kind.PRESCRIPTION,
        state=_state_of_paper(paper),
        created_at=paper.code_made_at,
        expires_at=paper.expires_at,
        number=paper.number,
    )


def _state_of_paper(paper: Prescription) -> QrToken.State:
    """Paper that opens no more, by wrong PINs or because stopping was asked for, counts as
    withdrawn while the prescription itself is active."""
    if paper.is_active(clinic_date()) and (paper.is_stop_requested or paper.is_pin_locked):
        return QrToken.State.REVOKED
    return STATES[paper.state(clinic_date())]


def _of_card(card: EmergencyCard) -> Code:
    state = QrToken.State.ACTIVE if card.is_live else QrToken.State.REVOKED
    return Code(id=card.pk, type=Kind.EMERGENCY, state=state, created_at=card.created_at)


def _of_new_card(session: DeviceSession) -> ShownCode:
    """What the card shows is chosen on its own page; here it gets another code."""
    old = emergency.own_card(actor=session.user)
    card = emergency.reissue_card(session=session, card_id=old.pk)
    return ShownCode(_of_card(card), card.url.rpartition("/")[2], card.url)


def _of_new_paper(actor: Any, prescription_id: UUID | None) -> ShownCode:
    if prescription_id is None:
        raise InvalidInput(_("Say which prescription."), attr="metadata.prescription_id")
    paper = reissue_code(actor=actor, prescription_id=prescription_id)
    return ShownCode(
        _of_paper(paper), paper.verification_code, paper.verification_url, pin=paper.pin
    )


@transaction.atomic
def _withdraw_card(actor: Any, card_id: UUID) -> None:
    """This card, and not the one that took its place a moment ago."""
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if emergency.own_card(actor=actor).pk != card_id:
        raise emergency.AnotherCard
    emergency.revoke_card(actor=actor)


def _verified(payload: Payload) -> Code:
    found = verify_prescription(
        code=payload.secret, version=payload.version, content_hash=payload.content_hash
    )
    if found.outcome == Outcome.REPLACED:
        return Code(Kind.PRESCRIPTION, QrToken.State.REVOKED)
    if found.prescription is None or found.outcome == Outcome.ALTERED:
        raise tokens.QrNotValid(attr="token")
    return _of_paper(found.prescription)


def _held_card(payload: Payload) -> Code:
    card = EmergencyCard.objects.by_secret(payload.secret).first()
    if card is None:
        raise tokens.QrNotValid(attr="token")
    return _of_card(card)
