"""An application that came back is corrected at one step, and looked at again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import ApplicationReview, CorrectionStep, DeviceSession, Status, User
from accounts.policies import NothingToCorrect
from accounts.services.applications import (
    LicenceTaken,
    correct_application,
    returned_step,
    waiting_since,
)
from accounts.tests.factories import DoctorFactory
from accounts.tests.registering import complete_doctor, scan, verified
from accounts.tests.reviewing import approve, reject, round_of, send_back
from common.errors import InvalidInput
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from specializations.models import Specialization

pytestmark = pytest.mark.django_db
Step = CorrectionStep


@pytest.fixture
def applicant(db: None) -> User:
    return DoctorFactory(status=Status.PENDING_APPROVAL, first_name="Hany", last_name="Saleh")


@pytest.fixture
def office(admin: User) -> DeviceSession:
    return sign_in(admin)


def fresh(user: User) -> User:
    return User.objects.select_related("doctor_profile").get(pk=user.pk)


def right_changes(step: Step) -> dict[str, Any]:
    other, _ = Specialization.objects.get_or_create(
        code="neurology", defaults={"name_en": "Neurology", "name_ar": "المخ والأعصاب"}
    )
    return {
        Step.NAME: {"first_name": "Hany", "last_name": "Saleh Fouad"},
        Step.PRACTICE: {"specialization_id": other.pk, "licence_number": "EG-77"},
        Step.LICENCE_DOCUMENT: {"licence_document": scan()},
        Step.NATIONAL_ID_DOCUMENT: {"national_id_document": scan()},
    }[step]


@pytest.mark.parametrize("step", Step)
def test_corrected_application_waits_in_a_new_round(
    office: DeviceSession, applicant: User, step: Step
) -> None:
    send_back(office, applicant, step)
    returned = ApplicationReview.objects.get()

    correct_application(actor=applicant, changes=right_changes(step))

    assert fresh(applicant).status == Status.PENDING_APPROVAL
    assert round_of(applicant).created_at > returned.created_at
    assert round_of(applicant).claimed_by is None
    assert ApplicationReview.objects.count() == 2


def test_correction_is_stored(office: DeviceSession, applicant: User) -> None:
    for step in (Step.NAME, Step.PRACTICE):
        send_back(office, applicant, step)
        correct_application(actor=applicant, changes=right_changes(step))

    found = fresh(applicant)
    assert found.full_name == "Hany Saleh Fouad"
    assert found.doctor_profile.licence_number == "EG-77"
    assert found.doctor_profile.specialization.code == "neurology"


def test_first_application_keeps_its_day(office: DeviceSession, applicant: User) -> None:
    applied_at = applicant.doctor_profile.applied_at
    send_back(office, applicant)

    correct_application(actor=applicant, changes=right_changes(Step.LICENCE_DOCUMENT))

    assert fresh(applicant).doctor_profile.applied_at == applied_at


@pytest.mark.django_db(transaction=True)
def test_replaced_document_is_gone_from_the_storage(office: DeviceSession, applicant: User) -> None:
    replaced = applicant.doctor_profile.licence_document.name
    send_back(office, applicant)

    correct_application(actor=applicant, changes=right_changes(Step.LICENCE_DOCUMENT))

    now = fresh(applicant).doctor_profile.licence_document.name
    assert not default_storage.exists(replaced)
    assert default_storage.exists(now)


@pytest.mark.django_db(transaction=True)
def test_document_of_others_as_well_stays(office: DeviceSession, applicant: User) -> None:
    """As the demonstration's sample papers are."""
    shared = applicant.doctor_profile.licence_document.name
    DoctorFactory(profile__national_id_document=shared)
    send_back(office, applicant)

    correct_application(actor=applicant, changes=right_changes(Step.LICENCE_DOCUMENT))

    assert default_storage.exists(shared)


def test_unreadable_document_changes_nothing(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant)
    file = SimpleUploadedFile("licence.pdf", b"<script>")

    with pytest.raises(InvalidInput):
        correct_application(actor=applicant, changes={"licence_document": file})

    assert fresh(applicant).status == Status.RETURNED


def test_licence_of_somebody_else_is_refused(
    office: DeviceSession, applicant: User, doctor: User
) -> None:
    send_back(office, applicant, Step.PRACTICE)
    changes = right_changes(Step.PRACTICE)
    taken = changes | {"licence_number": doctor.doctor_profile.licence_number}

    with pytest.raises(LicenceTaken):
        correct_application(actor=applicant, changes=taken)

    assert fresh(applicant).status == Status.RETURNED


@pytest.mark.parametrize("number", ["EG\n77", "\u200b"])
def test_licence_number_is_a_line_that_can_be_read(
    office: DeviceSession, applicant: User, number: str
) -> None:
    send_back(office, applicant, Step.PRACTICE)

    with pytest.raises(InvalidInput) as refused:
        correct_application(
            actor=applicant, changes=right_changes(Step.PRACTICE) | {"licence_number": number}
        )

    assert refused.value.attr == "licence_number"


def test_correction_that_was_sent_twice_at_once_is_refused_the_second_time(
    office: DeviceSession, applicant: User
) -> None:
    send_back(office, applicant, Step.NAME)
    overtaken = fresh(applicant)
    correct_application(actor=applicant, changes=right_changes(Step.NAME))

    step = returned_step(overtaken)

    assert step == Step.NAME
    with pytest.raises(NothingToCorrect):
        correct_application(actor=overtaken, changes=right_changes(step))


