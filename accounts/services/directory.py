"""Finding a doctor.

What was typed is read ring by ring, each ring wider than the one before: its words as words of
the name; as words of name, place or specialty; as beginnings of such words; with the likeliest
correction of each; with every likely one. Doctors come in the order of the rings, within one the
newest first, and a ring is asked for only when those before it have not filled the page. So the
best come first without ever sorting all who match, and a page costs the same however many there
are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, TextField
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast
from django.http import Http404

from accounts.models import DirectoryEntry, DoctorProfile
from accounts.models.directory import OF_CITY, OF_LANGUAGE, OF_NAME, DirectoryEntryQuerySet
from accounts.models.profiles import FEE_EGP
from specializations.models import Specialization

TEXT_LENGTH = 100
CITY_LENGTH = DoctorProfile._meta.get_field("city").max_length
# Of a fee that is looked for, as forms and serializers take it.
FEE: dict[str, Any] = {
    "min_value": FEE_EGP[0],
    "max_value": FEE_EGP[1],
    "max_digits": 8,
    "decimal_places": 2,
}
# What is typed beyond this many words narrows nothing any more.
MOST_WORDS = 8
# Nobody's name, and typed before everybody's.
TITLES = frozenset({"dr", "doctor", "prof", "professor", "دكتور", "دكتوره", "طبيب", "طبيبه"})
CORRECTIONS = 8
# The first ring that has them.
CORRECTED = 3
# To differ in vowels, doubled letters or the script alone is to be alike by this much more.
SAME_SKELETON = 0.5

READ = """
SELECT typed.word, named.ids, begun.ids
FROM unnest(search_words(%s)) AS typed(word),
LATERAL (
    SELECT array_agg(id::text) AS ids FROM specializations_specialization
    WHERE typed.word = ANY (words)
) AS named,
LATERAL (
    SELECT array_agg(DISTINCT id::text) AS ids
    FROM specializations_specialization, unnest(words) AS of_specialty
    WHERE starts_with(of_specialty, typed.word)
) AS begun
"""
CORRECT = """
SELECT typed.word, array_agg(likely.term ORDER BY likely.likeness DESC, likely.term)
FROM unnest(%s::text[]) AS typed(word), LATERAL (
    SELECT term, max(likeness) AS likeness
    FROM (
        SELECT known.word AS term, similarity(known.word, typed.word)
            + CASE WHEN skeleton = search_skeleton(typed.word) THEN %s ELSE 0 END
            AS likeness
        FROM accounts_directoryword AS known
        WHERE (known.word %% typed.word OR skeleton = search_skeleton(typed.word))
            AND NOT starts_with(known.word, typed.word)
        UNION ALL
        SELECT id::text, similarity(of_specialty, typed.word)
        FROM specializations_specialization, unnest(words) AS of_specialty
        WHERE of_specialty %% typed.word AND NOT starts_with(of_specialty, typed.word)
    ) AS alike
    GROUP BY term
    ORDER BY max(likeness) DESC, term
    LIMIT %s
) AS likely
GROUP BY typed.word
"""


# All words of all documents, without those that are marked and the ids of specialties.
WORDS = """
SELECT word FROM ts_stat('SELECT document FROM accounts_directoryentry') WHERE word !~ '[=@~-]'
"""
# Whoever writes several words goes by their order, so that no two wait for each other.
ADD_WORDS = f"""
INSERT INTO accounts_directoryword (word) {WORDS} ORDER BY word ON CONFLICT DO NOTHING
"""
DROP = """
DELETE FROM accounts_directoryword WHERE word IN (
    SELECT word FROM accounts_directoryword WHERE {which} ORDER BY word FOR UPDATE
)
"""
DROP_UNUSED = DROP.format(which=f"word NOT IN ({WORDS})")
DROP_SOME = DROP.format(
    which="""word = ANY (search_words(%s)) AND NOT EXISTS (
        SELECT FROM accounts_directoryentry WHERE document @@ quote_literal(word)::tsquery
    )"""
)


@dataclass(frozen=True, slots=True)
class Search:
    """What a patient looks for; everything may be left open."""

    text: str = ""
    specialization: Specialization | None = None
    city: str = ""
    governorate: str = ""
    language: str = ""
    min_fee: Decimal | None = None
    max_fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: in which ring, and with whom."""

    ring: int
    doctor: UUID

    def __str__(self) -> str:
        return f"{self.ring}-{self.doctor.hex}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place a cursor stands for; one that was not made here is not found."""
        ring, _, doctor = text.partition("-")
        try:
            place = cls(int(ring), UUID(doctor))
        except ValueError as error:
            raise Http404 from error
        return place


@dataclass(frozen=True, slots=True)
class Found:
    """One page of doctors, and the cursor of the next, if there is one."""

    doctors: list[DoctorProfile]
    next: str


