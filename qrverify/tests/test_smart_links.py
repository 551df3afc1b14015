"""SMART Health Links: made and withdrawn by the patient, opened by whoever has them."""

from __future__ import annotations

import base64
import datetime as dt
import json
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.db.utils import IntegrityError
from django.http import Http404, QueryDict
from django.test import Client
from django.utils import timezone
from joserfc import jwe
from joserfc.jwk import OctKey

from accounts.models import AllergyIntolerance, Condition, DeviceSession, Role, Status, User
from accounts.policies import ConfirmationNeeded
from accounts.tests.factories import PASSWORD, AdminFactory
from accounts.tests.factors import unconfirmed
from accounts.views.confirmed import TYPED_KEY
from audit.models import AccessEvent
from common import crypto
from common.errors import InvalidInput, NotAllowed
from medisync.anonymise import anonymise_everywhere
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification
from notifications.wording import MANDATORY, Kind
from prescriptions.models import StopReason
from prescriptions.services.stopping import stop_prescription
from prescriptions.tests.factories import issue
from qrverify.models import LinkOpening, SharedLink
from qrverify.services.emergency import revoke_card
from qrverify.services.links import (
    LinkGone,
    NothingShared,
    TooManyLinks,
    Wish,
    WrongPasscode,
    address_of,
    fetch_file,
    make_link,
    page_of,
    revoke_link,
    show_address,
)
from qrverify.tests.emergency import add_contact, make_card, open_it
from qrverify.tests.sharing import PASSCODE, follow, open_by_ticket, share

pytestmark = pytest.mark.django_db
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def opened(link, **said):
    """What is read behind a link, by whoever has its key."""
    return decrypted(link, follow(link, **said).embedded)


def decrypted(link, compact):
    key = OctKey.import_key(base64.urlsafe_b64decode(f"{link.key}="))
    found = jwe.decrypt_compact(compact, key, algorithms=["dir", "A256GCM", "DEF"])
    assert found.protected["cty"] == "application/fhir+json"
    return json.loads(found.plaintext)


def kinds(bundle):
    return sorted({entry["resource"]["resourceType"] for entry in bundle["entry"]})


def actions(patient):
    events = AccessEvent.objects.filter(patient_id=patient.pk).order_by("seq")
    return list(events.values_list("action", "basis"))


def payload(link):
    encoded = address_of(link).removeprefix("shlink:/")
    return json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


def ask(link, body, **headers):
    return Client(headers=headers).post(
        f"/shl/{link.manifest_id}", body, content_type="application/json"
    )


# --- Making one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lasts", "passcode", "flag"),
    [
        (dt.timedelta(hours=1), "", None),
        (dt.timedelta(hours=1), PASSCODE, "P"),
        (dt.timedelta(days=7), "", "L"),
        (dt.timedelta(days=365), PASSCODE, "LP"),
    ],
)
def test_a_link_says_where_it_leads_and_how_it_opens(patient, settings, lasts, passcode, flag):
    link = share(patient, lasts=lasts, passcode=passcode, label="Clinic")

    found = payload(link)

    assert found["url"] == f"{settings.SITE_URL}/shl/{link.manifest_id}"
    assert len(base64.urlsafe_b64decode(f"{found['key']}=")) == 32
    assert [found.get("flag"), found["label"], found["v"]] == [flag, "Clinic", 1]
    assert found["exp"] == int(link.expires_at.timestamp())


