"""Health cards of prescriptions: made by the patient, revoked by what becomes of them."""

from __future__ import annotations

import base64
import datetime as dt
import io
from dataclasses import replace

import pytest
import time_machine
import zxingcpp
from django.db import ProgrammingError
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from audit.models import AccessEvent
from common.clock import clinic_date
from common.errors import NotAllowed
from medisync.tests.client import api_client, page_client
from medisync.tests.races import race
from prescriptions.models import StopReason
from prescriptions.policies import NotActive
from prescriptions.services.amending import amend_prescription
from prescriptions.services.issuing import Order
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import AMLODIPINE, PARACETAMOL, issue
from qrverify.models import HealthCard
from qrverify.services.cards import issue_card, published_keys, revocation_list, shown_card
from qrverify.smart.cards import read_card
from qrverify.smart.chunks import chunk_png_data_uri
from qrverify.smart.keys import signing_key
from qrverify.tests.keys import new_card_key, public_half

pytestmark = pytest.mark.django_db
MANY = [
    replace(
        AMLODIPINE, medicine=f"Medicine {number} بالعربية", instructions=f"Note {number * 7919}"
    )
    for number in range(20)
]


@pytest.fixture
def prescription(connection):
    return issue(connection)


def make(prescription):
    card, _is_new = issue_card(actor=prescription.patient, prescription_id=prescription.pk)
    return card


def actions(patient):
    events = AccessEvent.objects.filter(patient_id=patient.pk).order_by("seq")
    return list(events.values_list("action", flat=True))


def revoked():
    kid, _key = signing_key()
    return revocation_list(kid)


# --- Making one -------------------------------------------------------------------------------


def test_the_patient_makes_a_card_that_says_what_was_prescribed(prescription):
    signed = make(prescription)

    found = read_card(list(signed.chunks))

    assert found.rid == signed.card.rid
    assert found.bundle["entry"][2]["resource"]["medicationReference"]["display"] == (
        "Amlodipine 5 mg"
    )


def test_it_is_good_to_the_end_of_the_prescriptions_last_day(prescription):
    found = read_card(make(prescription).jws)

    last = timezone.localtime(found.expires_at, timezone.get_default_timezone())
    assert last.date() == prescription.valid_until + dt.timedelta(days=1)
    assert last.time() == dt.time.min


def test_made_again_it_is_the_same_card_and_logged_once(prescription):
    first = make(prescription)

    again, is_new = issue_card(actor=prescription.patient, prescription_id=prescription.pk)

    assert not is_new
    assert again.card == first.card
    assert read_card(again.jws) == read_card(first.jws)
    assert actions(prescription.patient).count("CARD_ISSUED") == 1


@pytest.mark.django_db(transaction=True)
def test_made_twice_at_once_there_is_one(connection):
    prescription = issue(connection)

    racers = race(*[lambda: make(prescription).card.rid] * 3, gate=HealthCard)

    assert [racer.value for racer in racers] == [HealthCard.objects.get().rid] * 3
    assert actions(prescription.patient).count("CARD_ISSUED") == 1


def test_nobody_else_makes_or_sees_one(prescription, doctor, stranger):
    make(prescription)

    with pytest.raises(NotAllowed):
        issue_card(actor=doctor, prescription_id=prescription.pk)
    with pytest.raises(Http404):
        issue_card(actor=stranger, prescription_id=prescription.pk)
    with pytest.raises(Http404):
        shown_card(actor=stranger, prescription_id=prescription.pk)


def test_none_is_made_of_what_is_no_longer_active(prescription, doctor):
    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED)

    with pytest.raises(NotActive):
        make(prescription)
    assert not HealthCard.objects.exists()


def test_what_was_issued_is_never_changed(prescription):
    card = make(prescription).card

    with pytest.raises(ProgrammingError, match="Cannot update"):
        HealthCard.objects.filter(pk=card.pk).update(rid="other")


def test_a_long_prescription_takes_several_codes_each_of_which_scans(connection):
    signed = make(issue(connection, items=MANY))

    scanned = [scan(chunk_png_data_uri(chunk)) for chunk in signed.chunks]

    assert len(scanned) > 1
    assert scanned == list(signed.chunks)
    assert len(read_card(scanned).bundle["entry"]) == 22


def test_three_medicines_fit_into_one_code(connection, settings):
    settings.SITE_URL = "https://portal.medisync.example"
    items = [
        replace(AMLODIPINE, medicine=name, duration_days=days, quantity=days)
        for name, days in (("Metformin", 90), ("Ramipril", 28))
    ]

    signed = make(issue(connection, items=[*items, PARACETAMOL]))

    assert len(signed.chunks) == 1


def scan(data_uri):
    png = base64.b64decode(data_uri.partition(",")[2])
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))
    return found.text


# --- Keys and revocation ----------------------------------------------------------------------


def test_a_new_key_makes_a_new_card_and_the_old_one_is_still_good(prescription, settings):
    old_key = settings.HEALTH_CARD_SIGNING_KEYS[0]
    old = make(prescription)

    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key(), public_half(old_key)]
    new = make(prescription)

    assert read_card(old.jws).kid != read_card(new.jws).kid
    assert [key["kid"] for key in published_keys()] == [new.card.kid, old.card.kid]


