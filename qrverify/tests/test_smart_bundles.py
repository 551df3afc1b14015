"""FHIR R4: what we write is valid, by pydantic models and by an independent validator."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.utils import timezone, translation
from fhir.resources.R4B.bundle import Bundle

from accounts.models import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    MedicationStatement,
    PatientProfile,
)
from common.clock import clinic_date
from prescriptions.models import FrequencyUnit, Prescription, Route, StopReason
from prescriptions.services.issuing import Item
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import issue
from qrverify.models import CardField
from qrverify.smart.fhir import ROUTE_CODES, STATUS_CODES, prescription_bundle
from qrverify.smart.summary import MEASURES, patient_summary_bundle

pytestmark = pytest.mark.django_db

# Value sets that FHIR R4 requires; the models take any code.
CODES = {
    ("MedicationRequest", "status"): {
        "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft",
        "unknown",
    },
    ("MedicationRequest", "intent"): {
        "proposal", "plan", "order", "original-order", "reflex-order", "filler-order",
        "instance-order", "option",
    },
    ("AllergyIntolerance", "criticality"): {"low", "high", "unable-to-assess"},
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
    ("Observation", "status"): {
        "registered", "preliminary", "final", "amended", "corrected", "cancelled",
        "entered-in-error", "unknown",
    },
    ("MedicationStatement", "status"): {
        "active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown",
        "not-taken",
    },
    ("Composition", "status"): {"preliminary", "final", "amended", "entered-in-error"},
    ("Bundle", "type"): {
        "document", "message", "transaction", "transaction-response", "batch", "batch-response",
        "history", "searchset", "collection",
    },
}  # fmt: skip
UNITS_OF_TIME = {"s", "min", "h", "d", "wk", "mo", "a"}
EVERYTHING = [
    Item(medicine="Amoxicillin", strength="500 mg", frequency=3, duration_days=7, quantity=21),
    Item(
        medicine="Methotrexate",
        strength="2.5 mg",
        frequency=1,
        frequency_unit=FrequencyUnit.WEEK,
        duration_days=28,
        quantity=4,
        refills=2,
        instructions="يوم الأحد فقط",
    ),
    Item(medicine="Paracetamol", as_needed=True, frequency=4, quantity=20),
    Item(medicine="Salbutamol", route=Route.INHALATION, as_needed=True, quantity=1),
    Item(medicine="كريم مرطب", route=Route.OTHER, frequency=2, quantity=1),
]


def card_bundle(prescription: Prescription, language="en"):
    profile = PatientProfile.objects.select_related("user").get(user=prescription.patient)
    fresh = Prescription.objects.with_items().get(pk=prescription.pk)
    return prescription_bundle(fresh, profile, language=language, on=clinic_date())


def resources(bundle, kind):
    found = [entry["resource"] for entry in bundle["entry"]]
    return [resource for resource in found if resource["resourceType"] == kind]


def check_codes(bundle):
    Bundle.model_validate(bundle)
    assert bundle["type"] in CODES["Bundle", "type"]
    for entry in bundle["entry"]:
        resource = entry["resource"]
        for (kind, field), allowed in CODES.items():
            if resource["resourceType"] == kind and field in resource:
                assert resource[field] in allowed


def full_parts(patient, prescription):
    """Everything that can be shared."""
    profile = patient.patient_profile
    profile.blood_type, profile.height_cm, profile.weight_kg = "A+", 171, Decimal("70.5")
    profile.save()
    make = {
        CardField.ALLERGIES: AllergyIntolerance(
            patient=patient, substance="Penicillin", criticality="HIGH", reaction="Rash <b>"
        ),
        CardField.CONDITIONS: Condition(patient=patient, name="ربو", since="2015-03", note="Mild"),
        CardField.MEDICATIONS: MedicationStatement(
            patient=patient, name="Salbutamol", dosage="When needed", since="2019"
        ),
        CardField.EMERGENCY_CONTACTS: EmergencyContact(
            patient=patient, name="Sara", relationship="Sister", phone="+201112223334"
        ),
    }
    for row in make.values():
        row.save()
    return {
        CardField.NAME: [patient],
        CardField.BIRTH_DATE: [profile],
        CardField.SEX: [profile],
        CardField.BLOOD_TYPE: [profile],
        MEASURES: [profile],
        CardField.LANGUAGES: ["ar", "en"],
        CardField.NOTE: ["I wear a pacemaker & <lenses>."],
        CardField.PRESCRIPTIONS: [prescription],
        **{part: [row] for part, row in make.items()},
    }


def summary(patient, parts, language="en"):
    with translation.override(language):
        return patient_summary_bundle(
            patient=patient, parts=parts, title="Patient summary", at=timezone.now()
        )


# --- A prescription ---------------------------------------------------------------------------


def test_a_card_names_patient_prescriber_and_each_medicine(connection):
    prescription = issue(connection, items=EVERYTHING, notes="Come back\nin a week.")

    bundle = card_bundle(prescription)

    (person,), (doctor,) = resources(bundle, "Patient"), resources(bundle, "Practitioner")
    orders = resources(bundle, "MedicationRequest")
    assert person == {
        "resourceType": "Patient",
        "name": [{"family": "Adel", "given": ["Mona"]}],
        "birthDate": "1990-05-17",
    }
    assert doctor["name"] == [{"text": prescription.prescriber_name}]
    assert doctor["identifier"][0]["value"] == prescription.prescriber_licence_number
    assert [order["medicationReference"]["display"] for order in orders] == [
        "Amoxicillin 500 mg", "Methotrexate 2.5 mg", "Paracetamol", "Salbutamol", "كريم مرطب",
    ]  # fmt: skip
    assert {order["groupIdentifier"]["value"] for order in orders} == {f"{prescription.number}-1"}


def test_how_to_take_it_is_said_in_words_and_in_structure(connection):
    orders = resources(
        card_bundle(issue(connection, items=EVERYTHING, notes="Come back.")), "MedicationRequest"
    )

    first, weekly, ceiling, needed, _other = (order["dosageInstruction"][0] for order in orders)
    week = {"value": 7, "system": "http://unitsofmeasure.org", "code": "d"}
    assert first["text"] == "Take by mouth 3 times a day for 7 days"
    assert first["timing"]["repeat"] == {
        "frequency": 3, "period": 1, "periodUnit": "d", "boundsDuration": week,
    }  # fmt: skip
    assert weekly["timing"]["repeat"]["periodUnit"] == "wk"
    assert [ceiling["asNeededBoolean"], ceiling["timing"]["repeat"]["frequency"]] == [True, 4]
    assert [needed["asNeededBoolean"], "timing" in needed] == [True, False]
    assert orders[1]["note"] == [{"text": "يوم الأحد فقط"}, {"text": "Come back."}]
    assert orders[1]["dispenseRequest"] == {
        "validityPeriod": {
            "start": clinic_date().isoformat(),
            "end": orders[1]["dispenseRequest"]["validityPeriod"]["end"],
        },
        "numberOfRepeatsAllowed": 2,
        "quantity": {"value": 4},
    }


def test_a_card_is_as_small_as_the_framework_demands(connection):
    bundle = card_bundle(issue(connection, items=EVERYTHING))

    written = json.dumps(bundle)
    for word in (
        '"id"',
        '"meta"',
        '"div"',
        "Hypertension",
        '"medicationCodeableConcept"',
        '"coding"',
    ):
        assert word not in written
    assert [entry["fullUrl"] for entry in bundle["entry"]] == [
        f"resource:{number}" for number in range(7)
    ]


def test_a_summary_says_the_route_by_its_code(patient, connection):
    parts = {CardField.PRESCRIPTIONS: [issue(connection, items=EVERYTHING)]}

    orders = resources(summary(patient, parts), "MedicationRequest")

    routes = [order["dosageInstruction"][0].get("route") for order in orders]
    codes = [route and route["coding"][0]["code"] for route in routes]
    assert codes == ["PO", "PO", "PO", "IPINHL", None]


def test_every_state_and_route_has_a_code():
    assert set(STATUS_CODES) == set(Prescription.State)
    assert set(ROUTE_CODES) == set(Route.values) - {"OTHER"}


def test_a_stopped_prescription_says_so(connection):
    prescription = issue(connection)
    stop_prescription(
        actor=connection.doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED
    )

    orders = resources(card_bundle(prescription), "MedicationRequest")

    assert {order["status"] for order in orders} == {"stopped"}


def test_an_expired_prescription_does_not_pass_for_active(connection):
    prescription = issue(connection)
    profile = PatientProfile.objects.get(user=prescription.patient)
    later = prescription.valid_until + dt.timedelta(days=1)

    bundle = prescription_bundle(prescription, profile, language="en", on=later)

    assert {order["status"] for order in resources(bundle, "MedicationRequest")} == {"stopped"}


# --- A summary --------------------------------------------------------------------------------


def test_a_summary_holds_what_was_chosen(patient, connection):
    parts = full_parts(patient, issue(connection, items=EVERYTHING))

    bundle = summary(patient, parts)

    (composition,) = resources(bundle, "Composition")
    (person,) = resources(bundle, "Patient")
    assert bundle["entry"][0]["resource"] == composition
    assert [section["title"] for section in composition["section"]] == [
        "Allergies", "Chronic conditions", "Medicines taken", "Prescribed medicines",
        "Blood type", "Height and weight", "Note",
    ]  # fmt: skip
    assert person["contact"][0]["telecom"] == [{"system": "phone", "value": "+201112223334"}]
    assert person["gender"] == "female"
    assert [one["language"]["coding"][0]["code"] for one in person["communication"]] == ["ar", "en"]
    assert resources(bundle, "Condition")[0]["onsetDateTime"] == "2015-03"
    assert len(resources(bundle, "MedicationRequest")) == len(EVERYTHING)


def test_what_is_withheld_is_not_what_is_empty(patient):
    bundle = summary(patient, {CardField.ALLERGIES: []})

    (composition,) = resources(bundle, "Composition")
    why = {
        section["title"]: section["emptyReason"]["coding"][0]["code"]
        for section in composition["section"]
    }
    assert why["Allergies"] == "unavailable"
    assert {code for title, code in why.items() if title != "Allergies"} == {"withheld"}
    assert resources(bundle, "Patient") == [{"resourceType": "Patient"}]


def test_what_was_typed_is_text_in_the_narrative(patient, connection):
    written = json.dumps(summary(patient, full_parts(patient, issue(connection))))

    assert "&lt;lenses&gt;" in written
    assert "<lenses>" not in written
    assert "<b>" in written.replace("&lt;", "<")


def test_every_reference_of_a_summary_leads_somewhere(patient, connection):
    bundle = summary(patient, full_parts(patient, issue(connection, items=EVERYTHING)))

    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    pairs = (one for entry in bundle["entry"] for one in references(entry["resource"]))
    assert len(set(urls)) == len(urls)
    assert set(pairs) <= set(urls)


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


# --- Judged -----------------------------------------------------------------------------------


def test_models_and_an_independent_validator_find_nothing_wrong(patient, connection, verifiers):
    prescription = issue(connection, items=EVERYTHING, notes="ملاحظة")
    parts = full_parts(patient, prescription)
    bundles = [
        card_bundle(prescription),
        card_bundle(prescription, "ar"),
        summary(patient, parts),
        summary(patient, parts, "ar"),
        summary(patient, {}),
        summary(patient, {CardField.NAME: [patient], CardField.ALLERGIES: []}),
    ]

    issues = verifiers.issues_of(*bundles)

    assert issues == [[] for _ in bundles]
    for bundle in bundles:
        check_codes(bundle)


def test_the_validator_would_have_noticed(connection, verifiers):
    wrong = card_bundle(issue(connection))
    del wrong["entry"][2]["resource"]["intent"]
    wrong["entry"][0]["resource"]["birthDate"] = "yesterday"

    (issues,) = verifiers.issues_of(wrong)

    assert len(issues) == 2
