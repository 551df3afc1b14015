"""The content hash speaks for everything that was ordered."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.models import Connection
from prescriptions.models import Prescription, PrescriptionItem
from prescriptions.tests.factories import issue

texts = st.text(max_size=30)
item_contents = st.builds(
    dict,
    medicine=texts,
    strength=texts,
    instructions=texts,
    quantity=st.integers(1, 1000),
    frequency=st.none() | st.integers(1, 24),
)


def prescription_of(**changes: Any) -> Prescription:
    known = {
        "number": "7K3-M9Q-2TC",
        "issued_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
        "valid_until": dt.date(2026, 2, 1),
    }
    return Prescription(**known | changes)


def hash_of(items: list[dict[str, Any]], **changes: Any) -> str:
    rows = [PrescriptionItem(position=n, **item) for n, item in enumerate(items, start=1)]
    return prescription_of(**changes).computed_content_hash(rows)


@given(st.lists(item_contents, max_size=4), st.lists(item_contents, max_size=4))
def test_other_items_give_another_hash(left: list[Any], right: list[Any]) -> None:
    assert (hash_of(left) == hash_of(right)) is (left == right)


@given(texts, texts, texts, texts)
def test_text_does_not_slide_from_one_field_into_the_next(
    diagnosis: str, notes: str, other_diagnosis: str, other_notes: str
) -> None:
    left = hash_of([], diagnosis=diagnosis, notes=notes)
    right = hash_of([], diagnosis=other_diagnosis, notes=other_notes)

    assert (left == right) is ((diagnosis, notes) == (other_diagnosis, other_notes))


def test_order_of_items_counts() -> None:
    first, second = {"medicine": "A", "quantity": 1}, {"medicine": "B", "quantity": 1}

    assert hash_of([first, second]) != hash_of([second, first])


def test_time_zone_of_the_reader_does_not_count() -> None:
    issued_at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    elsewhere = issued_at.astimezone(dt.timezone(dt.timedelta(hours=2)))

    assert hash_of([], issued_at=issued_at) == hash_of([], issued_at=elsewhere)


def test_microsecond_counts() -> None:
    issued_at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

    assert hash_of([], issued_at=issued_at) != hash_of(
        [], issued_at=issued_at + dt.timedelta(microseconds=1)
    )


@pytest.mark.django_db
def test_stored_rows_still_have_the_hash_of_the_issue(connection: Connection) -> None:
    prescription = issue(connection, notes="Ünïcode — 💊 بعد الأكل")

    stored = Prescription.objects.with_items().get()

    assert stored.is_intact()
    assert stored.content_hash == prescription.content_hash
    assert len(stored.content_hash) == 64


@pytest.mark.django_db
def test_paper_carries_the_first_64_bits(connection: Connection) -> None:
    prescription = issue(connection)

    assert prescription.content_hash.startswith(prescription.printed_hash)
    assert prescription.verification_url.endswith(
        f"/verify/{prescription.verification_code}?v=1&h={prescription.printed_hash}"
    )
