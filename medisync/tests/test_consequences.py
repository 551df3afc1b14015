"""What follows when an account is closed: said before, and true after."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AccountChange, ApplicationReview, DeviceSession, Status, User
from accounts.policies import AccountNotActive
from accounts.services.users import activate_user, suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory
from appointments.models import Appointment
from common import close_codes
from common.errors import NotAllowed
from connections.models import AccessGrant, Connection
from connections.policies import ConnectionEnded, DoctorNotAvailable
from connections.services.answers import accept_request
from connections.services.connections import connect
from connections.tests.factories import RequestFactory
from medisync.consequences import consequences_of_closing
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.test_sockets import (  # noqa: F401 - fixtures
    Open,
    as_app,
    as_browser,
    open_socket,
    server,
)
from prescriptions.services.refills import request_refill
from prescriptions.tests.factories import issue
from qrverify.services.tokens import redeem_token
from qrverify.tests.factories import show_code
from qrverify.tests.sharing import share

pytestmark = pytest.mark.django_db


def suspend(user: User, admin: User) -> None:
    suspend_user(session=sign_in(admin), user_id=user.pk, reason="A complaint came in.")
    user.refresh_from_db()


def words(user: User, status: Status = Status.SUSPENDED) -> str:
    return "\n".join(consequences_of_closing(user, status))


def paper(code_url: str) -> dict[str, Any]:
    url = urlsplit(code_url)
    query = parse_qs(url.query)
    return {
        "code": url.path.rpartition("/")[2],
        "version": int(query["v"][0]),
        "content_hash": query["h"][0],
    }


def test_preview_counts_what_a_doctor_leaves(connection: Connection, doctor: User) -> None:
    issue(connection)
    issue(connection)
    show_code(doctor)
    sign_in(doctor)
    begin = timezone.now() + dt.timedelta(days=1)
    Appointment.objects.create(
        patient=connection.patient, doctor=doctor, period=(begin, begin + dt.timedelta(hours=1))
    )

    said = words(doctor)

    assert "1 device is signed out" in said
    assert "The connection with 1 patient pauses" in said
    assert "1 QR code they are showing" in said
    assert "2 prescriptions in force stay valid, but whoever verifies" in said
    assert "1 visit ahead stays" in said


@pytest.mark.parametrize(
    ("who", "status", "words_of_it"),
    [
        ("doctor", Status.SUSPENDED, "2 requests wait for their answer until they expire"),
        ("doctor", Status.ANONYMISED, "2 requests that wait for their answer are declined."),
        ("patient", Status.SUSPENDED, "1 request to a doctor waits until it expires"),
        ("patient", Status.ANONYMISED, "1 request to a doctor is withdrawn."),
    ],
)
def test_preview_counts_the_requests_that_wait(
    patient: User, doctor: User, who: str, status: Status, words_of_it: str
) -> None:
    RequestFactory(patient=patient, doctor=doctor)
    RequestFactory(doctor=doctor)
    RequestFactory(patient=patient, overdue=True)
    RequestFactory(doctor=doctor, rejected=True)

    assert words_of_it in words({"doctor": doctor, "patient": patient}[who], status)


@pytest.mark.parametrize(
    ("who", "words_of_it"),
    [
        ("doctor", "What 1 patient lets them see is taken back."),
        ("patient", "What they let 1 doctor see of their data is taken back."),
    ],
)
def test_preview_counts_what_is_shared(connection: Connection, who: str, words_of_it: str) -> None:
    AccessGrant.objects.create(connection=connection, categories=["FACTS"])
    person = getattr(connection, who)

    assert words_of_it in words(person, Status.ANONYMISED)
    assert words_of_it not in words(person, Status.SUSPENDED)


def test_requests_of_a_suspended_doctor_stay_and_are_accepted_by_nobody(
    patient: User, doctor: User, admin: User
) -> None:
    request = RequestFactory(patient=patient, doctor=doctor)
    suspend(doctor, admin)

    with pytest.raises(AccountNotActive):
        accept_request(actor=doctor, request_id=request.pk)

    request.refresh_from_db()
    assert request.is_pending
    activate_user(session=sign_in(admin), user_id=doctor.pk, reason="Answered.")
    doctor.refresh_from_db()
    assert accept_request(actor=doctor, request_id=request.pk).is_active


def test_preview_of_a_deactivation_says_nothing_of_suspension(connection: Connection) -> None:
    issue(connection)

    said = words(connection.doctor, Status.INACTIVE)

    assert "1 prescription in force stays valid, and verifies as before" in said
    assert "suspended" not in said


def test_preview_counts_what_a_patient_leaves(connection: Connection, patient: User) -> None:
    issue(connection)

    said = words(patient)

    assert "The connection with 1 doctor pauses" in said
    assert "1 prescription in force stays valid on paper" in said


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status.SUSPENDED, "The links to their data open nothing while the account is closed"),
        (Status.ANONYMISED, "The links to their data open nothing any more."),
    ],
)
def test_preview_says_what_becomes_of_links(patient: User, status: Status, sentence: str) -> None:
    assert "links to their data" not in words(patient, status)

    share(patient)

    assert sentence in words(patient, status)


def test_preview_counts_what_an_administrator_leaves(admin: User, patient: User) -> None:
    doctor = DoctorFactory(status=Status.PENDING_APPROVAL)
    ApplicationReview.objects.update_or_create(
        profile=doctor.doctor_profile,
        decision="",
        defaults={"claimed_by": admin, "claimed_at": timezone.now()},
    )
    AccountChange.objects.create(
        user=patient, kind="ROLE", old_values={}, new_values={}, reason="x", proposed_by=admin
    )

    said = words(admin)

    assert "1 application they are reviewing goes back" in said
    assert "1 change they proposed still waits" in said


@pytest.mark.parametrize("act", ["suspend", "deactivate", "anonymise"])
def test_page_shows_it_before_anything_is_done(
    admin: User, connection: Connection, act: str
) -> None:
    doctor = connection.doctor

    page = page_client(admin).get(f"/admin/accounts/user/{doctor.pk}/{act}/").content.decode()

    assert "The connection with 1 patient pauses" in page
    doctor.refresh_from_db()
    assert doctor.status == Status.ACTIVE


def test_suspended_doctor_cannot_prescribe(connection: Connection, admin: User) -> None:
    suspend(connection.doctor, admin)

    with pytest.raises(AccountNotActive):
        issue(connection)


def test_nobody_connects_with_a_suspended_doctor(
    connection: Connection, stranger: User, admin: User
) -> None:
    doctor = connection.doctor
    shown = show_code(doctor)
    suspend(doctor, admin)

    with pytest.raises(DoctorNotAvailable):
        redeem_token(actor=stranger, scanned=shown.secret)
    with pytest.raises(DoctorNotAvailable):
        connect(actor=stranger, doctor_id=doctor.pk, origin=Connection.Origin.QR)


def test_nothing_is_prescribed_to_a_suspended_patient(
    connection: Connection, patient: User, admin: User
) -> None:
    suspend(patient, admin)
    connection.refresh_from_db()

    with pytest.raises(ConnectionEnded):
        issue(connection)


def test_suspended_doctor_shows_no_code(doctor: User, admin: User) -> None:
    suspend(doctor, admin)

    with pytest.raises(NotAllowed):
        show_code(doctor)


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "The prescriber's account is suspended."), ("ar", "")]
)
def test_verification_says_so_at_both_doors(
    connection: Connection, admin: User, language: str, sentence: str
) -> None:
    prescription = issue(connection)
    suspend(connection.doctor, admin)

    said = api_client().post(
        "/api/v1/qr/verify",
        paper(prescription.verification_url),
        headers={"Accept-Language": language},
    )
    page = Client().get(f"{prescription.verification_path}&language={language}")

    answer = said.json()
    assert (answer["outcome"], answer["prescriber_suspended"]) == ("authentic", True)
    assert answer["caution"].startswith(sentence)
    assert answer["caution"]
    assert page.status_code == 200
    assert 'class="alert alert--warning"' in page.content.decode()


def test_verification_says_nothing_once_the_account_is_open_again(
    connection: Connection, admin: User
) -> None:
    prescription = issue(connection)
    suspend(connection.doctor, admin)
    activate_user(session=sign_in(admin), user_id=connection.doctor_id, reason="It was nothing.")

    said = api_client().post("/api/v1/qr/verify", paper(prescription.verification_url)).json()
    page = Client().get(prescription.verification_path).content.decode()

    assert (said["prescriber_suspended"], said["caution"]) == (False, None)
    assert "suspended" not in page


@pytest.mark.alone
@pytest.mark.django_db(transaction=True)
def test_socket_token_and_cookie_stop_within_a_second(
    open_socket: Open,  # noqa: F811
    server: str,  # noqa: F811
) -> None:
    doctor, admin = DoctorFactory(), AdminFactory()
    sockets = [open_socket(**as_app(doctor)), open_socket(**as_browser(doctor, server))]
    for one in sockets:
        assert one.ask({"type": "ping"}) == {"type": "pong"}
    app, browser = api_client(doctor), page_client(doctor)
    assert app.get("/api/v1/users/profile").status_code == 200
    assert browser.get("/profile").status_code == 200
    began = time.monotonic()

    suspend(doctor, admin)

    assert [one.closed_with() for one in sockets] == [close_codes.REVOKED, close_codes.REVOKED]
    assert app.get("/api/v1/users/profile").status_code == 401
    assert browser.get("/profile").status_code == 302
    assert time.monotonic() - began < 1
    assert not DeviceSession.objects.live(timezone.now()).filter(user=doctor).exists()


def test_requests_to_prescribe_again_are_spoken_of(connection: Connection) -> None:
    request_refill(actor=connection.patient, prescription_id=issue(connection).pk)

    for user in (connection.doctor, connection.patient):
        assert "1 request to prescribe again waits" in words(user)
    assert "again is declined" in words(connection.doctor, Status.ANONYMISED)
    assert "again is withdrawn" in words(connection.patient, Status.ANONYMISED)
