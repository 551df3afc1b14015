"""Opening an emergency card, by somebody without an account: services, page and API."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AllergyIntolerance, Status, User
from accounts.services.health import add_entry
from audit.models import AccessEvent
from common import crypto
from common.errors import InvalidInput
from connections.models import Connection
from connections.services.cases import question_access
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import Racer, errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification
from prescriptions.tests.factories import issue
from qrverify.models import EmergencyCard, EmergencyScan
from qrverify.services.emergency import (
    FROM_PROFILE,
    CardReplaced,
    CardWithdrawn,
    UnknownCard,
    forget_card,
    open_card,
    reissue_card,
    revoke_card,
)
from qrverify.tests.emergency import add_contact, make_card, open_it

pytestmark = pytest.mark.django_db
URL = "/api/v1/emergency/open"
# Reading the card costs twelve, whatever is on it.
OPENING_QUERIES = 28
SAID = {"responder_name": "Nour Samir", "reason_code": "UNCONSCIOUS"}
PUBLIC = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


def told() -> list[str]:
    """The addresses of emergency contacts that were written to."""
    mails = EmailDelivery.objects.filter(kind="EMERGENCY_CONTACT_ALERT").order_by("pk")
    return list(mails.values_list("to_address", flat=True))


@pytest.fixture
def card(patient: User) -> EmergencyCard:
    add_entry(
        actor=patient,
        kind=AllergyIntolerance,
        values={"substance": "Penicillin", "criticality": "HIGH", "reaction": "Anaphylaxis"},
    )
    add_contact(patient)
    return make_card(patient)


def test_opening_is_kept_logged_and_told(card: EmergencyCard) -> None:
    opened = open_it(card, reason="At the station.")

    scan, event = EmergencyScan.objects.get(), AccessEvent.objects.get(action="EMERGENCY_OPENED")
    notification = Notification.objects.get(kind="EMERGENCY_CARD_OPENED")
    assert opened.scan == scan
    assert (scan.responder_name, scan.reason_code, scan.reason) == (
        "Nour Samir", "UNCONSCIOUS", "At the station.",
    )  # fmt: skip
    assert scan.event == event
    assert (event.actor_id, event.basis, event.object_id) == (None, "QR", scan.pk)
    assert (notification.recipient, notification.url) == (
        card.patient, "/emergency-card/openings",
    )  # fmt: skip
    assert told() == ["sister@example.org"]


def test_what_it_shows_is_as_it_stands_now(card: EmergencyCard) -> None:
    add_entry(actor=card.patient, kind=AllergyIntolerance, values={"substance": "Latex"})

    content = open_it(card).content

    allergies = content.shown[0]
    assert [line.text for line in allergies.lines] == ["Latex", "Penicillin"]
    assert [line.is_grave for line in allergies.lines] == [False, True]
    assert allergies.is_changed


def test_unconfirmed_field_is_not_shown(patient: User) -> None:
    card = make_card(patient, ["NAME"], confirmed=False)

    assert open_it(card).content.shown == []


def test_patient_can_question_the_opening(card: EmergencyCard) -> None:
    scan = open_it(card).scan

    case = question_access(actor=card.patient, event_id=scan.event_id, question="Who was this?")

    assert case.event.object_id == scan.pk


def test_contact_without_an_address_is_not_written_to(patient: User) -> None:
    add_contact(patient, "")
    card = make_card(patient)

    assert open_it(card).scan.contacts_told == 0
    assert told() == []


@pytest.mark.parametrize(
    ("name", "minutes", "mails"),
    [("nour samir ", 9, 1), ("Nour Samir", 11, 2), ("Hany Fouad", 1, 2)],
    ids=["the same", "the same, later", "another"],
)
def test_same_responder_within_ten_minutes_is_no_news_to_contacts(
    card: EmergencyCard, name: str, minutes: int, mails: int
) -> None:
    open_it(card, "Nour Samir")

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes)):
        open_it(card, name)

    assert len(told()) == mails
    assert EmergencyScan.objects.count() == 2
    assert Notification.objects.filter(kind="EMERGENCY_CARD_OPENED").count() == 2


def test_nobody_fills_the_mailbox_of_a_contact(card: EmergencyCard) -> None:
    for number in range(8):
        open_it(card, f"Somebody {number}")

    assert len(told()) == 5
    assert EmergencyScan.objects.count() == 8
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=61)):
        assert open_it(card).scan.contacts_told == 1


def test_nobody_fills_it_over_a_day_either(card: EmergencyCard) -> None:
    now = timezone.now()
    for number in range(12):
        with time_machine.travel(now + dt.timedelta(hours=number)):
            open_it(card, f"Somebody {number}")

    assert len(told()) == 10
    assert EmergencyScan.objects.count() == 12
    with time_machine.travel(now + dt.timedelta(hours=24, minutes=1)):
        assert open_it(card).scan.contacts_told == 1


@pytest.mark.parametrize(
    ("said", "attr"),
    [
        ({"responder_name": "  "}, "responder_name"),
        ({"responder_name": "x" * 121}, "responder_name"),
        ({"responder_name": "Nour\u202eSamir"}, "responder_name"),
        ({"reason_code": "CURIOUS"}, "reason_code"),
        ({"reason_code": "OTHER"}, "reason"),
        ({"reason": "Fell\u202edown"}, "reason"),
        ({"reason": "x" * 201}, "reason"),
    ],
    ids=[
        "no name",
        "long name",
        "turned name",
        "no such reason",
        "no words",
        "turned words",
        "long words",
    ],
)
def test_who_says_nothing_opens_nothing(
    card: EmergencyCard, said: dict[str, str], attr: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_card(secret=str(card.secret), **({"reason": ""} | SAID | said))

    assert refused.value.attr == attr
    assert not EmergencyScan.objects.exists()


def test_card_that_has_ended_opens_nothing(card: EmergencyCard) -> None:
    first = str(card.secret)
    second = str(reissue_card(session=sign_in(card.patient), card_id=card.pk).secret)
    revoke_card(actor=card.patient)

    for secret, refusal in (
        (first, CardReplaced), (second, CardWithdrawn), (crypto.new_secret(), UnknownCard),
    ):  # fmt: skip
        with pytest.raises(refusal):
            open_card(secret=secret, **SAID)
    assert not EmergencyScan.objects.exists()


def test_card_opens_also_while_the_account_is_closed(card: EmergencyCard) -> None:
    """Who is suspended may still be allergic."""
    User.objects.filter(pk=card.patient_id).update(status=Status.SUSPENDED)

    assert open_it(card).content.shown


def test_card_of_somebody_forgotten_opens_nothing(card: EmergencyCard) -> None:
    open_it(card, "Nour Samir", reason="Mona Adel does not answer.")
    secret = str(card.secret)

    forget_card(user=card.patient)

    scan = EmergencyScan.objects.get()
    assert (scan.responder_name, scan.reason, scan.reason_code) == ("", "", "UNCONSCIOUS")
    with pytest.raises(CardWithdrawn):
        open_card(secret=secret, **SAID)


@pytest.mark.parametrize(
    "change",
    [{"responder_name": "Nobody"}, {"reason_code": "LOST"}, {"responder_name": "", "reason": "x"}],
    ids=["name", "reason", "half forgotten"],
)
def test_opening_is_never_rewritten(card: EmergencyCard, change: dict[str, str]) -> None:
    scan = open_it(card).scan

    with pytest.raises(DatabaseError), transaction.atomic():
        EmergencyScan.objects.filter(pk=scan.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        scan.delete()


@pytest.mark.parametrize("lines", [1, 20])
def test_opening_asks_as_often_however_much_there_is(
    patient: User, connection: Connection, lines: int
) -> None:
    for number in range(lines):
        values = {"substance": f"Substance {number}"}
        add_entry(actor=patient, kind=AllergyIntolerance, values=values)
        issue(connection)
    card = make_card(patient, FROM_PROFILE, languages=["ar"], note="Deaf.")

    with CaptureQueriesContext(database) as asked:
        shown = open_it(card).content.shown
        filled = [part.field for part in shown if part.lines]

    assert {"ALLERGIES", "PRESCRIPTIONS"} <= set(filled)
    assert len(asked) == OPENING_QUERIES


# --- At once ------------------------------------------------------------------------------


def opened_while_withdrawn(card: EmergencyCard) -> list[Racer]:
    """The value of the second: whether the opening was on record once the card was withdrawn."""

    def withdraw() -> bool:
        revoke_card(actor=card.patient)
        return EmergencyScan.objects.exists()

    return race(partial(open_it, card), withdraw, gate=EmergencyScan)


@pytest.mark.django_db(transaction=True)
def test_opening_that_came_first_ends_before_the_card_is_withdrawn(patient: User) -> None:
    racers = opened_while_withdrawn(make_card(patient))

    assert errors(racers) == ["", ""]
    assert racers[1].value is True


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_a_withdrawn_card_would_be_read(patient: User) -> None:
    racers = opened_while_withdrawn(make_card(patient))

    assert errors(racers) == ["", ""]
    assert racers[1].value is False


@pytest.mark.django_db(transaction=True)
def test_withdrawal_that_came_first_leaves_nothing_to_be_read(patient: User) -> None:
    card = make_card(patient)

    racers = race(partial(revoke_card, actor=patient), partial(open_it, card), gate=EmergencyCard)

    assert errors(racers) == ["", "CardWithdrawn"]
    assert not EmergencyScan.objects.exists()


# --- The page -----------------------------------------------------------------------------


def test_page_says_nothing_before_somebody_says_who_they_are(card: EmergencyCard) -> None:
    answer = page_client().get(f"/e/{card.secret}")

    text = answer.content.decode()
    assert answer.status_code == 200
    assert not any(word in text for word in ("Mona", "Adel", "Penicillin", "Sara", "+2011"))
    assert not EmergencyScan.objects.exists()
    assert {name: answer.headers[name] for name in PUBLIC} == PUBLIC


def test_page_shows_first_name_and_initial_if_the_patient_wants_it(patient: User) -> None:
    card = make_card(patient, shows_name=True)

    text = page_client().get(f"/e/{card.secret}").content.decode()

    assert "Mona A." in text
    assert "Adel" not in text


def test_page_shows_the_card_at_once(card: EmergencyCard) -> None:
    answer = page_client().post(f"/e/{card.secret}", SAID)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert all(word in text for word in ("Mona Adel", "Penicillin", "Sara Adel"))
    assert 'href="tel:+201112223334"' in text
    assert text.index("Penicillin") < text.index("Mona Adel")
    assert {name: answer.headers[name] for name in PUBLIC} == PUBLIC
    assert EmergencyScan.objects.get().responder_name == "Nour Samir"


def test_page_looks_the_same_to_everyone(card: EmergencyCard, stranger: User) -> None:
    anonymous, signed_in = (
        page_client(user).get(f"/e/{card.secret}").content for user in (None, stranger)
    )

    assert anonymous == signed_in


@pytest.mark.parametrize("language", ["en", "ar"])
def test_page_speaks_the_language_of_its_link(card: EmergencyCard, language: str) -> None:
    closed = page_client().get(f"/e/{card.secret}?language={language}").content.decode()
    opened = page_client().post(f"/e/{card.secret}?language={language}", SAID).content.decode()

    assert f'<html lang="{language}"' in closed
    assert f'<html lang="{language}"' in opened


def test_page_says_what_is_missing(card: EmergencyCard) -> None:
    answer = page_client().post(f"/e/{card.secret}", SAID | {"reason_code": "OTHER"})

    assert answer.status_code == 400
    assert "Say in a few words" in answer.content.decode()
    assert page_client().post(f"/e/{card.secret}", {}).status_code == 400
    assert not EmergencyScan.objects.exists()


def test_page_of_a_card_that_has_ended_says_what_became_of_it(card: EmergencyCard) -> None:
    first = str(card.secret)
    second = str(reissue_card(session=sign_in(card.patient), card_id=card.pk).secret)
    revoke_card(actor=card.patient)

    answers = [
        page_client().get(f"/e/{secret}") for secret in (first, second, crypto.new_secret(), "x")
    ]

    assert [answer.status_code for answer in answers] == [410, 410, 404, 404]
    assert "replaced by a newer one" in answers[0].content.decode()
    assert "was withdrawn" in answers[1].content.decode()
    assert page_client().post(f"/e/{first}", SAID).status_code == 410
    for answer in answers:
        assert {name: answer.headers[name] for name in PUBLIC} == PUBLIC


def test_page_is_opened_ten_times_a_minute_at_most(card: EmergencyCard) -> None:
    client = page_client()

    answers = [client.post(f"/e/{card.secret}", SAID).status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]
    assert api_client().post(URL, SAID | {"token": card.url}).status_code == 429


# --- The API ------------------------------------------------------------------------------


def test_app_opens_it_by_the_address_or_its_last_part(card: EmergencyCard) -> None:
    for token in (card.url, card.secret):
        answer = api_client().post(URL, SAID | {"token": token})

        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
    parts = answer.json()["parts"]
    assert [part["field"] for part in parts] == ["ALLERGIES", "NAME", "EMERGENCY_CONTACTS"]
    assert parts[0]["lines"] == [
        {
            "text": "Penicillin",
            "detail": "\u2068May be life-threatening · Anaphylaxis\u2069",
            "phone": "",
            "is_grave": True,
        }
    ]
    assert parts[2]["lines"][0]["phone"] == "+201112223334"


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("https://medisync.example.org/e/x", 400, "qr_other_site"),
        (crypto.new_secret(), 404, "emergency_card_unknown"),
        (None, 410, "emergency_card_withdrawn"),
    ],
    ids=["another site", "unknown", "withdrawn"],
)
def test_app_is_told_why_it_opens_nothing(
    card: EmergencyCard, token: str | None, status: int, code: str
) -> None:
    secret = card.secret
    revoke_card(actor=card.patient)

    answer = api_client().post(URL, SAID | {"token": token or secret})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)
