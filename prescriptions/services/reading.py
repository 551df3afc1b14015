"""Reading prescriptions, on the record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http import Http404

from accounts.models import PatientProfile
from audit.models import AccessEvent
from audit.services import record_access
from common.clock import clinic_date
from connections.models import AccessGrant, Connection, DataCategory, readable
from connections.services.grants import use_grant, use_grant_if_any
from prescriptions import safety
from prescriptions.models import GOES_ON, Prescription, PrescriptionQuerySet
from prescriptions.pdf import (
    DocumentItem,
    Ending,
    PrescriptionDocument,
    SafetyNote,
    render_prescription_pdf,
)


def list_of_connection(*, actor: Any, connection_id: UUID) -> PrescriptionQuerySet:
    """The last versions of those of one connection, to be read in the caller's transaction.
    That a doctor looked through them is logged."""
    connection = Connection.objects.visible_to(actor).filter(pk=connection_id).first()
    if connection is None:
        raise Http404
    _log_listing(actor, connection)
    return _listed(actor).current().filter(connection=connection)


def list_of_patient(*, actor: Any, patient_id: UUID) -> PrescriptionQuerySet:
    """The last versions of those of one patient that the actor may see, to be read in the
    caller's transaction: a doctor their own, and those by others that the patient lets them see.
    That a doctor looked through them is logged."""
    connection = Connection.objects.visible_to(actor).filter(patient_id=patient_id).first()
    if connection is None:
        raise Http404
    grant = use_grant_if_any(
        doctor=actor, patient_id=patient_id, category=DataCategory.PRESCRIPTIONS
    )
    _log_listing(actor, connection, grant)
    found = _listed(actor).current().filter(patient_id=patient_id)
    # Without a grant that is held, none that is made meanwhile opens anything.
    return found if grant or actor.pk == patient_id else found.issued_by(actor)


def open_prescription(*, actor: Any, prescription_id: UUID) -> Prescription:
    """One prescription, for someone who may see it; that they did is logged."""
    return _open(actor, prescription_id, AccessEvent.Action.READ)


@transaction.atomic
def open_versions(*, actor: Any, prescription_id: UUID) -> PrescriptionQuerySet:
    """All versions of one prescription, for its patient and its prescriber, the newest first, to
    be read in the caller's transaction. That they looked is logged once. Who reads a prescription
    by the patient's grant reads the order alone."""
    opened = _open(actor, prescription_id, AccessEvent.Action.READ)
    if opened.is_shared_with(actor):
        raise Http404
    return _listed(actor).versions_of(opened.number)


def download_prescription(
    *,
    actor: Any,
    prescription_id: UUID,
    paper: Literal["A4", "A5"],
    language: Literal["en", "ar"],
) -> tuple[Prescription, bytes]:
    """Its PDF, for someone who may see it; that they took it is logged, and so are the facts
    printed with it. Who reads it by a grant gets a copy, which proves nothing at a pharmacy; nor
    does the sheet of one that has ended for good, nor that of a prescriber who has parted."""
    with transaction.atomic():
        prescription = _open(actor, prescription_id, AccessEvent.Action.DOWNLOADED)
        profile = _take_facts(actor, prescription.patient_id, AccessEvent.Action.DOWNLOADED)
    is_copy = prescription.is_shared_with(actor)
    has_code = prescription.gives_code_to(actor)
    document = printable(prescription, profile, is_copy=is_copy, has_code=has_code)
    return prescription, render_prescription_pdf(document, paper=paper, language=language)


def facts_for(reader: Any, patient_ids: Iterable[UUID]) -> dict[UUID, PatientProfile]:
    """The profiles, by patient, whose birth date and sex this reader may see."""
    profiles = readable(
        PatientProfile.objects.filter(user__in=patient_ids),
        user=reader,
        category=DataCategory.FACTS,
        patient="user_id",
    )
    return {profile.user_id: profile for profile in profiles}


@transaction.atomic
def see_facts(*, doctor: Any, patient_id: UUID) -> PatientProfile | None:
    """Birth date and sex of the patient that a doctor writes a prescription for, where they are
    shared; that they were seen is logged."""
    return _take_facts(doctor, patient_id, AccessEvent.Action.READ)