def test_its_secrets_are_not_in_the_database(patient):
    link = share(patient, passcode=PASSCODE)

    row = SharedLink.objects.filter(pk=link.pk).values("manifest_digest", "passcode").get()

    assert row["manifest_digest"] == crypto.digest(str(link.manifest_id))
    assert row["passcode"].startswith("argon2")


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"content": "EVERYTHING"}, "content"),
        ({"categories": []}, "categories"),
        ({"categories": ["LAB_RESULT"]}, "categories"),
        ({"categories": ["NATIONAL_ID"]}, "categories"),
        ({"content": "EMERGENCY"}, "categories"),
        ({"label": "x" * 81}, "label"),
        ({"label": "a\u202eb"}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"passcode": "12345"}, "passcode"),
        ({"passcode": "x" * 65}, "passcode"),
        ({"lasts": dt.timedelta(minutes=59)}, "hours"),
        ({"lasts": dt.timedelta(days=366)}, "hours"),
    ],
    ids=range(12),
)
def test_what_cannot_be_shared_so_is_refused(patient, changes, attr):
    with pytest.raises(InvalidInput) as refused:
        share(patient, **changes)

    assert refused.value.attr == attr


def test_whoever_makes_one_has_just_confirmed_that_it_is_them(patient):
    session = unconfirmed(sign_in(patient))
    wish = Wish("SUMMARY", dt.timedelta(days=365), ["ALLERGIES"])

    with pytest.raises(ConfirmationNeeded):
        make_link(session=session, wish=wish)

    assert not SharedLink.objects.exists()


def test_the_patient_is_told_and_written_to_whenever_one_is_made(patient):
    link = share(patient)

    told = Notification.objects.get(recipient=patient, kind=Kind.LINK_MADE)
    assert told.url == f"/links/{link.pk}"
    assert EmailDelivery.objects.filter(kind=Kind.LINK_MADE, recipient=patient).count() == 1
    assert MANDATORY[Kind.LINK_MADE] == ("PATIENT",)


def test_only_patients_share(doctor):
    with pytest.raises(NotAllowed):
        share(doctor)


def test_an_emergency_card_is_shared_once_it_shows_something(patient):
    with pytest.raises(NothingShared):
        share(patient, content="EMERGENCY", categories=[])

    make_card(patient, ["NAME"], confirmed=False)

    with pytest.raises(NothingShared):
        share(patient, content="EMERGENCY", categories=[])


def test_there_is_an_end_to_links(patient, monkeypatch):
    monkeypatch.setattr("qrverify.services.links.MOST_LIVE", 2)
    first = share(patient)
    share(patient)

    with pytest.raises(TooManyLinks):
        share(patient)

    revoke_link(actor=patient, link_id=first.pk)
    share(patient)


# --- Opening one ------------------------------------------------------------------------------


def test_what_is_behind_it_is_read_when_it_is_opened(patient):
    link = share(patient, categories=["ALLERGIES", "CONDITIONS"])
    before = opened(link)

    AllergyIntolerance.objects.create(patient=patient, substance="Latex")
    after = opened(link)

    assert kinds(before) == ["Composition", "Patient"]
    assert kinds(after) == ["AllergyIntolerance", "Composition", "Patient"]


def test_it_shows_what_was_chosen_and_nothing_else(connection):
    patient = connection.patient
    Condition.objects.create(patient=patient, name="Asthma")
    issue(connection)

    shown = json.dumps(opened(share(patient, categories=["PRESCRIPTIONS"])))

    assert "Amlodipine" in shown
    assert "Asthma" not in shown
    assert "withheld" in shown
    assert "29005170100123" not in shown


def test_what_is_no_longer_in_force_is_not_shown(connection):
    prescription = issue(connection)
    link = share(connection.patient, categories=["PRESCRIPTIONS"])

    stop_prescription(
        actor=connection.doctor, prescription_id=prescription.pk, reason=StopReason.NOT_NEEDED
    )

    assert "Amlodipine" not in json.dumps(opened(link))


def test_of_an_emergency_card_it_shows_what_the_card_does(patient):
    AllergyIntolerance.objects.create(patient=patient, substance="Latex", criticality="HIGH")
    make_card(patient, ["NAME", "ALLERGIES"], note="Pacemaker")
    link = share(patient, content="EMERGENCY", categories=[])

    bundle = opened(link)

    assert kinds(bundle) == ["AllergyIntolerance", "Composition", "Patient"]
    assert "Pacemaker" in json.dumps(bundle)
    assert "birthDate" not in json.dumps(bundle)


