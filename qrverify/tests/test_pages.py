"""The pages around QR codes: showing, scanning, confirming, verifying."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import PatientFactory, png_bytes
from audit.models import AccessEvent
from common.clock import clinic_date
from connections.models import AccessGrant, Connection
from connections.tests.factories import ConnectionFactory
from connections.tests.pictures import bomb, picture
from medisync.tests.client import api_client, page_client
from medisync.tests.world import NOTHING_SHARED
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue
from qrverify.models import QrToken
from qrverify.services.tokens import ShownToken, find_token, redeem_token
from qrverify.tests.factories import photo, show_code

pytestmark = pytest.mark.django_db
PAST = timezone.now() - dt.timedelta(minutes=1)


@pytest.fixture
def issued(connection: Connection) -> Prescription:
    return issue(connection, diagnosis="Hypertension", notes="Rest well.")


# --- The journey --------------------------------------------------------------


@pytest.mark.parametrize("how", ["typed", "link", "photo"])
def test_doctor_shows_patient_scans_and_confirms(how: str, doctor: User, patient: User) -> None:
    doctors, patients = page_client(doctor), page_client(patient)
    shown: ShownToken = doctors.post("/qr", {"expiry_minutes": "15"}).context["shown"]
    sent: dict[str, dict[str, Any]] = {
        "typed": {"token": shown.code.lower().replace("-", " ")},
        "link": {"token": shown.url},
        "photo": {"token": "", "photo": photo(shown.url)},
    }

    scanned = patients.post("/scan", sent[how])
    preview = patients.get(scanned.url)

    assert "Dr Karim Nabil" in preview.content.decode()
    assert "Cardiology" in preview.content.decode()
    assert not Connection.objects.exists()

    confirmed = patients.post(scanned.url, NOTHING_SHARED, follow=True)

    connection = Connection.objects.get()
    assert confirmed.redirect_chain == [(f"/connections/{connection.pk}", 302)]
    assert "You are connected with Dr Karim Nabil." in confirmed.content.decode()
    assert (connection.patient, connection.doctor) == (patient, doctor)
    told = doctors.get("/qr").content.decode()
    assert "<bdi>Mona Adel</bdi> is connected" in told
    assert f'href="/connections/{connection.pk}"' in told


# --- Showing ------------------------------------------------------------------


def test_code_is_in_the_answer_to_the_post_and_nowhere_else(doctor: User) -> None:
    browser = page_client(doctor)

    answer = browser.post("/qr", {"expiry_minutes": "5"})

    shown: ShownToken = answer.context["shown"]
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "<svg" in page
    assert shown.code in page
    assert shown.token.expires_at - shown.token.created_at <= dt.timedelta(minutes=5)
    again = browser.get("/qr").content.decode()
    assert shown.code not in again
    assert shown.secret not in again + page.replace(str(answer.context["qr"]), "")
    assert f"/qr/{shown.token.pk}/revoke" in again


def test_page_asks_what_the_doctor_would_see(patient: User, doctor: User) -> None:
    shown = show_code(doctor)
    browser = page_client(patient)
    chosen = NOTHING_SHARED | {"categories": ["ALLERGIES", "LAB_RESULT"]}

    asked = browser.get(f"/scan/{shown.secret}").content.decode()
    late = browser.post(
        f"/scan/{shown.secret}", chosen | {"since": "date", "data_from": "2999-01-01"}
    )
    answer = browser.post(f"/scan/{shown.secret}", chosen)

    assert 'value="ALLERGIES"' in asked
    assert 'value="ALLERGIES" checked' not in asked
    assert (late.status_code, "data_from" in late.context["form"].errors) == (400, True)
    assert answer.status_code == 302
    assert AccessGrant.objects.get().categories == ["ALLERGIES", "LAB_RESULT"]


@pytest.mark.parametrize("minutes", ["", "0", "61", "-5", "7", "soon", "5\x00"])
def test_only_the_offered_minutes_are_taken(minutes: str, doctor: User) -> None:
    answer = page_client(doctor).post("/qr", {"expiry_minutes": minutes})

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == ["expiry_minutes"]
    assert not QrToken.objects.exists()


@pytest.mark.parametrize("who", ["patient", "admin"])
def test_only_doctors_show_codes(who: str, request: pytest.FixtureRequest) -> None:
    browser = page_client(request.getfixturevalue(who))

    assert browser.get("/qr").status_code == 403
    assert browser.post("/qr", {"expiry_minutes": "5"}).status_code == 403


def test_doctor_waiting_for_approval_shows_no_code(doctor: User) -> None:
    User.objects.filter(pk=doctor.pk).update(status=Status.PENDING_APPROVAL)

    answer = page_client(doctor).get("/qr")

    assert answer.status_code == 403
    assert "Your account is not active yet." in answer.content.decode()


def test_who_connected_otherwise_or_long_ago_is_not_announced(doctor: User) -> None:
    long_ago = timezone.now() - dt.timedelta(minutes=20)
    ConnectionFactory(doctor=doctor, connected_at=long_ago)
    ConnectionFactory(doctor=doctor, origin=Connection.Origin.REQUEST)

    assert not page_client(doctor).get("/qr").context["just_connected"]


def test_page_takes_few_queries(doctor: User, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        show_code(doctor)
        ConnectionFactory(doctor=doctor)
    browser = page_client(doctor)

    for _ in range(3):
        redeem_token(actor=PatientFactory(), scanned=show_code(doctor).code)
        find_token(actor=PatientFactory(), scanned=show_code(doctor).code)

    # cookie, device session, codes, past codes, numbers, who looks, who connected, unread count
    with django_assert_num_queries(9):
        browser.get("/qr")


def test_withdrawn_code_no_longer_works(doctor: User, patient: User) -> None:
    shown = show_code(doctor)

    withdrawn = page_client(doctor).post(f"/qr/{shown.token.pk}/revoke", follow=True)
    scanned = page_client(patient).get(f"/scan/{shown.secret}")

    assert "The code has been withdrawn." in withdrawn.content.decode()
    assert scanned.status_code == 409
    assert "This code is not valid." in scanned.content.decode()


def test_withdrawing_too_late_is_explained(doctor: User) -> None:
    shown = show_code(doctor, expires_at=PAST)

    answer = page_client(doctor).post(f"/qr/{shown.token.pk}/revoke", follow=True)

    assert answer.status_code == 200
    assert "This code is not valid." in answer.content.decode()


@pytest.mark.parametrize("who", ["other_doctor", "patient", "admin"])
def test_nobody_else_withdraws_it(who: str, doctor: User, request: pytest.FixtureRequest) -> None:
    shown = show_code(doctor)

    answer = page_client(request.getfixturevalue(who)).post(f"/qr/{shown.token.pk}/revoke")

    assert answer.status_code == 404
    assert QrToken.objects.usable(timezone.now()).count() == 1


# --- Scanning -----------------------------------------------------------------


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["form"].errors)


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "nonsense", "ABCDE-FGH12", "http://[", "/", "https://evil.example/scan/", "é" * 43],
)
def test_code_that_is_none_is_refused_beside_the_field(typed: str, patient: User) -> None:
    answer = page_client(patient).post("/scan", {"token": typed})

    assert answer.status_code in {400, 409}
    assert list(errors(answer)) == ["token"]


@pytest.mark.parametrize("typed", ["x" * 8001, "x\x00y"], ids=["long", "NUL"])
def test_malformed_code_is_refused_beside_the_field(typed: str, patient: User) -> None:
    answer = page_client(patient).post("/scan", {"token": typed})

    assert answer.status_code == 400
    assert list(errors(answer)) == ["token"]


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 no photo", b"MZ no picture", b"", png_bytes(), png_bytes()[:60]],
    ids=["pdf", "program", "empty", "no code on it", "cut off"],
)
def test_photo_without_a_readable_code_is_refused_beside_the_field(
    content: bytes, patient: User
) -> None:
    upload = SimpleUploadedFile("photo.png", content, content_type="image/png")

    answer = page_client(patient).post("/scan", {"token": "", "photo": upload})

    assert answer.status_code == 400
    assert list(errors(answer)) == ["photo"]


@pytest.mark.parametrize("who", ["doctor", "admin"])
def test_only_patients_scan(who: str, request: pytest.FixtureRequest) -> None:
    assert page_client(request.getfixturevalue(who)).get("/scan").status_code == 403


def test_scanning_is_limited_together_with_the_api(patient: User) -> None:
    browser, app = page_client(patient), api_client(patient)
    for _ in range(5):
        assert browser.post("/scan", {"token": "AAAAA-AAAAA"}).status_code == 409
        assert app.post("/api/v1/qr/scan", {"token": "nonsense"}).status_code == 400

    scanned = browser.post("/scan", {"token": "AAAAA-AAAAA"})
    opened = browser.get("/scan/nonsense")

    assert scanned.status_code == opened.status_code == 429
    assert int(opened["Retry-After"]) >= 1


def test_limit_is_each_patients_own(patient: User, stranger: User) -> None:
    browser = page_client(patient)
    for _ in range(11):
        browser.get("/scan/nonsense")

    assert page_client(stranger).get("/scan/nonsense").status_code == 400


def test_typed_code_leads_to_whose_it_is(doctor: User, patient: User) -> None:
    shown = show_code(doctor)

    answer = page_client(patient).post("/scan", {"token": f" {shown.code.lower()} "})

    assert answer.url == f"/scan/{shown.code.replace('-', '')}"


@pytest.mark.parametrize("how", ["link", "photo"])
def test_code_of_another_kind_is_named_and_opens_nothing(
    how: str, issued: Prescription, patient: User
) -> None:
    sent: dict[str, dict[str, Any]] = {
        "link": {"token": issued.verification_url},
        "photo": {"token": "", "photo": photo(issued.verification_url)},
    }

    answer = page_client(patient).post("/scan", sent[how])

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "This is the code of a prescription." in page
    assert f'href="{issued.verification_path.replace("&", "&amp;")}"' in page
    assert not AccessEvent.objects.filter(action=AccessEvent.Action.VERIFIED).exists()


def test_of_several_codes_on_a_photo_ours_is_taken(doctor: User, patient: User) -> None:
    shown = show_code(doctor)
    taken = photo("https://evil.example/", shown.url, "WIFI:T:WPA;S:x;;")

    answer = page_client(patient).post("/scan", {"token": "", "photo": taken})

    assert answer.url == f"/scan/{shown.secret}"


def test_two_of_ours_on_a_photo_are_one_too_many(doctor: User, patient: User) -> None:
    taken = photo(show_code(doctor).url, show_code(doctor).url)

    answer = page_client(patient).post("/scan", {"token": "", "photo": taken})

    assert (answer.status_code, errors(answer)) == (
        400, {"photo": ["These are several codes. Take one after the other."]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (bomb(), 400),
        (picture("PNG", (12_000, 4_000)), 400),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 99, 400),
    ],
    ids=["bomb", "huge", "broken"],
)
def test_photo_that_would_fill_the_memory_is_refused(
    content: bytes, status: int, patient: User
) -> None:
    upload = SimpleUploadedFile("photo.png", content, content_type="image/png")

    answer = page_client(patient).post("/scan", {"token": "", "photo": upload})

    assert (answer.status_code, list(errors(answer))) == (status, ["photo"])


@pytest.mark.parametrize("held", ["https://evil.example/", "javascript:alert(1)", "<b>x</b>"])
def test_nothing_of_what_was_photographed_comes_back(held: str, patient: User) -> None:
    answer = page_client(patient).post("/scan", {"token": "", "photo": photo(held)})

    assert answer.status_code == 400
    assert held not in answer.content.decode()
    assert list(errors(answer)) == ["photo"]


# --- Seen while it happens ----------------------------------------------------


def test_page_shows_who_is_looking_until_they_connect(
    doctor: User, patient: User, stranger: User
) -> None:
    browser = page_client(doctor)
    shown, other = show_code(doctor), show_code(doctor)
    page_client(patient).get(f"/scan/{shown.secret}")
    page_client(stranger).get(f"/scan/{other.secret}")

    before = browser.get("/qr").content.decode()
    page_client(patient).post(f"/scan/{shown.secret}", NOTHING_SHARED)
    after = browser.get("/qr").content.decode()

    assert "<bdi>Mona Adel</bdi> is looking at your code" in before
    assert 'data-live-refresh="qr.seen qr.scanned"' in before
    assert "<bdi>Mona Adel</bdi> is looking at your code" not in after
    assert "<bdi>Mona Adel</bdi> is connected" in after
    assert "<bdi>Sara Zaki</bdi> is looking at your code" in after


def test_patient_is_told_that_the_doctor_sees_them(doctor: User, patient: User) -> None:
    page = page_client(patient).get(f"/scan/{show_code(doctor).secret}").content.decode()

    assert "The doctor sees your name now" in page


def test_page_tells_of_the_past_week(doctor: User, patient: User, other_doctor: User) -> None:
    redeem_token(actor=patient, scanned=show_code(doctor).secret)
    show_code(doctor, revoked_at=PAST)
    show_code(doctor, expires_at=PAST)
    show_code(doctor)
    show_code(other_doctor, expires_at=PAST)

    answer = page_client(doctor).get("/qr")

    states = [state for _token, state in answer.context["past"]]
    assert (answer.context["week"], len(answer.context["usable"])) == ({"made": 4, "used": 1}, 1)
    assert states == ["EXPIRED", "REVOKED", "USED"]
    assert "Mona Adel" in answer.content.decode()


def test_page_without_codes_says_what_they_are_for(doctor: User) -> None:
    assert "No codes this week" in page_client(doctor).get("/qr").content.decode()


# --- Confirming ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"expires_at": PAST}, "This code has expired."),
        ({"revoked_at": PAST}, "This code is not valid."),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_code_that_ended_says_so_and_what_to_do(
    method: str, changes: dict[str, Any], sentence: str, doctor: User, patient: User
) -> None:
    shown = show_code(doctor, **changes)

    answer = getattr(page_client(patient), method)(f"/scan/{shown.secret}")

    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert 'href="/scan"' in answer.content.decode()
    assert not Connection.objects.exists()


def test_code_works_once(doctor: User, patient: User, stranger: User) -> None:
    shown = show_code(doctor)
    page_client(patient).post(f"/scan/{shown.secret}", NOTHING_SHARED)

    answer = page_client(stranger).post(f"/scan/{shown.secret}", NOTHING_SHARED)

    assert answer.status_code == 409
    assert "This code has been used already." in answer.content.decode()
    assert Connection.objects.get().patient == patient


def test_confirming_twice_leads_to_the_same_connection(doctor: User, patient: User) -> None:
    shown = show_code(doctor)
    browser = page_client(patient)

    answers = [browser.post(f"/scan/{shown.secret}", NOTHING_SHARED) for _ in range(2)]

    assert {answer.url for answer in answers} == {f"/connections/{Connection.objects.get().pk}"}


def test_whoever_is_connected_already_is_taken_there(
    connection: Connection, doctor: User, patient: User
) -> None:
    shown = show_code(doctor)

    answer = page_client(patient).post(f"/scan/{shown.secret}", NOTHING_SHARED)

    assert answer.url == f"/connections/{connection.pk}"
    shown.token.refresh_from_db()
    assert shown.token.used_at is None


def test_blocked_patient_is_not_connected(doctor: User, patient: User) -> None:
    ConnectionFactory(patient=patient, doctor=doctor, blocked_by_doctor=True)

    answer = page_client(patient).post(f"/scan/{show_code(doctor).secret}", NOTHING_SHARED)

    assert answer.status_code == 409
    assert "This doctor does not take patients here at present." in answer.content.decode()


def test_doctor_who_opens_it_is_told_that_it_is_for_patients(
    doctor: User, other_doctor: User
) -> None:
    answer = page_client(other_doctor).get(f"/scan/{show_code(doctor).secret}")

    assert answer.status_code == 403
    assert "These codes are for patients" in answer.content.decode()
    assert "Karim" not in answer.content.decode()


def test_anonymous_visitor_signs_in_and_comes_back(doctor: User) -> None:
    path = f"/scan/{show_code(doctor).secret}"

    assert Client().get(path).url == f"/login?next={path}"


def test_preview_is_kept_by_nobody(doctor: User, patient: User) -> None:
    answer = page_client(patient).get(f"/scan/{show_code(doctor).secret}")

    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


# --- Verifying ----------------------------------------------------------------


def is_shown_to_nobody(answer: Any) -> bool:
    return (
        answer["Cache-Control"] == "no-store"
        and answer["Referrer-Policy"] == "no-referrer"
        and answer["X-Robots-Tag"] == "noindex"
    )


def test_authentic_paper_is_called_so_to_someone_without_an_account(issued: Prescription) -> None:
    answer = Client().get(issued.verification_path)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Authentic prescription</h1>" in page
    assert "verdict--success" in page
    for fact in (issued.number, "Karim Nabil", "Cardiology", issued.prescriber_licence_number):
        assert fact in page
    assert "Active" in page
    assert is_shown_to_nobody(answer)


def test_neither_patient_nor_content_is_shown(issued: Prescription) -> None:
    page = Client().get(issued.verification_path).content.decode()

    for secret in ("Mona", "Adel", "Amlodipine", "Paracetamol", "Hypertension", "Rest well"):
        assert secret not in page


def test_page_is_the_same_for_who_is_signed_in(issued: Prescription, stranger: User) -> None:
    page = page_client(stranger).get(issued.verification_path).content.decode()

    assert "Authentic prescription" in page
    assert "Sara" not in page
    assert "js/live.js" not in page


def test_expired_paper_is_authentic_but_not_to_be_used(issued: Prescription) -> None:
    with pgtrigger.ignore("prescriptions.Prescription:ordered_once"):
        Prescription.objects.update(valid_until=clinic_date() - dt.timedelta(days=1))
        expired = Prescription.objects.get()
        Prescription.objects.update(
            content_hash=expired.computed_content_hash(list(expired.items.all()))
        )

    page = Client().get(Prescription.objects.get().verification_path).content.decode()

    assert "<h1>Authentic, but expired</h1>" in page
    assert "verdict--warning" in page
    assert "verdict--success" not in page


@pytest.mark.parametrize(
    "claims", [{"v": "2"}, {"h": "0123456789abcdef"}], ids=["another version", "another content"]
)
def test_altered_paper_is_called_so(claims: dict[str, str], issued: Prescription) -> None:
    path = issued.verification_path.partition("?")[0]

    answer = Client().get(path, {"v": "1", "h": issued.printed_hash} | claims)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<h1>Not as issued</h1>" in page
    assert "verdict--danger" in page
    assert issued.number not in page
    assert is_shown_to_nobody(answer)


def test_altered_rows_are_called_so(issued: Prescription) -> None:
    with pgtrigger.ignore("prescriptions.PrescriptionItem:never_changes"):
        issued.items.update(quantity=99)

    assert "<h1>Not as issued</h1>" in Client().get(issued.verification_path).content.decode()


def test_unknown_code_is_not_found(issued: Prescription) -> None:
    answer = Client().get("/verify/unknown", {"v": "1", "h": issued.printed_hash})

    assert answer.status_code == 404
    assert "<h1>Not known here</h1>" in answer.content.decode()
    assert is_shown_to_nobody(answer)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"v": "1"},
        {"h": "0123456789abcdef"},
        {"v": "one", "h": "0123456789abcdef"},
        {"v": "0", "h": "0123456789abcdef"},
        {"v": "99999999999999999999", "h": "0123456789abcdef"},
        {"v": "1", "h": "0123456789ABCDEF"},
        {"v": "1", "h": "0123456789abcdef\n"},
        {"v": "1", "h": "é" * 16},
        {"v": "\x00", "h": "\x00"},
        {"v": ["1", "x"], "h": "0123456789abcdef"},
    ],
)
def test_incomplete_link_says_so(claims: dict[str, Any], issued: Prescription) -> None:
    answer = Client().get(issued.verification_path.partition("?")[0], claims)

    assert answer.status_code == 400
    assert "<h1>This link is not complete</h1>" in answer.content.decode()
    assert is_shown_to_nobody(answer)


def test_language_is_chosen_by_a_link(issued: Prescription) -> None:
    english = Client().get(issued.verification_path).content.decode()
    arabic = Client().get(f"{issued.verification_path}&language=ar").content.decode()

    assert 'lang="en" dir="ltr"' in english
    assert f"v=1&amp;h={issued.printed_hash}&amp;language=ar" in english
    assert 'lang="ar" dir="rtl"' in arabic
    assert "أمراض القلب" in arabic
    assert f"v=1&amp;h={issued.printed_hash}&amp;language=en" in arabic


@pytest.mark.parametrize("language", ["fr", "", "../..", "\x00"])
def test_unknown_language_changes_nothing(language: str, issued: Prescription) -> None:
    claims = {"v": "1", "h": issued.printed_hash, "language": language}

    answer = Client().get(issued.verification_path.partition("?")[0], claims)

    assert answer.status_code == 200
    assert 'lang="en" dir="ltr"' in answer.content.decode()


def test_page_posts_the_pin_and_the_claims_code_and_nothing_else(issued: Prescription) -> None:
    """A browser posts from a page without a referrer as from nowhere: no form counts on more."""
    page = Client().get(issued.verification_path).content.decode()

    posted = re.findall(r'<form[^>]*method="post" action="([^"?]*)', page)
    assert posted == ["/dispensing/open", "/dispensing"]
    assert "csrfmiddlewaretoken" not in page


def test_each_look_is_logged_without_a_name(issued: Prescription) -> None:
    Client().get(issued.verification_path)

    look = AccessEvent.objects.get(action=AccessEvent.Action.VERIFIED)
    assert (look.actor_id, look.object_id) == (None, issued.pk)


def test_verifying_is_limited_together_with_the_api(issued: Prescription) -> None:
    claims = {"code": "unknown", "version": 1, "content_hash": issued.printed_hash}
    for _ in range(15):
        assert Client().get("/verify/unknown").status_code == 400
        assert api_client().post("/api/v1/qr/verify", claims).status_code == 200

    answer = Client().get(issued.verification_path)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
    assert is_shown_to_nobody(answer)


def test_verification_takes_few_queries(
    issued: Prescription, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(4):  # prescription, items, log, whether it is held
        Client().get(issued.verification_path)
