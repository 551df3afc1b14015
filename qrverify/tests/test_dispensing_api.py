"""Dispensing over REST, by an app without an account."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import AllergyIntolerance
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.client import api_client
from prescriptions.models import DispenseClaim, MedicationDispense, Prescription
from prescriptions.tests.dispensing import fresh, wrong_pin
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
SAID = {
    "pharmacy_name": "Nile Pharmacy",
    "pharmacist_name": "Hoda Samir",
    "licence_number": "PH-1234",
}


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def send(route: str, status: int = 200, /, **body: Any) -> Any:
    answer = api_client().post(f"/api/v1/dispensing/{route}", body, format="json")
    assert answer.status_code == status, answer.content
    assert "no-store" in answer["Cache-Control"]
    return answer.json()


def opened(prescription: Prescription) -> dict[str, Any]:
    return send("open", code=prescription.verification_code, pin=prescription.pin)


def claimed(prescription: Prescription, **changes: Any) -> dict[str, Any]:
    body = {"pass": opened(prescription)["pass"], "client_id": str(uuid7()), **SAID, **changes}
    return send("claims", 201, **body)


def refusal(answer: dict[str, Any]) -> tuple[str, str | None]:
    (error,) = answer["errors"]
    return error["code"], error["attr"]


def test_pharmacist_is_not_spoken_to_as_the_prescriber_was(connection: Connection) -> None:
    for substance in ("Amlodipine", "Foozine"):
        AllergyIntolerance.objects.create(patient=connection.patient, substance=substance)

    conflict, unchecked = opened(issue(connection))["content"]["safety"]

    assert "that the doctor could not see conflicts with" in conflict["text"]
    assert unchecked["text"] == "An allergy that the doctor could not see could not be compared."


def test_right_pin_shows_what_was_prescribed(prescription: Prescription) -> None:
    answer = opened(prescription)

    assert answer["content"]["patient_name"] == "Mona Adel"
    assert answer["content"]["items"][0] == {
        "position": 1,
        "medicine": "Amlodipine",
        "strength": "5 mg",
        "route": "ORAL",
        "dosage": {
            "en": "Take by mouth once a day for 30 days",
            "ar": "يؤخذ عن طريق الفم مرة واحدة يوميًا لمدة 30 يومًا",
        },
        "instructions": "",
        "controlled": False,
        "quantity": 30,
        "refills": 0,
        "fill": 0,
        "left_in_all": 30,
        "available": 30,
        "opens_on": None,
    }
    assert "Hypertension" not in str(answer)
    birth_date = prescription.patient.patient_profile.birth_date
    assert answer["content"]["patient_birth_year"] == birth_date.year
    assert birth_date.isoformat() not in str(answer)


def test_pharmacist_claims_dispenses_withdraws_and_returns(prescription: Prescription) -> None:
    held = claimed(prescription)
    secret = held["claim"]
    assert (held["pharmacy_name"], held["approved"], held["dispenses"]) == (
        "Nile Pharmacy", False, [],
    )  # fmt: skip

    lines = [{"position": 1, "quantity": 10}, {"position": 2, "quantity": 20}]
    after = send("dispenses", claim=secret, client_id=str(uuid7()), lines=lines)
    assert [(one["position"], one["quantity"]) for one in after["dispenses"]] == [(1, 10), (2, 20)]
    assert [item["available"] for item in after["content"]["items"]] == [20, 0]

    send("dispenses/withdraw", claim=secret, dispense_id=after["dispenses"][0]["id"])
    seen = send("claims/view", claim=secret.lower())
    assert [item["available"] for item in seen["content"]["items"]] == [30, 0]

    returned = send("claims/return", claim=secret)
    assert (returned["end_reason"], returned["content"]) == ("RETURNED", None)
    assert not DispenseClaim.objects.standing().exists()


def test_all_of_it_completes_it(prescription: Prescription) -> None:
    secret = claimed(prescription)["claim"]
    lines = [{"position": 1, "quantity": 30}, {"position": 2, "quantity": 20}]
    body = {"claim": secret, "client_id": str(uuid7()), "lines": lines}

    answers = [send("dispenses", **body) for _ in range(2)]

    assert [answer["end_reason"] for answer in answers] == ["COMPLETED", "COMPLETED"]
    assert fresh(prescription).status == "completed"


def test_claim_sent_again_is_the_same(prescription: Prescription) -> None:
    body = {"pass": opened(prescription)["pass"], "client_id": str(uuid7()), **SAID}

    first, again = (send("claims", 201, **body) for _ in range(2))

    assert (first["id"], first["claim"]) == (again["id"], again["claim"])


def test_second_pharmacy_is_told_who_holds_it(prescription: Prescription) -> None:
    claimed(prescription)
    body = {"pass": opened(prescription)["pass"], "client_id": str(uuid7()), **SAID}

    answer = send("claims", 409, **body | {"pharmacy_name": "Delta Pharmacy"})

    assert refusal(answer)[0] == "claimed"
    assert "Nile Pharmacy" in answer["errors"][0]["detail"]


def test_wrong_pin_is_refused_ten_times_and_then_the_paper_is_closed(
    prescription: Prescription,
) -> None:
    body = {"code": prescription.verification_code, "pin": wrong_pin(prescription)}

    refused = [refusal(send("open", 400, **body)) for _ in range(9)]
    closed = refusal(send("open", 409, **body))
    cache.clear()
    after = refusal(send("open", 409, **body | {"pin": prescription.pin}))

    assert set(refused) == {("wrong_pin", "pin")}
    assert closed == after == ("pin_locked", None)


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("open", {"code": "unknown", "pin": "123456"}, "code_unknown"),
        ("claims", {"pass": "x", "client_id": str(uuid7()), **SAID}, "pass_not_valid"),
        ("claims/view", {"claim": "AAAAA-AAAAA"}, "claim_not_held"),
        ("claims/return", {"claim": "AAAAA-AAAAA"}, "claim_not_held"),
        (
            "dispenses",
            {
                "claim": "AAAAA-AAAAA",
                "client_id": str(uuid7()),
                "lines": [{"position": 1, "quantity": 1}],
            },
            "claim_not_held",
        ),
        (
            "dispenses/withdraw",
            {"claim": "AAAAA-AAAAA", "dispense_id": str(uuid7())},
            "claim_not_held",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_not_known_is_refused_in_one_way(
    route: str, body: dict[str, Any], code: str
) -> None:
    assert refusal(send(route, 400, **body))[0] == code


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ([{"position": 1, "quantity": 31}], 409, "too_much"),
        ([{"position": 1, "quantity": 1}] * 2, 400, "invalid"),
        ([{"position": 7, "quantity": 1}], 400, "invalid"),
        ([{"position": 10**30, "quantity": 1}], 400, "invalid"),
        ([{"position": 1, "quantity": -1}], 400, "min_value"),
        ([{"position": 1, "quantity": 0}], 400, "min_value"),
        ([{"position": 1, "quantity": 10**30}], 400, "invalid"),
        ([], 400, "min_length"),
        ([{"position": 1, "quantity": 1}] * 31, 400, "max_length"),
    ],
)
def test_lines_that_cannot_be_are_refused(
    lines: list[dict[str, int]], status: int, code: str, prescription: Prescription
) -> None:
    secret = claimed(prescription)["claim"]

    answer = send("dispenses", status, claim=secret, client_id=str(uuid7()), lines=lines)

    assert refusal(answer)[0] == code
    assert not MedicationDispense.objects.exists()


def test_pin_written_as_a_number_is_refused(prescription: Prescription) -> None:
    """It would have lost its leading zeros; and no try is counted."""
    send("open", 400, code=prescription.verification_code, pin=123456)

    assert fresh(prescription).wrong_pins == 0


def test_huge_pass_is_refused(prescription: Prescription) -> None:
    body = {"client_id": str(uuid7()), **SAID}

    for text in ("x" * 501, "x" * 100_000, opened(prescription)["pass"] + "x"):
        send("claims", 400, **body | {"pass": text})


def test_pins_and_claims_are_limited_by_address() -> None:
    for _ in range(10):
        send("open", 400, code="unknown", pin="123456")
    send("open", 429, code="unknown", pin="123456")
    for _ in range(30):
        send("claims/view", 400, claim="AAAAA-AAAAA")

    send("claims/return", 429, claim="AAAAA-AAAAA")


def test_bad_token_does_not_keep_a_pharmacist_out(prescription: Prescription) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer expired")
    body = {"code": prescription.verification_code, "pin": prescription.pin}

    assert client.post("/api/v1/dispensing/open", body).status_code == 200


def test_patient_disputes_a_claim_over_rest(prescription: Prescription) -> None:
    held = claimed(prescription)
    path = f"/api/v1/prescriptions/{prescription.pk}/claims/{held['id']}/dispute"

    assert api_client(prescription.doctor).post(path).status_code == 404
    answer = api_client(prescription.patient).post(path)

    assert answer.status_code == 200
    assert DispenseClaim.objects.get().end_reason == "DISPUTED"
