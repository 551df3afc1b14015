"""Claiming and dispensing by a pharmacist, who needs no account; and the patient's objection."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.services.texts import required_entry
from audit.models import AccessEvent
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput, NotAllowed
from connections.services.cases import TooManyQuestions, question_access
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.fills import Fill, fill_of
from prescriptions.models import (
    ApprovedPharmacy,
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
)
from prescriptions.numbers import ALPHABET, AMBIGUOUS
from prescriptions.policies import check_can_dispense
from prescriptions.services import standing
from prescriptions.services.claims import (
    EndReason,
    end_claim,
    end_overdue_claim,
    log_claim,
    standing_claim,
)
from prescriptions.services.codes import replace_code
from prescriptions.services.holding import lock_own, lock_prescription
from prescriptions.services.pins import check_can_open, lock_passed

SECRET_LENGTH = 10
SAID_LENGTHS = {"pharmacy_name": 160, "pharmacist_name": 160, "licence_number": 40}
Action = AccessEvent.Action


class Claimed(DomainError):
    """Another holds it. Says who, and until when."""

    code = "claimed"

    def __init__(self, claim: DispenseClaim) -> None:
        self.claim = claim
        until = time_format(timezone.localtime(claim.expires_at))
        super().__init__(
            gettext(
                "This prescription is being dispensed by %(holder)s. It is free again at "
                "%(until)s, or when they give it back."
            )
            % {"holder": claim.pharmacy_name, "until": until}
        )


class NothingDue(DomainError):
    code = "nothing_due"
    detail = _("Nothing of this prescription may be dispensed today.")


class OnlyApproved(NotAllowed):
    code = "only_approved_pharmacies"
    detail = _(
        "It holds a controlled medicine, which only approved pharmacies dispense. Enter your "
        "pharmacy's access code."
    )


class AccessCodeWrong(InvalidInput):
    code = "access_code_wrong"
    detail = _("This access code is not one of an approved pharmacy.")


class ClaimNotHeld(InvalidInput):
    code = "claim_not_held"
    detail = _("This claim is not known or is over. Scan the paper and claim it again.")


class TooMuch(DomainError):
    code = "too_much"
    detail = _("That is more than may be dispensed of it now.")


class AlreadyDispensed(DomainError):
    code = "already_dispensed"
    detail = _("This form has dispensed something else already. Reload the page.")


class TooLateToWithdraw(DomainError):
    code = "too_late"
    detail = _("What was dispensed can be withdrawn within an hour.")


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """Who says that they dispense. With an access code, an approved pharmacy's own name and
    licence count instead."""

    pharmacy_name: str
    pharmacist_name: str
    licence_number: str
    access_code: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """So much of the item at that position, from 1."""

    position: int
    quantity: int


@dataclass(frozen=True, slots=True)
class HeldClaim:
    """A claim together with its secret, of which only a digest is kept."""

    claim: DispenseClaim
    secret: str


@transaction.atomic
def claim_prescription(*, passed: str, pharmacy: Pharmacy, client_id: UUID) -> HeldClaim:
    """Hold the prescription that a pass opens, so that nobody else dispenses it meanwhile. Of
    many at once one gets it; the others are told who. The patient is told.

    Sent again with the same pass and `client_id` it claims nothing more: it finds the claim it
    made, as that stands by now, with its secret.
    """
    _check_is_named(pharmacy)
    prescription = lock_passed(passed)
    secret = _secret_of(passed, client_id)
    made = prescription.claims.filter(secret_digest=_digest(secret)).first()
    if made is not None:
        return HeldClaim(made, secret)
    now = timezone.now()
    end_overdue_claim(prescription, at=now)
    rival = standing_claim(prescription)
    if rival is not None:
        raise Claimed(rival)
    check_can_open(prescription)
    approved = _approved(pharmacy, prescription)
    _check_something_is_due(prescription, clinic_date(now))
    claim = _claim(prescription, pharmacy, approved, secret, at=now)
    log_claim(prescription, claim, Action.CLAIMED)
    _tell(prescription, Kind.PRESCRIPTION_CLAIMED)
    return HeldClaim(claim, secret)


@transaction.atomic
def dispense(*, secret: str, lines: Sequence[Line], client_id: UUID) -> DispenseClaim:
    """Hand out so much of these items, by who holds the prescription. Sent again with the same
    `client_id` it changes nothing. What is dispensed wholly, refills included, is completed,
    and the claim is over."""
    claim, prescription = _lock_held(secret)
    now = timezone.now()
    if _was_sent_before(claim, lines, client_id):
        return claim
    if not claim.is_standing(now):
        raise ClaimNotHeld(attr="claim")
    check_can_dispense(prescription, clinic_date(now))
    _hand_out(claim, prescription, lines, client_id, at=now)
    log_claim(prescription, claim, Action.DISPENSED)
    _tell(prescription, Kind.PRESCRIPTION_DISPENSED)
    if all(fill.is_done for _item, fill in fills(prescription)):
        standing.complete(prescription, at=now)
        end_claim(prescription, claim, EndReason.COMPLETED, at=now)
    return claim


@transaction.atomic
def withdraw_dispense(*, secret: str, dispense_id: UUID) -> DispenseClaim:
    """Take back what was handed out, within an hour, by who did it; also after the claim. Twice
    does it once."""
    claim, prescription = _lock_held(secret)
    now = timezone.now()
    dispensed = claim.dispenses.filter(pk=dispense_id).first()
    if dispensed is None:
        raise Http404
    if dispensed.withdrawn_at is not None:
        return claim
    if not dispensed.is_withdrawable(now):
        raise TooLateToWithdraw
    dispensed.withdrawn_at = now
    dispensed.save(update_fields=["withdrawn_at"])
    if prescription.status == Prescription.Status.COMPLETED:
        standing.reopen(prescription, at=now)
    log_claim(prescription, claim, Action.DISPENSE_WITHDRAWN)
    _tell(prescription, Kind.DISPENSE_WITHDRAWN)
    return claim


@transaction.atomic
def return_prescription(*, secret: str) -> DispenseClaim:
    """Give it back, so that another pharmacy can claim it. Twice does it once."""
    claim, prescription = _lock_held(secret)
    if claim.ended_at is None:
        end_claim(prescription, claim, EndReason.RETURNED, at=timezone.now())
    return claim


@transaction.atomic
def dispute_claim(*, actor: Any, prescription_id: UUID, claim_id: UUID) -> Prescription:
    """The patient says that they were in no pharmacy: the claim ends, the paper is replaced,
    and administrators are asked to look into it. Twice does it once.

    The paper is replaced also where all of it was handed out: it is in force again when that is
    withdrawn.
    """
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    claim = prescription.claims.filter(pk=claim_id).first()
    if claim is None:
        raise Http404
    if claim.disputed_at is not None:
        return prescription
    now = timezone.now()
    if claim.ended_at is None:
        end_claim(prescription, claim, EndReason.DISPUTED, at=now)
    claim.disputed_at = now
    claim.save(update_fields=["disputed_at"])
    if prescription.status != Prescription.Status.ENTERED_IN_ERROR:
        replace_code(prescription, at=now)
    _question(actor, claim)
    return prescription


def held_claim(secret: str) -> DispenseClaim:
    """The claim of that secret, while it is of use: as long as it stands, and as long as
    something dispensed by it could be withdrawn."""
    since = timezone.now() - MedicationDispense.WITHDRAWABLE
    claims = DispenseClaim.objects.select_related("prescription")
    found = claims.filter(secret_digest=_digest(secret)).first()
    if found is None or (found.ended_at or found.expires_at) < since:
        raise ClaimNotHeld(attr="claim")
    return found


def fills(prescription: Prescription) -> list[tuple[PrescriptionItem, Fill]]:
    """Each item of a prescription, with how far it was dispensed; two queries."""
    items = prescription.items.prefetch_related("dispenses")
    return [(item, fill_of(item, item.dispenses.all())) for item in items]


def _check_is_named(pharmacy: Pharmacy) -> None:
    """Each of the three is one plain line: the patient and other pharmacies read it."""
    for name, length in SAID_LENGTHS.items():
        required_entry(getattr(pharmacy, name), attr=name, length=length)


def _approved(pharmacy: Pharmacy, prescription: Prescription) -> ApprovedPharmacy | None:
    """The pharmacy of the access code; none is needed unless only approved ones may."""
    if pharmacy.access_code:
        return _pharmacy_of(pharmacy.access_code)
    is_reserved = settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES
    if is_reserved and prescription.has_controlled_item:
        raise OnlyApproved
    return None


def _pharmacy_of(access_code: str) -> ApprovedPharmacy:
    digest = access_code_digest(access_code)
    found = ApprovedPharmacy.objects.filter(access_code_digest=digest, is_active=True).first()
    if found is None:
        raise AccessCodeWrong(attr="access_code")
    return found


def access_code_digest(access_code: str) -> str:
    """How an approved pharmacy's access code is kept."""
    return crypto.blind_index(_typed(access_code), purpose="prescriptions.pharmacy.access_code")


