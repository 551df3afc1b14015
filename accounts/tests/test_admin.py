"""The admin: who gets in, what is there, and what is decided there."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.models import (
    AccountChange,
    AccountListExport,
    ApplicationReview,
    Check,
    DeviceSession,
    DoctorProfile,
    Status,
    User,
)
from accounts.services.applications import correct_application
from accounts.services.changes import propose_name
from accounts.tests.factories import AdminFactory, DoctorFactory, png_bytes
from accounts.tests.reviewing import approve, claim, round_of, send_back
from audit.models import AccessCase
from medisync.tests.client import api_client, page_client, sign_in
from prescriptions.models import ApprovedPharmacy

QUEUE = "/admin/accounts/doctorprofile/"
CLINICAL_APPS = {"prescriptions", "records", "appointments", "chat", "connections", "audit"}


@pytest.fixture
def applicant(db: None) -> User:
    return DoctorFactory(
        first_name="Hany", last_name="Saleh", status=Status.PENDING_APPROVAL,
        profile__licence_number="EG-42",
    )  # fmt: skip


def page_of(applicant: User) -> str:
    return f"{QUEUE}{applicant.doctor_profile.pk}/"


def pages_of(applicant: User) -> list[str]:
    return [
        "/admin/",
        QUEUE,
        f"{page_of(applicant)}change/",
        f"{page_of(applicant)}documents/licence_document/",
        "/admin/accounts/user/",
        f"/admin/accounts/user/{applicant.pk}/change/",
    ]


def test_no_clinical_row_is_in_the_admin() -> None:
    registered = django_admin.site._registry

    of_clinical_apps = {model for model in registered if model._meta.app_label in CLINICAL_APPS}

    # What patients ask of administrators, and which pharmacies these have approved.
    assert of_clinical_apps == {AccessCase, ApprovedPharmacy}
    assert apps.get_model("auth", "Group") not in django_admin.site._registry


@pytest.mark.django_db
def test_visitor_is_led_to_the_portals_sign_in(applicant: User) -> None:
    for page in pages_of(applicant):
        answer = Client().get(page, follow=True)

        assert answer.request["PATH_INFO"] == "/login"
        assert answer.context["next"] == page


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["patient", "doctor"])
def test_others_are_led_home(name: str, applicant: User, request: pytest.FixtureRequest) -> None:
    browser = page_client(request.getfixturevalue(name))

    for page in pages_of(applicant):
        answer = browser.get(page, follow=True)

        assert answer.request["PATH_INFO"] == "/"
        assert b"EG-42" not in answer.content


@pytest.mark.django_db
def test_applicant_cannot_approve_themselves(applicant: User) -> None:
    page_client(applicant).post(decision_of(applicant, "approve"), RIGHT)

    applicant.refresh_from_db()
    assert applicant.status == Status.PENDING_APPROVAL


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_opens_in_both_languages(admin: User, applicant: User, language: str) -> None:
    admin.language = language
    admin.save()
    browser = page_client(admin)
    registered = django_admin.site._registry
    lists = [f"/admin/{m._meta.app_label}/{m._meta.model_name}/" for m in registered]
    pages = [page for page in pages_of(applicant) if "documents" not in page]

    for page in [*pages, *lists]:
        answer = browser.get(page)

        assert answer.status_code == 200, page
        assert f'<html lang="{language}"' in answer.content.decode()


@pytest.mark.django_db
def test_first_page_counts_who_waits(admin: User, applicant: User, doctor: User) -> None:
    assert page_client(admin).get("/admin/").context["applications_waiting"] == 1


def decisions_about(applicant: User, other: User, change: AccountChange) -> dict[str, dict]:
    """Every address of the admin at which something is decided, with a body that would do."""
    decisions = {decision_of(applicant, verb): body for verb, body in DECISIONS.items()}
    propose = f"/admin/accounts/accountchange/propose/{other.pk}"
    changing = f"/admin/accounts/accountchange/{change.pk}"
    reason = {"reason": "A test."}
    acts = ("activate", "deactivate", "suspend", "reset-second-factor")
    return (
        decisions
        | {
            f"{propose}/ROLE/": {"role": "ADMIN"} | reason,
            f"{propose}/NAME/": {"first_name": "New", "last_name": "Name"} | reason,
            f"{propose}/LICENCE/": RENEWED | reason,
            f"{changing}/approve/": {},
            f"{changing}/refuse/": {"refuse-note": "No."},
            f"{changing}/withdraw/": {},
        }
        | {f"/admin/accounts/user/{other.pk}/{act}/": reason for act in acts}
        | {
            f"/admin/accounts/user/{other.pk}/anonymise/": {"email": other.email} | reason,
            "/admin/accounts/user/export/": {},
        }
    )


def everything() -> list[Any]:
    """What any of these acts would leave another trace of."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (User, DoctorProfile, ApplicationReview, AccountChange, AccountListExport)
    ]


