"""Accounts in the admin: found, looked at, acted on, taken out as a list."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.db.utils import ProgrammingError
from django.test import Client
from django.utils import timezone

from accounts.models import (
    AccountListExport,
    DeviceSession,
    PatientProfile,
    Status,
    Totp,
    User,
)
from accounts.services.users import suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from accounts.tests.registering import NATIONAL_ID, complete_patient, verified
from audit.models import AccessEvent
from medisync.tests.client import page_client, sign_in
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
USERS = "/admin/accounts/user/"
ACTS = ["activate", "deactivate", "suspend", "reset-second-factor", "anonymise"]


def found(browser: Client, **query: str) -> set[str]:
    return {user.email for user in browser.get(USERS, query).context["cl"].result_list}


def page_of(user: User, act: str = "change") -> str:
    return f"{USERS}{user.pk}/{act}/"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "mona adel"}, {"mona@x.org"}),
        ({"q": "adel mona"}, {"mona@x.org"}),
        ({"q": "%"}, set()),
        ({"role__exact": "DOCTOR"}, {"karim@x.org"}),
        ({"status__exact": "SUSPENDED"}, {"old@x.org"}),
        ({"second_factor": "yes"}, {"karim@x.org"}),
        ({"language__exact": "ar"}, {"mona@x.org"}),
        ({"registered": "7", "role__exact": "PATIENT"}, {"mona@x.org"}),
        ({"registered": "9", "role__exact": "PATIENT"}, {"mona@x.org", "old@x.org"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_accounts_are_searched_and_filtered(
    admin: User, query: dict[str, str], expected: set[str]
) -> None:
    PatientFactory(email="mona@x.org", first_name="Mona", last_name="Adel", language="ar")
    doctor = DoctorFactory(email="karim@x.org", first_name="K", last_name="N")
    Totp.objects.create(user=doctor, seed="x", confirmed_at=timezone.now())
    old = PatientFactory(email="old@x.org", status=Status.SUSPENDED, first_name="O", last_name="Z")
    User.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=8))

    assert found(page_client(admin), **query) == expected


@pytest.mark.parametrize("query", ["password__startswith=a", "patient_profile__sex=MALE"])
def test_hidden_columns_cannot_be_asked_for(admin: User, query: str) -> None:
    assert page_client(admin).get(f"{USERS}?{query}").status_code == 400


def test_list_asks_the_same_few_queries_however_long_it_is(
    admin: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        DoctorFactory()
    browser = page_client(admin)
    browser.get(USERS)

    with django_assert_max_num_queries(8):
        browser.get(USERS)


def test_nothing_but_an_unused_specialty_is_deleted_anywhere(admin: User, rf: Any) -> None:
    request = rf.get("/")
    request.user = admin
    request.device_session = sign_in(admin)

    for model, model_admin in django_admin.site._registry.items():
        is_catalogue = model is Specialization
        assert model_admin.has_delete_permission(request) == is_catalogue, model_admin
        assert "delete_selected" not in model_admin.get_actions(request), model_admin


def test_page_shows_the_profile_and_never_the_whole_national_id(admin: User) -> None:
    user = complete_patient(verified(email="mona@example.org"))

    page = page_client(admin).get(page_of(user)).content.decode()

    assert NATIONAL_ID not in page
    assert NATIONAL_ID[-4:] in page
    assert "mona@example.org" in page


def test_looking_at_a_patient_is_logged(admin: User, patient: User, doctor: User) -> None:
    browser = page_client(admin)

    browser.get(page_of(patient))
    browser.get(page_of(doctor))

    event = AccessEvent.objects.get()
    assert (event.actor_id, event.patient_id, event.action) == (admin.pk, patient.pk, "READ")
    assert event.object_id == PatientProfile.objects.get(user=patient).pk


def test_page_tells_what_became_of_the_account(admin: User, doctor: User) -> None:
    suspend_user(session=sign_in(admin), user_id=doctor.pk, reason="A complaint came in.")

    page = page_client(admin).get(page_of(doctor)).content.decode()

    assert "A complaint came in." in page
    assert "status: Active → Suspended" in page
    assert "Ada Admin" in page


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_opens_in_both_languages(admin: User, language: str) -> None:
    admin.language = language
    admin.save()
    browser = page_client(admin)

    for user in (PatientFactory(), DoctorFactory(), AdminFactory(), admin):
        for act in ["change", *ACTS]:
            assert browser.get(page_of(user, act)).status_code == 200, (user.role, act)


def test_acts_ask_who_it_is_first(admin: User, patient: User) -> None:
    browser = page_client(admin)
    DeviceSession.objects.update(confirmed_at=timezone.now() - dt.timedelta(minutes=11))

    for act in ACTS:
        answer = browser.get(page_of(patient, act))

        assert answer.headers["Location"] == f"/confirm?next={page_of(patient, act)}"


@pytest.mark.parametrize(
    ("act", "status"), [("deactivate", Status.INACTIVE), ("suspend", Status.SUSPENDED)]
)
def test_account_is_closed_and_opened_from_its_page(
    admin: User, doctor: User, act: str, status: Status
) -> None:
    browser = page_client(admin)

    shut = browser.post(page_of(doctor, act), {"reason": "A complaint."}, follow=True)

    assert shut.redirect_chain == [(page_of(doctor), 302)]
    assert "Karim Nabil is" in shut.content.decode()
    doctor.refresh_from_db()
    assert doctor.status == status

    browser.post(page_of(doctor, "activate"), {"reason": "It was nothing."})

    doctor.refresh_from_db()
    assert doctor.status == Status.ACTIVE


def test_second_factor_is_reset_from_its_page(admin: User, doctor: User) -> None:
    Totp.objects.create(user=doctor, seed="x", confirmed_at=timezone.now())

    page_client(admin).post(page_of(doctor, "reset-second-factor"), {"reason": "Lost phone."})

    assert not doctor.has_second_factor
    assert doctor.factor_resets.get().reason == "Lost phone."


@pytest.mark.parametrize("reason", ["", "  "])
def test_reason_is_asked_for(admin: User, doctor: User, reason: str) -> None:
    answer = page_client(admin).post(page_of(doctor, "suspend"), {"reason": reason})

    assert answer.status_code == 400
    doctor.refresh_from_db()
    assert doctor.status == Status.ACTIVE


def test_refusal_is_shown_on_the_page(admin: User) -> None:
    answer = page_client(admin).post(page_of(admin, "suspend"), {"reason": "Tired."})

    assert answer.status_code == 403
    assert "Nobody does this to their own account" in answer.content.decode()


def test_unknown_account_is_not_found(admin: User) -> None:
    browser = page_client(admin)
    unknown = DeviceSession.objects.get().pk

    pages = [f"{USERS}{unknown}/{act}/" for act in ("change", "suspend")] + [f"{USERS}x/change/"]

    assert [browser.get(page).status_code for page in pages] == [404, 404, 404]


# --- The list as a file ----------------------------------------------------------------------


def download(browser: Client, query: str = "") -> tuple[Any, str]:
    """What a browser gets from the server, a part at a time."""
    answer = browser.post(f"{USERS}export/{query}")
    parts = answer.streaming_content if answer.streaming else []
    return answer, b"".join(parts).decode()


def test_list_is_a_file_for_a_spreadsheet(admin: User) -> None:
    PatientFactory(email="mona@x.org", first_name="منى", last_name='A "B", C')

    answer, text = download(page_client(admin), "?role__exact=PATIENT")

    assert text.startswith("\ufeffid,email,first_name")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["email"], row["first_name"], row["last_name"]) == (
        "mona@x.org", "منى", 'A "B", C',
    )  # fmt: skip
    assert (row["status"], row["second_factor"]) == ("ACTIVE", "False")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="medisync-users')
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", " =", "＝", "＠"])
def test_cell_is_never_a_formula(admin: User, first: str) -> None:
    PatientFactory(first_name=f'{first}HYPERLINK("http://evil.example")', phone="+201112223334")

    _answer, text = download(page_client(admin), "?role__exact=PATIENT")

    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert row["first_name"] == f'\'{first}HYPERLINK("http://evil.example")'
    assert row["phone"] == "'+201112223334"


def test_cell_cut_in_two_by_a_spreadsheet_is_no_formula_either(admin: User) -> None:
    """Where the comma is for decimals, it is the semicolon that parts cells."""
    PatientFactory(first_name="Mona;=1+1", last_name="a; -2|@x")

    _answer, text = download(page_client(admin), "?role__exact=PATIENT")

    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert (row["first_name"], row["last_name"]) == ("Mona;'=1+1", "a;' -2|'@x")


def test_name_with_a_hyphen_is_left_alone(admin: User) -> None:
    PatientFactory(first_name="Anne-Marie", last_name="El-Sayed")

    _answer, text = download(page_client(admin), "?role__exact=PATIENT")

    assert ",Anne-Marie,El-Sayed," in text


def test_long_list_is_whole(admin: User) -> None:
    User.objects.bulk_create(
        User(email=f"n{n}@example.org", role="PATIENT", first_name="N", last_name="N")
        for n in range(2001)
    )

    _answer, text = download(page_client(admin))

    assert len(text.splitlines()) == 1 + 2002


def test_taking_the_list_is_on_record(admin: User, patient: User) -> None:
    download(page_client(admin), "?q=mona&role__exact=PATIENT")

    taken = AccountListExport.objects.get()
    assert (taken.taken_by, taken.row_count) == (admin, 1)
    assert taken.filters == ["q", "role__exact"]


def test_record_of_it_is_never_changed(admin: User) -> None:
    taken = AccountListExport.objects.create(taken_by=admin, row_count=1)

    with pytest.raises(ProgrammingError):
        taken.delete()


def test_nobody_takes_the_list_by_a_link(admin: User) -> None:
    assert page_client(admin).get(f"{USERS}export/").status_code == 405


def test_list_is_not_taken_without_showing_who_it_is(admin: User) -> None:
    browser = page_client(admin)
    DeviceSession.objects.update(confirmed_at=timezone.now() - dt.timedelta(minutes=11))

    answer, _text = download(browser)

    assert answer.headers["Location"] == f"/confirm?next={USERS}"
    assert not AccountListExport.objects.exists()
