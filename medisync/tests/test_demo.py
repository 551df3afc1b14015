"""The demonstration is believable, whole, repeatable, and kept out of real servers."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from uuid import RFC_4122

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import (
    AllergyIntolerance,
    ApplicationReview,
    DoctorProfile,
    EmergencyContact,
    Language,
    PatientProfile,
    Role,
    Sex,
    Status,
    StatusChange,
    User,
)
from accounts.national_id import parse_national_id
from accounts.services.sessions import Device
from accounts.services.sign_in import authenticate
from accounts.tests.factories import PatientFactory
from audit.models import AccessCase, AccessEvent
from audit.verification import Verification
from chat.models import CannedReply, Chat, Message, Participant
from chat.services.chats import awaiting_since
from chat.services.reading import list_chats, unread_count
from chat.services.telling import tell_of_unread
from common.clock import clinic_date
from common.documents import sniff_document
from connections.models import Connection, ConnectionRequest
from medisync.demo import ARABIC_PATIENT_EMAIL, DEMO_ACCOUNTS, DOCTOR_EMAIL, PATIENT_EMAIL
from medisync.demo.bulk import copy_rows
from medisync.demo.chance import dice, prescription_number, uuid7_at
from medisync.demo.names import CONDITIONS
from medisync.demo.people import national_id
from medisync.demo.world import make_clinics
from notifications.models import EmailDelivery, Notification
from notifications.wording import Kind
from prescriptions.fills import fill_of
from prescriptions.models import (
    DispenseClaim,
    Prescription,
    PrescriptionItem,
    PrescriptionTemplate,
    RefillRequest,
)
from prescriptions.numbers import is_valid_number
from qrverify.models import (
    EmergencyCard,
    EmergencyChoice,
    EmergencyScan,
    LinkOpening,
    SharedLink,
)
from qrverify.services.emergency import own_card
from qrverify.services.emergency_content import emergency_content
from qrverify.services.verification import Outcome, verify_prescription
from qrverify.tests.sharing import follow
from specializations.catalogue import COMMON_SPECIALIZATIONS
from specializations.models import Specialization

MODELS = (
    User, PatientProfile, DoctorProfile, ApplicationReview, StatusChange, Connection, Prescription,
    ConnectionRequest,
    PrescriptionItem, Notification, AccessEvent, AllergyIntolerance, EmergencyContact,
    EmergencyCard, EmergencyChoice, EmergencyScan, SharedLink, LinkOpening, Chat, Participant,
    Message, CannedReply,
)  # fmt: skip
END = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
Action = AccessEvent.Action


@pytest.fixture(autouse=True)
def catalogue(db):
    """A test that flushes the database takes the migration's rows with it."""
    known = set(Specialization.objects.values_list("code", flat=True))
    Specialization.objects.bulk_create(
        Specialization(**entry._asdict())
        for entry in COMMON_SPECIALIZATIONS
        if entry.code not in known
    )


@pytest.fixture
def demo(catalogue):
    """The demonstration as it stands this morning."""
    call_command("demo", publish_passwords=True, verbosity=0)


class Undone(Exception):
    pass


def fingerprint(seed):
    """Every value of every row that the seed makes, decrypted."""
    found = hashlib.sha256()
    try:
        with transaction.atomic():
            list(make_clinics(scale=1, seed=seed, end=END))
            for model in MODELS:
                for row in model.objects.order_by("pk").values_list():
                    found.update(repr(row).encode())
            raise Undone
    except Undone:
        return found.hexdigest()


def test_same_seed_makes_the_same_rows_and_another_seed_others():
    first = fingerprint(1)

    assert fingerprint(1) == first
    assert fingerprint(2) != first