@pytest.mark.django_db
def test_administrator_without_a_second_factor_is_led_to_get_one_and_changes_nothing(
    admin: User, applicant: User, doctor: User, colleague: DeviceSession
) -> None:
    claim(sign_in(admin), applicant)
    change = propose_name(
        session=colleague, user_id=doctor.pk, first_name="New", last_name="Name", reason="Court."
    )
    browser = page_client(admin, factor="")
    before = everything()

    for address, body in decisions_about(applicant, doctor, change).items():
        answer = browser.post(address, body, follow=True)

        assert answer.request["PATH_INFO"] == "/security", address
        assert everything() == before, address


@pytest.fixture
def colleague(db: None) -> DeviceSession:
    return sign_in(AdminFactory(first_name="Nadia", last_name="Other"))


def names_in(browser: Client, queue: str) -> list[str]:
    page = browser.get(QUEUE, {"queue": queue} if queue else {})
    return [profile.user.first_name for profile in page.context["cl"].result_list]


@pytest.mark.django_db
def test_queue_shows_who_waits_oldest_first(
    admin: User, colleague: DeviceSession, applicant: User, doctor: User
) -> None:
    names = ("Earlier", "Mine", "Hers", "Done", "Closed")
    people = {
        name: DoctorFactory(first_name=name, status=Status.PENDING_APPROVAL) for name in names
    }
    ApplicationReview.objects.filter(profile__user=people["Earlier"]).update(
        created_at=timezone.now() - dt.timedelta(days=2)
    )
    claim(sign_in(admin), people["Mine"])
    claim(colleague, people["Hers"])
    send_back(colleague, people["Done"])
    User.objects.filter(pk=people["Closed"].pk).update(status=Status.INACTIVE)
    browser = page_client(admin)

    shown = {name: names_in(browser, name) for name in ("", "mine", "claimed")}

    assert shown == {
        "": ["Earlier", "Hany", "Mine", "Hers"],
        "mine": ["Mine"],
        "claimed": ["Mine", "Hers"],
    }
    assert {"Done", "Closed", "Karim"} == set(names_in(browser, "decided"))
    assert len(names_in(browser, "all")) == 7


@pytest.mark.django_db
def test_queue_shows_who_holds_it_and_how_many_wait(
    admin: User, colleague: DeviceSession, applicant: User
) -> None:
    claim(colleague, applicant)

    page = page_client(admin).get(QUEUE).content.decode()

    assert "Nadia Other, until" in page
    assert "Waiting (1)" in page
    assert "Claimed by me (0)" in page


@pytest.mark.django_db
def test_queue_asks_the_same_few_queries_however_long_it_is(
    admin: User, django_assert_max_num_queries
) -> None:
    for _ in range(5):
        DoctorFactory(status=Status.PENDING_APPROVAL)
    browser = page_client(admin)
    browser.get(QUEUE)

    with django_assert_max_num_queries(8):
        browser.get(QUEUE)


@pytest.mark.django_db
def test_documents_stand_beside_what_was_typed(admin: User, applicant: User) -> None:
    page = page_client(admin).get(f"{page_of(applicant)}change/").content.decode()

    assert "EG-42" in page
    for name in ("licence_document", "national_id_document"):
        assert f'<img class="review__image" src="{page_of(applicant)}documents/{name}/"' in page