def alerts(patient):
    told = Notification.objects.filter(recipient=patient, kind="EMERGENCY_CARD_OPENED")
    mails = EmailDelivery.objects.filter(kind="EMERGENCY_CONTACT_ALERT")
    return [told.count(), mails.count()]


def test_a_link_to_the_card_is_told_of_as_the_card_is(patient):
    add_contact(patient)
    make_card(patient, ["NAME"])
    link = share(patient, content="EMERGENCY", categories=[])

    follow(link, recipient="City clinic")
    follow(link, recipient="city CLINIC")

    assert alerts(patient) == [2, 1]
    assert not Notification.objects.filter(kind="LINK_OPENED").exists()
    openings = LinkOpening.objects.order_by("pk")
    assert [opening.contacts_told for opening in openings] == [1, 0]


def test_card_and_link_are_under_one_cap(patient):
    add_contact(patient)
    card = make_card(patient, ["NAME"])
    link = share(patient, content="EMERGENCY", categories=[])

    for number in range(4):
        open_it(card, f"Responder {number}")
        follow(link, recipient=f"Reader {number}")

    assert alerts(patient) == [8, 5]


def test_with_the_card_the_link_to_it_opens_nothing(patient):
    make_card(patient, ["NAME"])
    link = share(patient, content="EMERGENCY", categories=[])

    revoke_card(actor=patient)

    with pytest.raises(LinkGone):
        follow(link)


def test_each_opening_is_kept_logged_and_told(patient):
    link = share(patient)

    follow(link, recipient="Dr Müller, Bern")

    opening = LinkOpening.objects.get()
    link.refresh_from_db()
    assert opening.recipient == "Dr Müller, Bern"
    assert [link.opened_count, link.last_opened_at] == [1, opening.created_at]
    assert actions(patient)[-2:] == [("LINK_MADE", "SELF"), ("LINK_OPENED", "QR")]
    told = Notification.objects.get(recipient=patient, kind=Kind.LINK_OPENED)
    assert told.url == f"/links/{link.pk}"


def test_the_log_names_who_had_the_link_and_leads_to_it(patient):
    link = share(patient)
    follow(link)

    row = api_client(patient).get("/api/v1/access-log").json()["results"][0]

    assert row["actor"]["display_name"] == "Somebody with a link of yours"
    assert row["object"]["url"] == f"/links/{link.pk}"


def test_who_comes_back_soon_is_logged_and_no_news(patient):
    link = share(patient)

    follow(link, recipient="City clinic")
    follow(link, recipient="city CLINIC")
    follow(link, recipient="Another clinic")

    assert LinkOpening.objects.count() == 3
    assert Notification.objects.filter(recipient=patient, kind=Kind.LINK_OPENED).count() == 2


@pytest.mark.parametrize("recipient", ["", "   ", "x" * 121, "a\nb", "a\u202eb", "a\x00b"])
def test_who_opens_it_says_who_they_are(patient, recipient):
    link = share(patient)

    with pytest.raises(InvalidInput):
        follow(link, recipient=recipient)
    assert not LinkOpening.objects.exists()


def test_withdrawn_it_opens_nothing_and_keeps_no_secret(patient):
    link = share(patient, passcode=PASSCODE)

    revoke_link(actor=patient, link_id=link.pk)
    revoke_link(actor=patient, link_id=link.pk)

    with pytest.raises(LinkGone):
        follow(link, passcode=PASSCODE)
    link.refresh_from_db()
    assert [link.manifest_id, link.key, link.passcode, address_of(link)] == [None, None, "", ""]
    assert actions(patient).count(("LINK_REVOKED", "SELF")) == 1


def test_nobody_else_withdraws_it(patient, stranger):
    link = share(patient)

    with pytest.raises(Http404):
        revoke_link(actor=stranger, link_id=link.pk)


