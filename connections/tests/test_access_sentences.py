"""Every act has a sentence, whatever was done with what, and why."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.utils import translation

from audit.models import AccessEvent
from common.ids import uuid7
from connections.access_sentences import OBJECTS, THINGS, sentence, sentences
from connections.models import DataCategory

Action, Basis = AccessEvent.Action, AccessEvent.Basis
LATIN_NAME = "Dr Karim Nabil"
KINDS = [*((code, "accounts.user") for code in DataCategory), *(("", name) for name in OBJECTS)]
KINDS += [("", "somewhere.unknown"), ("UNKNOWN", "somewhere.unknown")]


def event(action: str, basis: str = Basis.GRANT, **fields: Any) -> AccessEvent:
    known = {"patient_id": uuid7(), "object_id": uuid7(), "object_type": "accounts.user"}
    return AccessEvent(action=action, basis=basis, **(known | fields))


def read(*events: AccessEvent) -> list[str]:
    return [
        text.replace("\u2068", "").replace("\u2069", "")
        for text in sentences(events, who=LATIN_NAME)
    ]


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("action", Action)
def test_every_act_has_a_sentence(action: str, language: str) -> None:
    told = {}

    with translation.override(language):
        for basis, (category, kind) in product(Basis, KINDS):
            one = event(action, basis, category=category, object_type=kind)
            told[basis, category, kind] = sentence(one, who=LATIN_NAME)

    assert [key for key, text in told.items() if not text or "%" in text] == []


@pytest.mark.parametrize("code", DataCategory)
def test_every_category_is_a_thing_of_its_own(code: str) -> None:
    names = {str(THINGS[code].all), str(THINGS[""].all)}

    assert len(names) == 2


@pytest.mark.parametrize(
    "action", [action for action in Action if action != Action.REQUEST_EXPIRED]
)
def test_others_are_named_between_marks_of_direction(action: str) -> None:
    assert f"\u2068{LATIN_NAME}\u2069" in sentence(event(action), who=LATIN_NAME)


@pytest.mark.parametrize("action", Action)
def test_own_act_is_told_to_you(action: str) -> None:
    assert sentence(event(action, Basis.SELF), who=LATIN_NAME).startswith("You ")


def test_several_things_of_a_visit_are_one_sentence() -> None:
    allergies = event(Action.READ, category="ALLERGIES")
    first = event(Action.READ, category="PRESCRIPTIONS", object_type="prescriptions.prescription")
    second = event(Action.READ, category="PRESCRIPTIONS", object_type="prescriptions.prescription")

    assert read(second, allergies, first) == [
        (
            "Dr Karim Nabil looked at your allergies and 2 prescriptions of yours, "
            "because you share this."
        )
    ]


def test_three_things_are_listed() -> None:
    seen = [event(Action.READ, category=code) for code in ("MEDICATIONS", "FACTS", "ALLERGIES")]

    assert read(*seen) == [
        (
            "Dr Karim Nabil looked at the facts about you (birth date, sex, blood type, height and "
            "weight), your allergies and the medicines you take, because you share this."
        )
    ]


def test_same_thing_opened_twice_is_one() -> None:
    once = event(Action.READ, Basis.AUTHOR, object_type="prescriptions.prescription")
    again = event(Action.READ, Basis.AUTHOR, object_type=once.object_type, object_id=once.object_id)

    assert read(once, again) == [
        "Dr Karim Nabil looked at a prescription of yours, having written this."
    ]


def test_list_and_what_was_opened_of_it_are_told_apart() -> None:
    listed = event(Action.LISTED, category="LAB_RESULT")
    opened = event(Action.READ, category="LAB_RESULT", object_type="records.record")

    assert read(opened, listed) == [
        (
            "Dr Karim Nabil looked at the list of your lab results and a lab result of yours, "
            "because you share this."
        )
    ]


@pytest.mark.parametrize("kind", ["connections.accessgrant", "connections.connection"])
@pytest.mark.parametrize("action", [Action.READ, Action.DOWNLOADED])
def test_what_a_chart_shows_of_a_kind_is_the_whole_of_it(action: str, kind: str) -> None:
    shown = event(action, category="PRESCRIPTIONS", object_type=kind)

    assert "the list of your prescriptions" in read(shown)[0]


def test_reasons_and_acts_are_sentences_of_their_own() -> None:
    seen = [
        event(Action.ISSUED, Basis.CARE),
        event(Action.ISSUED, Basis.CARE),
        event(Action.DOWNLOADED, category="REPORT"),
        event(Action.READ, Basis.AUTHOR, object_type="prescriptions.prescription"),
    ]

    assert read(*seen) == [
        "Dr Karim Nabil issued 2 prescriptions for you.",
        "Dr Karim Nabil downloaded a report of yours, because you share this.",
        "Dr Karim Nabil looked at a prescription of yours, having written this.",
    ]
