"""How a dose is put into words."""

from dataclasses import dataclass

import pytest

from common.languages import Language
from prescriptions.sig import dosage_sentence, plural_category

ROUTES = (
    "ORAL",
    "SUBLINGUAL",
    "TOPICAL",
    "INHALATION",
    "NASAL",
    "OPHTHALMIC",
    "OTIC",
    "RECTAL",
    "VAGINAL",
    "SUBCUTANEOUS",
    "INTRAMUSCULAR",
    "INTRAVENOUS",
    "TRANSDERMAL",
    "OTHER",
)


@dataclass(frozen=True)
class Dose:
    route: str = "ORAL"
    frequency: int | None = None
    frequency_unit: str = "DAY"
    as_needed: bool = False
    duration_days: int | None = None


@pytest.mark.parametrize(
    ("dose", "english", "arabic"),
    [
        (
            Dose(frequency=1, duration_days=1),
            "Take by mouth once a day for 1 day",
            "يؤخذ عن طريق الفم مرة واحدة يوميًا لمدة يوم واحد",
        ),
        (
            Dose(frequency=2, duration_days=2),
            "Take by mouth 2 times a day for 2 days",
            "يؤخذ عن طريق الفم مرتين يوميًا لمدة يومين",
        ),
        (
            Dose(frequency=3, duration_days=10),
            "Take by mouth 3 times a day for 10 days",
            "يؤخذ عن طريق الفم 3 مرات يوميًا لمدة 10 أيام",
        ),
        (
            Dose(frequency=11, duration_days=11),
            "Take by mouth 11 times a day for 11 days",
            "يؤخذ عن طريق الفم 11 مرة يوميًا لمدة 11 يومًا",
        ),
        (
            Dose(frequency=1, frequency_unit="WEEK", duration_days=100),
            "Take by mouth once a week for 100 days",
            "يؤخذ عن طريق الفم مرة واحدة أسبوعيًا لمدة 100 يوم",
        ),
        (
            Dose(as_needed=True, duration_days=103),
            "Take by mouth as needed for 103 days",
            "يؤخذ عن طريق الفم عند اللزوم لمدة 103 أيام",
        ),
        (
            Dose(frequency=4, as_needed=True, duration_days=5),
            "Take by mouth as needed, up to 4 times a day, for 5 days",
            "يؤخذ عن طريق الفم عند اللزوم، بما لا يزيد على 4 مرات يوميًا، لمدة 5 أيام",
        ),
        (
            Dose(route="INHALATION", frequency=2, as_needed=True),
            "Inhale as needed, up to 2 times a day",
            "يُستنشق عند اللزوم، بما لا يزيد على مرتين يوميًا",
        ),
        (Dose(route="OTHER"), "Use as directed", "يُستعمل حسب الإرشادات"),
    ],
)
def test_the_sentence_is_right_in_both_languages(dose: Dose, english: str, arabic: str) -> None:
    assert dosage_sentence(dose, "en") == english
    assert dosage_sentence(dose, "ar") == arabic


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_route_has_words_of_its_own(language: Language) -> None:
    sentences = {dosage_sentence(Dose(route=route), language) for route in ROUTES}
    assert len(sentences) == len(ROUTES)


def test_a_route_without_words_is_refused_rather_than_guessed() -> None:
    with pytest.raises(KeyError):
        dosage_sentence(Dose(route="INTRATHECAL"), "en")


@pytest.mark.parametrize(
    ("n", "category"),
    [
        (1, "one"),
        (2, "two"),
        (3, "few"),
        (10, "few"),
        (11, "many"),
        (99, "many"),
        (100, "other"),
        (102, "other"),
        (103, "few"),
        (111, "many"),
        (365, "many"),
    ],
)
def test_arabic_plurals_follow_the_last_two_digits(n: int, category: str) -> None:
    assert plural_category(n, "ar") == category