def test_clinic_holds_who_and_what_it_promises(demo):
    doctors, patients = (User.objects.filter(role=role) for role in (Role.DOCTOR, Role.PATIENT))
    practising = doctors.filter(status=Status.ACTIVE)
    assert practising.values("doctor_profile__specialization").distinct().count() == 6
    assert (practising.count(), patients.filter(status=Status.ACTIVE).count()) == (6, 40)
    assert doctors.filter(status=Status.PENDING_APPROVAL).count() == 1
    assert ApplicationReview.objects.waiting().count() == 1
    assert ApplicationReview.objects.filter(decision="APPROVED").count() == 6
    assert not practising.filter(doctor_profile__licence_expiry_date=None).exists()
    assert DoctorProfile.objects.licence_ends_by(clinic_date() + dt.timedelta(days=90)).exists()
    assert User.objects.filter(role=Role.ADMIN, status=Status.ACTIVE).count() == 1
    assert patients.filter(language="ar", first_name__regex="^[\u0600-\u06ff]").count() == 20
    states = Counter(row.state(clinic_date()) for row in Prescription.objects.current())
    assert states["active"] > 10
    assert min(states[state] for state in ("completed", "expired", "stopped")) >= 2
    assert states.total() == 250
    assert Prescription.objects.filter(version=2).exists()
    assert 20 < Notification.objects.unread().count() < Notification.objects.count() / 2
    assert Connection.objects.exclude(status=Connection.Status.ACTIVE).exists()
    assert not EmailDelivery.objects.exists()


@pytest.mark.parametrize("email", [PATIENT_EMAIL, ARABIC_PATIENT_EMAIL])
def test_published_patients_carry_a_card_that_was_opened_twice(demo, email):
    patient = User.objects.get(email=email)

    content = emergency_content(own_card(actor=patient), timezone.now())

    assert len(content.shown) == 8
    assert not content.unconfirmed
    assert all(part.rows for part in content.shown)
    assert EmergencyScan.objects.visible_to(patient).count() == 2


@pytest.mark.parametrize("email", [PATIENT_EMAIL, ARABIC_PATIENT_EMAIL])
def test_published_patients_share_a_link_that_was_opened(demo, email):
    link = SharedLink.objects.visible_to(User.objects.get(email=email)).get()

    assert link.state(timezone.now()) == SharedLink.State.ACTIVE
    assert link.openings.count() == link.opened_count == 1
    assert follow(link).embedded


def test_some_ask_and_are_answered_and_the_published_accounts_among_them(demo):
    now = timezone.now()
    states = Counter(row.state(now) for row in ConnectionRequest.objects.all())
    assert states["PENDING"] == 20
    assert min(states[state] for state in ("ACCEPTED", "REJECTED", "CANCELLED", "EXPIRED")) >= 5
    doctor, patient = (User.objects.get(email=email) for email in (DOCTOR_EMAIL, PATIENT_EMAIL))
    assert doctor.requests_received.waiting(now).count() >= 3
    assert {row.state(now) for row in patient.requests_sent.all()} >= {"PENDING", "REJECTED"}
    for row in ConnectionRequest.objects.exclude(decided_at=None):
        assert row.created_at < row.decided_at <= now
    for known in Connection.objects.filter(origin=Connection.Origin.REQUEST):
        between = {"patient": known.patient_id, "doctor": known.doctor_id}
        assert ConnectionRequest.objects.filter(status="ACCEPTED", **between).count() == 1


def test_published_people_write_and_one_waits_and_one_has_not_read(demo):
    doctor = User.objects.get(email=DOCTOR_EMAIL)
    waiting, reading = (
        Chat.objects.get(connection__patient__email=email, connection__doctor=doctor)
        for email in (PATIENT_EMAIL, ARABIC_PATIENT_EMAIL)
    )
    assert list_chats(actor=doctor).order_by("-turn").first() == waiting
    assert unread_count(actor=doctor, chat=waiting) == 1
    assert reading.awaiting_since is None
    assert unread_count(actor=reading.connection.patient, chat=reading) == 1
    assert re.search("[\u0600-\u06ff]", reading.messages.earliest("seq").content)
    assert CannedReply.objects.visible_to(doctor).exists()
    assert Message.objects.filter(kind=Message.Kind.RETRACTION).exists()
    for chat in Chat.objects.all():
        said = list(chat.messages.order_by("seq"))
        assert [entry.seq for entry in said] == [*range(1, chat.last_seq + 1)]
        assert [entry.created_at for entry in said] == sorted(entry.created_at for entry in said)
        assert chat.awaiting_since == awaiting_since(chat)
    # Whoever starts the demonstration is not mailed about it.
    assert tell_of_unread(timezone.now()) == 0


