"""A patient's emergency card on pages and over the API, on paper and on a phone."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
import zxingcpp
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import AllergyIntolerance, DeviceSession, MedicationStatement, User
from accounts.services.health import add_entry
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import unconfirmed
from connections.models import Connection
from medisync.tests.client import api_client, page_client, sign_in
from notifications.wording import MANDATORY, Kind
from prescriptions.tests.factories import issue
from qrverify.emergency_paper import SIZES, PrintedCard, Size, render_wallet_card, render_wallpaper
from qrverify.emergency_paper.render import wallet_compiler
from qrverify.models import CardField, EmergencyCard
from qrverify.services.emergency import live_card, own_card, printed, reissue_card
from qrverify.services.emergency_content import emergency_content
from qrverify.tests.emergency import make_card, open_it, versions

pytestmark = pytest.mark.django_db
API = "/api/v1/emergency-card"
# Session, device, openings; unread messages and notifications.
LIST_QUERIES = 5
SHOWN = {"shows": ["NAME", "ALLERGIES"], "note": "Deaf.", "languages": ["ar"]}


@pytest.fixture
def client(patient: User) -> Client:
    return page_client(patient)


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


# --- Pages --------------------------------------------------------------------------------


def test_without_a_card_the_page_says_how_to_make_one(client: Client) -> None:
    text = text_of(client, "/emergency-card")

    assert "You have no emergency card" in text
    assert "/emergency-card/choose" in text


def test_making_it_leads_to_confirming_it(client: Client, patient: User) -> None:
    answer = client.post("/emergency-card/choose", SHOWN)

    assert answer["Location"] == "/emergency-card/confirm"
    card = own_card(actor=patient)
    assert card.chosen == ["ALLERGIES", "NAME", "LANGUAGES", "NOTE"]
    seen = [f"{field}.{version}" for field, version in versions(card).items()]
    assert client.post("/emergency-card/confirm", {"seen": seen})["Location"] == "/emergency-card"
    assert "Please confirm" not in text_of(client, "/emergency-card")


def test_choosing_leads_to_confirming_also_where_nothing_changed(
    client: Client, patient: User
) -> None:
    make_card(patient, ["NAME"])

    answer = client.post("/emergency-card/choose", {"shows": ["NAME"]})

    assert answer["Location"] == "/emergency-card/confirm"
    assert 'href="/emergency-card/confirm"' in text_of(client, "/emergency-card")


def test_one_button_confirms_all_that_is_on_the_page(client: Client, patient: User) -> None:
    make_card(patient, ["NAME", "SEX", "ALLERGIES"], confirmed=False)
    page = text_of(client, "/emergency-card/confirm")
    seen = re.findall(r'<input type="hidden" name="seen" value="([^"]+)">', page)

    answer = client.post("/emergency-card/confirm", {"seen": seen})

    assert "all of it is right" in page
    assert answer["Location"] == "/emergency-card"
    assert len(emergency_content(own_card(actor=patient), timezone.now()).shown) == 3


def test_medicines_that_nobody_listed_stand_behind_the_prescribed_ones(
    client: Client, patient: User, connection: Connection
) -> None:
    issue(connection)
    make_card(patient, ["MEDICATIONS", "PRESCRIPTIONS", "NAME"], note="Deaf.")

    empty = text_of(client, "/emergency-card")
    add_entry(actor=patient, kind=MedicationStatement, values={"name": "Aspirin"})
    filled = text_of(client, "/emergency-card").partition("sidebar-layout")[2]

    in_order = ["Prescribed medicines", "Medicines taken", "Not listed by the patient.", "Deaf."]
    places = [empty.index(words) for words in in_order]
    assert places == sorted(places)
    assert "Not listed by the patient." not in filled
    assert filled.index("Medicines taken") < filled.index("Prescribed medicines")


def test_page_to_choose_shows_what_is_chosen(client: Client, patient: User) -> None:
    make_card(patient, ["SEX"], note="Deaf.", shows_name=True)

    form = client.get("/emergency-card/choose").context["form"]

    assert form.initial["shows"] == [CardField.SEX, CardField.NOTE]
    assert (form.initial["note"], form.initial["shows_name"]) == ("Deaf.", True)


def test_nothing_chosen_is_said_beside_the_boxes(client: Client) -> None:
    answer = client.post("/emergency-card/choose", {})

    assert answer.status_code == 400
    assert answer.context["form"].errors == {"shows": ["Choose at least one."]}


def test_preview_is_what_a_responder_sees(client: Client, patient: User) -> None:
    add_entry(actor=patient, kind=AllergyIntolerance, values={"substance": "Penicillin"})
    card = make_card(patient, ["NAME", "ALLERGIES", "SEX"], note="Deaf.")
    said = {"responder_name": "Nour", "reason_code": "LOST"}

    preview = text_of(client, "/emergency-card")
    opened = page_client().post(f"/e/{card.secret}", said).content.decode()

    def content(page: str) -> str:
        return page[page.index('<div class="emergency flow">') :].partition("Deaf.")[0]

    assert content(preview) == content(opened)


def test_page_says_what_changed_since_it_was_confirmed(client: Client, patient: User) -> None:
    make_card(patient)
    add_entry(actor=patient, kind=AllergyIntolerance, values={"substance": "Penicillin"})

    text = text_of(client, "/emergency-card")

    assert "Please confirm" in text
    assert "Changed since confirmed" in text


@pytest.mark.parametrize(
    ("seen", "status"),
    [([], 400), (["x"], 400), ([f"NAME.{'0' * 64}"], 409), ([f"SEX.{'0' * 64}"], 400)],
    ids=["nothing", "nonsense", "another version", "not on the card"],
)
def test_what_cannot_be_confirmed_is_not(
    client: Client, patient: User, seen: list[str], status: int
) -> None:
    make_card(patient, ["NAME"], confirmed=False)

    answer = client.post("/emergency-card/confirm", {"seen": seen})

    assert answer.status_code == status
    assert answer.context["form"].errors


def test_made_anew_the_page_shows_another_code(client: Client, patient: User) -> None:
    card = make_card(patient)

    answer = client.post(f"/emergency-card/{card.pk}/reissue", follow=True)

    assert answer.redirect_chain == [("/emergency-card", 302)]
    assert own_card(actor=patient).pk != card.pk


def test_made_anew_twice_the_second_is_told(client: Client, patient: User) -> None:
    card = make_card(patient)
    client.post(f"/emergency-card/{card.pk}/reissue")

    answer = client.post(f"/emergency-card/{card.pk}/reissue", follow=True)

    assert "replaced or withdrawn meanwhile" in answer.content.decode()
    assert EmergencyCard.objects.count() == 2


def test_withdrawn_it_is_gone(client: Client, patient: User) -> None:
    make_card(patient)

    client.post("/emergency-card/revoke")

    assert live_card(actor=patient) is None


def test_openings_name_who_it_was_and_can_be_questioned(client: Client, patient: User) -> None:
    card = make_card(patient)
    open_it(card, "Nour Samir", reason="At the station.")
    scan = open_it(reissue_card(session=sign_in(patient), card_id=card.pk), "Hany Fouad").scan

    text = text_of(client, "/emergency-card/openings")

    assert text.index("Hany Fouad") < text.index("Nour Samir")
    assert "At the station." in text
    assert f"/access-log/{scan.event_id}/question" in text


def test_access_log_tells_of_the_opening(client: Client, patient: User) -> None:
    open_it(make_card(patient))

    text = text_of(client, "/access-log")

    assert "Somebody with your emergency card" in text
    assert "opened it." in text
    assert "/emergency-card/openings" in text


def test_patients_are_always_told() -> None:
    assert MANDATORY[Kind.EMERGENCY_CARD_OPENED] == ("PATIENT",)


@pytest.mark.parametrize("openings", [1, 12])
def test_pages_ask_as_often_however_often_it_was_opened(
    client: Client, patient: User, django_assert_num_queries: Any, openings: int
) -> None:
    card = make_card(patient)
    for number in range(openings):
        open_it(card, f"Somebody {number}")
    client.get("/emergency-card")

    with django_assert_num_queries(LIST_QUERIES):
        client.get("/emergency-card/openings")


@pytest.fixture
def asked(client: Client) -> Client:
    """A browser whose confirmation has lapsed."""
    unconfirmed(DeviceSession.objects.get())
    return client


def confirm_it(browser: Client, answer: Any) -> Any:
    """Say that it is them, and go where they wanted to."""
    wanted = QueryDict(urlsplit(answer["Location"]).query)["next"]
    shown = browser.post("/confirm", {"password": PASSWORD, "next": wanted})
    assert (shown.status_code, shown["Location"]) == (302, wanted)
    return browser.get(wanted)


def test_page_to_choose_asks_first_whether_it_is_them(asked: Client) -> None:
    answer = asked.get("/emergency-card/choose")

    assert answer["Location"] == "/confirm?next=/emergency-card/choose"
    assert confirm_it(asked, answer).status_code == 200


def test_who_took_long_finds_what_they_typed_and_sends_it_once_more(
    asked: Client, patient: User
) -> None:
    answer = asked.post("/emergency-card/choose", SHOWN)
    form = confirm_it(asked, answer).context["form"]
    typed = {name: form[name].value() for name in ("shows", "note", "languages")}

    assert answer["Location"] == "/confirm?next=/emergency-card/choose"
    assert live_card(actor=patient) is None
    assert typed == SHOWN
    assert asked.post("/emergency-card/choose", typed)["Location"] == "/emergency-card/confirm"
    assert own_card(actor=patient).note == "Deaf."
    assert not asked.get("/emergency-card/choose").context["form"].is_bound


def test_what_was_typed_lies_sealed_and_not_for_long(asked: Client) -> None:
    answer = asked.post("/emergency-card/choose", SHOWN)
    kept = str(dict(asked.session))
    with time_machine.travel(timezone.now() + DeviceSession.CONFIRMATION_LASTS * 2):
        late = confirm_it(asked, answer).context["form"]

    assert "Deaf" not in kept
    assert not late.is_bound


def test_what_was_typed_on_one_page_is_not_shown_on_another(asked: Client) -> None:
    answer = asked.post("/emergency-card/choose", SHOWN)
    asked.post("/confirm", {"password": PASSWORD, "next": "/links/new"})

    assert answer.status_code == 302
    assert not asked.get("/links/new").context["form"].is_bound
    assert not asked.get("/emergency-card/choose").context["form"].is_bound


def test_made_anew_it_asks_first_and_comes_back_to_the_card(asked: Client, patient: User) -> None:
    card = make_card(patient)

    answer = asked.post(f"/emergency-card/{card.pk}/reissue")

    assert answer["Location"] == "/confirm?next=/emergency-card"
    assert confirm_it(asked, answer).status_code == 200
    assert own_card(actor=patient) == card


# --- The API ------------------------------------------------------------------------------


def test_app_makes_reads_and_confirms_a_card(patient: User) -> None:
    app = api_client(patient)

    made = app.put(API, SHOWN, format="json").json()
    seen = [{"field": part["field"], "version": part["version"]} for part in made["parts"]]
    confirmed = app.post(f"{API}/confirm", {"seen": seen}, format="json").json()

    assert [part["confirmed_at"] for part in made["parts"]] == [None] * 4
    assert all(part["confirmed_at"] for part in confirmed["parts"])
    assert confirmed == app.get(API).json()
    assert confirmed["url"].endswith(str(own_card(actor=patient).secret))


def test_app_is_asked_first_whether_it_is_them(patient: User) -> None:
    card = make_card(patient)
    app = api_client(patient)
    unconfirmed(DeviceSession.objects.latest("pk"))

    answers = [
        app.put(API, {"shows": ["SEX"]}, format="json"),
        app.post(f"{API}/reissue", {"card_id": str(card.pk)}, format="json"),
    ]

    codes = [(one.status_code, one.json()["errors"][0]["code"]) for one in answers]
    assert codes == [(403, "confirmation_required")] * 2
    assert own_card(actor=patient) == card
    assert app.delete(API).status_code == 204


def test_app_replaces_and_withdraws_it(patient: User) -> None:
    app, card = api_client(patient), make_card(patient)

    again = app.post(f"{API}/reissue", {"card_id": str(card.pk)}, format="json")
    late = app.post(f"{API}/reissue", {"card_id": str(card.pk)}, format="json")

    assert (again.status_code, late.status_code) == (201, 409)
    assert late.json()["errors"][0]["code"] == "emergency_card_not_current"
    assert app.delete(API).status_code == 204
    assert [app.get(API).status_code, app.delete(API).status_code] == [404, 404]


def test_app_lists_the_openings_newest_first(patient: User) -> None:
    card = make_card(patient)
    for name in ("First", "Second", "Third"):
        open_it(card, name)

    page = api_client(patient).get(f"{API}/scans?limit=2").json()
    rest = api_client(patient).get(page["next"]).json()

    names = [scan["responder_name"] for scan in [*page["results"], *rest["results"]]]
    assert names == ["Third", "Second", "First"]


def test_openings_of_one_are_not_seen_by_another(patient: User, stranger: User) -> None:
    open_it(make_card(patient))

    assert api_client(stranger).get(f"{API}/scans").json()["results"] == []


# --- On paper, and on a phone -------------------------------------------------------------


@pytest.fixture
def card(patient: User) -> EmergencyCard:
    return make_card(patient, shows_name=True)


def read_from(image: bytes) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(image)))]


def test_sheet_is_not_kept_on_the_way(card: EmergencyCard) -> None:
    answer = page_client(card.patient).get("/emergency-card/wallet.pdf")

    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_both_codes_of_the_sheet_open_the_card(card: EmergencyCard, language: Any) -> None:
    picture = wallet_compiler(printed(card), language=language).compile(format="png", ppi=150)

    assert read_from(picture) == [card.url, card.url]


@pytest.mark.parametrize("size", SIZES)
def test_code_of_the_wallpaper_opens_the_card(card: EmergencyCard, size: Size) -> None:
    answer = api_client(card.patient).get(f"{API}/wallpaper.png?size={size}")

    image = Image.open(io.BytesIO(answer.content))
    (code,) = zxingcpp.read_barcodes(image)
    corners = [code.position.top_left.y, code.position.bottom_left.y]
    assert answer["Content-Type"] == "image/png"
    assert f"{image.width}x{image.height}" == size
    assert code.text == card.url
    # Between the clock and the buttons of a locked screen.
    assert image.height * 0.35 < min(corners) < max(corners) < image.height * 0.85


@pytest.mark.parametrize("language", ["en", "ar"])
def test_same_card_gives_the_same_bytes(card: EmergencyCard, language: Any) -> None:
    outside = printed(card)

    assert render_wallet_card(outside, language=language) == render_wallet_card(
        outside, language=language
    )
    assert render_wallpaper(outside, size=SIZES[0]) == render_wallpaper(outside, size=SIZES[0])


@pytest.mark.parametrize("name", ["", "Mona A.", "منى ع.", "X" * 80 + " Y.", "😀 A."])
def test_any_name_leaves_room_for_the_code(name: str) -> None:
    outside = PrintedCard(
        url="https://medisync.example/e/" + "A" * 43,
        name=name,
        made_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
    )

    assert read_from(render_wallpaper(outside, size=SIZES[0])) == [outside.url]
    sheet = wallet_compiler(outside, language="ar").compile(format="png", ppi=150)
    assert read_from(sheet) == [outside.url, outside.url]


def test_sheet_is_tagged_and_archivable(card: EmergencyCard) -> None:
    pdf = render_wallet_card(printed(card), language="ar")

    assert b"/StructTreeRoot" in pdf
    assert b"pdfaid:part" in pdf
    assert b"pdfuaid:part" in pdf


@pytest.mark.parametrize("path", ["wallet.pdf?language=fr", "wallpaper.png?size=1x1"])
def test_what_is_not_made_is_refused(card: EmergencyCard, path: str) -> None:
    assert api_client(card.patient).get(f"{API}/{path}").status_code == 400


def test_without_a_card_there_is_nothing_to_print(patient: User) -> None:
    for path in ("wallet.pdf", "wallpaper.png"):
        assert api_client(patient).get(f"{API}/{path}").status_code == 404
        assert page_client(patient).get(f"/emergency-card/{path}").status_code == 404
