"""Which substances a free text names.

A name matches whole words or not at all, and only as it is spelt in the data: a near miss is a
question to the one who wrote it, never an answer.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice, takewhile
from operator import itemgetter

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from prescriptions.safety.catalogue import Catalogue, catalogue
from prescriptions.safety.words import SEPARATOR, is_strength, key, pieces, plain

# What is nearly a name differs from it in at most one sign of five.
_SHORTEST_GUESS = 5
_LIKENESS = 0.8
_GUESSED_WORDS = 5
# A name may be found by each of its words, in two spellings, for two readings of what was typed.
_SPELLINGS = 16


@dataclass(frozen=True, slots=True)
class Match:
    """What a free text says. `groups` are those it names as such ("penicillin"), `others` what
    is known to be no medicine (peanuts). `unmatched` are the words that say something unknown,
    `suggestion` the text's likely meaning where one of them is nearly a name."""

    substances: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    unmatched: tuple[str, ...] = ()
    suggestion: str = ""
    is_controlled: bool = False

    @property
    def is_understood(self) -> bool:
        """Every word is, and something is named."""
        return bool(self.substances or self.groups or self.others) and not self.unmatched

    @property
    def is_medicine(self) -> bool:
        """All that is named are single substances."""
        return self.is_understood and not (self.groups or self.others)


@dataclass(frozen=True, slots=True)
class _Meaning:
    substances: frozenset[str] = frozenset()
    group: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    words: str
    meaning: _Meaning

    def touches(self, other: _Found) -> bool:
        return self.end == other.start or other.end == self.start


def match(text: str) -> Match:
    """What this text says, read with no context."""
    found, unmatched = _read(pieces(text))
    meanings = [each.meaning for each in _without_salts(found)]
    substances = frozenset(name for each in meanings for name in each.substances)
    known = catalogue().substances
    return Match(
        substances=substances,
        groups=frozenset(each.group for each in meanings if each.group),
        others=frozenset(each.other for each in meanings if each.other),
        unmatched=tuple(unmatched),
        suggestion=_suggestion(unmatched),
        is_controlled=any(known[name].is_controlled for name in substances),
    )


def suggest_names(prefix: str, limit: int = 10) -> list[str]:
    """Names of substances and combinations with a word that begins so, in either language:
    first the substance that a whole name stands for; then those that are
    spelt as it is typed, then those that begin with it themselves, then international names
    before synonyms."""
    readings = list(dict.fromkeys(filter(None, (plain(prefix), key(prefix)))))
    hits = (
        (reading, at, rank, name)
        for reading, wanted in enumerate(readings)
        for _tail, at, rank, name in _tails_from(wanted)
    )
    best = heapq.nsmallest(limit * _SPELLINGS, hits)
    whole = _substances_named(prefix)
    first = whole if len(whole) == 1 else ()
    return list(dict.fromkeys([*first, *(name for *_order, name in best)]))[:limit]


def stands_for(name: str) -> str:
    """The international name of a synonym, or those of a combination; empty where the name itself
    says so much."""
    said = key(name)
    names = sorted(_substances_named(name))
    return "" if all(key(each) in said for each in names) else f" {SEPARATOR} ".join(names)


def _substances_named(name: str) -> frozenset[str]:
    """What a whole name stands for."""
    meaning = _index().get(key(name))
    return meaning.substances if meaning else frozenset()


def _read(words: list[str]) -> tuple[list[_Found], list[str]]:
    """The names in these words, the longest first from each place on, and what is left over."""
    found: list[_Found] = []
    unmatched: list[str] = []
    at = 0
    while at < len(words):
        name = _name_at(words, at)
        if name:
            found.append(name)
        elif _says_something(words[at]):
            unmatched.append(words[at])
        at = name.end if name else at + 1
    return found, unmatched