def test_published_accounts_can_sign_in_and_know_each_other(demo):
    for account in DEMO_ACCOUNTS:
        user = authenticate(
            email=account.email,
            password=account.password,
            device=Device(ip_address="127.0.0.1"),
        )
        assert user.role == account.role
        assert user.is_in_good_standing is not ("waiting" in account.note)
    joined = Connection.objects.get(
        patient__email=PATIENT_EMAIL, doctor__email=DOCTOR_EMAIL, status=Connection.Status.ACTIVE
    )
    assert joined.prescriptions.active(clinic_date()).exists()
    profile = joined.doctor.doctor_profile
    for document in (profile.licence_document, profile.national_id_document):
        assert sniff_document(document.open().read(16)) == "image/png"


def test_patients_ask_about_accesses_and_one_question_is_answered(demo):
    cases = AccessCase.objects.order_by("created_at", "pk")

    assert {case.status for case in cases} == {"OPEN", "ANSWERED"}
    for case in cases:
        assert case.event.actor_id not in {case.patient_id, case.answered_by_id}
        assert case.event.created_at < case.created_at


def test_published_accounts_see_all_that_may_become_of_a_prescription(demo):
    for email in (PATIENT_EMAIL, ARABIC_PATIENT_EMAIL):
        patient = User.objects.get(email=email)
        mine = Prescription.objects.filter(patient=patient)
        assert set(mine.values_list("status", flat=True)) >= {"active", "superseded", "stopped"}
        asked = RefillRequest.objects.visible_to(patient)
        assert set(asked.values_list("status", flat=True)) >= {"PENDING", "DECLINED"}
        assert DispenseClaim.objects.filter(prescription__patient=patient).count() >= 2
    doctor = User.objects.get(email=DOCTOR_EMAIL)
    assert PrescriptionTemplate.objects.visible_to(doctor).exists()


def test_status_says_what_was_dispensed(demo):
    for row in Prescription.objects.with_course():
        fills = [fill_of(item, item.dispenses.all()) for item in row.items.all()]
        assert all(fill.is_done for fill in fills) is (row.status == "completed")
    assert not DispenseClaim.objects.standing().exists()


def test_every_prescription_is_authentic(demo):
    prescriptions = list(Prescription.objects.with_items().order_by("pk"))
    assert all(row.is_intact() and is_valid_number(row.number) for row in prescriptions)
    for row in prescriptions[::25]:
        found = verify_prescription(
            code=row.verification_code, version=row.version, content_hash=row.printed_hash
        )
        assert (found.outcome, found.prescription) == (Outcome.AUTHENTIC, row)


def test_what_is_prescribed_fits_doctor_and_patient(demo):
    for row in Prescription.objects.with_items().select_related(
        "doctor__doctor_profile__specialization"
    ):
        patient = row.patient.patient_profile
        condition = next(
            condition
            for condition in CONDITIONS[row.doctor.doctor_profile.specialization.code]
            if row.diagnosis in condition.diagnosis
        )
        age = (row.issued_on - patient.birth_date).days / 365.25
        assert condition.min_age <= age < condition.max_age + 1
        assert condition.sex in {None, patient.sex}
        prescribed = [item.medicine for item in row.items.all()]
        assert prescribed == [medicine.name for medicine in condition.medicines]
    for profile in PatientProfile.objects.all():
        told = parse_national_id(profile.national_id, today=clinic_date())
        assert (told.birth_date, told.sex) == (profile.birth_date, profile.sex)


