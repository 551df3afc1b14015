"""The page of sign-in settings, and what devices it leads to."""

from __future__ import annotations

import pytest

from accounts.models import DeviceSession, RecoveryCode, Status, User
from accounts.tests.factories import DoctorFactory
from accounts.tests.factors import with_passkey, with_totp
from medisync.tests.client import page_client, sign_in

pytestmark = pytest.mark.django_db


def seen(user: User, **more) -> str:
    page = page_client(user, **more).get("/security")
    assert page.status_code == 200
    return page.content.decode()


def test_account_menu_and_profile_lead_there(patient: User) -> None:
    page = page_client(patient).get("/profile").content.decode()

    assert page.count('href="/security"') == 2


def test_without_a_factor_it_offers_both(patient: User) -> None:
    page = seen(patient)

    assert 'href="/security/totp"' in page
    assert 'href="/security/passkeys"' in page
    assert "recovery codes are left" not in page


def test_it_leads_to_everything_else(patient: User) -> None:
    page = seen(patient)

    for path in ("/password/change", "/email/change", "/sessions", "/export"):
        assert f'href="{path}"' in page


def test_what_is_set_up_is_shown(patient: User) -> None:
    with_totp(patient)
    with_passkey(patient, name="My phone")

    page = seen(patient)

    assert "/security/totp/remove" in page
    assert "My phone" in page
    assert "10 recovery codes are left" in page
    assert "Few left" not in page


def test_few_codes_are_pointed_out(patient: User) -> None:
    with_totp(patient)
    kept = RecoveryCode.objects.values_list("pk", flat=True)[:3]
    RecoveryCode.objects.exclude(pk__in=list(kept)).delete()

    assert "Few left" in seen(patient)


def test_applicants_see_it_too(db: None) -> None:
    assert "Sign-in and security" in seen(DoctorFactory(status=Status.PENDING_APPROVAL))


def test_administrator_without_a_factor_is_told_what_to_do(admin: User) -> None:
    page = seen(admin, factor="")

    assert "opens once you have a second factor" in page


def test_administrator_who_has_not_shown_theirs_is_sent_to_show_it(admin: User) -> None:
    with_totp(admin)

    assert "/confirm?next=/admin/" in seen(admin, factor="")


def test_administrator_who_has_is_sent_on(admin: User) -> None:
    with_totp(admin)

    page = seen(admin, factor="TOTP")

    assert 'href="/admin/"' in page
    assert "opens once you have" not in page


def test_devices_say_how_and_where_each_signed_in(patient: User) -> None:
    client = page_client(patient, factor="PASSKEY")
    DeviceSession.objects.update(method="PASSWORD")
    sign_in(patient)

    page = client.get("/sessions").content.decode()

    assert "password + passkey" in page
    assert "local network" in page
    assert "127.0.0.1" in page


def test_one_button_signs_out_everywhere_else(patient: User) -> None:
    client = page_client(patient)
    others = [sign_in(patient), sign_in(patient)]
    assert "/sessions/revoke-others" in client.get("/sessions").content.decode()

    client.post("/sessions/revoke-others")

    for session in others:
        session.refresh_from_db()
        assert session.revoked_at is not None
    assert client.get("/profile").status_code == 200
    assert "/sessions/revoke-others" not in client.get("/sessions").content.decode()
