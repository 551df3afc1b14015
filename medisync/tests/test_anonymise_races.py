"""Anonymising somebody while others do something with them: nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from accounts.models import DeviceSession, User
from accounts.tests.factories import AdminFactory, DoctorFactory, PatientFactory
from common.errors import DomainError
from connections.models import Connection, ConnectionRequest
from connections.services.connections import block, connect
from connections.services.requests import cancel_request, send_request
from connections.tests.factories import ConnectionFactory, RequestFactory
from medisync.anonymise import anonymise_everywhere
from medisync.tests.client import sign_in
from medisync.tests.interleaving import Player, stage
from notifications.models import EmailDelivery, Notification
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[ConnectionRequest], object]


def cancelling(request: ConnectionRequest) -> object:
    return cancel_request(actor=request.patient, request_id=request.pk)


def connecting(request: ConnectionRequest) -> object:
    return connect(actor=request.patient, doctor_id=request.doctor_id, origin=Connection.Origin.QR)


def blocking(request: ConnectionRequest) -> object:
    return block(actor=request.patient, person_id=request.doctor_id)


def anonymising(session: DeviceSession, user: User) -> object:
    return anonymise_everywhere(
        session=session, user_id=user.pk, email=user.email, reason="Asked in writing."
    )


def check_ends(players: list[Player]) -> None:
    """The person is anonymised; the other act is done, or came too late."""
    errors = [player.error for player in players]
    assert errors[1] is None, errors
    assert errors[0] is None or isinstance(errors[0], DomainError), errors


@pytest.mark.parametrize("act", [cancelling, connecting, blocking], ids=lambda act: act.__name__)
def test_either_comes_to_its_end_wherever_they_meet(act: Act) -> None:
    """The patient's act is stopped after each of its statements in turn, and the anonymising
    let go."""
    with stage(2) as made:
        for statements in range(1, 30):
            request = RequestFactory(patient=PatientFactory(), doctor=DoctorFactory())
            session = sign_in(AdminFactory())

            players = made.play(
                [partial(act, request), partial(anonymising, session, request.doctor)],
                turns=[statements],
            )

            check_ends(players)
            request.refresh_from_db()
            assert not request.is_pending


def test_request_to_a_doctor_who_is_anonymised_does_not_stay() -> None:
    """Asked, and stopped after each statement: it is refused, or closed, and nothing is owed to
    the doctor's old address."""
    with stage(2) as made:
        for statements in range(1, 30):
            patient, doctor = PatientFactory(), DoctorFactory()
            session = sign_in(AdminFactory())
            asking = partial(send_request, actor=patient, doctor_id=doctor.pk)

            players = made.play([asking, partial(anonymising, session, doctor)], turns=[statements])

            check_ends(players)
            assert not ConnectionRequest.objects.pending().filter(doctor=doctor).exists()
            assert not EmailDelivery.objects.filter(to_address=doctor.email).exists()
            assert not Notification.objects.filter(recipient=doctor).exists()


def test_prescription_for_a_patient_who_is_anonymised() -> None:
    """Both write in the patient's log: the one because another doctor is still asked."""
    with stage(2) as made:
        for statements in range(1, 30):
            connection = ConnectionFactory()
            RequestFactory(patient=connection.patient)
            session = sign_in(AdminFactory())

            players = made.play(
                [partial(issue, connection), partial(anonymising, session, connection.patient)],
                turns=[statements],
            )

            check_ends(players)