@pytest.mark.django_db
def test_document_is_served_for_what_it_is_and_kept_nowhere(admin: User, applicant: User) -> None:
    answer = page_client(admin).get(f"{page_of(applicant)}documents/licence_document/")

    assert answer.getvalue() == png_bytes()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_pdf_is_linked(admin: User, applicant: User) -> None:
    applicant.doctor_profile.licence_document.save("x", ContentFile(b"%PDF-1.7\n..."))
    browser = page_client(admin)

    page = browser.get(f"{page_of(applicant)}change/").content.decode()
    document = browser.get(f"{page_of(applicant)}documents/licence_document/")

    assert "Open the PDF" in page
    assert document.headers["Content-Type"] == "application/pdf"


@pytest.mark.django_db
def test_what_is_no_document_is_not_served(admin: User, applicant: User) -> None:
    applicant.doctor_profile.licence_document.save("x", ContentFile(b"<script>alert(1)</script>"))
    browser = page_client(admin)

    assert b"This document cannot be read" in browser.get(f"{page_of(applicant)}change/").content
    for name in ("licence_document", "user"):
        assert browser.get(f"{page_of(applicant)}documents/{name}/").status_code == 404


@pytest.mark.django_db
def test_lost_document_does_not_hide_the_application(admin: User, applicant: User) -> None:
    DoctorProfile.objects.update(licence_document="documents/lost")

    page = page_client(admin).get(f"{page_of(applicant)}change/")

    assert b"This document cannot be read" in page.content


RIGHT = {"approve-checks": Check.values, "approve-licence_expiry_date": "2099-01-31"}
RENEWED = {"licence_number": "EG-NEW", "licence_expiry_date": "2099-01-31"}
DECISIONS: dict[str, dict[str, Any]] = {
    "claim": {},
    "release": {},
    "approve": RIGHT,
    "return": {"return-step": "NAME", "return-note": "No."},
    "reject": {"reject-reason_code": "FORGED", "reject-note": "No."},
}


def decision_of(applicant: User, verb: str) -> str:
    """The address of a decision about the open round."""
    return f"{QUEUE}reviews/{round_of(applicant).pk}/{verb}/"


@pytest.fixture
def browser(admin: User) -> Client:
    return page_client(admin)


@pytest.mark.django_db
def test_application_is_claimed_before_it_is_decided(browser: Client, applicant: User) -> None:
    page = f"{page_of(applicant)}change/"
    before = browser.get(page).content.decode()

    answer = browser.post(decision_of(applicant, "claim"), follow=True)

    assert decision_of(applicant, "approve") not in before
    assert answer.redirect_chain == [(page, 302)]
    assert decision_of(applicant, "approve") in answer.content.decode()


@pytest.mark.django_db
def test_second_admin_is_told_who_is_at_it(
    browser: Client, colleague: DeviceSession, applicant: User
) -> None:
    claim(colleague, applicant)

    answer = browser.post(decision_of(applicant, "claim"), follow=True).content.decode()

    assert "Nadia Other is reviewing this application" in answer
    assert decision_of(applicant, "approve") not in answer


@pytest.mark.django_db
def test_claim_is_given_back(browser: Client, admin: User, applicant: User) -> None:
    claim(sign_in(admin), applicant)

    browser.post(decision_of(applicant, "release"))

    assert round_of(applicant).claimed_by is None


@pytest.mark.django_db
def test_admin_approves(browser: Client, admin: User, applicant: User) -> None:
    claim(sign_in(admin), applicant)

    answer = browser.post(decision_of(applicant, "approve"), RIGHT, follow=True)

    assert answer.redirect_chain == [(QUEUE, 302)]
    assert "Hany Saleh is approved" in answer.content.decode()
    applicant.refresh_from_db()
    assert applicant.status == Status.ACTIVE
    assert applicant.status_changes.get().changed_by == admin


@pytest.mark.django_db
def test_admin_returns_and_sees_the_earlier_round(
    browser: Client, admin: User, applicant: User
) -> None:
    claim(sign_in(admin), applicant)

    browser.post(
        decision_of(applicant, "return"),
        {"return-step": "NAME", "return-note": "As on the licence."},
    )
    correct_application(actor=applicant, changes={"first_name": "Hany", "last_name": "Fouad"})

    page = browser.get(f"{page_of(applicant)}change/").content.decode()
    assert "Returned for correction: name" in page
    assert "As on the licence." in page


