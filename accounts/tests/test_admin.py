"""The admin: who gets in, what is there, and what is decided there."""

from __future__ import annotations

import datetime as dt

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone

from accounts.models import DoctorProfile, Status, User
from accounts.services.review import approve_doctor
from accounts.tests.factories import DoctorFactory, png_bytes
from medisync.tests.client import page_client
from notifications.models import Notification

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
    registered = {model._meta.app_label for model in django_admin.site._registry}

    assert not registered & CLINICAL_APPS
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
    page_client(applicant).post(f"{page_of(applicant)}approve/")

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


@pytest.mark.django_db
def test_queue_shows_who_waits_oldest_first(admin: User, applicant: User, doctor: User) -> None:
    earlier = DoctorFactory(
        status=Status.PENDING_APPROVAL,
        profile__applied_at=timezone.now() - dt.timedelta(days=2),
    )
    browser = page_client(admin)

    queue = browser.get(QUEUE).context["cl"].result_list
    everyone = browser.get(QUEUE, {"status": "all"}).context["cl"].result_list

    assert [profile.user for profile in queue] == [earlier, applicant]
    assert len(everyone) == 3


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


@pytest.mark.django_db
def test_admin_approves(admin: User, applicant: User) -> None:
    answer = page_client(admin).post(f"{page_of(applicant)}approve/", follow=True)

    assert answer.redirect_chain == [(QUEUE, 302)]
    assert "Hany Saleh is approved" in answer.content.decode()
    applicant.refresh_from_db()
    assert applicant.status == Status.ACTIVE
    assert applicant.status_changes.get().changed_by == admin
    assert Notification.objects.get().recipient == applicant


@pytest.mark.django_db
def test_admin_rejects_with_a_reason(admin: User, applicant: User) -> None:
    page_client(admin).post(f"{page_of(applicant)}reject/", {"reason": "Not readable."})

    applicant.refresh_from_db()
    assert applicant.status == Status.REJECTED
    assert applicant.status_changes.get().reason == "Not readable."


@pytest.mark.django_db
def test_rejection_without_a_reason_is_refused(admin: User, applicant: User) -> None:
    answer = page_client(admin).post(f"{page_of(applicant)}reject/", {"reason": " "}, follow=True)

    assert answer.redirect_chain == [(f"{page_of(applicant)}change/", 302)]
    assert "Please give the reason" in answer.content.decode()
    applicant.refresh_from_db()
    assert applicant.status == Status.PENDING_APPROVAL


@pytest.mark.django_db
def test_second_decision_is_refused(admin: User, applicant: User) -> None:
    approve_doctor(actor=admin, doctor_id=applicant.pk)

    answer = page_client(admin).post(
        f"{page_of(applicant)}reject/", {"reason": "Too late."}, follow=True
    )

    assert "not waiting for a decision" in answer.content.decode()
    applicant.refresh_from_db()
    assert applicant.status == Status.ACTIVE


@pytest.mark.django_db
def test_nothing_is_decided_by_a_link(admin: User, applicant: User) -> None:
    assert page_client(admin).get(f"{page_of(applicant)}approve/").status_code == 405


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

    assert browser.post(page, {"role": "ADMIN"}).status_code == 403
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
