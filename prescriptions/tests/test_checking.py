"""The safety check of an order against the patient's record: what is compared, what is named,
what is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AllergyIntolerance, MedicationStatement
from accounts.services.health import add_entry
from audit.models import AccessEvent
from common.errors import InvalidInput
from connections.models import Connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from prescriptions.models import (
    DispenseClaim,
    MedicationDispense,
    Prescription,
    PrescriptionItem,
    StopReason,
)
from prescriptions.safety import (
    Concern,
    Kind,
    OverrideReason,
    Report,
    from_json,
    reason_sentence,
)
from prescriptions.services.checking import Override, SafetyWarnings, check_order, settle
from prescriptions.services.issuing import Item, Order, issue_prescription
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def item(medicine: str, **changes: Any) -> Item:
    return Item(medicine=medicine, quantity=10, as_needed=True, **changes)


def checked(connection: Connection, *medicines: str, **terms: Any) -> Report:
    return check_order(
        actor=connection.doctor,
        connection=connection,
        items=[item(medicine) for medicine in medicines],
        **terms,
    )


def allergy(connection: Connection, substance: str) -> None:
    add_entry(actor=connection.patient, kind=AllergyIntolerance, values={"substance": substance})


def takes(connection: Connection, name: str) -> None:
    add_entry(actor=connection.patient, kind=MedicationStatement, values={"name": name})


def share(connection: Connection, *categories: str) -> None:
    set_grant(
        actor=connection.patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=categories),
    )


def elsewhere(connection: Connection, medicine: str, **changes: Any) -> Prescription:
    """What another doctor prescribed to the same patient."""
    other = ConnectionFactory(patient=connection.patient)
    return issue(other, items=[item(medicine, **changes)])


def dispensed(prescription: Prescription, *, ago: dt.timedelta, withdrawn: bool = False) -> None:
    """All of it was handed out, so long ago, and it is completed; unless that was withdrawn. Told
    by the clinic's clock: where summer time lies between, so many days are not so many times 24
    hours."""
    at = timezone.localtime() - ago
    claim = DispenseClaim.objects.create(
        prescription=prescription,
        pharmacy_name="El Ezaby",
        pharmacist_name="Nour",
        licence_number="1",
        secret_digest=uuid4().hex,
        claimed_at=at,
        expires_at=at + DispenseClaim.LASTS,
    )
    for each in prescription.items.all():
        MedicationDispense.objects.create(
            claim=claim,
            item=each,
            quantity=each.quantity,
            dispensed_at=at,
            withdrawn_at=at if withdrawn else None,
            client_id=uuid4(),
        )
    DispenseClaim.objects.filter(pk=claim.pk).update(ended_at=at, end_reason="COMPLETED")
    end(prescription, Prescription.Status.COMPLETED)


def end(prescription: Prescription, status: str) -> None:
    Prescription.objects.filter(pk=prescription.pk).update(status=status, status_at=timezone.now())


def about(report: Report) -> list[tuple[str, str, str]]:
    return [(each.medicine, each.against, str(each.against_kind)) for each in report.warnings]


def checks(connection: Connection) -> Sequence[AccessEvent]:
    return AccessEvent.objects.filter(
        patient_id=connection.patient_id, action=AccessEvent.Action.CHECKED
    )


# --- What is compared ------------------------------------------------------------------------


def test_an_empty_record_conflicts_with_nothing(connection: Connection):
    assert checked(connection, "Amoxicillin").is_clear


def test_allergies_medicines_and_prescriptions_are_compared(connection: Connection):
    share(connection, "ALLERGIES", "MEDICATIONS", "PRESCRIPTIONS")
    allergy(connection, "Penicillin")
    takes(connection, "Methotrexate")
    elsewhere(connection, "Flucloxacillin")

    report = checked(connection, "Amoxicillin")

    assert set(about(report)) == {
        ("Amoxicillin", "Penicillin", "ALLERGY"),
        ("Amoxicillin", "Methotrexate", "TAKEN"),
        ("Amoxicillin", "Flucloxacillin", "PRESCRIBED"),
    }


def test_the_record_of_another_patient_is_not_compared(connection: Connection):
    other = ConnectionFactory(doctor=connection.doctor)
    allergy(other, "Penicillin")
    takes(other, "Amoxicillin")
    issue(other, items=[item("Amoxicillin")])

    assert checked(connection, "Amoxicillin").is_clear


def test_items_say_where_they_stand(connection: Connection):
    allergy(connection, "Penicillin")

    report = checked(connection, "Paracetamol", "Amoxicillin", "Foozine")

    assert [each.position for each in report.warnings] == [2]
    assert [each.position for each in report.unchecked] == [3]


def test_what_is_replaced_is_not_compared_with(connection: Connection):
    before = issue(connection, items=[item("Amoxicillin")])

    assert checked(connection, "Amoxicillin").warnings
    assert checked(connection, "Amoxicillin", replaces=before).is_clear


def test_what_was_stopped_is_not_compared_with(connection: Connection):
    before = issue(connection, items=[item("Amoxicillin")])
    stop_prescription(
        actor=connection.doctor, prescription_id=before.pk, reason=StopReason.NOT_NEEDED
    )

    assert checked(connection, "Amoxicillin").is_clear


def test_what_expired_and_was_never_fetched_is_not_compared_with(
    connection: Connection, time_machine
):
    issue(connection, items=[item("Amoxicillin")])

    time_machine.move_to(timezone.now() + 31 * DAY)

    assert checked(connection, "Amoxicillin").is_clear


@pytest.mark.parametrize(("days", "ago", "is_taken"), [(30, 29, True), (30, 31, False)])
def test_what_was_fetched_is_taken_until_it_runs_out(
    connection: Connection, days: int, ago: int, is_taken: bool
):
    prescription = elsewhere(connection, "Warfarin", duration_days=days)
    dispensed(prescription, ago=ago * DAY)

    assert bool(checked(connection, "Ibuprofen").warnings) is is_taken


@pytest.mark.parametrize(("ago", "is_taken"), [(89, True), (91, False)])
def test_what_was_fetched_for_no_stated_time_is_taken_for_a_while(
    connection: Connection, ago: int, is_taken: bool
):
    dispensed(elsewhere(connection, "Warfarin"), ago=ago * DAY)

    assert bool(checked(connection, "Ibuprofen").warnings) is is_taken


def test_what_was_fetched_counts_after_the_prescription_expired(
    connection: Connection, time_machine
):
    prescription = elsewhere(connection, "Warfarin", duration_days=90, refills=1)
    dispensed_on = timezone.now() + 20 * DAY
    time_machine.move_to(dispensed_on)
    dispensed(prescription, ago=dt.timedelta())
    time_machine.move_to(dispensed_on + 80 * DAY)

    assert checked(connection, "Ibuprofen").warnings


def test_what_was_withdrawn_was_not_fetched(connection: Connection):
    dispensed(elsewhere(connection, "Warfarin", duration_days=30), ago=DAY, withdrawn=True)

    assert checked(connection, "Ibuprofen").is_clear


def test_use_on_the_skin_weighs_less(connection: Connection):
    takes(connection, "Simvastatin")
    orders = [item("Ketoconazole", route=route) for route in ("TOPICAL", "ORAL")]

    cream, tablet = (
        check_order(actor=connection.doctor, connection=connection, items=[order])
        for order in orders
    )

    assert [str(each.severity) for each in cream.warnings] == ["CAUTION"]
    assert [str(each.severity) for each in tablet.warnings] == ["CONTRAINDICATED"]


# --- What is named ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "kind"),
    [("ALLERGIES", "ALLERGY"), ("MEDICATIONS", "TAKEN"), ("PRESCRIPTIONS", "PRESCRIBED")],
)
def test_only_what_is_shared_is_named(connection: Connection, category: str, kind: str):
    share(connection, category)
    allergy(connection, "Amoxicillin")
    takes(connection, "Amoxicillin")
    elsewhere(connection, "Amoxicillin")

    report = checked(connection, "Amoxicillin")

    assert {(each.against_kind, each.is_named) for each in report.warnings} == {
        (each, str(each) == kind) for each in (Kind.ALLERGY, Kind.TAKEN, Kind.PRESCRIBED)
    }


def test_without_a_grant_all_is_compared_and_nothing_named(connection: Connection):
    allergy(connection, "Penicillin")
    takes(connection, "Secretol")

    report = checked(connection, "Amoxicillin")

    assert about(report) == [("Amoxicillin", "", "ALLERGY")]
    assert [each.name for each in report.unchecked] == [""]


def test_doctors_know_what_they_prescribed_themselves(connection: Connection):
    issue(connection, items=[item("Amoxicillin")])

    assert about(checked(connection, "Amoxicillin")) == [
        ("Amoxicillin", "Amoxicillin", "PRESCRIBED")
    ]


def test_what_is_taken_back_is_not_named_any_more(connection: Connection):
    allergy(connection, "Penicillin")
    share(connection, "ALLERGIES")
    before = checked(connection, "Amoxicillin")

    share(connection, "MEDICATIONS")

    after = checked(connection, "Amoxicillin")
    assert before.warnings[0].is_named
    assert not after.warnings[0].is_named


# --- What is logged --------------------------------------------------------------------------


def test_each_check_is_logged_once(connection: Connection):
    allergy(connection, "Penicillin")
    checked(connection, "Amoxicillin", "Ibuprofen", "Foozine")

    (event,) = checks(connection)

    assert event.actor_id == connection.doctor_id
    assert event.basis == AccessEvent.Basis.CARE


def test_a_refused_order_leaves_the_log_of_its_check(connection: Connection):
    allergy(connection, "Penicillin")
    with pytest.raises(SafetyWarnings):
        ordered(connection, "Amoxicillin")

    assert checks(connection).count() == 1
    assert not Prescription.objects.exists()


def test_the_number_of_queries_does_not_grow_with_the_record(connection: Connection):
    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            checked(connection, "Amoxicillin")
        return len(captured)

    elsewhere(connection, "Paracetamol")
    few = queries()
    for name in ("Warfarin", "Digoxin", "Omeprazole"):
        elsewhere(connection, name)
        takes(connection, name)
        allergy(connection, name)

    assert queries() == few


# --- What is settled -------------------------------------------------------------------------


def ordered(connection: Connection, *medicines: str, overrides: Any = ()) -> Prescription:
    order = Order(items=[item(medicine) for medicine in medicines], overrides=overrides)
    return issue_prescription(actor=connection.doctor, connection_id=connection.pk, order=order)


def refused(connection: Connection, *medicines: str) -> SafetyWarnings:
    with pytest.raises(SafetyWarnings) as refusal:
        ordered(connection, *medicines)
    return refusal.value


def test_a_warning_refuses_the_order_and_says_what_it_found(connection: Connection):
    share(connection, "ALLERGIES")
    allergy(connection, "Penicillin")

    refusal = refused(connection, "Amoxicillin")

    assert (refusal.code, refusal.status_code) == ("safety_warnings", 409)
    assert about(refusal.report) == [("Amoxicillin", "Penicillin", "ALLERGY")]
    assert refusal.extra["warnings"][0]["sentence"]


def test_with_a_reason_it_is_issued_and_the_reason_is_kept(connection: Connection):
    share(connection, "ALLERGIES")
    allergy(connection, "Penicillin")
    (warning,) = refused(connection, "Amoxicillin").report.warnings

    prescription = ordered(
        connection, "Amoxicillin", overrides=[Override(warning.key, "  Tolerated it in May. ")]
    )

    prescription.refresh_from_db()
    assert from_json(prescription.safety).warnings == (
        replace(warning, reason_code="OTHER", reason="Tolerated it in May."),
    )
    assert prescription.is_intact()


def test_each_warning_needs_its_own_reason(connection: Connection):
    allergy(connection, "Penicillin")
    allergy(connection, "Aspirin")
    first, _second = refused(connection, "Amoxicillin", "Ibuprofen").report.warnings

    with pytest.raises(SafetyWarnings):
        ordered(
            connection, "Amoxicillin", "Ibuprofen", overrides=[Override(first.key, "Tolerated.")]
        )


def test_a_reason_holds_for_items_in_another_order(connection: Connection):
    allergy(connection, "Penicillin")
    (warning,) = refused(connection, "Paracetamol", "Amoxicillin").report.warnings

    prescription = ordered(
        connection, "Amoxicillin", "Paracetamol", overrides=[Override(warning.key, "Tolerated.")]
    )

    assert prescription.safety["warnings"][0]["position"] == 1


@pytest.mark.parametrize(
    "reason", ["", "  ", "ok", " a  ", "x" * 301, "In \u202elatipsoh", "In\nhospital", "a\x00bc"]
)
def test_a_reason_is_one_line_to_be_read_neither_empty_nor_endless(
    connection: Connection, reason: str
):
    allergy(connection, "Penicillin")
    report = checked(connection, "Amoxicillin")

    with pytest.raises(InvalidInput) as refusal:
        settle(report, [Override(report.warnings[0].key, reason)])

    assert refusal.value.attr == "override_warnings"


def test_a_coded_reason_needs_no_words_and_is_read_in_any_language(connection: Connection):
    allergy(connection, "Penicillin")
    (warning,) = refused(connection, "Amoxicillin").report.warnings
    tolerated = Override(warning.key, reason_code=OverrideReason.TOLERATED)

    prescription = ordered(connection, "Amoxicillin", overrides=[tolerated])

    (kept,) = from_json(prescription.safety).warnings
    assert (kept.reason_code, kept.reason) == ("TOLERATED", "")
    assert reason_sentence(kept, "en") == "The patient has had it before without harm"
    monitored = replace(kept, reason_code=OverrideReason.MONITORED, reason="In hospital.")
    assert reason_sentence(monitored, "ar").endswith(": \u2068In hospital.\u2069")
    assert "closely" not in reason_sentence(monitored, "ar")


def test_a_reason_for_something_else_is_refused(connection: Connection):
    allergy(connection, "Penicillin")
    report = checked(connection, "Amoxicillin")

    with pytest.raises(InvalidInput):
        settle(report, [Override(key, "Tolerated.") for key in (report.warnings[0].key, "0" * 16)])


def test_what_was_found_since_is_not_covered(connection: Connection):
    allergy(connection, "Penicillin")
    (warning,) = refused(connection, "Amoxicillin").report.warnings
    takes(connection, "Methotrexate")

    with pytest.raises(SafetyWarnings) as refusal:
        ordered(connection, "Amoxicillin", overrides=[Override(warning.key, "Tolerated.")])

    assert {each.kind for each in refusal.value.report.warnings} == {
        Concern.ALLERGY,
        Concern.INTERACTION,
    }


def test_what_could_not_be_checked_is_kept_and_refuses_nothing(connection: Connection):
    prescription = ordered(connection, "Foozine")

    (unchecked,) = from_json(prescription.safety).unchecked
    assert (unchecked.position, unchecked.name) == (1, "Foozine")


def test_what_is_kept_does_not_name_what_is_not_shared(connection: Connection):
    allergy(connection, "Penicillin")
    takes(connection, "Secretol")
    (warning,) = refused(connection, "Amoxicillin").report.warnings

    prescription = ordered(
        connection, "Amoxicillin", overrides=[Override(warning.key, "The patient was asked.")]
    )

    kept = str(prescription.safety).lower()
    assert "penicillin" not in kept
    assert "secretol" not in kept
    assert "not shared" not in kept


def test_controlled_items_are_marked(connection: Connection):
    prescription = ordered(connection, "Codeine 30 mg", "Paracetamol")

    marks = PrescriptionItem.objects.filter(prescription=prescription).order_by("position")
    assert list(marks.values_list("is_controlled", flat=True)) == [True, False]


# --- At once ---------------------------------------------------------------------------------


def two_doctors(connection: Connection) -> list[str]:
    """Two doctors order at once what does not go together; what became of each."""
    other = ConnectionFactory(patient=connection.patient)
    racers = race(
        lambda: ordered(connection, "Warfarin"),
        lambda: ordered(other, "Ibuprofen"),
        gate=Prescription,
    )
    return sorted(errors(racers))


@pytest.mark.django_db(transaction=True)
def test_two_doctors_at_once_see_each_other(connection: Connection):
    assert two_doctors(connection) == ["", "SafetyWarnings"]
    assert Prescription.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_they_would_not(connection: Connection):
    """What the lock on the patient is for."""
    assert two_doctors(connection) == ["", ""]


def allergy_meanwhile(connection: Connection) -> list[str]:
    """The patient writes down an allergy while its medicine is ordered."""
    return errors(
        race(
            lambda: allergy(connection, "Penicillin"),
            lambda: ordered(connection, "Amoxicillin"),
            gate=AllergyIntolerance,
        )
    )


@pytest.mark.django_db(transaction=True)
def test_an_allergy_written_down_meanwhile_is_seen(connection: Connection):
    assert allergy_meanwhile(connection) == ["", "SafetyWarnings"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_it_would_be_missed(connection: Connection):
    assert allergy_meanwhile(connection) == ["", ""]
