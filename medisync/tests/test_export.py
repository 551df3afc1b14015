"""A copy of one's own data: asked for, made by a worker, downloaded, deleted after a week."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import DataExport, DeviceSession, PatientProfile, Status, User
from accounts.services.exports import (
    claim_export,
    delete_exports,
    record_progress,
    release_due,
    request_export,
)
from accounts.services.users import activate_user, suspend_user
from accounts.tests.factories import DoctorFactory, png_bytes
from audit.models import AccessEvent
from chat.models import Chat
from chat.services.help import save_reply, set_absence
from chat.services.messages import retract_message
from chat.tests.factories import chat_of, say
from connections.models import AccessGrant, Connection
from connections.services.connections import block, connect, end_connection
from connections.services.grants import Sharing, set_grant
from connections.services.requests import send_request
from connections.tests.asking import ask, looked
from connections.tests.pictures import photo, upload
from medisync import exports
from medisync.exports import make_export
from medisync.jobs import delete_expired_exports, requeue_due_exports
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, no_row_locks, race  # noqa: F401 - a fixture
from medisync.tests.servers import worker
from notifications.models import EmailDelivery, Notification
from notifications.services import set_preferences
from prescriptions.models import Prescription
from prescriptions.pdf import render_prescription_pdf
from prescriptions.services.amending import amend_prescription
from prescriptions.services.issuing import Item, Order
from prescriptions.services.reading import open_prescription, printable
from prescriptions.services.refills import request_refill
from prescriptions.services.templates import save_template
from prescriptions.tests.dispensing import claim, hand_out
from prescriptions.tests.factories import PARACETAMOL, issue
from qrverify.tests.sharing import PASSCODE, follow, share
from records.models import Record

pytestmark = pytest.mark.django_db
URL = "/api/v1/exports"
NATIONAL_ID = "29005170100123"


def asked(user: User) -> DataExport:
    return request_export(session=sign_in(user))


# Not known to the safety check, which finds nothing to say of it.
UNKNOWN = Item(medicine="Zzapol", quantity=3, as_needed=True)


def made(user: User) -> DataExport:
    export = asked(user)
    assert make_export(export.pk)
    export.refresh_from_db()
    return export


def content_of(export: DataExport) -> zipfile.ZipFile:
    with export.file.open("rb") as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def read(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


def everything_in(archive: zipfile.ZipFile) -> str:
    """All the text of it, as long as it is text."""
    return "\n".join(
        archive.read(name).decode()
        for name in archive.namelist()
        if name.endswith((".json", ".html"))
    )


def printed(prescription: Prescription, profile: PatientProfile | None) -> bytes:
    document = printable(prescription, profile)
    return render_prescription_pdf(document, paper="A4", language="en")


def forget_confirmation(user: User) -> None:
    past = timezone.now() - DeviceSession.CONFIRMATION_LASTS
    DeviceSession.objects.filter(user=user).update(confirmed_at=past)


def test_asking_is_answered_at_once_and_can_be_followed(patient: User) -> None:
    client = api_client(patient)

    answer = client.post(URL)

    followed = client.get(answer["Location"])
    assert answer.status_code == 202
    assert answer.json()["status"] == "REQUESTED"
    assert followed.json() == answer.json()


def test_patient_takes_along_what_they_asked_with_words_and_picture(
    patient: User, doctor: User
) -> None:
    request = send_request(
        actor=patient, doctor_id=doctor.pk, notes="A cough.", image=upload(photo())
    )

    archive = content_of(made(patient))

    (told,) = read(archive, "requests.json")
    page = archive.read("index.html").decode()
    assert (told["notes"], told["status"], told["has_image"]) == ("A cough.", "PENDING", True)
    assert archive.read(f"requests/{request.pk}.jpg").startswith(b"\xff\xd8\xff")
    assert "A cough." in page
    assert f"requests/{request.pk}.jpg" in page


def test_doctor_takes_along_who_asked_and_nothing_of_what_patients_told(
    patient: User, doctor: User
) -> None:
    send_request(actor=patient, doctor_id=doctor.pk, notes="A cough.", image=upload(photo()))

    archive = content_of(made(doctor))

    (told,) = read(archive, "requests.json")
    assert told["patient"]["display_name"] == "Mona Adel"
    assert "A cough." not in everything_in(archive)
    assert not [name for name in archive.namelist() if name.startswith("requests/")]


def test_who_is_blocked_reads_of_an_end_in_their_copy_too(connection: Connection) -> None:
    block(actor=connection.doctor, person_id=connection.patient_id)

    (theirs,) = read(content_of(made(connection.patient)), "connections.json")
    (mine,) = read(content_of(made(connection.doctor)), "connections.json")

    assert (theirs["status"], mine["status"]) == ("INACTIVE", "BLOCKED")


def test_nobody_asks_without_confirming_that_it_is_them(patient: User) -> None:
    client = api_client(patient)
    forget_confirmation(patient)

    answer = client.post(URL)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
        403,
        "confirmation_required",
    )
    assert not DataExport.objects.exists()


def test_second_while_one_is_made_is_led_to_the_first(patient: User) -> None:
    client = api_client(patient)
    first = client.post(URL).json()

    answer = client.post(URL)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "export_running")
    assert answer["Location"] == f"{URL}/{first['id']}"


def test_fourth_within_a_day_is_told_how_long_to_wait(patient: User) -> None:
    for _ in range(3):
        made(patient)

    answer = api_client(patient).post(URL)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (429, "too_many_exports")
    assert 23 * 3600 < int(answer["Retry-After"]) <= 24 * 3600 + 1


def test_day_later_there_are_three_again(patient: User) -> None:
    for _ in range(3):
        made(patient)
    DataExport.objects.update(created_at=timezone.now() - dt.timedelta(days=1, seconds=1))

    assert api_client(patient).post(URL).status_code == 202


def test_what_could_not_be_made_does_not_count(patient: User) -> None:
    for _ in range(3):
        DataExport.objects.filter(pk=asked(patient).pk).update(status="FAILED")

    assert api_client(patient).post(URL).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_asking_twice_at_once_makes_one(patient: User) -> None:
    session = sign_in(patient)

    racers = race(*[lambda: request_export(session=session)] * 2, gate=DataExport)

    assert errors(racers) == ["", "ExportRunning"]
    assert DataExport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_row_locks")
def test_without_the_lock_only_the_constraint_would_stop_the_second(patient: User) -> None:
    """What the lock is for: a sentence instead of a crash."""
    session = sign_in(patient)

    racers = race(*[lambda: request_export(session=session)] * 2, gate=DataExport)

    assert sorted(errors(racers)) == ["", "IntegrityError"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_it_once(patient: User) -> None:
    export = asked(patient)

    racers = race(*[lambda: make_export(export.pk)] * 2, gate=DataExport)

    assert sorted(racer.value for racer in racers) == [False, True]
    assert Notification.objects.filter(kind="EXPORT_READY").count() == 1


@pytest.mark.django_db(transaction=True)
def test_reading_before_writing_would_let_two_workers_make_it(patient: User) -> None:
    """What the conditional UPDATE of a claim is for."""
    export = asked(patient)

    def naive_claim() -> bool:
        row = DataExport.objects.get(pk=export.pk)
        is_mine = row.status == DataExport.Status.REQUESTED
        row.status = DataExport.Status.RUNNING
        row.save()
        return is_mine

    racers = race(naive_claim, naive_claim, gate=DataExport)

    assert [racer.value for racer in racers] == [True, True]


def test_ready_copy_is_told_and_kept_for_a_week(patient: User) -> None:
    export = made(patient)

    told = Notification.objects.get(kind="EXPORT_READY")
    assert (told.recipient, told.url) == (patient, "/export")
    assert EmailDelivery.objects.get(notification=told).to_address == patient.email
    assert (export.status, export.done_parts) == ("READY", export.all_parts)
    assert export.expires_at == export.ready_at + dt.timedelta(days=7)
    assert export.size == export.file.size


def test_patient_finds_everything_about_themselves(connection: Connection) -> None:
    patient = connection.patient
    PatientProfile.objects.filter(user=patient).update(
        national_id=NATIONAL_ID, national_id_index="x"
    )
    prescription = issue(connection)
    open_prescription(actor=connection.doctor, prescription_id=prescription.pk)

    archive = content_of(made(patient))

    assert archive.testzip() is None
    assert read(archive, "account.json")["profile"] == {
        "birth_date": "1990-05-17",
        "sex": "FEMALE",
        "national_id": NATIONAL_ID,
        **dict.fromkeys(("blood_type", "address", "city", "governorate"), ""),
        **dict.fromkeys(("height_cm", "weight_kg")),
    }
    assert [one["ip_address"] for one in read(archive, "sessions.json")] == ["127.0.0.1"]
    assert [one["id"] for one in read(archive, "connections.json")] == [str(connection.pk)]
    (row,) = read(archive, f"prescriptions/{prescription.number}.json")["items"][:1]
    assert row["medicine"] == "Amlodipine"
    assert archive.read(f"prescriptions/{prescription.number}.pdf").startswith(b"%PDF-")
    assert [one["kind"] for one in read(archive, "notifications.json")] == ["PRESCRIPTION_ISSUED"]
    log = read(archive, "access-log.json")
    assert [(one["actor"]["display_name"], one["action"]) for one in log] == [
        ("Dr Karim Nabil", "READ"),
        ("Dr Karim Nabil", "ISSUED"),
        ("Dr Karim Nabil", "CHECKED"),
    ]


def test_copy_tells_who_looked_in_words_and_what_was_asked(connection: Connection) -> None:
    issue(connection)
    case = ask(connection.patient, AccessEvent.objects.get(action="ISSUED"), "Why this <one>?")

    archive = content_of(made(connection.patient))

    entry, _check = read(archive, "access-log.json")
    assert entry["sentence"].endswith("issued a prescription for you.")
    assert [(one["id"], one["question"]) for one in entry["cases"]] == [
        (str(case.pk), "Why this <one>?")
    ]
    page = archive.read("index.html").decode()
    assert entry["sentence"] in page
    assert "Why this &lt;one&gt;?" in page


def test_copy_tells_what_is_shared_and_was(connection: Connection) -> None:
    patient, path = (
        connection.patient,
        {"actor": connection.patient, "connection_id": connection.pk},
    )
    set_grant(**path, sharing=Sharing(categories=("ALLERGIES", "CONDITIONS")))
    set_grant(**path, sharing=Sharing(categories=("ALLERGIES",)))

    theirs, doctors = content_of(made(patient)), content_of(made(connection.doctor))

    told = [(one["categories"], one["end_reason"]) for one in read(theirs, "grants.json")]
    assert told == [(["ALLERGIES"], ""), (["ALLERGIES", "CONDITIONS"], "REPLACED")]
    assert [one["categories"] for one in read(doctors, "grants.json")] == [["ALLERGIES"]]
    page = theirs.read("index.html").decode()
    assert "What you let doctors see" in page
    assert "Replaced by another choice" in page
    assert "Shared with you" in doctors.read("index.html").decode()


def test_copy_holds_the_reason_of_an_administrator_who_was_told_so(
    admin: User, patient: User
) -> None:
    page = page_client(admin).get(f"/admin/accounts/user/{patient.pk}/suspend/")
    suspend_user(session=sign_in(admin), user_id=patient.pk, reason="Two complaints.")
    activate_user(session=sign_in(admin), user_id=patient.pk, reason="It was nothing.")
    patient.refresh_from_db()

    changes = read(content_of(made(patient)), "status-changes.json")

    assert "The person may find it in the copy of their data." in page.content.decode()
    assert {change["reason"] for change in changes} == {"Two complaints.", "It was nothing."}


def test_copy_tells_how_somebody_wants_to_be_told(patient: User) -> None:
    set_preferences(
        actor=patient,
        quiet_from=dt.time(22),
        quiet_until=dt.time(7),
        events=[{"kind": "GRANT_ENDING", "email": False, "live": True}],
    )

    archive = content_of(made(patient))

    wishes = read(archive, "preferences.json")
    (event,) = [one for one in wishes["events"] if one["kind"] == "GRANT_ENDING"]
    assert (wishes["quiet_from"], wishes["quiet_until"]) == ("22:00", "07:00")
    assert (event["email"], event["live"]) == (False, True)
    assert "22:00–07:00" in archive.read("index.html").decode()


def test_patient_takes_along_documents_that_no_doctor_sees(connection: Connection) -> None:
    patient = connection.patient
    told = {"patient": patient, "kind": "LAB_RESULT", "date": dt.date(2026, 1, 5)}
    Record.objects.create(title="Lipids", **told)
    Record.objects.create(title="Secret", is_sensitive=True, trashed_at=timezone.now(), **told)

    archive = content_of(made(patient))

    records = read(archive, "records.json")
    assert [(one["title"], one["is_sensitive"]) for one in records] == [
        ("Secret", True),
        ("Lipids", False),
    ]
    assert "Lipids" in archive.read("index.html").decode()
    assert "records.json" not in content_of(made(connection.doctor)).namelist()


def test_patient_takes_along_their_links_without_what_opens_them(patient: User) -> None:
    link = share(patient, label="Clinic", passcode=PASSCODE)
    follow(link, recipient="Dr Nabil", passcode=PASSCODE)

    archive = content_of(made(patient))

    (told,) = read(archive, "links.json")
    assert (told["label"], told["categories"], told["opened_count"]) == ("Clinic", ["ALLERGIES"], 1)
    assert [one["recipient"] for one in told["openings"]] == ["Dr Nabil"]
    assert "Dr Nabil" in archive.read("index.html").decode()
    for secret in (link.manifest_id, link.key, link.passcode, PASSCODE):
        assert str(secret) not in everything_in(archive)


def test_every_table_of_a_person_is_in_the_copy_or_said_not_to_be() -> None:
    """A new table that points at a user: add it to `exports.py`, or say here why not."""
    told = {
        "Absence", "AccessGrant", "AllergyIntolerance", "CannedReply", "Condition", "Connection",
        "ConnectionRequest", "DeviceSession", "DoctorProfile", "EmergencyCard", "EmergencyContact",
        "ExternalIdentity", "MedicationStatement", "Message", "Notification", "Participant",
        "Passkey", "PatientProfile", "Preferences", "Prescription", "PrescriptionTemplate",
        "Record", "RefillRequest", "SharedLink", "StatusChange", "Totp",
    }  # fmt: skip
    not_told = {
        # Secrets and steps of signing in, gone within the hour or worth nothing afterwards.
        "EmailChange", "PasskeyChallenge", "PasswordReset", "PendingSignIn", "QrSighting",
        "QrToken", "RecoveryCode", "Registration", "SecondFactorReset",
        # Copies of what is told: the directory's entry is the profile, an e-mail is a notification.
        "DataExport", "DirectoryEntry", "EmailDelivery",
        # The work of administrators.
        "AccountChange", "AccountListExport", "ApplicationReview", "LogEntry",
        # Without rows as yet.
        "Appointment",
    }  # fmt: skip

    pointing = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User and not model._meta.proxy
    }

    assert pointing == told | not_told


def test_long_log_is_whole_in_the_file_and_its_newest_on_the_page(
    monkeypatch: Any, connection: Connection
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 2)
    monkeypatch.setattr(exports, "SHOWN", 3)
    issued = [issue(connection, items=[UNKNOWN]) for _ in range(5)]
    case = ask(connection.patient, AccessEvent.objects.get(object_id=issued[0].pk), "Why?")

    archive = content_of(made(connection.patient))

    log, page = read(archive, "access-log.json"), archive.read("index.html").decode()
    found = [one for one in log if one["action"] == "ISSUED"]
    assert [one["object"]["id"] for one in found] == [str(one.pk) for one in reversed(issued)]
    assert [one["id"] for one in found[-1]["cases"]] == [str(case.pk)]
    assert len(read(archive, "notifications.json")) == 5
    # Of the three in the log one is the safety check; and the one that was asked about stands in
    # the table of questions.
    assert page.count("issued a prescription for you.") == 2 + 1
    for file in ("access-log.json", "notifications.json"):
        assert f"Only the newest 3 are listed here; {file} holds all of them." in page


def test_log_of_exactly_what_the_page_takes_is_not_said_to_be_cut(
    monkeypatch: Any, connection: Connection
) -> None:
    # Each is checked and issued.
    monkeypatch.setattr(exports, "SHOWN", 6)
    for _ in range(3):
        issue(connection, items=[UNKNOWN])

    page = content_of(made(connection.patient)).read("index.html").decode()

    assert page.count("issued a prescription for you.") == 3
    assert "Only the newest" not in page


def test_long_log_is_never_all_in_memory(monkeypatch: Any, patient: User, doctor: User) -> None:
    """Whoever did the acts of a chunk is asked for once, before the next chunk is read."""
    monkeypatch.setattr(exports, "CHUNK", 10)
    for _ in range(35):
        looked(doctor, patient)

    with CaptureQueriesContext(database) as asked_for:
        made(patient)

    people = [one["sql"] for one in asked_for if '"accounts_user"."id" IN (' in one["sql"]]
    assert len(people) == 4


def test_page_can_be_read_alone_and_runs_nothing(connection: Connection) -> None:
    prescription = issue(connection)

    page = content_of(made(connection.patient)).read("index.html").decode()

    assert "Mona Adel" in page
    assert f'href="prescriptions/{prescription.number}.pdf"' in page
    assert "Amlodipine, Paracetamol" in page
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page


def test_what_people_typed_is_text_on_the_page(patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(last_name="<img src=x onerror=alert(1)>")

    page = content_of(made(patient)).read("index.html").decode()

    assert "<img" not in page


def test_page_speaks_the_language_of_its_person(patient: User) -> None:
    User.objects.filter(pk=patient.pk).update(language="ar")

    page = content_of(made(patient)).read("index.html").decode()

    assert '<html lang="ar" dir="rtl">' in page


def test_doctor_finds_their_documents_and_what_they_issued(connection: Connection) -> None:
    prescription = issue(connection)

    archive = content_of(made(connection.doctor))

    assert archive.read("documents/licence-document.png") == png_bytes()
    assert archive.read("documents/national-id-document.png") == png_bytes()
    assert f"prescriptions/{prescription.number}.pdf" in archive.namelist()
    assert read(archive, "account.json")["profile"]["specialization"] == "cardiology"


class TestChats:
    @pytest.fixture
    def chat(self, connection: Connection) -> Chat:
        chat = chat_of(connection)
        say(chat, connection.patient, "Good morning")
        said = say(chat, connection.patient, "My secret")
        retract_message(actor=connection.patient, message_id=said.pk)
        say(chat, connection.doctor, "How are you?")
        return chat

    @pytest.mark.parametrize("who", ["patient", "doctor"])
    def test_copy_holds_what_was_said_and_not_what_was_withdrawn(
        self, chat: Chat, who: str
    ) -> None:
        archive = content_of(made(getattr(chat.connection, who)))

        told = read(archive, "messages.json")
        assert [(one["seq"], one["kind"], one["content"]) for one in told] == [
            (4, "MESSAGE", "How are you?"),
            (3, "RETRACTION", ""),
            (2, "MESSAGE", ""),
            (1, "MESSAGE", "Good morning"),
        ]
        assert [one["id"] for one in read(archive, "chats.json")] == [str(chat.pk)]
        assert "How are you?" in archive.read("index.html").decode()
        assert "My secret" not in everything_in(archive)

    def test_doctor_takes_along_after_the_end_what_they_wrote(self, chat: Chat) -> None:
        end_connection(actor=chat.connection.patient, connection_id=chat.connection_id)

        of_doctor = content_of(made(chat.connection.doctor))
        of_patient = content_of(made(chat.connection.patient))

        assert [one["seq"] for one in read(of_doctor, "messages.json")] == [4]
        assert "Good morning" not in everything_in(of_doctor)
        assert len(read(of_patient, "messages.json")) == 4

    def test_doctor_takes_along_what_they_prepared(self, doctor: User) -> None:
        save_reply(actor=doctor, title="Thank you", content="You are welcome.")
        until = timezone.now() + dt.timedelta(days=1)
        set_absence(actor=doctor, starts_at=timezone.now(), ends_at=until, notice="Away.")

        prepared = read(content_of(made(doctor)), "prepared-replies.json")

        assert [one["title"] for one in prepared["replies"]] == ["Thank you"]
        assert prepared["absence"]["notice"] == "Away."

    def test_nobody_elses_chat_is_in_a_copy(self, chat: Chat, stranger: User) -> None:
        archive = content_of(made(stranger))

        assert read(archive, "messages.json") == read(archive, "chats.json") == []


def test_patient_finds_in_the_log_that_their_doctor_took_a_copy(connection: Connection) -> None:
    issue(connection)

    made(connection.doctor)

    event = AccessEvent.objects.get(action="DOWNLOADED")
    assert (event.actor_id, event.patient_id) == (connection.doctor_id, connection.patient_id)


def test_sheets_of_a_doctor_hold_no_facts_that_a_patient_shares(connection: Connection) -> None:
    prescription = issue(connection)
    sharing = Sharing(categories=("FACTS",))
    set_grant(actor=connection.patient, connection_id=connection.pk, sharing=sharing)
    name = f"prescriptions/{prescription.number}.pdf"

    theirs = content_of(made(connection.patient)).read(name)
    doctors = content_of(made(connection.doctor)).read(name)

    profile = connection.patient.patient_profile
    assert theirs == printed(prescription, profile)
    assert doctors == printed(prescription, None)
    assert theirs != doctors
    assert AccessGrant.objects.get().last_used_at is None


def test_each_patient_of_a_doctor_finds_the_copy_in_their_log(
    connection: Connection, stranger: User
) -> None:
    other = connect(actor=stranger, doctor_id=connection.doctor_id, origin=Connection.Origin.QR)
    issue(other)
    issue(connection)

    made(connection.doctor)

    taken = AccessEvent.objects.filter(action="DOWNLOADED").values_list("patient_id", flat=True)
    assert sorted(taken) == sorted([connection.patient_id, stranger.pk])


def test_attempt_that_fails_takes_no_copy_and_a_second_is_logged_once(
    monkeypatch: Any, connection: Connection
) -> None:
    issue(connection)
    export = asked(connection.doctor)
    with monkeypatch.context() as broken:
        broken.setattr(exports, "render_to_string", lambda *args, **kwargs: 1 / 0)
        assert not make_export(export.pk)
    logged_before = AccessEvent.objects.filter(action="DOWNLOADED").count()

    assert make_export(export.pk)

    assert logged_before == 0
    assert AccessEvent.objects.filter(action="DOWNLOADED").count() == 1


def test_nothing_of_other_people_is_in_it(
    connection: Connection, stranger: User, other_doctor: User
) -> None:
    elsewhere = connect(actor=stranger, doctor_id=other_doctor.pk, origin=Connection.Origin.QR)
    issue(elsewhere, diagnosis="Migraine")
    shared = connect(actor=stranger, doctor_id=connection.doctor_id, origin=Connection.Origin.QR)
    issue(shared, diagnosis="Gout")

    text = everything_in(content_of(made(connection.patient)))

    unsayable = ["Zaki", "Fathy", stranger.email, connection.doctor.email, "Migraine", "Gout"]
    assert [word for word in unsayable if word in text] == []


def test_copy_holds_no_secret_of_the_account(patient: User) -> None:
    text = everything_in(content_of(made(patient)))

    session = DeviceSession.objects.get(user=patient)
    assert patient.password not in text
    assert str(session.refresh_id) not in text


@pytest.mark.parametrize("who", ["pending", "admin"])
def test_everybody_with_an_account_gets_a_copy(admin: User, who: str) -> None:
    people = {"admin": admin, "pending": DoctorFactory(status=Status.PENDING_APPROVAL)}

    archive = content_of(made(people[who]))

    assert read(archive, "account.json")["email"] == people[who].email


def test_progress_is_seen_while_it_is_made(monkeypatch: Any, connection: Connection) -> None:
    issue(connection)
    seen = []

    def watching(export: DataExport, **parts: int) -> None:
        record_progress(export, **parts)
        rows = DataExport.objects.values_list("status", "done_parts", "all_parts")
        seen.append(rows.get(pk=export.pk))

    monkeypatch.setattr(exports.exports, "record_progress", watching)

    export = made(connection.patient)

    steps = range(export.all_parts + 1)
    assert seen == [("RUNNING", done, export.all_parts) for done in steps]


def test_download_is_a_file_that_nobody_keeps_on_the_way(patient: User) -> None:
    export = made(patient)

    answer = api_client(patient).get(f"{URL}/{export.pk}/download")

    assert b"".join(answer.streaming_content).startswith(b"PK")
    assert answer.streaming
    assert answer["Content-Type"] == "application/zip"
    assert answer["Cache-Control"] == "private, no-store"
    day = f"{export.created_at:%Y-%m-%d}"
    assert answer["Content-Disposition"] == f'attachment; filename="medisync-{day}.zip"'


def test_download_is_logged(patient: User) -> None:
    export = made(patient)

    api_client(patient).get(f"{URL}/{export.pk}/download")

    event = AccessEvent.objects.get(action="DOWNLOADED")
    assert (event.actor_id, event.patient_id, event.object_id) == (
        patient.pk,
        patient.pk,
        export.pk,
    )


@pytest.mark.parametrize("door", ["api", "page"])
def test_download_asks_again_whether_it_is_them(patient: User, door: str) -> None:
    export = made(patient)
    app, browser = api_client(patient), page_client(patient)
    forget_confirmation(patient)

    if door == "api":
        assert app.get(f"{URL}/{export.pk}/download").status_code == 403
    else:
        answer = browser.get(f"/export/{export.pk}/download")
        assert answer["Location"] == "/confirm?next=/export"


def test_copy_of_somebody_else_is_not_there(patient: User, stranger: User) -> None:
    export = made(stranger)

    app, browser = api_client(patient), page_client(patient)

    assert app.get(f"{URL}/{export.pk}").status_code == 404
    assert app.get(f"{URL}/{export.pk}/download").status_code == 404
    assert browser.get(f"/export/{export.pk}/download").status_code == 404
    assert app.get(URL).json()["results"] == []


def test_unfinished_copy_is_not_downloaded(patient: User) -> None:
    export = asked(patient)

    answer = api_client(patient).get(f"{URL}/{export.pk}/download")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "export_not_ready")


@pytest.mark.parametrize("door", ["api", "page"])
def test_after_a_week_it_is_not_downloaded_even_before_the_file_is_deleted(
    patient: User, door: str
) -> None:
    export = made(patient)
    DataExport.objects.update(expires_at=timezone.now())

    answer = {"api": api_client(patient), "page": page_client(patient)}[door].get(
        {"api": f"{URL}/{export.pk}/download", "page": f"/export/{export.pk}/download"}[door]
    )

    assert answer.status_code == 409
    assert "no longer kept" in answer.content.decode()
    assert not AccessEvent.objects.filter(action="DOWNLOADED").exists()


@pytest.mark.parametrize("door", ["api", "page"])
def test_missing_file_is_said_and_not_logged_as_taken(patient: User, door: str) -> None:
    export = made(patient)
    default_storage.delete(export.file.name)

    answer = {"api": api_client(patient), "page": page_client(patient)}[door].get(
        {"api": f"{URL}/{export.pk}/download", "page": f"/export/{export.pk}/download"}[door]
    )

    assert answer.status_code == 409
    assert "no longer kept" in answer.content.decode()
    assert not AccessEvent.objects.filter(action="DOWNLOADED").exists()


def test_after_a_week_the_file_is_deleted_and_the_row_says_so(patient: User) -> None:
    export = made(patient)
    name = export.file.name

    with time_machine.travel(timezone.now() + DataExport.LASTS + dt.timedelta(seconds=1)):
        delete_expired_exports()

    export.refresh_from_db()
    assert not default_storage.exists(name)
    assert (export.status, export.file.name, export.size) == ("EXPIRED", "", None)


def test_within_the_week_it_is_kept(patient: User) -> None:
    export = made(patient)

    with time_machine.travel(timezone.now() + DataExport.LASTS - dt.timedelta(minutes=1)):
        delete_expired_exports()

    export.refresh_from_db()
    assert export.status == "READY"
    assert default_storage.exists(export.file.name)


def test_attempt_that_fails_is_made_again_and_leaves_no_file(
    monkeypatch: Any, connection: Connection
) -> None:
    issue(connection)
    export = asked(connection.patient)
    with monkeypatch.context() as broken:
        broken.setattr(exports, "render_prescription_pdf", lambda *args, **kwargs: 1 / 0)
        assert not make_export(export.pk)
    export.refresh_from_db()
    assert (export.status, export.attempts, export.file.name) == ("REQUESTED", 1, "")

    assert release_due(timezone.now()) == [export.pk]
    assert make_export(export.pk)


def test_third_failure_is_the_last_and_its_person_may_ask_again(
    monkeypatch: Any, connection: Connection
) -> None:
    issue(connection)
    export = asked(connection.patient)
    monkeypatch.setattr(exports, "render_prescription_pdf", lambda *args, **kwargs: 1 / 0)

    for _ in range(DataExport.MAX_ATTEMPTS):
        make_export(export.pk)

    export.refresh_from_db()
    assert export.status == "FAILED"
    assert release_due(timezone.now()) == []
    assert "Ask again" in page_client(connection.patient).get("/export").content.decode()


def test_claim_of_a_dead_worker_lapses(patient: User) -> None:
    export = asked(patient)
    claim_export(export.pk)
    assert release_due(timezone.now()) == []

    with time_machine.travel(timezone.now() + DataExport.CLAIM_LASTS + dt.timedelta(seconds=1)):
        assert release_due(timezone.now()) == [export.pk]
        assert make_export(export.pk)


def test_worker_that_died_every_time_is_given_up_on(patient: User) -> None:
    export = asked(patient)
    past = timezone.now() - DataExport.CLAIM_LASTS - dt.timedelta(seconds=1)
    DataExport.objects.update(status="RUNNING", claimed_at=past, attempts=DataExport.MAX_ATTEMPTS)

    assert release_due(timezone.now()) == []

    export.refresh_from_db()
    assert export.status == "FAILED"


@pytest.mark.django_db(transaction=True)
def test_attempt_that_ends_while_it_is_given_up_on_keeps_its_file(patient: User) -> None:
    export = asked(patient)
    name = default_storage.save("exports/slow", ContentFile(b"PK"))
    now = timezone.now()
    past = now - DataExport.CLAIM_LASTS - dt.timedelta(seconds=1)
    DataExport.objects.update(
        status="RUNNING", claimed_at=past, attempts=DataExport.MAX_ATTEMPTS, file=name
    )

    def end_at_last() -> None:
        with transaction.atomic():
            DataExport.objects.select_for_update().get(pk=export.pk)
            DataExport.objects.update(status="READY", expires_at=now + DataExport.LASTS)

    racers = race(end_at_last, lambda: release_due(now), gate=DataExport)

    export.refresh_from_db()
    assert errors(racers) == ["", ""]
    assert (export.status, export.file.name) == ("READY", name)
    assert default_storage.exists(name)


def test_what_a_dead_worker_had_stored_is_deleted_when_it_is_given_up_on(patient: User) -> None:
    export = asked(patient)
    name = default_storage.save("exports/dead", ContentFile(b"PK"))
    past = timezone.now() - DataExport.CLAIM_LASTS - dt.timedelta(seconds=1)
    DataExport.objects.update(
        status="RUNNING", claimed_at=past, attempts=DataExport.MAX_ATTEMPTS, file=name
    )

    release_due(timezone.now())

    export.refresh_from_db()
    assert (export.status, export.file.name) == ("FAILED", "")
    assert not default_storage.exists(name)


def test_worker_that_was_overtaken_changes_nothing(patient: User) -> None:
    slow = claim_export(asked(patient).pk)
    past = timezone.now() - DataExport.CLAIM_LASTS - dt.timedelta(seconds=1)
    DataExport.objects.update(claimed_at=past)
    assert make_export(slow.pk)
    files = len(default_storage.listdir("exports")[1])

    with pytest.raises(exports.exports.ClaimLost):
        exports.exports.keep_export(slow, io.BytesIO(b"late"), when_ready=lambda: None)

    export = DataExport.objects.get()
    assert export.status == "READY"
    assert content_of(export).testzip() is None
    assert len(default_storage.listdir("exports")[1]) == files


def test_deleting_somebodys_copies_stops_one_in_the_making(
    patient: User, django_capture_on_commit_callbacks: Any
) -> None:
    name = made(patient).file.name
    running = claim_export(asked(patient).pk)

    with django_capture_on_commit_callbacks(execute=True):
        delete_exports(patient)

    assert not default_storage.exists(name)
    with pytest.raises(exports.exports.ClaimLost):
        record_progress(running, done_parts=1, all_parts=2)


def test_page_shows_progress_then_the_download(patient: User) -> None:
    browser = page_client(patient)

    empty = browser.get("/export").content.decode()
    browser.post("/export/request")
    waiting = browser.get("/export").content.decode()
    make_export(DataExport.objects.get().pk)
    ready = browser.get("/export").content.decode()

    assert "No copies yet" in empty
    assert "<progress" in waiting
    assert "Ask for a copy" not in waiting
    assert "<progress" not in ready
    assert f"/export/{DataExport.objects.get().pk}/download" in ready


def test_page_asks_for_confirmation_and_comes_back(patient: User) -> None:
    browser = page_client(patient)
    forget_confirmation(patient)

    answer = browser.post("/export/request")

    assert answer["Location"] == "/confirm?next=/export"
    assert not DataExport.objects.exists()


def test_refusal_is_said_on_the_page(patient: User) -> None:
    browser = page_client(patient)
    browser.post("/export/request")

    page = browser.post("/export/request", follow=True).content.decode()

    assert "A copy of your data is being prepared already." in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("mailbox")
def test_real_worker_makes_it_from_the_task_that_asking_handed_over(
    connection: Connection, tmp_path: Any
) -> None:
    issue(connection)
    with worker():
        export = asked(connection.patient)
        requeue_due_exports()
        deadline = timezone.now() + dt.timedelta(seconds=180)
        while export.is_unfinished and timezone.now() < deadline:
            export.refresh_from_db()

    assert export.status == "READY"


@pytest.mark.parametrize("number", [1, 6])
def test_list_asks_a_fixed_number_of_questions(
    patient: User, number: int, django_assert_num_queries: Any
) -> None:
    client = api_client(patient)
    DataExport.objects.bulk_create(
        [DataExport(user=patient, status="EXPIRED") for _ in range(number)]
    )

    with django_assert_num_queries(2):  # session, exports
        client.get(URL)


def test_copy_tells_what_became_of_prescriptions_and_no_pin(connection: Connection) -> None:
    first = issue(connection)
    second = amend_prescription(
        actor=connection.doctor, prescription_id=first.pk, order=Order(items=[PARACETAMOL])
    )
    request_refill(actor=connection.patient, prescription_id=second.pk, note="It helps.")
    hand_out(claim(second), (1, 5))
    save_template(actor=connection.doctor, name="Fever", order=Order(items=[PARACETAMOL]))

    theirs, mine = content_of(made(connection.patient)), content_of(made(connection.doctor))

    for archive in (theirs, mine):
        told = read(archive, f"prescriptions/{second.number}-v2.json")
        assert "pin" not in told
        assert {event["what"] for event in told["history"]} == {
            "ISSUED", "AMENDED", "CLAIMED", "DISPENSED", "REFILL_REQUESTED",
        }  # fmt: skip
        assert f"prescriptions/{first.number}.pdf" in archive.namelist()
        (asked,) = read(archive, "refill-requests.json")
        assert (asked["note"], asked["status"]) == ("It helps.", "PENDING")
        for row in Prescription.objects.all():
            # By itself: six digits are also in the middle of an id, or the parts of a second.
            assert not re.search(rf"(?<![\w.-]){row.pin}(?![\w-])", everything_in(archive))
    assert "prescription-templates.json" not in theirs.namelist()
    assert [one["name"] for one in read(mine, "prescription-templates.json")] == ["Fever"]
