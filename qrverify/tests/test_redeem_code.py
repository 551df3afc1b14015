"""A patient scans a code, sees who it is from, and connects."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import PatientFactory
from audit.models import AccessEvent
from connections.models import AccessGrant, Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory, RequestFactory
from medisync.tests.client import api_client
from medisync.tests.races import errors, race
from notifications.models import Notification
from qrverify.models import QrSighting, QrToken
from qrverify.services.tokens import QrUsed, find_token, redeem_token, revoke_token
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


def test_patient_chooses_what_the_doctor_sees(patient: User, doctor: User) -> None:
    share = {"categories": ["ALLERGIES"], "data_from": "2025-01-01", "purpose": "FOLLOW_UP"}

    scan(patient, show_code(doctor).url, confirm=True, share=share)

    grant = AccessGrant.objects.get()
    assert (grant.categories, str(grant.data_from), grant.purpose) == (
        ["ALLERGIES"],
        "2025-01-01",
        "FOLLOW_UP",
    )


def test_who_does_not_choose_shares_nothing(patient: User, doctor: User) -> None:
    scan(patient, show_code(doctor).url, confirm=True)

    assert not AccessGrant.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"), [("data_from", "2999-01-01"), ("ends_at", "2020-01-01T00:00:00Z")]
)
def test_choice_that_cannot_be_meant_uses_nothing(
    patient: User, doctor: User, field: str, value: str
) -> None:
    share = {"categories": ["ALLERGIES"], field: value}

    answer = scan(patient, show_code(doctor).url, confirm=True, share=share)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, f"share.{field}")
    assert QrToken.objects.get().used_at is None
    assert not Connection.objects.exists()


def test_request_that_waits_is_answered_by_scanning(patient: User, doctor: User) -> None:
    """What the patient chooses now counts, and not what they chose when asking."""
    waiting = RequestFactory(patient=patient, doctor=doctor, categories=["LAB_RESULT"])

    scan(patient, show_code(doctor).url, confirm=True, share={"categories": ["ALLERGIES"]})

    waiting.refresh_from_db()
    assert (waiting.status, waiting.decided_by) == ("ACCEPTED", patient)
    assert AccessGrant.objects.get().categories == ["ALLERGIES"]
    assert set(Notification.objects.values_list("kind", flat=True)) == {"CONNECTION_MADE"}


def test_request_whose_time_was_over_stays_unanswered_by_scanning(
    patient: User, doctor: User
) -> None:
    overdue = RequestFactory(patient=patient, doctor=doctor, overdue=True)

    scan(patient, show_code(doctor).url, confirm=True)

    overdue.refresh_from_db()
    assert overdue.status == "EXPIRED"


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


@pytest.mark.parametrize("scanned", ["AAAAA-AAAAA", "A" * 43, "http://testserver/scan/" + "A" * 43])
@pytest.mark.parametrize("door", ["scan", "confirm", "validate"])
def test_code_that_nobody_shows_is_not_valid(patient: User, scanned: str, door: str) -> None:
    answer = at(door, patient, scanned)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "qr_not_valid")


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        ("x", "qr_not_ours"),
        ("https://example.org/", "qr_other_site"),
        ("https://evil.example/scan/" + "A" * 43, "qr_other_site"),
        ("http://testserver@evil.example/scan/" + "A" * 43, "qr_other_site"),
        ("http://t\u0435stserver/scan/" + "A" * 43, "qr_lookalike"),
        ("http://testserver:81/scan/" + "A" * 43, "qr_damaged_link"),
        ("http://[abc", "qr_damaged_link"),
        ("é" * 43, "qr_not_ours"),
        ("UUUUU-UUUUU", "qr_not_ours"),
        ("0" * 500, "qr_number"),
        ("javascript:alert(1)//" + "A" * 43, "qr_script"),
    ],
)
@pytest.mark.parametrize("door", ["scan", "confirm", "validate"])
def test_what_is_no_code_of_ours_is_refused_at_every_door(
    patient: User, scanned: str, code: str, door: str
) -> None:
    """`test_payloads.py` has the long list."""
    answer = at(door, patient, scanned)

    fault = answer.json()["errors"][0]
    assert (answer.status_code, fault["code"], fault["attr"]) == (400, code, "token")


def at(door: str, user: User, token: str) -> Any:
    if door == "validate":
        return api_client(user).post("/api/v1/qr/validate", {"token": token})
    return scan(user, token, confirm=door == "confirm")


def test_code_of_another_site_connects_nobody_even_with_our_secret(
    patient: User, doctor: User
) -> None:
    """It would have led to whoever made that code."""
    shown = show_code(doctor)

    answer = scan(patient, f"https://evil.example/scan/{shown.secret}", confirm=True)

    assert answer.status_code == 400
    assert not Connection.objects.exists()


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
    ConnectionFactory(patient=patient, doctor=doctor, blocked_by_doctor=True)

    answer = scan(patient, show_code(doctor).url, confirm=True)

    assert answer.json()["errors"][0]["code"] == "doctor_not_available"
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
def test_fifty_patients_with_one_code_at_once_make_one_connection(doctor: User) -> None:
    shown = show_code(doctor)
    people = PatientFactory.create_batch(50)

    racers = race(
        *(lambda actor=actor: redeem_token(actor=actor, scanned=shown.secret) for actor in people),
        gate=QrToken,
    )

    assert sorted(errors(racers)) == [""] + ["QrUsed"] * 49
    assert Connection.objects.get().patient == QrToken.objects.get().used_by
    assert {str(racer.error) for racer in racers if racer.error} == {
        "This code has been used already. Ask for a new one."
    }


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


# --- The issuer sees it -------------------------------------------------------


def test_issuer_is_told_once_of_each_person_who_looks(
    patient: User, stranger: User, doctor: User, django_capture_on_commit_callbacks: Any
) -> None:
    """What sockets hear of it, `test_sockets.py` shows."""
    first, second = show_code(doctor), show_code(doctor)
    told = []

    for actor, shown in (
        (patient, first), (patient, first), (stranger, first), (patient, second), (patient, second),
    ):  # fmt: skip
        with django_capture_on_commit_callbacks() as announcements:
            find_token(actor=actor, scanned=shown.code)
        told.append(len(announcements))

    assert told == [1, 0, 1, 1, 0]
    seen = QrSighting.objects.visible_to(doctor).values_list("token", "person")
    assert set(seen) == {
        (first.token.pk, patient.pk), (first.token.pk, stranger.pk), (second.token.pk, patient.pk),
    }  # fmt: skip


@pytest.mark.parametrize("field", ["expires_at", "revoked_at"])
def test_looking_at_an_ended_code_is_not_told(patient: User, doctor: User, field: str) -> None:
    scan(patient, show_code(doctor, **{field: timezone.now()}).url)

    assert not QrSighting.objects.exists()


def test_who_connects_has_decided(patient: User, stranger: User, doctor: User) -> None:
    shown, other = show_code(doctor), show_code(doctor)
    for actor, code in ((patient, shown), (stranger, shown), (stranger, other)):
        find_token(actor=actor, scanned=code.secret)

    redeem_token(actor=patient, scanned=shown.secret)

    undecided = QrSighting.objects.visible_to(doctor).undecided(timezone.now())
    assert list(undecided.values_list("token", "person")) == [(other.token.pk, stranger.pk)]


@pytest.mark.django_db(transaction=True)
def test_looking_from_two_devices_at_once_is_kept_once(patient: User, doctor: User) -> None:
    shown = show_code(doctor)

    racers = race(*[lambda: find_token(actor=patient, scanned=shown.secret)] * 2, gate=QrSighting)

    assert errors(racers) == ["", ""]
    assert QrSighting.objects.count() == 1
