"""The list of pharmacies approved for controlled medicines."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404

from accounts.models import DeviceSession, User
from accounts.policies import SecondFactorNeeded
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.client import sign_in
from medisync.tests.races import errors, race
from prescriptions.models import ApprovedPharmacy
from prescriptions.services.claiming import claim_prescription
from prescriptions.services.pharmacies import (
    AccessCodeWrong,
    CodedPharmacy,
    PharmacyApprovedAlready,
    approve_pharmacy,
    deactivate_pharmacy,
    renew_access_code,
)
from prescriptions.tests.dispensing import open_paper, pharmacy
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


@pytest.fixture
def coded(session: DeviceSession) -> CodedPharmacy:
    return approve(session)


def approve(session: DeviceSession, **changes: Any) -> CodedPharmacy:
    said = {"name": "Central Pharmacy", "licence_number": "EG-77"} | changes
    return approve_pharmacy(session=session, **said)


def claims_with(connection: Connection, access_code: str) -> bool:
    """Whether that access code is taken."""
    try:
        claim_prescription(
            passed=open_paper(issue(connection)),
            pharmacy=pharmacy(access_code=access_code),
            client_id=uuid7(),
        )
    except AccessCodeWrong:
        return False
    return True


def test_access_code_is_told_once_and_not_kept(coded: CodedPharmacy) -> None:
    assert len(coded.access_code.replace("-", "")) == 10
    row = ApprovedPharmacy.objects.values().get()
    assert coded.access_code not in str(row)
    assert coded.access_code.replace("-", "") not in str(row)


def test_access_code_opens_its_pharmacys_door(coded: CodedPharmacy, connection: Connection) -> None:
    assert claims_with(connection, coded.access_code)


def test_renewed_code_replaces_the_old_one(
    coded: CodedPharmacy, session: DeviceSession, connection: Connection
) -> None:
    renewed = renew_access_code(session=session, pharmacy_id=coded.pharmacy.pk)

    assert not claims_with(connection, coded.access_code)
    assert claims_with(connection, renewed.access_code)


def test_pharmacy_off_the_list_has_no_code(
    coded: CodedPharmacy, session: DeviceSession, connection: Connection
) -> None:
    deactivate_pharmacy(session=session, pharmacy_id=coded.pharmacy.pk)

    assert not claims_with(connection, coded.access_code)


def test_new_code_puts_it_on_the_list_again(
    coded: CodedPharmacy, session: DeviceSession, connection: Connection
) -> None:
    deactivate_pharmacy(session=session, pharmacy_id=coded.pharmacy.pk)

    renewed = renew_access_code(session=session, pharmacy_id=coded.pharmacy.pk)

    assert claims_with(connection, renewed.access_code)


def test_licence_number_is_on_the_list_once(coded: CodedPharmacy, session: DeviceSession) -> None:
    with pytest.raises(PharmacyApprovedAlready):
        approve(session, name="Another")


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "a\u202eb", "x" * 161])
@pytest.mark.parametrize("field", ["name", "licence_number"])
def test_name_and_licence_are_plain_lines(session: DeviceSession, field: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        approve(session, **{field: text})

    assert refused.value.attr == field


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_only_administrators_keep_the_list(
    who: str, coded: CodedPharmacy, request: pytest.FixtureRequest
) -> None:
    session = sign_in(request.getfixturevalue(who))

    for act in (
        lambda: approve(session, licence_number="EG-78"),
        lambda: renew_access_code(session=session, pharmacy_id=coded.pharmacy.pk),
        lambda: deactivate_pharmacy(session=session, pharmacy_id=coded.pharmacy.pk),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_administrator_without_a_second_factor_does_not(admin: User) -> None:
    with pytest.raises(SecondFactorNeeded):
        approve(sign_in(admin, factor=""))


def test_pharmacy_that_is_not_there_is_not_found(session: DeviceSession) -> None:
    for verb in (renew_access_code, deactivate_pharmacy):
        with pytest.raises(Http404):
            verb(session=session, pharmacy_id=uuid7())


@CONCURRENT
def test_two_who_approve_one_pharmacy_at_once(admin: User) -> None:
    session = sign_in(admin)

    racers = race(*[lambda: approve(session)] * 2, gate=ApprovedPharmacy)

    assert sorted(errors(racers)) == ["", "PharmacyApprovedAlready"]
