"""What a patient chose to share, as a FHIR document in the manner of the International Patient
Summary: a Composition, whose sections say also what is withheld, and the resources it names.

https://hl7.org/fhir/uv/ips/ is followed in its sections and codes; its profiles ask for coded
medicines and conditions, which patients do not write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    MedicationStatement,
    PatientProfile,
    User,
)
from common.clock import clinic_date
from common.ids import uuid7
from common.languages import spoken
from common.paper import printable_line
from prescriptions.models import Prescription
from qrverify.models import CardField
from qrverify.smart.fhir import (
    GENDERS,
    Resource,
    bundle_of,
    concept,
    human_name,
    item_order,
    notes,
    prescriber,
    without_blanks,
)

LOINC = "http://loinc.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
PATIENT_SUMMARY = "60591-5"
HEIGHT, WEIGHT, BLOOD_GROUP = "8302-2", "29463-7", "882-1"
CRITICALITY = {
    "LOW": "low",
    "HIGH": "high",
    "UNABLE_TO_ASSESS": "unable-to-assess",
}
# Height and weight: told with the facts, and no part of an emergency card.
MEASURES = "MEASURES"

# What is shared: each part by its code (`CardField`, or MEASURES), with the rows behind it.
Parts = Mapping[str, Sequence[Any]]
Located = tuple[str, Resource]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document, by LOINC code; `resources` come first to last."""

    part: str
    code: str
    title: str | Promise
    make: Callable[[Any, str], list[Located]]


def patient_summary_bundle(*, patient: User, parts: Parts, title: str, at: dt.datetime) -> Resource:
    """The document, in the language being spoken. A part that is absent is withheld, an empty
    one is shared and has nothing entered; both are said."""
    subject = f"urn:uuid:{patient.pk}"
    person = _patient(parts)
    made = [(section, _of(section, parts, subject)) for section in SECTIONS]
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": concept(LOINC, PATIENT_SUMMARY),
        "language": get_language(),
        "subject": {"reference": subject},
        "date": _instant(at),
        "author": [{"reference": subject}],
        "title": printable_line(title),
        "section": [_section(section, found, parts) for section, found in made]
        + _note_section(parts),
    }
    resources = [located for _section, found in made for located in found or []]
    return bundle_of(
        [(f"urn:uuid:{uuid7()}", composition), (subject, person), *resources],
        identifier={"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid7()}"},
        type="document",
        timestamp=_instant(at),
    )


def _of(section: Section, parts: Parts, subject: str) -> list[Located] | None:
    """The resources of a section; None where it is withheld."""
    if section.part not in parts:
        return None
    return [found for row in parts[section.part] for found in section.make(row, subject)]


def _section(section: Section, found: list[Located] | None, parts: Parts) -> Resource:
    head = {"title": str(section.title), "code": concept(LOINC, section.code)}
    if found:
        listed = [(url, one) for url, one in found if one["resourceType"] != "Practitioner"]
        return head | {
            "text": _narrative(_line(resource) for _url, resource in listed),
            "entry": [{"reference": url} for url, _resource in listed],
        }
    why, said = (
        ("withheld", _("Not shared.")) if found is None else ("unavailable", _("None entered."))
    )
    return head | {
        "text": _narrative([said]),
        "emptyReason": concept(f"{TERMINOLOGY}/list-empty-reason", why),
    }


def _note_section(parts: Parts) -> list[Resource]:
    texts = parts.get(CardField.NOTE, [])
    return [{"title": _("Note"), "text": _narrative([text])} for text in texts]


def _narrative(lines: Any) -> Resource:
    items = format_html_join("", "<li>{}</li>", ((printable_line(line),) for line in lines))
    div = format_html('<div xmlns="http://www.w3.org/1999/xhtml"><ul>{}</ul></div>', items)
    return {"status": "generated", "div": str(div)}


def _line(resource: Resource) -> str:
    """What stands for a resource where only words are read."""
    name = resource.get("code") or resource.get("medicationCodeableConcept") or {}
    dosages = resource.get("dosageInstruction") or resource.get("dosage") or []
    value = resource.get("valueQuantity") or {}
    words = [
        name.get("text", ""),
        *(dosage.get("text", "") for dosage in dosages),
        resource.get("valueCodeableConcept", {}).get("text", ""),
        f"{value['value']} {value['unit']}" if value else "",
    ]
    return " – ".join(word for word in words if word)


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


# --- The patient ------------------------------------------------------------------------------


def _patient(parts: Parts) -> Resource:
    """Who it is about, as far as that is shared."""
    person: Resource = {"resourceType": "Patient"}
    for user in parts.get(CardField.NAME, []):
        person["name"] = [human_name(user)]
    for profile in parts.get(CardField.BIRTH_DATE, []):
        person["birthDate"] = profile.birth_date.isoformat()
    for profile in parts.get(CardField.SEX, []):
        person["gender"] = GENDERS[profile.sex]
    languages = parts.get(CardField.LANGUAGES, [])
    contacts = parts.get(CardField.EMERGENCY_CONTACTS, [])
    return without_blanks(
        person
        | {
            "contact": [_contact(contact) for contact in contacts],
            "communication": [
                {"language": concept("urn:ietf:bcp:47", str(code))} for code in languages
            ],
        }
    )


