"""The authenticator app: setting it up, showing its codes, removing it."""

from __future__ import annotations

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from accounts.models import DeviceSession, Factor, RecoveryCode, Totp, User
from accounts.policies import ConfirmationNeeded
from accounts.services.passkeys import remove_passkey
from accounts.services.second_factor import (
    AppAlreadyThere,
    NothingSetUp,
    WrongCode,
    confirm_totp,
    prove,
    remove_totp,
    start_totp,
)
from accounts.tests.factors import code_of, unconfirmed, with_passkey, with_totp, wrong_code
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db
TOTP = "/api/v1/auth/mfa/totp"


def test_app_is_set_up_by_its_first_code(patient: User) -> None:
    client = api_client(patient)
    begun = client.post(TOTP)
    totp = Totp.objects.get()

    answer = client.post(f"{TOTP}/confirm", {"code": code_of(totp)})

    assert begun.status_code == 201
    assert begun.json()["secret"] == totp.seed
    assert begun.json()["otpauth_uri"].startswith("otpauth://totp/MediSync:")
    assert len(answer.json()["recovery_codes"]) == RecoveryCode.NUMBER
    assert patient.has_second_factor


def test_seed_and_codes_are_kept_by_nobody_on_the_way(patient: User) -> None:
    client = api_client(patient)
    begun = client.post(TOTP)

    answer = client.post(f"{TOTP}/confirm", {"code": code_of(Totp.objects.get())})

    assert begun["Cache-Control"] == answer["Cache-Control"] == "no-store"


def test_seed_is_sealed_in_the_database(patient: User) -> None:
    totp = start_totp(session=sign_in(patient))

    with database.cursor() as cursor:
        cursor.execute("SELECT seed FROM accounts_totp")
        stored = cursor.fetchone()[0]

    assert stored.startswith("v1.")
    assert totp.seed not in stored


def test_app_that_was_not_confirmed_counts_for_nothing(patient: User) -> None:
    totp = start_totp(session=sign_in(patient))

    assert not patient.has_second_factor
    with pytest.raises(WrongCode):
        prove(patient, code_of(totp))


def test_wrong_first_code_sets_nothing_up(patient: User) -> None:
    client = api_client(patient)
    client.post(TOTP)

    answer = client.post(f"{TOTP}/confirm", {"code": wrong_code(Totp.objects.get())})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "wrong_code")
    assert not patient.has_second_factor


def test_session_it_was_set_up_in_has_shown_it(admin: User) -> None:
    session = sign_in(admin, factor="")
    totp = start_totp(session=session)

    confirm_totp(session=session, code=code_of(totp))

    assert DeviceSession.objects.get().factor == Factor.TOTP


def test_owner_is_told_of_every_change(patient: User) -> None:
    session = sign_in(patient)
    totp = start_totp(session=session)
    confirm_totp(session=session, code=code_of(totp))

    remove_totp(session=session)

    assert [row.kind for row in Notification.objects.all()] == ["FACTOR_CHANGED"] * 2


def test_second_app_waits_for_the_first_to_be_removed(patient: User) -> None:
    with_totp(patient)

    with pytest.raises(AppAlreadyThere):
        start_totp(session=sign_in(patient))


@pytest.mark.parametrize("act", [start_totp, remove_totp])
def test_it_has_to_be_confirmed_who_it_is(patient: User, act) -> None:
    with_totp(patient)

    with pytest.raises(ConfirmationNeeded):
        act(session=unconfirmed(sign_in(patient)))


def test_code_is_never_accepted_twice(patient: User) -> None:
    totp, _ = with_totp(patient)
    code = code_of(totp)
    prove(patient, code)

    with pytest.raises(WrongCode):
        prove(patient, code)


def test_code_before_the_last_one_is_refused(patient: User) -> None:
    totp, _ = with_totp(patient)
    earlier, now = code_of(totp, steps=-1), code_of(totp)
    prove(patient, now)

    with pytest.raises(WrongCode):
        prove(patient, earlier)


def test_code_that_set_the_app_up_does_not_sign_in(patient: User) -> None:
    session = sign_in(patient)
    totp = start_totp(session=session)
    code = code_of(totp)
    confirm_totp(session=session, code=code)

    with pytest.raises(WrongCode):
        prove(patient, code)