def test_stopping_revokes_under_every_key(prescription, doctor, settings):
    old_key = settings.HEALTH_CARD_SIGNING_KEYS[0]
    old = make(prescription).card
    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key(), public_half(old_key)]
    new = make(prescription).card

    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED)

    assert [revocation_list(card.kid)["rids"] for card in (old, new)] == [[old.rid], [new.rid]]


@pytest.mark.parametrize("reason", [StopReason.NOT_NEEDED, StopReason.ENTERED_IN_ERROR])
def test_what_is_stopped_is_on_the_revocation_list(prescription, doctor, reason):
    before = revoked()
    card = make(prescription).card

    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=reason)

    assert before == {"kid": card.kid, "method": "rid", "ctr": 1, "rids": []}
    assert revoked() == {"kid": card.kid, "method": "rid", "ctr": 2, "rids": [card.rid]}
    assert published_keys()[0]["crlVersion"] == 2


def test_what_is_superseded_is_on_the_revocation_list(prescription, doctor):
    card = make(prescription).card

    amend_prescription(
        actor=doctor, prescription_id=prescription.pk, order=Order(items=[PARACETAMOL])
    )

    assert revoked()["rids"] == [card.rid]


def test_what_is_out_of_date_besides_is_not_listed_and_the_counter_stays(prescription, doctor):
    make(prescription)
    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED)
    later = dt.datetime.combine(
        prescription.valid_until + dt.timedelta(days=2), dt.time(), tzinfo=dt.UTC
    )

    with time_machine.travel(later):
        assert revoked()["rids"] == []
        assert revoked()["ctr"] == 2


def test_keys_and_lists_are_for_everybody_and_may_be_kept(client, prescription):
    kid = make(prescription).card.kid

    keys = client.get("/.well-known/jwks.json")
    rids = client.get(f"/.well-known/crl/{kid}.json")

    for answer in (keys, rids):
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cache-Control"] == "public, max-age=300"
    assert "d" not in keys.json()["keys"][0]


@pytest.mark.parametrize(
    "kid", ["x", "..%2f..%2fetc", "%00", "a" * 500], ids=["unknown", "path", "nul", "long"]
)
def test_the_list_of_a_strange_key_is_not_there(client, kid):
    assert client.get(f"/.well-known/crl/{kid}.json").status_code == 404


def test_the_list_is_read_in_two_queries(django_assert_num_queries, prescription):
    make(prescription)

    with django_assert_num_queries(2):
        revoked()


# --- Pages and API ----------------------------------------------------------------------------


def test_the_page_makes_it_shows_it_and_says_what_it_does_not_tell(prescription):
    browser = page_client(prescription.patient)
    url = reverse("prescription-health-card", args=[prescription.pk])

    before = browser.get(url).content.decode()
    browser.post(url)
    after = browser.get(url).content.decode()

    assert "Make the health card" in before
    assert "<svg" in after.partition("card-codes")[2]
    assert "Whether it has been stopped or dispensed since" in after


def test_the_page_of_what_is_no_longer_active_says_so(prescription, doctor):
    make(prescription)
    stop_prescription(actor=doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED)
    browser = page_client(prescription.patient)

    page = browser.get(reverse("prescription-health-card", args=[prescription.pk]))

    assert "There is no health card" in page.content.decode()


def test_the_file_is_what_wallets_import(prescription):
    signed = make(prescription)
    browser = page_client(prescription.patient)

    answer = browser.get(reverse("prescription-health-card-file", args=[prescription.pk]))

    assert answer["Content-Type"] == "application/smart-health-card"
    assert f'{prescription.number}.smart-health-card"' in answer["Content-Disposition"]
    assert read_card(answer.content.decode()).rid == signed.card.rid
    assert actions(prescription.patient)[-1] == "DOWNLOADED"


def test_without_a_card_there_is_no_file(prescription):
    browser = page_client(prescription.patient)

    answer = browser.get(reverse("prescription-health-card-file", args=[prescription.pk]))

    assert answer.status_code == 404


def test_over_rest(prescription):
    app, url = (
        api_client(prescription.patient),
        f"/api/v1/prescriptions/{prescription.pk}/health-card",
    )

    answers = [app.get(url), app.post(url), app.post(url), app.get(url)]

    assert [answer.status_code for answer in answers] == [404, 201, 200, 200]
    made = answers[1].json()
    assert read_card(made["chunks"]).rid == read_card(made["verifiable_credential"]).rid
    assert made["svg"][0].startswith("<svg")
    assert scan(made["png"][0]) == made["chunks"][0]


def test_the_card_is_in_the_language_of_its_patient(prescription):
    app = api_client(prescription.patient)
    app.credentials(**app._credentials, HTTP_ACCEPT_LANGUAGE="ar")

    made = app.post(f"/api/v1/prescriptions/{prescription.pk}/health-card").json()

    order = read_card(made["verifiable_credential"]).bundle["entry"][2]["resource"]
    assert "يؤخذ" in order["dosageInstruction"][0]["text"]
    assert clinic_date().isoformat() == order["dispenseRequest"]["validityPeriod"]["start"]
