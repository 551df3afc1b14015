"""The pages of prescriptions: reading, printing and issuing them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError
from django.test import Client

from accounts.models import Status, User
from audit.models import AccessEvent
from common.clock import clinic_date
from common.ids import uuid7
from connections.models import Connection
from connections.services.connections import end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import page_client
from medisync.tests.races import no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from prescriptions.forms.orders import IssueForm, ItemFormSet
from prescriptions.models import Prescription
from prescriptions.services.issuing import HowOftenMissing, Item
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
LIST = "/prescriptions"


def detail(prescription: Prescription) -> str:
    return f"/prescriptions/{prescription.pk}"


def prescribe(connection: Connection) -> str:
    return f"/connections/{connection.pk}/prescribe"


def form(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What a browser sends: every field of every row."""
    blank = {
        "medicine": "", "strength": "", "route": "ORAL", "frequency": "",
        "frequency_unit": "DAY", "duration_days": "", "quantity": "", "refills": "0",
        "instructions": "",
    }  # fmt: skip
    data: dict[str, Any] = {
        "diagnosis": "Hypertension",
        "notes": "",
        "valid_until": (clinic_date() + dt.timedelta(days=10)).isoformat(),
        "client_id": str(uuid7()),
        "items-TOTAL_FORMS": len(rows),
        "items-INITIAL_FORMS": 0,
        "items-MIN_NUM_FORMS": 1,
        "items-MAX_NUM_FORMS": Prescription.MAX_ITEMS,
    }
    for number, row in enumerate(rows):
        data |= {f"items-{number}-{name}": value for name, value in (blank | row).items()}
    return data | changes


AMOXICILLIN = {
    "medicine": "Amoxicillin",
    "strength": "500 mg",
    "frequency": "3",
    "duration_days": "7",
    "quantity": "21",
    "instructions": "After food.",
}


def errors(answer: Any) -> dict[str, list[str]]:
    """Every error on the issue page, by the name of its field."""
    found = dict(answer.context["form"].errors)
    for row in answer.context["rows"]:
        found |= {f"{row.prefix}-{name}": list(why) for name, why in row.errors.items()}
    return found


# --- Reading ------------------------------------------------------------------


