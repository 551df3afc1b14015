"""What a session may not do any more: one from before a factor, and one that has ended."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Passkey, RecoveryCode, Totp, User
from accounts.policies import ConfirmationNeeded
from accounts.services.addresses import request_change, verify_change
from accounts.services.passkeys import add_passkey, ask_to_register
from accounts.services.passwords import change_password
from accounts.services.second_factor import (
    confirm_totp,
    remove_totp,
    renew_recovery_codes,
    start_totp,
    unconfirmed_totp,
)
from accounts.services.sessions import SessionEnded
from accounts.tests.authenticator import Authenticator
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_of, with_totp
from accounts.tests.registering import code_of as code_mailed_for
from medisync.tests.client import api_client, page_client, sign_in

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "another quite long sentence"


def test_session_from_before_the_factor_cannot_remove_it(patient: User) -> None:
    old = sign_in(patient)
    with_totp(patient)

    with pytest.raises(ConfirmationNeeded):
        remove_totp(session=old)

    assert Totp.objects.filter(user=patient).exists()


def test_session_from_before_the_factor_cannot_add_another(admin: User) -> None:
    old = sign_in(admin, factor="")
    with_totp(admin)

    with pytest.raises(ConfirmationNeeded):
        ask_to_register(session=old)
    with pytest.raises(ConfirmationNeeded):
        renew_recovery_codes(session=old)

    assert not Passkey.objects.exists()
    assert RecoveryCode.objects.filter(user=admin, used_at=None).count() == RecoveryCode.NUMBER


def test_page_asks_a_session_from_before_the_factor_to_confirm(patient: User) -> None:
    browser = page_client(patient)
    with_totp(patient)

    assert browser.post("/security/totp/remove").url == "/confirm?next=/security"


def test_seed_seen_by_another_session_is_not_set_up_later(patient: User) -> None:
    thief = sign_in(patient)
    seen = unconfirmed_totp(session=thief).seed

    shown = unconfirmed_totp(session=sign_in(patient)).seed

    assert shown != seen


def test_seed_is_good_for_a_quarter_of_an_hour(patient: User) -> None:
    client = api_client(patient)
    client.post("/api/v1/auth/mfa/totp")
    totp = Totp.objects.get()

    Totp.objects.update(begun_at=timezone.now() - dt.timedelta(minutes=16))
    answer = client.post("/api/v1/auth/mfa/totp/confirm", {"code": code_of(totp)})

    assert answer.status_code == 400
    assert not patient.has_second_factor


def test_session_ended_while_it_waited_changes_no_factor(patient: User) -> None:
    thief, owner = sign_in(patient), sign_in(patient)
    totp = start_totp(session=thief)
    authenticator, asked = Authenticator(), ask_to_register(session=thief)
    change_password(session=owner, old_password=PASSWORD, new_password=NEW_PASSWORD)

    with pytest.raises(SessionEnded):
        confirm_totp(session=thief, code=code_of(totp))
    with pytest.raises(SessionEnded):
        add_passkey(
            session=thief,
            challenge_id=asked.challenge_id,
            credential=authenticator.create(asked.options),
            name="Thief's",
        )

    assert not patient.has_second_factor


def test_session_ended_while_it_waited_moves_no_account(patient: User) -> None:
    thief, owner = sign_in(patient), sign_in(patient)
    change = request_change(session=thief, new_email="thief@example.org")
    change_password(session=owner, old_password=PASSWORD, new_password=NEW_PASSWORD)

    with pytest.raises(SessionEnded):
        verify_change(session=thief, change_id=change.pk, code=code_mailed_for(change))

    patient.refresh_from_db()
    assert patient.email != "thief@example.org"
