"""A clinic's year: who connected, what was prescribed, who was told, and who looked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from django.utils import translation

from accounts.models import User
from audit.models import AccessEvent
from common import crypto
from common.clock import clinic_date
from connections.models import Connection
from medisync.demo import ARABIC_PATIENT_EMAIL, PATIENT_EMAIL
from medisync.demo.bulk import Rows
from medisync.demo.chance import (
    dice,
    prescription_number,
    secret,
    shortly_after,
    uuid7_at,
    working_instant,
)
from medisync.demo.names import CONDITIONS, REMARKS, Condition, Medicine
from medisync.demo.people import (
    Clinic,
    World,
    age_on,
    make_applicant,
    make_doctors,
    make_patients,
)
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import Prescription, PrescriptionItem

PRESCRIPTIONS = 250
DOCTORS_SEEN = (1, 1, 2, 2, 3)
LIKELY_ENDED = 0.15
LIKELY_USUAL = 0.75
LIKELY_REMARK = 0.3
LIKELY_READ = 0.9
LIKELY_PRINTED = 0.6
LIKELY_VERIFIED = 0.7
FORTNIGHT = dt.timedelta(days=14)
Action = AccessEvent.Action


@dataclass(frozen=True)
class Care:
    """What one doctor treats one patient for. Those of the published accounts are current."""

    connection: Connection
    conditions: list[Condition]
    usual: Condition
    is_current: bool

    def days(self, end: dt.datetime) -> float:
        """How long they have been connected."""
        return ((self.connection.ended_at or end) - self.connection.connected_at).days + 1


def make_clinic(world: World, number: int) -> Rows:
    """Every row of one clinic: the same for the same seed and day, whatever else is made."""
    clinic = Clinic(world, number, dice(world.seed, number), Rows())
    doctors, patients = make_doctors(clinic), make_patients(clinic)
    if clinic.is_first:
        make_applicant(clinic)
    cares = [care for patient in patients for care in _connect(clinic, patient, doctors)]
    _prescribe_all(clinic, cares)
    return clinic.rows


def _connect(clinic: Clinic, patient: User, doctors: list[User]) -> list[Care]:
    """The doctors a patient came to over the year, each for something they treat.

    The patients with a published password stay with the doctor who has one.
    """
    rng = clinic.rng
    treated = {place: _plausible(doctor, patient, clinic) for place, doctor in enumerate(doctors)}
    suitable = [place for place, conditions in treated.items() if conditions]
    chosen = rng.sample(suitable, min(rng.choice(DOCTORS_SEEN), len(suitable)))
    is_cast = patient.email in {PATIENT_EMAIL, ARABIC_PATIENT_EMAIL}
    if is_cast:
        chosen = [0, *(place for place in chosen if place != 0)]
    cares = []
    for place in chosen:
        connection = _make_connection(clinic, patient, doctors[place], may_end=not is_cast)
        lasting = [condition for condition in treated[place] if _is_lasting(condition)]
        usual = rng.choice(lasting or treated[place])
        cares.append(Care(connection, treated[place], usual, is_current=is_cast and place == 0))
    return cares


def _plausible(doctor: User, patient: User, clinic: Clinic) -> list[Condition]:
    """What the doctor's specialty treats and this patient, all that time, might have."""
    youngest = age_on(patient, patient.created_at.date())
    oldest = age_on(patient, clinic.world.end.date())
    return [
        condition
        for condition in CONDITIONS[doctor.doctor_profile.specialization.code]
        if condition.sex in {None, patient.patient_profile.sex}
        and condition.min_age <= youngest
        and oldest <= condition.max_age
    ]


def _is_lasting(condition: Condition) -> bool:
    """Its treatment goes on after the first course."""
    return any(medicine.refills for medicine in condition.medicines)


def _make_connection(clinic: Clinic, patient: User, doctor: User, *, may_end: bool) -> Connection:
    rng, end = clinic.rng, clinic.world.end
    first_day = patient.created_at + dt.timedelta(days=1)
    made = working_instant(rng, first_day, first_day + (end - first_day) / 3)
    connection = clinic.rows.add(
        Connection(
            id=uuid7_at(made, rng),
            created_at=made,
            connected_at=made,
            patient=patient,
            doctor=doctor,
            origin=Connection.Origin.QR,
        )
    )
    _log(clinic, patient, Action.CONNECTED, connection, at=made)
    _tell_both(clinic, connection, Kind.CONNECTION_MADE, at=made)
    if may_end and rng.random() < LIKELY_ENDED and end - made > 2 * FORTNIGHT:
        _end(clinic, connection, at=working_instant(rng, made + FORTNIGHT, end))
    return connection


def _end(clinic: Clinic, connection: Connection, *, at: dt.datetime) -> None:
    connection.status = Connection.Status.INACTIVE
    connection.ended_at = at
    connection.ended_by = clinic.rng.choice((connection.patient, connection.doctor))
    _log(clinic, connection.ended_by, Action.CONNECTION_ENDED, connection, at=at)
    _tell_both(clinic, connection, Kind.CONNECTION_ENDED, at=at)