def test_events_happen_in_order_and_none_ahead(demo):
    now = timezone.now()
    for model in MODELS:
        instants = list(model.objects.order_by("pk").values_list("created_at", flat=True))
        assert instants == sorted(instants)
        assert instants[-1] < now
    steps = (Action.ISSUED, Action.READ, Action.DOWNLOADED, Action.VERIFIED)
    for row in Prescription.objects.filter(version=1).select_related("connection"):
        acts = AccessEvent.objects.filter(object_id=row.pk, action__in=steps)
        happened = list(acts.exclude(basis="AUTHOR").order_by("created_at"))
        assert [event.action for event in happened] == list(steps[: len(happened)])
        assert happened[0].created_at == row.issued_at >= row.connection.connected_at
        assert row.connection.ended_at is None or row.issued_at < row.connection.ended_at
        told = Notification.objects.get(
            url=f"/prescriptions/{row.pk}", kind=Kind.PRESCRIPTION_ISSUED
        )
        read = [event.created_at for event in happened if event.action == Action.READ]
        assert [told.read_at] == (read or [None])


def test_log_is_whole_and_in_order_of_time(demo):
    events = AccessEvent.objects.order_by("patient_id", "seq")

    by_time = AccessEvent.objects.order_by("patient_id", "created_at", "seq")
    assert list(events) == list(by_time)
    assert list(Verification().findings()) == []


def test_scale_adds_the_clinics_that_are_missing(demo):
    call_command("demo", scale=2, publish_passwords=True, verbosity=0)
    call_command("demo", scale=2, publish_passwords=True, verbosity=0)

    assert Prescription.objects.current().count() == 500
    assert DoctorProfile.objects.count() == 6 + 1 + 6
    assert all(row.is_intact() for row in Prescription.objects.with_items())
    assert User.objects.filter(role=Role.ADMIN).count() == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"publish_passwords": True}, "has users already"),
        ({"scale": 2}, "DEBUG is off"),
        ({"scale": 0, "publish_passwords": True}, "--scale is a number from 1"),
        ({"scale": 1, "publish_passwords": True, "until": dt.date(9999, 1, 1)}, "lies ahead"),
    ],
)
def test_refuses_in_a_sentence_and_writes_nothing(options, sentence):
    patient = PatientFactory()

    with pytest.raises(CommandError, match=sentence):
        call_command("demo", **options)

    assert User.objects.get() == patient


def test_missing_specialties_are_named():
    Specialization.objects.filter(code="cardiology").delete()

    with pytest.raises(CommandError, match=r"missing: cardiology.*migrate"):
        call_command("demo", publish_passwords=True)


def test_copied_rows_are_what_saved_rows_would_be():
    """The plain way and the quick way store the same, encrypted values included."""
    user = PatientFactory(profile=None, language=Language.ARABIC, role=Role.PATIENT)
    made = PatientProfile(
        id=uuid7_at(END, dice("copy")), user=user, created_at=END, birth_date=END.date(),
        sex=Sex.MALE, national_id="29005170100123", national_id_index="0" * 64,
    )  # fmt: skip

    copy_rows(PatientProfile, [made])

    assert PatientProfile.objects.values().get() == {
        field.attname: getattr(made, field.attname) for field in made._meta.concrete_fields
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT national_id FROM accounts_patientprofile")
        assert cursor.fetchone()[0].startswith("v1.")


def test_identifiers_order_by_the_microsecond():
    rng = dice("order")
    ids = [uuid7_at(END + dt.timedelta(microseconds=step), rng) for step in range(3000)]

    assert ids == sorted(ids)
    assert {(found.version, found.variant) for found in ids} == {(7, RFC_4122)}
    assert ids[-1].int >> 80 == int(END.timestamp()) * 1000 + 2


def test_numbers_never_meet():
    assert len({prescription_number(index) for index in range(100_000)}) == 100_000
    tails = {
        national_id(clinic, place, birth_date=END.date(), sex=Sex.FEMALE)
        for clinic in range(1, 2001)
        for place in range(40)
    }
    assert len(tails) == 2000 * 40
