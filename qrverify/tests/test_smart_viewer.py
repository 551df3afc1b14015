"""Our own reader of links and cards, in a browser."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings as configured
from django.test import override_settings
from django.utils.translation import override

from accounts.models import AllergyIntolerance
from medisync.tests.browsing import PHONE, Person
from prescriptions.tests.factories import issue
from qrverify.models import LinkOpening
from qrverify.services.cards import issue_card
from qrverify.services.links import page_of, revoke_link
from qrverify.smart.cards import card_file
from qrverify.smart.summary import SECTIONS
from qrverify.tests.sharing import PASSCODE, share

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def here(site):
    """This installation's address, as its links and cards have it."""
    with override_settings(SITE_URL=site):
        assert site == configured.SITE_URL
        yield site


@pytest.mark.parametrize("language", ["en", "ar"])
def test_who_has_the_link_reads_it_after_saying_who_they_are(here, browser, patient, language):
    AllergyIntolerance.objects.create(
        patient=patient, substance="<img src=x onerror=alert(1)>", criticality="HIGH"
    )
    link = share(patient, passcode=PASSCODE, label="For Dr <b>Nabil</b>")
    reader = Person(browser, here, language, **PHONE)

    reader.visit(page_of(link))
    label = reader.page.inner_text("[data-label]")
    reader.page.fill("#recipient", "City clinic")
    reader.page.fill("#passcode", "not this one")
    reader.page.click("[data-open] button")
    reader.page.wait_for_selector("[data-problem]:visible")
    wrong = reader.page.inner_text("[data-problem]")
    # A browser complains of an answer that refuses, and of nothing else.
    complaint = reader.complaints.pop()
    reader.page.fill("#passcode", PASSCODE)
    reader.page.click("[data-open] button")
    reader.page.wait_for_selector("[data-document]:visible")
    reader.look()

    shown = reader.page.inner_text("[data-document]")
    titles = reader.page.locator("[data-document] h2").all_inner_texts()
    with override(language):
        assert {str(section.title) for section in SECTIONS} <= set(titles)
    assert label == "For Dr <b>Nabil</b>"
    assert "9" in wrong
    assert "<img src=x onerror=alert(1)>" in shown
    assert "Mona Adel" in shown
    assert LinkOpening.objects.get().recipient == "City clinic"
    assert "401" in complaint


def test_a_link_that_is_gone_or_broken_or_leads_elsewhere_is_explained(here, browser, patient):
    link = share(patient, lasts=dt.timedelta(hours=1))
    address = page_of(link)
    revoke_link(actor=patient, link_id=link.pk)
    reader = Person(browser, here, "en")

    reader.visit(address)
    reader.page.fill("#recipient", "City clinic")
    reader.page.click("[data-open] button")
    reader.page.wait_for_selector("[data-problem]:visible")
    gone = reader.page.inner_text("[data-problem]")
    told = []
    for fragment in ("shlink:/AAAA", "shlink:/eyJ1cmwiOiJodHRwczovL3guZXhhbXBsZSIsImtleSI6IngifQ"):
        reader.page.goto(f"{here}/shl?{len(told)}#{fragment}")
        reader.page.wait_for_selector("[data-problem]:visible")
        told.append(reader.page.inner_text("[data-problem]"))

    assert "It may have expired or been withdrawn" in gone
    assert "not a whole health link" in told[0]
    assert "leads to another site" in told[1]


def test_a_health_card_file_is_read_and_a_changed_one_refused(here, browser, connection, tmp_path):
    prescription = issue(connection, notes="With <i>food</i>")
    card, _is_new = issue_card(actor=prescription.patient, prescription_id=prescription.pk)
    good, bad = tmp_path / "good.smart-health-card", tmp_path / "bad.smart-health-card"
    good.write_bytes(card_file(card.jws))
    at = card.jws.rindex(".") + 20
    other = "A" if card.jws[at] != "A" else "B"
    bad.write_bytes(card_file(card.jws[:at] + other + card.jws[at + 1 :]))
    reader = Person(browser, here, "en", **PHONE)

    reader.visit("/shl")
    reader.page.set_input_files("#file", bad)
    reader.page.click("[data-card] button")
    reader.page.wait_for_selector("[data-problem]:visible")
    refused = reader.page.inner_text("[data-problem]")
    reader.page.set_input_files("#file", good)
    reader.page.click("[data-card] button")
    reader.page.wait_for_selector("[data-document]:visible")
    reader.look()

    shown = reader.page.inner_text("[data-document]")
    assert "altered" in refused
    assert "Genuine" in shown
    assert "Amlodipine 5 mg" in shown
    assert "With <i>food</i>" in shown
    assert reader.complaints == []


def test_without_javascript_it_says_what_to_do(here, browser, patient):
    reader = Person(browser, here, "en", java_script_enabled=False)

    reader.page.goto(page_of(share(patient)))

    assert "scan its QR code with an app" in reader.page.inner_text("main")
    assert not reader.page.is_visible("[data-viewer]")
