"""What became of a prescription: dispensed, changed, stopped, asked for again."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Sequence

from audit.models import AccessEvent
from common import crypto
from connections.models import Connection
from medisync.demo.chance import pin, secret, shortly_after, uuid7_at
from medisync.demo.people import Clinic
from medisync.demo.traces import log, tell
from notifications.wording import Kind
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
    PrescriptionTemplate,
    RefillRequest,
    StatusChange,
    StopReason,
)

PHARMACIES = {
    "en": ("Nile Pharmacy", "El Shifa Pharmacy", "Al Amal Pharmacy"),
    "ar": ("صيدلية النيل", "صيدلية الشفاء", "صيدلية الأمل"),
}
PHARMACISTS = {"en": ("Hoda Samir", "Mina Adel"), "ar": ("هدى سمير", "مينا عادل")}
NOTES = {
    "en": ("It helps, and I have no complaints.", "Two tablets are left."),
    "ar": ("يفيدني الدواء ولا أشكو من شيء.", "بقي معي قرصان فقط."),
}
ANSWERS = {
    "en": "Please come to the clinic first: I want to measure your blood pressure.",
    "ar": "أرجو الحضور إلى العيادة أولًا: أريد قياس ضغط الدم.",
}
WORDS_ON_STOPPING = {
    "en": "Please do not take it any more, and come to see me.",
    "ar": "أرجو التوقف عن تناوله والحضور إلى العيادة.",
}
WORDS_ON_TAKING = {
    "en": "Take it with plenty of water, and not together with milk.",
    "ar": "يؤخذ مع كمية كافية من الماء وليس مع اللبن.",
}
TEMPLATE_FIELDS = (
    "medicine", "strength", "route", "frequency", "frequency_unit", "as_needed",
    "duration_days", "quantity", "refills", "instructions",
)  # fmt: skip
REASONS = (StopReason.ADVERSE_REACTION, StopReason.NOT_EFFECTIVE, StopReason.NOT_NEEDED)
NAME_LENGTH = 80
LIKELY_WHOLE = 0.8
LIKELY_AMENDED = 0.04
LIKELY_STOPPED = 0.05
LIKELY_ASKED = 0.12
Action = AccessEvent.Action
Status = Prescription.Status
Items = list[PrescriptionItem]


def go_on(
    clinic: Clinic, prescription: Prescription, items: Items, brought: dt.datetime | None
) -> None:
    """Somebody brought the paper to a pharmacy at that instant, or nobody did; then the doctor
    changes or stops it now and then."""
    rng = clinic.rng
    later = shortly_after(rng, prescription.issued_at, minutes=3000)
    if brought is not None:
        is_whole = rng.random() < LIKELY_WHOLE
        at = shortly_after(rng, brought, minutes=2)
        dispense(clinic, prescription, items, is_whole=is_whole, at=at)
    elif rng.random() < LIKELY_AMENDED:
        amend(clinic, prescription, items, at=later)
    elif rng.random() < LIKELY_STOPPED:
        stop(clinic, prescription, at=later)
    if rng.random() < LIKELY_ASKED:
        begun = prescription.status_at or prescription.issued_at
        at = shortly_after(rng, begun, minutes=20000)
        ask_again(clinic, prescription, is_answered=rng.random() < LIKELY_WHOLE, at=at)


def show_everything(clinic: Clinic, told: Sequence[tuple[Prescription, Items]]) -> None:
    """Of the newest prescriptions to a published account one is left as it was issued, and each
    other shows something else."""
    day = dt.timedelta(days=1)
    (partly, some), (amended, changed), (stopped, _items), (done, all_of_it) = told[1:5]
    dispense(clinic, partly, some, is_whole=False, at=partly.issued_at + day)
    amend(clinic, amended, changed, at=amended.issued_at + day)
    stop(clinic, stopped, at=stopped.issued_at + 2 * day)
    dispense(clinic, done, all_of_it, is_whole=True, at=done.issued_at + day)
    ask_again(clinic, partly, is_answered=True, at=partly.issued_at + 3 * day)
    ask_again(clinic, done, is_answered=False, at=done.issued_at + 4 * day)
    keep_template(clinic, done, all_of_it)


def dispense(
    clinic: Clinic, prescription: Prescription, items: Items, *, is_whole: bool, at: dt.datetime
) -> None:
    """One pharmacy holds it and hands out the first fill, or half of it."""
    patient = prescription.patient
    done = at + dt.timedelta(minutes=5)
    if done >= clinic.world.end:
        return
    claim = _claim(clinic, prescription, at=at)
    amounts = [item.quantity if is_whole else max(1, item.quantity // 2) for item in items]
    for item, quantity in zip(items, amounts, strict=True):
        _hand_out(clinic, claim, item, quantity, at=at + dt.timedelta(minutes=3))
    log(clinic, None, Action.DISPENSED, claim, at=at + dt.timedelta(minutes=3))
    url = f"/prescriptions/{prescription.pk}"
    tell(clinic, patient, Kind.PRESCRIPTION_CLAIMED, about=None, url=url, at=at)
    told_at = at + dt.timedelta(minutes=3)
    tell(clinic, patient, Kind.PRESCRIPTION_DISPENSED, about=None, url=url, at=told_at)
    is_done = amounts == [item.total_quantity for item in items]
    if is_done:
        prescription.status_at = told_at
        _keep(clinic, prescription, Status.COMPLETED, at=told_at)
    reason = DispenseClaim.EndReason.COMPLETED if is_done else DispenseClaim.EndReason.RETURNED
    log(clinic, None, Action.RELEASED, claim, at=done)
    # Only from a claim that stands is anything handed out.
    clinic.rows.change_once_written(claim, ended_at=done, end_reason=reason)
    if is_done:
        clinic.rows.change_once_written(prescription, status=Status.COMPLETED)


def amend(clinic: Clinic, old: Prescription, items: Items, *, at: dt.datetime) -> None:
    """Another version, with a word more on how to take it."""
    rng = clinic.rng
    if at >= _latest(clinic, old):
        return
    code = secret(rng)
    new = copy.copy(old)
    new.id, new.created_at, new.issued_at, new.code_made_at = uuid7_at(at, rng), at, at, at
    new.version, new.replaces_id = old.version + 1, old.pk
    new.notes = WORDS_ON_TAKING[old.patient.language]
    new.verification_code, new.verification_digest = code, crypto.digest(code)
    new.pin = pin(rng)
    clinic.rows.add(new)
    rows = [clinic.rows.add(_copied(clinic, item, new)) for item in items]
    new.content_hash = new.computed_content_hash(rows)
    old.status, old.status_at, old.status_by_id = Status.SUPERSEDED, at, old.doctor_id
    _keep(clinic, old, Status.SUPERSEDED, at=at)
    log(clinic, old.doctor, Action.AMENDED, new, at=at)
    _tell(clinic, new, Kind.PRESCRIPTION_AMENDED, at=at)


def stop(clinic: Clinic, prescription: Prescription, *, at: dt.datetime) -> None:
    """For a reason, with a word to the patient."""
    if at >= _latest(clinic, prescription):
        return
    prescription.status, prescription.status_at = Status.STOPPED, at
    prescription.status_by_id = prescription.doctor_id
    prescription.status_reason = clinic.rng.choice(REASONS)
    prescription.status_note = WORDS_ON_STOPPING[prescription.patient.language]
    _keep(clinic, prescription, Status.STOPPED, at=at)
    log(clinic, prescription.doctor, Action.STOPPED, prescription, at=at)
    _tell(clinic, prescription, Kind.PRESCRIPTION_STOPPED, at=at)


def _keep(clinic: Clinic, prescription: Prescription, status: Status, *, at: dt.datetime) -> None:
    clinic.rows.add(
        StatusChange(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            prescription_id=prescription.pk,
            status=status,
            reason=prescription.status_reason,
            note=prescription.status_note,
            at=at,
            by_id=prescription.status_by_id,
        )
    )


def ask_again(
    clinic: Clinic, prescription: Prescription, *, is_answered: bool, at: dt.datetime
) -> None:
    """The patient asks for the same again; the doctor declines, or has not answered yet."""
    rng, language = clinic.rng, prescription.patient.language
    answered_at = shortly_after(rng, at, minutes=900)
    has_gone_on = prescription.status in {Status.ACTIVE, Status.COMPLETED}
    is_active = prescription.connection.status == Connection.Status.ACTIVE
    if not (has_gone_on and is_active) or at >= clinic.world.end:
        return
    request = clinic.rows.add(
        RefillRequest(
            id=uuid7_at(at, rng),
            created_at=at,
            prescription_id=prescription.pk,
            patient_id=prescription.patient_id,
            doctor_id=prescription.doctor_id,
            note=rng.choice(NOTES[language]),
        )
    )
    log(clinic, prescription.patient, Action.REFILL_REQUESTED, prescription, at=at)
    tell(
        clinic,
        prescription.doctor,
        Kind.REFILL_REQUESTED,
        about=prescription.patient,
        url="/refills",
        at=at,
    )
    if is_answered and answered_at < clinic.world.end:
        request.status, request.reason = RefillRequest.Status.DECLINED, ANSWERS[language]
        request.decided_at, request.decided_by_id = answered_at, prescription.doctor_id
        log(clinic, prescription.doctor, Action.REFILL_DECLINED, prescription, at=answered_at)
        _tell(clinic, prescription, Kind.REFILL_DECLINED, at=answered_at)


def keep_template(clinic: Clinic, prescription: Prescription, items: Items) -> None:
    """The doctor keeps what they prescribed, to begin with it another time."""
    at = prescription.issued_at + dt.timedelta(minutes=1)
    clinic.rows.add(
        PrescriptionTemplate(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            doctor=prescription.doctor,
            name=prescription.diagnosis[:NAME_LENGTH],
            diagnosis=prescription.diagnosis,
            items=[{field: getattr(item, field) for field in TEMPLATE_FIELDS} for item in items],
        )
    )


def _latest(clinic: Clinic, prescription: Prescription) -> dt.datetime:
    """Until when the doctor may write: as long as the two are connected, and until now."""
    return min(prescription.connection.ended_at or clinic.world.end, clinic.world.end)


def _claim(clinic: Clinic, prescription: Prescription, *, at: dt.datetime) -> DispenseClaim:
    rng, language = clinic.rng, prescription.patient.language
    claim = clinic.rows.add(
        DispenseClaim(
            id=uuid7_at(at, rng),
            created_at=at,
            prescription=prescription,
            pharmacy_name=rng.choice(PHARMACIES[language]),
            pharmacist_name=rng.choice(PHARMACISTS[language]),
            licence_number=f"PH-{rng.randrange(1000, 10000)}",
            secret_digest=crypto.digest(secret(rng)),
            claimed_at=at,
            expires_at=at + DispenseClaim.LASTS,
        )
    )
    log(clinic, None, Action.CLAIMED, claim, at=at)
    return claim


def _hand_out(
    clinic: Clinic, claim: DispenseClaim, item: PrescriptionItem, quantity: int, *, at: dt.datetime
) -> None:
    clinic.rows.add(
        MedicationDispense(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            claim_id=claim.pk,
            item_id=item.pk,
            quantity=quantity,
            dispensed_at=at,
            client_id=uuid7_at(at, clinic.rng),
        )
    )


def _copied(clinic: Clinic, item: PrescriptionItem, version: Prescription) -> PrescriptionItem:
    row = copy.copy(item)
    row.id, row.created_at = uuid7_at(version.issued_at, clinic.rng), version.issued_at
    row.prescription_id = version.pk
    return row


def _tell(clinic: Clinic, prescription: Prescription, kind: Kind, *, at: dt.datetime) -> None:
    url = f"/prescriptions/{prescription.pk}"
    tell(clinic, prescription.patient, kind, about=prescription.doctor, url=url, at=at)
