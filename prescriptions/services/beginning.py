"""What the form of a prescription begins with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404

from connections.models import Connection
from prescriptions.models import (
    Prescription,
    PrescriptionTemplate,
    RefillRequest,
    RefillRequestQuerySet,
)
from prescriptions.services.issuing import Item, Order
from prescriptions.services.reading import open_prescription
from prescriptions.services.refills import check_waits
from prescriptions.services.templates import order_of

COPIED = (
    "medicine", "strength", "route", "frequency", "frequency_unit", "as_needed",
    "duration_days", "quantity", "refills", "instructions",
)  # fmt: skip


def copy_of(prescription: Prescription) -> Order:
    """The same again: all of it but its last day."""
    ordered = prescription.items.values(*COPIED)
    items = [Item(**item) for item in ordered]
    return Order(items=items, diagnosis=prescription.diagnosis, notes=prescription.notes)


def begin_with_prescription(*, actor: Any, connection: Connection, prescription_id: UUID) -> Order:
    """An older one of the same patient that the actor may see; reading it is logged."""
    older = Prescription.objects.visible_to(actor).filter(patient_id=connection.patient_id)
    if not older.filter(pk=prescription_id).exists():
        raise Http404
    return copy_of(open_prescription(actor=actor, prescription_id=prescription_id))


def begin_with_request(
    *, actor: Any, connection: Connection, request_id: UUID
) -> tuple[RefillRequest, Order]:
    """What a patient asks for again. Raises `RequestAnswered` where it was answered already, and
    `NotActive` where it was stopped."""
    request = requests_on(connection, actor).with_people().filter(pk=request_id).first()
    if request is None:
        raise Http404
    check_waits(request)
    older = open_prescription(actor=actor, prescription_id=request.prescription_id)
    return request, copy_of(older)


def requests_on(connection: Connection, actor: Any) -> RefillRequestQuerySet:
    """Those of one connection that the actor sent or received."""
    return RefillRequest.objects.visible_to(actor).filter(prescription__connection=connection)


def begin_with_template(*, actor: Any, template_id: UUID) -> Order:
    mine = PrescriptionTemplate.objects.visible_to(actor)
    template = mine.filter(pk=template_id).first()
    if template is None:
        raise Http404
    return order_of(template)


def last_issued(connection: Connection) -> Prescription | None:
    """What the doctor prescribed to this patient last, unless it was a mistake."""
    issued = Prescription.objects.filter(connection=connection, doctor=connection.doctor)
    mistake = Prescription.Status.ENTERED_IN_ERROR
    return issued.current().exclude(status=mistake).order_by("-id").first()