def test_application_that_is_decided_meanwhile_waits_no_more(
    office: DeviceSession, applicant: User
) -> None:
    asked_about = fresh(applicant)
    approve(office, applicant)

    assert waiting_since(asked_about) is None


def test_nothing_else_can_be_corrected(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, Step.NAME)

    for step in set(Step) - {Step.NAME}:
        with pytest.raises(InvalidInput):
            correct_application(actor=applicant, changes=right_changes(step))


@pytest.mark.parametrize("decide", [None, approve, reject])
def test_only_a_returned_application_can_be_corrected(
    office: DeviceSession, applicant: User, decide
) -> None:
    if decide:
        decide(office, applicant)

    with pytest.raises(NothingToCorrect):
        correct_application(actor=applicant, changes=right_changes(Step.NAME))


@pytest.mark.django_db(transaction=True)
def test_two_corrections_at_once_open_one_round(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, Step.NAME)

    racers = race(*_corrections(applicant), gate=User)

    assert errors(racers) == ["", "NothingToCorrect"]
    assert ApplicationReview.objects.undecided().count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_the_constraint_would_have_to_refuse(
    office: DeviceSession, applicant: User
) -> None:
    """What the lock is for: a sentence instead of a crash."""
    send_back(office, applicant, Step.NAME)

    racers = race(*_corrections(applicant), gate=User)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


def _corrections(applicant: User):
    return [
        lambda name=name: correct_application(
            actor=applicant, changes={"first_name": name, "last_name": "Saleh"}
        )
        for name in ("Hany", "Hani")
    ]


def test_home_names_the_step_and_the_note(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, note="The stamp is <cut> off.")

    page = page_client(applicant).get("/").content.decode()

    assert "licence document" in page
    assert "The stamp is &lt;cut&gt; off." in page
    assert 'href="/application"' in page


def test_page_asks_for_that_step_alone(office: DeviceSession, applicant: User) -> None:
    fields = {
        Step.NAME: ["first_name", "last_name"],
        Step.PRACTICE: ["specialization_id", "licence_number"],
        Step.LICENCE_DOCUMENT: ["licence_document"],
        Step.NATIONAL_ID_DOCUMENT: ["national_id_document"],
    }
    for step, names in fields.items():
        send_back(office, applicant, step)

        page = page_client(applicant).get("/application")

        assert list(page.context["form"].fields) == names
        correct_application(actor=applicant, changes=right_changes(step))


def test_correcting_on_the_page(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, Step.PRACTICE)
    changes = right_changes(Step.PRACTICE)

    answer = page_client(applicant).post("/application", changes)

    assert answer.url == "/"
    assert fresh(applicant).doctor_profile.licence_number == "EG-77"
    assert fresh(applicant).status == Status.PENDING_APPROVAL


def test_page_says_what_is_wrong(office: DeviceSession, applicant: User, doctor: User) -> None:
    send_back(office, applicant, Step.PRACTICE)
    changes = right_changes(Step.PRACTICE)
    changes["licence_number"] = doctor.doctor_profile.licence_number

    answer = page_client(applicant).post("/application", changes)

    assert answer.status_code == 409
    assert "belongs to another account" in answer.content.decode()


def test_whoever_has_nothing_to_correct_is_led_home(applicant: User, patient: User) -> None:
    for user in (applicant, patient):
        assert page_client(user).get("/application").url == "/"
        assert page_client(user).post("/application", {}).url == "/"


def test_app_reads_how_the_application_stands(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, Step.NAME, "As on the licence, please.")

    found = api_client(applicant).get("/api/v1/users/application").json()

    assert (found["status"], found["return_step"], found["note"]) == (
        "RETURNED", "NAME", "As on the licence, please.",
    )  # fmt: skip


@pytest.mark.parametrize("step", Step)
def test_app_corrects_it(office: DeviceSession, applicant: User, step: Step) -> None:
    send_back(office, applicant, step)
    shape = "json" if step in {Step.NAME, Step.PRACTICE} else "multipart"

    answer = api_client(applicant).patch(
        "/api/v1/users/application", right_changes(step), format=shape
    )

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["decision"]) == ("PENDING_APPROVAL", "")


def test_app_is_told_what_else_it_sent(office: DeviceSession, applicant: User) -> None:
    send_back(office, applicant, Step.NAME)
    body = right_changes(Step.NAME) | {"licence_number": "EG-78"}

    answer = api_client(applicant).patch("/api/v1/users/application", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "licence_number"


def test_app_of_others_has_nothing_to_correct(applicant: User, patient: User) -> None:
    for user in (applicant, patient):
        answer = api_client(user).patch("/api/v1/users/application", {"first_name": "X"})

        assert answer.status_code == 409
        assert answer.json()["errors"][0]["code"] == "nothing_to_correct"
    assert api_client(patient).get("/api/v1/users/application").status_code == 404


def test_registration_status_tells_the_step_and_not_the_note(office: DeviceSession) -> None:
    from_start = complete_doctor(verified(role="DOCTOR"))
    send_back(office, from_start, Step.NAME, "A private note.")

    answer = api_client().get(
        f"/api/v1/users/registration-status?registration_id={from_start.registration.pk}"
    )

    found = answer.json()
    assert (found["next_step"], found["return_step"]) == ("CORRECTION", "NAME")
    assert found["waiting_since"] is None
    assert "private" not in answer.content.decode()
