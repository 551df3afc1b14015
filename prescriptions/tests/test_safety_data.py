"""The data files of the safety check are sound."""

from __future__ import annotations

import csv
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from prescriptions.safety import Severity
from prescriptions.safety.catalogue import DATA, catalogue
from prescriptions.safety.matching import _named, spellings
from prescriptions.safety.sentences import EFFECTS
from prescriptions.safety.words import key

# Group, subgroups, and the substance where it is known.
ATC = re.compile(r"[ABCDGHJLMNPRSV][0-9]{2}[A-Z]([A-Z]([0-9]{2})?)?")
# Pairs that are sold together only, and so have one code.
SHARED_CODES = {"A04AD12", "J01DH51", "J05AP57", "N04BA02"}
ARABIC = re.compile(r"[\u0600-\u06ff]")

KNOWN = catalogue()


def rows(name: str) -> list[dict[str, str]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if line and not line.startswith("#")))


@pytest.mark.parametrize("path", sorted(DATA.glob("*.*")), ids=lambda path: path.name)
def test_each_file_says_where_it_comes_from(path: Path):
    text = path.read_text(encoding="utf-8")

    assert "rigin" in text[:1000] or path.name == "sources.toml"


def test_there_are_many_substances():
    arabic = [substance for substance in KNOWN.substances.values() if substance.arabic]

    assert len(KNOWN.substances) > 1000
    assert len(arabic) > 500
    assert len(KNOWN.interactions) > 200


def test_every_code_has_the_form_of_the_atc():
    wrong = [
        (substance.name, code)
        for substance in KNOWN.substances.values()
        for code in substance.atc
        if not ATC.fullmatch(code)
    ]

    assert not wrong
    assert all(substance.atc for substance in KNOWN.substances.values())


def test_no_two_substances_have_one_code():
    holders = defaultdict(list)
    for substance in KNOWN.substances.values():
        for code in substance.atc:
            if len(code) == 7:
                holders[code].append(substance.name)

    shared = {code for code, names in holders.items() if len(names) > 1}

    assert shared == SHARED_CODES


@pytest.mark.parametrize("name", ["substances.csv", "brands.csv", "combinations.csv"])
def test_no_row_is_there_twice(name: str):
    names = [row["name"].casefold() for row in rows(name)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "substances.csv",
        "brands.csv",
        "combinations.csv",
        "interactions.csv",
        "cross_reactivity.csv",
    ],
)
def test_every_row_has_every_column(name: str):
    assert all(None not in row and None not in row.values() for row in rows(name))


def test_no_name_means_two_things():
    meant = defaultdict(set)
    for name, meaning in _named(KNOWN):
        for spelling in spellings(name):
            meant[spelling].add(meaning)

    assert not {name: meanings for name, meanings in meant.items() if len(meanings) > 1}
    assert "" not in meant


def test_arabic_names_stand_in_the_arabic_column():
    wrong = [
        substance.name
        for substance in KNOWN.substances.values()
        if not all(ARABIC.search(name) for name in substance.arabic)
        or any(ARABIC.search(name) for name in (substance.name, *substance.synonyms))
    ]

    assert not wrong


def test_products_hold_known_substances():
    held = set().union(*(product.substances for product in KNOWN.products))

    assert held <= set(KNOWN.substances)
    assert all(product.substances for product in KNOWN.products)


def test_combinations_hold_several():
    assert all(len(product.substances) > 1 for product in KNOWN.combinations)


def test_groups_hold_known_substances_and_several():
    for group in KNOWN.groups.values():
        assert group.members <= set(KNOWN.substances), group.id
        assert len(group.members) > 1, group.id


def test_what_groups_name_is_there():
    """No exception that excepts nothing, and no code under which there is nothing."""
    raw = tomllib.loads((DATA / "groups.toml").read_text(encoding="utf-8"))
    codes = [code for substance in KNOWN.substances.values() for code in substance.atc]
    for name, group in raw.items():
        for prefix in group.get("atc", ()):
            assert any(code.startswith(prefix) for code in codes), (name, prefix)
        for excepted in group.get("but", ()):
            assert excepted in KNOWN.substances, (name, excepted)


def test_groups_are_called_in_both_languages():
    for group in KNOWN.groups.values():
        assert group.label_en, group.id
        assert ARABIC.search(group.label_ar), group.id


def test_every_group_is_of_use():
    """It is read from text, counts for allergies or double therapy, or interacts."""
    sides = {row[side] for row in rows("interactions.csv") for side in ("left", "right")}
    crossing = set().union(*(cross.groups for cross in KNOWN.crosses))
    for group in KNOWN.groups.values():
        used = group.names or group.allergy or group.duplicate or f"@{group.id}" in sides
        assert used or group.id in crossing, group.id


def test_cross_reactivity_is_between_known_groups():
    for cross in KNOWN.crosses:
        assert len(cross.groups) == 2
        assert cross.groups <= set(KNOWN.groups)


def test_interactions_are_between_known_substances_and_have_words():
    for rule in KNOWN.interactions:
        assert rule.left | rule.right <= set(KNOWN.substances)
        assert rule.effect in EFFECTS
        assert isinstance(rule.severity, Severity)


def test_no_interaction_is_there_twice():
    pairs = [
        (frozenset((row["left"], row["right"])), row["effect"]) for row in rows("interactions.csv")
    ]

    assert len(pairs) == len(set(pairs))


def test_every_effect_is_of_use():
    assert set(EFFECTS) == {rule.effect for rule in KNOWN.interactions}


def test_every_source_is_of_use_and_dated():
    used = {
        row["source"]
        for name in ("interactions.csv", "cross_reactivity.csv", "controlled.csv")
        for row in rows(name)
    }
    raw = tomllib.loads((DATA / "groups.toml").read_text(encoding="utf-8"))
    used |= {group["source"] for group in raw.values()} | {"allergy", "duplicate"}

    assert set(KNOWN.sources) == used
    assert all(re.fullmatch(r"\d{4}(-\d{2})?", source.date) for source in KNOWN.sources.values())


def test_no_silent_word_hides_a_name():
    """A word that says nothing is no name of its own, unless it is a salt's."""
    named = {spelling for name, _meaning in _named(KNOWN) for spelling in spellings(name)}
    noise = {key(word) for word in KNOWN.words["noise"]}

    assert not noise & named


@pytest.mark.parametrize(
    ("name", "is_controlled"),
    [
        ("morphine", True),
        ("fentanyl", True),
        ("codeine", True),
        ("diazepam", True),
        ("methylphenidate", True),
        ("phenobarbital", True),
        ("zolpidem", True),
        ("buprenorphine", True),
        ("paracetamol", False),
        ("gabapentin", False),
        ("naloxone", False),
        ("zopiclone", False),
    ],
)
def test_control_is_that_of_the_conventions(name: str, is_controlled: bool):
    assert KNOWN.substances[name].is_controlled is is_controlled


@pytest.mark.parametrize("name", ["tramadol", "pregabalin"])
def test_what_egypt_controls_besides_is_marked(name: str):
    assert KNOWN.substances[name].is_controlled
    assert [rule.country for rule in KNOWN.national if rule.substance == name] == ["EG"]


def test_what_a_country_controls_is_a_substance_that_no_convention_names():
    marks = {row["name"]: row["controlled"] for row in rows("substances.csv")}

    assert [marks[rule.substance] for rule in KNOWN.national] == [""] * len(KNOWN.national)
