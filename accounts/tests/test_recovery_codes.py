"""The codes on paper, for when the phone is lost; and an administrator's help when they are too."""

from __future__ import annotations

import pytest
from django.db import connection as database

from accounts.models import DeviceSession, RecoveryCode, SecondFactorReset, Status, Totp, User
from accounts.policies import AccountNotActive, ConfirmationNeeded, SecondFactorNeeded
from accounts.services.second_factor import WrongCode, prove, standing_of
from accounts.services.users import AccountIsClosed, AccountIsGone, OwnAccount, reset_second_factor
from accounts.tests.factors import unconfirmed, with_passkey, with_totp
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from notifications.models import Notification

pytestmark = pytest.mark.django_db
CODES = "/api/v1/auth/mfa/recovery-codes"


def test_each_code_works_once(patient: User) -> None:
    _, codes = with_totp(patient)
    factor = prove(patient, codes[0])

    with pytest.raises(WrongCode):
        prove(patient, codes[0])

    assert factor == "RECOVERY_CODE"
    assert prove(patient, codes[1]) == "RECOVERY_CODE"
    assert standing_of(patient).codes_left == RecoveryCode.NUMBER - 2


def test_code_is_read_however_it_is_typed(patient: User) -> None:
    _, codes = with_totp(patient)

    assert prove(patient, f" {codes[0].replace('-', ' ').lower()} ") == "RECOVERY_CODE"


def test_code_of_another_user_is_wrong(patient: User, stranger: User) -> None:
    _, codes = with_totp(stranger)
    with_totp(patient)

    with pytest.raises(WrongCode):
        prove(patient, codes[0])


def test_only_digests_are_kept(patient: User) -> None:
    _, codes = with_totp(patient)

    with database.cursor() as cursor:
        cursor.execute("SELECT string_agg(to_jsonb(accounts_recoverycode)::text, ' ') "
                       "FROM accounts_recoverycode")  # fmt: skip
        stored = cursor.fetchone()[0]

    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_codes_differ(patient: User) -> None:
    _, codes = with_totp(patient)

    assert len(set(codes)) == RecoveryCode.NUMBER


def test_new_codes_replace_the_old_ones(patient: User) -> None:
    _, old = with_totp(patient)

    answer = api_client(patient).post(CODES)

    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert prove(patient, answer.json()["recovery_codes"][0]) == "RECOVERY_CODE"
    with pytest.raises(WrongCode):
        prove(patient, old[0])


def test_without_a_second_factor_there_are_none(patient: User) -> None:
    answer = api_client(patient).post(CODES)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "no_second_factor")


def test_new_codes_ask_who_it_is(patient: User) -> None:
    with_totp(patient)
    client = api_client(patient)
    unconfirmed(DeviceSession.objects.get())

    answer = client.post(CODES)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
        403,
        "confirmation_required",
    )


@pytest.mark.django_db(transaction=True)
def test_one_code_shown_twice_at_once_is_accepted_once(patient: User) -> None:
    _, codes = with_totp(patient)

    racers = race(
        lambda: prove(patient, codes[0]), lambda: prove(patient, codes[0]), gate=RecoveryCode
    )

    assert sorted(errors(racers)) == ["", "WrongCode"]


@pytest.mark.django_db(transaction=True)
def test_looking_first_and_marking_later_would_accept_it_twice(patient: User) -> None:
    """What the conditional UPDATE is for."""
    with_totp(patient)
    code_id = RecoveryCode.objects.first().pk

    def naive_use() -> bool:
        code = RecoveryCode.objects.get(pk=code_id)
        is_unused = code.used_at is None
        code.used_at = code.created_at
        code.save()
        return is_unused

    racers = race(naive_use, naive_use, gate=RecoveryCode)

    assert [racer.value for racer in racers] == [True, True]


def test_page_shows_new_codes_and_keeps_none(patient: User) -> None:
    with_totp(patient)
    client = page_client(patient)

    page = client.post("/security/recovery-codes")

    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert prove(patient, page.context["codes"][0]) == "RECOVERY_CODE"
    assert client.get("/security/recovery-codes").status_code == 405


def test_administrator_resets_a_lost_factor(admin: User, patient: User) -> None:
    with_totp(patient)
    with_passkey(patient)
    signed_in = sign_in(patient)

    reset_second_factor(session=sign_in(admin), user_id=patient.pk, reason="Showed her ID card.")

    signed_in.refresh_from_db()
    reset = SecondFactorReset.objects.get()
    assert (reset.user, reset.reset_by, reset.reason) == (patient, admin, "Showed her ID card.")
    assert not patient.has_second_factor
    assert not RecoveryCode.objects.filter(user=patient).exists()
    assert signed_in.revoked_reason == "second_factor_reset"
    assert Notification.objects.filter(recipient=patient, kind="FACTOR_CHANGED").exists()


@pytest.mark.parametrize("reason", ["  ", "\x00", "x" * 2001])
def test_reset_asks_for_a_reason(admin: User, patient: User, reason: str) -> None:
    with pytest.raises(InvalidInput):
        reset_second_factor(session=sign_in(admin), user_id=patient.pk, reason=reason)


def test_nobody_resets_their_own(admin: User) -> None:
    with_totp(admin)

    with pytest.raises(OwnAccount):
        reset_second_factor(session=sign_in(admin), user_id=admin.pk, reason="Lost.")


def test_administrator_closed_a_moment_ago_resets_nothing(admin: User, patient: User) -> None:
    session = sign_in(admin)
    User.objects.filter(pk=admin.pk).update(status=Status.INACTIVE)

    with pytest.raises(AccountNotActive):
        reset_second_factor(session=session, user_id=patient.pk, reason="Revenge.")


def test_nothing_is_reset_of_somebody_anonymised(admin: User, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(status=Status.ANONYMISED)

    with pytest.raises(AccountIsGone):
        reset_second_factor(session=sign_in(admin), user_id=patient.pk, reason="Lost.")

    assert not SecondFactorReset.objects.exists()


def test_reset_is_for_administrators(doctor: User, patient: User) -> None:
    with pytest.raises(NotAllowed):
        reset_second_factor(session=sign_in(doctor), user_id=patient.pk, reason="Lost.")


def test_reset_asks_the_administrator_for_a_second_factor(admin: User, patient: User) -> None:
    with pytest.raises(SecondFactorNeeded):
        reset_second_factor(session=sign_in(admin, factor=""), user_id=patient.pk, reason="Lost.")


def test_reset_asks_the_administrator_who_it_is(admin: User, patient: User) -> None:
    with pytest.raises(ConfirmationNeeded):
        reset_second_factor(session=unconfirmed(sign_in(admin)), user_id=patient.pk, reason="Lost.")


@pytest.mark.parametrize("status", [Status.INACTIVE, Status.SUSPENDED])
def test_closed_account_keeps_its_factors(admin: User, patient: User, status: Status) -> None:
    with_totp(patient)
    User.objects.filter(pk=patient.pk).update(status=status)

    with pytest.raises(AccountIsClosed):
        reset_second_factor(session=sign_in(admin), user_id=patient.pk, reason="Lost.")

    assert Totp.objects.filter(user=patient).exists()