@pytest.mark.django_db
def test_admin_rejects_with_a_reason(browser: Client, admin: User, applicant: User) -> None:
    claim(sign_in(admin), applicant)

    browser.post(
        decision_of(applicant, "reject"),
        {"reject-reason_code": "FORGED", "reject-note": "Not genuine."},
    )

    applicant.refresh_from_db()
    assert applicant.status == Status.REJECTED
    assert applicant.status_changes.get().reason == "Not genuine."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("approve", RIGHT | {"approve-checks": ["LEGIBLE"]}),
        ("approve", RIGHT | {"approve-licence_expiry_date": "2020-01-01"}),
        ("approve", {}),
        ("return", {"return-step": "NAME", "return-note": " "}),
        ("return", {"return-step": "EVERYTHING", "return-note": "?"}),
        ("reject", {"reject-reason_code": "OTHER"}),
        ("reject", {"reject-reason_code": "FORGED", "reject-note": "\x00"}),
    ],
)
def test_incomplete_decision_comes_back_with_what_is_missing(
    browser: Client, admin: User, applicant: User, verb: str, body: dict
) -> None:
    claim(sign_in(admin), applicant)

    answer = browser.post(decision_of(applicant, verb), body)

    assert answer.status_code == 400
    assert answer.context["forms"][verb].errors
    applicant.refresh_from_db()
    assert applicant.status == Status.PENDING_APPROVAL


@pytest.mark.django_db
def test_decision_that_comes_too_late_is_refused(
    browser: Client, colleague: DeviceSession, applicant: User
) -> None:
    address = decision_of(applicant, "reject")
    approve(colleague, applicant)

    answer = browser.post(address, {"reject-reason_code": "FORGED"})

    assert answer.status_code == 409
    assert "not waiting for a decision" in answer.content.decode()
    applicant.refresh_from_db()
    assert applicant.status == Status.ACTIVE


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["claim", "release", "approve", "return", "reject"])
def test_nothing_is_decided_by_a_link(browser: Client, applicant: User, verb: str) -> None:
    assert browser.get(decision_of(applicant, verb)).status_code == 405
    assert browser.post(f"{QUEUE}reviews/{applicant.pk}/{verb}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
@pytest.mark.parametrize("model", ["user", "doctorprofile"])
def test_accounts_are_neither_added_nor_deleted(
    admin: User, applicant: User, model: str, page: str
) -> None:
    pk = applicant.pk if model == "user" else applicant.doctor_profile.pk

    answer = page_client(admin).post(f"/admin/accounts/{model}/{page.format(pk=pk)}")

    assert answer.status_code == 403
    assert User.objects.filter(pk=applicant.pk).exists()


@pytest.mark.django_db
def test_account_cannot_be_changed_and_shows_no_password(admin: User, patient: User) -> None:
    browser = page_client(admin)
    page = f"/admin/accounts/user/{patient.pk}/change/"

    assert browser.post(page, {"role": "ADMIN"}).status_code == 405
    shown = browser.get(page).content.decode()

    assert patient.password not in shown
    assert "argon2" not in shown


@pytest.mark.django_db
def test_password_is_not_changed_behind_the_services(admin: User) -> None:
    assert page_client(admin).get("/admin/password_change/").status_code == 404


@pytest.mark.django_db
def test_specialization_is_retired_but_never_deleted(admin: User, doctor: User) -> None:
    browser = page_client(admin)
    pk = doctor.doctor_profile.specialization_id

    assert browser.post(f"/admin/specializations/specialization/{pk}/delete/").status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("row", ["x", "1", "00000000-0000-0000-0000-000000000000"])
def test_rows_have_no_page_on_the_site(admin: User, row: str) -> None:
    kind = ContentType.objects.get_for_model(User)

    assert page_client(admin).get(f"/admin/r/{kind.pk}/{row}/").status_code == 404


def test_who_approves_is_told_that_the_doctor_can_read_the_note(
    admin: User, applicant: User
) -> None:
    claim(sign_in(admin), applicant)
    page = page_client(admin).get(f"{page_of(applicant)}change/").content.decode()

    approve(sign_in(admin), applicant, note="Known from the ministry's list.")

    app = api_client(applicant).get("/api/v1/users/application").json()
    assert "The doctor can read it." in page
    assert app["note"] == "Known from the ministry's list."
