"""Finding a doctor: by any spelling, the best first, page by page."""

from __future__ import annotations

import re
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.http import Http404
from django.utils import translation

from accounts.jobs import refresh_directory_words
from accounts.models import DirectoryWord, DoctorProfile, Governorate, Status, User
from accounts.models.listing import GOVERNORATES
from accounts.services.directory import Search, find_doctors
from accounts.services.profiles import update_practice
from accounts.tests.factories import DoctorFactory
from medisync.tests.races import _blocked, _wait_until
from specializations.models import Specialization

pytestmark = pytest.mark.django_db


def doctor_of(name: str, code: str = "cardiology", **practice: Any) -> User:
    first, _, last = name.partition(" ")
    names = {"name_en": code.capitalize(), "name_ar": f"طب {code}"}
    specialization, _ = Specialization.objects.get_or_create(code=code, defaults=names)
    practice = {f"profile__{name}": value for name, value in practice.items()}
    return DoctorFactory(
        first_name=first, last_name=last, profile__specialization=specialization, **practice
    )


def found(text: str = "", **filters: Any) -> list[str]:
    page = find_doctors(Search(text, **filters), size=20)
    return [profile.user.full_name for profile in page.doctors]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Mona El-Adel", "mona adel"),
        ("Mona El-Adel", "ADEL Mona"),
        ("Mona El-Adel", "Dr. Mona"),
        ("Mona El-Adel", "mon"),
        ("Mona El-Adel", "muna"),
        ("Mohamed Hassan", "muhammad hasan"),
        ("Youssef Fahmy", "yusuf fahmi"),
        ("Éléna Müller", "elena muller"),
        ("أحمد الشاذلي", "احمد شاذلى"),
        ("أحمد الشاذلي", "د. أحمد"),
        ("أحمد الشاذلي", "دكتور أحْمَـد"),
        ("فاطمة عبد الرحمن", "فاطمه عبدالرحمن"),
        ("مؤمن فائز", "مومن فايز"),
        ("Tarek Abd El-Rahman", "abdelrahman"),
        ("محمد الشاذلي", "Mohamed Shazly"),
        ("فاطمة خليل", "Fatma Khalil"),
        ("Youssef Ashraf", "يوسف أشرف"),
        ("Omar Ghoneim", "عمر غنيم"),
    ],
)
def test_name_is_found_however_it_is_written(name: str, typed: str) -> None:
    doctor_of(name)
    doctor_of("Boutros Girgis")

    assert found(typed)[:1] == [name]


@pytest.mark.parametrize(
    "typed", ["heart doctor", "cardiologist", "قلب", "cardialogy", "دكتور قلب"]
)
def test_specialty_is_found_by_name_alias_and_near_miss(typed: str) -> None:
    Specialization.objects.filter(code="cardiology").update(
        name_ar="أمراض القلب", aliases=["heart doctor", "cardiologist"]
    )
    doctor_of("Mona Adel", "cardiology")
    doctor_of("Boutros Girgis", "dermatology")

    assert found(typed) == ["Mona Adel"]


@pytest.mark.parametrize("typed", ["Maadi", "المعادي", "cairo", "القاهره", "mona maadi", "معادى"])
def test_place_is_found_in_both_languages(typed: str) -> None:
    doctor_of("Mona Adel", city="Maadi المعادي", governorate="EG-C")
    doctor_of("Boutros Girgis", city="Smouha", governorate="EG-ALX")

    assert found(typed) == ["Mona Adel"]


def test_governorates_are_called_as_they_are_shown() -> None:
    shown = {}
    for code, label in Governorate.choices:
        names = []
        for language in ("en", "ar"):
            with translation.override(language):
                names.append(str(label))
        shown[code] = " ".join(names)

    assert shown == GOVERNORATES


