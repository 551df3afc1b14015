"""Linking a Google account while signed in, unlinking it, and confirming by it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import DeviceSession, ExternalIdentity, Passkey, Totp, User
from accounts.policies import ConfirmationNeeded
from accounts.services import google as service
from accounts.services import passkeys
from accounts.services.identities import LastWayIn
from accounts.tests.factories import PASSWORD, PatientFactory
from accounts.tests.provider import LyingProvider, come_back, leave, say_yes
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification

pytestmark = pytest.mark.django_db
CONFIRM = "/api/v1/auth/confirm"


def link(user: User, issuer: str, subject: str = "layla") -> ExternalIdentity:
    return ExternalIdentity.objects.create(user=user, issuer=issuer, subject=subject)


def let_confirmation_lapse(user: User) -> None:
    DeviceSession.objects.filter(user=user).update(
        confirmed_at=timezone.now() - dt.timedelta(minutes=11)
    )


def without_password(**changes: Any) -> User:
    user = PatientFactory(**changes)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return user


def test_signed_in_person_links_and_is_told(google: str, patient: User) -> None:
    answer = come_back(page_client(patient))

    assert answer["Location"] == "/security"
    assert service.linked_identity(patient).subject == "layla"
    assert [row.kind for row in Notification.objects.all()] == ["IDENTITY_LINKED"]
    assert come_back(Client())["Location"] == "/"


def test_linking_asks_for_confirmation_first(google: str, patient: User) -> None:
    browser = page_client(patient)
    let_confirmation_lapse(patient)

    answer = browser.get("/login/google")

    assert answer["Location"] == "/confirm?next=/login/google"


def test_confirmation_that_lapsed_on_the_way_links_nothing(google: str, patient: User) -> None:
    browser = page_client(patient)
    back = say_yes(leave(browser))
    let_confirmation_lapse(patient)

    browser.get(back)

    assert not ExternalIdentity.objects.exists()


def test_google_account_of_another_is_not_linked(
    google: str, patient: User, stranger: User
) -> None:
    link(stranger, google)

    come_back(page_client(patient))

    assert ExternalIdentity.objects.get().user == stranger


def test_unlinking_closes_that_door(google: str, patient: User) -> None:
    link(patient, google)
    browser = page_client(patient)

    answer = browser.post("/security/google/unlink")

    assert answer["Location"] == "/security"
    assert service.linked_identity(patient) is None
    assert come_back(Client())["Location"] == "/login/google/role"


def test_unlinking_works_where_google_is_not_configured_any_more(
    google: str, patient: User, settings: Any
) -> None:
    link(patient, google)
    settings.GOOGLE_CLIENT_ID = ""
    browser = page_client(patient)

    page = browser.get("/security").content.decode()
    answer = browser.post("/security/google/unlink")

    assert "/security/google/unlink" in page
    assert answer["Location"] == "/security"
    assert service.linked_identity(patient) is None


def test_unlinking_asks_for_confirmation_first(google: str, patient: User) -> None:
    link(patient, google)
    browser = page_client(patient)
    let_confirmation_lapse(patient)

    answer = browser.post("/security/google/unlink")

    assert answer["Location"] == "/confirm?next=/security"
    with pytest.raises(ConfirmationNeeded):
        service.unlink_identity(session=DeviceSession.objects.get())
    assert ExternalIdentity.objects.exists()


def test_last_way_in_is_not_unlinked(google: str) -> None:
    user = without_password()
    link(user, google)
    session = sign_in(user)

    with pytest.raises(LastWayIn):
        service.unlink_identity(session=session)

    Passkey.objects.create(user=user, name="Phone", credential_id=b"1", credential=b"1")
    service.unlink_identity(session=sign_in(user))
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize("other_way", ["password", "Google", "another passkey"])
def test_last_passkey_goes_only_where_there_is_another_way_in(google: str, other_way: str) -> None:
    user = without_password()
    passkey = Passkey.objects.create(user=user, name="Phone", credential_id=b"1", credential=b"1")
    session = sign_in(user)

    with pytest.raises(LastWayIn):
        passkeys.remove_passkey(session=session, passkey_id=passkey.pk)

    assert Passkey.objects.exists()
    if other_way == "password":
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    elif other_way == "Google":
        link(user, google)
    else:
        Passkey.objects.create(user=user, name="Tablet", credential_id=b"2", credential=b"2")
    passkeys.remove_passkey(session=session, passkey_id=passkey.pk)
    assert not Passkey.objects.filter(pk=passkey.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_unlinking_while_the_last_passkey_goes_waits_for_it(google: str) -> None:
    user = without_password()
    link(user, google)
    passkey = Passkey.objects.create(user=user, name="Phone", credential_id=b"1", credential=b"1")
    session = sign_in(user)

    racers = race(
        lambda: passkeys.remove_passkey(session=session, passkey_id=passkey.pk),
        lambda: service.unlink_identity(session=session),
        gate=Notification,
    )

    assert errors(racers) == ["", "LastWayIn"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_unlinking_without_the_lock_would_leave_no_way_in(google: str) -> None:
    user = without_password()
    link(user, google)
    passkey = Passkey.objects.create(user=user, name="Phone", credential_id=b"1", credential=b"1")
    session = sign_in(user)

    racers = race(
        lambda: passkeys.remove_passkey(session=session, passkey_id=passkey.pk),
        lambda: service.unlink_identity(session=session),
        gate=Notification,
    )

    assert errors(racers) == ["", ""]
    assert not Passkey.objects.exists()
    assert not ExternalIdentity.objects.exists()


def test_person_without_a_password_confirms_by_google(google: str) -> None:
    user = without_password()
    link(user, google)
    browser = page_client(user)
    let_confirmation_lapse(user)

    answer = come_back(browser, start="/login/google?next=/security")

    assert answer["Location"] == "/security"
    assert DeviceSession.objects.get().is_confirmed(timezone.now())


def test_another_google_account_confirms_nothing(google: str, patient: User) -> None:
    link(patient, google, subject="another")
    browser = page_client(patient)
    let_confirmation_lapse(patient)

    come_back(browser)

    assert not DeviceSession.objects.get().is_confirmed(timezone.now())


def test_google_does_not_stand_in_for_a_second_factor(google: str, patient: User) -> None:
    link(patient, google)
    Totp.objects.create(user=patient, seed="JBSWY3DPEHPK3PXP", confirmed_at=timezone.now())
    browser = page_client(patient)
    let_confirmation_lapse(patient)

    come_back(browser)

    assert not DeviceSession.objects.get().is_confirmed(timezone.now())


# --- The same for an app ---------------------------------------------------------------------


def confirm(client: APIClient, **body: Any) -> tuple[int, bool]:
    """Confirm by an hour-old session; the status, and whether it counts as confirmed now."""
    let_confirmation_lapse(DeviceSession.objects.get().user)
    answer = client.post(CONFIRM, body)
    return answer.status_code, DeviceSession.objects.get().is_confirmed(timezone.now())


def test_app_confirms_by_a_token_of_the_linked_account(liar: LyingProvider) -> None:
    user = without_password()
    link(user, liar.issuer, subject="1001")
    token = liar.token(nonce="asked with")

    client = api_client(user)
    first = confirm(client, id_token=token, nonce="asked with")
    again = confirm(client, id_token=token, nonce="asked with")

    assert (first, again) == ((204, True), (401, False))


def test_token_of_another_account_confirms_nothing(liar: LyingProvider, patient: User) -> None:
    link(patient, liar.issuer, subject="another")

    assert confirm(api_client(patient), id_token=liar.token()) == (409, False)


def test_token_does_not_stand_in_for_a_second_factor(liar: LyingProvider, patient: User) -> None:
    link(patient, liar.issuer, subject="1001")
    Totp.objects.create(user=patient, seed="JBSWY3DPEHPK3PXP", confirmed_at=timezone.now())

    assert confirm(api_client(patient), id_token=liar.token()) == (409, False)


def test_no_token_confirms_where_google_is_not_configured(
    liar: LyingProvider, patient: User, settings: Any
) -> None:
    link(patient, liar.issuer, subject="1001")
    settings.GOOGLE_CLIENT_ID = ""

    assert confirm(api_client(patient), id_token=liar.token()) == (404, False)


@pytest.mark.parametrize("more", [{"password": PASSWORD}, {"code": "123456"}])
def test_token_comes_alone(liar: LyingProvider, patient: User, more: dict[str, str]) -> None:
    link(patient, liar.issuer, subject="1001")

    assert confirm(api_client(patient), id_token=liar.token(), **more) == (400, False)
