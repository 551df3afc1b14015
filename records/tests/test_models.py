"""A record is its patient's alone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from connections.models import Connection
from records.models import Record

pytestmark = pytest.mark.django_db


def file_away(patient: User, **changes: object) -> Record:
    known = {"kind": "LAB_RESULT", "title": "Blood count", "date": dt.date(2026, 1, 2)}
    return Record.objects.create(patient=patient, **known | changes)


def test_patient_sees_it_and_nobody_else(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    file_away(connection.patient)

    assert Record.objects.visible_to(connection.patient).count() == 1
    for user in (connection.doctor, stranger, other_doctor, admin, AnonymousUser()):
        assert not Record.objects.visible_to(user).exists()


def test_trashed_record_is_not_kept(patient: User) -> None:
    file_away(patient, trashed_at=timezone.now())
    kept = file_away(patient)

    assert list(Record.objects.kept()) == [kept]


def test_record_has_a_title(patient: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        file_away(patient, title="")
