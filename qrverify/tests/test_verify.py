"""Verifying a prescription, by someone with no account."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pgtrigger
import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import Status, User
from accounts.tests.factories import DoctorFactory
from audit.models import AccessEvent
from common import crypto
from common.clock import clinic_date, clinic_midnight
from connections.models import Connection
from connections.services.connections import end_connection
from medisync.tests.client import api_client
from prescriptions.models import Prescription, PrescriptionItem, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.codes import reissue_code
from prescriptions.services.issuing import Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import PARACETAMOL, issue

pytestmark = pytest.mark.django_db
URL = "/api/v1/qr/verify"


def tampering() -> AbstractContextManager[None]:
    """The trigger looks away: what someone who rules the database could do."""
    return pgtrigger.ignore(
        "prescriptions.Prescription:ordered_once",
        "prescriptions.PrescriptionItem:never_changes",
        "prescriptions.PrescriptionItem:none_added",
    )


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def printed_on(prescription: Prescription) -> dict[str, Any]:
    """What the paper's QR says, read as a scanner reads it."""
    url = urlsplit(prescription.verification_url)
    query = parse_qs(url.query)
    return {
        "code": url.path.rpartition("/")[2],
        "version": int(query["v"][0]),
        "content_hash": query["h"][0],
    }


def stop(prescription: Prescription, reason: StopReason) -> None:
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=reason,
        note="A note to the patient.",
    )


