"""Anybody shows a code: it leads on to our own page, is read here, or is refused politely."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import png_bytes
from audit.models import AccessEvent
from connections.models import Connection
from connections.tests.pictures import bomb
from medisync.tests.client import api_client, page_client
from prescriptions.models import Prescription
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.dispensing import claim
from prescriptions.tests.factories import issue
from qrverify.services.cards import SignedCard, issue_card, revocation_list
from qrverify.smart.cards import sign_card
from qrverify.smart.chunks import chunks_of
from qrverify.tests.emergency import make_card
from qrverify.tests.factories import photo, show_code
from qrverify.tests.keys import new_card_key
from qrverify.tests.test_payloads import CASES, shlink

pytestmark = pytest.mark.django_db
READ = "/api/v1/qr/read"


@pytest.fixture
def paper(connection: Connection) -> Prescription:
    return issue(connection)


@pytest.fixture
def card(paper: Prescription) -> SignedCard:
    signed, _is_new = issue_card(actor=paper.patient, prescription_id=paper.pk)
    return signed


def check(text: str = "", *photos: SimpleUploadedFile, query: str = "") -> Any:
    return Client().post(f"/verify{query}", {"text": text, "photos": [*photos]})


def read(*texts: str) -> Any:
    return api_client().post(READ, {"texts": [*texts]})


def faults(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["form"].errors)


def is_public(answer: Any) -> bool:
    return (
        answer["Cache-Control"] == "no-store"
        and answer["Referrer-Policy"] == "no-referrer"
        and answer["X-Robots-Tag"] == "noindex"
        and not answer.cookies
    )


# --- The way in ---------------------------------------------------------------


def test_page_needs_neither_account_nor_script() -> None:
    answer = Client().get("/verify")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'enctype="multipart/form-data"' in page
    assert "data-scanner-form" in page
    assert "csrfmiddlewaretoken" not in page
    assert is_public(answer)


def test_page_is_the_same_for_who_is_signed_in(patient: User) -> None:
    page = page_client(patient).get("/verify").content.decode()

    assert "Check a code" in page
    assert "Mona" not in page
    assert "js/live.js" not in page


def test_page_speaks_the_language_that_is_chosen() -> None:
    arabic = Client().get("/verify?language=ar").content.decode()

    assert 'lang="ar" dir="rtl"' in arabic


@pytest.mark.parametrize("how", ["text", "photo"])
def test_paper_leads_to_its_verification(how: str, paper: Prescription) -> None:
    held = paper.verification_url

    answer = check(held) if how == "text" else check("", photo(held))

    assert (answer.status_code, answer.url) == (302, paper.verification_path)
    assert is_public(answer)
    assert not AccessEvent.objects.filter(action=AccessEvent.Action.VERIFIED).exists()


def test_language_goes_along(paper: Prescription) -> None:
    answer = check(paper.verification_url, query="?language=ar")

    assert answer.url == f"{paper.verification_path}&language=ar"
    assert "أمراض القلب" in Client().get(answer.url).content.decode()


def test_emergency_card_leads_to_its_page_and_is_not_opened(patient: User) -> None:
    card = make_card(patient)

    answer = check(card.url)

    assert answer.url == f"/e/{card.secret}"
    assert not AccessEvent.objects.filter(action=AccessEvent.Action.EMERGENCY_OPENED).exists()


def test_link_to_health_data_leads_to_our_viewer() -> None:
    assert check(shlink()).url == f"/shl#{shlink()}"


def test_language_stands_before_the_link_to_health_data() -> None:
    assert check(shlink(), query="?language=ar").url == f"/shl?language=ar#{shlink()}"


def test_doctors_invitation_is_said_to_be_for_patients(doctor: User) -> None:
    shown = show_code(doctor)

    answers = [check(shown.url), check(shown.code), check("", photo(shown.url))]

    for answer in answers:
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "It is for patients" in page
        assert "Karim" not in page
        assert is_public(answer)


def test_code_that_nobody_has_is_named_all_the_same() -> None:
    """The page says what a code is by its shape: it is no place to guess at."""
    assert check(f"http://testserver/e/{'A' * 43}").url == f"/e/{'A' * 43}"


# --- Refused ------------------------------------------------------------------

# Fields themselves refuse NUL, half of a pair, and what is too long.
OF_FIELDS = {"qr_empty", "qr_too_long"}
SHOWN = [
    (code, text)
    for code, text in CASES
    if code not in OF_FIELDS and not set(text) & {"\x00", "\ud800"}
]


@pytest.mark.parametrize("portion", range(8))
def test_hostile_payload_is_refused_at_the_api(portion: int) -> None:
    client = api_client()
    for code, text in SHOWN[portion::8]:
        cache.clear()

        answer = client.post(READ, {"texts": [text]})

        fault = answer.json()["errors"][0]
        assert (answer.status_code, fault["code"], fault["attr"]) == (400, code, "texts"), text
        assert len(text) < 9 or text not in answer.content.decode()


@pytest.mark.parametrize("portion", range(8))
def test_hostile_payload_is_refused_on_the_page(portion: int) -> None:
    for _code, text in SHOWN[portion::8]:
        cache.clear()

        answer = check(text)

        assert (answer.status_code, list(faults(answer))) == (400, ["text"]), text
        assert is_public(answer)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "x" * 8001, "x" * 200_000])
def test_text_that_no_field_takes_is_refused(text: str) -> None:
    assert check(text).status_code == read(text).status_code == 400


def test_megabyte_is_refused_unread() -> None:
    assert read("x" * 1024 * 1024).status_code == 413
    assert check("x" * 1024 * 1024).status_code in {400, 413}


def test_what_is_scanned_comes_back_as_text_alone() -> None:
    """In the field where it was typed, so that it can be corrected."""
    page = check("<script>alert(1)</script>").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_was_photographed_does_not_come_back() -> None:
    answer = check("", photo("https://evil.example/path"))

    assert faults(answer) == {"photos": ["This is a link to another site. It was not opened."]}
    assert "evil" not in answer.content.decode()


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 no photo", b"MZ no picture", png_bytes(), png_bytes()[:60], bomb()],
    ids=["pdf", "program", "no code on it", "cut off", "bomb"],
)
def test_photo_that_cannot_be_read_is_refused(content: bytes) -> None:
    answer = check("", SimpleUploadedFile("photo.png", content, content_type="image/png"))

    assert (answer.status_code, list(faults(answer))) == (400, ["photos"])


def test_nothing_at_all_is_asked_for_again() -> None:
    answer = check()

    assert (answer.status_code, list(faults(answer))) == (400, ["text"])


def test_nine_photos_are_too_many() -> None:
    answer = check("", *[photo("x") for _ in range(9)])

    assert faults(answer) == {"photos": ["At most 8 photos at once."]}


def test_two_codes_at_once_are_one_too_many(paper: Prescription, doctor: User) -> None:
    answer = read(paper.verification_url, show_code(doctor).url)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "qr_several")


@pytest.mark.parametrize("texts", [[], ["x"] * 21, "x", [{}], [None]], ids=range(5))
def test_malformed_body_is_refused(texts: Any) -> None:
    assert api_client().post(READ, {"texts": texts}).status_code == 400


def test_reading_is_limited_together_with_the_api() -> None:
    for _ in range(15):
        check("x")
        read("x")

    answer, of_api = check("x"), read("x")

    assert (answer.status_code, of_api.status_code) == (429, 429)
    assert int(answer["Retry-After"]) >= 1
    assert is_public(answer)


# --- Health cards -------------------------------------------------------------


def test_health_card_is_read_and_says_what_was_not_checked(card: SignedCard) -> None:
    answer = check("\r\n".join(card.chunks))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Genuine health card</h1>" in page
    for fact in ("Mona Adel", "Karim Nabil", "Amlodipine", "Paracetamol"):
        assert fact in page
    assert "Whether it has been dispensed already was not checked." in page
    assert "only the code on the prescription's paper tells" in page
    assert is_public(answer)


def test_health_card_is_read_from_photos_of_its_parts(card: SignedCard) -> None:
    assert "Genuine health card" in check("", *map(photo, card.chunks)).content.decode()


def long_card(**changes: Any) -> list[str]:
    """A card of several codes, of which the sentences are noise."""
    entry = {
        "resourceType": "MedicationRequest",
        "medicationReference": {"display": "Amlodipine 5 mg"},
        "note": [{"text": random.Random(5).randbytes(1500).hex()}],
    }
    now = timezone.now()
    said: dict[str, Any] = {"rid": "Zm9v", "issued_at": now, "expires_at": now + dt.timedelta(1)}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": entry}]}
    return chunks_of(sign_card(bundle, **(said | changes)))


def test_card_in_several_codes_is_read_in_any_order() -> None:
    chunks = long_card()
    assert len(chunks) > 1

    answers = [check("\n".join(chunks[::-1])), check("", *map(photo, chunks[::-1]))]

    for answer in answers:
        assert "Amlodipine 5 mg" in answer.content.decode()
    assert read(*chunks).json()["card"]["bundle"]["entry"]


def test_part_of_a_card_asks_for_the_others() -> None:
    answer = check(long_card()[0])

    assert faults(answer) == {
        "text": ["Some of this card's QR codes are missing. Scan all of them."]
    }


def test_paper_comes_before_the_card_beside_it(paper: Prescription, card: SignedCard) -> None:
    answer = check("", photo(paper.verification_url, *card.chunks))

    assert answer.url == paper.verification_path


def test_card_of_another_issuer_is_named_and_not_read(card: SignedCard, settings: Any) -> None:
    settings.SITE_URL = "https://other.example"

    answer = read(*card.chunks)

    fault = answer.json()["errors"][0]
    assert (answer.status_code, fault["code"], fault["attr"]) == (400, "other_issuer", "texts")
    assert "testserver" in fault["detail"]


def test_altered_card_is_refused(card: SignedCard) -> None:
    whole = "".join(card.chunks)
    digit = "1" if whole[-1] == "0" else "0"

    answer = read(whole[:-1] + digit)

    assert answer.json()["errors"][0]["code"] in {"altered", "malformed"}


def test_card_by_a_key_that_is_not_ours_is_refused(card: SignedCard, settings: Any) -> None:
    settings.HEALTH_CARD_SIGNING_KEYS = [new_card_key()]

    assert read(*card.chunks).json()["errors"][0]["code"] == "unknown_key"


def test_expired_card_is_refused() -> None:
    past = timezone.now() - dt.timedelta(minutes=1)

    answer = read(*long_card(expires_at=past))

    assert answer.json()["errors"][0]["code"] == "expired"


@pytest.mark.parametrize("reason", ["ALLERGY", "ENTERED_IN_ERROR"])
def test_card_of_a_stopped_prescription_is_called_so(
    paper: Prescription, card: SignedCard, reason: str
) -> None:
    stop_prescription(
        actor=paper.doctor, prescription_id=paper.pk, reason=reason, note="Told by telephone."
    )

    page, answer = check("\n".join(card.chunks)), read(*card.chunks)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "health_card_revoked")
    assert page.status_code == 409
    assert "Amlodipine" not in page.content.decode().replace("\n".join(card.chunks), "")


def test_card_is_called_stopped_while_a_pharmacy_has_yet_to_give_it_back(
    paper: Prescription, card: SignedCard
) -> None:
    claim(paper)
    stop_prescription(actor=paper.doctor, prescription_id=paper.pk, reason="ALLERGY")

    answer = read(*card.chunks)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "health_card_revoked")
    assert card.card.rid in revocation_list(card.card.kid)["rids"]


# --- Over the API -------------------------------------------------------------


def test_api_says_what_it_is_and_where_it_leads(
    paper: Prescription, card: SignedCard, patient: User, doctor: User
) -> None:
    emergency, shown = make_card(patient), show_code(doctor)

    answers = [
        read(text).json() for text in (paper.verification_url, emergency.url, shown.url, shlink())
    ]
    of_card = read(*card.chunks).json()

    assert [(one["type"], one["url"], one["card"]) for one in answers] == [
        ("PRESCRIPTION", paper.verification_url, None),
        ("EMERGENCY", emergency.url, None),
        ("CONNECTION", shown.url, None),
        ("HEALTH_LINK", f"http://testserver/shl#{shlink()}", None),
    ]
    assert (of_card["type"], of_card["card"]["bundle"]["resourceType"]) == ("HEALTH_CARD", "Bundle")


def test_reading_a_code_asks_the_database_nothing(
    paper: Prescription, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        read(paper.verification_url)
