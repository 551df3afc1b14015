"""Who takes another role is nobody's doctor and nobody's patient any more."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.models import AccountChange, DeviceSession, Role, User
from accounts.services.changes import propose_licence, propose_role
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from audit.models import AccessEvent
from chat.models import Message
from chat.tests.factories import chat_of, say
from common.clock import clinic_date
from common.errors import DomainError
from connections.models import AccessGrant, Connection, ConnectionRequest
from connections.policies import ConnectionEnded
from connections.services.connections import connect
from connections.tests.factories import ConnectionFactory, GrantFactory, RequestFactory
from medisync.another_role import approve_everywhere
from medisync.tests.client import page_client, sign_in
from medisync.tests.interleaving import stage
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def proposed(user: User, role: Role = Role.ADMIN) -> AccountChange:
    session = sign_in(AdminFactory())
    return propose_role(session=session, user_id=user.pk, role=role, reason="Joins the office.")


def make_admin(session: DeviceSession, user: User) -> object:
    return approve_everywhere(session=session, change_id=proposed(user).pk)


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


def test_nothing_more_is_said_to_who_was_a_doctor(
    session: DeviceSession, connection: Connection, patient: User, doctor: User
) -> None:
    chat = chat_of(connection)
    say(chat, patient)

    make_admin(session, doctor)

    doctor.refresh_from_db()
    for speaker in (patient, doctor):
        with pytest.raises(ConnectionEnded):
            say(chat, speaker)
    assert not Message.objects.visible_to(doctor).exists()
    assert Message.objects.visible_to(patient).exists()


@pytest.mark.parametrize("who", ["doctor", "patient"])
def test_what_joins_them_ends_and_the_other_side_is_told(session: DeviceSession, who: str) -> None:
    grant = GrantFactory()
    connection = grant.connection

    make_admin(session, getattr(connection, who))

    connection.refresh_from_db()
    grant.refresh_from_db()
    assert (connection.status, connection.ended_by) == ("INACTIVE", session.user)
    assert grant.end_reason == AccessGrant.EndReason.CONNECTION_ENDED
    told = Notification.objects.filter(kind="CONNECTION_ENDED").values_list("recipient", flat=True)
    assert set(told) == {connection.patient_id, connection.doctor_id}


def test_log_of_the_patient_says_that_an_administrator_did_it(
    session: DeviceSession, connection: Connection, doctor: User
) -> None:
    make_admin(session, doctor)

    event = AccessEvent.objects.get(action=AccessEvent.Action.CONNECTION_ENDED)
    assert (event.actor_id, event.basis) == (session.user_id, AccessEvent.Basis.ADMINISTRATION)


@pytest.mark.parametrize(("who", "status"), [("doctor", "REJECTED"), ("patient", "CANCELLED")])
def test_what_is_asked_of_them_or_by_them_is_closed(
    session: DeviceSession, who: str, status: str
) -> None:
    request = RequestFactory()

    make_admin(session, getattr(request, who))

    request.refresh_from_db()
    assert request.status == status


def test_connections_of_others_stand(session: DeviceSession, doctor: User) -> None:
    other = ConnectionFactory()

    make_admin(session, doctor)

    other.refresh_from_db()
    assert other.is_active


def test_renewed_licence_ends_nothing(
    session: DeviceSession, connection: Connection, doctor: User
) -> None:
    change = propose_licence(
        session=sign_in(AdminFactory()),
        user_id=doctor.pk,
        licence_number="EG-NEW",
        licence_expiry_date=clinic_date().replace(year=2099, day=1),
        reason="Renewed.",
    )

    approve_everywhere(session=session, change_id=change.pk)

    connection.refresh_from_db()
    assert connection.is_active


def test_page_of_the_admin_goes_the_same_way(
    admin: User, connection: Connection, doctor: User
) -> None:
    change = proposed(doctor)

    page_client(admin).post(f"/admin/accounts/accountchange/{change.pk}/approve/")

    connection.refresh_from_db()
    assert not connection.is_active


@pytest.mark.django_db(transaction=True)
def test_connecting_meanwhile_leaves_no_connection() -> None:
    """The patient's act is stopped after each of its statements in turn: it is refused, or what
    it made is ended."""
    with stage(2) as made:
        for statements in range(1, 30):
            patient, doctor = PatientFactory(), DoctorFactory()
            change, session = proposed(doctor), sign_in(AdminFactory())
            connecting = partial(
                connect, actor=patient, doctor_id=doctor.pk, origin=Connection.Origin.QR
            )
            approving = partial(approve_everywhere, session=session, change_id=change.pk)

            players = made.play([connecting, approving], turns=[statements])

            assert players[1].error is None, players[1].error
            assert players[0].error is None or isinstance(players[0].error, DomainError)
            assert not Connection.objects.active().filter(doctor=doctor).exists()
            assert not ConnectionRequest.objects.pending().filter(doctor=doctor).exists()
