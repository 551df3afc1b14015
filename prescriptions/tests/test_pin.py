"""Opening a paper by the patient's PIN: ten wrong ones in its life, whenever they come."""

from __future__ import annotations

import datetime as dt

import pgtrigger
import pytest
import time_machine
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from common.clock import clinic_date, clinic_midnight
from common.ids import uuid7
from connections.models import Connection
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import Prescription, PrescriptionItem, ReplacedCode, StopReason
from prescriptions.policies import NotActive
from prescriptions.services.claiming import claim_prescription
from prescriptions.services.codes import CodeReplaced, reissue_code
from prescriptions.services.pins import (
    CodeUnknown,
    NotAsIssued,
    PassNotValid,
    PinLocked,
    WrongPin,
    lock_passed,
    open_with_pin,
)
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import fresh, open_paper, pharmacy, wrong_pin
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
CONCURRENT = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def guess(prescription: Prescription, times: int = 1) -> list[str]:
    """The names of the refusals, one a wrong PIN."""
    said = []
    for _ in range(times):
        with pytest.raises((WrongPin, PinLocked)) as refused:
            open_with_pin(code=prescription.verification_code, pin=wrong_pin(prescription))
        said.append(refused.type.__name__)
    return said


def test_right_pin_gives_a_pass_to_this_prescription(prescription: Prescription) -> None:
    with transaction.atomic():
        assert lock_passed(open_paper(prescription)) == prescription


def test_opening_is_logged_as_a_reading(prescription: Prescription) -> None:
    open_paper(prescription)

    event = AccessEvent.objects.filter(action=AccessEvent.Action.READ).latest("seq")
    assert (event.actor_id, event.object_id, event.basis) == (None, prescription.pk, "QR")


def test_each_wrong_pin_that_is_judged_is_logged(prescription: Prescription) -> None:
    guess(prescription, 12)

    events = AccessEvent.objects.filter(action=AccessEvent.Action.PIN_REFUSED)
    assert set(events.values_list("actor_id", "object_id", "basis")) == {
        (None, prescription.pk, "QR")
    }
    assert events.count() == Prescription.PIN_TRIES


def test_two_who_open_it_at_once_get_different_passes(prescription: Prescription) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        assert open_paper(prescription) != open_paper(prescription)


@pytest.mark.parametrize("typed", ["١٢٣٤٥٦", "۱۲۳۴۵۶", " 123 456 ", "123-456"])
def test_pin_may_be_typed_as_people_type(prescription: Prescription, typed: str) -> None:
    Prescription.objects.update(pin="123456")

    opened, _passed = open_with_pin(code=prescription.verification_code, pin=typed)

    assert opened == prescription


def test_tenth_wrong_pin_closes_the_paper(prescription: Prescription) -> None:
    said = guess(prescription, 10)

    assert said == ["WrongPin"] * 9 + ["PinLocked"]
    with pytest.raises(PinLocked):
        open_paper(prescription)


def test_right_pin_gives_no_guess_back(prescription: Prescription) -> None:
    """Else who watches the pharmacy could guess nine times after each visit."""
    guess(prescription, 9)
    open_paper(prescription)

    assert guess(prescription) == ["PinLocked"]


def test_guesses_a_year_apart_count_together(connection: Connection) -> None:
    prescription = issue(connection, valid_until=clinic_date() + dt.timedelta(days=300))
    guess(prescription, 5)

    with time_machine.travel(timezone.now() + dt.timedelta(days=299)):
        assert guess(prescription, 5)[-1] == "PinLocked"


def test_patient_is_told_once_that_it_is_closed(prescription: Prescription, patient: User) -> None:
    guess(prescription, 12)

    told = Notification.objects.filter(recipient=patient, kind=Kind.PRESCRIPTION_LOCKED)
    assert [note.url for note in told] == [f"/prescriptions/{prescription.pk}"]


def test_answer_does_not_say_how_near_a_guess_was(prescription: Prescription) -> None:
    said = set()
    for _ in range(9):
        with pytest.raises(WrongPin) as refused:
            open_with_pin(code=prescription.verification_code, pin=wrong_pin(prescription))
        said.add((str(refused.value.detail), refused.value.code, refused.value.attr))

    assert len(said) == 1


def test_database_counts_no_eleventh(prescription: Prescription) -> None:
    with pytest.raises(IntegrityError, match="prescription_pin_tries_limited"):
        Prescription.objects.update(wrong_pins=11)


def test_new_code_gives_ten_new_guesses_and_ends_the_old_paper(
    prescription: Prescription, patient: User
) -> None:
    guess(prescription, 10)

    renewed = reissue_code(actor=patient, prescription_id=prescription.pk)

    with pytest.raises(CodeUnknown):
        open_with_pin(code=prescription.verification_code, pin=renewed.pin)
    assert guess(renewed, 10) == ["WrongPin"] * 9 + ["PinLocked"]


