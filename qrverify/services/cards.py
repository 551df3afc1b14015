"""Prescriptions as SMART Health Cards: issued by their patients, and revoked by what becomes of
the prescription."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import PatientProfile, Role
from accounts.policies import check_is_active
from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from common.languages import spoken
from prescriptions.models import Prescription
from prescriptions.policies import NotActive
from prescriptions.services.holding import lock_own
from qrverify.models import HealthCard
from qrverify.smart.cards import sign_card
from qrverify.smart.chunks import chunks_of
from qrverify.smart.fhir import prescription_bundle
from qrverify.smart.keys import card_keys, published_key, signing_key


@dataclass(frozen=True, slots=True)
class SignedCard:
    """A card as its patient carries it: the signed text, and what its QR codes hold."""

    card: HealthCard
    jws: str

    @property
    def chunks(self) -> Sequence[str]:
        return chunks_of(self.jws)


@transaction.atomic
def issue_card(*, actor: Any, prescription_id: UUID) -> tuple[SignedCard, bool]:
    """The card of the actor's own active prescription, and whether it was made just now: there
    is one for each key. Raises `NotActive`."""
    check_is_active(actor, role=Role.PATIENT)
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    if not prescription.is_dispensable(clinic_date()):
        raise NotActive
    kid, _key = signing_key()
    card, is_new = HealthCard.objects.get_or_create(
        prescription=prescription, kid=kid, defaults={"issued_at": timezone.now()}
    )
    if is_new:
        _log(card, AccessEvent.Action.CARD_ISSUED)
    return _signed(card, prescription), is_new


def shown_card(*, actor: Any, prescription_id: UUID) -> tuple[Prescription, SignedCard | None]:
    """The actor's prescription, with its card where there is one that is good for anything."""
    prescription = _own(actor, prescription_id)
    return prescription, _card_of(prescription)


@transaction.atomic
def download_card(*, actor: Any, prescription_id: UUID) -> SignedCard:
    """The card, to be saved as a file; that it was taken is logged."""
    signed = _card_of(_own(actor, prescription_id))
    if signed is None:
        raise Http404
    _log(signed.card, AccessEvent.Action.DOWNLOADED)
    return signed


def published_keys() -> list[dict[str, Any]]:
    """The public keys, each with how often its revocation list has grown."""
    return [published_key(kid, crl_version=_version(kid)) for kid in card_keys()]


def revocation_list(kid: str) -> dict[str, Any]:
    """The cards of a key whose prescription was stopped or is being stopped, replaced or written
    by mistake; those that are out of date besides need no mention."""
    if kid not in card_keys():
        raise Http404
    rids = HealthCard.objects.revoked().in_date(clinic_date()).filter(kid=kid).order_by("rid")
    return {
        "kid": kid,
        "method": "rid",
        "ctr": _version(kid),
        "rids": list(rids.values_list("rid", flat=True)),
    }


def _version(kid: str) -> int:
    """It starts at 1 and grows with each card that is revoked; none comes back."""
    return 1 + HealthCard.objects.revoked().filter(kid=kid).count()


def _own(actor: Any, prescription_id: UUID) -> Prescription:
    check_is_active(actor, role=Role.PATIENT)
    mine = Prescription.objects.of(actor).with_items()
    found = mine.filter(pk=prescription_id).first()
    if found is None:
        raise Http404
    return found


def _card_of(prescription: Prescription) -> SignedCard | None:
    kid, _key = signing_key()
    card = HealthCard.objects.filter(prescription=prescription, kid=kid).first()
    if card is None or not prescription.is_dispensable(clinic_date()):
        return None
    return _signed(card, prescription)


def _signed(card: HealthCard, prescription: Prescription) -> SignedCard:
    profile = PatientProfile.objects.select_related("user").get(user=prescription.patient_id)
    bundle = prescription_bundle(prescription, profile, language=spoken(), on=clinic_date())
    signed = sign_card(bundle, rid=card.rid, issued_at=card.issued_at, expires_at=card.expires_at)
    return SignedCard(card, signed)


def _log(card: HealthCard, action: AccessEvent.Action) -> None:
    record_access(
        actor_id=card.prescription.patient_id,
        patient_id=card.prescription.patient_id,
        action=action,
        target=card.prescription,
        basis=AccessEvent.Basis.SELF,
    )
