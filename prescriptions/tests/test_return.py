"""Giving a prescription back."""

from __future__ import annotations

import pytest

from audit.models import AccessEvent
from connections.models import Connection
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from prescriptions.models import DispenseClaim, Prescription, StopReason
from prescriptions.services.claiming import return_prescription
from prescriptions.services.claims import ClaimNotHeld
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def test_another_pharmacy_can_dispense_the_rest(prescription: Prescription) -> None:
    first = claim(prescription)
    hand_out(first, (1, 10))
    return_prescription(secret=first.secret)

    second = claim(prescription, "Delta Pharmacy")
    hand_out(second, (1, 20), (2, 20))

    assert fresh(prescription).status == "completed"


def test_twice_does_it_once(prescription: Prescription) -> None:
    held = claim(prescription)

    ends = {return_prescription(secret=held.secret).ended_at for _ in range(2)}

    assert len(ends) == 1
    assert AccessEvent.objects.filter(action=AccessEvent.Action.RELEASED).count() == 1


def test_stop_that_was_asked_for_happens(prescription: Prescription) -> None:
    held = claim(prescription)
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=StopReason.ALLERGY,
    )

    return_prescription(secret=held.secret)

    stopped = fresh(prescription)
    assert (stopped.status, stopped.status_reason) == ("stopped", "ALLERGY")


def test_mistake_that_was_asked_for_is_called_so(prescription: Prescription) -> None:
    held = claim(prescription)
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=StopReason.ENTERED_IN_ERROR,
    )

    return_prescription(secret=held.secret)

    assert fresh(prescription).status == "entered-in-error"


def test_what_was_completed_stays_so(prescription: Prescription) -> None:
    held = claim(prescription)
    hand_out(held, (1, 30), (2, 20))

    assert return_prescription(secret=held.secret).end_reason == "COMPLETED"


def test_unknown_secret_gives_nothing_back(prescription: Prescription) -> None:
    claim(prescription)

    with pytest.raises(ClaimNotHeld):
        return_prescription(secret="AAAAA-AAAAA")

    assert DispenseClaim.objects.standing().exists()


@CONCURRENT
def test_two_who_give_it_back_at_once_do_it_once(connection: Connection) -> None:
    held = claim(issue(connection))

    racers = race(*[lambda: return_prescription(secret=held.secret)] * 2, gate=DispenseClaim)

    assert errors(racers) == ["", ""]
    assert AccessEvent.objects.filter(action=AccessEvent.Action.RELEASED).count() == 1


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_fall_over_the_database(connection: Connection) -> None:
    held = claim(issue(connection))

    racers = race(*[lambda: return_prescription(secret=held.secret)] * 2, gate=DispenseClaim)

    assert sorted(errors(racers)) == ["", "ProgrammingError"]
