"""Names offered while somebody types."""

from __future__ import annotations

import pytest

from prescriptions.safety import stands_for, suggest_names
from prescriptions.safety.words import key, plain


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("amo", "amoxicillin"),
        ("AMO", "amoxicillin"),
        ("para", "paracetamol"),
        ("acetam", "acetaminophen"),
        ("epin", "epinephrine"),
        ("adren", "adrenaline"),
        ("clav", "clavulanic acid"),
        ("co-tri", "co-trimoxazole"),
        ("ceph", "cephalexin"),
        ("cep", "cephalexin"),
        ("sulpha", "sulphadiazine"),
        ("b12", "vitamin b12"),
        ("باراس", "باراسيتامول"),
        ("أمو", "أموكسيسيلين"),
        ("امو", "أموكسيسيلين"),
        ("الوب", "ألوبيورينول"),
        ("البنزي", "بنزيل بنسلين"),
        ("  para ", "paracetamol"),
    ],
)
def test_names_begin_as_typed(prefix: str, name: str):
    assert name in suggest_names(prefix, limit=20)


def test_international_names_come_before_synonyms():
    assert suggest_names("amoxi")[0] == "amoxicillin"


def test_first_words_come_before_later_ones():
    names = suggest_names("acid", limit=50)

    assert names
    assert all(name.split()[0] != "acid" for name in names)
    assert suggest_names("insuli")[0] == "insulin aspart"


def test_substance_that_a_whole_name_stands_for_comes_first():
    assert suggest_names("amox")[:2] == ["amoxicillin", "amoxapine"]
    assert suggest_names("amoxapine")[0] == "amoxapine"
    assert suggest_names("co-amoxiclav")[0] == "co-amoxiclav"
    assert suggest_names("insulin")[:2] == ["insulin human", "insulin aspart"]


@pytest.mark.parametrize(
    ("name", "substances"),
    [
        ("amoxicillin", ""),
        ("amox", "amoxicillin"),
        ("أموكسيسيلين", "amoxicillin"),
        ("co-amoxiclav", "amoxicillin + clavulanic acid"),
        ("blaxomit", ""),
    ],
)
def test_synonyms_are_told_by_what_they_stand_for(name: str, substances: str):
    assert stands_for(name) == substances


def test_no_more_than_asked_for():
    assert len(suggest_names("a", limit=7)) == 7


def test_each_name_once():
    names = suggest_names("a", limit=100)

    assert len(names) == len(set(names))


@pytest.mark.parametrize("prefix", ["", "  ", "+", "zzz", "paracetamolx", "\u200f", "%"])
def test_nothing_for_nothing(prefix: str):
    assert suggest_names(prefix) == []


@pytest.mark.parametrize("prefix", ["amo", "di", "vit", "para", "أ", "با"])
def test_some_word_of_each_name_begins_so(prefix: str):
    for name in suggest_names(prefix, limit=50):
        words = (*plain(name).split(), *key(name).split())
        assert any(word.startswith(key(prefix)) for word in words)


def test_brands_are_not_suggested():
    assert suggest_names("panad") == []
