"""A patient asks for the same again; the prescriber prescribes it, or declines."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common.errors import DomainError
from connections.models import Connection
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.models import Prescription, PrescriptionTemplate, RefillRequest
from prescriptions.policies import (
    NotActive,
    check_can_decline_refill,
    check_can_request_refill,
)
from prescriptions.services.holding import lock_own, lock_prescription
from prescriptions.services.texts import check_text

Status = RefillRequest.Status


class RequestAnswered(DomainError):
    code = "request_closed"
    detail = _("This request has been answered already.")


@transaction.atomic
def request_refill(*, actor: Any, prescription_id: UUID, note: str = "") -> RefillRequest:
    """Ask the prescriber, who must still be connected, to prescribe the same again."""
    prescription = lock_own(actor=actor, prescription_id=prescription_id)
    check_can_request_refill(actor, prescription)
    check_text(note, attr="note")
    request = RefillRequest.objects.create(
        prescription=prescription,
        patient=prescription.patient,
        doctor=prescription.doctor,
        note=note,
    )
    _log(request, AccessEvent.Action.REFILL_REQUESTED, by=actor)
    _tell(request, prescription.doctor, Kind.REFILL_REQUESTED)
    return request


@transaction.atomic
def decline_refill(*, actor: Any, request_id: UUID, reason: str) -> RefillRequest:
    """The prescriber says no, and why."""
    request = _lock(actor, request_id)
    check_can_decline_refill(actor, request)
    check_text(reason, attr="reason")
    _decide(request, Status.DECLINED, by=actor, at=timezone.now(), reason=reason)
    _log(request, AccessEvent.Action.REFILL_DECLINED, by=actor)
    _tell(request, request.prescription.patient, Kind.REFILL_DECLINED)
    return request


@transaction.atomic
def cancel_refill(*, actor: Any, request_id: UUID) -> RefillRequest:
    """The patient no longer asks."""
    request = _lock(actor, request_id)
    if actor.pk != request.prescription.patient_id:
        raise Http404
    _decide(request, Status.CANCELLED, by=actor, at=timezone.now())
    return request


def lock_request(connection: Connection, request_id: UUID) -> RefillRequest:
    """A request that a prescription on this connection is to answer; the pair is held."""
    asked = RefillRequest.objects.with_people().filter(prescription__connection=connection)
    request = asked.filter(pk=request_id).first()
    if request is None:
        raise Http404
    check_waits(request)
    return request


def check_waits(request: RefillRequest) -> None:
    """It can be answered by a prescription: nobody has answered it, and nobody has stopped what
    it asks for."""
    if not request.is_pending:
        raise RequestAnswered
    if not request.prescription.goes_on:
        raise NotActive


def move_requests(old: Prescription, new: Prescription) -> None:
    """What is asked for again is what the new version says; both are held."""
    old.refill_requests.pending().update(prescription=new)


def decline_stopped(prescription: Prescription, *, at: dt.datetime) -> None:
    """Of what was stopped nothing more is given; it is held. The patient is told."""
    request = prescription.refill_requests.with_people().pending().first()
    if request is not None:
        _decide(request, Status.DECLINED, by=prescription.status_by, at=at)
        _tell(request, prescription.patient, Kind.REFILL_DECLINED)


def answer_with(request: RefillRequest, issued: Prescription) -> None:
    """It is answered by that prescription."""
    request.answered_with = issued
    _decide(request, Status.ISSUED, by=issued.doctor, at=issued.issued_at)


@transaction.atomic
def forget_requests(*, user: Any, by: Any) -> None:
    """Of a person who is anonymised: a patient no longer asks, and what was written on either
    side is erased; it may name somebody. That they asked, and what came of it, stays. Part of the
    transaction that holds them; a doctor's patients `close_requests` sees to after it."""
    asked = RefillRequest.objects.filter(patient=user)
    asked.pending().update(status=Status.CANCELLED, decided_by=by, decided_at=timezone.now())
    asked.update(note="", reason="")
    PrescriptionTemplate.objects.filter(doctor=user).delete()


def close_requests(*, user: Any, by: Any) -> None:
    """Decline, without a word, what patients still ask of a doctor who is anonymised, and erase
    the doctor's words to those who asked, one by one: whoever asks from then on is refused."""
    asked = RefillRequest.objects.filter(doctor=user)
    concerned = asked.filter(Q(status=Status.PENDING) | ~Q(reason=""))
    for request in concerned.order_by("patient_id"):
        _close(request.pk, request.prescription_id, by=by)


@transaction.atomic
def _close(request_id: UUID, prescription_id: UUID, *, by: Any) -> None:
    lock_prescription(prescription_id)
    request = RefillRequest.objects.with_people().get(pk=request_id)
    if request.is_pending:
        _decide(request, Status.DECLINED, by=by, at=timezone.now())
        _tell(request, request.prescription.patient, Kind.REFILL_DECLINED)
    elif request.reason:
        request.reason = ""
        request.save(update_fields=["reason"])


def _lock(actor: Any, request_id: UUID) -> RefillRequest:
    seen = RefillRequest.objects.visible_to(actor).filter(pk=request_id).first()
    if seen is None:
        raise Http404
    lock_prescription(seen.prescription_id)
    return RefillRequest.objects.with_people().get(pk=request_id)


def _decide(
    request: RefillRequest, status: Status, *, by: Any, at: dt.datetime, reason: str = ""
) -> None:
    if not request.is_pending:
        raise RequestAnswered
    request.status, request.reason, request.decided_by, request.decided_at = status, reason, by, at
    request.save(update_fields=["status", "reason", "decided_by", "decided_at", "answered_with"])


def _log(request: RefillRequest, action: AccessEvent.Action, *, by: Any) -> None:
    prescription = request.prescription
    is_patient = by.pk == prescription.patient_id
    record_access(
        actor_id=by.pk,
        patient_id=prescription.patient_id,
        action=action,
        target=prescription,
        basis=AccessEvent.Basis.SELF if is_patient else AccessEvent.Basis.AUTHOR,
    )


def _tell(request: RefillRequest, recipient: Any, kind: Kind) -> None:
    prescription = request.prescription
    is_doctor = recipient.pk == prescription.doctor_id
    notify(
        recipient=recipient,
        kind=kind,
        about=prescription.patient if is_doctor else prescription.doctor,
        url="/refills" if is_doctor else f"/prescriptions/{prescription.pk}",
    )