def _prescribe_all(clinic: Clinic, cares: list[Care]) -> None:
    """The clinic's prescriptions: most for those who came longest, some that must be recent."""
    rng, end = clinic.rng, clinic.world.end
    orders = [(care, end - FORTNIGHT) for care in cares if care.is_current]
    weights = [care.days(end) for care in cares]
    orders += [
        (care, care.connection.connected_at)
        for care in rng.choices(cares, weights, k=PRESCRIPTIONS - len(orders))
    ]
    for place, (care, since) in enumerate(orders):
        connection = care.connection
        issued = working_instant(rng, since, connection.ended_at or end)
        number = prescription_number(clinic.number * PRESCRIPTIONS + place)
        prescription = _prescribe(clinic, care, number, issued)
        _log(clinic, connection.doctor, Action.ISSUED, prescription, at=issued)
        _follow(clinic, connection, prescription)


def _prescribe(clinic: Clinic, care: Care, number: str, issued: dt.datetime) -> Prescription:
    """One prescription with its items, written in the patient's language."""
    rng, connection = clinic.rng, care.connection
    doctor, language = connection.doctor, connection.patient.language
    profile = doctor.doctor_profile
    condition = care.usual if rng.random() < LIKELY_USUAL else rng.choice(care.conditions)
    remark = getattr(rng.choice(REMARKS), language) if rng.random() < LIKELY_REMARK else ""
    code = secret(rng)
    last_day = clinic_date(issued) + dt.timedelta(Prescription.VALID_DAYS)
    prescription = Prescription(
        id=uuid7_at(issued, rng),
        created_at=issued,
        connection_id=connection.pk,
        patient_id=connection.patient_id,
        doctor_id=connection.doctor_id,
        number=number,
        diagnosis=getattr(condition.diagnosis, language),
        notes=remark,
        issued_at=issued,
        valid_until=last_day,
        prescriber_name=doctor.full_name,
        prescriber_specialization_en=profile.specialization.name_en,
        prescriber_specialization_ar=profile.specialization.name_ar,
        prescriber_licence_number=profile.licence_number,
        verification_code=code,
        verification_digest=crypto.digest(code),
    )
    clinic.rows.add(prescription)  # before its items: they are counted against it
    items = _items(clinic, prescription, condition.medicines, language)
    prescription.item_count = len(items)
    prescription.content_hash = prescription.computed_content_hash(items)
    return prescription


def _items(
    clinic: Clinic, prescription: Prescription, medicines: tuple[Medicine, ...], language: str
) -> list[PrescriptionItem]:
    return [
        clinic.rows.add(
            PrescriptionItem(
                id=uuid7_at(prescription.issued_at, clinic.rng),
                created_at=prescription.issued_at,
                prescription_id=prescription.pk,
                position=position,
                medicine=medicine.name,
                strength=medicine.strength,
                route=medicine.route,
                frequency=medicine.frequency,
                frequency_unit=medicine.frequency_unit,
                as_needed=medicine.as_needed,
                duration_days=medicine.duration_days,
                quantity=medicine.quantity,
                refills=medicine.refills,
                instructions=getattr(medicine.instructions, language),
            )
        )
        for position, medicine in enumerate(medicines, start=1)
    ]


def _follow(clinic: Clinic, connection: Connection, prescription: Prescription) -> None:
    """The patient is told, reads it, and takes a printed copy to a pharmacy, which verifies it;
    some stop on the way, and what would lie ahead has not happened."""
    rng, patient = clinic.rng, connection.patient
    read = _tell(
        clinic,
        patient,
        Kind.PRESCRIPTION_ISSUED,
        about=connection.doctor,
        url=f"/prescriptions/{prescription.pk}",
        at=prescription.issued_at,
    )
    if read is None:
        return
    _log(clinic, patient, Action.READ, prescription, at=read)
    printed = shortly_after(rng, read, minutes=3)
    if rng.random() < LIKELY_PRINTED:
        _log(clinic, patient, Action.DOWNLOADED, prescription, at=printed)
        if rng.random() < LIKELY_VERIFIED:
            brought = shortly_after(rng, printed, minutes=1500)
            _log(clinic, None, Action.VERIFIED, prescription, at=brought)


def _tell_both(clinic: Clinic, connection: Connection, kind: Kind, *, at: dt.datetime) -> None:
    for person in (connection.patient, connection.doctor):
        other, url = connection.other_side(person), f"/connections/{connection.pk}"
        _tell(clinic, person, kind, about=other, url=url, at=at)


def _tell(
    clinic: Clinic, person: User, kind: Kind, *, about: User, url: str, at: dt.datetime
) -> dt.datetime | None:
    """Notify someone; returns when they read it, if they have."""
    read = shortly_after(clinic.rng, at, minutes=600)
    has_read = clinic.rng.random() < LIKELY_READ and read < clinic.world.end
    clinic.rows.add(
        Notification(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            recipient_id=person.pk,
            kind=kind,
            context={"name": _name(about, person.language)},
            url=url,
            read_at=read if has_read else None,
        )
    )
    return read if has_read else None


@lru_cache(maxsize=100)
def _name(person: User, language: str) -> str:
    """How a reader of that language sees someone addressed."""
    with translation.override(language):
        return str(person.display_name)


def _log(
    clinic: Clinic,
    actor: User | None,
    action: AccessEvent.Action,
    target: Connection | Prescription,
    *,
    at: dt.datetime,
) -> None:
    if at >= clinic.world.end:
        return
    clinic.rows.add(
        AccessEvent(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            actor_id=actor.pk if actor else None,
            patient_id=target.patient_id,
            action=action,
            object_type=target._meta.label_lower,
            object_id=target.pk,
        )
    )
    if actor and (actor.last_login is None or actor.last_login < at):
        actor.last_login = at
