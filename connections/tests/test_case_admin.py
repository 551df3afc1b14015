"""Questioned accesses in the admin."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import AdminFactory, DoctorFactory
from audit.models import AccessCase, AccessEvent
from connections.models import AccessGrant, Connection
from connections.services.cases import answer_case
from connections.services.grants import Sharing, revoke_grant, set_grant
from connections.tests.asking import ask, looked
from medisync.tests.client import page_client, sign_in

pytestmark = pytest.mark.django_db
CASES = "/admin/audit/accesscase/"


@pytest.fixture
def case(patient: User, doctor: User) -> AccessCase:
    return ask(patient, looked(doctor, patient), "Why at night? I have asthma.")


def page_of(case: AccessCase) -> str:
    return f"{CASES}{case.pk}/change/"


def listed(admin: User, **query: str) -> list[AccessCase]:
    found: list[AccessCase] = list(page_client(admin).get(CASES, query).context["cl"].result_list)
    return found


def test_open_cases_come_by_when_they_are_due(patient: User, doctor: User, admin: User) -> None:
    first, second, third = (ask(patient, looked(doctor, patient)) for _ in range(3))
    AccessCase.objects.filter(pk=second.pk).update(due_at=timezone.now() - dt.timedelta(days=1))
    answer_case(session=sign_in(admin), case_id=first.pk, answer="By mistake.")

    assert listed(admin) == [second, third]
    assert listed(admin, state="overdue") == [second]
    assert listed(admin, state="answered") == [first]
    assert listed(admin, state="all") == [second, third, first]


def test_list_names_people_and_not_what_was_asked(case: AccessCase, admin: User) -> None:
    AccessCase.objects.update(due_at=timezone.now())

    page = page_client(admin).get(CASES).content.decode()

    assert "Mona Adel" in page
    assert "Karim Nabil" in page
    assert "Overdue" in page
    assert "asthma" not in page


def test_list_asks_a_fixed_number_of_questions(
    case: AccessCase, admin: User, patient: User, django_assert_max_num_queries
) -> None:
    browser = page_client(admin)
    with django_assert_max_num_queries(20) as before:
        browser.get(CASES)
    for _ in range(5):
        ask(patient, looked(DoctorFactory(), patient))

    with django_assert_max_num_queries(20) as after:
        browser.get(CASES)

    assert len(after) == len(before)


def test_case_shows_what_explains_it(
    patient: User, doctor: User, admin: User, connection: Connection
) -> None:
    set_grant(actor=patient, connection_id=connection.pk, sharing=Sharing(categories=["ALLERGIES"]))
    looked(doctor, patient, category="REPORT")
    case = ask(patient, looked(doctor, patient), "Why at night?")
    revoke_grant(actor=patient, grant_id=AccessGrant.objects.get().pk)

    page = page_client(admin).get(page_of(case)).content.decode()

    for part in (
        "Why at night?",
        f"/admin/accounts/user/{doctor.pk}/suspend/",
        "Allergies",
        "Reports",
        "Taken back",
        f"Number {case.event.seq} of this patient",
        case.event.hash[:16],
    ):
        assert part in page


def test_case_tells_when_nothing_was_shared(case: AccessCase, admin: User) -> None:
    page = page_client(admin).get(page_of(case)).content.decode()

    assert "Nothing was shared with this person at that time." in page


def test_opening_is_logged_and_looking_at_the_list_is_not(case: AccessCase, admin: User) -> None:
    browser = page_client(admin)
    opened = AccessEvent.objects.filter(actor_id=admin.pk)

    browser.get(CASES)
    before = opened.count()
    browser.get(page_of(case))

    assert (before, opened.count()) == (0, 1)


def test_answer_goes_back(case: AccessCase, admin: User) -> None:
    browser = page_client(admin)

    answer = browser.post(f"{CASES}{case.pk}/answer/", {"answer": "By mistake."}, follow=True)

    case.refresh_from_db()
    assert case.answer == "By mistake."
    page = answer.content.decode()
    assert "The patient has your answer." in page
    assert "Send the answer" not in page


def test_answer_that_comes_too_late_says_so(case: AccessCase, admin: User) -> None:
    answer_case(session=sign_in(AdminFactory()), case_id=case.pk, answer="First.")

    late = page_client(admin).post(f"{CASES}{case.pk}/answer/", {"answer": "Second."})

    assert late.status_code == 409
    assert "This question has been answered by now." in late.content.decode()


def test_empty_answer_is_refused(case: AccessCase, admin: User) -> None:
    refused = page_client(admin).post(f"{CASES}{case.pk}/answer/", {"answer": " "})

    assert refused.status_code == 400


def test_whose_act_it_is_does_not_answer(patient: User, admin: User) -> None:
    event = looked(admin, patient, basis=AccessEvent.Basis.ADMINISTRATION, category="")
    case = ask(patient, event)

    page = page_client(admin).get(page_of(case)).content.decode()

    assert "Another administrator answers." in page
    assert "<textarea" not in page
    assert "Suspend the account" not in page


def test_act_of_somebody_without_an_account_is_shown(patient: User, admin: User) -> None:
    event = looked(
        None, patient, action=AccessEvent.Action.VERIFIED, basis=AccessEvent.Basis.QR, category=""
    )

    page = page_client(admin).get(page_of(ask(patient, event))).content.decode()

    assert "Somebody with your printed prescription" in page
    assert "What can be done" not in page


def test_acts_without_an_account_are_not_said_to_be_of_one_person(
    patient: User, admin: User
) -> None:
    act = {"action": AccessEvent.Action.VERIFIED, "basis": AccessEvent.Basis.QR, "category": ""}
    event, _another = looked(None, patient, **act), looked(None, patient, **act)

    page = page_client(admin).get(page_of(ask(patient, event))).content.decode()

    assert "Others without an account, within a day of it" in page
    assert "The same person" not in page


@pytest.mark.parametrize("path", ["x/change/", "00000000-0000-7000-8000-000000000000/change/"])
def test_unknown_case_does_not_exist(admin: User, path: str) -> None:
    assert page_client(admin).get(f"{CASES}{path}").status_code == 404


def test_index_counts_what_waits(case: AccessCase, admin: User) -> None:
    browser = page_client(admin)
    calm = browser.get("/admin/").content.decode()
    AccessCase.objects.update(due_at=timezone.now())

    late = browser.get("/admin/").content.decode()

    assert "Questioned accesses to be answered" in calm
    assert "Questioned accesses overdue" not in calm
    assert "Questioned accesses overdue" in late


def test_events_themselves_are_not_browsed(admin: User) -> None:
    assert page_client(admin).get("/admin/audit/accessevent/").status_code == 404
