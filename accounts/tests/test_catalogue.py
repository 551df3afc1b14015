"""The public catalogue: quick from a copy, and never older than the last commit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import DirectoryEntry, DoctorProfile, Status, User
from accounts.services import specializations as catalogue
from accounts.services.profiles import update_practice
from accounts.services.users import activate_user, suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory
from accounts.tests.reviewing import approve, reject
from medisync.demo.bulk import Rows
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.ports import quiet_port
from specializations.models import CatalogueVersion, Specialization

pytestmark = pytest.mark.django_db
URL = "/api/v1/specializations"


@pytest.fixture
def heart(doctor: User) -> Specialization:
    return doctor.doctor_profile.specialization


@pytest.fixture
def redis_down(settings: Any) -> None:
    """The cache points to a port where nothing listens."""
    nowhere = f"redis://127.0.0.1:{quiet_port()}/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": nowhere}}


def add(code: str, **changes: object) -> Specialization:
    names = {"name_en": f"Science of {code}", "name_ar": f"علم {code}"}
    return Specialization.objects.create(code=code, **names | changes)


def listed() -> dict[str, int]:
    """What the public reads: each code with the number of its doctors."""
    return {row["code"]: row["doctor_count"] for row in api_client().get(URL).json()}


def office() -> Any:
    return sign_in(AdminFactory())


def test_anyone_may_read_it() -> None:
    add("phrenology")

    assert listed()["phrenology"] == 0


def test_token_that_has_expired_hinders_nobody_from_reading() -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer of.no.use")

    assert client.get(URL).status_code == 200


def test_retired_ones_are_offered_to_nobody() -> None:
    retired = add("alchemy", is_retired=True)

    assert "alchemy" not in listed()
    assert api_client().get(f"{URL}/{retired.pk}").status_code == 404


def test_name_follows_the_language_of_the_request() -> None:
    added = add("phrenology")
    api_client().get(f"{URL}/{added.pk}", headers={"Accept-Language": "en"})

    row = api_client().get(f"{URL}/{added.pk}", headers={"Accept-Language": "ar"}).json()

    assert row["name"] == row["name_ar"] == "علم phrenology"


def test_popular_ones_are_those_with_the_most_doctors(heart: Specialization) -> None:
    skin = add("skin")
    DoctorFactory(profile__specialization=skin)
    DoctorFactory(profile__specialization=skin)
    DoctorFactory(profile__specialization=skin, status=Status.PENDING_APPROVAL)

    rows = api_client().get(f"{URL}/popular", {"limit": 2}).json()

    assert [(row["code"], row["doctor_count"]) for row in rows] == [("skin", 2), (heart.code, 1)]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", "1.5", "1e9", ""])
def test_impossible_number_of_popular_ones_is_refused(limit: str) -> None:
    assert api_client().get(f"{URL}/popular", {"limit": limit}).status_code == 400


def test_detail_shows_its_doctors_and_nothing_private(doctor: User, heart: Specialization) -> None:
    DoctorFactory(status=Status.SUSPENDED)

    answer = api_client().get(f"{URL}/{heart.pk}")

    assert [row["display_name"] for row in answer.json()["doctors"]] == ["Dr Karim Nabil"]
    assert answer.json()["doctors_url"].endswith("/api/v1/doctors?specialization=cardiology")
    for private in (doctor.email, "+2010", doctor.doctor_profile.licence_number, "documents/"):
        assert private not in answer.content.decode()


def test_copy_saves_every_question_but_the_version(
    heart: Specialization, django_assert_num_queries: Any
) -> None:
    listed()

    with django_assert_num_queries(1):
        listed()


def suspended(doctor: User) -> None:
    suspend_user(session=office(), user_id=doctor.pk, reason="A complaint.")


def opened_again(doctor: User) -> None:
    suspended(doctor)
    listed()
    activate_user(session=office(), user_id=doctor.pk, reason="Answered.")


def approved(doctor: User) -> None:
    approve(office(), DoctorFactory(status=Status.PENDING_APPROVAL))


def rejected(doctor: User) -> None:
    reject(office(), DoctorFactory(status=Status.PENDING_APPROVAL))


def copied_in(doctor: User) -> None:
    rows, now = Rows(), timezone.now()
    for number in range(3):
        user = rows.add(
            User(
                created_at=now, email=f"{number}@b.example", role="DOCTOR", status="ACTIVE",
                first_name="Aya", last_name="Zaki", password="!", phone="",
            )
        )  # fmt: skip
        rows.add(
            DoctorProfile(
                created_at=now, user=user, licence_number=f"B-{number}",
                specialization=doctor.doctor_profile.specialization,
            )
        )  # fmt: skip
    rows.write()


def changed_in_sql(doctor: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET status = 'INACTIVE' WHERE id = %s", [doctor.pk])


def profile_deleted_in_sql(doctor: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_doctorprofile WHERE user_id = %s", [doctor.pk])


def other_specialty(doctor: User) -> None:
    doctor.doctor_profile.specialization = add("skin")
    doctor.doctor_profile.save()


def no_doctor_any_more(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(role="PATIENT")


@pytest.mark.parametrize(
    ("write", "number"),
    [
        (suspended, 0), (opened_again, 1), (approved, 2), (rejected, 1), (copied_in, 4),
        (changed_in_sql, 0), (profile_deleted_in_sql, 0), (other_specialty, 0),
        (no_doctor_any_more, 0),
    ],
)  # fmt: skip
def test_number_of_doctors_is_right_after_every_write(
    doctor: User, write: Callable[[User], None], number: int
) -> None:
    assert listed()["cardiology"] == 1

    write(doctor)

    assert listed()["cardiology"] == number


def renamed_by_service(heart: Specialization) -> None:
    catalogue.change_specialization(
        session=office(), specialization_id=heart.pk, changes={"name_en": "Hearts"}
    )


def renamed_in_admin(heart: Specialization) -> None:
    path = f"/admin/specializations/specialization/{heart.pk}/change/"
    body = {"name_en": "Hearts", "name_ar": heart.name_ar, "aliases": ""}
    assert page_client(AdminFactory()).post(path, body).status_code == 302


def renamed_in_sql(heart: Specialization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE specializations_specialization SET name_en = 'Hearts'")


@pytest.mark.parametrize("write", [renamed_by_service, renamed_in_admin, renamed_in_sql])
def test_name_is_right_after_every_write(
    heart: Specialization, write: Callable[[Specialization], None]
) -> None:
    Specialization.objects.exclude(pk=heart.pk).delete()
    listed()

    write(heart)

    assert [row["name_en"] for row in api_client().get(URL).json()] == ["Hearts"]


def test_what_is_rolled_back_is_not_kept(heart: Specialization) -> None:
    """Whoever writes reads their own rows, and may yet undo them."""
    before = listed()
    with transaction.atomic():
        Specialization.objects.filter(pk=heart.pk).update(code="hearts")
        assert "hearts" in listed()
        transaction.set_rollback(True)

    assert listed() == before


def test_writes_that_the_catalogue_does_not_show_leave_the_copy(
    doctor: User, patient: User
) -> None:
    before = CatalogueVersion.objects.get().version

    update_practice(actor=doctor, changes={"bio": "Listens."})
    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED, first_name="Muna")
    sign_in(doctor)

    assert CatalogueVersion.objects.get().version == before


def race_of_reader_and_writer(
    monkeypatch: pytest.MonkeyPatch, heart: Specialization
) -> tuple[str, str]:
    """A reader has read the old rows when a writer commits, and stores them only then. The names
    that the reader, and after both somebody else, were told."""
    read, written = threading.Event(), threading.Event()
    read_rows = catalogue._read_rows

    def read_and_wait() -> Any:
        rows = read_rows()
        read.set()
        assert written.wait(10)
        return rows

    def name() -> str:
        return next(row.name_en for row in catalogue.offered_specializations() if row == heart)

    told = []

    def reader() -> None:
        try:
            told.append(name())
        finally:
            connections.close_all()

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "_read_rows", read_and_wait)
        thread = threading.Thread(target=reader, daemon=True)
        thread.start()
        assert read.wait(10)
        Specialization.objects.filter(pk=heart.pk).update(name_en="Hearts")
        written.set()
        thread.join(10)
    return told[0], name()


@pytest.mark.django_db(transaction=True)
def test_old_rows_stored_after_a_commit_are_read_by_nobody(
    monkeypatch: pytest.MonkeyPatch, heart: Specialization
) -> None:
    assert race_of_reader_and_writer(monkeypatch, heart) == ("Cardiology", "Hearts")


@pytest.mark.django_db(transaction=True)
def test_race_is_lost_where_the_version_never_changes(
    monkeypatch: pytest.MonkeyPatch, heart: Specialization
) -> None:
    """The control: deleting the copy at the write would not help, for it is stored afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE specializations_specialization DISABLE TRIGGER USER")
    try:
        assert race_of_reader_and_writer(monkeypatch, heart) == ("Cardiology", "Cardiology")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE specializations_specialization ENABLE TRIGGER USER")


def test_dead_redis_costs_a_question_and_nothing_else(
    heart: Specialization, redis_down: None, django_assert_num_queries: Any
) -> None:
    for _ in range(2):
        with django_assert_num_queries(2):
            assert listed()["cardiology"] == 1


def test_empty_installation_keeps_nothing() -> None:
    DirectoryEntry.objects.all().delete()
    Specialization.objects.all().delete()
    CatalogueVersion.objects.all().delete()

    assert listed() == {}
    assert cache.get("specializations:None") is None