@pytest.mark.parametrize(("who", "other"), [("patient", "Dr Karim Nabil"), ("doctor", "Mona Adel")])
def test_both_sides_find_it_in_their_list(
    who: str, other: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = issue(connection)

    page = page_client(request.getfixturevalue(who)).get(LIST).content.decode()

    assert detail(issued) in page
    assert other in page
    assert "<bdi>Amlodipine</bdi> and 1 more" in page


def test_list_parts_the_valid_from_the_past(connection: Connection, patient: User) -> None:
    current = issue(connection, valid_until=clinic_date())
    past = issue(connection, valid_until=clinic_date())
    with_past_day(past)
    browser = page_client(patient)

    assert browser.get(LIST).context["page"].rows == [current]
    assert browser.get(LIST, {"show": "past"}).context["page"].rows == [past]


def with_past_day(prescription: Prescription) -> None:
    """As if it had been issued long ago, past the trigger that forbids every change."""
    with pgtrigger.ignore("prescriptions.Prescription:ordered_once"):
        Prescription.objects.filter(pk=prescription.pk).update(
            valid_until=clinic_date() - dt.timedelta(days=1)
        )


def test_empty_list_says_what_to_do(patient: User, doctor: User) -> None:
    assert 'href="/scan"' in page_client(patient).get(LIST).content.decode()
    assert 'href="/connections"' in page_client(doctor).get(LIST).content.decode()


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_list_takes_the_same_queries_however_long(
    who: str,
    connection: Connection,
    request: pytest.FixtureRequest,
    django_assert_num_queries: Any,
) -> None:
    for _ in range(4):
        issue(connection)
    browser = page_client(request.getfixturevalue(who))

    # cookie, device session, prescriptions, items, unread count
    with django_assert_num_queries(6):
        browser.get(LIST)


def test_page_says_how_each_medicine_is_taken(connection: Connection, patient: User) -> None:
    issued = issue(connection, notes="Rest <b>well</b>.")

    page = page_client(patient).get(detail(issued)).content.decode()

    assert "Take by mouth once a day for 30 days" in page
    assert "Take by mouth as needed" in page
    assert "Rest &lt;b&gt;well&lt;/b&gt;." in page
    assert issued.number in page


def test_page_speaks_the_readers_language(connection: Connection, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(language="ar")

    page = page_client(patient).get(detail(issue(connection))).content.decode()

    assert 'dir="rtl"' in page
    assert "يؤخذ عن طريق الفم مرة واحدة يوميًا" in page


def test_opening_it_is_logged_once(connection: Connection, doctor: User) -> None:
    issued = issue(connection)

    page_client(doctor).get(detail(issued))

    reads = AccessEvent.objects.filter(action=AccessEvent.Action.READ, object_id=issued.pk)
    assert [read.actor_id for read in reads] == [doctor.pk]


@pytest.mark.parametrize("who", ["stranger", "other_doctor", "admin"])
@pytest.mark.parametrize("tail", ["", "/pdf"])
def test_nobody_else_sees_it(
    who: str, tail: str, connection: Connection, request: pytest.FixtureRequest
) -> None:
    issued = issue(connection)

    answer = page_client(request.getfixturevalue(who)).get(detail(issued) + tail)

    assert answer.status_code == 404
    assert not AccessEvent.objects.exclude(actor_id=connection.doctor_id).exists()


def test_anonymous_visitor_is_sent_to_sign_in(connection: Connection) -> None:
    issued = issue(connection)

    for path in (LIST, detail(issued), f"{detail(issued)}/pdf", prescribe(connection)):
        assert page_client().get(path).url == f"/login?next={path}"


def test_doctor_keeps_reading_what_they_wrote_after_parting(
    connection: Connection, patient: User, doctor: User
) -> None:
    issued = issue(connection)
    end_connection(actor=patient, connection_id=connection.pk)

    assert page_client(doctor).get(detail(issued)).status_code == 200


@pytest.mark.parametrize("query", ["", "?size=A5&language=ar", "?size=A4"])
def test_sheet_is_printed_and_kept_by_nobody(
    query: str, connection: Connection, patient: User
) -> None:
    issued = issue(connection)

    answer = page_client(patient).get(f"{detail(issued)}/pdf{query}")

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Disposition"] == f'inline; filename="prescription-{issued.number}.pdf"'
    assert AccessEvent.objects.filter(action=AccessEvent.Action.DOWNLOADED).count() == 1


@pytest.mark.parametrize("query", ["size=A3", "language=fr", "size=", "size=%00"])
def test_unknown_paper_or_language_is_a_bad_request(
    query: str, connection: Connection, patient: User
) -> None:
    answer = page_client(patient).get(f"{detail(issue(connection))}/pdf?{query}")

    assert answer.status_code == 400


# --- Issuing ------------------------------------------------------------------


def test_doctor_issues_with_errors_first_and_then_success(
    connection: Connection, doctor: User
) -> None:
    browser = page_client(doctor)
    opened = browser.get(prescribe(connection))
    client_id = str(opened.context["form"]["client_id"].value())
    wrong = form(AMOXICILLIN | {"quantity": "0"}, {"medicine": "Insulin"}, client_id=client_id)

    refused = browser.post(prescribe(connection), wrong)

    assert refused.status_code == 400
    assert set(errors(refused)) == {"items-0-quantity", "items-1-frequency", "items-1-quantity"}
    assert 'value="Amoxicillin"' in refused.content.decode()
    assert 'value="Hypertension"' in refused.content.decode()
    assert not Prescription.objects.exists()

    right = form(
        AMOXICILLIN,
        {"medicine": "Insulin", "as_needed": "on", "quantity": "2", "refills": "1"},
        client_id=client_id,
        not_checked="Insulin",
    )
    accepted = browser.post(prescribe(connection), right, follow=True)

    issued = Prescription.objects.get()
    assert accepted.redirect_chain == [(detail(issued), 302)]
    assert "The prescription has been issued." in accepted.content.decode()
    first, second = issued.items.all()
    assert (first.medicine, first.strength, first.frequency) == ("Amoxicillin", "500 mg", 3)
    assert (second.medicine, second.frequency, second.as_needed) == ("Insulin", None, True)
    assert (second.quantity, second.refills) == (2, 1)


def test_page_says_that_it_cannot_be_changed(connection: Connection, doctor: User) -> None:
    page = page_client(doctor).get(prescribe(connection)).content.decode()

    assert "It cannot be changed afterwards" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"valid_until": "2020-01-01"}, "valid_until"),
        ({"valid_until": "yesterday"}, "valid_until"),
        ({"diagnosis": "x" * 501}, "diagnosis"),
        ({"notes": "x\x00y"}, "notes"),
        ({"client_id": "no"}, "client_id"),
        ({"items-0-medicine": ""}, "items-0-medicine"),
        ({"items-0-medicine": "x" * 201}, "items-0-medicine"),
        ({"items-0-route": "BY_OWL"}, "items-0-route"),
        ({"items-0-frequency": "25"}, "items-0-frequency"),
        ({"items-0-frequency": "often"}, "items-0-frequency"),
        ({"items-0-frequency_unit": "YEAR"}, "items-0-frequency_unit"),
        ({"items-0-duration_days": "366"}, "items-0-duration_days"),
        ({"items-0-refills": "13"}, "items-0-refills"),
    ],
)
def test_each_error_stands_beside_its_field(
    changes: dict[str, str], field: str, connection: Connection, doctor: User
) -> None:
    answer = page_client(doctor).post(prescribe(connection), form(AMOXICILLIN, **changes))

    assert answer.status_code == 400
    assert set(errors(answer)) == {field}
    assert not Prescription.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"items-TOTAL_FORMS": "0"},
        {"items-TOTAL_FORMS": "-1"},
        {"items-TOTAL_FORMS": "many"},
        {"items-TOTAL_FORMS": ""},
        {"items-0-DELETE": "on"},
    ],
)
def test_prescription_needs_a_medicine(
    changes: dict[str, str], connection: Connection, doctor: User
) -> None:
    answer = page_client(doctor).post(prescribe(connection), form(AMOXICILLIN, **changes))

    assert answer.status_code == 400
    assert not Prescription.objects.exists()


