"""A doctor looks at what they wrote, and the patient asks why."""

from __future__ import annotations

import datetime as dt

from audit.models import AccessCase, AccessEvent
from connections.models import Connection
from medisync.demo.chance import shortly_after, uuid7_at
from medisync.demo.people import Clinic
from medisync.demo.traces import log, tell
from notifications.wording import Kind
from prescriptions.models import Prescription

QUESTIONS = {
    "en": ("Why was this opened after my visit?", "What was the printed copy for?"),
    "ar": ("لماذا فُتحت هذه الوصفة بعد زيارتي؟", "ما الغرض من النسخة المطبوعة؟"),
}
ANSWERS = {
    "en": "The doctor compared the dose with the result of your blood test.",
    "ar": "قارن الطبيب الجرعة بنتيجة تحليل دمك.",
}


def make_looks(clinic: Clinic, connection: Connection, prescription: Prescription) -> None:
    """One visit of the doctor; of its two acts, one is questioned and answered, the other
    questioned alone. What would lie ahead has not happened."""
    rng, language = clinic.rng, connection.patient.language
    first_at = shortly_after(rng, prescription.issued_at, minutes=300)
    second_at = shortly_after(rng, first_at, minutes=10)
    first = log(clinic, connection.doctor, AccessEvent.Action.READ, prescription, at=first_at)
    second = log(
        clinic, connection.doctor, AccessEvent.Action.DOWNLOADED, prescription, at=second_at
    )
    asked_at = shortly_after(rng, second_at, minutes=120)
    answered_at = shortly_after(rng, asked_at, minutes=600)
    if first is None or second is None or answered_at >= clinic.world.end:
        return
    answered = _ask(clinic, connection, first, QUESTIONS[language][0], at=asked_at)
    answered.status, answered.answer = AccessCase.Status.ANSWERED, ANSWERS[language]
    answered.answered_at, answered.answered_by_id = answered_at, clinic.world.admin.pk
    tell(
        clinic,
        connection.patient,
        Kind.ACCESS_ANSWERED,
        about=None,
        url=f"/access-log/{first.pk}/question",
        at=answered_at,
    )
    _ask(clinic, connection, second, QUESTIONS[language][1], at=asked_at)


def _ask(
    clinic: Clinic, connection: Connection, event: AccessEvent, question: str, *, at: dt.datetime
) -> AccessCase:
    case = clinic.rows.add(
        AccessCase(
            id=uuid7_at(at, clinic.rng),
            created_at=at,
            patient_id=event.patient_id,
            event=event,
            question=question,
            due_at=at + AccessCase.ANSWERED_WITHIN,
        )
    )
    tell(
        clinic,
        clinic.world.admin,
        Kind.ACCESS_QUESTIONED,
        about=connection.patient,
        url=f"/admin/audit/accesscase/{case.pk}/change/",
        at=at,
    )
    return case
