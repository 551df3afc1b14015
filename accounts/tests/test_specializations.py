"""Administrators add, change, retire and delete specialties, by API and in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.models import DeviceSession, DoctorProfile, User
from accounts.policies import SecondFactorNeeded
from accounts.services.applications import _offered
from accounts.services.specializations import (
    add_specialization,
    change_specialization,
    delete_specialization,
)
from accounts.tests.factories import DoctorFactory
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
URL = "/api/v1/specializations"
ADMIN = "/admin/specializations/specialization"
NAMES = {"name_en": "Phrenology", "name_ar": "فراسة"}


@pytest.fixture
def office(admin: User) -> DeviceSession:
    return sign_in(admin)


@pytest.fixture
def added(db: None) -> Specialization:
    return Specialization.objects.create(code="phrenology", **NAMES)


def log_of(specialization: Specialization) -> list[tuple[int, Any]]:
    entries = LogEntry.objects.filter(object_pk=str(specialization.pk)).order_by("pk")
    return [(entry.action, entry.actor) for entry in entries]


def test_administrator_adds_one_by_api_and_the_log_says_who(admin: User) -> None:
    answer = api_client(admin).post(URL, NAMES | {"code": "phrenology", "aliases": ["skulls"]})

    added = Specialization.objects.get(code="phrenology")
    assert answer.status_code == 201
    assert (answer.json()["id"], added.aliases) == (str(added.pk), ["skulls"])
    assert log_of(added) == [(LogEntry.Action.CREATE, admin)]


def test_administrator_changes_one_by_api_and_the_log_says_who(
    admin: User, added: Specialization
) -> None:
    answer = api_client(admin).put(f"{URL}/{added.pk}", NAMES | {"name_en": "Skulls"})

    entry = LogEntry.objects.filter(object_pk=str(added.pk)).latest("timestamp")
    assert answer.status_code == 200
    assert (entry.actor, entry.changes_dict) == (admin, {"name_en": ["Phrenology", "Skulls"]})


def test_code_is_given_once(admin: User, added: Specialization) -> None:
    answer = api_client(admin).put(f"{URL}/{added.pk}", NAMES | {"code": "skulls"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_field"


def test_administrator_deletes_one_by_api_and_the_log_says_who(
    admin: User, added: Specialization
) -> None:
    answer = api_client(admin).delete(f"{URL}/{added.pk}")

    assert answer.status_code == 204
    assert log_of(added)[-1] == (LogEntry.Action.DELETE, admin)


def test_one_in_use_is_not_deleted(admin: User, doctor: User) -> None:
    heart = doctor.doctor_profile.specialization

    answer = api_client(admin).delete(f"{URL}/{heart.pk}")

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "specialization_in_use"
    assert Specialization.objects.filter(pk=heart.pk).exists()


def test_one_in_use_is_not_deleted_whoever_tries(doctor: User) -> None:
    heart = doctor.doctor_profile.specialization

    with pytest.raises(ProtectedError):
        heart.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Specialization.objects.filter(pk=heart.pk)._raw_delete("default")
        transaction.get_connection().check_constraints()


def test_retired_one_stays_with_its_doctors_and_is_offered_again(
    office: DeviceSession, doctor: User
) -> None:
    heart = doctor.doctor_profile.specialization

    change_specialization(session=office, specialization_id=heart.pk, changes={"is_retired": True})
    with pytest.raises(InvalidInput):
        _offered(heart.pk)
    doctor.doctor_profile.refresh_from_db()
    assert doctor.doctor_profile.specialization == heart

    change_specialization(session=office, specialization_id=heart.pk, changes={"is_retired": False})
    with transaction.atomic():
        assert _offered(heart.pk) == heart


@pytest.mark.parametrize("field", ["code", "name_en", "name_ar"])
def test_taken_name_is_refused_in_any_case(admin: User, added: Specialization, field: str) -> None:
    other = {"code": "other", "name_en": "Other", "name_ar": "أخرى"}
    taken = getattr(added, field)

    answer = api_client(admin).post(
        URL, other | {field: taken if field == "code" else taken.upper()}
    )

    assert answer.status_code == 409
    assert answer.json()["errors"][0] == {
        "code": "specialization_taken",
        "detail": "Another specialty has this name.",
        "attr": field,
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"name_en": " "}, {"name_ar": "x" * 121}, {"name_en": "two\nlines"},
        {"name_ar": "turned\u202eround"}, {"aliases": [""]}, {"aliases": ["x" * 81]},
        {"aliases": ["a\x00b"]}, {"aliases": [str(n) for n in range(41)]},
        {"description_en": "x" * 301}, {"code": "two words"}, {"code": ""},
    ],
)  # fmt: skip
def test_words_that_cannot_be_shown_are_refused(admin: User, fault: dict[str, Any]) -> None:
    answer = api_client(admin).post(URL, NAMES | {"code": "phrenology"} | fault)

    assert answer.status_code == 400
    assert not Specialization.objects.filter(code="phrenology").exists()


@pytest.mark.parametrize(
    "fault", [{"name_en": "two\nlines"}, {"aliases": ["x" * 81]}, {"description_ar": "x" * 301}]
)
def test_service_refuses_them_from_every_door(
    office: DeviceSession, added: Specialization, fault: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        change_specialization(session=office, specialization_id=added.pk, changes=fault)


def test_service_changes_no_code(office: DeviceSession, added: Specialization) -> None:
    with pytest.raises(ValueError, match="code"):
        change_specialization(session=office, specialization_id=added.pk, changes={"code": "x"})


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_nobody_else_writes(
    who: str, added: Specialization, request: pytest.FixtureRequest
) -> None:
    session = sign_in(request.getfixturevalue(who))

    for verb in (
        lambda: add_specialization(session=session, specialization=Specialization(code="x")),
        lambda: change_specialization(session=session, specialization_id=added.pk, changes={}),
        lambda: delete_specialization(session=session, specialization_id=added.pk),
    ):
        with pytest.raises(NotAllowed):
            verb()


def test_administrator_without_second_factor_writes_nothing(
    admin: User, added: Specialization
) -> None:
    with pytest.raises(SecondFactorNeeded):
        delete_specialization(session=sign_in(admin, factor=""), specialization_id=added.pk)


def test_admin_pages_add_change_and_delete(admin: User) -> None:
    browser = page_client(admin)

    added = browser.post(f"{ADMIN}/add/", NAMES | {"code": "phrenology", "aliases": "skulls,head"})
    row = Specialization.objects.get(code="phrenology")
    changed = browser.post(f"{ADMIN}/{row.pk}/change/", NAMES | {"is_retired": "on"})
    row.refresh_from_db()
    deleted = browser.post(f"{ADMIN}/{row.pk}/delete/", {"post": "yes"})

    assert [answer.status_code for answer in (added, changed, deleted)] == [302, 302, 302]
    assert (row.is_retired, row.aliases) == (True, [])
    assert [actor for _, actor in log_of(row)] == [admin, admin, admin]


def test_admin_page_refuses_a_taken_name_beside_its_field(
    admin: User, added: Specialization
) -> None:
    answer = page_client(admin).post(
        f"{ADMIN}/add/", NAMES | {"code": "other", "name_en": "PHRENOLOGY"}
    )

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


def test_admin_page_offers_no_deletion_of_one_in_use(admin: User, doctor: User) -> None:
    heart = doctor.doctor_profile.specialization
    browser = page_client(admin)

    assert "deletelink" not in browser.get(f"{ADMIN}/{heart.pk}/change/").content.decode()
    assert browser.post(f"{ADMIN}/{heart.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_doctor_who_chooses_it_first_keeps_it_from_being_deleted(
    office: DeviceSession, added: Specialization
) -> None:
    racers = race(choosing(added), deleting(office, added), gate=DoctorProfile)

    assert errors(racers) == ["", "SpecializationInUse"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_only_the_constraint_would_refuse(
    office: DeviceSession, added: Specialization
) -> None:
    racers = race(choosing(added), deleting(office, added), gate=DoctorProfile)

    assert "SpecializationInUse" not in errors(racers)


def choosing(specialization: Specialization) -> Any:
    other = DoctorFactory()

    def act() -> None:
        with transaction.atomic():
            other.doctor_profile.specialization = _offered(specialization.pk)
            other.doctor_profile.save()

    return act


def deleting(session: DeviceSession, specialization: Specialization) -> Any:
    return lambda: delete_specialization(session=session, specialization_id=specialization.pk)


@pytest.mark.django_db(transaction=True)
def test_two_of_one_name_at_once_make_one(office: DeviceSession) -> None:
    def adding(code: str) -> Any:
        return lambda: add_specialization(
            session=office, specialization=Specialization(code=code, **NAMES)
        )

    racers = race(adding("a"), adding("b"), gate=Specialization)

    assert sorted(errors(racers)) == ["", "SpecializationTaken"]