def test_prescription_holds_thirty_medicines_at_most(connection: Connection, doctor: User) -> None:
    names = [f"Zzapol {number}" for number in range(Prescription.MAX_ITEMS + 1)]
    rows = [AMOXICILLIN | {"medicine": name} for name in names]
    browser = page_client(doctor)

    refused = browser.post(prescribe(connection), form(*rows))

    assert refused.status_code == 400
    assert "at most 30 medicines" in refused.content.decode()
    removed = {"items-7-DELETE": "on", "not_checked": names}
    assert browser.post(prescribe(connection), form(*rows, **removed)).status_code == 302
    assert Prescription.objects.get().items.count() == Prescription.MAX_ITEMS


def test_rows_removed_or_left_empty_are_not_prescribed(
    connection: Connection, doctor: User
) -> None:
    data = form({}, AMOXICILLIN, {}, {**AMOXICILLIN, "medicine": "Insulin"}, **{
        "items-0-DELETE": "on", "not_checked": "Insulin",
    })  # fmt: skip

    answer = page_client(doctor).post(prescribe(connection), data)

    assert answer.status_code == 302
    assert [item.medicine for item in Prescription.objects.get().items.all()] == [
        "Amoxicillin",
        "Insulin",
    ]


def test_rows_are_added_and_removed_without_javascript(
    connection: Connection, doctor: User
) -> None:
    browser = page_client(doctor)

    added = browser.post(prescribe(connection), form(AMOXICILLIN, add="row"))

    assert added.status_code == 200
    rows = added.context["rows"]
    assert rows.total_form_count() == 2
    assert rows.forms[0]["medicine"].value() == "Amoxicillin"
    assert not rows.total_error_count()
    assert not added.context["form"].errors
    assert added.context["form"]["diagnosis"].value() == "Hypertension"

    two = form({"medicine": "First"}, AMOXICILLIN | {"as_needed": "on"}, remove="0")
    removed = browser.post(prescribe(connection), two).context["rows"]

    assert removed.total_form_count() == 1
    assert removed.forms[0]["medicine"].value() == "Amoxicillin"
    assert removed.forms[0]["as_needed"].value() is True
    assert not Prescription.objects.exists()