def test_expired_it_opens_nothing(patient):
    link = share(patient, lasts=dt.timedelta(hours=1))

    with time_machine.travel(timezone.now() + dt.timedelta(hours=1, seconds=1)):
        with pytest.raises(LinkGone):
            follow(link)
        assert link.state(timezone.now()) == SharedLink.State.EXPIRED


def test_while_the_patients_account_is_closed_no_summary_opens(patient):
    make_card(patient, ["NAME"])
    summary, emergency = share(patient), share(patient, content="EMERGENCY", categories=[])

    User.objects.filter(pk=patient.pk).update(status=Status.SUSPENDED)

    with pytest.raises(LinkGone):
        follow(summary)
    assert kinds(opened(emergency)) == ["Composition", "Patient"]


def test_of_a_patient_who_is_anonymised_nothing_opens_and_no_name_is_kept(patient):
    link = share(patient, label="Mona's clinic")
    follow(link, recipient="Mona's aunt")

    anonymise_everywhere(
        session=sign_in(AdminFactory()), user_id=patient.pk, email=patient.email, reason="Asked."
    )

    with pytest.raises(LinkGone):
        follow(link)
    link.refresh_from_db()
    assert [link.label, LinkOpening.objects.get().recipient] == ["", ""]


def test_of_somebody_who_was_a_patient_and_is_anonymised_no_link_opens(patient):
    make_card(patient, ["NAME"])
    link = share(patient, content="EMERGENCY", categories=[])
    User.objects.filter(pk=patient.pk).update(role=Role.ADMIN)

    anonymise_everywhere(
        session=sign_in(AdminFactory()), user_id=patient.pk, email=patient.email, reason="Asked."
    )

    with pytest.raises(LinkGone):
        follow(link)


# --- Passcodes --------------------------------------------------------------------------------


def test_with_the_passcode_it_opens_and_a_right_one_costs_no_try(patient):
    link = share(patient, passcode=PASSCODE)

    opened(link, passcode=PASSCODE)

    link.refresh_from_db()
    assert link.remaining_tries == SharedLink.PASSCODE_TRIES


def test_ten_wrong_ones_end_it_for_good(patient):
    link = share(patient, passcode=PASSCODE)

    remaining = []
    for _ in range(10):
        with pytest.raises(WrongPasscode) as refused:
            follow(link, passcode="wrong one")
        remaining.append(refused.value.remaining)

    assert remaining == list(range(9, -1, -1))
    with pytest.raises(LinkGone):
        follow(link, passcode=PASSCODE)
    link.refresh_from_db()
    assert link.state(timezone.now()) == SharedLink.State.LOCKED


def test_the_patient_is_told_once_that_it_is_closed(patient):
    link = share(patient, passcode=PASSCODE)

    for attempt in range(12):
        with pytest.raises(WrongPasscode if attempt < 10 else LinkGone):
            follow(link, passcode="wrong one")

    told = Notification.objects.get(recipient=patient, kind="LINK_LOCKED")
    assert told.url == f"/links/{link.pk}"
    assert MANDATORY[Kind.LINK_LOCKED] == ("PATIENT",)


def test_each_wrong_one_that_is_judged_is_in_the_access_log(patient):
    link = share(patient, passcode=PASSCODE)

    for attempt in range(12):
        with pytest.raises(WrongPasscode if attempt < 10 else LinkGone):
            follow(link, passcode="wrong one")

    assert actions(patient).count(("LINK_REFUSED", "QR")) == 10
    row = api_client(patient).get("/api/v1/access-log").json()["results"][0]
    assert row["sentence"].endswith("entered a wrong passcode for a link to your data.")
    assert row["actor"]["display_name"] == "Somebody with a link of yours"
    assert row["object"]["url"] == f"/links/{link.pk}"


