"""What patients keep about their own health, and doctors tell of their practice."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import (
    AllergyIntolerance,
    Condition,
    DoctorProfile,
    EmergencyContact,
    Governorate,
    HealthEntry,
    MedicationStatement,
    PatientProfile,
    Status,
    User,
)
from accounts.policies import AccountNotActive
from accounts.services.health import (
    AlreadyListed,
    ListIsFull,
    NoProfile,
    add_entry,
    remove_entry,
    update_entry,
    update_health,
)
from accounts.services.profiles import update_practice
from accounts.tests.factories import DoctorFactory, PatientFactory
from common.errors import InvalidInput, NotAllowed
from medisync.tests.client import api_client, page_client
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from medisync.tests.world import LISTS

pytestmark = pytest.mark.django_db
URL = "/api/v1/users/profile"
FACTS = {
    "blood_type": "O-",
    "height_cm": 171,
    "weight_kg": "70.5",
    "address": "7 Tahrir Street",
    "city": "Dokki",
    "governorate": "EG-GZ",
}
PRACTICE = {
    "bio": "Listens.",
    "years_of_experience": 12,
    "consultation_fee": "350.00",
    "languages": ["ar", "en"],
    "clinic_address": "1 Nile Corniche",
    "city": "Maadi",
    "governorate": "EG-C",
}
ACCOUNT = {
    "first_name": "Mona",
    "last_name": "Adel",
    "phone": "+201001234567",
    "language": "en",
    "time_zone": "Africa/Cairo",
}
allergic_to = partial(add_entry, kind=AllergyIntolerance)


def test_there_are_twenty_seven_governorates() -> None:
    assert len(Governorate) == 27


def test_patient_reads_what_they_told(patient: User) -> None:
    client = api_client(patient)

    client.patch(URL, {"patient": FACTS})

    told = client.get(URL).json()
    assert told["patient"] == FACTS | {"birth_date": "1990-05-17", "sex": "FEMALE"}
    assert told["doctor"] is None


def test_doctor_reads_what_they_told(doctor: User) -> None:
    client = api_client(doctor)

    client.patch(URL, {"doctor": PRACTICE})

    told = client.get(URL).json()
    assert PRACTICE.items() <= told["doctor"].items()
    assert told["doctor"]["specialization"] == "cardiology"
    assert told["patient"] is None


def test_patch_merges_and_put_replaces(patient: User) -> None:
    client = api_client(patient)
    client.patch(URL, {"patient": FACTS})

    merged = client.patch(URL, {"patient": {"city": "Agouza"}}).json()["patient"]
    replaced = client.put(URL, ACCOUNT | {"patient": {"city": "Giza"}}).json()["patient"]

    assert (merged["city"], merged["height_cm"]) == ("Agouza", 171)
    assert (replaced["city"], replaced["height_cm"], replaced["blood_type"]) == ("Giza", None, "")
    assert replaced["birth_date"] == "1990-05-17"


def test_put_replaces_a_practice(doctor: User) -> None:
    client = api_client(doctor)
    client.patch(URL, {"doctor": PRACTICE})
    account = ACCOUNT | {"first_name": "Karim", "last_name": "Nabil"}

    replaced = client.put(URL, account | {"doctor": {"languages": ["fr"]}}).json()["doctor"]

    assert (replaced["languages"], replaced["consultation_fee"]) == (["fr"], None)


def test_put_without_the_part_of_the_role_is_refused(patient: User) -> None:
    client = api_client(patient)
    client.patch(URL, {"patient": FACTS})

    answer = client.put(URL, ACCOUNT)

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "patient")
    assert client.get(URL).json()["patient"]["city"] == "Dokki"


def test_account_and_part_change_together_or_not_at_all(patient: User) -> None:
    answer = api_client(patient).patch(URL, {"first_name": "Nora", "doctor": PRACTICE})

    patient.refresh_from_db()
    assert (answer.status_code, patient.first_name) == (403, "Mona")


@pytest.mark.parametrize(
    "change",
    [
        {"blood_type": "C+"},
        {"height_cm": 19},
        {"height_cm": 281},
        {"weight_kg": "0.2"},
        {"weight_kg": "500.1"},
        {"weight_kg": "70.55"},
        {"weight_kg": 70},
        {"weight_kg": "NaN"},
        {"governorate": "EG-XX"},
        {"governorate": "C"},
        {"birth_date": "1980-01-01"},
        {"sex": "MALE"},
        {"national_id": "29005170100123"},
        {"city": "x" * 81},
    ],
    ids=str,
)
def test_impossible_facts_are_refused(patient: User, change: dict[str, Any]) -> None:
    before = PatientProfile.objects.values().get()

    answer = api_client(patient).patch(URL, {"patient": change})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == f"patient.{next(iter(change))}"
    assert PatientProfile.objects.values().get() == before


@pytest.mark.parametrize(
    "change",
    [
        {"years_of_experience": -1},
        {"years_of_experience": 71},
        {"consultation_fee": "-0.01"},
        {"consultation_fee": "100000.01"},
        {"languages": ["xx"]},
        {"licence_number": "EG-1"},
        {"bio": "x" * 2001},
    ],
    ids=str,
)
def test_impossible_practice_is_refused(doctor: User, change: dict[str, Any]) -> None:
    assert api_client(doctor).patch(URL, {"doctor": change}).status_code == 400


def test_service_refuses_by_itself(patient: User, doctor: User) -> None:
    with pytest.raises(InvalidInput) as refusal:
        update_health(actor=patient, changes={"height_cm": 999})
    assert refusal.value.attr == "height_cm"
    with pytest.raises(InvalidInput):
        update_practice(actor=doctor, changes={"languages": ["xx"]})
    with pytest.raises(ValueError, match="sex"):
        update_health(actor=patient, changes={"sex": "MALE"})


def test_database_refuses_by_itself(patient: User, doctor: User) -> None:
    for rows, change in (
        (PatientProfile.objects, {"blood_type": "C+"}),
        (PatientProfile.objects, {"height_cm": 999}),
        (PatientProfile.objects, {"weight_kg": Decimal("0.1")}),
        (PatientProfile.objects, {"governorate": "EG-XX"}),
        (DoctorProfile.objects, {"languages": ["xx"]}),
        (DoctorProfile.objects, {"consultation_fee": -1}),
        (DoctorProfile.objects, {"years_of_experience": 99}),
        (DoctorProfile.objects, {"governorate": "EG-XX"}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)


def test_language_is_listed_once(doctor: User) -> None:
    assert update_practice(actor=doctor, changes={"languages": ["ar", "en", "ar"]}).languages == [
        "ar",
        "en",
    ]


@pytest.mark.parametrize("status", [Status.PENDING_APPROVAL, Status.RETURNED, Status.ACTIVE])
def test_doctor_tells_of_the_practice_also_while_waiting(status: Status) -> None:
    doctor = DoctorFactory(status=status)

    assert update_practice(actor=doctor, changes={"city": "Giza"}).city == "Giza"


def test_each_keeps_to_their_role(patient: User, doctor: User, admin: User) -> None:
    for actor in (doctor, admin):
        with pytest.raises(NotAllowed):
            update_health(actor=actor, changes={})
        with pytest.raises(NotAllowed):
            allergic_to(actor=actor, values={"substance": "Dust"})
    for actor in (patient, admin, DoctorFactory(status=Status.SUSPENDED)):
        with pytest.raises(NotAllowed):
            update_practice(actor=actor, changes={})
    with pytest.raises(AccountNotActive):
        allergic_to(actor=PatientFactory(status=Status.SUSPENDED), values={"substance": "Dust"})


def test_who_took_a_role_without_its_profile_is_told() -> None:
    with pytest.raises(NoProfile):
        update_health(actor=PatientFactory(profile=None), changes={})
    with pytest.raises(NoProfile):
        update_practice(actor=DoctorFactory(profile=None), changes={})


@pytest.mark.parametrize("slug", LISTS)
def test_line_is_added_corrected_and_removed(patient: User, slug: str) -> None:
    client, (kind, values) = api_client(patient), LISTS[slug]

    added = client.post(f"{URL}/{slug}", values)
    line = f"{URL}/{slug}/{added.json()['id']}"
    corrected = client.patch(line, {kind.NAMED_BY: "Another"})
    listed = client.get(f"{URL}/{slug}").json()
    removed = client.delete(line)

    assert (added.status_code, corrected.status_code, removed.status_code) == (201, 200, 204)
    assert values.items() <= added.json().items()
    assert [one[kind.NAMED_BY] for one in listed] == ["Another"]
    assert client.get(f"{URL}/{slug}").json() == []


@pytest.mark.parametrize("slug", LISTS)
def test_lines_are_nobody_elses(patient: User, stranger: User, doctor: User, slug: str) -> None:
    kind, values = LISTS[slug]
    entry = add_entry(actor=patient, kind=kind, values=values)

    for other in (stranger, doctor):
        assert api_client(other).get(f"{URL}/{slug}").json() == []
        assert not kind.objects.of(other).exists()
    with pytest.raises(Http404):
        update_entry(actor=stranger, kind=kind, entry_id=entry.pk, changes={})
    with pytest.raises(Http404):
        remove_entry(actor=stranger, kind=kind, entry_id=entry.pk)
    assert kind.objects.of(patient).exists()


def test_substance_is_listed_once_in_whatever_letters(patient: User, stranger: User) -> None:
    allergic_to(actor=patient, values={"substance": "Penicillin"})
    other = allergic_to(actor=patient, values={"substance": "Dust"})

    with pytest.raises(AlreadyListed) as refusal:
        allergic_to(actor=patient, values={"substance": " PENICILLIN "})
    with pytest.raises(AlreadyListed):
        update_entry(
            actor=patient,
            kind=AllergyIntolerance,
            entry_id=other.pk,
            changes={"substance": "penicillin"},
        )

    assert refusal.value.attr == "substance"
    assert allergic_to(actor=stranger, values={"substance": "penicillin"})


def test_database_lists_a_substance_once(patient: User) -> None:
    AllergyIntolerance.objects.create(patient=patient, substance="Penicillin")

    with pytest.raises(IntegrityError):
        AllergyIntolerance.objects.create(patient=patient, substance="penicillin")


@pytest.mark.parametrize(("kind", "most"), [(Condition, 50), (EmergencyContact, 5)])
def test_list_holds_so_many(patient: User, kind: type[HealthEntry], most: int) -> None:
    values = {"name": "One"} | ({"phone": "+201001234567"} if kind is EmergencyContact else {})
    for _ in range(most):
        entry = add_entry(actor=patient, kind=kind, values=values)

    with pytest.raises(ListIsFull, match=str(most)):
        add_entry(actor=patient, kind=kind, values=values)

    remove_entry(actor=patient, kind=kind, entry_id=entry.pk)
    assert add_entry(actor=patient, kind=kind, values=values)


def two_last_contacts(patient: User) -> list[Any]:
    values = {"name": "Sara", "phone": "+201112223334"}
    for _ in range(EmergencyContact.MOST - 1):
        add_entry(actor=patient, kind=EmergencyContact, values=values)
    call = partial(add_entry, actor=patient, kind=EmergencyContact, values=values)
    return race(call, call, gate=EmergencyContact)


@pytest.mark.django_db(transaction=True)
def test_last_place_is_taken_once(patient: User) -> None:
    racers = two_last_contacts(patient)

    assert sorted(errors(racers)) == ["", "ListIsFull"]
    assert EmergencyContact.objects.count() == EmergencyContact.MOST


@pytest.mark.django_db(transaction=True)
def test_race_notices_a_missing_lock(patient: User, no_row_locks: None) -> None:  # noqa: F811
    two_last_contacts(patient)

    assert EmergencyContact.objects.count() == EmergencyContact.MOST + 1


@pytest.mark.parametrize("since", ["", "1999", "2015-03", "2016-02-29"])
def test_since_is_as_exact_as_it_is_known(patient: User, since: str) -> None:
    values = {"name": "Asthma", "since": since}

    assert add_entry(actor=patient, kind=Condition, values=values).since == since


@pytest.mark.parametrize(
    "since",
    ["15", "2015-13", "2015-02-29", "0000", "2015-3", "20150320", "٢٠١٥", "9999", "soon"],
)
def test_since_is_a_date_and_not_ahead(patient: User, since: str) -> None:
    answer = api_client(patient).post(f"{URL}/conditions", {"name": "Asthma", "since": since})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "since")
    with pytest.raises(InvalidInput):
        add_entry(actor=patient, kind=MedicationStatement, values={"name": "x", "since": since})


def test_pages_keep_facts_and_lists(patient: User) -> None:
    browser = page_client(patient)
    facts = browser.post("/profile/health", FACTS, follow=True)
    for slug, (_kind, values) in LISTS.items():
        full = values | {"criticality": "HIGH"}
        assert browser.post(f"/profile/health/{slug}/add", full).status_code == 302

    page = browser.get("/profile/health").content.decode()

    assert "Your changes are saved." in facts.content.decode()
    assert PatientProfile.objects.get().weight_kg == Decimal("70.5")
    for word in (
        "Penicillin",
        "May be life-threatening",
        "Asthma",
        "2015-03",
        "Salbutamol",
        "Sara",
    ):
        assert word in page


def test_page_says_that_lists_are_empty(patient: User) -> None:
    page = page_client(patient).get("/profile/health").content.decode()

    assert "No allergies are listed." in page
    assert "Add a contact" in page


def test_page_corrects_and_removes_a_line(patient: User) -> None:
    entry = allergic_to(actor=patient, values={"substance": "Dust"})
    browser, line = page_client(patient), f"/profile/health/allergies/{entry.pk}"

    shown = browser.get(line).content.decode()
    browser.post(line, {"substance": "House dust", "criticality": "LOW"})
    entry.refresh_from_db()
    browser.post(f"{line}/remove")

    assert 'value="Dust"' in shown
    assert entry.substance == "House dust"
    assert not AllergyIntolerance.objects.exists()


def test_page_says_what_is_wrong_beside_the_field(patient: User) -> None:
    allergic_to(actor=patient, values={"substance": "Dust"})
    browser = page_client(patient)
    add = "/profile/health/allergies/add"

    twice = browser.post(add, {"substance": "dust", "criticality": "LOW"})
    wrong = browser.post("/profile/health/conditions/add", {"name": "Asthma", "since": "soon"})
    tall = browser.post("/profile/health", {"height_cm": "999"})

    assert (twice.status_code, wrong.status_code, tall.status_code) == (409, 400, 400)
    assert "This is on your list already." in twice.content.decode()
    assert "Write a year, a month or a day" in wrong.content.decode()


def test_unknown_list_is_not_found(patient: User) -> None:
    assert page_client(patient).get("/profile/health/wishes/add").status_code == 404


def test_practice_page_keeps_what_a_doctor_tells(doctor: User) -> None:
    browser = page_client(doctor)

    browser.post("/profile/practice", PRACTICE)
    page = browser.get("/profile/practice").content.decode()

    profile = DoctorProfile.objects.get()
    assert (profile.languages, profile.consultation_fee) == (["ar", "en"], Decimal("350.00"))
    assert "Listens." in page


def test_profile_leads_to_the_page_of_the_role(patient: User, doctor: User) -> None:
    assert 'href="/profile/health"' in page_client(patient).get("/profile").content.decode()
    assert 'href="/profile/practice"' in page_client(doctor).get("/profile").content.decode()
