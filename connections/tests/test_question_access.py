"""A patient asks why somebody opened their data."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import Status, User
from accounts.tests.factories import AdminFactory
from audit.models import AccessCase, AccessEvent
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from connections.policies import AlreadyQuestioned, OwnAct
from connections.services.cases import QUESTIONS_A_DAY, TooManyQuestions, answer_case
from connections.tests.asking import ask, looked
from medisync.tests.client import api_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import EmailDelivery, Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(patient: User, doctor: User) -> AccessEvent:
    return looked(doctor, patient)


def test_question_is_due_within_a_week(patient: User, event: AccessEvent) -> None:
    case = ask(patient, event, "  Why on a Friday?  ")

    assert (case.event, case.patient_id, case.question) == (event, patient.pk, "Why on a Friday?")
    assert case.is_open
    assert dt.timedelta(days=6, hours=23) < case.due_at - timezone.now() <= dt.timedelta(days=7)


def test_every_administrator_in_office_is_told(patient: User, event: AccessEvent) -> None:
    first, second = AdminFactory(), AdminFactory()
    AdminFactory(status=Status.SUSPENDED)

    case = ask(patient, event)

    told = Notification.objects.filter(kind=Kind.ACCESS_QUESTIONED)
    assert {one.recipient_id for one in told} == {first.pk, second.pk}
    assert {one.url for one in told} == {f"/admin/audit/accesscase/{case.pk}/change/"}


def test_nobody_reads_the_question_in_a_notification(
    patient: User, event: AccessEvent, admin: User
) -> None:
    ask(patient, event, "Is it about my asthma?")

    told = Notification.objects.get(recipient=admin)
    assert told.title == "Mona Adel questions an access to their data."
    assert "asthma" not in str(told.context)
    assert EmailDelivery.objects.get(notification=told).secret_context is None


def test_whose_act_it_was_is_not_told(patient: User, doctor: User, event: AccessEvent) -> None:
    ask(patient, event)

    assert not Notification.objects.filter(recipient=doctor).exists()


def test_own_act_is_not_questioned(patient: User) -> None:
    with pytest.raises(OwnAct):
        ask(patient, looked(patient, patient))


def test_act_of_somebody_without_an_account_is(patient: User) -> None:
    paper = looked(
        None, patient, action=AccessEvent.Action.VERIFIED, basis=AccessEvent.Basis.QR, category=""
    )

    assert ask(patient, paper).is_open


def test_other_peoples_log_does_not_exist(stranger: User, event: AccessEvent) -> None:
    with pytest.raises(Http404):
        ask(stranger, event)


def test_what_is_not_told_cannot_be_asked_about(patient: User, doctor: User) -> None:
    blocked = looked(
        doctor,
        patient,
        action=AccessEvent.Action.BLOCKED,
        basis=AccessEvent.Basis.CARE,
        category="",
    )

    with pytest.raises(Http404):
        ask(patient, blocked)


def test_doctor_has_no_log_to_ask_about(doctor: User, event: AccessEvent) -> None:
    with pytest.raises(NotAllowed):
        ask(doctor, event)


@pytest.mark.parametrize("question", ["", "   ", "\u200b", "x" * 1001, "a\x00b"])
def test_question_says_something_and_not_too_much(
    patient: User, event: AccessEvent, question: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        ask(patient, event, question)

    assert refusal.value.attr == "question"


def test_same_act_is_asked_about_once_at_a_time(patient: User, event: AccessEvent) -> None:
    ask(patient, event)

    with pytest.raises(AlreadyQuestioned):
        ask(patient, event)


def test_who_is_not_content_asks_again(patient: User, event: AccessEvent, admin: User) -> None:
    first = ask(patient, event)
    answer_case(session=sign_in(admin), case_id=first.pk, answer="He had your results to read.")

    second = ask(patient, event, "Which results?")

    assert list(event.cases.all()) == [second, first]


def test_ten_questions_a_day_and_no_more(patient: User, doctor: User) -> None:
    for _ in range(QUESTIONS_A_DAY):
        ask(patient, looked(doctor, patient))

    with pytest.raises(TooManyQuestions) as refusal:
        ask(patient, looked(doctor, patient))

    assert 86_000 < refusal.value.retry_after <= 86_400


def test_next_day_they_may_ask_again(patient: User, doctor: User) -> None:
    with time_machine.travel(timezone.now() - dt.timedelta(hours=25)):
        for _ in range(QUESTIONS_A_DAY):
            ask(patient, looked(doctor, patient))

    assert ask(patient, looked(doctor, patient)).is_open


def test_api_answers_with_the_case(patient: User, event: AccessEvent) -> None:
    url = f"/api/v1/access-log/{event.pk}/question"
    client = api_client(patient)

    made = client.post(url, {"question": "Why?"})
    again = client.post(url, {"question": "Why?"})

    assert made.status_code == 201
    assert made.json()["status"] == "OPEN"
    assert made.json()["event_id"] == str(event.pk)
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "already_questioned")


def test_api_says_when_to_ask_the_next(patient: User, doctor: User) -> None:
    for _ in range(QUESTIONS_A_DAY):
        ask(patient, looked(doctor, patient))
    url = f"/api/v1/access-log/{looked(doctor, patient).pk}/question"

    refused = api_client(patient).post(url, {"question": "Why?"})

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 86_000


@pytest.mark.django_db(transaction=True)
def test_of_two_questions_at_once_one_is_asked(patient: User, event: AccessEvent) -> None:
    racers = race(*[lambda: ask(patient, event)] * 2, gate=AccessCase)

    assert errors(racers) == ["", "AlreadyQuestioned"]
    assert AccessCase.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_only_the_database_tells_them_apart(
    patient: User, event: AccessEvent
) -> None:
    racers = race(*[lambda: ask(patient, event)] * 2, gate=AccessCase)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


@pytest.mark.django_db(transaction=True)
def test_two_questions_at_once_do_not_pass_the_limit(patient: User, doctor: User) -> None:
    for _ in range(QUESTIONS_A_DAY - 1):
        ask(patient, looked(doctor, patient))
    first, second = looked(doctor, patient), looked(doctor, patient)

    racers = race(lambda: ask(patient, first), lambda: ask(patient, second), gate=AccessCase)

    assert errors(racers) == ["", "TooManyQuestions"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_they_would(patient: User, doctor: User) -> None:
    for _ in range(QUESTIONS_A_DAY - 1):
        ask(patient, looked(doctor, patient))
    first, second = looked(doctor, patient), looked(doctor, patient)

    racers = race(lambda: ask(patient, first), lambda: ask(patient, second), gate=AccessCase)

    assert errors(racers) == ["", ""]


def test_database_keeps_a_case_to_its_patient_and_to_others_acts(
    patient: User, stranger: User, event: AccessEvent
) -> None:
    own = looked(patient, patient)

    for wrong in ({"patient_id": stranger.pk, "event": event}, {"event": own}):
        with pytest.raises(DatabaseError, match="What others did"), transaction.atomic():
            AccessCase.objects.create(**({"patient_id": patient.pk, "question": "?"} | wrong))


def test_case_is_not_deleted(patient: User, event: AccessEvent) -> None:
    case = ask(patient, event)

    with pytest.raises(DatabaseError, match="Cannot delete"), transaction.atomic():
        case.delete()


def test_unknown_act_does_not_exist(patient: User) -> None:
    answer = api_client(patient).post(f"/api/v1/access-log/{uuid7()}/question", {"question": "?"})

    assert answer.status_code == 404
