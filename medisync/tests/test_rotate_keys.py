"""`manage.py rotate_keys`: sealed again with the first key, while the service runs."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db import transaction
from django.db.utils import DatabaseError

from accounts.models import PatientProfile, Totp, User
from common import crypto, rotation
from common.rotation import Column, encrypted_columns, rotate
from connections.models import Connection
from medisync.tests.races import errors, race
from notifications.models import EmailDelivery
from notifications.tests.factories import owe_email
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
NATIONAL_ID = "29005170100123"
Keys = Callable[..., None]


def new_key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@pytest.fixture
def keys(settings: Any) -> Keys:
    """Sets the keys by their ids; an id stands for the same key throughout the test."""
    made: dict[str, str] = {}

    def use(*names: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = [made.setdefault(n, new_key(n)) for n in names]

    use("old1")
    return use


@pytest.fixture
def sealed(keys: Keys, connection: Connection) -> Prescription:
    """One of every encrypted value, under the old key; then the new key comes in front."""
    patient = connection.patient
    PatientProfile.objects.filter(user=patient).update(
        national_id=NATIONAL_ID, national_id_index="x"
    )
    Totp.objects.create(user=patient, seed="SEED")
    owe_email(secret_context={"code": "424242"})
    prescription = issue(connection)
    keys("new2", "old1")
    return prescription


def run(**options: Any) -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out, **options)
    return out.getvalue()


def raw(column: Column) -> list[str]:
    """The values as they are in the table."""
    name, table = column.field.column, column.model._meta.db_table
    with database.cursor() as cursor:
        cursor.execute(f'SELECT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL ORDER BY id')
        return [value for (value,) in cursor.fetchall()]


def column_of(model: Any) -> Column:
    return next(column for column in encrypted_columns() if column.model is model)


def test_every_encrypted_field_is_known() -> None:
    assert {str(column) for column in encrypted_columns()} == {
        "accounts.PatientProfile.national_id",
        "accounts.Totp.seed",
        "audit.AuditSeal.signature",
        "notifications.EmailDelivery.secret_context",
        "prescriptions.Prescription.pin",
        "prescriptions.Prescription.verification_code",
        "qrverify.EmergencyCard.secret",
        "qrverify.SharedLink.key",
        "qrverify.SharedLink.manifest_id",
    }


def test_old_key_can_be_taken_out_afterwards(keys: Keys, sealed: Prescription) -> None:
    code = sealed.verification_code

    told = run()
    keys("new2")

    assert "Every value is sealed with the first key." in told
    assert PatientProfile.objects.get().national_id == NATIONAL_ID
    assert Totp.objects.get().seed == "SEED"
    assert "424242" in [
        text[10:16]
        for text in EmailDelivery.objects.values_list("secret_context", flat=True)
        if text
    ]
    assert Prescription.objects.get().verification_code == code
    for column in encrypted_columns():
        assert all(value.startswith("v1.new2.") for value in raw(column))


def test_without_it_the_old_key_is_needed(keys: Keys, sealed: Prescription) -> None:
    """The control of the test above."""
    keys("new2")

    with pytest.raises(crypto.CannotDecrypt):
        Totp.objects.get()


def test_prescription_stays_as_issued_and_protected(sealed: Prescription) -> None:
    before = Prescription.objects.values().get()

    run()

    after = Prescription.objects.with_items().get()
    assert Prescription.objects.values().get() == before
    assert after.is_intact()
    with pytest.raises(DatabaseError), transaction.atomic():
        Prescription.objects.update(notes="changed")


def test_nothing_is_printed_that_opens_anything(settings: Any, sealed: Prescription) -> None:
    told = run(batch_size=1)

    secrets = [NATIONAL_ID, "SEED", "424242", sealed.verification_code, "v1."]
    secrets += [entry.partition(":")[2] for entry in settings.FIELD_ENCRYPTION_KEYS]
    assert [secret for secret in secrets if secret in told] == []


def test_dry_run_counts_and_changes_nothing(sealed: Prescription) -> None:
    before = {str(column): raw(column) for column in encrypted_columns()}

    told = run(dry_run=True)

    assert "accounts.Totp.seed: 1 to do" in told
    assert {str(column): raw(column) for column in encrypted_columns()} == before


def test_second_run_changes_nothing(sealed: Prescription) -> None:
    run()
    before = {str(column): raw(column) for column in encrypted_columns()}

    run()

    assert {str(column): raw(column) for column in encrypted_columns()} == before


def test_interrupted_run_is_taken_up_again(keys: Keys, sealed: Prescription) -> None:
    for _ in range(3):
        keys("old1")
        owe_email(secret_context={"code": "424242"})
    keys("new2", "old1")
    begun = rotate(column_of(EmailDelivery), batch_size=2)
    next(begun)
    begun.close()
    assert column_of(EmailDelivery).left() == 2

    run(batch_size=2)

    assert column_of(EmailDelivery).left() == 0


def test_value_that_cannot_be_read_is_named_and_left(sealed: Prescription) -> None:
    totp = Totp.objects.get()
    with database.cursor() as cursor:
        cursor.execute("UPDATE accounts_totp SET seed = 'v1.lost.AAAA'")
    out = io.StringIO()

    with pytest.raises(CommandError, match=r"accounts\.Totp\.seed: 1"):
        call_command("rotate_keys", stdout=out)

    assert f"accounts.Totp.seed {totp.pk}: cannot be decrypted" in out.getvalue()
    assert raw(column_of(Totp)) == ["v1.lost.AAAA"]
    assert column_of(PatientProfile).left() == 0


@pytest.mark.parametrize("size", [0, -1])
def test_batch_of_nothing_is_refused(size: int) -> None:
    with pytest.raises(CommandError):
        run(batch_size=size)


@pytest.mark.django_db(transaction=True)
def test_what_is_written_meanwhile_stays(sealed: Prescription) -> None:
    column = column_of(Totp)

    racers = race(
        lambda: Totp.objects.update(seed="WRITTEN MEANWHILE"),
        lambda: list(rotate(column, batch_size=10)),
        gate=Totp,
    )

    assert errors(racers) == ["", ""]
    assert Totp.objects.get().seed == "WRITTEN MEANWHILE"
    assert column.left() == 0
    assert column.changed + column.overtaken == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_comparison_it_would_be_lost(monkeypatch: Any, sealed: Prescription) -> None:
    """What `AND column = old` is for."""
    lost = "UPDATE {table} SET {column} = %s WHERE {key} = %s AND %s <> ''"
    monkeypatch.setattr(rotation, "WRITE", lost)
    column, sealed_before = column_of(Totp), raw(column_of(Totp))[0]
    key = Totp.objects.get().pk
    Totp.objects.update(seed="WRITTEN MEANWHILE")

    rotation._rotate_one(column, key, sealed_before)

    assert Totp.objects.get().seed == "SEED"


def test_patient_is_found_by_the_national_id_all_the_same(
    sealed: Prescription, patient: User
) -> None:
    run()

    assert PatientProfile.objects.get(national_id_index="x").user == patient
