"""Taking a prescription up to dispense it: one pharmacy at a time."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.db import connections as database_connections
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from common.errors import InvalidInput
from common.ids import uuid7
from connections.models import Connection
from connections.services.access_log import entries_of
from medisync.tests.client import sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import (
    ApprovedPharmacy,
    DispenseClaim,
    MedicationDispense,
    Prescription,
    ReplacedCode,
    StopReason,
)
from prescriptions.policies import NotActive, StopRequested
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import (
    Claimed,
    HeldClaim,
    NothingDue,
    claim_prescription,
    return_prescription,
)
from prescriptions.services.claims import ClaimNotHeld, expire_claims, held_claim
from prescriptions.services.codes import reissue_code
from prescriptions.services.dispensing import Line, dispense
from prescriptions.services.issuing import Item, Order
from prescriptions.services.pharmacies import (
    AccessCodeWrong,
    NoLongerApproved,
    OnlyApproved,
    approve_pharmacy,
    deactivate_pharmacy,
    renew_access_code,
)
from prescriptions.services.pins import PassNotValid
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out, open_paper, pharmacy
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)
MORPHINE = Item(medicine="Morphine", strength="10 mg", as_needed=True, quantity=10)
PHARMACIES = 50


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def stop(prescription: Prescription) -> Prescription:
    return stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=StopReason.NOT_NEEDED,
    )


def amend(prescription: Prescription) -> Prescription:
    return amend_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        order=Order(items=[PARACETAMOL]),
    )


# --- One ----------------------------------------------------------------------


def test_claim_says_who_holds_it_and_until_when(prescription: Prescription) -> None:
    held = claim(prescription)

    assert (held.claim.pharmacy_name, held.claim.pharmacist_name, held.claim.licence_number) == (
        "Nile Pharmacy", "Hoda Samir", "PH-1234",
    )  # fmt: skip
    assert held.claim.expires_at - held.claim.claimed_at == dt.timedelta(hours=2)
    assert not held.claim.is_approved


def test_secret_is_short_and_not_kept(prescription: Prescription) -> None:
    held = claim(prescription)

    assert len(held.secret.replace("-", "")) == 10
    row = DispenseClaim.objects.filter(pk=held.claim.pk).values().get()
    assert held.secret not in str(row)
    assert held.secret.replace("-", "") not in str(row)


def test_secret_is_known_however_it_is_typed(prescription: Prescription) -> None:
    held = claim(prescription)

    for typed in (
        held.secret.lower(),
        held.secret.replace("-", " "),
        held.secret.replace("0", "o"),
    ):
        assert held_claim(typed) == held.claim


def test_patient_is_told_and_it_is_logged(prescription: Prescription, patient: User) -> None:
    held = claim(prescription)

    event = AccessEvent.objects.get(action=AccessEvent.Action.CLAIMED)
    assert (event.actor_id, event.object_id, event.basis) == (None, held.claim.pk, "QR")
    assert entries_of([event])
    assert Notification.objects.filter(
        recipient=patient, kind=Kind.PRESCRIPTION_CLAIMED, url=f"/prescriptions/{prescription.pk}"
    ).exists()


@pytest.mark.parametrize("name", ["", "  ", "a\u202eb", "a\nb", "a\x00b", "x" * 161])
@pytest.mark.parametrize("field", ["pharmacy_name", "pharmacist_name", "licence_number"])
def test_names_are_plain_lines(prescription: Prescription, field: str, name: str) -> None:
    said = {"name" if field == "pharmacy_name" else field: name}

    with pytest.raises(InvalidInput) as refused:
        claim_prescription(
            passed=open_paper(prescription), pharmacy=pharmacy(**said), client_id=uuid7()
        )

    assert refused.value.attr == field


def test_second_pharmacy_is_told_who_holds_it(prescription: Prescription) -> None:
    with time_machine.travel("2026-11-23T10:00:00Z", tick=False):
        mine = issue(prescription.connection)
        claim(mine, "Nile Pharmacy")
        with pytest.raises(Claimed) as refused:
            claim(mine, "Delta Pharmacy")

    assert refused.value.claim.pharmacy_name == "Nile Pharmacy"
    assert "Nile Pharmacy" in str(refused.value.detail)
    assert "at 2 p.m., or" in str(refused.value.detail)


def test_form_sent_again_finds_the_same_claim(prescription: Prescription) -> None:
    passed, client_id = open_paper(prescription), uuid7()

    first, again = (
        claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=client_id)
        for _ in range(2)
    )

    assert again == first
    assert DispenseClaim.objects.count() == 1
    assert Notification.objects.filter(kind=Kind.PRESCRIPTION_CLAIMED).count() == 1


def test_form_sent_again_after_it_was_given_back_claims_nothing(
    prescription: Prescription,
) -> None:
    passed, client_id = open_paper(prescription), uuid7()
    held = claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=client_id)
    return_prescription(secret=held.secret)

    again = claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=client_id)

    assert again.claim.end_reason == "RETURNED"
    assert not DispenseClaim.objects.standing().exists()


def test_another_form_or_pass_does_not_find_it(prescription: Prescription) -> None:
    passed, client_id = open_paper(prescription), uuid7()
    claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=client_id)

    for other in (
        {"passed": passed, "client_id": uuid7()},
        {"passed": open_paper(prescription), "client_id": client_id},
    ):
        with pytest.raises(Claimed):
            claim_prescription(pharmacy=pharmacy(), **other)


def test_claim_needs_a_live_pass(prescription: Prescription, patient: User) -> None:
    passed = open_paper(prescription)
    reissue_code(actor=patient, prescription_id=prescription.pk)

    with pytest.raises(PassNotValid):
        claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=uuid7())


def test_claim_outlives_the_code(prescription: Prescription, patient: User) -> None:
    held = claim(prescription)
    reissue_code(actor=patient, prescription_id=prescription.pk)

    assert hand_out(held, (1, 30)).dispenses.count() == 1


def test_what_was_stopped_meanwhile_is_not_claimed(prescription: Prescription) -> None:
    passed = open_paper(prescription)
    stop(prescription)

    with pytest.raises(NotActive):
        claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=uuid7())


def test_where_nothing_is_due_nothing_is_claimed(connection: Connection) -> None:
    item = Item(medicine="Amlodipine", frequency=1, duration_days=30, quantity=30, refills=1)
    prescription = issue(connection, items=[item])
    held = claim(prescription)
    hand_out(held, (1, 30))
    return_prescription(secret=held.secret)

    with pytest.raises(NothingDue, match=r"due on \w+\.? \d+, \d{4}"):
        claim(prescription)


# --- Its end by time ----------------------------------------------------------


def test_after_two_hours_another_may_claim_it(prescription: Prescription) -> None:
    first = claim(prescription)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=2)):
        claim(prescription, "Delta Pharmacy")

    first.claim.refresh_from_db()
    assert first.claim.end_reason == "EXPIRED"


def test_after_two_hours_nothing_is_handed_out_by_it(prescription: Prescription) -> None:
    held = claim(prescription)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=2)), pytest.raises(ClaimNotHeld):
        hand_out(held, (1, 30))


def test_job_ends_those_whose_time_is_over(connection: Connection) -> None:
    overdue, standing = issue(connection), issue(connection)
    claim(overdue)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1)):
        claim(standing)

    ended = expire_claims(timezone.now() + dt.timedelta(hours=2, minutes=1))

    assert ended == 1
    assert list(DispenseClaim.objects.standing()) == [standing.claims.get()]
    event = AccessEvent.objects.get(action=AccessEvent.Action.RELEASED)
    assert (event.actor_id, event.basis) == (None, AccessEvent.Basis.CARE)


def test_job_stops_what_was_asked_to_be_stopped(prescription: Prescription) -> None:
    claim(prescription)
    stop(prescription)

    expire_claims(timezone.now() + dt.timedelta(hours=2, minutes=1))

    assert fresh(prescription).status == "stopped"


def test_secret_is_of_use_an_hour_longer(prescription: Prescription) -> None:
    held = claim(prescription)

    with time_machine.travel(timezone.now() + dt.timedelta(hours=2, minutes=59)):
        held_claim(held.secret)
    with (
        time_machine.travel(timezone.now() + dt.timedelta(hours=3, minutes=1)),
        pytest.raises(ClaimNotHeld),
    ):
        held_claim(held.secret)


# --- Controlled medicines -----------------------------------------------------


@pytest.fixture
def controlled(connection: Connection, settings: Any) -> Prescription:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = True
    prescription = issue(connection, items=[MORPHINE])
    assert prescription.has_controlled_item
    return prescription


@pytest.fixture
def access_code(admin: User) -> str:
    return approve_pharmacy(
        session=sign_in(admin), name="Central Pharmacy", licence_number="EG-77"
    ).access_code


def test_controlled_medicine_needs_an_approved_pharmacy(controlled: Prescription) -> None:
    with pytest.raises(OnlyApproved):
        claim(controlled)


def test_approved_pharmacy_claims_it_under_its_own_name(
    controlled: Prescription, access_code: str
) -> None:
    typed = access_code.lower().replace("-", " ")

    held = claim_prescription(
        passed=open_paper(controlled), pharmacy=pharmacy(access_code=typed), client_id=uuid7()
    )

    assert held.claim.is_approved
    assert (held.claim.pharmacy_name, held.claim.licence_number) == ("Central Pharmacy", "EG-77")


def test_wrong_access_code_is_refused(controlled: Prescription, access_code: str) -> None:
    with pytest.raises(AccessCodeWrong):
        claim_prescription(
            passed=open_paper(controlled),
            pharmacy=pharmacy(access_code="AAAAA-AAAAA"),
            client_id=uuid7(),
        )


def test_other_medicines_need_none(prescription: Prescription, settings: Any) -> None:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = True

    assert not claim(prescription).claim.is_approved


def test_where_the_list_is_not_kept_nobody_needs_one(
    controlled: Prescription, settings: Any
) -> None:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = False

    assert not claim(controlled).claim.is_approved


def test_off_the_list_nothing_controlled_is_handed_out_by_what_it_holds(
    controlled: Prescription, access_code: str, admin: User
) -> None:
    held = claim_with(controlled, access_code)
    take_off_the_list(admin)

    with pytest.raises(NoLongerApproved):
        hand_out(held, (1, 1))

    assert not MedicationDispense.objects.exists()
    assert return_prescription(secret=held.secret).end_reason == "RETURNED"


@pytest.mark.parametrize("first", ["off the list", "still on it"])
def test_by_an_earlier_access_code_nothing_controlled_is_handed_out(
    controlled: Prescription, access_code: str, admin: User, first: str
) -> None:
    """Also where a pharmacy comes back to the list: somebody else may have held its code."""
    held = claim_with(controlled, access_code)
    if first == "off the list":
        take_off_the_list(admin)
    listed = ApprovedPharmacy.objects.get()
    renewed = renew_access_code(session=sign_in(admin), pharmacy_id=listed.pk)

    with pytest.raises(NoLongerApproved):
        hand_out(held, (1, 1))

    return_prescription(secret=held.secret)
    hand_out(claim_with(controlled, renewed.access_code), (1, 1))
    assert MedicationDispense.objects.count() == 1


def test_off_the_list_the_rest_of_what_it_holds_is_handed_out(
    connection: Connection, access_code: str, admin: User, settings: Any
) -> None:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = True
    held = claim_with(issue(connection, items=[AMLODIPINE, MORPHINE]), access_code)
    take_off_the_list(admin)

    hand_out(held, (1, 1))

    with pytest.raises(NoLongerApproved):
        hand_out(held, (1, 1), (2, 1))


def test_off_the_list_the_form_that_was_sent_is_still_answered_as_done(
    controlled: Prescription, access_code: str, admin: User
) -> None:
    held, client_id = claim_with(controlled, access_code), uuid7()
    dispense(secret=held.secret, lines=[Line(1, 1)], client_id=client_id)
    take_off_the_list(admin)

    dispense(secret=held.secret, lines=[Line(1, 1)], client_id=client_id)

    assert MedicationDispense.objects.count() == 1


def test_what_was_claimed_before_the_list_was_kept_waits_for_an_approved_one(
    controlled: Prescription, settings: Any
) -> None:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = False
    held = claim(controlled)
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = True

    with pytest.raises(NoLongerApproved):
        hand_out(held, (1, 1))


@CONCURRENT
def test_of_a_dispense_and_a_taking_off_the_list_one_is_first(
    controlled: Prescription, access_code: str, admin: User
) -> None:
    held = claim_with(controlled, access_code)

    racers = race(
        lambda: take_off_the_list(admin), lambda: hand_out(held, (1, 1)), gate=ApprovedPharmacy
    )

    assert errors(racers) == ["", "NoLongerApproved"]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_handed_out_by_one_off_the_list(
    controlled: Prescription, access_code: str, admin: User
) -> None:
    held = claim_with(controlled, access_code)

    racers = race(
        lambda: take_off_the_list(admin), lambda: hand_out(held, (1, 1)), gate=ApprovedPharmacy
    )

    assert errors(racers) == ["", ""]


def claim_with(prescription: Prescription, access_code: str) -> HeldClaim:
    return claim_prescription(
        passed=open_paper(prescription),
        pharmacy=pharmacy(access_code=access_code),
        client_id=uuid7(),
    )


def take_off_the_list(admin: User) -> None:
    pharmacy_id = ApprovedPharmacy.objects.get().pk
    deactivate_pharmacy(session=sign_in(admin), pharmacy_id=pharmacy_id)


# --- Many at once -------------------------------------------------------------


def claims_of(prescription: Prescription, count: int) -> list[Any]:
    """So many pharmacies, each with the paper opened."""
    passes = [open_paper(prescription) for _ in range(count)]
    return [
        lambda number=number, passed=passed: claim_prescription(
            passed=passed, pharmacy=pharmacy(f"Pharmacy {number}"), client_id=uuid7()
        )
        for number, passed in enumerate(passes)
    ]


@CONCURRENT
def test_of_fifty_pharmacies_at_once_one_dispenses(connection: Connection) -> None:
    prescription = issue(connection)
    passes = [open_paper(prescription) for _ in range(PHARMACIES)]
    start = threading.Barrier(PHARMACIES)
    refused: list[Claimed] = []
    others: list[Exception] = []

    def come(number: int) -> None:
        """Claim it, and hand out all that is due, as a pharmacist in a hurry."""
        start.wait(30)
        try:
            held = claim_prescription(
                passed=passes[number],
                pharmacy=pharmacy(f"Pharmacy {number}"),
                client_id=uuid7(),
            )
            hand_out(held, (1, 30))
        except Claimed as error:
            refused.append(error)
        except Exception as error:  # noqa: BLE001 - whatever it was is what is looked at
            others.append(error)
        finally:
            database_connections.close_all()

    threads = [threading.Thread(target=come, args=[number]) for number in range(PHARMACIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    holder = DispenseClaim.objects.get().pharmacy_name
    assert others == []
    assert len(refused) == PHARMACIES - 1
    assert {error.code for error in refused} == {"claimed"}
    assert {error.status_code for error in refused} == {409}
    assert all(holder in str(error.detail) for error in refused)
    handed = MedicationDispense.objects.values_list("item__position", "quantity")
    assert list(handed) == [(1, 30)]


@CONCURRENT
def test_of_two_pharmacies_one_claims(connection: Connection) -> None:
    prescription = issue(connection)

    racers = race(*claims_of(prescription, 2), gate=DispenseClaim)

    assert errors(racers) == ["", "Claimed"]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_second_would_fall_over_the_constraint(connection: Connection) -> None:
    prescription = issue(connection)

    racers = race(*claims_of(prescription, 2), gate=DispenseClaim)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


@CONCURRENT
def test_form_sent_twice_at_once_claims_once(connection: Connection) -> None:
    prescription = issue(connection)
    passed, client_id = open_paper(prescription), uuid7()
    acts = [lambda: claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=client_id)] * 2

    racers = race(*acts, gate=DispenseClaim)

    assert errors(racers) == ["", ""]
    assert racers[0].value == racers[1].value


@CONCURRENT
def test_stop_against_claim(connection: Connection) -> None:
    """Stopped before it is claimed, or asked to be stopped after."""
    first, second = issue(connection), issue(connection)
    (claim_first,), (claim_second,) = claims_of(first, 1), claims_of(second, 1)

    stopped_first = race(lambda: stop(first), claim_first, gate=DispenseClaim)
    with_gate = race(claim_second, lambda: stop(second), gate=DispenseClaim)

    assert errors(stopped_first) == ["", "NotActive"]
    assert errors(with_gate) == ["", ""]
    second = fresh(second)
    assert (second.status, second.is_stop_requested) == ("active", True)


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_stopped_one_falls_over_the_database(connection: Connection) -> None:
    prescription = issue(connection)
    (claiming,) = claims_of(prescription, 1)

    racers = race(claiming, lambda: stop(prescription), gate=DispenseClaim)

    assert errors(racers) == ["ProgrammingError", ""]
    assert fresh(prescription).status == "stopped"
    assert not DispenseClaim.objects.standing().exists()


@CONCURRENT
def test_amended_before_it_is_claimed(connection: Connection) -> None:
    prescription = issue(connection)
    (claiming,) = claims_of(prescription, 1)

    racers = race(lambda: amend(prescription), claiming, gate=Prescription)

    assert errors(racers) == ["", "NotActive"]


@CONCURRENT
def test_claimed_before_it_is_amended(connection: Connection) -> None:
    prescription = issue(connection)
    (claiming,) = claims_of(prescription, 1)

    racers = race(claiming, lambda: amend(prescription), gate=DispenseClaim)

    assert errors(racers) == ["", "HeldByPharmacy"]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_superseded_one_falls_over_the_database(connection: Connection) -> None:
    prescription = issue(connection)
    (claiming,) = claims_of(prescription, 1)

    racers = race(claiming, lambda: amend(prescription), gate=DispenseClaim)

    assert errors(racers) == ["ProgrammingError", ""]
    assert fresh(prescription).status == "superseded"
    assert not DispenseClaim.objects.standing().exists()


@CONCURRENT
def test_new_code_against_claim(connection: Connection) -> None:
    """A pass of the old paper claims before the code is replaced, or not at all."""
    first, second = issue(connection), issue(connection)
    (claim_first,), (claim_second,) = claims_of(first, 1), claims_of(second, 1)

    def renew(prescription: Prescription) -> Prescription:
        return reissue_code(actor=connection.patient, prescription_id=prescription.pk)

    renewed_first = race(lambda: renew(first), claim_first, gate=ReplacedCode)
    claimed_first = race(claim_second, lambda: renew(second), gate=DispenseClaim)

    assert errors(renewed_first) == ["", "PassNotValid"]
    assert errors(claimed_first) == ["", ""]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_pass_of_the_old_paper_would_claim(connection: Connection) -> None:
    prescription = issue(connection)
    (claiming,) = claims_of(prescription, 1)

    racers = race(
        lambda: reissue_code(actor=connection.patient, prescription_id=prescription.pk),
        claiming,
        gate=ReplacedCode,
    )

    assert errors(racers) == ["", ""]


@CONCURRENT
def test_stop_against_return(connection: Connection) -> None:
    """Whichever comes first, it is stopped and nobody holds it."""
    first, second = issue(connection), issue(connection)
    one, two = claim(first), claim(second)

    race(lambda: stop(first), lambda: return_prescription(secret=one.secret), gate=Prescription)
    race(lambda: return_prescription(secret=two.secret), lambda: stop(second), gate=DispenseClaim)

    assert [fresh(first).status, fresh(second).status] == ["stopped", "stopped"]
    assert not DispenseClaim.objects.standing().exists()


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_stop_would_be_asked_of_nobody(connection: Connection) -> None:
    prescription = issue(connection)
    held = claim(prescription)

    race(
        lambda: return_prescription(secret=held.secret),
        lambda: stop(prescription),
        gate=DispenseClaim,
    )

    assert fresh(prescription).is_stop_requested
    assert not DispenseClaim.objects.standing().exists()


def test_claim_of_one_cannot_dispense_another(connection: Connection) -> None:
    mine, other = issue(connection), issue(connection)
    held = claim(mine)
    item = other.items.get(position=1)

    with pytest.raises(Exception, match="Only who holds"), transaction.atomic():
        MedicationDispense.objects.create(
            claim=held.claim,
            item=item,
            quantity=1,
            dispensed_at=timezone.now(),
            client_id=uuid7(),
        )


def test_stop_asked_for_lets_nothing_more_be_handed_out(prescription: Prescription) -> None:
    held = claim(prescription)
    stop(prescription)

    with pytest.raises(StopRequested):
        dispense(secret=held.secret, lines=[Line(1, 1)], client_id=uuid7())


# --- Whoever writes -------------------------------------------------------------


def write_dispense(held: HeldClaim, at: dt.datetime) -> None:
    """Past the services."""
    with transaction.atomic():
        MedicationDispense.objects.create(
            claim=held.claim,
            item=held.claim.prescription.items.get(position=1),
            quantity=1,
            dispensed_at=at,
            client_id=uuid7(),
        )


def test_database_lets_nothing_be_handed_out_once_the_time_of_the_claim_is_over(
    connection: Connection,
) -> None:
    held = claim(issue(connection))
    over = held.claim.expires_at

    write_dispense(held, over - dt.timedelta(seconds=1))
    with pytest.raises(DatabaseError, match="Only who holds"):
        write_dispense(held, over)


def test_database_lets_nothing_be_handed_out_of_what_is_being_stopped(
    connection: Connection,
) -> None:
    issued = issue(connection)
    held = claim(issued)
    stop(issued)

    with pytest.raises(DatabaseError, match="Only what is active is dispensed"):
        write_dispense(held, held.claim.claimed_at)


def test_database_lets_nobody_hold_what_is_not_active(connection: Connection) -> None:
    issued = issue(connection)
    held = claim(issued)
    return_prescription(secret=held.secret)
    stop(issued)
    another = DispenseClaim.objects.get()
    another.pk, another.secret_digest = uuid7(), "another"
    another.ended_at, another.end_reason = None, ""

    with pytest.raises(DatabaseError, match="Only what is active is held"), transaction.atomic():
        another.save(force_insert=True)


def test_database_lets_nothing_end_while_a_pharmacy_holds_it(connection: Connection) -> None:
    issued = issue(connection)
    claim(issued)

    with pytest.raises(DatabaseError, match="holds is active"), transaction.atomic():
        Prescription.objects.filter(pk=issued.pk).update(
            status="stopped", status_reason="ALLERGY", status_at=issued.issued_at
        )
        with database.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
