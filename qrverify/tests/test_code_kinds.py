"""Codes of all kinds over one set of routes: made, listed, looked at, withdrawn, cleaned up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import DeviceSession, User
from accounts.policies import SecondFactorNeeded
from accounts.tests.factors import unconfirmed
from audit.models import AccessEvent
from connections.models import Connection
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from prescriptions.models import Prescription
from prescriptions.services.codes import reissue_code
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import issue
from qrverify.models import EmergencyCard, QrSighting, QrToken
from qrverify.services.codes import revoke_code
from qrverify.services.emergency import reissue_card
from qrverify.services.tokens import clean_up, find_token
from qrverify.tests.emergency import make_card
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db
QR = "/api/v1/qr"
STOP_ASKED_FOR = {
    "stop_requested_at": timezone.now(),
    "status_reason": "ALLERGY",
    "status_at": timezone.now(),
}


@pytest.fixture
def paper(connection: Connection) -> Prescription:
    return issue(connection)


@pytest.fixture
def card(patient: User) -> EmergencyCard:
    return make_card(patient)


def generate(user: User, kind: str, **more: Any) -> Any:
    return api_client(user).post(f"{QR}/generate", {"type": kind} | more)


def fault(answer: Any) -> tuple[int, str, str | None]:
    found = answer.json()["errors"][0]
    return answer.status_code, found["code"], found["attr"]


def of_paper(paper: Prescription) -> dict[str, Any]:
    return {"metadata": {"prescription_id": str(paper.pk)}}


# --- Made ---------------------------------------------------------------------


def test_patient_makes_another_code_for_a_prescription(patient: User, paper: Prescription) -> None:
    answer = generate(patient, "PRESCRIPTION", **of_paper(paper))

    made = answer.json()
    now = Prescription.objects.get()
    assert answer.status_code == 201
    assert (made["id"], made["type"], made["number"]) == (str(now.pk), "PRESCRIPTION", now.number)
    assert (made["url"], made["token"]) == (now.verification_url, now.verification_code)
    assert (made["pin"], made["code"]) == (now.pin, None)
    assert made["svg"].startswith("<svg")
    assert made["png"].startswith("data:image/png;base64,")
    assert now.verification_code != paper.verification_code


def test_patient_makes_another_code_for_the_emergency_card(
    patient: User, card: EmergencyCard
) -> None:
    answer = generate(patient, "EMERGENCY")

    made, now = answer.json(), EmergencyCard.objects.live().get()
    assert answer.status_code == 201
    assert (made["id"], made["url"], made["token"]) == (str(now.pk), now.url, now.secret)
    assert (made["expires_at"], made["pin"], made["code"], made["number"]) == (None,) * 4
    assert now.pk != card.pk


def test_who_has_no_emergency_card_is_told_so(patient: User) -> None:
    assert fault(generate(patient, "EMERGENCY")) == (404, "no_emergency_card", None)


@pytest.mark.parametrize("kind", ["PRESCRIPTION", "EMERGENCY"])
@pytest.mark.parametrize("who", ["doctor", "admin"])
def test_only_patients_make_them(
    kind: str, who: str, paper: Prescription, request: pytest.FixtureRequest
) -> None:
    more = of_paper(paper) if kind == "PRESCRIPTION" else {}

    answer = generate(request.getfixturevalue(who), kind, **more)

    assert answer.status_code == 403
    assert Prescription.objects.get().verification_code == paper.verification_code


def test_prescription_of_another_patient_is_not_there(stranger: User, paper: Prescription) -> None:
    assert generate(stranger, "PRESCRIPTION", **of_paper(paper)).status_code == 404


@pytest.mark.parametrize(
    ("kind", "more", "attr"),
    [
        ("PRESCRIPTION", {}, "metadata.prescription_id"),
        ("PRESCRIPTION", {"metadata": {}}, "metadata.prescription_id"),
        ("PRESCRIPTION", {"metadata": {"prescription_id": "x"}}, "metadata.prescription_id"),
        ("PRESCRIPTION", {"metadata": {"patient_id": "x"}}, "metadata.patient_id"),
        ("PRESCRIPTION", {"metadata": "x"}, "metadata.non_field_errors"),
        ("EMERGENCY", {"expiry_minutes": 5}, "expiry_minutes"),
        ("HEALTH_CARD", {}, "type"),
        ("HEALTH_LINK", {}, "type"),
        ("", {}, "type"),
    ],
)
def test_what_fits_no_kind_is_refused(
    patient: User, card: EmergencyCard, kind: str, more: dict[str, Any], attr: str
) -> None:
    answer = generate(patient, kind, **more)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)
    assert EmergencyCard.objects.live().get() == card


@pytest.mark.parametrize("kind", ["CONNECTION", "EMERGENCY"])
def test_only_the_code_of_a_prescription_names_one(
    kind: str, doctor: User, paper: Prescription
) -> None:
    answer = generate(doctor, kind, **of_paper(paper))

    assert fault(answer) == (400, "invalid", "metadata.prescription_id")


def test_prescription_that_ended_gets_no_code(
    patient: User, doctor: User, paper: Prescription
) -> None:
    stop(doctor, paper)

    answer = generate(patient, "PRESCRIPTION", **of_paper(paper))

    assert fault(answer)[:2] == (409, "prescription_not_active")


def stop(doctor: User, paper: Prescription) -> None:
    stop_prescription(
        actor=doctor, prescription_id=paper.pk, reason="NOT_NEEDED", note="It is over."
    )


def test_new_code_of_a_card_is_made_by_whoever_has_just_confirmed(
    patient: User, card: EmergencyCard, paper: Prescription
) -> None:
    app = api_client(patient)
    unconfirmed(DeviceSession.objects.latest("pk"))

    refused = app.post(f"{QR}/generate", {"type": "EMERGENCY"})
    made = app.post(f"{QR}/generate", {"type": "PRESCRIPTION", **of_paper(paper)}, format="json")

    assert (refused.status_code, fault(refused)[1]) == (403, "confirmation_required")
    assert EmergencyCard.objects.live().get() == card
    assert made.status_code == 201


# --- Listed -------------------------------------------------------------------


def test_patients_list_has_what_works_of_theirs(
    patient: User, doctor: User, stranger: User, paper: Prescription, card: EmergencyCard
) -> None:
    over = issue(paper.connection)
    stop(doctor, over)
    show_code(doctor)

    rows = api_client(patient).get(f"{QR}/active").json()

    assert [(row["id"], row["type"], row["state"]) for row in rows] == [
        (str(paper.pk), "PRESCRIPTION", "ACTIVE"),
        (str(card.pk), "EMERGENCY", "ACTIVE"),
    ]
    assert rows[0]["number"] == paper.number
    assert paper.verification_code not in str(rows)
    assert paper.pin not in str(rows)
    assert api_client(stranger).get(f"{QR}/active").json() == []


# --- Looked at ----------------------------------------------------------------


def validate(user: User, token: str) -> Any:
    return api_client(user).post(f"{QR}/validate", {"token": token})


@pytest.mark.parametrize("who", ["patient", "stranger", "doctor", "admin"])
def test_whoever_holds_a_code_learns_how_it_stands(
    who: str, paper: Prescription, card: EmergencyCard, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(who)

    answers = [validate(user, held).json() for held in (paper.verification_url, card.url)]

    assert [(one["type"], one["state"]) for one in answers] == [
        ("PRESCRIPTION", "ACTIVE"), ("EMERGENCY", "ACTIVE"),
    ]  # fmt: skip
    assert "Mona" not in str(answers)


def test_old_codes_are_told_to_be_withdrawn(
    patient: User, stranger: User, paper: Prescription, card: EmergencyCard
) -> None:
    reissue_code(actor=patient, prescription_id=paper.pk)
    reissue_card(session=sign_in(patient), card_id=card.pk)

    answers = [validate(stranger, held).json() for held in (paper.verification_url, card.url)]

    assert [one["state"] for one in answers] == ["REVOKED", "REVOKED"]
    assert (answers[0]["id"], answers[0]["number"], answers[0]["created_at"]) == (None,) * 3


def test_stopped_prescription_has_no_code_that_works(
    stranger: User, doctor: User, paper: Prescription
) -> None:
    stop(doctor, paper)

    assert validate(stranger, paper.verification_url).json()["state"] == "REVOKED"


@pytest.mark.parametrize("change", [{"wrong_pins": 10}, STOP_ASKED_FOR], ids=["locked", "stopping"])
def test_paper_that_opens_no_more_is_not_active(
    patient: User, stranger: User, paper: Prescription, change: dict[str, Any]
) -> None:
    Prescription.objects.filter(pk=paper.pk).update(**change)

    assert validate(stranger, paper.verification_url).json()["state"] == "REVOKED"
    assert api_client(patient).get(f"{QR}/active").json() == []


def test_altered_and_unknown_paper_is_not_valid(
    stranger: User, paper: Prescription, card: EmergencyCard
) -> None:
    altered = paper.verification_url.replace("v=1", "v=2")
    unknown = paper.verification_url.replace(paper.verification_code, "A" * 43)

    for held in (altered, unknown, card.url.replace(str(card.secret), "A" * 43)):
        assert fault(validate(stranger, held)) == (409, "qr_not_valid", "token")


def test_looking_at_a_prescription_is_logged_like_any_verification(
    stranger: User, paper: Prescription
) -> None:
    validate(stranger, paper.verification_url)

    look = AccessEvent.objects.get(action=AccessEvent.Action.VERIFIED)
    assert (look.actor_id, look.object_id) == (None, paper.pk)


@pytest.mark.parametrize("confirm", [False, True])
def test_patient_who_scans_another_kind_is_told_and_not_connected(
    stranger: User, paper: Prescription, card: EmergencyCard, confirm: bool
) -> None:
    client = api_client(stranger)

    answers = [
        client.post(f"{QR}/scan", {"token": held, "confirm": confirm}).json()
        for held in (paper.verification_url, card.url, "shc:/5676")
    ]

    assert [(one["type"], one["url"]) for one in answers] == [
        ("PRESCRIPTION", paper.verification_url),
        ("EMERGENCY", card.url),
        ("HEALTH_CARD", "http://testserver/verify"),
    ]
    assert all(one["detail"] and not one["doctor"] for one in answers)
    assert not Connection.objects.filter(patient=stranger).exists()
    assert not AccessEvent.objects.filter(action=AccessEvent.Action.EMERGENCY_OPENED).exists()


@pytest.mark.parametrize("confirm", [False, True])
def test_others_do_not_scan_any_kind(
    doctor: User, admin: User, paper: Prescription, confirm: bool
) -> None:
    for user in (doctor, admin):
        body = {"token": paper.verification_url, "confirm": confirm}
        assert api_client(user).post(f"{QR}/scan", body).status_code == 403


# --- Withdrawn ----------------------------------------------------------------


def test_withdrawn_paper_says_that_it_was_replaced(
    patient: User, stranger: User, paper: Prescription
) -> None:
    answer = api_client(patient).delete(f"{QR}/{paper.pk}")

    now = Prescription.objects.get()
    assert answer.status_code == 204
    assert (now.status, now.pin == paper.pin) == ("active", False)
    assert validate(stranger, paper.verification_url).json()["state"] == "REVOKED"
    assert validate(stranger, now.verification_url).json()["state"] == "ACTIVE"


def test_withdrawn_card_opens_nothing(patient: User, stranger: User, card: EmergencyCard) -> None:
    answer = api_client(patient).delete(f"{QR}/{card.pk}")

    assert answer.status_code == 204
    assert not EmergencyCard.objects.live().exists()
    assert validate(stranger, card.url).json()["state"] == "REVOKED"


@pytest.mark.parametrize("who", ["stranger", "doctor", "other_doctor", "admin"])
def test_nobody_else_withdraws_a_patients_codes(
    who: str, paper: Prescription, card: EmergencyCard, request: pytest.FixtureRequest
) -> None:
    client = api_client(request.getfixturevalue(who))

    statuses = [client.delete(f"{QR}/{pk}").status_code for pk in (paper.pk, card.pk)]

    assert statuses == [404, 404]
    assert EmergencyCard.objects.live().exists()
    assert Prescription.objects.get().verification_code == paper.verification_code


def test_card_that_was_replaced_does_not_withdraw_the_one_in_its_place(
    patient: User, card: EmergencyCard
) -> None:
    newer = reissue_card(session=sign_in(patient), card_id=card.pk)

    answer = api_client(patient).delete(f"{QR}/{card.pk}")

    assert fault(answer)[:2] == (409, "emergency_card_not_current")
    assert EmergencyCard.objects.live().get() == newer


@pytest.mark.django_db(transaction=True)
def test_card_replaced_while_it_is_withdrawn_is_one_or_the_other(
    patient: User, card: EmergencyCard
) -> None:
    session = sign_in(patient)

    racers = race(
        lambda: reissue_card(session=session, card_id=card.pk),
        lambda: revoke_code(actor=patient, code_id=card.pk),
        gate=EmergencyCard,
    )

    live = EmergencyCard.objects.live().count()
    assert (errors(racers), live) in [(["", "AnotherCard"], 1), (["AnotherCard", ""], 0)]


# --- Cleaned up ---------------------------------------------------------------


def stale_code(doctor: User, patient: User) -> QrToken:
    """One that ended more than a week ago, and was looked at."""
    shown = show_code(doctor)
    find_token(actor=patient, scanned=shown.secret)
    ended = timezone.now() - QrToken.KEPT_FOR - dt.timedelta(minutes=1)
    QrToken.objects.filter(pk=shown.token.pk).update(expires_at=ended)
    return shown.token


def test_administrator_forgets_old_codes_and_is_told_how_many(
    admin: User, doctor: User, patient: User
) -> None:
    stale_code(doctor, patient)
    stale_code(doctor, patient)
    kept = show_code(doctor).token

    answers = [api_client(admin).post(f"{QR}/cleanup") for _ in range(2)]

    assert [answer.json() for answer in answers] == [{"deleted": 2}, {"deleted": 0}]
    assert QrToken.objects.get() == kept
    assert not QrSighting.objects.exists()


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_nobody_else_cleans_up(
    who: str, doctor: User, patient: User, request: pytest.FixtureRequest
) -> None:
    stale_code(doctor, patient)

    answer = api_client(request.getfixturevalue(who)).post(f"{QR}/cleanup")

    assert answer.status_code == 403
    assert QrToken.objects.exists()


def test_administrator_without_a_second_factor_cleans_nothing_up(
    admin: User, doctor: User, patient: User
) -> None:
    stale_code(doctor, patient)
    session = sign_in(admin)
    session.factor = ""

    with pytest.raises(SecondFactorNeeded):
        clean_up(session=session)

    assert QrToken.objects.exists()


def test_admin_page_says_what_would_be_forgotten_and_then_what_was(
    admin: User, doctor: User, patient: User
) -> None:
    stale_code(doctor, patient)
    browser = page_client(admin)
    address = "/admin/qrverify/qrtoken/clean-up/"

    listed = browser.get("/admin/qrverify/qrtoken/").content.decode()
    asked = browser.get(address).content.decode()

    assert address in listed
    assert "1 code ended more than a week ago" in asked
    assert QrToken.objects.exists()

    done = browser.post(address, follow=True).content.decode()

    assert "1 old code was forgotten." in done
    assert not QrToken.objects.exists()
