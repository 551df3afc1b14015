"""Issuing prescriptions, and reading them on the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEvent
from audit.services import record_access
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from connections.models import Connection
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.models import FrequencyUnit, Prescription, PrescriptionItem, Route
from prescriptions.numbers import new_number
from prescriptions.pdf import DocumentItem, PrescriptionDocument, render_prescription_pdf
from prescriptions.policies import check_can_issue

LONGEST_VALIDITY = dt.timedelta(days=365)
NUMBER_ATTEMPTS = 5


class HowOftenMissing(InvalidInput):
    detail = _("Say how often it is taken, or that it is taken as needed.")


class AlreadyIssued(DomainError):
    code = "already_issued"
    detail = _(
        "This form has issued a prescription already, and that one cannot be changed. "
        "To issue another, start from a new form."
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One medicine to prescribe. `frequency` counts doses per `frequency_unit` and may be
    absent only for what is taken as needed; `quantity` counts packs or units to hand out."""

    medicine: str
    quantity: int
    strength: str = ""
    route: str = Route.ORAL
    frequency: int | None = None
    frequency_unit: str = FrequencyUnit.DAY
    as_needed: bool = False
    duration_days: int | None = None
    refills: int = 0
    instructions: str = ""


@transaction.atomic
def issue_prescription(
    *,
    actor: Any,
    connection_id: UUID,
    items: Sequence[Item],
    diagnosis: str = "",
    notes: str = "",
    valid_until: dt.date | None = None,
    client_id: UUID | None = None,
) -> Prescription:
    """Issue a prescription to the connected patient; it can never be changed afterwards.

    The connection is locked, so it cannot end between the check and the issue. Sent again
    with the same `client_id`, the same content returns the first prescription, and another
    content raises `AlreadyIssued`.
    """
    connection = (
        Connection.objects.visible_to(actor)
        .select_for_update(of=("self",), no_key=True)
        .with_people()
        .filter(pk=connection_id)
        .first()
    )
    if connection is None:
        raise Http404
    check_can_issue(actor, connection)
    _check_items(items)
    draft = _draft(
        connection,
        diagnosis=diagnosis,
        notes=notes,
        valid_until=valid_until,
        client_id=client_id,
        now=timezone.now(),
    )
    first = _issued_before(draft, items)
    return first or _issue(draft, items)


def open_prescription(*, actor: Any, prescription_id: UUID) -> Prescription:
    """One prescription, for someone who may see it; that they did is logged."""
    return _open(actor, prescription_id, AccessEvent.Action.READ)


def download_prescription(
    *,
    actor: Any,
    prescription_id: UUID,
    paper: Literal["A4", "A5"],
    language: Literal["en", "ar"],
) -> tuple[Prescription, bytes]:
    """Its PDF, for someone who may see it; that they took it is logged."""
    prescription = _open(actor, prescription_id, AccessEvent.Action.DOWNLOADED)
    document = printable(prescription)
    return prescription, render_prescription_pdf(document, paper=paper, language=language)


def printable(prescription: Prescription) -> PrescriptionDocument:
    """What is printed of a prescription."""
    patient = prescription.patient
    profile = getattr(patient, "patient_profile", None)
    return PrescriptionDocument(
        number=prescription.number,
        version=prescription.version,
        issued_on=prescription.issued_on,
        valid_until=prescription.valid_until,
        patient_name=patient.full_name,
        patient_birth_date=profile.birth_date if profile else None,
        patient_sex=profile.sex if profile else "",
        prescriber_name=prescription.prescriber_name,
        prescriber_specialization_en=prescription.prescriber_specialization_en,
        prescriber_specialization_ar=prescription.prescriber_specialization_ar,
        prescriber_licence_number=prescription.prescriber_licence_number,
        diagnosis=prescription.diagnosis,
        notes=prescription.notes,
        items=tuple(
            DocumentItem(
                medicine=item.medicine,
                strength=item.strength,
                route=item.route,
                frequency=item.frequency,
                frequency_unit=item.frequency_unit,
                as_needed=item.as_needed,
                duration_days=item.duration_days,
                quantity=item.quantity,
                refills=item.refills,
                instructions=item.instructions,
            )
            for item in prescription.items.all()
        ),
        verification_url=prescription.verification_url,
        content_hash=prescription.content_hash,
    )


