"""What a doctor sees of a patient by the patient's grant.

A chart is there as long as the grant opens something. Without one it is not: neither its
address, nor its file, nor whether there is anything in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
    PatientProfile,
    User,
)
from audit.models import AccessEvent
from audit.services import access_event, record_accesses
from connections.models import AccessGrant, DataCategory, readable
from connections.services.grants import NothingShared, use_grant
from prescriptions.models import Prescription, PrescriptionQuerySet
from records.models import Record

# Of each kind the newest so many; the lists of the API have the rest.
MOST = 100

Reader = Callable[[User, User], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of data. `rows` is None where it is not shared."""

    category: DataCategory
    rows: Sequence[Any] | None
    is_cut: bool = False

    @property
    def is_shared(self) -> bool:
        return self.rows is not None


@dataclass(frozen=True, slots=True)
class Chart:
    """A patient as one doctor sees them. `issued` is what that doctor prescribed, the newest of
    it where `issued_is_cut`; `time_left` is how long the grant lasts yet, if it has an end."""

    patient: User
    doctor: User
    grant: AccessGrant
    sections: tuple[Section, ...]
    issued: Sequence[Prescription]
    issued_is_cut: bool
    time_left: dt.timedelta | None

    @property
    def shared(self) -> list[Section]:
        return [section for section in self.sections if section.is_shared]

    @property
    def not_shared(self) -> list[Section]:
        return [section for section in self.sections if not section.is_shared]


def open_chart(
    *,
    doctor: Any,
    patient_id: UUID,
    action: AccessEvent.Action = AccessEvent.Action.READ,
) -> Chart:
    """The chart, for a doctor who was let see it. Every kind of data shown is logged with it."""
    with transaction.atomic():
        grant = use_grant(doctor=doctor, patient_id=patient_id)
        chart = chart_of(patient_id, doctor)
        record_accesses(_events(chart, grant, action))
    return chart


def preview_grant(*, actor: Any, grant_id: UUID) -> Chart:
    """To the patient who gave it, exactly what the doctor sees by it now. Nobody else has
    looked, so nothing is logged."""
    grant = AccessGrant.objects.visible_to(actor).with_people().filter(pk=grant_id).first()
    if grant is None or grant.connection.patient_id != actor.pk:
        raise Http404
    try:
        chart = chart_of(actor.pk, grant.connection.doctor)
    except Http404 as nothing:
        raise NothingShared from nothing
    if chart.grant.pk != grant.pk:
        raise NothingShared
    return chart


def chart_of(patient_id: UUID, doctor: Any) -> Chart:
    """Everything of a patient that this doctor may read, each kind by the rule of its table."""
    opening = AccessGrant.objects.between(doctor, patient_id).with_people()
    grant = opening.first()
    if grant is None:
        raise Http404
    patient = grant.connection.patient
    sections = tuple(_section(category, grant, doctor) for category in DataCategory)
    issued, issued_is_cut = _newest(_visible_prescriptions(patient, doctor).issued_by(doctor))
    # Where it ended meanwhile, rows are missing, and must not pass for there being none.
    still = opening.with_time_left().filter(pk=grant.pk).values_list("time_left", flat=True)
    if not still:
        raise Http404
    return Chart(patient, doctor, grant, sections, issued, issued_is_cut, still[0])


def _section(category: DataCategory, grant: AccessGrant, doctor: User) -> Section:
    if category not in grant.categories:
        return Section(category, None)
    rows, is_cut = _newest(READERS[category](grant.connection.patient, doctor))
    return Section(category, rows, is_cut)


def _newest(found: QuerySet[Any]) -> tuple[list[Any], bool]:
    """As many as are shown, and whether there are more."""
    rows = list(found[: MOST + 1])
    return rows[:MOST], len(rows) > MOST


def _facts(patient: User, doctor: User) -> QuerySet[Any]:
    return readable(
        PatientProfile.objects.filter(user=patient),
        user=doctor,
        category=DataCategory.FACTS,
        patient="user_id",
    )


def _entries(kind: type[HealthEntry], patient: User, doctor: User) -> QuerySet[Any]:
    return readable(kind.objects.of(patient), user=doctor, category=DataCategory(kind.CATEGORY))


def _by_others(patient: User, doctor: User) -> QuerySet[Any]:
    return _visible_prescriptions(patient, doctor).exclude(doctor=doctor)


def _records(kind: str, patient: User, doctor: User) -> QuerySet[Any]:
    found = Record.objects.visible_to(doctor).filter(patient=patient, kind=kind)
    return found.order_by("-date", "-id")


def _visible_prescriptions(patient: User, doctor: User) -> PrescriptionQuerySet:
    visible = Prescription.objects.visible_to(doctor).current()
    return visible.with_course().filter(patient=patient)


LISTS = (AllergyIntolerance, Condition, MedicationStatement, EmergencyContact)
READERS: dict[str, Reader] = {
    DataCategory.FACTS: _facts,
    **{kind.CATEGORY: partial(_entries, kind) for kind in LISTS},
    DataCategory.PRESCRIPTIONS: _by_others,
    **{kind: partial(_records, kind) for kind in Record.Kind.values},
}


def _events(chart: Chart, grant: AccessGrant, action: AccessEvent.Action) -> list[AccessEvent]:
    """One for each kind of data shown, and one for what the doctor prescribed themself."""
    event = partial(access_event, actor_id=chart.doctor.pk, patient_id=chart.patient.pk)
    basis = AccessEvent.Basis
    events = [
        event(action=action, target=grant, basis=basis.GRANT, category=section.category)
        for section in chart.shared
    ]
    if chart.issued:
        is_file = action == AccessEvent.Action.DOWNLOADED
        listed = action if is_file else AccessEvent.Action.LISTED
        events.append(
            event(
                action=listed,
                target=grant.connection,
                basis=basis.AUTHOR,
                category=DataCategory.PRESCRIPTIONS,
            )
        )
    return events