def _contact(contact: EmergencyContact) -> Resource:
    emergency = concept(f"{TERMINOLOGY}/v2-0131", "C")
    if contact.relationship:
        emergency["text"] = printable_line(contact.relationship)
    return {
        "relationship": [emergency],
        "name": {"text": printable_line(contact.name)},
        "telecom": [{"system": "phone", "value": str(contact.phone)}],
    }


# --- What the sections hold -------------------------------------------------------------------


def _url(pk: UUID) -> str:
    return f"urn:uuid:{pk}"


def _allergy(row: AllergyIntolerance, subject: str) -> list[Located]:
    reaction = {"manifestation": [{"text": printable_line(row.reaction)}]}
    resource = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active"),
        "verificationStatus": concept(
            f"{TERMINOLOGY}/allergyintolerance-verification", "unconfirmed"
        ),
        "criticality": CRITICALITY[row.criticality],
        "code": {"text": printable_line(row.substance)},
        "patient": {"reference": subject},
        "asserter": {"reference": subject},
        "note": notes(row.note),
        "reaction": [reaction] if row.reaction else [],
    }
    return [(_url(row.pk), without_blanks(resource))]


def _condition(row: Condition, subject: str) -> list[Located]:
    resource = {
        "resourceType": "Condition",
        "clinicalStatus": concept(f"{TERMINOLOGY}/condition-clinical", "active"),
        "verificationStatus": concept(f"{TERMINOLOGY}/condition-ver-status", "unconfirmed"),
        "category": [concept(f"{TERMINOLOGY}/condition-category", "problem-list-item")],
        "code": {"text": printable_line(row.name)},
        "subject": {"reference": subject},
        "onsetDateTime": row.since,
        "asserter": {"reference": subject},
        "note": notes(row.note),
    }
    return [(_url(row.pk), without_blanks(resource))]


def _statement(row: MedicationStatement, subject: str) -> list[Located]:
    resource = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": {"text": printable_line(row.name)},
        "subject": {"reference": subject},
        "effectivePeriod": {"start": row.since} if row.since else None,
        "informationSource": {"reference": subject},
        "dosage": [{"text": printable_line(row.dosage)}] if row.dosage else [],
    }
    return [(_url(row.pk), without_blanks(resource))]


def _orders(row: Prescription, subject: str) -> list[Located]:
    """The prescriber and each medicine of a prescription. What is in a summary is taken: also
    when its last day has passed, it is not called stopped."""
    doctor = _url(uuid5(row.pk, "prescriber"))
    status = "active" if row.is_dispensable(clinic_date()) else "completed"
    orders = [
        (
            _url(item.pk),
            item_order(item, row, language=spoken(), on=clinic_date())
            | {
                "status": status,
                "subject": {"reference": subject},
                "requester": {"reference": doctor},
            },
        )
        for item in row.items.all()
    ]
    return [(doctor, prescriber(row)), *orders]


def _blood_group(profile: PatientProfile, subject: str) -> list[Located]:
    said = {"valueCodeableConcept": {"text": str(profile.get_blood_type_display())}}
    return [_observation(profile, subject, BLOOD_GROUP, _("Blood type"), said)]


def _measures(profile: PatientProfile, subject: str) -> list[Located]:
    measured = (
        (HEIGHT, _("Height"), profile.height_cm, "cm"),
        (WEIGHT, _("Weight"), profile.weight_kg, "kg"),
    )
    return [
        _observation(profile, subject, code, name, {"valueQuantity": _quantity(number, unit)})
        for code, name, number, unit in measured
        if number is not None
    ]


def _observation(
    profile: PatientProfile, subject: str, code: str, name: str, value: Resource
) -> Located:
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(LOINC, code) | {"text": name},
        "subject": {"reference": subject},
        "performer": [{"reference": subject}],
    }
    return _url(uuid5(profile.pk, code)), resource | value


def _quantity(number: Any, unit: str) -> Resource:
    return {
        "value": float(number),
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }


SECTIONS = (
    Section(CardField.ALLERGIES, "48765-2", gettext_lazy("Allergies"), _allergy),
    Section(CardField.CONDITIONS, "11450-4", gettext_lazy("Chronic conditions"), _condition),
    Section(CardField.MEDICATIONS, "10160-0", gettext_lazy("Medicines taken"), _statement),
    Section(CardField.PRESCRIPTIONS, "57828-6", gettext_lazy("Prescribed medicines"), _orders),
    Section(CardField.BLOOD_TYPE, "30954-2", gettext_lazy("Blood type"), _blood_group),
    Section(MEASURES, "8716-3", gettext_lazy("Height and weight"), _measures),
)
