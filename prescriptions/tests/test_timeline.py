"""The story of a prescription, and who reads it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import AccessEvent
from connections.models import Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.claims import expire_claims
from prescriptions.services.codes import reissue_code
from prescriptions.services.dispensing import withdraw_dispense
from prescriptions.services.disputing import dispute_claim
from prescriptions.services.issuing import Item, Order
from prescriptions.services.refills import decline_refill, request_refill
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.timeline import history_of, timeline
from prescriptions.tests.dispensing import claim, fresh, hand_out
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
ZZAPOL = Item(medicine="Zzapol", strength="5 mg", quantity=10, as_needed=True)
START = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def story(prescription: Prescription) -> list[str]:
    return [event.what.value for event in timeline(history_of(prescription, prescription.patient))]


def test_newest_comes_first_and_one_instant_keeps_its_order(
    connection: Connection, patient: User, doctor: User
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        issued = issue(connection, items=[ZZAPOL])
        clock.shift(60)
        order = Order(items=[ZZAPOL], notes="With water.")
        second = amend_prescription(actor=doctor, prescription_id=issued.pk, order=order)
        clock.shift(60)
        reissue_code(actor=patient, prescription_id=second.pk)
        clock.shift(60)
        held = claim(fresh(second))
        hand_out(held, (1, 4))
        clock.shift(60)
        withdraw_dispense(secret=held.secret, dispense_id=held.claim.dispenses.get().pk)
        clock.shift(60)
        hand_out(held, (1, 10))
        clock.shift(60)
        asked = request_refill(actor=patient, prescription_id=second.pk, note="It helps.")
        clock.shift(60)
        decline_refill(actor=doctor, request_id=asked.pk, reason="Come and see me.")

    assert story(second) == [
        "REFILL_DECLINED",
        "REFILL_REQUESTED",
        "COMPLETED",
        "DISPENSED",
        "DISPENSE_WITHDRAWN",
        "DISPENSED",
        "CLAIMED",
        "CODE_REPLACED",
        "AMENDED",
        "ISSUED",
    ]
    assert story(issued) == story(second)


@pytest.mark.parametrize(
    ("ends", "told"),
    [("returned", ["RETURNED"]), ("expired", ["CLAIM_EXPIRED"]), ("disputed", ["DISPUTED"])],
)
def test_each_end_of_a_claim_is_told(
    ends: str, told: list[str], connection: Connection, patient: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    held = claim(issued)
    match ends:
        case "returned":
            return_prescription(secret=held.secret)
        case "expired":
            expire_claims(held.claim.expires_at)
        case _:
            dispute_claim(actor=patient, prescription_id=issued.pk, claim_id=held.claim.pk)

    found = [what for what in story(issued) if what != "CODE_REPLACED"]

    assert sorted(found) == sorted([*told, "CLAIMED", "ISSUED"])


def test_stopping_that_waited_for_the_pharmacy_is_told_twice(
    connection: Connection, doctor: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    held = claim(issued)
    stop_prescription(
        actor=doctor, prescription_id=issued.pk, reason=StopReason.ALLERGY, note="A rash."
    )
    return_prescription(secret=held.secret)

    events = timeline(history_of(issued, doctor))

    stops = {event.what.value: event for event in events if "STOP" in event.what}
    assert set(stops) == {"STOP_REQUESTED", "STOPPED"}
    assert stops["STOPPED"].sentence == "Stopped: Allergy."
    assert stops["STOPPED"].detail == "A rash."


def test_api_gives_it_to_both_sides_and_opening_it_is_logged(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    hand_out(claim(issued), (1, 4))

    for reader in (patient, doctor):
        answer = api_client(reader).get(f"/api/v1/prescriptions/{issued.pk}/history")

        assert answer.status_code == 200
        assert [event["what"] for event in answer.json()] == ["DISPENSED", "CLAIMED", "ISSUED"]
        assert "4 × Zzapol 5 mg" in answer.json()[0]["sentence"]
        assert AccessEvent.objects.filter(
            action=AccessEvent.Action.READ, actor_id=reader.pk, object_id=issued.pk
        ).exists()


def test_reader_by_grant_and_strangers_find_nothing_and_nothing_is_logged(
    connection: Connection, patient: User, other_doctor: User, stranger: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    between = ConnectionFactory(patient=patient, doctor=other_doctor)
    sharing = Sharing(categories=[DataCategory.PRESCRIPTIONS])
    set_grant(actor=patient, connection_id=between.pk, sharing=sharing)

    for reader in (other_doctor, stranger):
        answer = api_client(reader).get(f"/api/v1/prescriptions/{issued.pk}/history")

        assert answer.status_code == 404
    assert not AccessEvent.objects.filter(action=AccessEvent.Action.READ).exists()


# --- The patient's own verbs on the paper ---------------------------------------------


def test_new_code_and_pin_by_api(connection: Connection, patient: User, doctor: User) -> None:
    issued = issue(connection, items=[ZZAPOL])
    url = f"/api/v1/prescriptions/{issued.pk}/code"

    answer = api_client(patient).post(url)

    now = fresh(issued)
    assert answer.status_code == 200
    assert answer.json()["verification_url"] == now.verification_url != issued.verification_url
    assert answer.json()["pin"] == now.pin
    assert api_client(doctor).post(url).status_code == 404


def test_pin_is_told_to_the_patient_alone(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    url = f"/api/v1/prescriptions/{issued.pk}"

    assert api_client(patient).get(url).json()["pin"] == issued.pin
    assert api_client(doctor).get(url).json()["pin"] is None
    stop_prescription(actor=doctor, prescription_id=issued.pk, reason=StopReason.ALLERGY)
    assert api_client(patient).get(url).json()["pin"] is None


def test_page_says_what_a_new_code_means_before_it_makes_one(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    browser, path = page_client(patient), f"/prescriptions/{issued.pk}/code"

    asked = browser.get(path).content.decode()
    before = fresh(issued).pin
    made = browser.post(path, {"code_made_at": issued.code_made_at.isoformat()})

    assert "stops working" in asked
    assert before == issued.pin
    assert f'value="{issued.code_made_at.isoformat()}"' in asked
    assert made.url == f"/prescriptions/{issued.pk}"
    assert fresh(issued).verification_digest != issued.verification_digest


def test_code_that_is_asked_for_twice_is_made_once(connection: Connection, patient: User) -> None:
    issued = issue(connection, items=[ZZAPOL])
    app, browser = api_client(patient), page_client(patient)
    url = f"/api/v1/prescriptions/{issued.pk}"
    said = {"code_made_at": app.get(url).json()["code_made_at"]}

    made = app.post(f"{url}/code", said, format="json")
    again = app.post(f"{url}/code", said, format="json")
    browser.post(f"/prescriptions/{issued.pk}/code", said)
    nonsense = browser.post(f"/prescriptions/{issued.pk}/code", {"code_made_at": "then"})

    assert (made.status_code, again.status_code, nonsense.status_code) == (200, 409, 400)
    assert again.json()["errors"][0]["code"] == "code_replaced"
    assert fresh(issued).pin == made.json()["pin"]


def test_new_code_takes_the_same_queries_however_many_medicines(
    connection: Connection, patient: User
) -> None:
    app = api_client(patient)

    def queries(*items: Item) -> int:
        issued = issue(connection, items=list(items))
        with CaptureQueriesContext(database) as asked:
            app.post(f"/api/v1/prescriptions/{issued.pk}/code")
        return len(asked)

    assert queries(ZZAPOL) == queries(ZZAPOL, ZZAPOL, ZZAPOL)


def test_page_of_a_new_code_leads_to_objecting_to_who_holds_it(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    path = f"/prescriptions/{issued.pk}/code"
    before = page_client(patient).get(path).content.decode()
    held = claim(issued)

    shown = page_client(patient).get(path).content.decode()

    assert "Nile Pharmacy" not in before
    assert "Nile Pharmacy" in shown
    assert f"/prescriptions/{issued.pk}/claims/{held.claim.pk}/dispute" in shown


def test_prescriber_who_has_parted_learns_of_no_pharmacy_any_more(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    with time_machine.travel(issued.issued_at, tick=False) as clock:
        clock.shift(60)
        first = claim(issued, "Nile Pharmacy")
        hand_out(first, (1, 4))
        clock.shift(60)
        end_connection(actor=patient, connection_id=connection.pk)
        clock.shift(60)
        withdraw_dispense(secret=first.secret, dispense_id=first.claim.dispenses.get().pk)
        return_prescription(secret=first.secret)
        clock.shift(60)
        hand_out(claim(fresh(issued), "Delta Pharmacy"), (1, 10))
        reissued = dispute_claim(
            actor=patient, prescription_id=issued.pk, claim_id=issued.claims.latest("pk").pk
        )
        clock.shift(60)

        told = api_client(doctor).get(f"/api/v1/prescriptions/{issued.pk}/history").json()
        (item,) = api_client(doctor).get(f"/api/v1/prescriptions/{issued.pk}").json()["items"]
        shown = page_client(doctor).get(f"/prescriptions/{issued.pk}").content.decode()
        own = page_client(patient).get(f"/prescriptions/{issued.pk}").content.decode()

    assert reissued.status == "completed"
    assert [event["what"] for event in told] == ["DISPENSED", "CLAIMED", "ISSUED"]
    assert "Nile Pharmacy" in shown
    assert "4 of 10 handed out" in " ".join(shown.split())
    assert (item["dispensed_quantity"], item["left_quantity"]) == (4, 6)
    assert "Delta Pharmacy" not in shown
    assert "Delta Pharmacy" in own


def test_page_says_what_an_objection_means_before_it_is_made(
    connection: Connection, patient: User
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    held = claim(issued)
    browser = page_client(patient)
    path = f"/prescriptions/{issued.pk}/claims/{held.claim.pk}/dispute"

    asked = browser.get(path).content.decode()
    is_held = held.claim.__class__.objects.get().ended_at is None
    sent = browser.post(path)

    assert "An administrator looks into it" in asked
    assert is_held
    assert sent.url == f"/prescriptions/{issued.pk}"
    assert held.claim.__class__.objects.get().end_reason == "DISPUTED"


@pytest.mark.parametrize("who", ["doctor", "stranger", "other_doctor"])
def test_nobody_else_makes_codes_or_objects(
    who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = issue(connection, items=[ZZAPOL])
    held = claim(issued)
    browser: Any = page_client(request.getfixturevalue(who))

    for tail in ("code", f"claims/{held.claim.pk}/dispute"):
        for send in (browser.get, browser.post):
            assert send(f"/prescriptions/{issued.pk}/{tail}").status_code == 404
    assert fresh(issued).pin == issued.pin
