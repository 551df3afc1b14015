"""Claiming a prescription by a pharmacist, who needs no account, and giving it back.

What is handed out meanwhile is `dispensing`; how a hold ends, whoever ends it, `claims`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.services.texts import required_entry
from audit.models import AccessEvent
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError
from notifications.wording import Kind
from prescriptions.models import ApprovedPharmacy, DispenseClaim, Prescription
from prescriptions.numbers import short_secret
from prescriptions.services.claims import (
    EndReason,
    end_claim,
    end_overdue_claim,
    lock_held,
    log_claim,
    secret_digest,
    standing_claim,
    tell_patient,
)
from prescriptions.services.dispensing import fills
from prescriptions.services.pharmacies import check_may_claim, pharmacy_of
from prescriptions.services.pins import check_can_open, lock_passed

SAID_LENGTHS = {"pharmacy_name": 160, "pharmacist_name": 160, "licence_number": 40}


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


@dataclass(frozen=True, slots=True)
class Pharmacy:
    """Who says that they dispense. With an access code, an approved pharmacy's own name and
    licence count instead."""

    pharmacy_name: str
    pharmacist_name: str
    licence_number: str
    access_code: str = ""


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
    made = prescription.claims.filter(secret_digest=secret_digest(secret)).first()
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
    log_claim(prescription, claim, AccessEvent.Action.CLAIMED)
    tell_patient(prescription, Kind.PRESCRIPTION_CLAIMED)
    return HeldClaim(claim, secret)


@transaction.atomic
def return_prescription(*, secret: str) -> DispenseClaim:
    """Give it back, so that another pharmacy can claim it. Twice does it once."""
    claim, prescription = lock_held(secret)
    if claim.ended_at is None:
        end_claim(prescription, claim, EndReason.RETURNED, at=timezone.now())
    return claim


def _check_is_named(pharmacy: Pharmacy) -> None:
    """Each of the three is one plain line: the patient and other pharmacies read it."""
    for name, length in SAID_LENGTHS.items():
        required_entry(getattr(pharmacy, name), attr=name, length=length)


def _approved(pharmacy: Pharmacy, prescription: Prescription) -> ApprovedPharmacy | None:
    """The pharmacy of the access code; none is needed unless only approved ones may."""
    if pharmacy.access_code:
        return pharmacy_of(pharmacy.access_code)
    check_may_claim(prescription)
    return None


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
        secret_digest=secret_digest(secret),
        claimed_at=at,
        expires_at=at + DispenseClaim.LASTS,
    )


def _secret_of(passed: str, client_id: UUID) -> str:
    """The secret of the claim that this form makes with this pass: 50 bits that nobody works
    out without the server's key, and the same whenever the form is sent."""
    drawn = crypto.blind_index(f"{passed} {client_id}", purpose="prescriptions.claim.drawn")
    return short_secret(int(drawn, 16))
