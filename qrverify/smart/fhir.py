"""FHIR R4: prescriptions and a patient's own lists, as resources.

Two forms. In a card every byte is printed, so the resources are as small as the framework of
health cards demands: no ids, no narrative, no `CodeableConcept.text`; a medicine without a code
then has its name as the display of a reference. In a document for reading, names stand where
readers look for them. https://hl7.org/fhir/R4/
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

from django.conf import settings

from accounts.models import PatientProfile, User
from common.languages import Language
from common.paper import printable_line, printable_lines
from prescriptions.models import Prescription, PrescriptionItem
from prescriptions.sig import dosage_sentence

Resource: TypeAlias = dict[str, Any]

ROUTE_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
ROUTE_CODES = {
    "ORAL": "PO",
    "SUBLINGUAL": "SL",
    "TOPICAL": "SKIN",
    "INHALATION": "IPINHL",
    "NASAL": "NASAL",
    "OPHTHALMIC": "OPTHALTA",
    "OTIC": "OT",
    "RECTAL": "PR",
    "VAGINAL": "VAGINSI",
    "SUBCUTANEOUS": "SQ",
    "INTRAMUSCULAR": "IM",
    "INTRAVENOUS": "IVINJ",
    "TRANSDERMAL": "TRNSDERM",
}
# Superseded is cancelled, for it happens before anything is dispensed; R4 has no word for a
# prescription whose last day has passed, and "stopped" cannot be taken for permission.
STATUS_CODES = {
    Prescription.State.ACTIVE: "active",
    Prescription.State.EXPIRED: "stopped",
    Prescription.State.SUPERSEDED: "cancelled",
    Prescription.State.STOPPED: "stopped",
    Prescription.State.COMPLETED: "completed",
    Prescription.State.ENTERED_IN_ERROR: "entered-in-error",
}
GENDERS = {"FEMALE": "female", "MALE": "male"}
UNITS_OF_TIME = {"DAY": "d", "WEEK": "wk"}


def coding(system: str, code: str) -> dict[str, str]:
    return {"system": system, "code": code}


def concept(system: str, code: str) -> Resource:
    return {"coding": [coding(system, code)]}


def without_blanks(resource: Resource) -> Resource:
    """The resource without what is empty: FHIR has no empty values."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}


def bundle_of(resources: list[tuple[str, Resource]], **head: Any) -> Resource:
    """A bundle of resources, each at its `fullUrl`."""
    entries = [{"fullUrl": url, "resource": resource} for url, resource in resources]
    return {"resourceType": "Bundle"} | head | {"entry": entries}


# --- A prescription in a card -----------------------------------------------------------------


def prescription_bundle(
    prescription: Prescription, profile: PatientProfile, *, language: Language, on: dt.date
) -> Resource:
    """What a health card holds: who it is for, who prescribed it, and each medicine.

    The items are read; `on` is the day whose state it tells.
    """
    orders = [
        _in_card(item_order(item, prescription, language=language, on=on))
        for item in prescription.items.all()
    ]
    resources = [patient_in_card(profile), prescriber(prescription), *orders]
    return bundle_of(
        [(f"resource:{number}", resource) for number, resource in enumerate(resources)],
        type="collection",
    )


def patient_in_card(profile: PatientProfile) -> Resource:
    """Enough to compare with an identity card."""
    return {
        "resourceType": "Patient",
        "name": [human_name(profile.user)],
        "birthDate": profile.birth_date.isoformat(),
    }


def _in_card(order: Resource) -> Resource:
    """The route is left out, which the sentence says, and the time of day: three or four medicines
    then fit into one QR code."""
    medicine = order.pop("medicationCodeableConcept")
    order.pop("reasonCode", None)
    for instruction in order["dosageInstruction"]:
        instruction.pop("route", None)
    return order | {
        "authoredOn": order["dispenseRequest"]["validityPeriod"]["start"],
        "medicationReference": {"display": medicine["text"]},
        "subject": {"reference": "resource:0"},
        "requester": {"reference": "resource:1"},
    }


# --- Resources --------------------------------------------------------------------------------


def human_name(user: User) -> Resource:
    names = {"family": printable_line(user.last_name), "given": [printable_line(user.first_name)]}
    return without_blanks(names)


def prescriber(prescription: Prescription) -> Resource:
    """As they were when they prescribed."""
    licence = {
        "system": f"{settings.SITE_URL}/fhir/medical-licence",
        "value": prescription.prescriber_licence_number,
    }
    return {
        "resourceType": "Practitioner",
        "identifier": [licence],
        "name": [{"text": printable_line(prescription.prescriber_name)}],
    }


def item_order(
    item: PrescriptionItem, prescription: Prescription, *, language: Language, on: dt.date
) -> Resource:
    """One medicine as a `MedicationRequest`, without `subject` and `requester`."""
    return without_blanks(
        {
            "resourceType": "MedicationRequest",
            "status": STATUS_CODES[prescription.state(on)],
            "intent": "order",
            "medicationCodeableConcept": {
                "text": printable_line(f"{item.medicine} {item.strength}")
            },
            "authoredOn": prescription.issued_at.astimezone(dt.UTC).isoformat(timespec="seconds"),
            "groupIdentifier": {
                "system": f"{settings.SITE_URL}/fhir/prescription",
                "value": f"{prescription.number}-{prescription.version}",
            },
            "reasonCode": notes(prescription.diagnosis),
            "dosageInstruction": [dosage(item, language)],
            "dispenseRequest": dispensing(item, prescription),
            "note": notes(item.instructions, prescription.notes),
        }
    )


def notes(*texts: str) -> list[Resource]:
    """What somebody typed, where there is anything of it to print: FHIR's texts hold no control
    characters and are never blank."""
    return [{"text": text} for text in map(printable_lines, texts) if text]


def dosage(item: PrescriptionItem, language: Language) -> Resource:
    """How to take it, in words and in structure. With both a frequency and *as needed*, the
    frequency is a ceiling; the sentence says so."""
    route = ROUTE_CODES.get(item.route)
    return without_blanks(
        {
            "text": dosage_sentence(item, language),
            "timing": {"repeat": repetition(item)} if repetition(item) else None,
            "asNeededBoolean": item.as_needed or None,
            "route": concept(ROUTE_SYSTEM, route) if route else None,
        }
    )


def repetition(item: PrescriptionItem) -> Resource:
    often = (
        {
            "frequency": item.frequency,
            "period": 1,
            "periodUnit": UNITS_OF_TIME[item.frequency_unit],
        }
        if item.frequency
        else {}
    )
    return often | ({"boundsDuration": days(item.duration_days)} if item.duration_days else {})


def dispensing(item: PrescriptionItem, prescription: Prescription) -> Resource:
    """What may be handed out, in units of one: a prescription counts tablets or packs alike."""
    period = {
        "start": prescription.issued_on.isoformat(),
        "end": prescription.valid_until.isoformat(),
    }
    return {
        "validityPeriod": period,
        "numberOfRepeatsAllowed": item.refills,
        "quantity": {"value": item.quantity},
    }


def days(number: int) -> Resource:
    return {"value": number, "system": "http://unitsofmeasure.org", "code": "d"}
