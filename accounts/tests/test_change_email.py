"""Moving an account to another address."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import DeviceSession, EmailChange, OneTimeCode, Status, User
from accounts.services.addresses import (
    SameAddress,
    request_change,
    resend_code,
    verify_change,
)
from accounts.services.codes import InvalidCode
from accounts.services.passwords import ResetExpired, verify_reset_code
from accounts.services.registration import AlreadyRegistered
from accounts.tests.factories import PASSWORD, DoctorFactory, PatientFactory
from accounts.tests.registering import code_of, wrong_code
from accounts.tests.resetting import asked, reset_with
from common.ids import uuid7
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from notifications import outbox
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
ASK = "/api/v1/auth/change-email"
VERIFY = "/api/v1/auth/change-email/verify"
RESEND = "/api/v1/auth/resend-otp"
NEW = "new@example.org"


def changing(session: DeviceSession, email: str = NEW) -> EmailChange:
    return request_change(session=session, new_email=email)


def verified_change(session: DeviceSession, email: str = NEW) -> User:
    change = changing(session, email)
    return verify_change(session=session, change_id=change.pk, code=code_of(change))


def test_code_goes_to_the_new_address_and_moves_the_account(patient: User) -> None:
    client = api_client(patient)

    asked_for = client.post(ASK, {"new_email": "New@Example.ORG"})
    change = EmailChange.objects.get()
    answer = client.post(
        VERIFY, {"change_id": asked_for.json()["change_id"], "otp": code_of(change)}
    )

    assert asked_for.status_code == answer.status_code == 200
    assert answer.json()["email"] == NEW
    assert EmailDelivery.objects.get(kind="EMAIL_CHANGE_CODE").to_address == NEW
    patient.refresh_from_db()
    assert patient.email == NEW


@pytest.mark.django_db(transaction=True)
def test_old_address_is_told_in_the_language_of_the_account(mailbox: Any) -> None:
    user = PatientFactory(language="ar", email="old@example.org")

    verified_change(sign_in(user))
    for delivery in EmailDelivery.objects.in_line():
        outbox.deliver(delivery.pk)

    (told,) = mailbox.newest(to="old@example.org")
    (code,) = mailbox.newest(to=NEW)
    assert NEW not in told.text + told.html
    assert 'dir="rtl"' in told.html
    assert 'dir="rtl"' in code.html


def test_other_sessions_end_and_this_one_stays(patient: User) -> None:
    session, other = sign_in(patient), api_client(patient)

    verified_change(session)

    assert other.get("/api/v1/users/profile").status_code == 401
    assert DeviceSession.objects.live(timezone.now()).get() == session


def test_new_address_signs_in_and_the_old_one_no_longer(patient: User) -> None:
    old = patient.email
    verified_change(sign_in(patient))

    answers = [
        api_client().post("/api/v1/auth/login", {"email": email, "password": PASSWORD}).status_code
        for email in (NEW, old)
    ]

    assert answers == [200, 401]


def test_free_and_taken_addresses_are_answered_alike(patient: User, doctor: User) -> None:
    client = api_client(patient)

    free = client.post(ASK, {"new_email": NEW})
    taken = client.post(ASK, {"new_email": doctor.email})

    assert (free.status_code, taken.status_code) == (200, 200)
    assert free.json().keys() == taken.json().keys() == {"change_id"}


def test_owner_of_a_taken_address_is_told_in_their_language(patient: User) -> None:
    owner = PatientFactory(language="ar")

    change = changing(sign_in(patient), owner.email)

    delivery = EmailDelivery.objects.get()
    assert (delivery.to_address, delivery.kind, delivery.language, delivery.secret_context) == (
        owner.email,
        "ALREADY_REGISTERED",
        "ar",
        None,
    )
    with pytest.raises(InvalidCode):
        verify_change(session=sign_in(patient), change_id=change.pk, code="000000")


def test_present_address_is_no_change(patient: User) -> None:
    with pytest.raises(SameAddress):
        changing(sign_in(patient), patient.email.upper())


def test_change_asks_for_a_confirmation_first(patient: User) -> None:
    client, browser = api_client(patient), page_client(patient)
    DeviceSession.objects.update(confirmed_at=timezone.now() - DeviceSession.CONFIRMATION_LASTS)

    answer = client.post(ASK, {"new_email": NEW})
    page = browser.get("/email/change")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
        403,
        "confirmation_required",
    )
    assert (page.status_code, page["Location"]) == (302, "/confirm?next=/email/change")
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize("who", ["wrong", "unknown", "another's"])
def test_wrong_code_is_refused(patient: User, doctor: User, who: str) -> None:
    change = changing(sign_in(patient))
    caller = doctor if who == "another's" else patient
    body = {
        "change_id": str(uuid7() if who == "unknown" else change.pk),
        "otp": wrong_code(change) if who == "wrong" else code_of(change),
    }

    answer = api_client(caller).post(VERIFY, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalid_code"


def test_right_code_is_refused_after_five_wrong_ones(patient: User) -> None:
    session = sign_in(patient)
    change = changing(session)
    for _ in range(OneTimeCode.TRIES):
        with pytest.raises(InvalidCode):
            verify_change(session=session, change_id=change.pk, code=wrong_code(change))

    with pytest.raises(InvalidCode):
        verify_change(session=session, change_id=change.pk, code=code_of(change))


def test_code_expires_after_ten_minutes(patient: User) -> None:
    session = sign_in(patient)
    change = changing(session)

    with time_machine.travel(change.code.expires_at), pytest.raises(InvalidCode):
        verify_change(session=session, change_id=change.pk, code=code_of(change))


def test_code_works_once_and_closes_what_else_was_begun(patient: User) -> None:
    session = sign_in(patient)
    other = changing(session, "third@example.org")
    change = changing(session)
    verify_change(session=session, change_id=change.pk, code=code_of(change))

    for spent in (change, other):
        with pytest.raises(InvalidCode):
            verify_change(session=session, change_id=spent.pk, code=code_of(spent))


def test_resets_sent_to_the_old_address_are_worth_nothing(patient: User) -> None:
    reset, traded = asked(patient), asked(patient)
    token = verify_reset_code(reset_id=traded.pk, code=code_of(traded))
    late = asked(patient)
    code = code_of(late)

    verified_change(sign_in(patient))

    with pytest.raises(ResetExpired):
        reset_with(token)
    for open_one in (reset, late):
        with pytest.raises(InvalidCode):
            verify_reset_code(reset_id=open_one.pk, code=code)


@pytest.mark.django_db(transaction=True)
def test_two_accounts_moving_to_one_address_at_once(patient: User, doctor: User) -> None:
    first, second = sign_in(patient), sign_in(doctor)
    mine, yours = changing(first), changing(second)
    codes = {change.pk: code_of(change) for change in (mine, yours)}

    racers = race(
        lambda: verify_change(session=first, change_id=mine.pk, code=codes[mine.pk]),
        lambda: verify_change(session=second, change_id=yours.pk, code=codes[yours.pk]),
        gate=User,
    )

    assert sorted(errors(racers)) == ["", "AlreadyRegistered"]
    assert User.objects.filter(email=NEW).count() == 1


@pytest.mark.django_db(transaction=True)
def test_asking_whether_it_is_taken_would_let_two_in(patient: User, doctor: User) -> None:
    """What the unique constraint is for."""

    def naive_move(user: User) -> bool:
        is_free = not User.objects.filter(email=NEW).exists()
        User.objects.filter(pk=user.pk).update(phone="+201001234568")
        return is_free

    racers = race(lambda: naive_move(patient), lambda: naive_move(doctor), gate=User)

    assert [racer.value for racer in racers] == [True, True]


def test_address_taken_meanwhile_is_a_conflict(patient: User) -> None:
    session = sign_in(patient)
    change = changing(session)
    PatientFactory(email=NEW)

    with pytest.raises(AlreadyRegistered):
        verify_change(session=session, change_id=change.pk, code=code_of(change))


def test_second_code_waits_for_a_minute_and_replaces_the_first(patient: User) -> None:
    session = sign_in(patient)
    change = changing(session)
    body = {"id": str(change.pk), "type": "EMAIL_CHANGE"}

    too_early = api_client().post(RESEND, body)
    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        in_time = api_client().post(RESEND, body)
        user = verify_change(session=session, change_id=change.pk, code=code_of(change))

    assert (too_early.status_code, in_time.status_code) == (429, 204)
    assert user.email == NEW


def test_there_is_no_second_code_for_what_is_over_or_was_never(patient: User) -> None:
    change = changing(sign_in(patient))
    EmailChange.objects.update(used_at=timezone.now())

    answers = [
        api_client().post(RESEND, {"id": str(pk), "type": "EMAIL_CHANGE"}).status_code
        for pk in (change.pk, uuid7())
    ]

    assert answers == [400, 404]


def test_resend_asks_again_whether_the_address_is_taken(patient: User) -> None:
    change = changing(sign_in(patient))
    PatientFactory(email=NEW)

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        resend_code(change_id=change.pk)

    assert EmailDelivery.objects.latest("created_at").kind == "ALREADY_REGISTERED"


def test_applicants_may_change_theirs() -> None:
    client = page_client(DoctorFactory(status=Status.PENDING_APPROVAL))

    answer = client.post("/email/change", {"new_email": NEW})

    assert (answer.status_code, answer["Location"]) == (302, "/email/code")


def test_pages_move_the_account(patient: User) -> None:
    client = page_client(patient)

    shown = client.get("/email/change")
    client.post("/email/change", {"new_email": NEW})
    change = EmailChange.objects.get()
    asking = client.get("/email/code")
    wrong = client.post("/email/code", {"otp": wrong_code(change)})
    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        client.post("/email/resend")
        done = client.post("/email/code", {"otp": code_of(change)}, follow=True)

    assert patient.email in shown.content.decode()
    assert NEW in asking.content.decode()
    assert wrong.status_code == 400
    assert done.redirect_chain == [("/security", 302)]
    assert "Your address is changed" in done.content.decode()


def test_pages_out_of_turn_lead_to_the_first(patient: User) -> None:
    client = page_client(patient)

    answers = [
        client.get("/email/code"),
        client.post("/email/code", {"otp": "123456"}),
        client.post("/email/resend"),
    ]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, "/email/change")
    }