def test_none_at_all_is_refused_and_not_counted(patient):
    link = share(patient, passcode=PASSCODE)

    with pytest.raises(WrongPasscode):
        follow(link)

    link.refresh_from_db()
    assert link.remaining_tries == 10


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_ten_are_judged(patient):
    link = share(patient, passcode=PASSCODE)
    SharedLink.objects.filter(pk=link.pk).update(wrong_passcodes=8)

    racers = race(*[lambda: follow(link, passcode="wrong one")] * 5, gate=SharedLink)

    errors = sorted(type(racer.error).__name__ for racer in racers)
    assert errors == ["LinkGone"] * 3 + ["WrongPasscode"] * 2
    link.refresh_from_db()
    assert link.remaining_tries == 0
    assert actions(patient).count(("LINK_REFUSED", "QR")) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_more_would_be_judged_than_are_counted(patient):
    link = share(patient, passcode=PASSCODE)
    SharedLink.objects.filter(pk=link.pk).update(wrong_passcodes=8)

    racers = race(*[lambda: follow(link, passcode="wrong one")] * 5, gate=SharedLink)

    assert {type(racer.error) for racer in racers} == {WrongPasscode}
    link.refresh_from_db()
    assert link.remaining_tries == 1


# --- Files ------------------------------------------------------------------------------------


def test_a_ticket_fetches_the_file_once(patient):
    link = share(patient)
    ticket = open_by_ticket(link)

    bundle = decrypted(link, fetch_file(ticket=ticket))

    assert bundle["resourceType"] == "Bundle"
    with pytest.raises(LinkGone):
        fetch_file(ticket=ticket)
    assert LinkOpening.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_fetched_by_many_at_once_one_gets_it(patient):
    ticket = open_by_ticket(share(patient))

    racers = race(*[lambda: fetch_file(ticket=ticket)] * 4, gate=LinkOpening)

    assert sum(racer.value is not None for racer in racers) == 1
    assert {type(racer.error) for racer in racers if racer.error} == {LinkGone}


def test_a_ticket_is_good_for_minutes(patient):
    ticket = open_by_ticket(share(patient))

    with (
        time_machine.travel(timezone.now() + LinkOpening.TICKET_LASTS),
        pytest.raises(LinkGone),
    ):
        fetch_file(ticket=ticket)


def test_a_ticket_of_a_withdrawn_link_fetches_nothing(patient):
    link = share(patient)
    ticket = open_by_ticket(link)

    revoke_link(actor=patient, link_id=link.pk)

    with pytest.raises(LinkGone):
        fetch_file(ticket=ticket)


def test_an_opening_without_a_ticket_is_found_by_none(patient):
    follow(share(patient))

    with pytest.raises(LinkGone):
        fetch_file(ticket="")


# --- What the database holds ------------------------------------------------------------------


def test_its_terms_and_its_openings_are_kept_as_they_are(patient):
    link, unopened = share(patient), share(patient)
    follow(link)

    for change in (
        lambda: SharedLink.objects.filter(pk=link.pk).update(categories=["FACTS"]),
        lambda: SharedLink.objects.filter(pk=unopened.pk).delete(),
        lambda: LinkOpening.objects.update(recipient="Somebody else"),
        lambda: LinkOpening.objects.all().delete(),
    ):
        with pytest.raises(ProgrammingError):
            _in_a_savepoint(change)
    with pytest.raises(IntegrityError):
        _in_a_savepoint(lambda: SharedLink.objects.update(wrong_passcodes=11))


def _in_a_savepoint(change):

    with transaction.atomic():
        change()


# --- The protocol -----------------------------------------------------------------------------


def test_the_manifest_is_open_to_pages_of_anybody_and_kept_by_none(patient):
    answer = ask(share(patient), {"recipient": "City clinic"})

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex"
    assert int(answer["Retry-After"]) > 0
    manifest = answer.json()
    assert manifest["status"] == "can-change"
    assert [set(file) for file in manifest["files"]] == [{"contentType", "embedded"}]