def new_short_secret() -> str:
    """Ten characters that can be typed and read over the telephone: 50 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))


def _check_something_is_due(prescription: Prescription, on: dt.date) -> None:
    standings = [fill for _item, fill in fills(prescription)]
    if any(fill.available(on) for fill in standings):
        return
    opens = [fill.opens_on for fill in standings if fill.opens_on is not None]
    if not opens:
        raise NothingDue
    raise NothingDue(
        gettext("Nothing of it may be dispensed today. The next refill is due on %(day)s.")
        % {"day": date_format(min(opens))}
    )


def _claim(
    prescription: Prescription,
    pharmacy: Pharmacy,
    approved: ApprovedPharmacy | None,
    secret: str,
    *,
    at: dt.datetime,
) -> DispenseClaim:
    named = approved or pharmacy
    return DispenseClaim.objects.create(
        prescription=prescription,
        pharmacy_name=approved.name if approved else pharmacy.pharmacy_name.strip(),
        pharmacist_name=pharmacy.pharmacist_name.strip(),
        licence_number=named.licence_number.strip(),
        approved_pharmacy=approved,
        secret_digest=_digest(secret),
        claimed_at=at,
        expires_at=at + DispenseClaim.LASTS,
    )


def _secret_of(passed: str, client_id: UUID) -> str:
    """The secret of the claim that this form makes with this pass: 50 bits that nobody works
    out without the server's key, and the same whenever the form is sent."""
    drawn = crypto.blind_index(f"{passed} {client_id}", purpose="prescriptions.claim.drawn")
    number = int(drawn, 16)
    characters = [ALPHABET[number >> 5 * place & 31] for place in range(SECRET_LENGTH)]
    return as_read_out("".join(characters))


