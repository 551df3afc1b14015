"""The patient was in no pharmacy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from audit.models import AccessCase, AccessEvent
from connections.models import Connection
from connections.services import cases
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from notifications.models import Notification
from notifications.wording import Kind
from prescriptions.models import DispenseClaim, Prescription, StopReason
from prescriptions.services.claiming import return_prescription
from prescriptions.services.dispensing import withdraw_dispense
from prescriptions.services.disputing import DISPUTES_A_DAY, TooManyDisputes, dispute_claim
from prescriptions.services.pins import CodeUnknown
from prescriptions.services.stopping import stop_prescription
from prescriptions.services.timeline import history_of, timeline
from prescriptions.tests.dispensing import claim, fresh, hand_out, open_paper
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def prescription(connection: Connection) -> Prescription:
    return issue(connection)


def dispute(prescription: Prescription, actor: User | None = None) -> Prescription:
    return dispute_claim(
        actor=actor or prescription.patient,
        prescription_id=prescription.pk,
        claim_id=prescription.claims.latest("pk").pk,
    )


def test_claim_ends_and_the_paper_is_replaced(prescription: Prescription) -> None:
    held = claim(prescription)

    renewed = dispute(prescription)

    held.claim.refresh_from_db()
    assert held.claim.end_reason == "DISPUTED"
    event = AccessEvent.objects.get(action=AccessEvent.Action.RELEASED)
    assert (event.actor_id, event.basis) == (prescription.patient_id, AccessEvent.Basis.SELF)
    assert renewed.verification_code != prescription.verification_code
    with pytest.raises(CodeUnknown):
        open_paper(prescription)
    assert open_paper(fresh(prescription))


def test_administrators_are_asked_once(prescription: Prescription, admin: User) -> None:
    claim(prescription)

    dispute(prescription)
    dispute(prescription)

    case = AccessCase.objects.get()
    assert case.event.action == AccessEvent.Action.CLAIMED


def test_claim_that_is_over_can_be_disputed(prescription: Prescription) -> None:
    held = claim(prescription)
    return_prescription(secret=held.secret)

    dispute(prescription)

    held.claim.refresh_from_db()
    assert held.claim.end_reason == "RETURNED"
    assert AccessCase.objects.exists()


def test_who_handed_all_of_it_out_cannot_open_it_again(prescription: Prescription) -> None:
    held = claim(prescription)
    hand_out(held, (1, 30), (2, 20))
    dispute(prescription)

    for dispensed in held.claim.dispenses.all():
        withdraw_dispense(secret=held.secret, dispense_id=dispensed.pk)

    assert fresh(prescription).status == "active"
    with pytest.raises(CodeUnknown):
        open_paper(prescription)


def test_what_never_should_have_been_written_keeps_its_code(prescription: Prescription) -> None:
    return_prescription(secret=claim(prescription).secret)
    stop_prescription(
        actor=prescription.doctor,
        prescription_id=prescription.pk,
        reason=StopReason.ENTERED_IN_ERROR,
    )

    assert dispute(prescription).verification_code == prescription.verification_code


def test_said_twice_it_makes_one_paper(prescription: Prescription) -> None:
    claim(prescription)

    first = dispute(prescription)
    again = dispute(prescription)

    assert again.verification_code == first.verification_code
    event = AccessEvent.objects.get(action=AccessEvent.Action.CODE_REISSUED)
    assert (event.actor_id, event.object_id) == (prescription.patient_id, prescription.pk)


def test_question_about_a_pharmacy_is_no_objection_and_keeps_nobody_from_one(
    prescription: Prescription,
) -> None:
    held = claim(prescription)
    event = AccessEvent.objects.get(action=AccessEvent.Action.CLAIMED)
    cases.question_access(
        actor=prescription.patient, event_id=event.pk, question="Which pharmacy is that?"
    )
    history = history_of(fresh(prescription), prescription.patient)

    assert "DISPUTED" not in [event.what.value for event in timeline(history)]
    assert "/dispute" in page_of(prescription)
    hand_out(held, (1, 5))
    dispute(prescription)
    assert AccessCase.objects.count() == 2
    assert "/dispute" not in page_of(prescription)


def page_of(prescription: Prescription) -> str:
    browser = page_client(prescription.patient)
    return str(browser.get(f"/prescriptions/{prescription.pk}").content.decode())


@pytest.mark.parametrize(
    "change", [{"disputed_at": None}, {"end_reason": "RETURNED"}, {"ended_at": timezone.now()}]
)
def test_what_became_of_a_claim_is_said_once(
    prescription: Prescription, change: dict[str, Any]
) -> None:
    claim(prescription)
    dispute(prescription)

    with pytest.raises(ProgrammingError), transaction.atomic():
        DispenseClaim.objects.update(**change)


def test_who_asked_too_much_today_still_ends_it_and_is_heard(
    prescription: Prescription, admin: User
) -> None:
    held = claim(prescription)
    others = AccessEvent.objects.filter(action=AccessEvent.Action.ISSUED)
    for number in range(cases.QUESTIONS_A_DAY):
        if number:
            issue(prescription.connection)
        cases.question_access(
            actor=prescription.patient, event_id=others.latest("seq").pk, question="Why?"
        )

    dispute(prescription)

    held.claim.refresh_from_db()
    assert held.claim.end_reason == "DISPUTED"
    case = AccessCase.objects.latest("pk")
    assert case.event.action == AccessEvent.Action.CLAIMED
    assert told(admin) == cases.QUESTIONS_A_DAY + 1


def test_where_a_question_waits_about_the_claim_it_asks_about_the_reading_before(
    prescription: Prescription, admin: User
) -> None:
    claim(prescription)
    ask(prescription, AccessEvent.Action.CLAIMED)

    dispute(prescription)

    assert AccessCase.objects.latest("pk").event.action == AccessEvent.Action.READ
    assert told(admin) == 2


def test_where_one_waits_about_everything_administrators_are_told_of_it_again(
    prescription: Prescription, admin: User
) -> None:
    held = claim(prescription)
    asked = ask(prescription, AccessEvent.Action.CLAIMED)
    ask(prescription, AccessEvent.Action.READ)

    dispute(prescription)

    held.claim.refresh_from_db()
    assert held.claim.end_reason == "DISPUTED"
    assert AccessCase.objects.count() == 2
    urls = Notification.objects.filter(recipient=admin).values_list("url", flat=True)
    assert sum(str(asked.pk) in url for url in urls) == 2


def test_of_an_answered_question_it_opens_another(prescription: Prescription, admin: User) -> None:
    claim(prescription)
    asked = ask(prescription, AccessEvent.Action.CLAIMED)
    cases.answer_case(session=sign_in(admin), case_id=asked.pk, answer="The one on the corner.")

    dispute(prescription)

    assert AccessCase.objects.open().get().event_id == asked.event_id


def ask(prescription: Prescription, action: AccessEvent.Action) -> AccessCase:
    event = AccessEvent.objects.filter(action=action).latest("seq")
    return cases.question_access(
        actor=prescription.patient, event_id=event.pk, question="Which pharmacy is that?"
    )


def told(administrator: User) -> int:
    kind = Kind.ACCESS_QUESTIONED
    return Notification.objects.filter(recipient=administrator, kind=kind).count()


def disputed_ten_times(prescription: Prescription) -> Prescription:
    for _ in range(DISPUTES_A_DAY):
        claim(prescription)
        prescription = dispute(prescription)
    return prescription


def test_ten_a_day_and_no_more(prescription: Prescription, admin: User) -> None:
    prescription = disputed_ten_times(prescription)
    held = claim(prescription)

    with pytest.raises(TooManyDisputes) as refusal:
        dispute(prescription)

    assert 86_000 < refusal.value.retry_after <= 86_400
    assert (AccessCase.objects.count(), told(admin)) == (DISPUTES_A_DAY, DISPUTES_A_DAY)
    held.claim.refresh_from_db()
    assert held.claim.disputed_at is None


def test_what_was_disputed_already_is_no_further_one(prescription: Prescription) -> None:
    prescription = disputed_ten_times(prescription)

    assert dispute(prescription).verification_code == prescription.verification_code


def test_next_day_they_may_again(prescription: Prescription) -> None:
    with time_machine.travel(timezone.now() - dt.timedelta(hours=25)):
        elsewhere = disputed_ten_times(issue(prescription.connection))
    claim(elsewhere)

    dispute(elsewhere)

    assert AccessCase.objects.count() == DISPUTES_A_DAY + 1


def test_disputes_of_others_do_not_count(prescription: Prescription, stranger: User) -> None:
    disputed_ten_times(issue(ConnectionFactory(patient=stranger)))
    claim(prescription)

    dispute(prescription)

    assert prescription.claims.get().disputed_at


def test_api_and_page_say_when_to_dispute_the_next(prescription: Prescription) -> None:
    prescription = disputed_ten_times(prescription)
    path = f"prescriptions/{prescription.pk}/claims/{claim(prescription).claim.pk}/dispute"

    refused = api_client(prescription.patient).post(f"/api/v1/{path}")
    page = page_client(prescription.patient).post(f"/{path}", follow=True)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (429, "too_many_disputes")
    assert int(refused["Retry-After"]) > 86_000
    assert "ten pharmacies within a day" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_pass_the_limit(prescription: Prescription) -> None:
    other = issue(prescription.connection)
    for _ in range(DISPUTES_A_DAY - 1):
        claim(prescription)
        prescription = dispute(prescription)
    claim(prescription)
    claim(other)

    racers = race(lambda: dispute(prescription), lambda: dispute(other), gate=DispenseClaim)

    assert errors(racers) == ["", "TooManyDisputes"]


@pytest.mark.parametrize("who", ["stranger", "doctor", "admin"])
def test_nobody_else_disputes_it(
    who: str, prescription: Prescription, request: pytest.FixtureRequest
) -> None:
    claim(prescription)

    with pytest.raises(Http404):
        dispute(prescription, request.getfixturevalue(who))


def test_claim_of_another_prescription_is_not_found(prescription: Prescription) -> None:
    other = claim(issue(prescription.connection))

    with pytest.raises(Http404):
        dispute_claim(
            actor=prescription.patient,
            prescription_id=prescription.pk,
            claim_id=other.claim.pk,
        )
