"""An administrator answers what a patient has asked about an access."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404

from accounts.models import Status, User
from accounts.policies import SecondFactorNeeded
from accounts.services.anonymise import anonymise_user
from accounts.tests.factories import AdminFactory
from audit.models import AccessCase, AccessEvent
from common.errors import InvalidInput, NotAllowed
from common.ids import uuid7
from connections.policies import CaseAnswered
from connections.services.cases import answer_case, open_case
from connections.tests.asking import ask, looked
from medisync.tests.client import sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from notifications.models import Notification
from notifications.wording import Kind

pytestmark = pytest.mark.django_db
ANSWER = "He read your results before your visit."


@pytest.fixture
def case(patient: User, doctor: User) -> AccessCase:
    return ask(patient, looked(doctor, patient))


def answer(case: AccessCase, admin: User, text: str = ANSWER) -> AccessCase:
    return answer_case(session=sign_in(admin), case_id=case.pk, answer=text)


def test_answer_is_kept_with_who_and_when(case: AccessCase, admin: User) -> None:
    answer(case, admin, f"  {ANSWER} ")

    case.refresh_from_db()
    assert (case.status, case.answer, case.answered_by_id) == ("ANSWERED", ANSWER, admin.pk)
    assert case.answered_at


def test_patient_is_told_and_led_to_it(case: AccessCase, admin: User, patient: User) -> None:
    answer(case, admin)

    told = Notification.objects.get(recipient=patient, kind=Kind.ACCESS_ANSWERED)
    assert told.url == f"/access-log/{case.event_id}/question"
    assert told.email.status == "QUEUED"


def test_second_answer_comes_too_late(case: AccessCase, admin: User) -> None:
    answer(case, admin)

    with pytest.raises(CaseAnswered):
        answer(case, AdminFactory(), "Another.")

    case.refresh_from_db()
    assert case.answer == ANSWER


def test_nobody_answers_for_their_own_act(patient: User, admin: User) -> None:
    own = looked(admin, patient, basis=AccessEvent.Basis.ADMINISTRATION, category="")
    case = ask(patient, own)

    with pytest.raises(NotAllowed, match="Your own act"):
        answer(case, admin)

    assert answer(case, AdminFactory()).status == "ANSWERED"


def test_nobody_handles_what_they_asked_themselves(case: AccessCase, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(role="ADMIN")
    turned = User.objects.get(pk=patient.pk)

    for verb in (answer, lambda case, admin: open_case(session=sign_in(admin), case_id=case.pk)):
        with pytest.raises(NotAllowed, match="what you have asked"):
            verb(case, turned)


def test_answering_takes_a_second_factor(case: AccessCase, admin: User) -> None:
    with pytest.raises(SecondFactorNeeded):
        answer_case(session=sign_in(admin, factor=""), case_id=case.pk, answer=ANSWER)


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_answering_is_for_administrators(
    case: AccessCase, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotAllowed):
        answer(case, request.getfixturevalue(who))


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001, "a\x00b"])
def test_answer_says_something_and_not_too_much(case: AccessCase, admin: User, text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        answer(case, admin, text)

    assert refusal.value.attr == "answer"


def test_unknown_case_does_not_exist(admin: User) -> None:
    for verb in (answer_case, open_case):
        extra = {"answer": ANSWER} if verb is answer_case else {}
        with pytest.raises(Http404):
            verb(session=sign_in(admin), case_id=uuid7(), **extra)


def test_opening_a_case_is_logged(case: AccessCase, admin: User, patient: User) -> None:
    open_case(session=sign_in(admin), case_id=case.pk)

    logged = AccessEvent.objects.visible_to(patient).first()
    assert logged is not None
    assert (logged.actor_id, logged.action, logged.basis) == (admin.pk, "READ", "ADMINISTRATION")
    assert (logged.object_type, logged.object_id) == ("audit.accesscase", case.pk)


def test_case_cannot_be_opened_without_being_logged(case: AccessCase, admin: User) -> None:
    with pytest.raises(SecondFactorNeeded):
        open_case(session=sign_in(admin, factor=""), case_id=case.pk)

    assert not AccessEvent.objects.filter(object_id=case.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_the_first_counts(case: AccessCase, admin: User) -> None:
    first, second = sign_in(admin), sign_in(AdminFactory())

    racers = race(
        lambda: answer_case(session=first, case_id=case.pk, answer="One."),
        lambda: answer_case(session=second, case_id=case.pk, answer="Two."),
        gate=AccessCase,
    )

    assert errors(racers) == ["", "CaseAnswered"]
    assert AccessCase.objects.get().answer == "One."
    assert Notification.objects.filter(kind=Kind.ACCESS_ANSWERED).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_only_the_database_tells_them_apart(case: AccessCase, admin: User) -> None:
    first, second = sign_in(admin), sign_in(AdminFactory())

    racers = race(
        lambda: answer_case(session=first, case_id=case.pk, answer="One."),
        lambda: answer_case(session=second, case_id=case.pk, answer="Two."),
        gate=AccessCase,
    )

    assert [name for name in errors(racers) if name] == ["ProgrammingError"]


def test_database_keeps_an_answer_for_good(case: AccessCase, admin: User) -> None:
    answer(case, admin)

    with pytest.raises(DatabaseError), transaction.atomic():
        AccessCase.objects.update(status="OPEN", answer="", answered_at=None, answered_by_id=None)


def test_database_lets_nobody_answer_for_themselves(case: AccessCase, doctor: User) -> None:
    with pytest.raises(DatabaseError, match="others answer"), transaction.atomic():
        AccessCase.objects.update(
            status="ANSWERED", answer="x", answered_at=case.due_at, answered_by_id=doctor.pk
        )


def test_anonymised_people_are_taken_out_of_the_words(
    patient: User, doctor: User, admin: User
) -> None:
    case = ask(patient, looked(doctor, patient), "Why did Karim Nabil look at Mona's data?")
    answer(case, admin, "Karim said: by mistake.")

    anonymise_user(
        session=sign_in(AdminFactory()), user_id=doctor.pk, email=doctor.email, reason="Asked."
    )

    case.refresh_from_db()
    assert case.question == "Why did — — look at Mona's data?"
    assert case.answer == "— said: by mistake."


def test_who_is_anonymised_is_not_written_to(case: AccessCase, admin: User, patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(status=Status.ANONYMISED)

    answer(case, admin)

    assert not Notification.objects.filter(kind=Kind.ACCESS_ANSWERED).exists()