def test_a_browser_may_ask_from_anywhere(patient):
    link = share(patient)

    answer = Client().options(f"/shl/{link.manifest_id}", headers={"origin": "https://x.example"})

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Headers"] == "content-type"
    assert "POST" in answer["Access-Control-Allow-Methods"]


def test_a_wrong_passcode_says_how_many_tries_remain(patient):
    answer = ask(share(patient, passcode=PASSCODE), {"recipient": "x", "passcode": "wrong one"})

    assert [answer.status_code, answer.json()] == [401, {"remainingAttempts": 9}]
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_embedded_is_never_longer_than_asked(patient):
    link = share(patient)
    whole = ask(link, {"recipient": "x"}).json()["files"][0]["embedded"]

    fits = ask(link, {"recipient": "x", "embeddedLengthMax": len(whole) + 50}).json()["files"][0]
    located = ask(link, {"recipient": "x", "embeddedLengthMax": 0}).json()["files"][0]

    assert set(fits) == {"contentType", "embedded"}
    path = located["location"].removeprefix("http://testserver")
    file = Client().get(path)
    assert [file.status_code, file["Content-Type"]] == [200, "application/jose"]
    assert file["Access-Control-Allow-Origin"] == "*"
    assert decrypted(link, file.content.decode())["type"] == "document"
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"\xff",
        b'{"recipient": ""}',
        b'{"recipient": 7}',
        b'{"passcode": "x"}',
        b'{"recipient": "x", "passcode": 7}',
        b'{"recipient": "x", "embeddedLengthMax": "7"}',
        b'{"recipient": "x", "embeddedLengthMax": -1}',
        b'{"recipient": "x", "embeddedLengthMax": true}',
        b'{"recipient": "x", "embeddedLengthMax": 1.5}',
        b'{"recipient": "' + b"x" * 20_000 + b'"}',
        b"[" * 100_000,
    ],
    ids=range(16),
)
def test_a_body_of_another_shape_is_a_bad_request(patient, body):
    link = share(patient)

    answer = Client().post(f"/shl/{link.manifest_id}", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["detail"]
    assert not LinkOpening.objects.exists()


def test_what_the_protocol_may_say_one_day_is_ignored(patient):
    answer = ask(share(patient), {"recipient": "x", "purpose": "treatment", "passcode": None})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/shl/x", "/shl/file/x", f"/shl/{'a' * 43}", "/shl/a%00b"])
def test_an_address_that_nobody_made_is_not_there(client, db, path):
    ask_it = client.get if "/file/" in path else client.post

    answer = ask_it(path, data={"recipient": "x"}, content_type="application/json")

    assert answer.status_code == 404


def test_those_who_ask_too_often_are_told_to_wait(patient):
    link = share(patient)

    answers = [ask(link, {"recipient": "x"}) for _ in range(31)]

    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0


# --- Pages and API ----------------------------------------------------------------------------


def test_the_patient_makes_one_sees_who_opened_it_and_withdraws_it(patient):
    browser = page_client(patient)
    sent = {"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": "168", "label": "Clinic"}

    empty = browser.get("/links").content.decode()
    made = browser.post("/links/new", sent)
    link = SharedLink.objects.get()
    follow(link, recipient="<b>Dr Nabil</b>")
    page = browser.get(made["Location"]).content.decode()
    listed = browser.get("/links").content.decode()
    browser.post(f"/links/{link.pk}/revoke")
    after = browser.get(f"/links/{link.pk}").content.decode()

    assert "You have no links" in empty
    assert address_of(link) in page
    assert "&lt;b&gt;Dr Nabil" in page
    assert "opened 1 time" in listed
    assert address_of(link) not in after
    assert "It opens nothing any more" in after


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_page_asks_first_whether_it_is_them_and_comes_back(patient, method):
    browser = page_client(patient)
    unconfirmed(DeviceSession.objects.get(user=patient))
    sent = {"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": "8760"}

    answer = getattr(browser, method)(
        "/links/new?content=EMERGENCY", sent if method == "post" else None
    )

    assert answer.status_code == 302
    query = QueryDict(urlsplit(answer["Location"]).query)
    assert urlsplit(answer["Location"]).path == "/confirm"
    assert query["next"].startswith("/links/new?content=EMERGENCY")
    assert not SharedLink.objects.exists()


def test_what_was_typed_is_there_after_confirming(patient):
    browser = page_client(patient)
    unconfirmed(DeviceSession.objects.get(user=patient))
    sent = {
        "content": "SUMMARY",
        "categories": ["ALLERGIES"],
        "hours": "24",
        "passcode": PASSCODE,
        "label": "Clinic",
    }

    browser.post("/links/new", sent)
    browser.post("/confirm", {"password": PASSWORD, "next": "/links/new"})
    page = browser.get("/links/new")
    typed = {name: page.context["form"][name].value() for name in sent}

    assert typed == sent
    assert "Send it once more" in page.content.decode()
    assert browser.post("/links/new", typed)["Location"].startswith("/links/")


def test_more_than_anybody_types_is_not_kept_meanwhile(patient):
    browser = page_client(patient)
    unconfirmed(DeviceSession.objects.get(user=patient))

    asked = browser.post("/links/new", {"label": "é" * 50_000})
    page = browser.get("/confirm")

    assert asked["Location"] == "/confirm?next=/links/new"
    assert page.status_code == 200
    assert TYPED_KEY not in browser.session


def test_what_was_typed_stays_for_who_only_asks_about_the_page(patient):
    browser = page_client(patient)
    unconfirmed(DeviceSession.objects.get(user=patient))

    browser.post("/links/new", {"label": "Clinic"})
    browser.post("/confirm", {"password": PASSWORD, "next": "/links/new"})
    browser.head("/links/new")
    page = browser.get("/links/new")

    assert page.context["form"]["label"].value() == "Clinic"


def test_the_address_of_one_that_is_there_is_shown_after_confirming(patient):
    link = share(patient)
    follow(link, recipient="Dr Nabil")
    browser = page_client(patient)
    DeviceSession.objects.filter(user=patient).update(confirmed_at=LONG_AGO)

    before = browser.get(f"/links/{link.pk}").content.decode()
    confirmed = browser.post("/confirm", {"password": PASSWORD, "next": f"/links/{link.pk}"})
    after = browser.get(confirmed["Location"]).content.decode()

    assert address_of(link) not in before
    assert link.key not in before
    assert "Dr Nabil" in before
    assert f'href="/confirm?next=/links/{link.pk}"' in before
    assert address_of(link) in after


def test_one_is_withdrawn_without_confirming(patient):
    link = share(patient)
    browser = page_client(patient)
    DeviceSession.objects.filter(user=patient).update(confirmed_at=LONG_AGO)

    browser.post(f"/links/{link.pk}/revoke")

    assert SharedLink.objects.get().revoked_at


def test_an_app_reads_one_without_and_its_address_after_confirming(patient):
    link = share(patient)
    app = api_client(patient)
    confirmed = app.get(f"/api/v1/links/{link.pk}/address")
    DeviceSession.objects.filter(user=patient).update(confirmed_at=LONG_AGO)

    read = app.get(f"/api/v1/links/{link.pk}")
    asked = app.get(f"/api/v1/links/{link.pk}/address")

    assert confirmed.json() == {"shlink": address_of(link), "url": page_of(link)}
    assert read.status_code == 200
    assert not {"shlink", "url"} & read.json().keys()
    assert [asked.status_code, asked.json()["errors"][0]["code"]] == [403, "confirmation_required"]


@pytest.mark.parametrize("end", ["withdrawn", "expired", "locked"])
def test_one_that_opens_nothing_any_more_has_no_address(patient, end):
    link = share(patient, passcode=PASSCODE)
    if end == "withdrawn":
        revoke_link(actor=patient, link_id=link.pk)
    elif end == "locked":
        SharedLink.objects.update(wrong_passcodes=10)
    app = api_client(patient)

    when = timezone.now() + dt.timedelta(days=400 if end == "expired" else 0)
    session = sign_in(patient)
    session.confirmed_at = when
    with time_machine.travel(when), pytest.raises(LinkGone):
        show_address(session=session, link_id=link.pk)

    if end != "expired":
        assert app.get(f"/api/v1/links/{link.pk}/address").status_code == 404


def test_an_app_is_asked_first_whether_it_is_them(patient):
    app = api_client(patient)
    unconfirmed(DeviceSession.objects.get(user=patient))

    answer = app.post(
        "/api/v1/links", {"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": 24}
    )

    assert [answer.status_code, answer.json()["errors"][0]["code"]] == [
        403,
        "confirmation_required",
    ]
    assert not SharedLink.objects.exists()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 400),
        ({"content": "SUMMARY", "hours": "168"}, 400),
        ({"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": "5"}, 400),
        (
            {"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": "24", "passcode": "short"},
            400,
        ),
        ({"content": "SUMMARY", "categories": ["OTHER"], "hours": "24"}, 400),
        # There is no card.
        ({"content": "EMERGENCY", "hours": "24"}, 409),
    ],
    ids=range(6),
)
def test_a_form_that_cannot_be_right_is_shown_again(patient, sent, status):
    answer = page_client(patient).post("/links/new", sent)

    assert answer.status_code == status
    assert not SharedLink.objects.exists()