def verify(paper: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = api_client().post(URL, paper | changes)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_issued_paper_is_authentic(prescription: Prescription) -> None:
    found = verify(printed_on(prescription))

    assert found == {
        "outcome": "authentic",
        "state": "active",
        "ended_on": None,
        "stop_class": None,
        "stop_requested": False,
        "current_version": None,
        "held_until": None,
        "locked": False,
        "number": prescription.number,
        "version": 1,
        "issued_at": prescription.issued_at.isoformat().replace("+00:00", "Z"),
        "valid_until": prescription.valid_until.isoformat(),
        "prescriber_name": "Karim Nabil",
        "prescriber_licence_number": prescription.doctor.doctor_profile.licence_number,
        "item_count": 2,
        "prescriber_suspended": False,
        "caution": None,
    }


def test_answer_does_not_say_what_was_prescribed_to_whom(prescription: Prescription) -> None:
    text = api_client().post(URL, printed_on(prescription)).content.decode()

    for hidden in ("Amlodipine", "Hypertension", "Mona", str(prescription.patient_id)):
        assert hidden not in text


def test_unknown_code_is_unknown(prescription: Prescription) -> None:
    found = verify(printed_on(prescription), code=crypto.new_secret())

    assert found["outcome"] == "unknown"
    assert {value for name, value in found.items() if name != "outcome"} == {None}


@pytest.mark.parametrize(
    "claim", [{"version": 2}, {"content_hash": "0" * 16}, {"version": 2, "content_hash": "0" * 16}]
)
def test_paper_that_claims_otherwise_is_altered(
    prescription: Prescription, claim: dict[str, Any]
) -> None:
    assert verify(printed_on(prescription), **claim)["outcome"] == "altered"


@pytest.mark.parametrize(
    "change",
    [
        {"diagnosis": "Hypertension."},
        {"notes": "x"},
        {"valid_until": dt.date(2099, 1, 1)},
        {"prescriber_name": "Karim Nabil "},
        {"prescriber_licence_number": "EG-9"},
        {"prescriber_specialization_ar": "x"},
        {"issued_at": timezone.now() - dt.timedelta(days=1)},
        {"number": "000-000-000"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tampered_prescription_is_altered(
    prescription: Prescription, change: dict[str, Any]
) -> None:
    paper = printed_on(prescription)
    with tampering():
        Prescription.objects.filter(pk=prescription.pk).update(**change)

    assert verify(paper)["outcome"] == "altered"


def test_prescription_moved_to_another_patient_is_altered(
    prescription: Prescription, stranger: User
) -> None:
    paper = printed_on(prescription)
    with tampering():
        Prescription.objects.update(patient=stranger)

    assert verify(paper)["outcome"] == "altered"


@pytest.mark.parametrize(
    "change",
    [
        {"medicine": "Amlodipinе"},  # the last letter is Cyrillic
        {"strength": "50 mg"},
        {"frequency": 2},
        {"frequency_unit": "WEEK"},
        {"quantity": 31},
        {"refills": 1},
        {"duration_days": None},
        {"route": "OTHER"},
        {"as_needed": True},
        {"instructions": " "},
        {"position": 9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_tampered_item_is_altered(prescription: Prescription, change: dict[str, Any]) -> None:
    with tampering():
        PrescriptionItem.objects.filter(position=1).update(**change)

    assert verify(printed_on(prescription))["outcome"] == "altered"


def test_added_item_is_altered(prescription: Prescription) -> None:
    with tampering():
        PrescriptionItem.objects.create(
            prescription=prescription, position=3, medicine="Diazepam", quantity=90, as_needed=True
        )

    assert verify(printed_on(prescription))["outcome"] == "altered"


def test_removed_item_is_altered(prescription: Prescription) -> None:
    with tampering():
        PrescriptionItem.objects.filter(position=2).delete()

    assert verify(printed_on(prescription))["outcome"] == "altered"


def test_tampering_with_the_hash_as_well_does_not_fit_the_paper(
    prescription: Prescription,
) -> None:
    paper = printed_on(prescription)
    with tampering():
        PrescriptionItem.objects.filter(position=1).update(quantity=300)
        items = list(PrescriptionItem.objects.all())
        Prescription.objects.update(content_hash=prescription.computed_content_hash(items))

    assert verify(paper)["outcome"] == "altered"


def test_expired_prescription_is_authentic_and_expired(prescription: Prescription) -> None:
    paper = printed_on(prescription)

    with time_machine.travel(clinic_midnight(prescription.valid_until + dt.timedelta(days=1))):
        found = verify(paper)

    assert (found["outcome"], found["state"]) == ("authentic", "expired")


@pytest.mark.parametrize(
    ("reason", "stop_class"),
    [
        (StopReason.ALLERGY, "MEDICAL"),
        (StopReason.PREGNANCY, "MEDICAL"),
        (StopReason.PATIENT_REQUEST, "NOT_NEEDED"),
        (StopReason.OTHER, "OTHER"),
    ],
)
def test_stopped_paper_says_so_and_roughly_why(
    prescription: Prescription, reason: StopReason, stop_class: str
) -> None:
    stop(prescription, reason)

    found = verify(printed_on(prescription))

    assert (found["outcome"], found["state"]) == ("authentic", "stopped")
    assert (found["stop_class"], found["ended_on"]) == (stop_class, clinic_date().isoformat())
    page = Client().get(prescription.verification_path).content.decode()
    assert "Stopped by the prescriber" in page
    assert 'name="pin"' not in page
    assert not any(word in page for word in ("Allergy", "Pregnancy", "note to the patient"))


def test_paper_written_by_mistake_says_so(prescription: Prescription) -> None:
    stop(prescription, StopReason.ENTERED_IN_ERROR)

    assert verify(printed_on(prescription))["state"] == "entered-in-error"
    page = Client().get(prescription.verification_path).content.decode()
    assert "<h1>Written by mistake</h1>" in page


def test_older_version_names_the_one_in_force(prescription: Prescription) -> None:
    for quantity in (21, 22):
        amend_prescription(
            actor=prescription.doctor,
            prescription_id=Prescription.objects.get(status="active").pk,
            order=Order(items=[replace(PARACETAMOL, quantity=quantity)]),
        )

    found = verify(printed_on(prescription))

    assert (found["outcome"], found["state"]) == ("authentic", "superseded")
    assert (found["version"], found["current_version"]) == (1, 3)
    page = Client().get(prescription.verification_path).content.decode()
    assert "This paper is version 1. Ask the patient for version 3." in page
    assert 'name="pin"' not in page


def test_replaced_print_says_so_and_nothing_else(prescription: Prescription) -> None:
    old = printed_on(prescription)
    reissue_code(actor=prescription.patient, prescription_id=prescription.pk)

    found = verify(old)

    assert found["outcome"] == "replaced"
    assert {value for name, value in found.items() if name != "outcome"} == {None}


def test_held_paper_says_until_when_and_not_by_whom(prescription: Prescription) -> None:
    held = claim(prescription)

    found = verify(printed_on(prescription))
    page = Client().get(prescription.verification_path).content.decode()

    assert parse_datetime(found["held_until"]) == held.claim.expires_at
    assert "A pharmacy is dispensing it just now" in page
    assert "Nile Pharmacy" not in page + str(found)


def test_stop_that_is_asked_for_is_said(prescription: Prescription) -> None:
    claim(prescription)
    stop(prescription, StopReason.ALLERGY)

    found = verify(printed_on(prescription))

    assert (found["state"], found["stop_requested"]) == ("active", True)
    page = Client().get(prescription.verification_path).content.decode()
    assert "<h1>Being stopped by the prescriber</h1>" in page
    assert 'name="pin"' not in page


def test_dispensed_paper_is_completed(prescription: Prescription) -> None:
    hand_out(claim(prescription), (1, 30), (2, 20))

    assert verify(printed_on(prescription))["state"] == "completed"
    page = Client().get(prescription.verification_path).content.decode()
    assert "<h1>Dispensed already</h1>" in page


def test_prescription_outlives_the_connection(prescription: Prescription) -> None:
    end_connection(actor=prescription.patient, connection_id=prescription.connection_id)

    assert verify(printed_on(prescription))["outcome"] == "authentic"


def test_prescription_outlives_the_doctors_standing(prescription: Prescription) -> None:
    User.objects.filter(pk=prescription.doctor_id).update(
        status=Status.SUSPENDED, first_name="Other", last_name="Name"
    )

    found = verify(printed_on(prescription))

    assert (found["outcome"], found["prescriber_name"]) == ("authentic", "Karim Nabil")


def test_every_look_is_logged_without_an_actor(prescription: Prescription) -> None:
    verify(printed_on(prescription))
    verify(printed_on(prescription), version=2)

    looks = AccessEvent.objects.filter(action="VERIFIED")
    assert [(look.actor_id, look.object_id) for look in looks] == [(None, prescription.pk)] * 2


def test_unknown_code_leaves_no_trace(prescription: Prescription) -> None:
    before = AccessEvent.objects.count()

    verify(printed_on(prescription), code="x")

    assert AccessEvent.objects.count() == before


def test_thirty_first_verification_in_a_minute_is_turned_away(
    prescription: Prescription,
) -> None:
    client, paper = api_client(), printed_on(prescription)

    statuses = [client.post(URL, paper).status_code for _ in range(31)]

    assert statuses == [200] * 30 + [429]


def test_bad_token_does_not_keep_a_pharmacist_out(prescription: Prescription) -> None:
    client = api_client()
    client.credentials(HTTP_AUTHORIZATION="Bearer expired")

    assert client.post(URL, printed_on(prescription)).status_code == 200


def test_codes_are_one_each(connection: Connection) -> None:
    papers = [printed_on(issue(connection)) for _ in range(3)]

    assert len({paper["code"] for paper in papers}) == 3
    assert all(len(paper["code"]) == 43 for paper in papers)


def test_paper_of_one_prescription_does_not_pass_for_another(connection: Connection) -> None:
    first, second = printed_on(issue(connection)), printed_on(issue(connection))

    assert verify(first, code=second["code"])["outcome"] == "altered"


def test_verification_costs_a_fixed_number_of_questions(
    connection: Connection, django_assert_num_queries
) -> None:
    papers = [printed_on(issue(connection)) for _ in range(2)]
    DoctorFactory()

    for paper in papers:
        with django_assert_num_queries(4):
            verify(paper)