def test_form_sent_twice_issues_once(connection: Connection, doctor: User, patient: User) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN)

    first = browser.post(prescribe(connection), data)
    second = browser.post(prescribe(connection), data)

    issued = Prescription.objects.get()
    assert first.url == second.url == detail(issued)
    assert Notification.objects.filter(recipient=patient).count() == 1
    assert AccessEvent.objects.filter(action=AccessEvent.Action.ISSUED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_form_sent_twice_at_once_issues_once(connection: Connection, doctor: User) -> None:
    browsers = [page_client(doctor), page_client(doctor)]
    data = form(AMOXICILLIN)

    def send(browser: Client) -> str:
        return browser.post(prescribe(connection), data).url

    racers = race(lambda: send(browsers[0]), lambda: send(browsers[1]), gate=Prescription)

    assert [racer.error for racer in racers] == [None, None]
    assert racers[0].value == racers[1].value == detail(Prescription.objects.get())


@pytest.mark.usefixtures("no_row_locks")
@pytest.mark.django_db(transaction=True)
def test_form_sent_twice_at_once_issues_once_even_without_the_lock(connection: Connection) -> None:
    client_id = uuid7()

    racers = race(
        lambda: issue(connection, client_id=client_id),
        lambda: issue(connection, client_id=client_id),
        gate=Prescription,
    )

    failed = [racer.error for racer in racers if racer.error]
    assert [type(error) for error in failed] == [IntegrityError]
    assert Prescription.objects.count() == 1


def test_form_changed_after_issue_is_refused_and_not_lost(
    connection: Connection, doctor: User
) -> None:
    browser = page_client(doctor)
    data = form(AMOXICILLIN)
    browser.post(prescribe(connection), data)

    answer = browser.post(prescribe(connection), data | {"items-0-quantity": "42"})

    assert answer.status_code == 409
    assert "has issued a prescription already" in answer.content.decode()
    assert 'value="42"' in answer.content.decode()
    assert Prescription.objects.get().items.get().quantity == 21


def test_new_form_of_the_same_content_issues_another(connection: Connection, doctor: User) -> None:
    browser = page_client(doctor)
    zzapol = AMOXICILLIN | {"medicine": "Zzapol"}

    for _ in range(2):
        browser.post(prescribe(connection), form(zzapol, not_checked="Zzapol"))

    assert Prescription.objects.count() == 2


def test_same_client_id_elsewhere_issues_there(
    connection: Connection, doctor: User, stranger: User
) -> None:
    elsewhere = ConnectionFactory(patient=stranger, doctor=doctor)
    data = form(AMOXICILLIN)
    browser = page_client(doctor)

    for where in (connection, elsewhere):
        browser.post(prescribe(where), data)

    assert {row.patient_id for row in Prescription.objects.all()} == {
        connection.patient_id,
        stranger.pk,
    }


@pytest.mark.parametrize(
    ("who", "status"),
    [("patient", 403), ("stranger", 404), ("other_doctor", 404), ("admin", 404)],
)
def test_only_the_connections_doctor_issues(
    who: str, status: int, connection: Connection, request: pytest.FixtureRequest
) -> None:
    browser = page_client(request.getfixturevalue(who))

    assert browser.get(prescribe(connection)).status_code == status
    assert browser.post(prescribe(connection), form(AMOXICILLIN)).status_code == status
    assert not Prescription.objects.exists()


def test_nothing_is_issued_after_parting(
    connection: Connection, patient: User, doctor: User
) -> None:
    end_connection(actor=patient, connection_id=connection.pk)

    answer = page_client(doctor).post(prescribe(connection), form(AMOXICILLIN))

    assert answer.status_code == 409
    assert "This connection has ended." in answer.content.decode()
    assert not Prescription.objects.exists()


def test_nothing_is_issued_by_a_doctor_not_in_good_standing(
    connection: Connection, doctor: User
) -> None:
    browser = page_client(doctor)
    User.objects.filter(pk=doctor.pk).update(status=Status.RETURNED)

    assert browser.post(prescribe(connection), form(AMOXICILLIN)).status_code == 403
    assert not Prescription.objects.exists()


def test_service_names_the_row_at_fault(connection: Connection, doctor: User) -> None:
    """What the form lets through and the service does not still lands beside its field."""
    data = form({}, AMOXICILLIN, **{"items-0-DELETE": "on"})
    main, rows = IssueForm(data), ItemFormSet(data, prefix="items")
    assert main.is_valid()
    assert rows.is_valid()

    assert rows.add_refusal(HowOftenMissing(attr="items.0.frequency"))

    assert list(rows.forms[1].errors) == ["frequency"]


def test_item_is_what_was_typed() -> None:
    rows = ItemFormSet(form(AMOXICILLIN), prefix="items")
    assert rows.is_valid()

    assert rows.filled()[0].item() == Item(
        medicine="Amoxicillin",
        strength="500 mg",
        frequency=3,
        duration_days=7,
        quantity=21,
        instructions="After food.",
    )