def test_the_emergency_cards_page_leads_to_a_link_to_it(patient):
    make_card(patient, ["NAME"])
    browser = page_client(patient)

    card = browser.get("/emergency-card").content.decode()
    queries = ("?content=EMERGENCY", "?content=x", "")
    forms = [browser.get(f"/links/new{query}").context["form"] for query in queries]

    assert 'href="/links/new?content=EMERGENCY"' in card
    assert [form["content"].value() for form in forms] == ["EMERGENCY", "SUMMARY", "SUMMARY"]


def test_an_emergency_link_needs_no_categories_and_takes_none(patient):
    make_card(patient, ["NAME"])
    sent = {"content": "EMERGENCY", "categories": ["ALLERGIES"], "hours": "24"}

    page_client(patient).post("/links/new", sent)

    assert SharedLink.objects.get().categories == []


def test_over_rest(patient):
    app = api_client(patient)
    wish = {"content": "SUMMARY", "categories": ["ALLERGIES"], "hours": 24, "passcode": PASSCODE}

    made = app.post("/api/v1/links", wish)
    link = SharedLink.objects.get()
    follow(link, passcode=PASSCODE)
    listed = app.get("/api/v1/links").json()["results"]
    one = app.get(f"/api/v1/links/{link.pk}").json()
    gone = app.delete(f"/api/v1/links/{link.pk}")
    after = app.get(f"/api/v1/links/{link.pk}").json()

    assert made.status_code == 201
    assert made.json()["shlink"] == address_of(link)
    assert "shlink" not in listed[0]
    assert [one["has_passcode"], one["opened_count"]] == [True, 1]
    assert one["openings"][0]["recipient"] == "City clinic"
    assert [gone.status_code, after["state"]] == [204, "REVOKED"]


def test_a_list_is_read_in_as_many_queries_for_one_link_as_for_many(
    patient, django_assert_max_num_queries
):
    app = api_client(patient)
    for _ in range(5):
        share(patient)

    with django_assert_max_num_queries(3):
        assert len(app.get("/api/v1/links").json()["results"]) == 5


def test_the_viewer_is_the_same_for_everybody_and_kept_by_none(client, patient):
    answers = [client.get("/shl"), page_client(patient).get("/shl?language=ar")]

    for answer in answers:
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "This page needs JavaScript" in answer.content.decode() or answer is answers[1]
    assert 'dir="rtl"' in answers[1].content.decode()
    assert "Mona" not in answers[1].content.decode()