def test_pass_dies_with_the_code(prescription: Prescription, patient: User) -> None:
    passed = open_paper(prescription)
    reissue_code(actor=patient, prescription_id=prescription.pk)

    with transaction.atomic(), pytest.raises(PassNotValid):
        lock_passed(passed)


def test_pass_lasts_half_an_hour(prescription: Prescription) -> None:
    passed = open_paper(prescription)

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=29)), transaction.atomic():
        lock_passed(passed)
    with (
        time_machine.travel(timezone.now() + dt.timedelta(minutes=31)),
        transaction.atomic(),
        pytest.raises(PassNotValid),
    ):
        lock_passed(passed)


@pytest.mark.parametrize(
    "text",
    ["", "x", ":", "a:b:c", "é" * 50, "x" * 100_000, "\x00", "::::"],
    ids=["empty", "letter", "colon", "parts", "accents", "huge", "nul", "colons"],
)
def test_text_that_is_no_pass_opens_nothing(text: str) -> None:
    with transaction.atomic(), pytest.raises(PassNotValid):
        lock_passed(text)


def test_pass_signed_for_something_else_opens_nothing(prescription: Prescription) -> None:
    content = [str(prescription.pk), prescription.verification_digest, ""]

    with transaction.atomic(), pytest.raises(PassNotValid):
        lock_passed(signing.dumps(content, salt="something.else"))


def test_what_is_not_in_force_is_not_opened(prescription: Prescription, doctor: User) -> None:
    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED)

    with pytest.raises(NotActive):
        open_paper(prescription)


def test_expired_paper_is_not_opened(prescription: Prescription) -> None:
    over = clinic_midnight(prescription.valid_until + dt.timedelta(days=1))

    with time_machine.travel(over), pytest.raises(NotActive):
        open_paper(prescription)


def test_what_was_tampered_with_is_not_opened(prescription: Prescription) -> None:
    with pgtrigger.ignore("prescriptions.PrescriptionItem:never_changes"):
        PrescriptionItem.objects.filter(position=1).update(quantity=300)

    with pytest.raises(NotAsIssued):
        open_paper(prescription)


def test_what_was_tampered_with_since_is_neither_read_again_nor_claimed(
    prescription: Prescription,
) -> None:
    passed = open_paper(prescription)
    with pgtrigger.ignore("prescriptions.PrescriptionItem:never_changes"):
        PrescriptionItem.objects.filter(position=1).update(quantity=300)

    with pytest.raises(NotAsIssued):
        claim_prescription(passed=passed, pharmacy=pharmacy(), client_id=uuid7())


def test_code_that_was_replaced_meanwhile_is_not_replaced_again(
    prescription: Prescription, patient: User
) -> None:
    made_at = prescription.code_made_at
    first = reissue_code(actor=patient, prescription_id=prescription.pk, code_made_at=made_at)

    with pytest.raises(CodeReplaced):
        reissue_code(actor=patient, prescription_id=prescription.pk, code_made_at=made_at)

    assert fresh(prescription).pin == first.pin


def test_unknown_code_opens_nothing(db: None) -> None:
    with pytest.raises(CodeUnknown):
        open_with_pin(code="unknown", pin="123456")


@CONCURRENT
def test_guesses_at_once_are_each_counted(connection: Connection) -> None:
    prescription = issue(connection)
    guesses = [
        lambda: open_with_pin(code=prescription.verification_code, pin=wrong_pin(prescription))
    ] * 12

    racers = race(*guesses, gate=Prescription)

    assert errors(racers) == ["WrongPin"] * 9 + ["PinLocked"] * 3
    assert fresh(prescription).wrong_pins == 10


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_guesses_would_be_lost(connection: Connection) -> None:
    prescription = issue(connection)
    guesses = [
        lambda: open_with_pin(code=prescription.verification_code, pin=wrong_pin(prescription))
    ] * 12

    race(*guesses, gate=Prescription)

    assert fresh(prescription).wrong_pins < 10


@CONCURRENT
def test_new_code_and_right_pin_at_once(connection: Connection) -> None:
    """The PIN is judged against the paper it was shown with, or that paper is replaced."""
    prescription = issue(connection)

    racers = race(
        lambda: reissue_code(actor=connection.patient, prescription_id=prescription.pk),
        lambda: open_paper(prescription),
        gate=ReplacedCode,
    )

    assert errors(racers) == ["", "CodeUnknown"]


@CONCURRENT
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_replaced_paper_would_open(connection: Connection) -> None:
    prescription = issue(connection)

    racers = race(
        lambda: reissue_code(actor=connection.patient, prescription_id=prescription.pk),
        lambda: open_paper(prescription),
        gate=ReplacedCode,
    )

    assert errors(racers) == ["", ""]
