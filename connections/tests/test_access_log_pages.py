"""The patient's pages of their log."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import AdminFactory, DoctorFactory
from connections.models import DataCategory
from connections.services.cases import answer_case
from connections.tests.asking import ask, looked
from medisync.tests.client import page_client, sign_in

pytestmark = pytest.mark.django_db
LOG = "/access-log"


def page_of(user: User, path: str = LOG) -> str:
    """What stands on the page, without marks of direction."""
    content = page_client(user).get(path).content.decode()
    return re.sub("[\u2068\u2069]", "", content)


def test_acts_close_together_are_one_visit(patient: User, doctor: User) -> None:
    now = timezone.now()
    for minutes, category in ((80, "FACTS"), (20, "ALLERGIES"), (10, "MEDICATIONS")):
        with time_machine.travel(now - dt.timedelta(minutes=minutes), tick=False):
            looked(doctor, patient, category=category)

    page = page_of(patient)

    assert (
        "Dr Karim Nabil looked at your allergies and the medicines you take, "
        "because you share this." in page
    )
    assert page.count('<article class="card flow"') == 2


def test_each_act_can_be_questioned(patient: User, doctor: User) -> None:
    first, second = looked(doctor, patient), looked(doctor, patient)

    page = page_of(patient)

    for event in (first, second):
        assert f'href="/access-log/{event.pk}/question"' in page


def test_empty_log_says_what_will_be_here(patient: User) -> None:
    looked(patient, patient)

    page = page_of(patient)

    assert "Nobody has seen your data yet" in page
    assert "You looked at" not in page


def test_own_acts_are_a_click_away(patient: User) -> None:
    looked(patient, patient)

    page = page_of(patient, f"{LOG}?by=all")

    assert "You looked at your allergies." in page
    assert "Question this access" not in page


def test_days_are_the_readers_own(patient: User, doctor: User) -> None:
    """An hour after midnight in Cairo is the day before in UTC."""
    at = dt.datetime(2026, 5, 2, 22, 30, tzinfo=dt.UTC)
    with time_machine.travel(at, tick=False):
        looked(doctor, patient)

    found = [
        "because you share this" in page_of(patient, f"{LOG}?since={day}&until={day}")
        for day in ("2026-05-02", "2026-05-03")
    ]

    assert found == [False, True]


def test_narrowed_to_nothing_leads_back_to_all(patient: User, doctor: User) -> None:
    looked(doctor, patient)

    page = page_of(patient, f"{LOG}?category={DataCategory.REPORT}")

    assert "Nothing like this is on record" in page
    assert "Show everything" in page


def test_wrong_day_is_refused_beside_its_field(patient: User, doctor: User) -> None:
    looked(doctor, patient)

    answer = page_client(patient).get(f"{LOG}?since=never&category=NOTHING")

    assert answer.status_code == 400
    assert "because you share this" not in answer.content.decode()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Africa/Cairo", "Pacific/Pago_Pago"])
def test_calendar_can_be_asked_for_from_end_to_end(patient: User, doctor: User, zone: str) -> None:
    User.objects.filter(pk=patient.pk).update(time_zone=zone)
    looked(doctor, patient)
    first, last = dt.date.min.isoformat(), dt.date.max.isoformat()

    page = page_of(patient, f"{LOG}?since={first}&until={last}")

    assert "because you share this" in page


def test_only_patients_have_the_page(doctor: User) -> None:
    assert page_client(doctor).get(LOG).status_code == 403
    assert LOG not in page_of(doctor, "/")


def test_log_asks_a_fixed_number_of_questions(patient: User, django_assert_max_num_queries) -> None:
    browser = page_client(patient)
    ask(patient, looked(DoctorFactory(), patient))
    with django_assert_max_num_queries(20) as before:
        browser.get(LOG)
    for _ in range(6):
        ask(patient, looked(DoctorFactory(), patient))

    with django_assert_max_num_queries(20) as after:
        browser.get(LOG)

    assert len(after) == len(before)


def test_question_is_asked_on_its_page(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)
    browser = page_client(patient)
    path = f"{LOG}/{event.pk}/question"
    assert "answers within seven days" in browser.get(path).content.decode()

    answer = browser.post(path, {"question": "Why <so> late?"}, follow=True)

    page = answer.content.decode()
    assert answer.redirect_chain == [(path, 302)]
    assert "Why &lt;so&gt; late?" in page
    assert "Waiting for an answer" in page
    assert "Send the question" not in page
    assert "You have asked about this" in page_of(patient)


def test_refusal_comes_back_with_what_was_typed(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)
    browser = page_client(patient)
    ask(patient, event)

    answer = browser.post(f"{LOG}/{event.pk}/question", {"question": "Once more?"})

    assert answer.status_code == 409
    assert "You have asked about this already" in answer.content.decode()


def test_empty_question_is_refused(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)

    answer = page_client(patient).post(f"{LOG}/{event.pk}/question", {"question": " "})

    assert answer.status_code == 400


def test_answer_is_read_beside_the_access(patient: User, doctor: User) -> None:
    event = looked(doctor, patient)
    case = ask(patient, event)
    answer_case(session=sign_in(AdminFactory()), case_id=case.pk, answer="He <meant> well.")

    log, question = page_of(patient), page_of(patient, f"{LOG}/{event.pk}/question")

    assert "He &lt;meant&gt; well." in log
    assert "He &lt;meant&gt; well." in question
    assert "Ask another question" in question


def test_own_act_is_shown_without_a_form(patient: User) -> None:
    page = page_of(patient, f"{LOG}/{looked(patient, patient).pk}/question")

    assert "This was you." in page
    assert "<textarea" not in page


def test_home_shows_the_last_visits(patient: User, doctor: User) -> None:
    looked(patient, patient)
    looked(doctor, patient)

    page = page_of(patient, "/")

    assert "Dr Karim Nabil looked at your allergies, because you share this." in page
    assert "You looked at your allergies" not in page
    assert 'href="/access-log"' in page
