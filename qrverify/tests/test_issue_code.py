"""A doctor shows a code."""

from __future__ import annotations

import base64
import datetime as dt
import io
import re

import pytest
import time_machine
import zxingcpp
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from accounts.models import Status, User
from accounts.policies import AccountNotActive
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client
from prescriptions.numbers import ALPHABET
from qrverify.jobs import delete_stale_tokens
from qrverify.models import QrToken
from qrverify.services.tokens import issue_connection_token, look_up_token
from qrverify.tests.factories import show_code

pytestmark = pytest.mark.django_db
URL = "/api/v1/qr/generate"


def test_code_lasts_five_minutes_unless_said_otherwise(doctor: User) -> None:
    answer = api_client(doctor).post(URL, {"type": "CONNECTION"})

    assert answer.status_code == 201
    lasts = QrToken.objects.get().expires_at - timezone.now()
    assert dt.timedelta(minutes=4, seconds=50) < lasts <= dt.timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [1, 60])
def test_code_may_last_from_one_to_sixty_minutes(doctor: User, minutes: int) -> None:
    answer = api_client(doctor).post(URL, {"type": "CONNECTION", "expiry_minutes": minutes})

    assert answer.status_code == 201


@pytest.mark.parametrize("minutes", [0, -1, 61, 10**30])
def test_code_may_not_last_longer_or_shorter(doctor: User, minutes: int) -> None:
    answer = api_client(doctor).post(URL, {"type": "CONNECTION", "expiry_minutes": minutes})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "expiry_minutes"


def test_service_holds_the_bounds_too(doctor: User) -> None:
    for lasts in (dt.timedelta(seconds=59), dt.timedelta(minutes=60, seconds=1)):
        with pytest.raises(InvalidInput):
            issue_connection_token(actor=doctor, lasts=lasts)


@pytest.mark.parametrize("factory", [PatientFactory, AdminFactory])
def test_only_doctors_show_codes(factory: type) -> None:
    with pytest.raises(NotAllowed):
        issue_connection_token(actor=factory())


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_doctor_must_be_in_good_standing(status: Status) -> None:
    with pytest.raises(AccountNotActive):
        issue_connection_token(actor=DoctorFactory(status=status))


def test_picture_holds_the_link_and_the_link_the_secret(doctor: User) -> None:
    shown = api_client(doctor).post(URL, {"type": "CONNECTION"}).json()

    picture = base64.b64decode(shown["png"].partition(",")[2])
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)).convert("L"))

    assert found.text == shown["url"]
    assert shown["url"].endswith(f"/scan/{shown['token']}")
    assert shown["svg"].startswith("<svg")


def test_secrets_have_their_strength(doctor: User) -> None:
    shown = [issue_connection_token(actor=doctor) for _ in range(20)]

    assert len({one.secret for one in shown}) == len({one.code for one in shown}) == 20
    for one in shown:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", one.secret)
        assert re.fullmatch(rf"[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}", one.code)


def test_secrets_are_not_stored(doctor: User) -> None:
    shown = issue_connection_token(actor=doctor)

    with connection.cursor() as cursor:
        cursor.execute("SELECT qrverify_qrtoken::text FROM qrverify_qrtoken")
        row = cursor.fetchone()[0]

    assert shown.secret not in row
    assert shown.code not in row
    assert shown.code.replace("-", "") not in row


def test_secrets_are_in_no_later_answer(doctor: User) -> None:
    client = api_client(doctor)
    shown = client.post(URL, {"type": "CONNECTION"}).json()

    later = client.get("/api/v1/qr/active").content.decode()

    assert shown["id"] in later
    assert shown["token"] not in later
    assert shown["code"] not in later


@given(noise=st.sampled_from(["{}", " {} ", "\t{}\r\n", "http://testserver/scan/{}"]))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_secret_is_found_however_it_was_scanned(doctor: User, noise: str) -> None:
    shown = issue_connection_token(actor=doctor)

    assert look_up_token(scanned=noise.format(shown.secret)) == shown.token


@given(
    is_lower=st.booleans(),
    separator=st.sampled_from(["", "-", " ", "- "]),
    is_misread=st.booleans(),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_code_is_found_however_it_was_typed(
    doctor: User, is_lower: bool, separator: str, is_misread: bool
) -> None:
    shown = issue_connection_token(actor=doctor)
    typed = shown.code.replace("-", separator)
    if is_misread:
        typed = typed.replace("0", "O").replace("1", "l")

    found = look_up_token(scanned=typed.lower() if is_lower else typed)

    assert found == shown.token


def test_active_list_is_ones_own_and_usable(doctor: User, other_doctor: User) -> None:
    now = timezone.now()
    mine = show_code(doctor)
    show_code(doctor, revoked_at=now)
    show_code(doctor, expires_at=now)
    show_code(other_doctor)

    rows = api_client(doctor).get("/api/v1/qr/active").json()

    assert [row["id"] for row in rows] == [str(mine.token.pk)]


def test_active_list_asks_a_fixed_number_of_questions(
    doctor: User, django_assert_num_queries
) -> None:
    client = api_client(doctor)
    show_code(doctor)
    # session, invitations, prescriptions, emergency card
    with django_assert_num_queries(4):
        client.get("/api/v1/qr/active")
    for _ in range(4):
        show_code(doctor)

    with django_assert_num_queries(4):
        rows = client.get("/api/v1/qr/active").json()

    assert len(rows) == 5


def test_codes_are_forgotten_a_week_after_they_ended(doctor: User) -> None:
    old, new = show_code(doctor), show_code(doctor)
    ended = timezone.now() - QrToken.KEPT_FOR
    QrToken.objects.filter(pk=old.token.pk).update(expires_at=ended - dt.timedelta(seconds=1))
    QrToken.objects.filter(pk=new.token.pk).update(expires_at=ended + dt.timedelta(minutes=1))

    delete_stale_tokens()

    assert QrToken.objects.get() == new.token


def test_state_follows_the_clock(doctor: User) -> None:
    shown = show_code(doctor)

    with time_machine.travel(shown.token.expires_at):
        assert shown.token.state(timezone.now()) == "EXPIRED"
    assert shown.token.state(timezone.now()) == "ACTIVE"
