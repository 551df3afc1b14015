"""Who may prescribe, change what was prescribed, dispense it and ask for it again."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.policies import check_is_active
from common.clock import clinic_date
from common.errors import DomainError, NotAllowed
from connections.models import Connection
from connections.policies import ConnectionEnded
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    RefillRequest,
    StopReason,
)

Status = Prescription.Status


class NotActive(DomainError):
    code = "prescription_not_active"
    detail = _("This prescription is no longer active.")


class StopRequested(DomainError):
    code = "stop_requested"
    detail = _("The prescriber has asked to stop this prescription. Give it back.")


class HeldByPharmacy(DomainError):
    code = "held_by_pharmacy"
    detail = _("A pharmacy is dispensing this prescription just now. Try again in a while.")


class PartlyDispensed(DomainError):
    code = "partly_dispensed"
    detail = _(
        "Some of it was dispensed already, so it cannot be changed any more. Stop it and issue "
        "another."
    )


class AlreadyAsked(DomainError):
    code = "already_requested"
    detail = _("You have asked for this already, and the doctor has not answered yet.")


def check_can_issue(actor: Any, connection: Connection) -> None:
    """The connection's own doctor, in good standing, while it stands and the patient's
    account does too."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != connection.doctor_id:
        raise NotAllowed
    if not (connection.is_active and connection.patient.is_in_good_standing):
        raise ConnectionEnded


def can_issue(actor: Any, connection: Connection) -> bool:
    return _may(check_can_issue, actor, connection)


def check_can_amend(
    actor: Any, connection: Connection, prescription: Prescription, at: dt.datetime
) -> None:
    """Who may issue to the patient, of what they issued and nobody has dispensed from, while
    it is active and no pharmacy holds it."""
    check_can_issue(actor, connection)
    if actor.pk != prescription.doctor_id:
        raise NotAllowed
    if not prescription.is_dispensable(clinic_date(at)):
        raise NotActive
    if _is_claimed(prescription, at):
        raise HeldByPharmacy
    if _is_dispensed_from(prescription):
        raise PartlyDispensed


def can_amend(
    actor: Any, connection: Connection, prescription: Prescription, at: dt.datetime
) -> bool:
    return _may(check_can_amend, actor, connection, prescription, at)


def check_can_stop(actor: Any, prescription: Prescription, reason: StopReason | str) -> None:
    """Who issued it, in good standing, also when all of it was handed out or its last day has
    passed: it may be taken still. Of what was stopped already it can be said that it was written
    by mistake; of what another version replaced, nothing."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != prescription.doctor_id:
        raise NotAllowed
    if prescription.is_stop_requested:
        raise NotActive(_("Stopping it has been asked for already."))
    is_mistake = reason == StopReason.ENTERED_IN_ERROR
    if not (prescription.goes_on or (prescription.status == Status.STOPPED and is_mistake)):
        raise NotActive


def can_stop(actor: Any, prescription: Prescription, reason: StopReason | str) -> bool:
    return _may(check_can_stop, actor, prescription, reason)


def check_can_dispense(prescription: Prescription, on: dt.date) -> None:
    """Anyone who holds the paper and knows the PIN, while it is active and nobody has asked to
    stop it."""
    if prescription.is_stop_requested:
        raise StopRequested
    if not prescription.is_active(on):
        raise NotActive


def can_dispense(prescription: Prescription, on: dt.date) -> bool:
    return _may(check_can_dispense, prescription, on)


def check_can_request_refill(actor: Any, prescription: Prescription) -> None:
    """The patient, of a doctor who may still prescribe to them, and of what is neither stopped,
    nor being stopped, nor replaced; once, until it is answered."""
    check_is_active(actor, role=Role.PATIENT)
    if actor.pk != prescription.patient_id:
        raise Http404
    connection = prescription.connection
    if not (connection.is_active and connection.doctor.is_in_good_standing):
        raise ConnectionEnded
    if not prescription.goes_on:
        raise NotActive
    if any(request.is_pending for request in prescription.refill_requests.all()):
        raise AlreadyAsked


def can_request_refill(actor: Any, prescription: Prescription) -> bool:
    return _may(check_can_request_refill, actor, prescription)


def check_can_decline_refill(actor: Any, request: RefillRequest) -> None:
    """Who was asked, in good standing."""
    check_is_active(actor, role=Role.DOCTOR)
    if actor.pk != request.prescription.doctor_id:
        raise NotAllowed


def _may(check: Any, *about: Any) -> bool:
    try:
        check(*about)
    except (DomainError, Http404):
        return False
    return True


def _is_claimed(prescription: Prescription, at: dt.datetime) -> bool:
    standing = DispenseClaim.objects.standing().filter(prescription=prescription)
    return standing.filter(expires_at__gt=at).exists()


def _is_dispensed_from(prescription: Prescription) -> bool:
    counted = MedicationDispense.objects.counted()
    return counted.filter(item__prescription=prescription).exists()
