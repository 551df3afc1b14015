"""Findings in words."""

from __future__ import annotations

import pytest

from prescriptions.safety import Concern, Kind, Known, Ordered, Severity, Unchecked, check, sentence
from prescriptions.safety.report import SafetyWarning


def plain(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


def said(medicine: str, *known: Known) -> list[str]:
    report = check([Ordered(1, medicine)], known)
    return [plain(sentence(each, "en")) for each in (*report.warnings, *report.unchecked)]


@pytest.mark.parametrize(
    ("medicine", "known", "expected"),
    [
        (
            "Augmentin",
            Known("penicillin", Kind.ALLERGY),
            "Augmentin: the patient is allergic to penicillin.",
        ),
        (
            "cefuroxime",
            Known("penicillin", Kind.ALLERGY),
            (
                "cefuroxime: the patient is allergic to penicillin, and may react to this as well "
                "(cephalosporins / penicillins)."
            ),
        ),
        (
            "ibuprofen",
            Known("diclofenac", Kind.TAKEN),
            (
                "ibuprofen and diclofenac (taken, as the patient says) are of one kind: "
                "anti-inflammatory painkillers (NSAIDs)."
            ),
        ),
        (
            "Panadol",
            Known("paracetamol", Kind.PRESCRIBED),
            "Panadol holds the same substance as paracetamol (prescribed already).",
        ),
        (
            "clopidogrel",
            Known("omeprazole", Kind.PRESCRIBED),
            (
                "clopidogrel together with omeprazole (prescribed already): one of them loses its "
                "effect."
            ),
        ),
        (
            "Augmentin",
            Known("penicillin", Kind.ALLERGY, may_be_named=False),
            (
                "Something in this patient's record that is not shared with you conflicts with "
                "Augmentin (allergy). Ask the patient."
            ),
        ),
        (
            "clopidogrel",
            Known("omeprazole", Kind.TAKEN, may_be_named=False),
            (
                "Something in this patient's record that is not shared with you conflicts with "
                "clopidogrel (interaction). Ask the patient."
            ),
        ),
        (
            "paracetamol",
            Known("foozine", Kind.TAKEN),
            "foozine, which the patient says they take: not checked.",
        ),
        (
            "paracetamol",
            Known("amoxicilin", Kind.ALLERGY),
            (
                "Allergy to amoxicilin: could not be compared with the medicines. "
                "Did you mean amoxicillin?"
            ),
        ),
        (
            "paracetamol",
            Known("foozine", Kind.ALLERGY, may_be_named=False),
            "An allergy that is not shared with you could not be compared.",
        ),
    ],
    ids=str,
)
def test_a_finding_is_a_sentence(medicine: str, known: Known, expected: str):
    assert said(medicine, known) == [expected]


@pytest.mark.parametrize(
    ("medicine", "expected"),
    [
        ("foozine", "foozine: not checked; the name is not known here."),
        (
            "amoxicilin",
            "amoxicilin: not checked; the name is not known here. Did you mean amoxicillin?",
        ),
        (
            "amoxicillin + foozine",
            "amoxicillin + foozine: checked only in part; not understood: foozine.",
        ),
        (
            "penicillin",
            "penicillin: checked only in part; it names a group, not one medicine.",
        ),
    ],
)
def test_an_order_that_is_not_checked_says_why(medicine: str, expected: str):
    assert said(medicine) == [expected]


def test_names_stand_in_isolates():
    report = check([Ordered(1, "Augmentin")], [Known("بنسلين", Kind.ALLERGY)])

    text = sentence(report.warnings[0], "en")

    assert "\u2068Augmentin\u2069" in text
    assert "\u2068بنسلين\u2069" in text


def test_groups_are_named_in_the_language_asked_for():
    report = check([Ordered(1, "cefuroxime")], [Known("بنسلين", Kind.ALLERGY)])

    assert "السيفالوسبورينات / البنسلينات" in sentence(report.warnings[0], "ar")


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_of_name_has_words(kind: Kind):
    assert sentence(Unchecked(None, "foozine", kind), "en")
    assert sentence(Unchecked(None, "", kind), "en")


def test_percent_signs_of_names_are_harmless():
    report = check([Ordered(1, "%s %(medicine)s 5%")], [])

    assert "%s %(medicine)s 5%" in sentence(report.unchecked[0], "en")


def test_what_the_data_no_longer_knows_is_said_by_its_code():
    """A prescription keeps its findings for good; the data may change."""
    kept = SafetyWarning(
        key="0" * 16,
        kind=Concern.CROSS_REACTIVITY,
        severity=Severity.SERIOUS,
        position=1,
        medicine="one",
        against="other",
        against_kind=Kind.ALLERGY,
        rule="gone/penicillins",
        source="",
        source_date="",
    )

    assert "(gone / penicillins)" in sentence(kept, "en")
