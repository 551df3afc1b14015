"""The page of one prescription: to its patient, its prescriber, and a reader by grant."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine

from accounts.models import AllergyIntolerance, User
from connections.models import AccessGrant, Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.codes import reissue_code
from prescriptions.services.disputing import dispute_claim
from prescriptions.services.issuing import Item, Order
from prescriptions.services.pins import PinLocked, WrongPin, open_with_pin
from prescriptions.services.refills import decline_refill, request_refill
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, hand_out, wrong_pin
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue

pytestmark = pytest.mark.django_db


def page(user: User, prescription: Prescription) -> str:
    """As text: no tags, single spaces."""
    answer = page_client(user).get(f"/prescriptions/{prescription.pk}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def stop(prescription: Prescription, **said: Any) -> None:
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        **{"reason": StopReason.ALLERGY} | said,
    )


def amend(prescription: Prescription, **changes: Any) -> Prescription:
    ordered = {"items": [AMLODIPINE], "diagnosis": "Hypertension"} | changes
    return amend_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, order=Order(**ordered)
    )


# --- The PIN -------------------------------------------------------------------


def test_patient_finds_the_pin_behind_a_disclosure(connection: Connection, patient: User) -> None:
    issued = issue(connection)

    shown = page(patient, issued)

    assert re.search(rf"<details[^>]*>(?!.*</details>.*{issued.pin}).*{issued.pin}", shown)


@pytest.mark.parametrize("over", ["stopped", "being stopped", "expired"])
def test_pin_and_code_are_gone_once_it_is_over(
    over: str, connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    if over == "being stopped":
        claim(issued)
    if over != "expired":
        stop(issued)
    day = issued.valid_until + dt.timedelta(days=1 if over == "expired" else 0)

    with time_machine.travel(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)):
        shown = page(patient, issued)

    assert issued.pin not in shown
    assert "verifies this prescription" not in shown
    assert "Show at the pharmacy" not in shown


def test_doctor_never_sees_the_pin(
    connection: Connection, patient: User, doctor: User, other_doctor: User
) -> None:
    issued = issue(connection)
    share_with(other_doctor, patient)

    for reader in (doctor, other_doctor):
        assert issued.pin not in page(reader, issued)


def test_locked_pin_is_not_shown_but_how_to_make_another(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    for _ in range(Prescription.PIN_TRIES):
        guess(issued)

    shown = page(patient, issued)

    assert issued.pin not in shown
    assert "This code opens nothing any more" in shown
    assert f"/prescriptions/{issued.pk}/code" in shown


def guess(prescription: Prescription) -> None:
    with pytest.raises((WrongPin, PinLocked)):
        open_with_pin(code=prescription.verification_code, pin=wrong_pin(prescription))


# --- How it stands ---------------------------------------------------------------


def test_stopped_says_when_why_and_what_to_do(connection: Connection, patient: User) -> None:
    issued = issue(connection)
    stop(issued, note="Your throat swelled.")

    shown = text(page(patient, issued))

    assert "Stopped on" in shown
    assert "The reason: Allergy." in shown
    assert "Your throat swelled." in shown
    assert "Do not take these medicines any more." in shown


def test_mistake_says_to_take_nothing(connection: Connection, patient: User) -> None:
    issued = issue(connection)
    stop(issued, reason=StopReason.ENTERED_IN_ERROR)

    assert "Take nothing of it." in text(page(patient, issued))


def test_doctor_is_not_told_what_to_take(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    stop(issued)

    assert "Do not take" not in page(doctor, issued)


def test_stop_that_was_asked_for_is_told_while_a_pharmacy_holds_it(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    claim(issued)
    stop(issued)

    shown = text(page(patient, issued))

    assert "It is being stopped" in shown
    assert "Do not take these medicines any more." in shown


def test_older_version_leads_to_the_current_and_says_what_changed(
    connection: Connection, patient: User
) -> None:
    first = issue(connection)
    second = amend(first, items=[Item(**{**vars_of(AMLODIPINE), "strength": "10 mg"})])

    shown = page(patient, first)

    assert "This is an older version" in shown
    assert f'href="/prescriptions/{second.pk}"' in shown
    assert re.search(r"<del><bdi>5 mg</bdi></del>.*<ins><bdi>10 mg</bdi></ins>", shown)
    assert "Removed: <bdi>Paracetamol 500 mg</bdi>" in shown


def vars_of(item: Item) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Item.__dataclass_fields__}


def test_single_version_shows_no_versions(connection: Connection, patient: User) -> None:
    assert "The one you are reading" not in page(patient, issue(connection))


def test_completed_and_expired_say_so(connection: Connection, patient: User) -> None:
    done, late = issue(connection), issue(connection)
    hand_out(claim(done), (1, 30), (2, 20))

    assert "Everything was handed out" in page(patient, done)
    day = late.valid_until + dt.timedelta(days=1)
    with time_machine.travel(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)):
        assert "Its days are over" in page(patient, late)


# --- Dispensing -------------------------------------------------------------------


def test_patient_sees_who_holds_it_and_can_say_that_it_was_not_them(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    held = claim(issued, "<Nile> Pharmacy")

    shown = page(patient, issued)

    assert "&lt;Nile&gt; Pharmacy is dispensing it now" in shown
    assert "as they say themselves" in shown
    assert f"/prescriptions/{issued.pk}/claims/{held.claim.pk}/dispute" in shown


def test_doctor_sees_who_holds_it_and_disputes_nothing(
    connection: Connection, doctor: User
) -> None:
    issued = issue(connection)
    claim(issued)

    shown = page(doctor, issued)

    assert "Nile Pharmacy is dispensing it now" in shown
    assert "/dispute" not in shown


def test_before_anything_is_handed_out_it_says_of_how_much(
    connection: Connection, patient: User
) -> None:
    shown = text(page(patient, issue(connection, items=[PARACETAMOL])))

    assert "Nothing of 20 handed out yet" in shown
    assert "refills included" not in shown


def test_medicines_stand_in_an_arabic_list_with_its_comma(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    hand_out(claim(issued), (1, 30), (2, 5))
    patient.language = "ar"
    patient.save(update_fields=["language"])

    shown = text(page(patient, issued))

    assert "5 mg\u2069، \u20685 × Paracetamol" in shown


def test_what_was_handed_out_and_what_is_left(connection: Connection, patient: User) -> None:
    issued = issue(connection, items=[Item(**{**vars_of(AMLODIPINE), "refills": 1}), PARACETAMOL])
    held = claim(issued)
    hand_out(held, (1, 30), (2, 5))
    return_prescription(secret=held.secret)

    shown = text(page(patient, issued))

    assert "30 of 60 handed out · refills included · next refill from" in shown
    assert "5 of 20 handed out" in shown
    assert "30 × Amlodipine 5 mg" in shown
    assert "is dispensing it now" not in shown


def test_objection_is_shown_and_not_offered_twice(connection: Connection, patient: User) -> None:
    issued = issue(connection)
    held = claim(issued)
    dispute_claim(actor=patient, prescription_id=issued.pk, claim_id=held.claim.pk)

    shown = page(patient, issued)

    assert "You did not know of it" in shown
    assert "You know nothing of" in shown
    assert "The patient" not in shown
    assert "The patient did not know of it" in page(connection.doctor, issued)
    assert "/dispute" not in shown


# --- Asking for it again ------------------------------------------------------------


def test_patient_is_offered_to_ask_again_while_the_doctor_may_prescribe(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection)
    ask = f'href="/prescriptions/{issued.pk}/refill"'
    offered = page(patient, issued)
    end_connection(actor=patient, connection_id=connection.pk)

    assert ask in offered
    assert ask not in page(patient, issued)


def test_request_waits_and_then_says_why_it_was_declined(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection)
    asked = request_refill(actor=patient, prescription_id=issued.pk, note="It helps.")
    waiting, seen = page(patient, issued), page(doctor, issued)
    decline_refill(actor=doctor, request_id=asked.pk, reason="Come and see me first.")

    assert f'action="/refills/{asked.pk}/cancel"' in waiting
    assert f"refill={asked.pk}" in seen
    assert f'href="/refills/{asked.pk}/decline"' in seen
    assert "Come and see me first." in page(patient, issued)


# --- Readers -----------------------------------------------------------------------


def share_with(doctor: User, patient: User) -> AccessGrant:
    between = ConnectionFactory(patient=patient, doctor=doctor)
    sharing = Sharing(categories=[DataCategory.PRESCRIPTIONS])
    return set_grant(actor=patient, connection_id=between.pk, sharing=sharing)


def test_reader_by_grant_reads_the_order_alone(
    connection: Connection, patient: User, other_doctor: User
) -> None:
    issued = issue(connection)
    claim(issued)
    share_with(other_doctor, patient)

    shown = page(other_doctor, issued)

    assert "Amlodipine" in shown
    for secret in ("Nile Pharmacy", "What happened", "verifies this prescription", "/code"):
        assert secret not in shown


def test_reader_by_grant_is_told_that_it_was_stopped(
    connection: Connection, patient: User, other_doctor: User
) -> None:
    issued = issue(connection)
    stop(issued)
    share_with(other_doctor, patient)

    assert "The reason: Allergy." in text(page(other_doctor, issued))


@pytest.mark.parametrize(("who", "is_offered"), [("doctor", True), ("patient", False)])
def test_only_the_prescriber_is_offered_to_change_and_stop_it(
    who: str, is_offered: bool, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = issue(connection)

    shown = page(request.getfixturevalue(who), issued)

    for verb in (f"/prescriptions/{issued.pk}/amend", f"/prescriptions/{issued.pk}/stop"):
        assert (verb in shown) is is_offered


def test_what_was_overridden_is_read_with_its_reason(connection: Connection, patient: User) -> None:
    issue(connection)
    again = issue(connection)

    shown = text(page(patient, again))

    assert "Checked when it was issued" in shown
    assert "Prescribed all the same, because: It is known." in shown


def test_patient_is_not_spoken_to_as_the_prescriber_was(
    connection: Connection, patient: User, doctor: User
) -> None:
    AllergyIntolerance.objects.create(patient=patient, substance="Foozine")
    issued = issue(connection)

    shown, to_doctor = text(page(patient, issued)), text(page(doctor, issued))

    assert "not shared with you" in to_doctor
    assert "not shared with you" not in shown
    assert "which the doctor could not see, was not compared with these medicines" in shown


def hidden_conflict(connection: Connection) -> Prescription:
    """With one that the prescriber was not shown, and one name that was compared with nothing."""
    for substance in ("Amlodipine", "Foozine"):
        AllergyIntolerance.objects.create(patient=connection.patient, substance=substance)
    return issue(connection)


@pytest.mark.parametrize(("who", "is_told"), [("doctor", True), ("patient", False)])
def test_only_the_prescriber_is_told_over_the_api_what_is_not_shared_with_them(
    who: str, is_told: bool, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = hidden_conflict(connection)

    answer = api_client(request.getfixturevalue(who)).get(f"/api/v1/prescriptions/{issued.pk}")

    kept = answer.json()["safety"]
    for finding in (*kept["warnings"], *kept["unchecked"]):
        assert ("not shared with you" in finding["sentence"]) is is_told


def test_story_takes_the_same_queries_however_long(
    connection: Connection, patient: User, django_assert_num_queries: Any
) -> None:
    issued = issue(connection)
    second = amend(issued)
    for amount in (5, 6):
        held = claim(fresh(second))
        hand_out(held, (1, amount))
        return_prescription(secret=held.secret)
    reissue_code(actor=patient, prescription_id=second.pk)
    browser = page_client(patient)

    # cookie, device session, savepoint (2), prescription, items, log; versions, items, claims,
    # dispenses, requests, codes; doctor; unread count
    with django_assert_num_queries(18):
        browser.get(f"/prescriptions/{second.pk}")