@pytest.mark.parametrize(("steps", "is_right"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_clock_may_be_off_by_one_step(patient: User, steps: int, is_right: int) -> None:
    totp, _ = with_totp(patient)
    with time_machine.travel(timezone.now(), tick=False):
        code = code_of(totp, steps=steps)

        try:
            prove(patient, code)
            accepted = 1
        except WrongCode:
            accepted = 0

    assert accepted == is_right


def test_code_of_another_user_is_wrong(patient: User, stranger: User) -> None:
    totp, _ = with_totp(stranger)
    with_totp(patient)

    with pytest.raises(WrongCode):
        prove(patient, code_of(totp))


def test_removed_app_takes_the_recovery_codes_with_it(patient: User) -> None:
    with_totp(patient)

    answer = api_client(patient).delete(TOTP)

    assert answer.status_code == 204
    assert not patient.has_second_factor
    assert not RecoveryCode.objects.exists()


def test_removing_what_is_not_there_is_a_conflict(patient: User) -> None:
    with pytest.raises(NothingSetUp):
        remove_totp(session=sign_in(patient))


def test_administrator_keeps_the_last_factor(admin: User) -> None:
    with_totp(admin)

    answer = api_client(admin).delete(TOTP)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "last_factor")
    assert admin.has_second_factor


def test_administrator_with_a_passkey_may_remove_the_app(admin: User) -> None:
    with_totp(admin)
    with_passkey(admin)

    remove_totp(session=sign_in(admin))

    assert admin.has_second_factor


@pytest.mark.django_db(transaction=True)
def test_one_code_shown_twice_at_once_is_accepted_once(patient: User) -> None:
    totp, _ = with_totp(patient)
    code = code_of(totp)

    racers = race(lambda: prove(patient, code), lambda: prove(patient, code), gate=Totp)

    assert sorted(errors(racers)) == ["", "WrongCode"]


@pytest.mark.django_db(transaction=True)
def test_comparing_the_step_in_python_would_accept_it_twice(patient: User) -> None:
    """What the conditional UPDATE is for."""
    with_totp(patient)
    step = int(timezone.now().timestamp()) // 30

    def naive_use() -> bool:
        totp = Totp.objects.get(user=patient)
        is_new = totp.last_step < step
        totp.last_step = step
        totp.save()
        return is_new

    racers = race(naive_use, naive_use, gate=Totp)

    assert [racer.value for racer in racers] == [True, True]


def remove_both(admin: User) -> list[str]:
    with_totp(admin)
    passkey, _ = with_passkey(admin)
    first, second = sign_in(admin), sign_in(admin)
    racers = race(
        lambda: remove_totp(session=first),
        lambda: remove_passkey(session=second, passkey_id=passkey.pk),
        gate=Notification,
    )
    return sorted(errors(racers))


@pytest.mark.django_db(transaction=True)
def test_last_two_factors_removed_at_once_leave_one(admin: User) -> None:
    assert remove_both(admin) == ["", "LastFactor"]
    assert admin.has_second_factor


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_they_would_leave_none(admin: User) -> None:
    assert remove_both(admin) == ["", ""]
    assert not admin.has_second_factor


def test_page_shows_the_symbol_and_the_secret_and_asks_for_a_code(patient: User) -> None:
    client = page_client(patient)

    page = client.get("/security/totp")

    totp = Totp.objects.get()
    assert page.status_code == 200
    assert "<svg" in page.content.decode()
    assert totp.seed in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_page_shown_again_shows_the_same_secret(patient: User) -> None:
    client = page_client(patient)
    client.get("/security/totp")
    seed = Totp.objects.get().seed

    page = client.post("/security/totp", {"code": "000000"})

    assert page.status_code == 400
    assert seed in page.content.decode()


def test_page_shows_the_recovery_codes_once(patient: User) -> None:
    client = page_client(patient)
    client.get("/security/totp")

    page = client.post("/security/totp", {"code": code_of(Totp.objects.get())})

    assert page.status_code == 200
    assert len(page.context["codes"]) == RecoveryCode.NUMBER
    assert all(code in page.content.decode() for code in page.context["codes"])
    assert page.context["codes"][0] not in client.get("/security").content.decode()


def test_arabic_digits_are_digits(patient: User) -> None:
    client = page_client(patient)
    client.get("/security/totp")
    code = code_of(Totp.objects.get()).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    page = client.post("/security/totp", {"code": code})

    assert page.status_code == 200
    assert patient.has_second_factor


def test_page_removes_the_app(patient: User) -> None:
    with_totp(patient)

    page = page_client(patient).post("/security/totp/remove")

    assert page["Location"] == "/security"
    assert not patient.has_second_factor


def test_page_says_why_an_administrator_keeps_the_app(admin: User) -> None:
    with_totp(admin)

    page = page_client(admin).post("/security/totp/remove", follow=True)

    assert "keep at least one second factor" in page.content.decode()
    assert admin.has_second_factor


def test_seed_begun_anew_makes_the_old_one_worth_nothing(patient: User) -> None:
    session = sign_in(patient)
    code = code_of(start_totp(session=session))
    start_totp(session=session)

    with pytest.raises(WrongCode):
        confirm_totp(session=session, code=code)
