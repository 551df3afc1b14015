"""Names are taken once, and read as a search reads them."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from specializations.models import CatalogueVersion, Specialization

pytestmark = pytest.mark.django_db


def add(code: str, **changes: object) -> Specialization:
    names = {"name_en": f"Science of {code}", "name_ar": f"علم {code}"}
    return Specialization.objects.create(code=code, **names | changes)


def folded(text: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_fold(%s)", [text])
        return cursor.fetchone()[0]


def words(text: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_words(%s)", [text])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("field", ["code", "name_en", "name_ar"])
def test_names_are_taken_once(field: str) -> None:
    first, second = add("first"), add("second")

    with pytest.raises(IntegrityError), transaction.atomic():
        Specialization.objects.filter(pk=second.pk).update(**{field: getattr(first, field)})


def test_names_are_compared_without_regard_to_case() -> None:
    add("first")
    second = add("second")

    with pytest.raises(IntegrityError), transaction.atomic():
        Specialization.objects.filter(pk=second.pk).update(name_en="SCIENCE OF FIRST")


def test_words_of_all_names_are_known_to_the_search() -> None:
    added = add("tumours", name_ar="طب الأورام", aliases=["cancer doctor", "أورام"])

    added.refresh_from_db()

    assert added.words == ["cancer", "doctor", "of", "science", "tumours", "اورام", "طب"]


def test_catalogue_has_one_version() -> None:
    add("first")

    with pytest.raises(IntegrityError), transaction.atomic():
        CatalogueVersion.objects.create(pk=2, version="01933c5e-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Éléna MÜLLER-Øst", "elena muller ost"),
        ("E\u0301lena", "elena"),
        ("أحمد إبراهيم آدم ٱلله", "احمد ابراهيم ادم الله"),
        ("ليلى", "ليلي"),
        ("فاطمة", "فاطمه"),
        ("مؤمن وائل", "مومن وايل"),
        ("أسماء", "اسما"),
        ("مُحَمَّـــد", "محمد"),
        ("ﷴ", "محمد"),
        ("شارع ٣ ۴", "شارع 3 4"),
        ("د. أ.ش؟ (سعيد)", "د ا ش سعيد"),
        ("Abd El-Rahman", "abdelrahman"),
        ("abdul rahman", "abdelrahman"),
        ("عبد الرحمن", "عبدالرحمن"),
        ("ک ی", "ك ي"),
        ("", ""),
    ],
)
def test_same_writing_folds_to_the_same_text(written: str, read: str) -> None:
    assert folded(written) == read


def test_articles_and_single_letters_are_no_words() -> None:
    assert words("M. El-Shazly أ. الشاذلي وال") == ["shazly", "شاذلي", "وال"]


def test_text_of_symbols_has_no_words() -> None:
    assert words("…!؟ ' \\ & | ( ) : * <->") == []
