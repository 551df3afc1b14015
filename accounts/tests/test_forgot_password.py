"""Forgotten passwords: asking for a code, and trading it for a token."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
import time_machine
from celery import current_app
from django.utils import timezone

from accounts import jobs
from accounts.models import (
    AttemptCount,
    OneTimeCode,
    PasswordReset,
    SignInMethod,
    Status,
    User,
)
from accounts.services.codes import InvalidCode, ResendTooSoon
from accounts.services.passwords import (
    LEFT_BEHIND_AFTER,
    ResetExpired,
    prepare_reset,
    request_reset,
    resend_code,
    verify_reset_code,
)
from accounts.services.sessions import Device, open_session
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import code_of, wrong_code
from accounts.tests.resetting import ELSEWHERE, asked
from common.ids import uuid7
from common.throttling import TooManyRequests
from medisync.celery import app
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, race
from notifications import outbox
from notifications.models import EmailDelivery

pytestmark = pytest.mark.django_db
OWN = Device(ip_address="203.0.113.7", key="their own device")
FORGOT = "/api/v1/auth/forgot-password"
VERIFY = "/api/v1/auth/verify-reset-otp"
RESEND = "/api/v1/auth/resend-otp"
PREPARE = "accounts.jobs.prepare_password_reset"


def queued() -> list[Any]:
    """What has been handed to the workers, taken out of their queue."""
    found = []
    with (
        app.connection_for_read() as connection,
        connection.SimpleQueue("celery") as queue,
        suppress(queue.Empty),
    ):
        while True:
            message = queue.get_nowait()
            message.ack()
            found.append((message.headers["task"], message.payload[0]))
    return found


def test_known_and_unknown_addresses_are_answered_alike(patient: User) -> None:
    known = api_client().post(FORGOT, {"email": patient.email})
    unknown = api_client().post(FORGOT, {"email": "nobody@example.org"})

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.json().keys() == unknown.json().keys() == {"reset_id"}
    assert len(known.content) == len(unknown.content)


def test_request_writes_the_same_row_for_both_and_mails_nobody(patient: User) -> None:
    request_reset(email=patient.email, device=ELSEWHERE)
    request_reset(email="nobody@example.org", device=ELSEWHERE)

    rows = PasswordReset.objects.values_list("user", "prepared_at", "reset_digest", "used_at")
    assert set(rows) == {(None, None, None, None)}
    assert not EmailDelivery.objects.exists()
    assert not OneTimeCode.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_request_is_handed_to_a_worker_that_knows_it(patient: User) -> None:
    queued()

    reset = request_reset(email=patient.email, device=ELSEWHERE)

    ((task, arguments),) = queued()
    assert arguments == [str(reset.pk)]
    current_app.tasks[task](*arguments)
    assert EmailDelivery.objects.get().kind == "PASSWORD_RESET_CODE"


@pytest.mark.django_db(transaction=True)
def test_mail_comes_in_the_language_of_the_account(mailbox: Any) -> None:
    user = PatientFactory(language="ar")
    reset = asked(user)
    code = code_of(reset)

    outbox.deliver(EmailDelivery.objects.get().pk)

    (mail,) = mailbox.newest(to=user.email)
    assert code in mail.text
    assert 'dir="rtl"' in mail.html
    assert EmailDelivery.objects.get().secret_context is None


def test_case_of_the_address_does_not_matter(patient: User) -> None:
    asked(email=patient.email.upper())

    assert EmailDelivery.objects.get().to_address == patient.email


def test_worker_that_looks_twice_sends_once(patient: User) -> None:
    reset = asked(patient)

    prepare_reset(reset_id=reset.pk)

    assert EmailDelivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(patient: User) -> None:
    reset = request_reset(email=patient.email, device=ELSEWHERE)

    racers = race(
        lambda: prepare_reset(reset_id=reset.pk),
        lambda: prepare_reset(reset_id=reset.pk),
        gate=PasswordReset,
    )

    assert errors(racers) == ["", ""]
    assert EmailDelivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_reading_before_writing_would_let_two_workers_in(patient: User) -> None:
    """What the conditional UPDATE is for."""
    reset = request_reset(email=patient.email, device=ELSEWHERE)

    def naive_claim() -> bool:
        row = PasswordReset.objects.get(pk=reset.pk)
        is_mine = row.prepared_at is None
        row.prepared_at = timezone.now()
        row.save()
        return is_mine

    racers = race(naive_claim, naive_claim, gate=PasswordReset)

    assert [racer.value for racer in racers] == [True, True]


def test_sweep_makes_good_what_a_dead_broker_lost(patient: User) -> None:
    reset = request_reset(email=patient.email, device=ELSEWHERE)
    queued()

    jobs.prepare_left_behind_resets()
    too_early = queued()
    with time_machine.travel(timezone.now() + LEFT_BEHIND_AFTER * 2):
        jobs.prepare_left_behind_resets()

    assert too_early == []
    assert queued() == [(PREPARE, [str(reset.pk)])]


def test_sweep_hands_each_over_by_itself(patient: User) -> None:
    """One that cannot be prepared keeps no other waiting."""
    resets = [request_reset(email=patient.email, device=ELSEWHERE) for _ in range(3)]
    queued()

    with time_machine.travel(timezone.now() + LEFT_BEHIND_AFTER * 2):
        jobs.prepare_left_behind_resets()

    assert queued() == [(PREPARE, [str(reset.pk)]) for reset in resets]
    assert not OneTimeCode.objects.exists()


def test_sweep_says_nothing_of_what_a_worker_has_seen(patient: User) -> None:
    asked(patient)
    queued()

    with time_machine.travel(timezone.now() + LEFT_BEHIND_AFTER * 2):
        jobs.prepare_left_behind_resets()

    assert queued() == []


def test_sweep_leaves_expired_requests_alone(patient: User) -> None:
    reset = request_reset(email=patient.email, device=ELSEWHERE)
    queued()

    with time_machine.travel(reset.expires_at):
        jobs.prepare_left_behind_resets()

    assert queued() == []


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.INACTIVE])
def test_closed_account_is_mailed_nothing(status: Status) -> None:
    reset = asked(PatientFactory(status=status))

    assert not EmailDelivery.objects.exists()
    with pytest.raises(InvalidCode):
        verify_reset_code(reset_id=reset.pk, code="000000")


def test_code_is_traded_for_a_token_of_which_a_digest_is_kept(patient: User) -> None:
    reset = asked(patient)

    answer = api_client().post(VERIFY, {"reset_id": str(reset.pk), "otp": code_of(reset)})

    assert answer.status_code == 200
    token = answer.json()["reset_token"]
    assert len(token) == 43
    assert token not in json.dumps(list(PasswordReset.objects.values()), default=str)
    assert PasswordReset.objects.with_token(token, timezone.now()).get() == reset


@pytest.mark.parametrize("who", ["owner", "nobody", "unprepared", "unknown id"])
def test_wrong_code_is_answered_alike_whoever_it_is_about(patient: User, who: str) -> None:
    reset_id: UUID = uuid7()
    if who == "owner":
        reset_id = (reset := asked(patient)).pk
        code = wrong_code(reset)
    else:
        code = "123456"
        if who == "nobody":
            reset_id = asked(email="nobody@example.org").pk
        if who == "unprepared":
            reset_id = request_reset(email=patient.email, device=ELSEWHERE).pk

    answer = api_client().post(VERIFY, {"reset_id": str(reset_id), "otp": code})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == ("invalid_code", "otp")


def test_nothing_typed_matches_the_code_of_an_unknown_address() -> None:
    reset = asked(email="nobody@example.org")

    for code in ("", "000000", "999999"):
        with pytest.raises(InvalidCode):
            verify_reset_code(reset_id=reset.pk, code=code)


def test_right_code_is_refused_after_five_wrong_ones(patient: User) -> None:
    reset = asked(patient)
    for _ in range(OneTimeCode.TRIES):
        with pytest.raises(InvalidCode):
            verify_reset_code(reset_id=reset.pk, code=wrong_code(reset))

    with pytest.raises(InvalidCode):
        verify_reset_code(reset_id=reset.pk, code=code_of(reset))


def test_code_expires_after_ten_minutes(patient: User) -> None:
    reset = asked(patient)

    with time_machine.travel(reset.code.expires_at), pytest.raises(InvalidCode):
        verify_reset_code(reset_id=reset.pk, code=code_of(reset))


def test_code_works_once(patient: User) -> None:
    reset = asked(patient)
    verify_reset_code(reset_id=reset.pk, code=code_of(reset))

    with pytest.raises(InvalidCode):
        verify_reset_code(reset_id=reset.pk, code=code_of(reset))


@pytest.mark.django_db(transaction=True)
def test_one_code_typed_twice_at_once_gives_one_token(patient: User) -> None:
    reset = asked(patient)
    code = code_of(reset)

    racers = race(
        lambda: verify_reset_code(reset_id=reset.pk, code=code),
        lambda: verify_reset_code(reset_id=reset.pk, code=code),
        gate=PasswordReset,
    )

    assert sorted(errors(racers)) == ["", "InvalidCode"]


@pytest.mark.django_db(transaction=True)
def test_two_wrong_tries_at_once_spend_one_last_try(patient: User) -> None:
    reset = asked(patient)
    wrong = wrong_code(reset)
    OneTimeCode.objects.update(tries_left=1)

    racers = race(
        lambda: verify_reset_code(reset_id=reset.pk, code=wrong),
        lambda: verify_reset_code(reset_id=reset.pk, code=wrong),
        gate=OneTimeCode,
    )

    assert errors(racers) == ["InvalidCode", "InvalidCode"]
    assert OneTimeCode.objects.get().tries_left == 0


@pytest.mark.parametrize("email", ["known", "unknown"])
def test_second_code_waits_for_a_minute_whoever_asks(patient: User, email: str) -> None:
    reset = request_reset(
        email=patient.email if email == "known" else "nobody@example.org", device=ELSEWHERE
    )

    too_early = api_client().post(RESEND, {"id": str(reset.pk), "type": "PASSWORD_RESET"})
    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        in_time = api_client().post(RESEND, {"id": str(reset.pk), "type": "PASSWORD_RESET"})

    assert too_early.status_code == 429
    assert 1 <= int(too_early["Retry-After"]) <= 60
    assert in_time.status_code == 204


def test_second_code_replaces_the_first(patient: User) -> None:
    reset = asked(patient)
    first = code_of(reset)

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)
        prepare_reset(reset_id=reset.pk)
        second = code_of(reset)
        if first != second:
            with pytest.raises(InvalidCode):
                verify_reset_code(reset_id=reset.pk, code=first)
        assert verify_reset_code(reset_id=reset.pk, code=second)


@pytest.mark.django_db(transaction=True)
def test_two_requests_for_a_second_code_at_once_send_one(patient: User) -> None:
    reset = asked(patient)
    PasswordReset.objects.update(asked_at=timezone.now() - OneTimeCode.RESEND_AFTER)

    racers = race(
        lambda: resend_code(reset_id=reset.pk, device=ELSEWHERE),
        lambda: resend_code(reset_id=reset.pk, device=ELSEWHERE),
        gate=PasswordReset,
    )

    assert sorted(errors(racers)) == ["", ResendTooSoon.__name__]


def test_expired_reset_gets_no_second_code(patient: User) -> None:
    reset = asked(patient)

    with time_machine.travel(reset.expires_at), pytest.raises(ResetExpired):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)


def test_traded_reset_gets_no_second_code(patient: User) -> None:
    reset = asked(patient)
    verify_reset_code(reset_id=reset.pk, code=code_of(reset))

    with (
        time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER),
        pytest.raises(ResetExpired),
    ):
        resend_code(reset_id=reset.pk, device=ELSEWHERE)


def test_unknown_reset_has_no_second_code() -> None:
    answer = api_client().post(RESEND, {"id": str(uuid7()), "type": "PASSWORD_RESET"})

    assert answer.status_code == 404


@pytest.mark.parametrize("email", ["known", "unknown"])
def test_mailbox_is_filled_by_nobody(patient: User, email: str) -> None:
    address = patient.email if email == "known" else "nobody@example.org"
    for _ in range(8):
        request_reset(email=address, device=ELSEWHERE)

    with pytest.raises(TooManyRequests):
        request_reset(email=address, device=ELSEWHERE)


def test_strangers_do_not_keep_the_owner_from_a_code_on_their_own_device(patient: User) -> None:
    open_session(user=patient, method=SignInMethod.PASSWORD, device=OWN)
    for _ in range(8):
        request_reset(email=patient.email, device=ELSEWHERE)

    reset = request_reset(email=patient.email, device=OWN)

    assert reset.pk


def test_fourth_request_in_five_minutes_is_turned_away_at_either_door(patient: User) -> None:
    client = page_client()
    for _ in range(2):
        client.post("/password/forgot", {"email": "a@example.org"})
    api_client().post(FORGOT, {"email": "A@example.org"})

    page = client.post("/password/forgot", {"email": " a@example.org"})
    api = api_client().post(FORGOT, {"email": "a@example.org"})
    neighbour = api_client().post(FORGOT, {"email": "b@example.org"})

    assert (page.status_code, api.status_code) == (429, 429)
    assert neighbour.status_code == 200
    assert PasswordReset.objects.count() == 4


def test_one_address_asks_for_thirty_codes_in_five_minutes_at_most() -> None:
    client = api_client()

    answers = [client.post(FORGOT, {"email": f"{n}@example.org"}) for n in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


@pytest.mark.parametrize("body", [{}, {"email": "no address"}, {"email": '"a b"@example.org'}])
def test_what_is_no_address_is_refused(body: dict[str, str]) -> None:
    answer = api_client().post(FORGOT, body)

    assert answer.status_code == 400
    assert not PasswordReset.objects.exists()
    assert not AttemptCount.objects.exists()


def test_page_leads_to_the_code_and_on_to_the_new_password(patient: User) -> None:
    client = page_client()

    asked_for = client.post("/password/forgot", {"email": patient.email})
    reset = PasswordReset.objects.get()
    prepare_reset(reset_id=reset.pk)
    shown = client.get("/password/code")
    wrong = client.post("/password/code", {"otp": wrong_code(reset)})
    right = client.post("/password/code", {"otp": code_of(reset)})

    assert (asked_for.status_code, asked_for["Location"]) == (302, "/password/code")
    assert patient.email in shown.content.decode()
    assert wrong.status_code == 400
    assert (right.status_code, right["Location"]) == (302, "/password/new")
    assert client.get("/password/new").status_code == 200


def test_pages_out_of_turn_lead_to_the_first() -> None:
    client = page_client()

    answers = [
        client.get("/password/code"),
        client.post("/password/code", {"otp": "123456"}),
        client.post("/password/resend"),
        client.get("/password/new"),
        client.post("/password/new", {"new_password": "a quite long sentence"}),
    ]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, "/password/forgot")
    }


def test_page_sends_a_second_code_after_a_minute(patient: User) -> None:
    client = page_client()
    client.post("/password/forgot", {"email": patient.email})

    with time_machine.travel(timezone.now() + OneTimeCode.RESEND_AFTER):
        answer = client.post("/password/resend", follow=True)
        prepare_reset(reset_id=PasswordReset.objects.get().pk)

    assert "a new code and link are on their way" in answer.content.decode()
    assert EmailDelivery.objects.count() == 1


def test_login_page_leads_there() -> None:
    assert 'href="/password/forgot"' in page_client().get("/login").content.decode()


def test_what_has_expired_is_forgotten(patient: User) -> None:
    reset = asked(patient)

    jobs.delete_expired_proofs()
    kept = PasswordReset.objects.count()
    with time_machine.travel(reset.expires_at + PasswordReset.LASTS):
        jobs.delete_expired_proofs()

    assert (kept, PasswordReset.objects.count(), OneTimeCode.objects.count()) == (1, 0, 0)
