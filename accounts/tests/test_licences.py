"""Licences end, and nobody should be surprised by it."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.jobs import tell_of_ending_licences
from accounts.models import DoctorProfile, Language, Status, User
from accounts.services.licences import tell_of_ending_licences as tell
from accounts.tests.factories import DoctorFactory
from common.clock import clinic_date
from medisync.tests.client import page_client
from medisync.tests.races import race
from notifications.models import Notification

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/licence/"


def ending(days: int | None, **changes: object) -> User:
    day = None if days is None else clinic_date() + dt.timedelta(days=days)
    return DoctorFactory(profile__licence_expiry_date=day, **changes)


@pytest.mark.parametrize("days", [0, 1, 30])
def test_doctor_is_told_within_thirty_days_of_the_end(days: int) -> None:
    doctor = ending(days)

    tell_of_ending_licences()

    assert Notification.objects.get().recipient == doctor


@pytest.mark.parametrize("days", [-1, 31, None])
def test_nobody_is_told_of_another_day(days: int | None) -> None:
    ending(days)

    tell_of_ending_licences()

    assert not Notification.objects.exists()


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.ACTIVE}))
def test_only_practising_doctors_are_told(status: Status) -> None:
    ending(10, status=status)

    tell_of_ending_licences()

    assert not Notification.objects.exists()


def test_doctor_is_told_once_and_again_for_the_next_licence() -> None:
    doctor = ending(10)
    for _day in range(3):
        tell_of_ending_licences()
    DoctorProfile.objects.update(licence_expiry_date=clinic_date() + dt.timedelta(days=20))
    tell_of_ending_licences()

    assert Notification.objects.filter(recipient=doctor).count() == 2


def test_one_who_cannot_be_told_holds_up_no_other() -> None:
    """Whose time zone no longer exists, for one."""
    User.objects.filter(pk=ending(9).pk).update(time_zone="Gone/Nowhere")
    doctor = ending(10)

    tell_of_ending_licences()

    assert Notification.objects.get().recipient == doctor


def test_day_is_written_as_its_reader_writes_it() -> None:
    DoctorFactory(language=Language.ARABIC, profile__licence_expiry_date=dt.date(2026, 3, 5))

    tell(today=dt.date(2026, 3, 1))

    assert "مارس" in Notification.objects.get().context["date"]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_tell_once() -> None:
    ending(10)

    racers = race(*[lambda: tell(today=clinic_date())] * 2, gate=DoctorProfile)

    assert sorted(racer.value for racer in racers) == [0, 1]
    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("", {-5, 0, 3, 45, 80, None}), ("expired", {-5}), ("ending", {-5, 0, 3}),
        ("30", {0, 3}), ("60", {0, 3, 45}),
        ("90", {0, 3, 45, 80}), ("unknown", {None}), ("all", {-5, 0, 3, 45, 80, 300, None}),
    ],
)  # fmt: skip
def test_list_shows_who_needs_looking_after(
    admin: User, ends: str, expected: set[int | None]
) -> None:
    people = {ending(days).doctor_profile.pk: days for days in (-5, 0, 3, 45, 80, 300, None)}
    ending(3, status=Status.SUSPENDED)

    page = page_client(admin).get(LIST, {"ends": ends} if ends else {})

    assert {people[row.pk] for row in page.context["cl"].result_list} == expected


def test_list_leads_to_the_doctor_and_to_a_change(admin: User) -> None:
    doctor = ending(3)
    browser = page_client(admin)

    page = browser.get(LIST).content.decode()
    opened = browser.get(f"{LIST}{doctor.doctor_profile.pk}/change/")

    assert f"/admin/accounts/accountchange/propose/{doctor.pk}/LICENCE/" in page
    assert opened.url == f"/admin/accounts/doctorprofile/{doctor.doctor_profile.pk}/change/"


def test_first_page_counts_ended_and_ending_ones_and_leads_to_them(admin: User) -> None:
    for days in (-5, 3, 30, 31, 45, None):
        ending(days)
    browser = page_client(admin)

    first = browser.get("/admin/")
    led_to = browser.get(LIST, {"ends": "ending"})

    assert first.context["licences_ending"] == 3
    assert f'href="{LIST}?ends=ending"' in first.content.decode()
    assert led_to.context["cl"].result_count == 3


def test_licence_that_ends_today_has_not_ended(admin: User) -> None:
    ending(0)

    page = page_client(admin).get(LIST).content.decode()

    assert "0 days" in page
