"""Telling one person one thing."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import Status, User
from accounts.tests.factories import DoctorFactory, PatientFactory
from notifications.models import EmailDelivery, Notification
from notifications.services import notify, post_email
from notifications.wording import Kind

pytestmark = pytest.mark.django_db


def tell(recipient: User) -> Notification:
    told = notify(
        recipient=recipient,
        kind=Kind.CONNECTION_MADE,
        about=DoctorFactory(first_name="Karim", last_name="Nabil"),
        url="/connections/1",
    )
    assert told is not None
    return told


def test_it_is_a_row_in_the_list_and_an_email_in_the_outbox(patient: User) -> None:
    told = tell(patient)

    delivery = EmailDelivery.objects.get(notification=told)
    assert (told.recipient, told.read_at) == (patient, None)
    assert (delivery.to_address, delivery.status) == (patient.email, "QUEUED")


def test_title_is_put_together_in_the_readers_language(patient: User) -> None:
    assert tell(patient).title == "You are now connected with Dr Karim Nabil."


def test_no_name_is_kept_with_it(patient: User) -> None:
    tell(patient)

    assert "Karim" not in str(Notification.objects.values().get())


def test_whoever_takes_another_name_is_called_by_it(patient: User) -> None:
    told = tell(patient)
    User.objects.filter(pk=told.about.pk).update(first_name="Former", last_name="user")

    assert Notification.objects.get().title == "You are now connected with Dr Former user."


def test_whoever_is_gone_is_someone(patient: User) -> None:
    tell(patient)
    Notification.objects.update(about=None)

    assert Notification.objects.get().title == "You are now connected with someone."


def test_who_is_anonymised_is_told_nothing() -> None:
    gone = PatientFactory(status=Status.ANONYMISED)

    told = notify(recipient=gone, kind=Kind.CONNECTION_MADE, about=gone, url="/connections/1")

    assert told is None
    assert not Notification.objects.exists()
    assert not EmailDelivery.objects.exists()


def test_nothing_is_told_of_what_did_not_happen(patient: User) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        tell(patient)
        raise RuntimeError

    assert not Notification.objects.exists()
    assert not EmailDelivery.objects.exists()


def test_task_is_handed_over_after_the_commit_only(
    patient: User, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        tell(patient)

    # The task of the e-mail and the frame to open pages.
    assert len(callbacks) == 2


def test_email_is_in_the_recipients_language() -> None:
    tell(PatientFactory(language="ar"))

    assert EmailDelivery.objects.get().language == "ar"


def test_row_of_an_email_names_nobody_else(patient: User) -> None:
    tell(patient)

    stored = str(EmailDelivery.objects.values().get())
    assert "Karim" not in stored


def test_one_key_owes_one_email(patient: User) -> None:
    first = post_email(
        to_address=patient.email, language="en", kind=Kind.DOCTOR_APPROVED, idempotency_key="k"
    )
    again = post_email(
        to_address=patient.email, language="en", kind=Kind.DOCTOR_APPROVED, idempotency_key="k"
    )

    assert again == first
    assert EmailDelivery.objects.count() == 1


def test_second_use_of_a_key_hands_over_no_second_task(
    patient: User, django_capture_on_commit_callbacks
) -> None:
    def owe() -> None:
        post_email(
            to_address=patient.email,
            language="en",
            kind=Kind.DOCTOR_APPROVED,
            idempotency_key="k",
        )

    owe()

    with django_capture_on_commit_callbacks() as callbacks:
        owe()

    assert callbacks == []


def test_secret_context_is_encrypted_in_its_column(patient: User) -> None:
    post_email(
        to_address=patient.email,
        language="en",
        kind=Kind.REGISTRATION_CODE,
        secret_context={"code": "424242"},
        idempotency_key="k",
    )

    raw = EmailDelivery.objects.extra(select={"raw": "secret_context::text"}).get().raw
    assert "424242" not in raw
    assert raw.startswith("v1.")
