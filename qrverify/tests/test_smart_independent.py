"""Health cards and links, judged by other people's software over a real connection."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace
from itertools import pairwise

import pytest
from django.utils import timezone

from accounts.models import AllergyIntolerance
from prescriptions.models import StopReason
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import AMLODIPINE, issue
from qrverify.models import LinkOpening
from qrverify.services.cards import issue_card
from qrverify.services.links import address_of, page_of, revoke_link
from qrverify.smart.cards import card_file, sign_card
from qrverify.smart.chunks import chunks_of
from qrverify.tests.emergency import make_card
from qrverify.tests.keys import new_card_key, public_half
from qrverify.tests.sharing import share

pytestmark = pytest.mark.django_db(transaction=True)
MANY = [
    replace(AMLODIPINE, medicine=f"Medicine {number}", instructions=f"ملاحظة {number * 7919}")
    for number in range(20)
]


@pytest.fixture
def issuer(live_server, settings):
    """This installation, at the address that its cards and links name."""
    settings.SITE_URL = live_server.url
    return live_server.url


def signed(connection, **changes):
    prescription = issue(connection, **changes)
    card, _is_new = issue_card(actor=prescription.patient, prescription_id=prescription.pk)
    return card


def errors(answers):
    return [answer["clipboard"].get("error") for answer in answers]


# --- Cards ------------------------------------------------------------------------------------


def test_both_readers_accept_a_card_in_one_code(issuer, connection, verifiers):
    short = signed(connection, items=[AMLODIPINE])
    card = {"chunks": list(short.chunks), "issuer": issuer}

    (answer,) = verifiers.read_cards(card)

    assert len(short.chunks) == 1
    for reader in ("clipboard", "protocol"):
        order = answer[reader]["bundle"]["entry"][2]["resource"]
        assert order["medicationReference"]["display"] == "Amlodipine 5 mg"


def test_a_card_in_several_codes_is_accepted_and_so_is_its_file(issuer, connection, verifiers):
    long = signed(connection, items=MANY, notes="مع الطعام")
    file = card_file(long.jws).decode()

    answers = verifiers.read_cards(
        {"chunks": list(reversed(long.chunks))}, {"file": file}, {"jws": long.jws}
    )

    assert len(long.chunks) > 1
    for answer in answers:
        entries = answer["clipboard"]["bundle"]["entry"]
        assert [len(entries), entries[21]["resource"]["note"][0]["text"]] == [
            22,
            f"ملاحظة {19 * 7919}",
        ]


def test_one_changed_byte_anywhere_is_refused(issuer, connection, verifiers):
    """One in each third of the header, the content and the signature."""
    jws = signed(connection).jws
    bounds = [0, *(at for at, character in enumerate(jws) if character == "."), len(jws)]
    places = [
        start + 1 + (end - start - 2) * third // 3
        for start, end in pairwise(bounds)
        for third in range(3)
    ]
    changed = [jws[:at] + ("A" if jws[at] != "A" else "B") + jws[at + 1 :] for at in places]

    answers = verifiers.read_cards(*({"chunks": chunks_of(card)} for card in changed))

    assert len(answers) == 9
    assert [answer["clipboard"] for answer in answers if "bundle" in answer["clipboard"]] == []
    single = [answer["protocol"] for answer in answers if answer["protocol"]]
    assert [answer for answer in single if "bundle" in answer] == []


def test_a_wrong_key_is_refused(issuer, connection, verifiers, settings):
    mine = settings.HEALTH_CARD_SIGNING_KEYS
    jws = signed(connection).jws

    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key()]
    strange = signed(connection).jws
    forged = ".".join([jws.split(".")[0], *strange.split(".")[1:]])
    settings.HEALTH_CARD_SIGNING_KEYS = mine

    assert errors(verifiers.read_cards({"jws": strange}, {"jws": forged})) == [
        "VerificationError",
        "SignatureVerificationError",
    ]


def test_an_expired_card_is_refused(issuer, connection, verifiers):
    past = timezone.now() - dt.timedelta(days=3)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": []}
    old = sign_card(bundle, rid="x", issued_at=past, expires_at=past + dt.timedelta(days=1))

    assert errors(verifiers.read_cards({"jws": old})) == ["ExpirationError"]


def test_a_revoked_card_is_refused(issuer, connection, verifiers):
    card = signed(connection)
    question = {"jws": card.jws, "issuer": issuer}
    before = verifiers.read_cards(question)

    stop_prescription(
        actor=connection.doctor,
        prescription_id=card.card.prescription_id,
        reason=StopReason.ADVERSE_REACTION,
    )

    assert errors(before) == [None]
    assert errors(verifiers.read_cards(question)) == ["SHCRevokedError"]


def test_a_card_of_an_older_key_is_still_accepted(issuer, connection, verifiers, settings):
    old = signed(connection)
    old_key = settings.HEALTH_CARD_SIGNING_KEYS[0]

    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key(), public_half(old_key)]
    new = signed(connection)

    answers = verifiers.read_cards(
        {"jws": old.jws, "issuer": issuer}, {"jws": new.jws, "issuer": issuer}
    )
    assert errors(answers) == [None, None]


# --- Links ------------------------------------------------------------------------------------


def test_their_client_opens_our_link(issuer, patient, verifiers):
    AllergyIntolerance.objects.create(patient=patient, substance="بنسلين", criticality="HIGH")
    link = share(patient, label="For Dr Nabil")

    (found,) = verifiers.open_links({"link": page_of(link), "recipient": "City clinic"})

    names = [
        entry["resource"]["code"]["text"]
        for entry in found["resources"][0]["entry"]
        if entry["resource"]["resourceType"] == "AllergyIntolerance"
    ]
    assert names == ["بنسلين"]
    assert [found["flag"], found["label"]] == ["L", "For Dr Nabil"]
    assert len(found["url"]) <= 128
    assert found["exp"] == int(link.expires_at.timestamp())
    assert LinkOpening.objects.get().recipient == "City clinic"


def test_with_a_passcode_it_opens_by_that_alone(issuer, patient, verifiers):
    link = share(patient, passcode="open sesame", lasts=dt.timedelta(hours=1))
    asked = {"link": address_of(link), "recipient": "City clinic"}

    wrong, right = verifiers.open_links(
        asked | {"passcode": "open simsim"}, asked | {"passcode": "open sesame"}
    )

    assert wrong["error"] == "SHLInvalidPasscodeError"
    assert [right["flag"], len(right["resources"])] == ["P", 1]


def test_what_is_not_embedded_is_fetched(issuer, patient, verifiers):
    asked = {"link": address_of(share(patient)), "recipient": "City clinic"}

    embedded, located = verifiers.open_links(asked, asked | {"embeddedLengthMax": 10})

    assert "embedded" in embedded["manifest"]["files"][0]
    assert located["manifest"]["files"][0]["location"].startswith(f"{issuer}/shl/file/")
    assert located["resources"][0]["resourceType"] == "Bundle"


def test_withdrawn_it_is_not_found(issuer, patient, verifiers):
    link = share(patient)
    asked = {"link": address_of(link), "recipient": "City clinic"}
    revoke_link(actor=patient, link_id=link.pk)

    (found,) = verifiers.open_links(asked)

    assert found["error"] == "SHLManifestNotFoundError"


def test_another_key_opens_nothing(issuer, patient, verifiers):
    link = share(patient)
    link.key = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()

    (found,) = verifiers.open_links({"link": address_of(link), "recipient": "City clinic"})

    assert found["error"] == "SHLDecryptionError"


@pytest.mark.parametrize("content", ["EMERGENCY", "SUMMARY"])
def test_what_is_behind_a_link_is_fhir(issuer, connection, verifiers, content):
    patient = connection.patient
    issue(connection)
    AllergyIntolerance.objects.create(patient=patient, substance="Penicillin", criticality="HIGH")
    if content == "EMERGENCY":
        make_card(patient)
        link = share(patient, content=content, categories=[])
    else:
        link = share(patient, categories=["FACTS", "ALLERGIES", "PRESCRIPTIONS"])

    (found,) = verifiers.open_links({"link": address_of(link), "recipient": "City clinic"})

    assert verifiers.issues_of(*found["resources"]) == [[]]