def _take_facts(actor: Any, patient_id: UUID, action: AccessEvent.Action) -> PatientProfile | None:
    """Birth date and sex, where the actor may see them; that a doctor sees them or takes them
    along is logged."""
    if actor.pk != patient_id:
        grant = use_grant_if_any(doctor=actor, patient_id=patient_id, category=DataCategory.FACTS)
        if grant is None:
            return None
        record_access(
            actor_id=actor.pk,
            patient_id=patient_id,
            action=action,
            target=grant,
            basis=AccessEvent.Basis.GRANT,
            category=DataCategory.FACTS,
        )
    return facts_for(actor, [patient_id]).get(patient_id)


def printable(
    prescription: Prescription,
    profile: PatientProfile | None,
    *,
    is_copy: bool = False,
    has_code: bool = True,
) -> PrescriptionDocument:
    """What is printed of a prescription, with birth date and sex where the reader may see them,
    and its code where it is theirs. A copy for reading carries no code that verifies it, and not
    what the safety check found: that names allergies, which are shared by another grant."""
    patient = prescription.patient
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
                is_controlled=item.is_controlled,
            )
            for item in prescription.items.all()
        ),
        verification_url="" if is_copy or not has_code else prescription.verification_url,
        content_hash=prescription.content_hash,
        safety=() if is_copy else tuple(_safety_notes(prescription)),
        ending=_ending(prescription),
    )


def _ending(prescription: Prescription) -> Ending | None:
    """That it was stopped, replaced or a mistake: no way leads back from these."""
    if prescription.status in GOES_ON:
        return None
    return Ending(how=prescription.status, on=clinic_date(prescription.status_at))


def _safety_notes(prescription: Prescription) -> Iterator[SafetyNote]:
    """What the safety check of the order found, worded for paper, which asks no questions."""
    report = safety.from_json(prescription.safety)
    for warning in report.warnings:
        yield replace(
            _safety_note(warning),
            reason_en=safety.reason_sentence(warning, "en"),
            reason_ar=safety.reason_sentence(warning, "ar"),
        )
    for unchecked in report.unchecked:
        yield _safety_note(replace(unchecked, suggestion=""))


def _safety_note(finding: safety.SafetyWarning | safety.Unchecked) -> SafetyNote:
    reader = safety.Reader.PHARMACY
    return SafetyNote(
        safety.sentence(finding, "en", reader), safety.sentence(finding, "ar", reader)
    )


@transaction.atomic
def _open(actor: Any, prescription_id: UUID, action: AccessEvent.Action) -> Prescription:
    prescription = _find(actor, prescription_id)
    by_grant = prescription.is_shared_with(actor)
    if by_grant:
        use_grant(
            doctor=actor, patient_id=prescription.patient_id, category=DataCategory.PRESCRIPTIONS
        )
        # The grant by which it was found may be another than the one that is held now.
        prescription = _find(actor, prescription_id)
    record_access(
        actor_id=actor.pk,
        patient_id=prescription.patient_id,
        action=action,
        target=prescription,
        basis=_basis(actor, prescription),
        category=DataCategory.PRESCRIPTIONS if by_grant else "",
    )
    return prescription


def _find(actor: Any, prescription_id: UUID) -> Prescription:
    found = Prescription.objects.visible_to(actor).with_items().filter(pk=prescription_id).first()
    if found is None:
        raise Http404
    return found


def _basis(actor: Any, prescription: Prescription) -> AccessEvent.Basis:
    """Why this person, to whom it is visible, may read it."""
    reasons = {
        prescription.patient_id: AccessEvent.Basis.SELF,
        prescription.doctor_id: AccessEvent.Basis.AUTHOR,
    }
    return reasons.get(actor.pk, AccessEvent.Basis.GRANT)


def _listed(actor: Any) -> PrescriptionQuerySet:
    return Prescription.objects.visible_to(actor).with_items()


def _log_listing(actor: Any, connection: Connection, grant: AccessGrant | None = None) -> None:
    # Where the two never were connected, nothing can have been prescribed, and the patient does
    # not learn that the doctor blocked them.
    if actor.pk == connection.patient_id or not connection.was_made:
        return
    record_access(
        actor_id=actor.pk,
        patient_id=connection.patient_id,
        action=AccessEvent.Action.LISTED,
        target=grant or connection,
        basis=AccessEvent.Basis.GRANT if grant else AccessEvent.Basis.AUTHOR,
        category=DataCategory.PRESCRIPTIONS,
    )
