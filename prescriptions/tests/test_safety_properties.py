"""What holds of the safety check whatever is typed."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from prescriptions.safety import Kind, Known, Ordered, Report, as_json, check, from_json, match
from prescriptions.safety.catalogue import catalogue
from prescriptions.safety.words import fold, is_strength, key, pieces, plain

NAMES = sorted(
    name
    for substance in catalogue().substances.values()
    for name in (substance.name, *substance.synonyms, *substance.arabic)
)
SUBSTANCES = sorted(catalogue().substances)
GROUPS = [name for group in catalogue().groups.values() for name in group.names]
JUNK = st.text(max_size=200)
# The first call in a process reads the data.
UNHURRIED = settings(deadline=None)
VOWELS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"

# As people type: names, forms, strengths, and things that are neither.
words = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(GROUPS),
    st.sampled_from(["tablets", "500 mg", "+", "foozine", "sodium", "peanuts", "شراب"]),
)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)
medicines = st.sampled_from(SUBSTANCES)
known = st.builds(
    Known,
    st.one_of(texts, medicines),
    st.sampled_from([Kind.ALLERGY, Kind.TAKEN, Kind.PRESCRIBED]),
    st.booleans(),
    st.booleans(),
)
records = st.lists(known, max_size=6)
orders = st.lists(st.one_of(texts, medicines), min_size=1, max_size=5)


def ordered(names: list[str]) -> list[Ordered]:
    return [Ordered(place, name) for place, name in enumerate(names, start=1)]


def keys(report: Report) -> set[str]:
    return {warning.key for warning in report.warnings}


def test_every_name_is_found():
    assert not [name for name in NAMES if not match(name).is_medicine]


@UNHURRIED
@given(st.one_of(texts, JUNK))
def test_folding_twice_changes_nothing(text: str):
    assert fold(fold(text)) == fold(text)
    assert pieces(" ".join(pieces(text))) == pieces(text)
    assert key(key(text)) == key(text)
    assert plain(plain(text)) == plain(text)


@UNHURRIED
@given(st.one_of(texts, JUNK))
def test_matching_what_was_folded_gives_the_same(text: str):
    again = match(" ".join(pieces(text)))

    assert again.substances == match(text).substances
    assert again.groups == match(text).groups
    assert again.unmatched == match(text).unmatched


@UNHURRIED
@given(texts)
def test_case_is_no_matter(text: str):
    assert match(text.upper()) == match(text.lower()) == match(text)


@UNHURRIED
@given(texts, st.sampled_from(VOWELS), st.integers(min_value=0, max_value=80))
def test_vowel_signs_and_hidden_marks_are_no_matter(text: str, sign: str, at: int):
    at = min(at, len(text))

    for mark in (sign, "\u200f", "\u200b", "\u2068", "\ufeff"):
        assert match(text[:at] + mark + text[at:]) == match(text)


@UNHURRIED
@given(texts)
def test_the_form_of_unicode_is_no_matter(text: str):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert match(unicodedata.normalize(form, text)) == match(text)


@UNHURRIED
@given(JUNK)
def test_junk_is_answered(text: str):
    said = match(text)

    assert said.substances <= set(SUBSTANCES)
    assert isinstance(said.unmatched, tuple)


@UNHURRIED
@given(st.text(alphabet="аеорсухіԁѕ", min_size=1, max_size=20))
def test_look_alike_letters_match_nothing(text: str):
    assert not match(text).substances
    assert not match(text).groups


@UNHURRIED
@given(medicines, st.text(alphabet="abcdefghijklmnop", min_size=3, max_size=8))
def test_a_name_inside_a_word_is_no_name(name: str, letters: str):
    """Words are matched whole: with letters grown on, it is another word."""
    said = match(name.replace(" ", "") + letters)

    assert name not in said.substances or key(name.replace(" ", "") + letters) in {
        key(each) for each in NAMES
    }


@UNHURRIED
@given(medicines, medicines)
def test_two_names_are_both_found(one: str, other: str):
    assert match(f"{one} + {other}").substances == {one, other}


@UNHURRIED
@given(medicines, st.integers(min_value=1, max_value=2000), st.sampled_from(["mg", " mg", "mcg"]))
def test_strengths_are_no_matter(name: str, amount: int, unit: str):
    assert match(f"{name} {amount}{unit}").substances == {name}
    assert is_strength(f"{amount}{unit.strip()}")


@UNHURRIED
@given(orders, records)
def test_every_name_is_checked_or_said_not_to_be(names: list[str], record: list[Known]):
    report = check(ordered(names), record)

    left_out = {each.position for each in report.unchecked if each.position}
    for place, name in enumerate(names, start=1):
        assert match(name).is_medicine or place in left_out


@UNHURRIED
@given(orders, records, known)
def test_knowing_more_never_removes_a_warning(names: list[str], record: list[Known], more: Known):
    before = check(ordered(names), record)
    after = check(ordered(names), [*record, more])

    assert keys(before) <= keys(after)
    assert set(before.unchecked) <= set(after.unchecked)


@UNHURRIED
@given(orders, records, st.randoms(use_true_random=False))
def test_the_order_of_items_changes_no_finding(names: list[str], record: list[Known], random):
    shuffled, other_record = names[:], record[:]
    random.shuffle(shuffled)
    random.shuffle(other_record)

    assert keys(check(ordered(names), record)) == keys(check(ordered(shuffled), other_record))


@UNHURRIED
@given(orders, records)
def test_each_finding_appears_once_and_is_kept_as_it_is(names: list[str], record: list[Known]):
    report = check(ordered(names), record)

    assert len(keys(report)) == len(report.warnings)
    assert len(set(report.unchecked)) == len(report.unchecked)
    assert from_json(as_json(report)) == report


@UNHURRIED
@given(orders, records)
def test_hiding_the_record_hides_its_names_and_loses_no_order(
    names: list[str], record: list[Known]
):
    """For each medicine that has warnings by what is known, some are left when it is hidden."""
    hidden = [Known(each.name, each.kind, False, each.is_local) for each in record]
    seen = [Known(each.name, each.kind, True, each.is_local) for each in record]

    open_report, hidden_report = check(ordered(names), seen), check(ordered(names), hidden)

    def worst(report: Report) -> dict[str, int]:
        ranks: dict[str, int] = {}
        for each in report.warnings:
            ranks[each.medicine] = min(each.severity.rank, ranks.get(each.medicine, 9))
        return ranks

    assert worst(open_report) == worst(hidden_report)
    for each in hidden_report.warnings:
        assert not each.against or each.against_kind is Kind.ORDERED
