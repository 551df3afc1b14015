"""A pharmacist without an account, on the pages."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
import structlog
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import AccessEvent
from connections.models import Connection
from medisync.tests.client import api_client, page_client
from prescriptions.models import DispenseClaim, MedicationDispense, Prescription, StopReason
from prescriptions.policies import NotActive
from prescriptions.services.codes import reissue_code
from prescriptions.services.issuing import Item
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim, fresh, open_paper, wrong_pin
from prescriptions.tests.factories import issue
from qrverify.services.dispensing import read_passed
from qrverify.tests.dispensing import SAID, Pharmacist, hidden_fields

pytestmark = pytest.mark.django_db
ACTIONS = ("open", "read", "claim", "dispense", "withdraw", "return")


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection, notes="Take with food.")


@pytest.fixture
def pharmacist() -> Pharmacist:
    return Pharmacist()


def handed() -> list[tuple[int, int]]:
    counted = MedicationDispense.objects.counted().order_by("pk")
    return list(counted.values_list("item__position", "quantity"))


# --- The journey --------------------------------------------------------------


def test_pharmacist_opens_claims_dispenses_and_gives_back(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.scan(prescription)
    assert "Authentic prescription" in pharmacist.text
    assert "Amlodipine" not in pharmacist.text

    pharmacist.send("/dispensing/open", pin=prescription.pin)
    for seen in ("Mona Adel", "Amlodipine 5 mg", "Take by mouth once a day for 30 days",
                 "يؤخذ عن طريق الفم", "Take with food."):  # fmt: skip
        assert seen in pharmacist.text
    assert "Hypertension" not in pharmacist.text

    pharmacist.send("/dispensing/claim", **SAID)
    assert DispenseClaim.objects.standing().get().pharmacy_name == "Nile Pharmacy"
    assert "Write it down" in pharmacist.text

    pharmacist.send("/dispensing/dispense", **{"quantity-1": "10", "quantity-2": ""})
    assert handed() == [(1, 10)]
    assert 'value="20"' in pharmacist.text

    pharmacist.send("/dispensing/return")
    assert "You gave the prescription back." in pharmacist.text
    assert not DispenseClaim.objects.standing().exists()
    assert "Take with food." not in pharmacist.text


def test_everything_due_is_handed_out_by_one_button(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.claim(prescription)

    pharmacist.send("/dispensing/dispense", **{"quantity-1": "", "all": "1"})

    assert handed() == [(1, 30), (2, 20)]
    assert fresh(prescription).status == "completed"
    assert "Everything was dispensed" in pharmacist.text


def test_what_was_handed_out_is_taken_back(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.claim(prescription)
    pharmacist.send("/dispensing/dispense", all="1")

    pharmacist.send("/dispensing/withdraw")

    assert len(handed()) == 1
    assert "Taken back" in pharmacist.text
    assert fresh(prescription).status == "active"


def test_pharmacist_comes_back_by_the_code(prescription: Prescription) -> None:
    code = Pharmacist().claim(prescription)
    later = Pharmacist()
    later.scan(prescription)
    assert "Nile Pharmacy" not in later.text

    later.send("/dispensing", claim=code.lower())

    assert "Amlodipine 5 mg" in later.text
    reads = AccessEvent.objects.filter(action=AccessEvent.Action.READ)
    assert [event.object_id for event in reads] == [prescription.pk] * 2


def test_second_pharmacy_is_told_who_holds_it(prescription: Prescription) -> None:
    Pharmacist().claim(prescription)
    second = Pharmacist()
    second.open(prescription)

    second.send("/dispensing/claim", **SAID | {"pharmacy_name": "Delta Pharmacy"})

    assert second.page.status_code == 409
    assert "<bdi>Nile Pharmacy</bdi>" in second.text
    assert "as they state it" in second.text


def test_stop_that_is_asked_for_is_shown_to_who_holds_it(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.claim(prescription)
    stop_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, reason=StopReason.ALLERGY
    )

    pharmacist.send("/dispensing/dispense", all="1")
    assert pharmacist.page.status_code == 409
    assert "The prescriber stops this prescription" in pharmacist.text
    assert "Allergy" not in pharmacist.text
    assert 'name="all"' not in pharmacist.text

    pharmacist.send("/dispensing/return")
    assert fresh(prescription).status == "stopped"


def test_controlled_medicine_asks_for_the_access_code(
    pharmacist: Pharmacist, connection: Connection, settings: Any
) -> None:
    settings.CONTROLLED_ONLY_AT_APPROVED_PHARMACIES = True
    controlled = issue(connection, items=[Item(medicine="Morphine", as_needed=True, quantity=10)])
    pharmacist.open(controlled)
    assert "Controlled medicine" in pharmacist.text

    pharmacist.send("/dispensing/claim", **SAID)

    assert pharmacist.page.status_code == 403
    assert "Enter your pharmacy&#x27;s access code." in pharmacist.text
    assert 'value="Nile Pharmacy"' in pharmacist.text


# --- Sent again ---------------------------------------------------------------


def test_every_page_can_be_reloaded(pharmacist: Pharmacist, prescription: Prescription) -> None:
    pharmacist.open(prescription)
    assert pharmacist.resend().status_code == 200
    pharmacist.send("/dispensing/claim", **SAID)
    assert pharmacist.resend().status_code == 200
    pharmacist.send("/dispensing/dispense", **{"quantity-1": "10", "quantity-2": "0"})
    assert pharmacist.resend().status_code == 200
    pharmacist.send("/dispensing/withdraw")
    assert pharmacist.resend().status_code == 200
    pharmacist.send("/dispensing/dispense", all="1")
    assert pharmacist.resend().status_code == 200
    pharmacist.send("/dispensing/withdraw")
    assert pharmacist.resend().status_code == 200

    assert DispenseClaim.objects.count() == 1
    assert handed() == [(2, 20)]


@pytest.mark.parametrize("action", ACTIONS)
def test_address_of_an_answer_leads_somewhere(action: str) -> None:
    answer = Client().get(f"/dispensing/{action}", follow=True)

    assert answer.request["PATH_INFO"] == "/dispensing"
    assert "Come back to a prescription" in answer.content.decode()


# --- Language -----------------------------------------------------------------


def test_pages_are_read_in_the_other_language_too(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.open(prescription)
    passed = hidden_fields(pharmacist.text, "/dispensing/claim")["passed"]
    code = pharmacist.send("/dispensing/claim", **SAID) and pharmacist.text
    held = hidden_fields(code, "/dispensing/return")["claim"]

    for address, data in (
        ("/dispensing/read", {"passed": passed}),
        ("/dispensing", {"claim": held}),
        ("/dispensing/open", {"code": prescription.verification_code}),
    ):
        page = Client().post(f"{address}?language=ar", data).content.decode()
        assert 'lang="ar" dir="rtl"' in page
        assert "?language=ar" in page


# --- No -----------------------------------------------------------------------


def test_wrong_pin_says_how_it_failed_but_not_how_near(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.scan(prescription)
    pages = set()
    for _ in range(9):
        cache.clear()
        pharmacist.send("/dispensing/open", pin=wrong_pin(prescription))
        assert pharmacist.page.status_code == 400
        pages.add(pharmacist.text)
    assert len(pages) == 1
    assert "This PIN is not right." in pages.pop()

    pharmacist.send("/dispensing/open", pin=wrong_pin(prescription))
    assert pharmacist.page.status_code == 409
    assert "The patient can make a new code and PIN" in pharmacist.text
    pharmacist.scan(prescription)
    assert "This paper opens no more" in pharmacist.text
    assert 'name="pin"' not in pharmacist.text


def test_replaced_paper_says_so_and_opens_nothing(
    pharmacist: Pharmacist, prescription: Prescription, patient: User
) -> None:
    pharmacist.open(prescription)
    renewed = reissue_code(actor=patient, prescription_id=prescription.pk)

    late = pharmacist.send("/dispensing/claim", **SAID)
    assert late.status_code == 400
    assert "Enter the PIN again." in pharmacist.text
    scanned = Client().get(prescription.verification_path)
    assert scanned.status_code == 200
    assert "This paper was replaced by a newer print" in scanned.content.decode()
    assert prescription.number not in scanned.content.decode()
    data = {"code": prescription.verification_code, "pin": renewed.pin}
    assert Client().post("/dispensing/open", data).status_code == 400


def test_what_is_stopped_is_shown_no_more_to_who_opened_it(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    passed = open_paper(prescription)
    pharmacist.open(prescription)
    stop_prescription(
        actor=prescription.doctor, prescription_id=prescription.pk, reason=StopReason.ALLERGY
    )

    late = pharmacist.send("/dispensing/claim", **SAID)

    assert late.status_code == 409
    assert "Amlodipine" not in pharmacist.text
    with pytest.raises(NotActive):
        read_passed(passed=passed)


@pytest.mark.parametrize(
    ("quantity", "status"),
    [("31", 409)] + [(typed, 400) for typed in ("1001", "-1", "x", "1.5", "9" * 400, "\x00")],
    ids=range(7),
)
def test_wrong_quantity_is_marked_where_it_was_typed(
    quantity: str, status: int, pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.claim(prescription)

    pharmacist.send("/dispensing/dispense", **{"quantity-1": quantity})

    assert pharmacist.page.status_code == status
    assert list(pharmacist.page.context["form"].errors) == ["quantity-1"]
    assert handed() == []


def test_form_without_a_quantity_is_refused(
    pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.claim(prescription)

    pharmacist.send("/dispensing/dispense", **{"quantity-1": "0", "quantity-2": ""})

    assert pharmacist.page.status_code == 400
    assert "Enter a quantity for at least one medicine." in pharmacist.text


def test_too_late_to_take_back_says_so(pharmacist: Pharmacist, prescription: Prescription) -> None:
    pharmacist.claim(prescription)
    pharmacist.send("/dispensing/dispense", **{"quantity-1": "10", "quantity-2": "0"})

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=61)):
        pharmacist.send("/dispensing/withdraw")

    assert pharmacist.page.status_code == 409
    assert "within an hour" in pharmacist.text


NASTY = ["", "x", "\x00", "é" * 40, "x" * 100_000, "' OR 1=1 --", "<script>alert(1)</script>"]


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("action", ["", *ACTIONS])
def test_nonsense_is_refused_everywhere(
    action: str, value: str, pharmacist: Pharmacist, prescription: Prescription
) -> None:
    address = f"/dispensing/{action}".rstrip("/")
    names = ("code", "pin", "passed", "claim", "client_id", "dispense_id", *SAID, "quantity-1")

    answer = pharmacist.client.post(address, dict.fromkeys(names, value))

    assert answer.status_code == 400
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("claim", 400),
        ("dispense", 400),
        ("withdraw", 400),
        # They ask for nothing of it.
        ("return", 200),
        ("read", 200),
        ("open", 200),
    ],
)
def test_nonsense_beside_what_is_right_does_nothing(
    action: str, status: int, pharmacist: Pharmacist, prescription: Prescription
) -> None:
    pharmacist.open(prescription)
    passed = hidden_fields(pharmacist.text, "/dispensing/claim")["passed"]
    secret = claim(prescription).secret
    right = {
        "code": prescription.verification_code,
        "pin": prescription.pin,
        "passed": passed,
        "claim": secret,
    }
    for value in NASTY:
        cache.clear()
        nasty = dict.fromkeys(("client_id", "dispense_id", "quantity-1", "due-1", *SAID), value)

        answer = pharmacist.client.post(f"/dispensing/{action}", nasty | right)

        is_too_long = len(value) == 100_000
        assert answer.status_code == (400 if is_too_long else status)
        assert handed() == []
        assert DispenseClaim.objects.count() == 1


def test_dispense_of_another_claim_is_not_found(connection: Connection) -> None:
    mine, theirs = Pharmacist(), Pharmacist()
    theirs.claim(issue(connection))
    theirs.send("/dispensing/dispense", all="1")
    dispense_id = hidden_fields(theirs.text, "/dispensing/withdraw")["dispense_id"]
    secret = mine.claim(issue(connection))

    answer = mine.send("/dispensing/withdraw", claim=secret, dispense_id=dispense_id)

    assert answer.status_code == 404
    assert len(handed()) == 2


# --- Limits, headers, logs ----------------------------------------------------


def test_pins_are_limited_by_address(prescription: Prescription) -> None:
    data = {"code": "unknown", "pin": "123456"}

    answers = [Client().post("/dispensing/open", data) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) >= 1


def test_claim_codes_are_limited_by_address() -> None:
    answers = [
        Client().post(f"/dispensing{action}", {"claim": "AAAAA-AAAAA"}).status_code
        for action in ["", "/return"] * 15 + [""]
    ]

    assert answers == [400] * 30 + [429]


def test_pages_are_kept_by_nobody(pharmacist: Pharmacist, prescription: Prescription) -> None:
    pharmacist.claim(prescription)

    for page in (pharmacist.page, Client().get("/dispensing")):
        assert page["Cache-Control"] == "no-store"
        assert page["Referrer-Policy"] == "no-referrer"
        assert page["X-Robots-Tag"] == "noindex"
        assert not page.cookies


def test_another_sites_form_would_need_the_secret(prescription: Prescription) -> None:
    """No cookie counts: the page is the same to whoever is signed in."""
    client = page_client(prescription.doctor)
    client.handler.enforce_csrf_checks = True

    answer = client.post("/dispensing/return", {"claim": "AAAAA-AAAAA"})

    assert answer.status_code == 400


def test_log_holds_no_secret(
    pharmacist: Pharmacist, prescription: Prescription, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pharmacist.open(prescription)
    passed = hidden_fields(pharmacist.text, "/dispensing/claim")["passed"]
    pharmacist.send("/dispensing/claim", **SAID)
    secret = hidden_fields(pharmacist.text, "/dispensing/return")["claim"]
    pharmacist.send("/dispensing/dispense", all="1")
    pharmacist.client.post("/dispensing/open", {"code": prescription.verification_code, "pin": "x"})
    app = api_client()
    app.post("/api/v1/dispensing/claims/view", {"claim": secret})

    written = next(
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    log = "".join(written.format(record) for record in caplog.records)
    assert log.count("request_finished") == 6
    for hidden in (
        prescription.pin, passed, secret, prescription.verification_code,
        str(prescription.patient_id), str(prescription.pk), "Mona", "Amlodipine", "Nile",
    ):  # fmt: skip
        assert hidden not in log


def test_pages_take_few_queries(
    pharmacist: Pharmacist, prescription: Prescription, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20):
        pharmacist.open(prescription)
    with django_assert_max_num_queries(30):
        pharmacist.send("/dispensing/claim", **SAID)