def _name_at(words: list[str], start: int) -> _Found | None:
    index = _index()
    for end in range(min(len(words), start + _longest()), start, -1):
        candidate = " ".join(words[start:end])
        if candidate in index:
            return _Found(start, end, candidate, index[candidate])
    return None


def _says_something(word: str) -> bool:
    return word != SEPARATOR and not is_strength(word) and word not in _silent()


def _without_salts(found: list[_Found]) -> Iterator[_Found]:
    """A metal beside a name is its salt (losartan potassium), apart from it a substance."""
    for each in found:
        is_salt = each.words in _salts() and any(
            each.touches(other) for other in found if other.words not in _salts()
        )
        if not is_salt:
            yield each


def _suggestion(unmatched: Iterable[str]) -> str:
    for word, _count in zip(unmatched, range(_GUESSED_WORDS), strict=False):
        guess = _guess(word)
        if guess:
            return guess
    return ""


def _guess(word: str) -> str:
    if len(word) < _SHORTEST_GUESS:
        return ""
    best = process.extractOne(
        word,
        _guessable(),
        scorer=DamerauLevenshtein.normalized_similarity,
        score_cutoff=_LIKENESS,
    )
    return _spellings()[best[0]] if best else ""


@cache
def _index() -> Mapping[str, _Meaning]:
    return dict(_entries(catalogue()))


def _entries(known: Catalogue) -> Iterator[tuple[str, _Meaning]]:
    for name, meaning in _named(known):
        yield from ((spelling, meaning) for spelling in spellings(name))


def _named(known: Catalogue) -> Iterator[tuple[str, _Meaning]]:
    for word in known.words["others"]:
        yield word, _Meaning(other=key(word))
    for group in known.groups.values():
        for name in group.names:
            yield name, _Meaning(group=group.id)
    for product in known.products:
        for name in product.names:
            yield name, _Meaning(substances=product.substances)
    for substance in known.substances.values():
        for name in (substance.name, *substance.synonyms, *substance.arabic):
            yield name, _Meaning(substances=frozenset([substance.name]))


def spellings(name: str) -> Iterator[str]:
    """How a name is found: its words, and a hyphenated one also written together."""
    yield key(name)
    if "-" in name:
        yield key(name.replace("-", ""))


@cache
def _longest() -> int:
    return max(len(name.split()) for name in _index())


@cache
def _silent() -> frozenset[str]:
    words = catalogue().words
    return frozenset(key(word) for word in (*words["noise"], *words["salts"]))


@cache
def _salts() -> frozenset[str]:
    return frozenset(key(word) for word in catalogue().words["salts"])


@cache
def _spellings() -> Mapping[str, str]:
    """Names of one word as they are compared, each with the way it is written."""
    names = ((key(name), name) for name, _meaning in _named(catalogue()))
    return {words: name for words, name in names if " " not in words}


@cache
def _guessable() -> tuple[str, ...]:
    return tuple(name for name in _spellings() if len(name) >= _SHORTEST_GUESS - 1)


@cache
def _tails() -> list[tuple[str, int, int, str]]:
    """Each name from each of its words on: what it reads there, which word that is, whether it
    is a synonym, and the name."""
    return sorted(
        (" ".join(words[at:]), at, rank, name)
        for name, rank in _names_to_suggest(catalogue())
        for words in (plain(name).split(), key(name).split())
        for at in range(len(words))
    )


def _tails_from(wanted: str) -> Iterator[tuple[str, int, int, str]]:
    tails = _tails()
    first = bisect_left(tails, wanted, key=itemgetter(0))
    return takewhile(lambda tail: tail[0].startswith(wanted), islice(tails, first, None))


def _names_to_suggest(known: Catalogue) -> Iterator[tuple[str, int]]:
    for substance in known.substances.values():
        yield substance.name, 0
        yield from ((name, 1) for name in (*substance.arabic, *substance.synonyms))
    for product in known.combinations:
        yield from ((name, 1) for name in product.names)
