"""What a patient takes is the same for the safety check, the home page, the card and the link."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from common.clock import clinic_date
from connections.models import Connection
from medisync.tests.client import page_client
from prescriptions.models import Prescription, Route, StopReason
from prescriptions.policies import can_request_refill
from prescriptions.services.amending import amend_prescription
from prescriptions.services.issuing import Item, Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.taken import items_taken, medicines_taken, prescriptions_taken
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import issue
from qrverify.models import CardField
from qrverify.services.emergency_content import READ
from qrverify.tests.emergency import make_card

pytestmark = pytest.mark.django_db
ZZAPOL = Item(medicine="Zzapol", quantity=10, frequency=1, duration_days=10)
YYONIL = Item(medicine="Yyonil", quantity=30, frequency=1, duration_days=30)


@pytest.fixture
def issued(connection: Connection) -> Prescription:
    return issue(connection, items=[ZZAPOL, YYONIL])


def taken(patient: User, days: int = 0) -> list[str]:
    """The medicines taken so many days from now."""
    on = clinic_date() + dt.timedelta(days=days)
    return [item.medicine for item in items_taken(patient, on)]


def all_handed_out(prescription: Prescription) -> None:
    hand_out(claim(prescription), (1, 10), (2, 30))
    assert fresh(prescription).status == "completed"


def test_what_was_handed_out_is_taken_until_it_runs_out(
    issued: Prescription, patient: User
) -> None:
    all_handed_out(issued)

    assert taken(patient, 10) == ["Zzapol", "Yyonil"]
    assert taken(patient, 11) == ["Yyonil"]
    assert taken(patient, 31) == []


def test_prescriptions_are_given_with_what_is_taken_of_them_alone(
    issued: Prescription, patient: User
) -> None:
    all_handed_out(issued)
    on = clinic_date() + dt.timedelta(days=20)

    (found,) = prescriptions_taken(patient, on)

    assert [item.medicine for item in found.items.all()] == ["Yyonil"]


@pytest.mark.parametrize("reason", [StopReason.ALLERGY, StopReason.ENTERED_IN_ERROR])
def test_what_is_being_stopped_and_what_is_stopped_is_not_taken(
    issued: Prescription, patient: User, reason: StopReason
) -> None:
    hand_out(claim(issued), (1, 10))
    stop_prescription(actor=issued.doctor, prescription_id=issued.pk, reason=reason)
    is_asked_for = fresh(issued).is_stop_requested

    assert is_asked_for
    assert taken(patient) == []
    assert not can_request_refill(patient, fresh(issued))


def test_of_what_was_replaced_the_new_version_is_taken(issued: Prescription, patient: User) -> None:
    longer = replace(ZZAPOL, medicine="Xxamin")
    amend_prescription(actor=issued.doctor, prescription_id=issued.pk, order=Order(items=[longer]))

    assert taken(patient) == ["Xxamin"]


def test_emergency_card_names_what_was_handed_out(issued: Prescription, patient: User) -> None:
    all_handed_out(issued)
    card = make_card(patient)

    (row,) = READ[CardField.PRESCRIPTIONS](card, clinic_date())

    assert [item.medicine for item in row.items.all()] == ["Zzapol", "Yyonil"]


def test_home_names_what_was_handed_out_and_how_to_take_it(
    issued: Prescription, patient: User
) -> None:
    all_handed_out(issued)

    with time_machine.travel(timezone.now() + dt.timedelta(days=8)):
        shown = page_client(patient).get("/").content.decode()

    assert "Zzapol" in shown
    assert "Ask for more" in shown
    assert "Nothing to take at present" not in shown


def test_good_at_a_pharmacy_is_what_is_active_and_not_being_stopped(
    issued: Prescription, patient: User
) -> None:
    today = clinic_date()
    before = (issued.is_dispensable(today), Prescription.objects.dispensable(today).count())
    claim(issued)
    stop_prescription(actor=issued.doctor, prescription_id=issued.pk, reason=StopReason.NOT_NEEDED)

    assert before == (True, 1)
    assert fresh(issued).is_active(today)
    assert not fresh(issued).is_dispensable(today)
    assert not Prescription.objects.dispensable(today).exists()


def told(patient: User) -> list[tuple[str, str, int]]:
    """Medicine and strength of each line of what to take, and in how many others it stands."""
    found = medicines_taken(patient, clinic_date())
    return [(each.item.medicine, each.item.strength, each.also_in) for each in found]


def test_what_is_prescribed_again_is_told_once_as_the_newest_says(
    issued: Prescription, connection: Connection, patient: User
) -> None:
    issue(connection, items=[replace(ZZAPOL, frequency=2), replace(ZZAPOL, strength="20 mg")])
    newest = issue(connection, items=[replace(ZZAPOL, medicine="zzapol", frequency=3)])

    first, *_others = medicines_taken(patient, clinic_date())

    assert told(patient) == [("zzapol", "", 2), ("Zzapol", "20 mg", 0), ("Yyonil", "", 0)]
    assert (first.item.prescription_id, first.item.frequency) == (newest.pk, 3)
    assert len(items_taken(patient, clinic_date())) == 5


def test_by_another_route_it_is_another_medicine(
    issued: Prescription, connection: Connection, patient: User
) -> None:
    issue(connection, items=[replace(ZZAPOL, route=Route.TOPICAL)])

    assert taken(patient) == ["Zzapol", "Zzapol", "Yyonil"]
    assert told(patient) == [("Zzapol", "", 0), ("Zzapol", "", 0), ("Yyonil", "", 0)]


def test_what_one_prescription_orders_twice_is_meant_twice(
    issued: Prescription, connection: Connection, patient: User
) -> None:
    issue(connection, items=[ZZAPOL, replace(ZZAPOL, instructions="In the evening.")])

    assert told(patient) == [("Zzapol", "", 1), ("Zzapol", "", 1), ("Yyonil", "", 0)]


def test_home_card_and_link_tell_it_once(
    issued: Prescription, connection: Connection, patient: User
) -> None:
    issue(connection, items=[ZZAPOL])
    on = clinic_date()

    shown = page_client(patient).get("/").content.decode()
    rows = READ[CardField.PRESCRIPTIONS](make_card(patient), on)

    assert shown.count('<bdi class="row__title">Zzapol') == 1
    assert "Also in 1 other prescription." in shown
    for found in (rows, prescriptions_taken(patient, on)):
        assert [[item.medicine for item in row.items.all()] for row in found] == [
            ["Zzapol"],
            ["Yyonil"],
        ]