@transaction.atomic
def _open(actor: Any, prescription_id: UUID, action: AccessEvent.Action) -> Prescription:
    prescription = (
        Prescription.objects.visible_to(actor).with_items().filter(pk=prescription_id).first()
    )
    if prescription is None:
        raise Http404
    record_access(
        actor_id=actor.pk,
        patient_id=prescription.patient_id,
        action=action,
        target=prescription,
    )
    return prescription


def _check_items(items: Sequence[Item]) -> None:
    if not 1 <= len(items) <= Prescription.MAX_ITEMS:
        raise InvalidInput(
            _("A prescription has between 1 and %(n)s items.") % {"n": Prescription.MAX_ITEMS},
            attr="items",
        )
    for position, item in enumerate(items):
        if item.frequency is None and not item.as_needed:
            raise HowOftenMissing(attr=f"items.{position}.frequency")


def _draft(
    connection: Connection,
    *,
    diagnosis: str,
    notes: str,
    valid_until: dt.date | None,
    client_id: UUID | None,
    now: dt.datetime,
) -> Prescription:
    today = clinic_date(now)
    last_day = valid_until or today + dt.timedelta(days=Prescription.VALID_DAYS)
    if not today <= last_day <= today + LONGEST_VALIDITY:
        raise InvalidInput(
            _("The last day must lie between today and a year from now."), attr="valid_until"
        )
    doctor, profile = connection.doctor, connection.doctor.doctor_profile
    code = crypto.new_secret()
    return Prescription(
        connection=connection,
        patient=connection.patient,
        doctor=doctor,
        diagnosis=diagnosis,
        notes=notes,
        issued_at=now,
        valid_until=last_day,
        prescriber_name=doctor.full_name,
        prescriber_specialization_en=profile.specialization.name_en,
        prescriber_specialization_ar=profile.specialization.name_ar,
        prescriber_licence_number=profile.licence_number,
        verification_code=code,
        verification_digest=crypto.digest(code),
        client_id=client_id,
    )


def _issued_before(draft: Prescription, items: Sequence[Item]) -> Prescription | None:
    """The prescription that the same form issued a moment ago, if it did."""
    if draft.client_id is None:
        return None
    first = (
        Prescription.objects.with_items()
        .filter(connection=draft.connection, client_id=draft.client_id)
        .first()
    )
    if first is None:
        return None
    ordered = [item.content() for item in _rows(draft, items)]
    is_same = ordered == [item.content() for item in first.items.all()] and all(
        getattr(draft, name) == getattr(first, name)
        for name in ("diagnosis", "notes", "valid_until")
    )
    if not is_same:
        raise AlreadyIssued
    return first


def _rows(prescription: Prescription, items: Sequence[Item]) -> list[PrescriptionItem]:
    return [
        PrescriptionItem(prescription=prescription, position=position, **asdict(item))
        for position, item in enumerate(items, start=1)
    ]


def _issue(draft: Prescription, items: Sequence[Item]) -> Prescription:
    prescription = _write(draft, _rows(draft, items))
    record_access(
        actor_id=prescription.doctor_id,
        patient_id=prescription.patient_id,
        action=AccessEvent.Action.ISSUED,
        target=prescription,
    )
    notify(
        recipient=prescription.patient,
        kind=Kind.PRESCRIPTION_ISSUED,
        context={"name": prescription.doctor.display_name_for(prescription.patient)},
        url=f"/prescriptions/{prescription.pk}",
    )
    return prescription


def _write(prescription: Prescription, rows: list[PrescriptionItem]) -> Prescription:
    """Insert it with its items; a number already given out is drawn again."""
    prescription.item_count = len(rows)
    for attempt in range(1, NUMBER_ATTEMPTS + 1):
        prescription.content_hash = prescription.computed_content_hash(rows)
        try:
            with transaction.atomic():
                prescription.save(force_insert=True)
            break
        except IntegrityError:
            if attempt == NUMBER_ATTEMPTS:
                raise
            prescription.number = new_number()
    PrescriptionItem.objects.bulk_create(rows)
    return prescription
