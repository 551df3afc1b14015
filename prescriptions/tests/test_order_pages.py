"""The pages on which a doctor issues, changes and stops a prescription."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from accounts.models import AllergyIntolerance, User
from audit.models import AccessEvent
from common.ids import uuid7
from connections.models import Connection, DataCategory
from connections.services.connections import end_connection
from connections.services.grants import Sharing, set_grant
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription, PrescriptionTemplate, RefillRequest, StopReason
from prescriptions.services.amending import amend_prescription
from prescriptions.services.claiming import return_prescription
from prescriptions.services.issuing import Order
from prescriptions.services.refills import decline_refill, request_refill
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.templates import save_template
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue
from prescriptions.tests.test_pages import AMOXICILLIN, form, prescribe
from prescriptions.views.writing import full_years

pytestmark = pytest.mark.django_db
RAMIPRIL = {"medicine": "Ramipril", "frequency": "1", "quantity": "30"}


@pytest.fixture
def allergic(connection: Connection) -> Connection:
    AllergyIntolerance.objects.create(
        patient=connection.patient, substance="Penicillin", criticality="HIGH"
    )
    return connection


def medicines(answer: Any) -> list[str]:
    return [row["medicine"].value() or "" for row in answer.context["rows"]]


def asked(answer: Any) -> list[str]:
    """The keys of the warnings on a page."""
    return [finding.warning.key for finding in answer.context["findings"]]


def because(keys: list[str], reason: str = "MONITORED", text: str = "") -> dict[str, Any]:
    said: dict[str, Any] = {"override": keys}
    for key in keys:
        said |= {f"override-{key}-reason": reason, f"override-{key}-text": text}
    return said


# --- What it begins with -----------------------------------------------------------


def test_form_begins_empty_with_no_last_day(connection: Connection, doctor: User) -> None:
    page = page_client(doctor).get(prescribe(connection))

    assert medicines(page) == [""]
    assert page.context["form"]["valid_until"].value() is None


def test_last_day_left_empty_follows_the_refills(connection: Connection, doctor: User) -> None:
    data = form(RAMIPRIL | {"refills": "2", "duration_days": "30"}, valid_until="")

    page_client(doctor).post(prescribe(connection), data)

    issued = Prescription.objects.get()
    assert (issued.valid_until - issued.issued_on).days == 90


def test_form_begins_with_the_last_prescription(connection: Connection, doctor: User) -> None:
    issue(connection, items=[AMLODIPINE])
    last = issue(connection, notes="Rest.")
    browser = page_client(doctor)

    link = f"{prescribe(connection)}?repeat={last.pk}"
    assert link in browser.get(prescribe(connection)).content.decode()
    page = browser.get(link)

    assert medicines(page) == ["Amlodipine", "Paracetamol"]
    assert page.context["form"]["notes"].value() == "Rest."
    assert page.context["rows"].forms[0]["strength"].value() == "5 mg"
    assert page.context["form"]["valid_until"].value() is None


def test_mistake_is_not_the_last_prescription(connection: Connection, doctor: User) -> None:
    mistake = issue(connection)
    stop_prescription(actor=doctor, prescription_id=mistake.pk, reason=StopReason.ENTERED_IN_ERROR)

    assert page_client(doctor).get(prescribe(connection)).context["last"] is None


def test_form_begins_with_what_another_doctor_shares(
    connection: Connection, doctor: User, other_doctor: User, patient: User
) -> None:
    theirs = issue(ConnectionFactory(patient=patient, doctor=other_doctor))
    browser = page_client(doctor)
    link = f"{prescribe(connection)}?repeat={theirs.pk}"
    assert browser.get(link).status_code == 404

    set_grant(
        actor=patient,
        connection_id=connection.pk,
        sharing=Sharing(categories=[DataCategory.PRESCRIPTIONS]),
    )

    assert medicines(browser.get(link)) == ["Amlodipine", "Paracetamol"]
    assert AccessEvent.objects.filter(actor_id=doctor.pk, object_id=theirs.pk).exists()


@pytest.mark.parametrize("name", ["repeat", "refill", "template"])
@pytest.mark.parametrize("value", ["x", "01a20630-bf62-721f-95cb-0d691c4b8398", "%00"])
def test_form_begins_with_nothing_unknown(
    connection: Connection, doctor: User, name: str, value: str
) -> None:
    page = page_client(doctor).get(f"{prescribe(connection)}?{name}={value}")

    assert page.status_code == 404


def test_prescription_of_another_patient_is_no_beginning(
    connection: Connection, doctor: User, stranger: User
) -> None:
    elsewhere = issue(ConnectionFactory(patient=stranger, doctor=doctor))

    page = page_client(doctor).get(f"{prescribe(connection)}?repeat={elsewhere.pk}")

    assert page.status_code == 404


def test_form_answers_a_patients_request(
    connection: Connection, doctor: User, patient: User
) -> None:
    older = issue(connection)
    request = request_refill(actor=patient, prescription_id=older.pk, note="It helps.")
    browser = page_client(doctor)

    page = browser.get(f"{prescribe(connection)}?refill={request.pk}")

    assert "It helps." in page.content.decode()
    assert medicines(page) == ["Amlodipine", "Paracetamol"]
    sent = form(RAMIPRIL, refill_request_id=page.context["form"]["refill_request_id"].value())
    browser.post(prescribe(connection), sent)
    assert RefillRequest.objects.get().answered_with == Prescription.objects.first()


@pytest.mark.parametrize("button", ["add", "check"])
def test_page_goes_on_saying_which_request_it_answers(
    button: str, connection: Connection, doctor: User, patient: User
) -> None:
    request = request_refill(actor=patient, prescription_id=issue(connection).pk, note="It helps.")
    sent = form(RAMIPRIL, refill_request_id=str(request.pk)) | {button: "1"}

    page = page_client(doctor).post(prescribe(connection), sent)

    assert page.status_code == 200
    assert "It helps." in page.content.decode()


def test_what_the_patient_asks_for_again_does_not_conflict_with_itself(
    connection: Connection, doctor: User, patient: User
) -> None:
    older = issue(connection, items=[AMLODIPINE])
    request = request_refill(actor=patient, prescription_id=older.pk)
    sent = form(RAMIPRIL | {"medicine": "Amlodipine"}, refill_request_id=str(request.pk))
    browser = page_client(doctor)

    seen = browser.post(prescribe(connection), sent | {"check": "1"})
    issued = browser.post(prescribe(connection), sent | because(asked(seen)))

    assert asked(seen) == []
    assert issued.status_code == 302


@pytest.mark.parametrize("request_id", ["", "x", "\x00", str(uuid7())], ids=range(4))
def test_page_of_no_request_names_none(
    request_id: str, connection: Connection, doctor: User
) -> None:
    sent = form(RAMIPRIL, refill_request_id=request_id, add="1")

    page = page_client(doctor).post(prescribe(connection), sent)

    assert page.status_code == 200
    assert page.context["answered"] is None


def test_request_that_is_answered_is_no_beginning(
    connection: Connection, doctor: User, patient: User
) -> None:
    request = request_refill(actor=patient, prescription_id=issue(connection).pk)
    decline_refill(actor=doctor, request_id=request.pk, reason="Come and see me.")

    page = page_client(doctor).get(f"{prescribe(connection)}?refill={request.pk}")

    assert page.status_code == 409


def test_form_begins_with_a_template_of_ones_own(
    connection: Connection, doctor: User, other_doctor: User
) -> None:
    mine = save_template(actor=doctor, name="Throat", order=Order(items=[PARACETAMOL]))
    theirs = save_template(actor=other_doctor, name="Throat", order=Order(items=[PARACETAMOL]))
    browser = page_client(doctor)

    assert medicines(browser.get(f"{prescribe(connection)}?template={mine.pk}")) == ["Paracetamol"]
    assert browser.get(f"{prescribe(connection)}?template={theirs.pk}").status_code == 404
    assert browser.get(f"{prescribe(connection)}?template=").status_code == 200


def test_what_is_typed_becomes_a_template(connection: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN, template="1", save_as="Throat")

    page = browser.post(prescribe(connection), data)

    kept = PrescriptionTemplate.objects.get()
    assert (kept.name, kept.items[0]["medicine"]) == ("Throat", "Amoxicillin")
    assert medicines(page) == ["Amoxicillin"]
    assert not Prescription.objects.exists()
    again = browser.post(prescribe(connection), data)
    assert again.status_code == 409
    assert again.context["form"].errors["save_as"]
    unnamed = browser.post(prescribe(connection), data | {"save_as": ""})
    assert unnamed.status_code == 400


# --- What the safety check finds -------------------------------------------------


def test_conflict_comes_back_with_all_that_was_typed(allergic: Connection, doctor: User) -> None:
    page = page_client(doctor).post(prescribe(allergic), form(AMOXICILLIN, notes="Rest."))

    said = page.content.decode()
    assert page.status_code == 409
    assert medicines(page) == ["Amoxicillin"]
    assert page.context["form"]["notes"].value() == "Rest."
    assert "Must not be given" in said
    assert "badge--danger" in said
    assert not Prescription.objects.exists()


def test_reason_is_asked_for_and_kept(allergic: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN)
    keys = asked(browser.post(prescribe(allergic), data))

    unsaid = browser.post(prescribe(allergic), data | because(keys, reason="OTHER"))
    assert unsaid.status_code == 409
    assert unsaid.context["findings"][0].form.errors == {"text": ["Say what the reason is."]}

    sent = browser.post(prescribe(allergic), data | because(keys, text="In hospital."))
    assert sent.status_code == 302
    (kept,) = Prescription.objects.get().safety["warnings"]
    assert (kept["reason_code"], kept["reason"]) == ("MONITORED", "In hospital.")


def test_reason_outlives_another_medicine(allergic: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN)
    said = because(asked(browser.post(prescribe(allergic), data)))

    added = browser.post(prescribe(allergic), data | said | {"add": "row"})

    assert set(added.context["kept_answers"]) == {
        (name, value)
        for name, values in said.items()
        for value in (values if isinstance(values, list) else [values])
    }


def test_reason_for_what_no_longer_conflicts_is_asked_to_be_checked_again(
    allergic: Connection, doctor: User
) -> None:
    browser = page_client(doctor)
    said = because(asked(browser.post(prescribe(allergic), form(AMOXICILLIN))))

    page = browser.post(prescribe(allergic), form(RAMIPRIL) | said)

    assert page.status_code == 400
    assert page.context["findings"] == []
    assert browser.post(prescribe(allergic), form(RAMIPRIL)).status_code == 302


def test_unknown_name_is_shown_before_it_is_issued(connection: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    data = form(RAMIPRIL | {"medicine": "Ramiprill"})

    page = browser.post(prescribe(connection), data)

    (unknown,) = page.context["unknown"]
    assert (unknown.name, unknown.row, unknown.suggestion) == ("Ramiprill", 0, "ramipril")
    assert not Prescription.objects.exists()
    sent = browser.post(prescribe(connection), data | {"not_checked": "Ramiprill"})
    assert sent.status_code == 302
    assert Prescription.objects.get().safety["unchecked"][0]["name"] == "Ramiprill"


def test_name_that_was_meant_is_put_in_its_place(connection: Connection, doctor: User) -> None:
    data = form(RAMIPRIL | {"medicine": "Ramiprill"}, instead="0:ramipril")

    page = page_client(doctor).post(prescribe(connection), data)

    assert medicines(page) == ["ramipril"]
    assert page.context["unknown"] == []
    assert not Prescription.objects.exists()


@pytest.mark.parametrize(
    ("instead", "status", "name"),
    [(typed, 200, "Ramipril") for typed in ("", "x", "9:a", "0:", "-1:a", "\x00")]
    + [("0:" + "x" * 300, 400, "x" * 300)],
    ids=range(7),
)
def test_hostile_correction_is_survived(
    connection: Connection, doctor: User, instead: str, status: int, name: str
) -> None:
    page = page_client(doctor).post(prescribe(connection), form(RAMIPRIL, instead=instead))

    assert page.status_code == status
    assert medicines(page) == [name]
    assert not Prescription.objects.exists()


def use_up_checks(connection: Connection, count: int) -> None:
    app, body = api_client(connection.doctor), {"items": [{"medicine": "x"}]}
    for _ in range(count):
        app.post(f"/api/v1/prescriptions/connections/{connection.pk}/check", body)


@pytest.mark.parametrize("verb", ["issue", "amend"])
@pytest.mark.parametrize("by", ["page", "api"])
def test_what_is_sent_counts_as_a_check(allergic: Connection, by: str, verb: str) -> None:
    """Its refusal says what is in the record, as a check does."""
    doctor, issued = allergic.doctor, issue(allergic)
    path = prescribe(allergic) if verb == "issue" else amend(issued)
    body = {"items": [{"medicine": "Amoxicillin", "frequency": 1, "quantity": 9}]}
    api = f"/api/v1/prescriptions/connections/{allergic.pk}"

    def send() -> Any:
        if by == "page":
            return page_client(doctor).post(path, form(AMOXICILLIN, confirm="1"))
        if verb == "issue":
            return api_client(doctor).post(api, body)
        return api_client(doctor).put(f"/api/v1/prescriptions/{issued.pk}", body)

    with time_machine.travel(timezone.now(), tick=False):
        use_up_checks(allergic, 29)
        answers = [send(), send()]

    assert [answer.status_code for answer in answers] == [409, 429]
    assert Prescription.objects.count() == 1
    if by == "page":
        assert medicines(answers[1]) == ["Amoxicillin"]


def test_check_alone_issues_nothing(connection: Connection, doctor: User) -> None:
    page = page_client(doctor).post(prescribe(connection), form(RAMIPRIL, check="1"))

    assert "The safety check found no conflict" in page.content.decode()
    assert not Prescription.objects.exists()


# --- Changing ---------------------------------------------------------------------


def amend(prescription: Prescription) -> str:
    return f"/prescriptions/{prescription.pk}/amend"


def as_issued(prescription: Prescription, **changes: Any) -> dict[str, Any]:
    """The form of a change as it is filled in, with these changes."""
    rows = [
        {
            "medicine": item.medicine, "strength": item.strength, "quantity": item.quantity,
            "frequency": item.frequency or "", "duration_days": item.duration_days or "",
        } | ({"as_needed": "on"} if item.as_needed else {})
        for item in prescription.items.all()
    ]  # fmt: skip
    return form(*rows, valid_until=prescription.valid_until.isoformat(), **changes)


def test_form_begins_with_what_was_issued(connection: Connection, doctor: User) -> None:
    issued = issue(connection, notes="Rest.")

    page = page_client(doctor).get(amend(issued))

    assert medicines(page) == ["Amlodipine", "Paracetamol"]
    assert page.context["form"]["valid_until"].value() == issued.valid_until
    assert page.context["form"]["notes"].value() == "Rest."


def test_difference_is_shown_and_nothing_issued(connection: Connection, doctor: User) -> None:
    issued = issue(connection)

    page = page_client(doctor).post(amend(issued), as_issued(issued, **{"items-0-quantity": "60"}))

    said = page.content.decode()
    assert page.status_code == 200
    assert '<del dir="auto">30</del>' in said
    assert '<ins dir="auto">60</ins>' in said
    assert "As before" in said
    assert Prescription.objects.count() == 1


def test_confirmed_difference_is_issued(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    browser = page_client(doctor)
    page = browser.post(amend(issued), as_issued(issued, **{"items-0-quantity": "60"}))

    sent = browser.post(amend(issued), dict(page.context["sent"]) | {"confirm": "1"})

    new = Prescription.objects.get(version=2)
    assert sent.url == f"/prescriptions/{new.pk}"
    assert [item.quantity for item in new.items.all()] == [60, 20]


def test_difference_is_shown_with_what_the_check_says(allergic: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    issued = issue(allergic)
    data = form(AMOXICILLIN)

    page = browser.post(amend(issued), data)
    (key,) = asked(page)
    unanswered = browser.post(amend(issued), dict(page.context["sent"]) | {"confirm": "1"})
    confirmed = dict(page.context["sent"]) | {"confirm": "1"} | because([key])
    sent = browser.post(amend(issued), confirmed)

    assert page.status_code == 200
    assert page.templates[0].name == unanswered.templates[0].name
    assert unanswered.status_code == 409
    assert asked(unanswered) == [key]
    assert sent.status_code == 302
    (kept,) = Prescription.objects.get(version=2).safety["warnings"]
    assert (kept["reason_code"], kept["reason"]) == ("MONITORED", "")


def test_change_begins_with_the_code_and_the_words_given_before(
    allergic: Connection, doctor: User
) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN)
    said = because(asked(browser.post(prescribe(allergic), data)), text="In hospital.")
    browser.post(prescribe(allergic), data | said)
    issued = Prescription.objects.get()

    page = browser.post(amend(issued), data | {"items-0-quantity": "42"})

    (finding,) = page.context["findings"]
    assert finding.form["reason"].value() == "MONITORED"
    assert finding.form["text"].value() == "In hospital."


def test_change_can_be_taken_further(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    data = as_issued(issued, edit="1", **{"items-0-quantity": "60"})

    page = page_client(doctor).post(amend(issued), data)

    assert page.context["rows"].forms[0]["quantity"].value() == "60"


def test_nothing_changed_is_said(connection: Connection, doctor: User) -> None:
    issued = issue(connection)

    page = page_client(doctor).post(amend(issued), as_issued(issued))

    assert page.status_code == 409
    assert "Nothing has been changed yet." in page.content.decode()


def test_change_of_what_a_pharmacy_holds_is_explained(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    claim(issued)

    page = page_client(doctor).get(amend(issued))

    said = page.content.decode()
    assert page.status_code == 409
    assert "ask for it to be stopped" in said
    assert f"/prescriptions/{issued.pk}/stop" in said


def test_change_of_what_was_dispensed_from_offers_another(
    connection: Connection, doctor: User
) -> None:
    issued = issue(connection)
    held = claim(issued)
    hand_out(held, (1, 10))
    return_prescription(secret=held.secret)

    page = page_client(doctor).post(amend(issued), as_issued(issued, notes="x"))

    said = page.content.decode()
    assert page.status_code == 409
    assert "Some of it was dispensed already" in said
    assert f"{prescribe(connection)}?repeat={issued.pk}" in said


def test_change_of_what_was_changed_elsewhere_meanwhile_is_explained(
    connection: Connection, doctor: User
) -> None:
    issued = issue(connection)
    data = as_issued(issued, confirm="1", notes="x")
    amend_prescription(actor=doctor, prescription_id=issued.pk, order=Order(items=[AMLODIPINE]))

    page = page_client(doctor).post(amend(issued), data)

    assert page.status_code == 409
    assert "no longer active" in page.content.decode()
    assert Prescription.objects.count() == 2


def test_change_after_parting_is_refused(
    connection: Connection, doctor: User, patient: User
) -> None:
    issued = issue(connection)
    end_connection(actor=patient, connection_id=connection.pk)

    assert page_client(doctor).get(amend(issued)).status_code == 409


@pytest.mark.parametrize("tail", ["amend", "stop"])
@pytest.mark.parametrize("who", ["patient", "stranger", "other_doctor", "admin"])
def test_nobody_else_finds_these_pages(
    tail: str, who: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    path = f"/prescriptions/{issue(connection).pk}/{tail}"
    browser = page_client(request.getfixturevalue(who))

    assert {browser.get(path).status_code, browser.post(path, {}).status_code} == {404}


# --- Stopping -----------------------------------------------------------------------


def stop(prescription: Prescription) -> str:
    return f"/prescriptions/{prescription.pk}/stop"


def test_page_says_what_follows_and_then_what_can_be_done(
    connection: Connection, doctor: User
) -> None:
    issued = issue(connection)
    browser = page_client(doctor)
    assert "dispenses nothing more" in browser.get(stop(issued)).content.decode()

    page = browser.post(stop(issued), {"reason": "ALLERGY", "note": "A rash."}, follow=True)

    said = page.content.decode()
    assert "The prescription has been stopped." in said
    assert "A rash." in said
    assert f"{prescribe(connection)}?repeat={issued.pk}" in said


def test_page_says_who_holds_it(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    claim(issued, "Nile Pharmacy")
    browser = page_client(doctor)

    assert "Nile Pharmacy" in browser.get(stop(issued)).content.decode()
    page = browser.post(stop(issued), {"reason": "ALLERGY"}, follow=True)

    assert "Stopping has been asked for" in page.content.decode()


@pytest.mark.parametrize("is_expired", [False, True], ids=["completed", "expired"])
def test_what_may_be_taken_still_is_stopped_for_the_reason_there_is(
    is_expired: bool, connection: Connection, doctor: User
) -> None:
    issued = issue(connection, items=[AMLODIPINE])
    if not is_expired:
        hand_out(claim(issued), (1, 30))

    with time_machine.travel(timezone.now() + dt.timedelta(days=40 * is_expired)):
        browser = page_client(doctor)
        asked_why = browser.get(stop(issued)).content.decode()
        browser.post(stop(issued), {"reason": "ADVERSE_REACTION"})

    assert 'value="ADVERSE_REACTION"' in asked_why
    assert "may be taking it still" in asked_why
    stopped = Prescription.objects.get()
    assert (stopped.status, stopped.status_reason) == ("stopped", "ADVERSE_REACTION")


def test_of_what_is_over_only_a_mistake_can_be_said(connection: Connection, doctor: User) -> None:
    issued = issue(connection)
    browser = page_client(doctor)
    browser.post(stop(issued), {"reason": "ALLERGY"})

    page = browser.get(stop(issued))

    assert [value for value, _label in page.context["form"].fields["reason"].choices] == [
        "ENTERED_IN_ERROR"
    ]
    assert browser.post(stop(issued), {"reason": "ALLERGY"}).status_code == 409


@pytest.mark.parametrize("data", [{}, {"reason": "x"}, {"reason": "OTHER"}], ids=str)
def test_reason_that_is_none_is_refused(
    connection: Connection, doctor: User, data: dict[str, str]
) -> None:
    issued = issue(connection)

    assert page_client(doctor).post(stop(issued), data).status_code == 400
    assert Prescription.objects.get().status == "active"


def test_same_form_cannot_issue_and_amend(connection: Connection, doctor: User) -> None:
    client_id = uuid7()
    issued = issue(connection, client_id=client_id)
    data = as_issued(issued, confirm="1", notes="x", client_id=str(client_id))

    assert page_client(doctor).post(amend(issued), data).status_code == 409


# --- For whom it is --------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["issue", "amend"])
def test_page_says_how_old_the_patient_is_where_that_is_shared(
    connection: Connection, doctor: User, patient: User, verb: str
) -> None:
    issued = issue(connection)
    path = amend(issued) if verb == "amend" else prescribe(connection)
    read = AccessEvent.objects.filter(actor_id=doctor.pk, action="READ", category="FACTS")

    with time_machine.travel(dt.datetime(2026, 5, 16, 12, tzinfo=dt.UTC), tick=False):
        before = " ".join(page_client(doctor).get(path).content.decode().split())
        assert not read.exists()
        sharing = Sharing(categories=[DataCategory.FACTS])
        set_grant(actor=patient, connection_id=connection.pk, sharing=sharing)
        after = " ".join(page_client(doctor).get(path).content.decode().split())

    assert "birth date and sex are not shared with you" in before
    assert patient.full_name in before
    assert "1990" not in before
    assert ", 35 years old · Female" in after
    assert read.get().basis == AccessEvent.Basis.GRANT


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("1990-05-17", "2026-05-16", 35),
        ("1990-05-17", "2026-05-17", 36),
        ("2024-02-29", "2025-02-28", 0),
        ("2024-02-29", "2025-03-01", 1),
    ],
)
def test_years_are_full_ones(born: str, on: str, years: int) -> None:
    assert full_years(dt.date.fromisoformat(born), dt.date.fromisoformat(on)) == years


# --- What reads otherwise than it is stored --------------------------------------------------

TURNED = "Vit\u202eC"
NOT_PLAIN = [
    ("medicine", TURNED),
    ("medicine", "\u200b\u2060"),
    ("strength", "\u202egm 005"),
    ("instructions", "Take\u2028two"),
]


@pytest.mark.parametrize("verb", ["issue", "amend", "template"])
@pytest.mark.parametrize(("field", "text"), NOT_PLAIN)
def test_text_that_would_read_otherwise_is_refused_beside_its_field(
    connection: Connection, verb: str, field: str, text: str
) -> None:
    issued = issue(connection)
    row = RAMIPRIL | {field: text}
    path = amend(issued) if verb == "amend" else prescribe(connection)
    button = {"template": "1", "save_as": "Mine"} if verb == "template" else {"confirm": "1"}

    answer = page_client(connection.doctor).post(path, form(row, not_checked=[text], **button))

    assert answer.status_code == 400
    assert list(answer.context["rows"].forms[0].errors) == [field]
    assert Prescription.objects.count() == 1
    assert not PrescriptionTemplate.objects.exists()


@pytest.mark.parametrize("verb", ["issue", "amend"])
@pytest.mark.parametrize("field", ["diagnosis", "notes"])
def test_what_goes_with_all_of_them_reads_as_it_is_stored_too(
    connection: Connection, verb: str, field: str
) -> None:
    issued = issue(connection)
    path = amend(issued) if verb == "amend" else prescribe(connection)

    answer = page_client(connection.doctor).post(
        path, form(RAMIPRIL, confirm="1", **{field: TURNED})
    )

    assert answer.status_code == 400
    assert field in answer.context["form"].errors
    assert Prescription.objects.count() == 1


@pytest.mark.parametrize("verb", ["stop", "decline", "ask"])
def test_what_one_writes_to_the_other_reads_as_it_is_stored(
    connection: Connection, verb: str
) -> None:
    issued = issue(connection)
    doctor, patient = page_client(connection.doctor), page_client(connection.patient)
    if verb == "decline":
        asked_for = request_refill(actor=connection.patient, prescription_id=issued.pk)

    if verb == "stop":
        path = f"/prescriptions/{issued.pk}/stop"
        answer = doctor.post(path, {"reason": "NOT_NEEDED", "note": TURNED})
    elif verb == "decline":
        answer = doctor.post(f"/refills/{asked_for.pk}/decline", {"reason": TURNED})
    else:
        answer = patient.post(f"/prescriptions/{issued.pk}/refill", {"note": TURNED})

    assert answer.status_code == 400
    issued.refresh_from_db()
    assert issued.status == "active"
    assert RefillRequest.objects.filter(status="PENDING").count() == (verb == "decline")


# --- A check that is no longer possible ------------------------------------------------------


def test_what_was_typed_comes_back_also_where_it_cannot_be_checked_any_more(
    allergic: Connection,
) -> None:
    """The two part between the refusal and the check that goes with it."""
    browser = page_client(allergic.doctor)
    data = form(AMOXICILLIN, confirm="1", **because(["no-such-warning"]))

    with parting_after_the_first_check(allergic):
        answer = browser.post(prescribe(allergic), data)

    assert answer.status_code == 400
    assert medicines(answer) == ["Amoxicillin"]
    assert answer.context["report"] is None
    assert not Prescription.objects.exists()


@contextmanager
def parting_after_the_first_check(pair: Connection) -> Iterator[None]:
    """Once a check is on the log the connection has ended."""
    parted = False

    def run(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal parted
        done = execute(sql, *rest)
        if not parted and sql.startswith('INSERT INTO "audit_accessevent"'):
            parted = True
            end_connection(actor=pair.patient, connection_id=pair.pk)
        return done

    with database.execute_wrapper(run):
        yield
    assert parted
