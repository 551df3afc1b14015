"""Pharmacies that administrators have approved for controlled medicines."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import DeviceSession
from accounts.policies import check_may_administer
from accounts.services.texts import required_entry
from common.errors import DomainError
from prescriptions.models import ApprovedPharmacy
from prescriptions.services.dispensing import access_code_digest, as_read_out, new_short_secret


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
    """Another access code; the one before opens nothing any more. A pharmacy that was taken
    off the list is on it again."""
    check_may_administer(session)
    pharmacy = _locked(pharmacy_id)
    pharmacy.is_active = True
    return _with_new_code(pharmacy)


@transaction.atomic
def deactivate_pharmacy(*, session: DeviceSession, pharmacy_id: UUID) -> ApprovedPharmacy:
    """Take it off the list. What it holds now it may still dispense and give back."""
    check_may_administer(session)
    pharmacy = _locked(pharmacy_id)
    pharmacy.is_active = False
    pharmacy.save(update_fields=["is_active"])
    return pharmacy


def _locked(pharmacy_id: UUID) -> ApprovedPharmacy:
    pharmacy = ApprovedPharmacy.objects.select_for_update(no_key=True).filter(pk=pharmacy_id)
    found = pharmacy.first()
    if found is None:
        raise Http404
    return found


def _with_new_code(pharmacy: ApprovedPharmacy) -> CodedPharmacy:
    access_code = new_short_secret()
    pharmacy.access_code_digest = access_code_digest(access_code)
    try:
        with transaction.atomic():
            pharmacy.save()
    except IntegrityError as error:
        raise PharmacyApprovedAlready(attr="licence_number") from error
    return CodedPharmacy(pharmacy, as_read_out(access_code))
