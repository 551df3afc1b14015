"""Pharmacies that administrators have approved for controlled medicines: the list, and what
only they may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession
from accounts.policies import check_may_administer
from accounts.services.texts import required_entry
from common import crypto
from common.errors import DomainError, InvalidInput, NotAllowed
from prescriptions.models import (
    ApprovedPharmacy,
    DispenseClaim,
    Prescription,
    PrescriptionItem,
)
from prescriptions.numbers import compact, new_short_secret


class OnlyApproved(NotAllowed):
    code = "only_approved_pharmacies"
    detail = _(
        "It holds a controlled medicine, which only approved pharmacies dispense. Enter your "
        "pharmacy's access code."
    )


class NoLongerApproved(NotAllowed):
    code = "pharmacy_no_longer_approved"
    detail = _(
        "Only approved pharmacies dispense controlled medicines, and yours is not on the list "
        "any more, or has another access code by now. Give the prescription back."
    )


class AccessCodeWrong(InvalidInput):
    code = "access_code_wrong"
    detail = _("This access code is not one of an approved pharmacy.")


class PharmacyApprovedAlready(DomainError):
    code = "pharmacy_approved_already"
    detail = _("A pharmacy with this licence number is on the list already.")


@dataclass(frozen=True, slots=True)
class CodedPharmacy:
    """A pharmacy together with its access code, which is known at this moment only."""

    pharmacy: ApprovedPharmacy
    access_code: str


@transaction.atomic
def approve_pharmacy(*, session: DeviceSession, name: str, licence_number: str) -> CodedPharmacy:
    """Put a pharmacy on the list. Its access code is told once; only its digest is kept."""
    check_may_administer(session)
    pharmacy = ApprovedPharmacy(
        name=required_entry(name, attr="name", length=160),
        licence_number=required_entry(licence_number, attr="licence_number", length=40),
    )
    return _with_new_code(pharmacy)


@transaction.atomic
def renew_access_code(*, session: DeviceSession, pharmacy_id: UUID) -> CodedPharmacy:
    """Another access code; by the one before nothing is claimed any more, and nothing reserved for
    the list handed out. A pharmacy that was taken off the list is on it again."""
    check_may_administer(session)
    pharmacy = _locked(pharmacy_id)
    pharmacy.is_active = True
    return _with_new_code(pharmacy)


@transaction.atomic
def deactivate_pharmacy(*, session: DeviceSession, pharmacy_id: UUID) -> ApprovedPharmacy:
    """Take it off the list. What it holds now it may still give back, and dispense of it what is
    not reserved for the list."""
    check_may_administer(session)
    pharmacy = _locked(pharmacy_id)
    pharmacy.is_active = False
    pharmacy.save(update_fields=["is_active"])
    return pharmacy


def pharmacy_of(access_code: str) -> ApprovedPharmacy:
    """The pharmacy on the list that has this access code."""
    digest = _digest(access_code)
    found = ApprovedPharmacy.objects.filter(access_code_digest=digest, is_active=True).first()
    if found is None:
        raise AccessCodeWrong(attr="access_code")
    return found


def check_may_claim(prescription: Prescription) -> None:
    """Whoever is not on the list may claim it."""
    if settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES and prescription.has_controlled_item:
        raise OnlyApproved


def check_may_hand_out(claim: DispenseClaim, items: Iterable[PrescriptionItem]) -> None:
    """Who holds it may still hand these out, and claimed it by the access code of now. Asked at
    each dispense, with the pharmacy's row held: of a dispense and a change of the list at once,
    one is first."""
    is_reserved = settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES
    if not is_reserved or not any(item.is_controlled for item in items):
        return
    listed = ApprovedPharmacy.objects.select_for_update(no_key=True).filter(
        is_active=True, coded_at__lte=claim.claimed_at
    )
    if listed.filter(pk=claim.approved_pharmacy_id).first() is None:
        raise NoLongerApproved


def _locked(pharmacy_id: UUID) -> ApprovedPharmacy:
    pharmacy = ApprovedPharmacy.objects.select_for_update(no_key=True).filter(pk=pharmacy_id)
    found = pharmacy.first()
    if found is None:
        raise Http404
    return found


def _with_new_code(pharmacy: ApprovedPharmacy) -> CodedPharmacy:
    access_code = new_short_secret()
    pharmacy.access_code_digest = _digest(access_code)
    pharmacy.coded_at = timezone.now()
    try:
        with transaction.atomic():
            pharmacy.save()
    except IntegrityError as error:
        raise PharmacyApprovedAlready(attr="licence_number") from error
    return CodedPharmacy(pharmacy, access_code)


def _digest(access_code: str) -> str:
    return crypto.blind_index(compact(access_code), purpose="prescriptions.pharmacy.access_code")
