"""A clinic's year: who connected, what was prescribed, who was told, and who looked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import User
from audit.models import AccessEvent
from common import crypto
from common.clock import clinic_date
from connections.models import Connection
from medisync.demo import ARABIC_PATIENT_EMAIL, PATIENT_EMAIL
from medisync.demo.bulk import Rows
from medisync.demo.chance import (
    dice,
    pin,
    prescription_number,
    secret,
    shortly_after,
    uuid7_at,
    working_instant,
)
from medisync.demo.chats import make_chats
from medisync.demo.courses import go_on, show_everything
from medisync.demo.emergency import make_cards
from medisync.demo.links import make_links
from medisync.demo.looks import make_looks
from medisync.demo.names import CONDITIONS, REMARKS, Condition, Medicine
from medisync.demo.people import (
    Clinic,
    World,
    age_on,
    make_applicant,
    make_doctors,
    make_patients,
)
from medisync.demo.requests import make_requests
from medisync.demo.sharing import share
from medisync.demo.traces import log, tell, tell_both
from notifications.wording import Kind
from prescriptions import safety
from prescriptions.models import Prescription, PrescriptionItem

PRESCRIPTIONS = 250
# Of these to each published account that is treated now.
SHOWN = 5
DOCTORS_SEEN = (1, 1, 2, 2, 3)
LIKELY_ENDED = 0.15
LIKELY_USUAL = 0.75
LIKELY_REMARK = 0.3
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
        since = self.connection.connected_at or end
        return ((self.connection.ended_at or end) - since).days + 1


def make_clinic(world: World, number: int) -> Rows:
    """Every row of one clinic: the same for the same seed and day, whatever else is made."""
    clinic = Clinic(world, number, dice(world.seed, number), Rows())
    doctors, patients = make_doctors(clinic), make_patients(clinic)
    if clinic.is_first:
        make_applicant(clinic)
    cares = [care for patient in patients for care in _connect(clinic, patient, doctors)]
    _prescribe_all(clinic, cares)
    make_requests(clinic, doctors, patients, [care.connection for care in cares])
    make_chats(clinic, [care.connection for care in cares], doctors)
    make_cards(clinic, patients)
    make_links(clinic, patients)
    clinic.rows.put_in_order_of_time(AccessEvent)  # in which they are chained
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
        if is_cast:
            share(clinic, connection)
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
            status=Connection.Status.ACTIVE,
            origin=Connection.Origin.QR,
        )
    )
    log(clinic, patient, Action.CONNECTED, connection, at=made)
    tell_both(clinic, connection, Kind.CONNECTION_MADE, at=made)
    if may_end and rng.random() < LIKELY_ENDED and end - made > 2 * FORTNIGHT:
        _end(clinic, connection, at=working_instant(rng, made + FORTNIGHT, end))
    return connection


def _end(clinic: Clinic, connection: Connection, *, at: dt.datetime) -> None:
    connection.status = Connection.Status.INACTIVE
    connection.ended_at = at
    connection.ended_by = clinic.rng.choice((connection.patient, connection.doctor))
    log(clinic, connection.ended_by, Action.CONNECTION_ENDED, connection, at=at)
    tell_both(clinic, connection, Kind.CONNECTION_ENDED, at=at)


def _prescribe_all(clinic: Clinic, cares: list[Care]) -> None:
    """The clinic's prescriptions: most for those who came longest; to the published accounts
    some that show all that may become of one."""
    rng, end = clinic.rng, clinic.world.end
    current = [care for care in cares if care.is_current]
    left = PRESCRIPTIONS - SHOWN * len(current)
    chosen = rng.choices(cares, [care.days(end) for care in cares], k=left)
    numbers = iter(range(clinic.number * PRESCRIPTIONS, (clinic.number + 1) * PRESCRIPTIONS))
    for care in current:
        since, until = end - FORTNIGHT, end - FORTNIGHT / 2
        told = [_issue(clinic, care, next(numbers), since, until) for _ in range(SHOWN)]
        make_looks(clinic, care.connection, told[0][0])
        show_everything(clinic, [(prescription, items) for prescription, items, _at in told])
    for care in chosen:
        since, until = care.connection.connected_at or end, care.connection.ended_at or end
        go_on(clinic, *_issue(clinic, care, next(numbers), since, until))


def _issue(
    clinic: Clinic, care: Care, index: int, since: dt.datetime, until: dt.datetime
) -> tuple[Prescription, list[PrescriptionItem], dt.datetime | None]:
    """One prescription of that span, with its items, and when it was brought to a pharmacy."""
    issued = working_instant(clinic.rng, since, until)
    prescription, items = _prescribe(clinic, care, prescription_number(index), issued)
    log(clinic, care.connection.doctor, Action.ISSUED, prescription, at=issued)
    return prescription, items, _follow(clinic, care.connection, prescription)


def _prescribe(
    clinic: Clinic, care: Care, number: str, issued: dt.datetime
) -> tuple[Prescription, list[PrescriptionItem]]:
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
        connection=connection,
        patient=connection.patient,
        doctor=doctor,
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
        pin=pin(rng),
        code_made_at=issued,
    )
    clinic.rows.add(prescription)  # before its items: they are counted against it
    items = _items(clinic, prescription, condition.medicines, language)
    prescription.item_count = len(items)
    prescription.content_hash = prescription.computed_content_hash(items)
    return prescription, items


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
                is_controlled=safety.match(medicine.name).is_controlled,
            )
        )
        for position, medicine in enumerate(medicines, start=1)
    ]


def _follow(
    clinic: Clinic, connection: Connection, prescription: Prescription
) -> dt.datetime | None:
    """The patient is told, reads it, and takes a printed copy to a pharmacy, which verifies it;
    some stop on the way, and what would lie ahead has not happened. Returns when it was brought
    there, if it was."""
    rng, patient = clinic.rng, connection.patient
    read = tell(
        clinic,
        patient,
        Kind.PRESCRIPTION_ISSUED,
        about=connection.doctor,
        url=f"/prescriptions/{prescription.pk}",
        at=prescription.issued_at,
    )
    if read is None:
        return None
    log(clinic, patient, Action.READ, prescription, at=read)
    printed = shortly_after(rng, read, minutes=3)
    if rng.random() < LIKELY_PRINTED:
        log(clinic, patient, Action.DOWNLOADED, prescription, at=printed)
        if rng.random() < LIKELY_VERIFIED:
            brought = shortly_after(rng, printed, minutes=1500)
            verified = log(clinic, None, Action.VERIFIED, prescription, at=brought)
            return brought if verified else None
    return None
