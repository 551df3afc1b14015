"""What the database itself refuses about people, and what clock work forgets."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.jobs import delete_expired_registrations
from accounts.models import Registration, Role, User
from accounts.services.registration import start_registration
from accounts.tests.factories import PatientFactory
from accounts.tests.registering import registering, verified

pytestmark = pytest.mark.django_db


def test_address_is_unique() -> None:
    PatientFactory(email="one@example.org")

    with pytest.raises(IntegrityError), transaction.atomic():
        PatientFactory(email="one@example.org")


def test_address_in_capitals_is_refused() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientFactory(email="One@example.org")


@pytest.mark.parametrize(("field", "value"), [("role", "GOD"), ("status", "HAPPY")])
def test_unknown_role_or_status_is_refused(patient: User, field: str, value: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=patient.pk).update(**{field: value})


def test_registration_as_administrator_is_refused() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.create(role=Role.ADMIN, expires_at=timezone.now())


def test_registration_cannot_be_verified_without_a_user() -> None:
    registration = registering()

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(status="EMAIL_VERIFIED")


def test_verified_registration_keeps_no_password() -> None:
    user = verified()

    with pytest.raises(IntegrityError), transaction.atomic():
        Registration.objects.filter(user=user).update(password="argon2$…")


def test_expired_registrations_are_forgotten() -> None:
    registering()
    alive = start_registration(role=Role.PATIENT, language="en")
    Registration.objects.exclude(pk=alive.pk).update(expires_at=timezone.now())

    delete_expired_registrations()

    assert Registration.objects.get() == alive


def test_forgetting_a_registration_leaves_the_user() -> None:
    user = verified()
    Registration.objects.update(expires_at=timezone.now())

    delete_expired_registrations()

    assert User.objects.get() == user


def test_superuser_of_the_command_line_is_an_active_administrator() -> None:
    user = User.objects.create_superuser(
        "Root@Example.org", "a long pass phrase", first_name="R", last_name="Oot"
    )

    assert (user.email, user.role, user.status) == ("root@example.org", "ADMIN", "ACTIVE")