def test_name_comes_before_place_and_both_before_a_near_miss() -> None:
    doctor_of("Nasir Amer")
    doctor_of("Mona Adel", city="Nasr City")
    doctor_of("Nasr Zaki")
    doctor_of("Hala Nasreldin")

    assert found("nasr") == ["Nasr Zaki", "Mona Adel", "Hala Nasreldin", "Nasir Amer"]


def test_every_word_has_to_be_found() -> None:
    doctor_of("Mona Adel")

    assert found("mona boutros") == []


def test_only_titles_and_single_letters_find_everybody() -> None:
    doctor_of("Mona Adel")

    assert found("د. أ. Dr") == found("") == ["Mona Adel"]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        *((signs, ["Mona Adel"]) for signs in ("'", "\\", "a' | 'b", "& | ! ( )", "<->", "%", "_")),
        *((signs, ["Mona Adel"]) for signs in ("\ufffd", "🫀 mona")),
        *((words, []) for words in ("mona':* & !'xyzzy", "mona' | 'xyzzy", "🫀 xyzzy")),
    ],
)
def test_what_means_something_to_a_query_means_nothing_here(typed: str, names: list[str]) -> None:
    """Signs alone are no words, and find everybody; among words they change nothing."""
    doctor_of("Mona Adel", city="Mona")

    assert found(typed) == found(city=typed) == names


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Hala Zaki", "Mona Adel"]),
        ({"city": "maadi"}, ["Mona Adel"]),
        ({"city": "المنصورة"}, []),
        ({"governorate": "EG-ALX"}, ["Hala Zaki"]),
        ({"language": "fr"}, ["Mona Adel"]),
        ({"language": "ar"}, ["Hala Zaki", "Mona Adel"]),
        ({"min_fee": Decimal(300)}, ["Hala Zaki"]),
        ({"max_fee": Decimal("299.99")}, ["Mona Adel"]),
        ({"min_fee": Decimal(200), "max_fee": Decimal(300)}, ["Hala Zaki", "Mona Adel"]),
        ({"city": "maadi", "language": "en"}, []),
    ],
)
def test_filters_narrow(filters: dict[str, Any], names: list[str]) -> None:
    doctor_of(
        "Mona Adel", city="El Maadi", governorate="EG-C", languages=["ar", "fr"],
        consultation_fee=Decimal(200),
    )  # fmt: skip
    doctor_of(
        "Hala Zaki", city="Smouha", governorate="EG-ALX", languages=["ar"],
        consultation_fee=Decimal(300),
    )  # fmt: skip

    assert found(**filters) == names


def test_specialty_narrows_and_so_does_text_within() -> None:
    skin = doctor_of("Mona Adel", "dermatology").doctor_profile.specialization
    doctor_of("Mona Zaki", "cardiology")

    assert found(specialization=skin) == ["Mona Adel"]
    assert found("mona", specialization=skin) == ["Mona Adel"]
    assert found("zaki", specialization=skin) == []


def test_fee_that_is_not_told_answers_no_bound() -> None:
    doctor_of("Mona Adel", consultation_fee=None)

    assert found(max_fee=Decimal(100_000)) == []


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ACTIVE])
def test_nobody_else_is_found(status: Status, patient: User) -> None:
    User.objects.filter(pk=doctor_of("Mona Adel").pk).update(status=status)

    assert found() == found("mona") == []


@pytest.mark.parametrize("text", ["", "mona", "muna", "mona cairo"])
def test_pages_hold_everybody_once_in_one_order(text: str) -> None:
    for number in range(7):
        doctor_of(f"Mona Adel{chr(97 + number)}", governorate="EG-C")
        doctor_of(f"Monaa Zaki{chr(97 + number)}", governorate="EG-C")
    whole = [row.pk for row in find_doctors(Search(text), size=50).doctors]

    paged, cursor = [], ""
    while True:
        page = find_doctors(Search(text), cursor=cursor, size=3)
        paged += [row.pk for row in page.doctors]
        cursor = page.next
        if not cursor:
            break

    assert paged == whole
    assert len(set(whole)) == 14


