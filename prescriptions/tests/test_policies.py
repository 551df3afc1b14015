"""Who may prescribe: the truth table for the whole cast."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import Role, Status, User
from common.errors import DomainError
from connections.models import Connection
from prescriptions.policies import can_issue, check_can_issue

pytestmark = pytest.mark.django_db


def may(actor: object, connection: Connection) -> bool:
    """What both twins say; they must say the same."""
    try:
        check_can_issue(actor, connection)
        is_allowed = True
    except DomainError:
        is_allowed = False
    assert can_issue(actor, connection) is is_allowed
    return is_allowed


def test_of_the_cast_only_the_connections_doctor_may(
    connection: Connection, stranger: User, other_doctor: User, admin: User
) -> None:
    answers = {
        "pharmacist": may(AnonymousUser(), connection),
        "patient": may(connection.patient, connection),
        "doctor": may(connection.doctor, connection),
        "stranger": may(stranger, connection),
        "other_doctor": may(other_doctor, connection),
        "admin": may(admin, connection),
    }

    assert [name for name, is_allowed in answers.items() if is_allowed] == ["doctor"]


@pytest.mark.parametrize("doctor_status", Status)
@pytest.mark.parametrize("patient_status", Status)
@pytest.mark.parametrize("connection_status", Connection.Status)
def test_all_three_must_be_active(
    connection: Connection,
    doctor_status: Status,
    patient_status: Status,
    connection_status: Connection.Status,
) -> None:
    connection.doctor.status = doctor_status
    connection.patient.status = patient_status
    connection.status = connection_status
    connection.ended_at = timezone.now()

    expected = {doctor_status, patient_status, connection_status} == {"ACTIVE"}
    assert may(connection.doctor, connection) is expected


@pytest.mark.parametrize("role", [Role.PATIENT, Role.ADMIN])
def test_doctor_who_is_one_no_more_may_not(connection: Connection, role: Role) -> None:
    connection.doctor.role = role

    assert may(connection.doctor, connection) is False