def find_doctors(search: Search, *, cursor: str = "", size: int) -> Found:
    """The listed doctors who answer a search, the best first, a page at a time."""
    start = Place.parse(cursor) if cursor else None
    found: list[tuple[int, UUID]] = []
    for ring, entries in _rings(search):
        if start and ring < start.ring:
            continue
        rest = Q(pk__lt=start.doctor) if start and ring == start.ring else Q()
        wanted = entries.filter(rest).values_list("pk", flat=True)[: size + 1 - len(found)]
        found += [(ring, doctor) for doctor in wanted]
        if len(found) > size:
            break
    page = found[:size]
    return Found(
        doctors=_profiles([doctor for _, doctor in page]),
        next=str(Place(*page[-1])) if len(found) > size else "",
    )


@transaction.atomic
def refresh_words() -> None:
    """Make the words to correct by those of today's entries. A word is added with its entry; it
    stays when the last entry that has it goes, or one that others had is just being dropped."""
    with connection.cursor() as cursor:
        cursor.execute(DROP_UNUSED)
        cursor.execute(ADD_WORDS)


def forget_words(lines: Sequence[str]) -> None:
    """Drop those words of these lines that no entry has any more. Part of the caller's
    transaction."""
    with connection.cursor() as cursor:
        cursor.execute(DROP_SOME, [list(lines)])


def _profiles(ids: list[UUID]) -> list[DoctorProfile]:
    """Their profiles, in that order. Who has left the directory this instant is left out."""
    profiles = {profile.user_id: profile for profile in DoctorProfile.objects.listed(ids)}
    return [profiles[pk] for pk in ids if pk in profiles]


def _rings(search: Search) -> Iterator[tuple[int, DirectoryEntryQuerySet]]:
    """Each ring's number and those in it who are in none before."""
    entries = DirectoryEntry.objects.practising(
        specialization=search.specialization, governorate=search.governorate
    ).asking(at_least=search.min_fee, at_most=search.max_fee)
    town = [_term(OF_CITY + word) for word, *_ in _read(search.city)]
    spoken = [_term(OF_LANGUAGE + search.language)] if search.language else []
    before = ""
    for number, query in enumerate(_queries(search.text)):
        wider = " & ".join(query)
        if wider == before and number:
            continue
        seen = [f"!({before})"] if before else []
        terms = [*query, *town, *spoken, *seen]
        found = entries.matching(" & ".join(terms)) if terms else entries
        is_one_word = len(query) + len(town) < 2 and number < CORRECTED
        yield number, found.order_by(_order(may_walk=is_one_word))
        before = wider


def _order(*, may_walk: bool) -> OrderBy:
    """Newest first. Of one word, PostgreSQL knows how many have it, and may walk along that order
    until the page is full. It misjudges several, for it takes words to be independent (who is in
    Cairo and in Giza?), and rare ones, which corrections often are; so an order that no index has
    makes it sort those who match."""
    return F("pk").desc() if may_walk else Cast("pk", TextField()).desc()


def _queries(text: str) -> Iterator[list[str]]:
    """Ring by ring, a tsquery for each word of the text; one empty ring where there is no word."""
    words = [row for row in _read(text) if row[0] not in TITLES][:MOST_WORDS]
    if not words:
        yield []
        return
    yield [_term(OF_NAME + word) for word, *_ in words]
    yield [_any([_term(word), *_terms(named)]) for word, named, _ in words]
    begun = {word: [f"{_term(word)}:*", *_terms(ids)] for word, _, ids in words}
    yield [_any(terms) for terms in begun.values()]
    likely = _corrections(list(begun))
    yield [_any([*terms, *_terms(likely.get(word, [])[:1])]) for word, terms in begun.items()]
    yield [_any([*terms, *_terms(likely.get(word, []))]) for word, terms in begun.items()]


def _read(text: str) -> list[tuple[str, list[str] | None, list[str] | None]]:
    """The words of a text, each with the specialties that have it and that have its like with
    more letters."""
    if not text:
        return []
    with connection.cursor() as cursor:
        cursor.execute(READ, [text])
        return list(cursor.fetchall())


def _corrections(words: list[str]) -> dict[str, list[str]]:
    """Each word's likely corrections, the likeliest first: known words, and specialties."""
    with connection.cursor() as cursor:
        cursor.execute(CORRECT, [words, SAME_SKELETON, CORRECTIONS])
        return dict(cursor.fetchall())


def _terms(terms: Iterable[str] | None) -> list[str]:
    return [_term(term) for term in terms or ()]


def _term(term: str) -> str:
    """Quoted, as a tsquery has it."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _any(terms: list[str]) -> str:
    return f"({' | '.join(terms)})"