def as_read_out(secret: str) -> str:
    """A secret in two halves, `7K3M9-Q2TC4`, however it was typed."""
    secret, half = _typed(secret), SECRET_LENGTH // 2
    return f"{secret[:half]}-{secret[half:]}"


def _hand_out(
    claim: DispenseClaim,
    prescription: Prescription,
    lines: Sequence[Line],
    client_id: UUID,
    *,
    at: dt.datetime,
) -> None:
    by_position = {item.position: (item, fill) for item, fill in fills(prescription)}
    _check_lines(lines, by_position, clinic_date(at))
    for line in lines:
        item, _fill = by_position[line.position]
        MedicationDispense.objects.create(
            claim=claim,
            item=item,
            quantity=line.quantity,
            dispensed_at=at,
            client_id=client_id,
        )


def _check_lines(
    lines: Sequence[Line],
    by_position: dict[int, tuple[PrescriptionItem, Fill]],
    on: dt.date,
) -> None:
    positions = [line.position for line in lines]
    if not lines or len(set(positions)) < len(positions):
        raise InvalidInput(_("Name each medicine that is dispensed once."), attr="lines")
    for number, line in enumerate(lines):
        attr = f"lines.{number}.quantity"
        if line.position not in by_position or line.quantity < 1:
            raise InvalidInput(_("There is no such item, or no quantity."), attr=attr)
        if line.quantity > by_position[line.position][1].available(on):
            raise TooMuch(attr=attr)


def _was_sent_before(claim: DispenseClaim, lines: Sequence[Line], client_id: UUID) -> bool:
    sent = claim.dispenses.filter(client_id=client_id).select_related("item")
    before = {(dispensed.item.position, dispensed.quantity) for dispensed in sent}
    is_other = before != {(line.position, line.quantity) for line in lines}
    # What was withdrawn since is not on record, and the form must not be told that it is.
    if before and (is_other or any(dispensed.withdrawn_at for dispensed in sent)):
        raise AlreadyDispensed
    return bool(before)


def _lock_held(secret: str) -> tuple[DispenseClaim, Prescription]:
    """The claim of that secret and its prescription, held; read anew under the lock."""
    seen = held_claim(secret)
    prescription = lock_prescription(seen.prescription_id)
    return DispenseClaim.objects.get(pk=seen.pk), prescription


def _question(patient: Any, claim: DispenseClaim) -> None:
    """Ask administrators about the first act of that pharmacy that was not asked about already.
    Who has asked too much today has still ended it."""
    acts = AccessEvent.objects.visible_to(patient).filter(
        object_id=claim.pk, basis=AccessEvent.Basis.QR
    )
    asked = acts.filter(cases=None).order_by("seq").first()
    if asked is None:
        return
    with suppress(TooManyQuestions):
        question_access(
            actor=patient,
            event_id=asked.pk,
            question=gettext("I was in no pharmacy: somebody else used my prescription."),
        )


def _tell(prescription: Prescription, kind: Kind) -> None:
    notify(recipient=prescription.patient, kind=kind, url=f"/prescriptions/{prescription.pk}")


def _digest(secret: str) -> str:
    return crypto.blind_index(_typed(secret), purpose="prescriptions.claim.secret")


def _typed(text: str) -> str:
    """As it was made, however it was typed."""
    return text.upper().replace("-", "").replace(" ", "").translate(AMBIGUOUS)
