"""The emergency card where it is not looked for: a person forgotten, their copy, the admin."""

from __future__ import annotations

import email
import email.policy
import json
import zipfile

import pytest

from accounts.models import EmergencyContact, Role, Status, User
from accounts.services.health import add_entry
from common.errors import InvalidInput
from medisync.anonymise import anonymise_everywhere
from medisync.consequences import consequences_of_closing
from medisync.devstack.mailbox import Mailbox
from medisync.exports import make_export
from medisync.tests.client import api_client, page_client, sign_in
from notifications.models import EmailDelivery
from notifications.outbox import deliver
from qrverify.models import EmergencyCard, EmergencyScan
from qrverify.services.emergency import CardWithdrawn, open_card, revoke_card
from qrverify.tests.emergency import add_contact, make_card, open_it

pytestmark = pytest.mark.django_db
CONTACTS = "/api/v1/users/profile/emergency-contacts"


def test_card_of_a_forgotten_patient_opens_nothing_and_names_nobody(
    patient: User, admin: User
) -> None:
    card = make_card(patient, ["NAME"], note="Ask for Adel.")
    open_it(card, "Nour Samir", reason="Mona Adel does not answer.")
    secret = str(card.secret)

    anonymise_everywhere(
        session=sign_in(admin), user_id=patient.pk, email=patient.email, reason="Asked."
    )

    scan = EmergencyScan.objects.get()
    ended = EmergencyCard.objects.get()
    assert (scan.responder_name, scan.reason) == ("", "")
    assert (ended.end_reason, ended.secret, ended.note) == ("ANONYMISED", None, "")
    with pytest.raises(CardWithdrawn):
        open_card(secret=secret, responder_name="Nour", reason_code="LOST")


def test_card_of_somebody_who_was_a_patient_opens_nothing_once_they_are_forgotten(
    patient: User, admin: User
) -> None:
    secret = str(make_card(patient, ["NAME"]).secret)
    User.objects.filter(pk=patient.pk).update(role=Role.ADMIN)

    anonymise_everywhere(
        session=sign_in(admin), user_id=patient.pk, email=patient.email, reason="Asked."
    )

    assert EmergencyCard.objects.get().end_reason == "ANONYMISED"
    with pytest.raises(CardWithdrawn):
        open_card(secret=secret, responder_name="Nour", reason_code="LOST")


def copied(user: User) -> zipfile.ZipFile:
    export_id = api_client(user).post("/api/v1/exports").json()["id"]
    assert make_export(export_id)
    stored = user.data_exports.get(pk=export_id).file
    return zipfile.ZipFile(stored.open("rb"))


def test_copy_of_a_patient_holds_the_card_and_who_opened_it(patient: User) -> None:
    card = make_card(patient, ["NAME"], note="Deaf.")
    open_it(card, "Nour Samir", reason="At the station.")

    archive = copied(patient)

    told = json.loads(archive.read("emergency-card.json"))
    page = archive.read("index.html").decode()
    assert told["card"]["note"] == "Deaf."
    assert [one["responder_name"] for one in told["openings"]] == ["Nour Samir"]
    assert all(word in page for word in ("Deaf.", "Nour Samir", "At the station."))
    assert str(card.secret) not in page + archive.read("emergency-card.json").decode()


def test_administrators_see_whose_cards_there_are_and_not_what_they_say(
    patient: User, admin: User
) -> None:
    card = make_card(patient, ["NAME"], note="Deaf.")
    client = page_client(admin)

    pages = [
        client.get(path).content.decode()
        for path in (
            "/admin/qrverify/emergencycard/",
            f"/admin/qrverify/emergencycard/{card.pk}/change/",
        )
    ]

    for page in pages:
        assert "Mona Adel" in page
        assert "Deaf." not in page
        assert str(card.secret) not in page


@pytest.mark.parametrize("address", ["", "sister@example.org"])
def test_contact_may_have_an_address(patient: User, address: str) -> None:
    body = {"name": "Sara", "phone": "+201112223334", "email": address}

    answer = api_client(patient).post(CONTACTS, body)

    assert answer.status_code == 201
    assert answer.json()["email"] == EmergencyContact.objects.get().email == address


def test_address_of_a_contact_is_an_address(patient: User) -> None:
    values = {"name": "Sara", "phone": "+201112223334", "email": "sister"}

    with pytest.raises(InvalidInput) as refused:
        add_entry(actor=patient, kind=EmergencyContact, values=values)
    page = page_client(patient).post("/profile/health/emergency-contacts/add", values)

    assert refused.value.attr == "email"
    assert page.status_code == 400
    assert "email" in page.context["form"].errors


def test_mail_reaches_the_contact_and_tells_nothing_clinical(
    patient: User, mailbox: Mailbox
) -> None:
    add_contact(patient)
    open_it(make_card(patient, note="Deaf."), "Nour Samir", reason="At the station.")
    delivery = EmailDelivery.objects.get(kind="EMERGENCY_CONTACT_ALERT")

    assert deliver(delivery.pk)

    (mail,) = mailbox.newest()
    (path,) = mailbox.directory.glob("*.eml")
    raw = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    text = "\n".join(part.get_content() for part in raw.walk() if not part.is_multipart())
    assert mail.to == ["sister@example.org"]
    assert "emergency card" in text
    assert not any(word in text for word in ("Mona", "Adel", "Nour", "Deaf", "station"))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Status.SUSPENDED, "Their emergency card still opens for whoever holds it."),
        (Status.ANONYMISED, "Their emergency card opens nothing any more."),
    ],
)
def test_who_closes_an_account_reads_what_becomes_of_the_card(
    patient: User, status: Status, sentence: str
) -> None:
    make_card(patient)
    with_card = consequences_of_closing(patient, status)

    revoke_card(actor=patient)

    assert set(with_card) - set(consequences_of_closing(patient, status)) == {sentence}
