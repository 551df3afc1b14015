"""E-mails travel in the open: what they say, and what they never say."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from accounts.models import User
from accounts.tests.factories import DoctorFactory, PatientFactory
from accounts.tests.registering import registering
from accounts.tests.reviewing import reject
from connections.models import Connection
from connections.services.connections import connect, end_connection
from medisync.devstack.mailbox import Mailbox, StoredMail
from medisync.tests.client import sign_in
from notifications import outbox
from notifications.models import EmailDelivery
from notifications.tests.factories import owe_email
from notifications.wording import WORDING, Kind
from prescriptions.services.issuing import Item
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
ARABIC = re.compile(r"[\u0600-\u06ff]")


def sent(mailbox: Mailbox) -> list[StoredMail]:
    for delivery in EmailDelivery.objects.in_line():
        outbox.deliver(delivery.pk)
    return mailbox.newest()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_email_carries_a_clinical_word_or_another_persons_name(
    mailbox: Mailbox, admin: User, language: str
) -> None:
    patient = PatientFactory(first_name="Zuleika", last_name="Quartz", language=language)
    doctor = DoctorFactory(first_name="Xanthos", last_name="Vellum", language=language)
    applicant = DoctorFactory(status="PENDING_APPROVAL", language=language)
    connection = connect(actor=patient, doctor_id=doctor.pk, origin=Connection.Origin.QR)
    issued = issue(
        connection,
        items=[Item(medicine="Warfarin", quantity=1, frequency=1, instructions="With water")],
        diagnosis="Atrial fibrillation",
        notes="Check INR weekly",
    )
    end_connection(actor=doctor, connection_id=connection.pk)
    reject(sign_in(admin), applicant, note="Licence revoked")

    mails = sent(mailbox)

    assert len(mails) == 6
    unsayable = [
        "Zuleika", "Quartz", "Xanthos", "Vellum", "Warfarin", "water", "fibrillation", "INR",
        "Cardiology", "أمراض القلب", "revoked", issued.number, issued.verification_code,
        doctor.doctor_profile.licence_number,
    ]  # fmt: skip
    for mail in mails:
        said = mail.subject + mail.text + mail.html
        assert [word for word in unsayable if word in said] == []


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_worded_in_both_languages(mailbox: Mailbox, kind: Kind) -> None:
    secret = {"code": "424242"} if kind.endswith("_CODE") else None
    for language in ("en", "ar"):
        owe_email(
            kind=kind, language=language, to_address=f"{language}@a.org", secret_context=secret
        )

    sent(mailbox)

    english, arabic = mailbox.newest(to="en@a.org")[0], mailbox.newest(to="ar@a.org")[0]
    assert not ARABIC.search(english.subject + english.text)
    assert ARABIC.search(arabic.subject)
    assert ARABIC.search(arabic.text)
    assert 'dir="rtl"' in arabic.html
    assert 'dir="ltr"' in english.html


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_words(kind: Kind) -> None:
    assert WORDING[kind].subject
    assert WORDING[kind].body


def test_link_leads_to_this_site(mailbox: Mailbox) -> None:
    owe_email(url="/prescriptions/42")

    (mail,) = sent(mailbox)

    assert f"{settings.SITE_URL}/prescriptions/42" in mail.text
    assert f'href="{settings.SITE_URL}/prescriptions/42"' in mail.html


def test_nothing_in_an_email_is_fetched_from_anywhere(mailbox: Mailbox) -> None:
    owe_email()

    (mail,) = sent(mailbox)

    assert not re.search(r"<(img|script|link|iframe)|url\(|@import", mail.html)


def test_code_is_in_the_email_and_only_there(mailbox: Mailbox) -> None:
    registering()

    (mail,) = sent(mailbox)

    assert re.search(r"\b[0-9]{6}\b", mail.text)
    assert not re.search(r"[0-9]{6}", mail.subject)
