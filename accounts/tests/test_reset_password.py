"""A new password with the token of a reset."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import DeviceSession, PasswordReset, PendingSignIn, SignInMethod, Status, User
from accounts.services import sign_in as signing_in
from accounts.services.passwords import (
    ResetExpired,
    prepare_reset,
    verify_reset_code,
)
from accounts.services.sessions import Device
from accounts.tests.factories import PASSWORD, PatientFactory
from accounts.tests.registering import code_of
from accounts.tests.resetting import ELSEWHERE, asked, reset_with
from accounts.tests.resetting import NEW_PASSWORD as NEW
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications import outbox
from notifications.models import EmailDelivery, Notification

pytestmark = pytest.mark.django_db
RESET = "/api/v1/auth/reset-password"
LOGIN = "/api/v1/auth/login"


def token_for(user: User) -> str:
    reset = asked(user)
    return verify_reset_code(reset_id=reset.pk, code=code_of(reset))


def test_token_sets_a_new_password_and_signs_nobody_in(patient: User) -> None:
    answer = api_client().post(RESET, {"reset_token": token_for(patient), "new_password": NEW})

    assert (answer.status_code, answer.content) == (204, b"")
    patient.refresh_from_db()
    assert patient.check_password(NEW)
    assert not patient.check_password(PASSWORD)
    assert not DeviceSession.objects.exists()


def test_every_session_ends(patient: User) -> None:
    app, browser = api_client(patient), page_client(patient)
    token = token_for(patient)

    reset_with(token)

    assert app.get("/api/v1/users/profile").status_code == 401
    assert browser.get("/profile").status_code == 302
    reasons = DeviceSession.objects.values_list("revoked_reason", flat=True)
    assert set(reasons) == {"password_reset"}


@pytest.mark.django_db(transaction=True)
def test_owner_is_told_by_mail_in_their_language(mailbox: Any) -> None:
    user = PatientFactory(language="ar")
    reset_with(token_for(user))

    outbox.deliver(EmailDelivery.objects.get(kind="PASSWORD_CHANGED").pk)

    (mail,) = mailbox.newest(to=user.email)
    assert 'dir="rtl"' in mail.html
    assert NEW not in mail.text + mail.html
    assert Notification.objects.get(recipient=user).kind == "PASSWORD_CHANGED"


def test_token_works_once(patient: User) -> None:
    token = token_for(patient)
    reset_with(token)

    answer = api_client().post(RESET, {"reset_token": token, "new_password": "another sentence"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "reset_expired"
    patient.refresh_from_db()
    assert patient.check_password(NEW)


def test_token_lasts_for_ten_minutes(patient: User) -> None:
    token = token_for(patient)
    ends = PasswordReset.objects.get().reset_expires_at
    assert ends is not None

    with time_machine.travel(ends), pytest.raises(ResetExpired):
        reset_with(token)
    with time_machine.travel(ends - dt.timedelta(seconds=1)):
        reset_with(token)

    assert dt.timedelta(minutes=9) < ends - timezone.now() <= PasswordReset.TOKEN_LASTS


@pytest.mark.parametrize("token", ["x", "x" * 43, "é" * 40])
def test_unknown_token_is_refused(patient: User, token: str) -> None:
    answer = api_client().post(RESET, {"reset_token": token, "new_password": NEW})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "reset_token"


@pytest.mark.parametrize("weak", ["too short", "1234567890123", "password123"])
def test_weak_password_is_refused_and_leaves_the_token(patient: User, weak: str) -> None:
    token = token_for(patient)

    refused = api_client().post(RESET, {"reset_token": token, "new_password": weak})
    reset_with(token)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["attr"] == "new_password"


@pytest.mark.django_db(transaction=True)
def test_two_resets_with_one_token_at_once_set_one_password(patient: User) -> None:
    token = token_for(patient)

    racers = race(
        lambda: reset_with(token, "the first of two sentences"),
        lambda: reset_with(token, "the other of two sentences"),
        gate=PasswordReset,
    )

    assert sorted(errors(racers)) == ["", "ResetExpired"]
    assert EmailDelivery.objects.filter(kind="PASSWORD_CHANGED").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_one_token_is_spent_once_even_without_the_row_lock(patient: User) -> None:
    token = token_for(patient)

    racers = race(lambda: reset_with(token), lambda: reset_with(token), gate=PasswordReset)

    assert sorted(errors(racers)) == ["", "ResetExpired"]


@pytest.mark.django_db(transaction=True)
def test_reading_the_token_before_spending_it_would_let_two_in(patient: User) -> None:
    """What the conditional UPDATE is for."""
    token = token_for(patient)

    def naive_spending() -> bool:
        reset = PasswordReset.objects.with_token(token, timezone.now()).first()
        if reset is None:
            return False
        reset.used_at = timezone.now()
        reset.save()
        return True

    racers = race(naive_spending, naive_spending, gate=PasswordReset)

    assert [racer.value for racer in racers] == [True, True]


def test_other_codes_and_tokens_of_the_user_are_worth_nothing_afterwards(patient: User) -> None:
    earlier, pending = token_for(patient), asked(patient)

    reset_with(token_for(patient))

    with pytest.raises(ResetExpired):
        reset_with(earlier)
    answer = api_client().post(
        "/api/v1/auth/verify-reset-otp",
        {"reset_id": str(pending.pk), "otp": code_of(pending)},
    )
    assert answer.status_code == 400


def test_token_of_an_address_that_the_user_has_left_is_refused(patient: User) -> None:
    token = token_for(patient)
    User.objects.filter(pk=patient.pk).update(email="elsewhere@example.org")

    with pytest.raises(ResetExpired):
        reset_with(token)


def test_token_of_an_account_closed_meanwhile_is_refused(patient: User) -> None:
    token = token_for(patient)
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    with pytest.raises(ResetExpired):
        reset_with(token)


def test_account_made_with_google_chooses_its_first_password(patient: User) -> None:
    patient.set_unusable_password()
    patient.save()

    reset_with(token_for(patient))

    patient.refresh_from_db()
    assert patient.check_password(NEW)


def test_half_a_sign_in_by_the_old_password_is_over(patient: User) -> None:
    pending = PendingSignIn.objects.create(
        user=patient,
        method=SignInMethod.PASSWORD,
        expires_at=timezone.now() + PendingSignIn.LASTS,
    )

    reset_with(token_for(patient))

    assert not PendingSignIn.objects.open(timezone.now()).filter(pk=pending.pk).exists()


def come_in(user: User) -> signing_in.SignIn:
    return signing_in.begin(user=user, method=SignInMethod.PASSWORD, device=ELSEWHERE)


def test_sign_in_by_a_password_changed_meanwhile_leads_nowhere(patient: User) -> None:
    checked = signing_in.authenticate(email=patient.email, password=PASSWORD, device=ELSEWHERE)
    reset_with(token_for(patient))

    with pytest.raises(signing_in.InvalidCredentials):
        come_in(checked)

    assert not DeviceSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_sign_in_and_reset_at_once_leave_no_session_of_the_old_password(patient: User) -> None:
    token = token_for(patient)
    checked = User.objects.get(pk=patient.pk)

    racers = race(lambda: reset_with(token), lambda: come_in(checked), gate=DeviceSession)

    assert errors(racers)[0] == ""
    assert not DeviceSession.objects.live(timezone.now()).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_row_lock_a_session_of_the_old_password_would_stay(patient: User) -> None:
    """What it is for."""
    token = token_for(patient)
    sign_in(patient)
    checked = User.objects.get(pk=patient.pk)

    race(lambda: reset_with(token), lambda: come_in(checked), gate=DeviceSession)

    assert DeviceSession.objects.live(timezone.now()).exists()


@pytest.mark.parametrize("is_own", [True, False])
def test_reset_ends_a_lockout(patient: User, is_own: bool) -> None:
    client = api_client()
    if is_own:
        client.post(LOGIN, {"email": patient.email, "password": PASSWORD})
    device = Device(ip_address="127.0.0.1", key=client.cookies["device"].value if is_own else "")
    for _ in range(signing_in.ACCOUNT_TRIES):
        with pytest.raises(signing_in.InvalidCredentials):
            signing_in.authenticate(email=patient.email, password="no", device=device)
    locked = client.post(LOGIN, {"email": patient.email, "password": PASSWORD})

    client.post(RESET, {"reset_token": token_for(patient), "new_password": NEW})
    answer = client.post(LOGIN, {"email": patient.email, "password": NEW})

    assert (locked.status_code, answer.status_code) == (429, 200)


def test_page_sets_the_password_and_leads_to_the_sign_in_page(patient: User) -> None:
    client = page_client(patient)
    client.post("/password/forgot", {"email": patient.email})
    reset = PasswordReset.objects.get()
    prepare_reset(reset_id=reset.pk)
    client.post("/password/code", {"otp": code_of(reset)})

    weak = client.post("/password/new", {"new_password": "too short"})
    done = client.post("/password/new", {"new_password": NEW}, follow=True)

    assert weak.status_code == 400
    assert done.redirect_chain == [("/login", 302)]
    assert "Your password is changed" in done.content.decode()
    assert client.get("/profile").status_code == 302


def test_page_of_an_expired_token_begins_again(patient: User) -> None:
    client = page_client()
    session = client.session
    session["password_reset_token"] = token_for(patient)
    session.save()
    client.cookies["sessionid"] = session.session_key or ""

    with time_machine.travel(timezone.now() + PasswordReset.TOKEN_LASTS):
        answer = client.get("/password/new", follow=True)

    assert answer.redirect_chain == [("/password/forgot", 302)]
    assert "This took too long" in answer.content.decode()
