"""A patient scans a code, sees who it is from, and connects."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import PatientFactory
from audit.models import AccessEvent
from connections.models import Connection
from connections.services import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client
from medisync.tests.races import errors, race
from qrverify.models import QrToken
from qrverify.services import QrUsed, find_token, redeem_token, revoke_token
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db
SCAN = "/api/v1/qr/scan"


def scan(user: User, token: str, **more: Any):
    return api_client(user).post(SCAN, {"token": token} | more)


def test_preview_says_who_it_is_and_uses_nothing(patient: User, doctor: User) -> None:
    shown = show_code(doctor)

    answer = scan(patient, shown.url)

    assert answer.json()["doctor"]["display_name"] == "Dr Karim Nabil"
    assert answer.json()["connection"] is None
    assert QrToken.objects.get().used_at is None
    assert not Connection.objects.exists()


@pytest.mark.parametrize("form", ["url", "secret", "code"])
def test_confirming_connects(patient: User, doctor: User, form: str) -> None:
    shown = show_code(doctor)

    answer = scan(patient, getattr(shown, form), confirm=True)

    made = Connection.objects.get()
    token = QrToken.objects.get()
    assert answer.json()["connection"]["id"] == str(made.pk)
    assert (made.patient, made.doctor, made.origin) == (patient, doctor, "QR")
    assert (token.used_by, token.state(timezone.now())) == (patient, "USED")


def test_confirm_false_is_a_preview(patient: User, doctor: User) -> None:
    scan(patient, show_code(doctor).url, confirm=False)

    assert not Connection.objects.exists()


def test_code_connects_one_patient(patient: User, stranger: User, doctor: User) -> None:
    shown = show_code(doctor)
    redeem_token(actor=patient, scanned=shown.code)

    answer = scan(stranger, shown.code, confirm=True)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "qr_used")
    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "code"), [("expires_at", "qr_expired"), ("revoked_at", "qr_not_valid")]
)
def test_ended_code_connects_nobody(patient: User, doctor: User, field: str, code: str) -> None:
    shown = show_code(doctor, **{field: timezone.now()})

    answers = [scan(patient, shown.url), scan(patient, shown.url, confirm=True)]

    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, code)
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "scanned",
    [
        "x",
        "AAAAA-AAAAA",
        "A" * 43,
        "https://example.org/",
        "http://[abc",
        "//[",
        "?",
        "#",
        "/",
        "é" * 43,
        "UUUUU-UUUUU",
        "0" * 500,
        "javascript:alert(1)//" + "A" * 43,
    ],
)
def test_what_is_no_code_of_ours_is_refused(patient: User, scanned: str) -> None:
    answer = scan(patient, scanned)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "qr_not_valid")


def test_suspended_doctors_code_connects_nobody(patient: User, doctor: User) -> None:
    shown = show_code(doctor)
    User.objects.filter(pk=doctor.pk).update(status=Status.SUSPENDED)

    answer = scan(patient, shown.url, confirm=True)

    assert answer.json()["errors"][0]["code"] == "doctor_not_available"
    assert QrToken.objects.get().used_at is None


def test_code_is_not_used_up_by_whom_it_cannot_connect(connection: Connection) -> None:
    shown = show_code(connection.doctor)

    answer = scan(connection.patient, shown.url, confirm=True)

    assert answer.json()["errors"][0]["code"] == "already_connected"
    assert QrToken.objects.get().used_at is None


def test_blocked_patient_does_not_connect(patient: User, doctor: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, status="BLOCKED", ended_at=timezone.now())

    answer = scan(patient, show_code(doctor).url, confirm=True)

    assert answer.json()["errors"][0]["code"] == "connection_blocked"
    assert QrToken.objects.get().used_at is None


def test_only_patients_scan(doctor: User, other_doctor: User, admin: User) -> None:
    shown = show_code(doctor)

    for actor in (doctor, other_doctor, admin):
        assert scan(actor, shown.url).status_code == 403
        assert scan(actor, shown.url, confirm=True).status_code == 403


def test_guessing_is_slowed_down(patient: User) -> None:
    client = api_client(patient)

    statuses = [client.post(SCAN, {"token": f"AAAAA-{n:05d}"}).status_code for n in range(11)]

    assert statuses == [409] * 10 + [429]


def test_scanning_and_validating_share_one_limit(patient: User) -> None:
    client = api_client(patient)
    for n in range(10):
        client.post(SCAN, {"token": f"AAAAA-{n:05d}"})

    answer = client.post("/api/v1/qr/validate", {"token": "AAAAA-AAAAA"})

    assert answer.status_code == 429


def test_validating_tells_the_state_and_uses_nothing(patient: User, doctor: User) -> None:
    shown = show_code(doctor)
    client = api_client(patient)

    before = client.post("/api/v1/qr/validate", {"token": shown.code}).json()
    redeem_token(actor=patient, scanned=shown.code)
    after = client.post("/api/v1/qr/validate", {"token": shown.code}).json()

    assert (before["state"], after["state"]) == ("ACTIVE", "USED")


def test_withdrawn_code_does_not_connect(patient: User, doctor: User) -> None:
    shown = show_code(doctor)

    answer = api_client(doctor).delete(f"/api/v1/qr/{shown.token.pk}")

    assert answer.status_code == 204
    assert scan(patient, shown.url).status_code == 409


def test_used_code_cannot_be_withdrawn(patient: User, doctor: User) -> None:
    shown = show_code(doctor)
    redeem_token(actor=patient, scanned=shown.secret)

    answer = api_client(doctor).delete(f"/api/v1/qr/{shown.token.pk}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "qr_not_valid")


def test_code_of_another_doctor_is_not_there(doctor: User, other_doctor: User) -> None:
    shown = show_code(doctor)

    answer = api_client(other_doctor).delete(f"/api/v1/qr/{shown.token.pk}")

    shown.token.refresh_from_db()
    assert answer.status_code == 404
    assert shown.token.revoked_at is None


@pytest.mark.parametrize(
    "change",
    [
        lambda patient: {"used_at": timezone.now()},
        lambda patient: {"used_by": patient},
        lambda patient: {
            "used_at": timezone.now(),
            "used_by": patient,
            "revoked_at": timezone.now(),
        },
    ],
    ids=["used by nobody", "used at no time", "used and withdrawn"],
)
def test_database_refuses_half_truths(patient: User, doctor: User, change: Any) -> None:
    shown = show_code(doctor)

    with pytest.raises(IntegrityError), transaction.atomic():
        QrToken.objects.filter(pk=shown.token.pk).update(**change(patient))


@pytest.mark.django_db(transaction=True)
def test_two_patients_with_one_code_at_once_make_one_connection(
    patient: User, stranger: User, doctor: User
) -> None:
    shown = show_code(doctor)

    racers = race(
        lambda: redeem_token(actor=patient, scanned=shown.code),
        lambda: redeem_token(actor=stranger, scanned=shown.code),
        gate=QrToken,
    )

    assert sorted(errors(racers)) == ["", "QrUsed"]
    assert QrUsed.status_code == 409
    assert Connection.objects.get().patient == QrToken.objects.get().used_by


@pytest.mark.django_db(transaction=True)
def test_code_checked_in_python_would_connect_two(doctor: User) -> None:
    """What the conditional UPDATE is for."""
    shown = show_code(doctor)
    people = [PatientFactory(), PatientFactory()]

    def careless(actor: User) -> None:
        token = find_token(actor=actor, scanned=shown.code)
        token.used_at, token.used_by = timezone.now(), actor
        token.save()
        ConnectionFactory(patient=actor, doctor=doctor)

    race(*(lambda actor=actor: careless(actor) for actor in people), gate=QrToken)

    assert Connection.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_codes_at_once_connect_a_patient_once(patient: User, doctor: User) -> None:
    first, second = show_code(doctor), show_code(doctor)

    racers = race(
        lambda: redeem_token(actor=patient, scanned=first.code),
        lambda: redeem_token(actor=patient, scanned=second.code),
        gate=Connection,
    )

    assert errors(racers) == ["", "AlreadyConnected"]
    second.token.refresh_from_db()
    assert second.token.used_at is None


@pytest.mark.django_db(transaction=True)
def test_code_withdrawn_while_it_is_scanned_is_one_or_the_other(
    patient: User, doctor: User
) -> None:
    shown = show_code(doctor)

    racers = race(
        lambda: revoke_token(actor=doctor, token_id=shown.token.pk),
        lambda: redeem_token(actor=patient, scanned=shown.code),
        gate=QrToken,
    )

    is_connected = Connection.objects.exists()
    assert errors(racers) == (["QrNotValid", ""] if is_connected else ["", "QrNotValid"])
    assert QrToken.objects.get().state(timezone.now()) == ("USED" if is_connected else "REVOKED")


def test_same_patient_again_gets_the_connection_it_made(patient: User, doctor: User) -> None:
    shown = show_code(doctor)
    made = redeem_token(actor=patient, scanned=shown.code)

    again = redeem_token(actor=patient, scanned=shown.code)

    assert again == made
    assert AccessEvent.objects.count() == 1


def test_same_patient_cannot_use_it_to_connect_again_after_parting(
    patient: User, doctor: User
) -> None:
    shown = show_code(doctor)
    made = redeem_token(actor=patient, scanned=shown.code)
    end_connection(actor=doctor, connection_id=made.pk)

    with pytest.raises(QrUsed):
        redeem_token(actor=patient, scanned=shown.code)
