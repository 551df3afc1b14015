"""A chart in words, the same on the page and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
    PatientProfile,
)
from common.lines import joined
from connections.models import DataCategory
from medisync.chart.reading import Section
from prescriptions.models import Prescription
from records.models import Record

ICONS: dict[str, str] = {
    DataCategory.FACTS: "user-round",
    DataCategory.ALLERGIES: "triangle-alert",
    DataCategory.CONDITIONS: "heart-pulse",
    DataCategory.MEDICATIONS: "pill",
    DataCategory.EMERGENCY_CONTACTS: "phone",
    DataCategory.PRESCRIPTIONS: "clipboard-list",
    DataCategory.LAB_RESULT: "flask-conical",
    DataCategory.IMAGING: "scan",
    DataCategory.PRESCRIPTION_SCAN: "scroll-text",
    DataCategory.REPORT: "file-text",
    DataCategory.VACCINATION: "syringe",
    DataCategory.OTHER: "file",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What it is, the rest of it, where it can be opened, and whether it must not be overlooked."""

    title: str
    detail: str = ""
    url: str = ""
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Worded:
    """One shared section, in the language being spoken."""

    category: str
    title: str
    lines: list[Line]
    is_cut: bool

    @property
    def icon(self) -> str:
        return ICONS[self.category]

    @property
    def is_facts(self) -> bool:
        """Whether its lines are a name and a value each."""
        return self.category == DataCategory.FACTS


def worded(sections: Iterable[Section]) -> list[Worded]:
    return [
        Worded(
            category=section.category,
            title=str(section.category.label),
            lines=[line for row in section.rows or () for line in lines_of(row)],
            is_cut=section.is_cut,
        )
        for section in sections
    ]


def lines_of(row: Model) -> Iterator[Line]:
    """A row's lines: one, but for the facts."""
    return WORDINGS[type(row)](row)


def _facts(profile: PatientProfile) -> Iterator[Line]:
    yield Line(_("Birth date"), date_format(profile.birth_date))
    yield Line(_("Sex"), profile.get_sex_display())
    if profile.blood_type:
        yield Line(_("Blood type"), profile.get_blood_type_display())
    if profile.height_cm:
        yield Line(_("Height"), _("%(n)s cm") % {"n": profile.height_cm})
    if profile.weight_kg:
        yield Line(_("Weight"), _("%(n)s kg") % {"n": profile.weight_kg})


def _entry(entry: HealthEntry) -> Iterator[Line]:
    yield Line(str(entry), entry.summary)


def _allergy(allergy: AllergyIntolerance) -> Iterator[Line]:
    yield Line(
        title=str(allergy),
        detail=joined(allergy.summary, allergy.note),
        is_grave=allergy.criticality == AllergyIntolerance.Criticality.HIGH,
    )


def _prescription(prescription: Prescription) -> Iterator[Line]:
    medicines = [f"{item.medicine} {item.strength}".strip() for item in prescription.items.all()]
    yield Line(
        title=pgettext("between the medicines of a list", ", ").join(medicines),
        detail=joined(
            prescription.doctor.display_name,
            date_format(prescription.issued_on),
            prescription.diagnosis,
        ),
        url=reverse("prescription-detail", args=[prescription.pk]),
    )


def _record(record: Record) -> Iterator[Line]:
    yield Line(record.title, joined(date_format(record.date), record.description))


WORDINGS: dict[type[Model], Callable[[Any], Iterator[Line]]] = {
    PatientProfile: _facts,
    AllergyIntolerance: _allergy,
    Condition: _entry,
    MedicationStatement: _entry,
    EmergencyContact: _entry,
    Prescription: _prescription,
    Record: _record,
}
