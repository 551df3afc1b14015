"""The pages of identity, as a browser without JavaScript walks them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import DeviceSession, OneTimeCode, Registration, SignInMethod, Status, User
from accounts.services.sessions import revoke_session
from accounts.tests.factories import (
    PASSWORD,
    PatientFactory,
    UserFactory,
    png_bytes,
)
from accounts.tests.registering import verified
from medisync.tests.client import page_client, sign_in
from notifications.models import EmailDelivery
from notifications.wording import Kind
from specializations.models import Specialization

DETAILS = {
    "first_name": "Layla",
    "last_name": "Hassan",
    "email": "layla@example.org",
    "password": "a quite long sentence",
}
PATIENT_PROFILE = {"phone": "01001234567", "national_id": "29005170100123"}


def mailed_code(address: str) -> str:
    mail = EmailDelivery.objects.filter(to_address=address).latest("id")
    return json.loads(mail.secret_context or "")["code"]


def wrong_code(address: str) -> str:
    return f"{(int(mailed_code(address)) + 1) % 10**6:06d}"


def let_a_minute_pass() -> None:
    OneTimeCode.objects.update(sent_at=timezone.now() - OneTimeCode.RESEND_AFTER)


def choose_role(browser: Client, role: str = "PATIENT") -> None:
    assert browser.post("/register", {"role": role}).url == "/register/details"


def give_details(browser: Client, **changes: str) -> None:
    choose_role(browser)
    answer = browser.post("/register/details", DETAILS | changes)
    assert answer.url == "/register/verify"


def prove_address(browser: Client, role: str = "PATIENT") -> None:
    choose_role(browser, role)
    browser.post("/register/details", DETAILS)
    answer = browser.post("/register/verify", {"otp": mailed_code(DETAILS["email"])})
    assert answer.url == "/register/profile"


def doctor_profile(**changes: Any) -> dict[str, Any]:
    specialization = Specialization.objects.get(code="cardiology")
    return {
        "phone": "01001234567",
        "specialization_id": specialization.pk,
        "licence_number": "EG-77",
        "licence_document": SimpleUploadedFile("licence.png", png_bytes()),
        "national_id_document": SimpleUploadedFile("id.png", png_bytes()),
    } | changes


# --- Registration ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_patient_registers_in_four_steps_and_is_signed_in() -> None:
    browser = Client(headers={"User-Agent": "Mozilla/5.0 (Android 14) Firefox/140.0"})
    prove_address(browser)

    done = browser.post("/register/profile", PATIENT_PROFILE)

    user = User.objects.get()
    assert done.url == "/register/done"
    assert user.status == Status.ACTIVE
    assert user.patient_profile.birth_date == dt.date(1990, 5, 17)
    assert browser.get("/register/done").status_code == 200
    session = DeviceSession.objects.get()
    assert (session.user, session.method) == (user, SignInMethod.REGISTRATION)
    assert session.device_name == "Firefox · Android"


@pytest.mark.django_db
def test_doctor_registers_and_waits_for_approval() -> None:
    browser = Client()
    prove_address(browser, "DOCTOR")

    done = browser.post("/register/profile", doctor_profile())

    assert done.url == "/register/done"
    user = User.objects.get()
    assert user.status == Status.PENDING_APPROVAL
    assert user.doctor_profile.licence_document.read() == png_bytes()
    assert b"EG-77" in browser.get("/").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reached", "page", "right_page"),
    [
        ("nothing", "/register/details", "/register"),
        ("nothing", "/register/verify", "/register"),
        ("nothing", "/register/profile", "/register"),
        ("role", "/register/verify", "/register/details"),
        ("role", "/register/profile", "/register/details"),
        ("details", "/register/profile", "/register/verify"),
        ("address", "/register/details", "/register/profile"),
        ("address", "/register/verify", "/register/profile"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_step_out_of_turn_leads_to_the_right_one(
    reached: str, page: str, right_page: str, method: str
) -> None:
    browser = Client()
    reach = {
        "nothing": lambda browser: None,
        "role": choose_role,
        "details": give_details,
        "address": prove_address,
    }
    reach[reached](browser)

    answer = getattr(browser, method)(page)

    assert (answer.status_code, answer.url) == (302, right_page)


@pytest.mark.django_db
def test_mistyped_address_can_be_corrected_before_it_is_proven() -> None:
    browser = Client()
    give_details(browser, email="lyla@example.org")
    assert browser.get("/register/details").context["form"].initial["email"] == "lyla@example.org"
    let_a_minute_pass()

    browser.post("/register/details", DETAILS)
    browser.post("/register/verify", {"otp": mailed_code(DETAILS["email"])})

    assert User.objects.get().email == DETAILS["email"]


@pytest.mark.django_db
def test_beginning_is_offered_again_with_a_way_back_to_where_one_was() -> None:
    browser = Client()
    give_details(browser)

    assert b'href="/register/verify"' in browser.get("/register").content


@pytest.mark.django_db
def test_expired_registration_says_so_and_begins_anew() -> None:
    browser = Client()
    give_details(browser)
    Registration.objects.update(expires_at=timezone.now())

    answer = browser.get("/register/verify", follow=True)

    assert answer.redirect_chain == [("/register", 302)]
    assert "This registration has expired" in answer.content.decode()


@pytest.mark.django_db
def test_proven_address_opens_step_four_and_nothing_else() -> None:
    browser = Client()
    prove_address(browser)

    assert browser.get("/profile").url == "/login?next=/profile"
    assert not DeviceSession.objects.exists()


@pytest.mark.django_db
def test_wrong_code_is_refused_beside_the_field() -> None:
    browser = Client()
    give_details(browser)

    answer = browser.post("/register/verify", {"otp": wrong_code(DETAILS["email"])})

    assert answer.status_code == 400
    assert answer.context["form"].has_error("otp")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_expired_code_is_refused() -> None:
    browser = Client()
    give_details(browser)
    OneTimeCode.objects.update(expires_at=timezone.now())

    answer = browser.post("/register/verify", {"otp": mailed_code(DETAILS["email"])})

    assert answer.status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
def test_code_may_be_typed_in_arabic_digits() -> None:
    browser = Client()
    give_details(browser)
    arabic = mailed_code(DETAILS["email"]).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    answer = browser.post("/register/verify", {"otp": arabic})

    assert answer.url == "/register/profile"


@pytest.mark.django_db
def test_another_code_can_be_asked_for_after_a_minute() -> None:
    browser = Client()
    give_details(browser)
    let_a_minute_pass()
    first = mailed_code(DETAILS["email"])

    answer = browser.post("/register/resend", follow=True)

    assert "A new code is on its way" in answer.content.decode()
    assert EmailDelivery.objects.count() == 2
    assert browser.post("/register/verify", {"otp": first}).status_code == 400


@pytest.mark.django_db
def test_another_code_within_the_minute_is_refused_and_the_wait_shown() -> None:
    browser = Client()
    give_details(browser)

    answer = browser.post("/register/resend", follow=True)

    assert "A code was sent less than a minute ago" in answer.content.decode()
    assert answer.context["resend_at"] > timezone.now()
    assert EmailDelivery.objects.count() == 1


@pytest.mark.django_db
def test_resend_without_a_registration_leads_to_the_beginning() -> None:
    assert Client().post("/register/resend").url == "/register"


@pytest.mark.django_db
def test_taken_address_is_answered_like_a_free_one(patient: User) -> None:
    free, taken = Client(), Client()
    give_details(free)
    choose_role(taken)

    answer = taken.post("/register/details", DETAILS | {"email": patient.email.upper()})

    assert (answer.status_code, answer.url) == (302, "/register/verify")
    pages = [browser.get("/register/verify").content.decode() for browser in (free, taken)]
    assert len(pages[0].splitlines()) == len(pages[1].splitlines())
    assert EmailDelivery.objects.get(to_address=patient.email).kind == Kind.ALREADY_REGISTERED
    assert taken.post("/register/verify", {"otp": "000000"}).status_code == 400
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_weak_password_is_refused_beside_the_field() -> None:
    browser = Client()
    choose_role(browser)

    answer = browser.post("/register/details", DETAILS | {"password": "1234567890"})

    assert answer.status_code == 400
    assert answer.context["form"].has_error("password")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"national_id": "123"}, "national_id"),
        ({"national_id": ""}, "birth_date"),
        ({"birth_date": "2000-01-01"}, "national_id"),
        ({"birth_date": "yesterday"}, "birth_date"),
        ({"sex": "OTHER"}, "sex"),
    ],
)
def test_patient_profile_names_the_field_at_fault(changes: dict[str, str], field: str) -> None:
    browser = Client()
    prove_address(browser)

    answer = browser.post("/register/profile", PATIENT_PROFILE | changes)

    assert answer.status_code == 400
    assert answer.context["form"].has_error(field)
    assert User.objects.get().status == Status.EMAIL_VERIFIED


@pytest.mark.django_db
def test_licence_of_another_doctor_is_a_conflict(doctor: User) -> None:
    browser = Client()
    prove_address(browser, "DOCTOR")

    answer = browser.post(
        "/register/profile", doctor_profile(licence_number=doctor.doctor_profile.licence_number)
    )

    assert answer.status_code == 409
    assert answer.context["form"].has_error("licence_number")


@pytest.mark.django_db
def test_document_that_is_none_is_refused() -> None:
    browser = Client()
    prove_address(browser, "DOCTOR")

    answer = browser.post(
        "/register/profile",
        doctor_profile(licence_document=SimpleUploadedFile("licence.png", b"<script>")),
    )

    assert answer.status_code == 400
    assert answer.context["form"].has_error("licence_document")


@pytest.mark.django_db
def test_specializations_are_listed_in_the_language_spoken() -> None:
    browser = Client(headers={"Accept-Language": "ar"})
    prove_address(browser, "DOCTOR")

    page = browser.get("/register/profile").content.decode()

    assert Specialization.objects.get(code="cardiology").name_ar in page


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/login", "/register", "/register/details"])
def test_who_is_signed_in_has_no_business_at_the_door(patient: User, page: str) -> None:
    assert page_client(patient).get(page).url == "/"


# --- Signing in and out ----------------------------------------------------------------------


def credentials(user: User, **changes: str) -> dict[str, str]:
    return {"email": user.email, "password": PASSWORD} | changes


@pytest.mark.django_db
def test_signing_in_leads_to_the_page_that_was_asked_for(patient: User) -> None:
    browser = Client()
    asked = browser.get("/profile")
    assert asked.url == "/login?next=/profile"
    assert b'name="next" value="/profile"' in browser.get(asked.url).content

    answer = browser.post("/login", credentials(patient, next="/profile"))

    assert answer.url == "/profile"
    assert browser.get("/profile").status_code == 200
    assert DeviceSession.objects.get().method == SignInMethod.PASSWORD


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_redirect_to_elsewhere_is_refused(patient: User, target: str) -> None:
    browser = Client()

    assert browser.get("/login", {"next": target}).context["next"] == ""
    assert browser.post("/login", credentials(patient, next=target)).url == "/"


@pytest.mark.django_db
def test_cookie_from_before_signing_in_is_worth_nothing_after(patient: User) -> None:
    browser = Client()
    choose_role(browser)
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value

    browser.post("/login", credentials(patient))

    assert browser.cookies[settings.SESSION_COOKIE_NAME].value != before


@pytest.mark.django_db
def test_wrong_password_and_unknown_address_are_answered_alike(patient: User) -> None:
    wrong = Client().post("/login", credentials(patient, password="wrong"))
    unknown = Client().post("/login", {"email": "nobody@example.org", "password": "wrong"})

    assert wrong.status_code == unknown.status_code == 401
    errors = [answer.context["form"].non_field_errors() for answer in (wrong, unknown)]
    assert errors[0] == errors[1]


@pytest.mark.django_db
def test_suspended_account_cannot_sign_in() -> None:
    suspended = PatientFactory(status=Status.SUSPENDED)

    assert Client().post("/login", credentials(suspended)).status_code == 403
    assert not DeviceSession.objects.exists()


@pytest.mark.django_db
def test_sixth_try_in_a_minute_has_to_wait(patient: User) -> None:
    browser = Client()
    for _ in range(5):
        assert browser.post("/login", credentials(patient, password="wrong")).status_code == 401

    answer = browser.post("/login", credentials(patient))

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.django_db
def test_signing_in_with_an_unfinished_registration_goes_on_with_it() -> None:
    unfinished = UserFactory(role="PATIENT", status=Status.EMAIL_VERIFIED)
    browser = Client()

    assert browser.post("/login", credentials(unfinished)).url == "/register/profile"
    assert not DeviceSession.objects.exists()
    assert browser.post("/register/profile", PATIENT_PROFILE).url == "/register/done"


@pytest.mark.django_db
def test_signing_out_ends_the_device_session(patient: User) -> None:
    browser = page_client(patient)

    assert browser.post("/logout").url == "/login"
    assert DeviceSession.objects.get().revoked_at is not None
    assert browser.get("/profile").status_code == 302


@pytest.mark.django_db
def test_signing_out_twice_is_no_error() -> None:
    assert Client().post("/logout").url == "/login"


@pytest.mark.django_db
def test_a_link_cannot_sign_anyone_out(patient: User) -> None:
    assert page_client(patient).get("/logout").status_code == 405


@pytest.mark.django_db
def test_form_from_another_site_is_refused(patient: User) -> None:
    browser = Client(enforce_csrf_checks=True)

    assert browser.post("/login", credentials(patient)).status_code == 403


# --- The own account -------------------------------------------------------------------------


@pytest.mark.django_db
def test_revoked_session_stops_its_cookie_at_the_next_request(patient: User) -> None:
    browser = page_client(patient)
    assert browser.get("/profile").status_code == 200

    revoke_session(actor=patient, session_id=DeviceSession.objects.get().pk)

    assert browser.get("/profile").url == "/login?next=/profile"


@pytest.mark.django_db
def test_another_device_is_signed_out_from_the_list(patient: User) -> None:
    browser, other = page_client(patient), page_client(patient)
    lost, _place = browser.get("/sessions").context["others"][0]

    assert browser.post(f"/sessions/{lost.pk}/revoke").url == "/sessions"

    assert other.get("/profile").status_code == 302
    assert browser.get("/profile").status_code == 200
    assert browser.get("/sessions").context["others"] == []


@pytest.mark.django_db
def test_revoking_the_own_session_signs_out(patient: User) -> None:
    browser = page_client(patient)
    current = browser.get("/sessions").context["current"]

    assert browser.post(f"/sessions/{current.pk}/revoke").url == "/login"
    assert browser.get("/sessions").status_code == 302


@pytest.mark.django_db
def test_session_of_another_person_is_not_there(patient: User, stranger: User) -> None:
    theirs = sign_in(stranger)

    assert page_client(patient).post(f"/sessions/{theirs.pk}/revoke").status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@pytest.mark.django_db
def test_own_account_is_changed(patient: User) -> None:
    browser = page_client(patient)
    changes = {
        "first_name": "منى",
        "last_name": "عادل",
        "phone": "+20 100 765 4321",
        "language": "ar",
        "time_zone": "Asia/Riyadh",
    }

    answer = browser.post("/profile", changes)

    assert answer.url == "/profile"
    patient.refresh_from_db()
    assert {name: str(getattr(patient, name)) for name in changes} == changes | {
        "phone": "+201007654321"
    }
    assert b'lang="ar" dir="rtl"' in browser.get("/profile").content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", ""), ("phone", "abc"), ("language", "fr"), ("time_zone", "Mars/Base")],
)
def test_own_account_names_the_field_at_fault(patient: User, field: str, value: str) -> None:
    browser = page_client(patient)
    form = browser.get("/profile").context["form"]

    answer = browser.post("/profile", form.initial | {field: value})

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]


@pytest.mark.django_db
def test_visitor_chooses_a_language() -> None:
    browser = Client()

    answer = browser.post("/language", {"language": "ar", "next": "/login"})

    assert answer.url == "/login"
    assert b'lang="ar" dir="rtl"' in browser.get("/login").content


@pytest.mark.django_db
def test_language_of_a_user_is_theirs_on_every_device(patient: User) -> None:
    page_client(patient).post("/language", {"language": "ar"})

    patient.refresh_from_db()
    assert patient.language == "ar"
    assert b'lang="ar"' in page_client(patient).get("/profile").content


@pytest.mark.django_db
def test_language_change_does_not_lead_elsewhere() -> None:
    answer = Client().post("/language", {"language": "ar", "next": "https://evil.example"})

    assert answer.url == "/"


@pytest.mark.django_db
def test_unknown_language_is_refused() -> None:
    assert Client().post("/language", {"language": "xx"}).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["foo", "home", "//testserver/", "/\\\\testserver"])
def test_next_that_is_no_address_leads_home(patient: User, word: str) -> None:
    language = Client().post("/language", {"language": "en", "next": word})
    login = Client().post("/login", credentials(patient, next=word))

    assert (language.url, login.url) == ("/", "/")


@pytest.mark.django_db
def test_next_may_be_a_whole_address_of_ours(patient: User) -> None:
    page = "http://testserver/profile"

    assert Client().post("/login", credentials(patient, next=page)).url == page


@pytest.mark.django_db
def test_onboarding_in_a_browser_ends_with_the_password() -> None:
    user = verified()
    browser = Client()
    browser.post("/login", {"email": user.email, "password": "a quite long sentence"})
    before = browser.get("/register/profile").status_code

    user.set_password("another quite long sentence")
    user.save()

    after = browser.get("/register/profile")
    assert (before, after.status_code, after.url) == (200, 302, "/register")