def test_doctor_who_joins_meanwhile_moves_nobody() -> None:
    for name in ("Mona Adel", "Hala Zaki", "Nour Amer"):
        doctor_of(name)
    first = find_doctors(Search(), size=2)

    doctor_of("Aya Fahmy")

    second = find_doctors(Search(), cursor=first.next, size=2)
    assert [row.user.first_name for row in second.doctors] == ["Mona"]


@pytest.mark.parametrize(
    "cursor", ["x", "0", "0-", "0-x", "x-" + "0" * 32, "\x00", "é", "9" * 5000]
)
def test_cursor_that_was_not_made_here_is_not_found(cursor: str) -> None:
    with pytest.raises(Http404):
        find_doctors(Search(), cursor=cursor, size=2)


def test_what_changes_is_found_at_once() -> None:
    doctor = doctor_of("Mona Adel")

    User.objects.filter(pk=doctor.pk).update(first_name="Salma")
    update_practice(actor=doctor, changes={"city": "Tanta", "languages": ["it"]})
    Specialization.objects.filter(code="cardiology").update(name_en="Hearts", aliases=["pump"])

    assert found("mona") == []
    assert found("salma") == found("tanta") == found("hearts") == found("pump") == ["Salma Adel"]
    assert found(language="it") == ["Salma Adel"]


def test_rows_copied_in_without_the_services_are_found() -> None:
    doctor = doctor_of("Mona Adel")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_directoryentry")
        cursor.execute("CREATE TEMP TABLE kept AS SELECT * FROM accounts_doctorprofile")
        cursor.execute("DELETE FROM accounts_doctorprofile")
        cursor.execute("INSERT INTO accounts_doctorprofile SELECT * FROM kept")

    assert found("mona") == [doctor.full_name]


def test_words_that_nobody_has_any_more_go_at_night() -> None:
    doctor = doctor_of("Mona Adel")
    doctor_of("Hala Zaki")
    User.objects.filter(pk=doctor.pk).update(status=Status.ANONYMISED)

    refresh_directory_words()

    assert set(DirectoryWord.objects.values_list("word", flat=True)) == {"hala", "zaki"}


def found_after_two_writers(doctor: User) -> list[str]:
    """One renames the doctor and has not committed yet when another moves the practice."""

    def move() -> None:
        DoctorProfile.objects.filter(user=doctor).update(city="Tanta")
        connections.close_all()

    mover = threading.Thread(target=move, daemon=True)
    with transaction.atomic(), connection.cursor() as cursor:
        User.objects.filter(pk=doctor.pk).update(first_name="Salma")
        mover.start()
        _wait_until(lambda: _blocked(cursor) == 1)
    mover.join(10)
    return found("salma tanta")


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_at_once_none_is_forgotten() -> None:
    assert found_after_two_writers(doctor_of("Mona Adel")) == ["Salma Adel"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_later_would_forget_what_the_earlier_wrote() -> None:
    doctor = doctor_of("Mona Adel")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE prosrc LIKE %s", ["%FOR NO KEY%"]
        )
        functions = [text for (text,) in cursor.fetchall()]
        for text in functions:
            cursor.execute(re.sub("PERFORM FROM accounts_user .*?;", "", text))
    try:
        assert found_after_two_writers(doctor) == []
    finally:
        with connection.cursor() as cursor:
            for text in functions:
                cursor.execute(text)


@pytest.mark.parametrize(("text", "number"), [("", 2), ("mona", 6), ("zzzzqx", 5)])
def test_search_takes_the_same_queries_however_many_doctors(
    text: str, number: int, django_assert_num_queries: Any
) -> None:
    doctor_of("Mona Adel")
    with django_assert_num_queries(number):
        find_doctors(Search(text), size=20)
    for letter in "abcde":
        doctor_of(f"Mona Zaki{letter}")

    with django_assert_num_queries(number):
        find_doctors(Search(text), size=20)
