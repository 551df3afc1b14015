"""Forgetting a person: the history stays, who they were goes."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection as database
from django.utils import timezone

from accounts.jobs import delete_expired_proofs
from accounts.models import (
    AccountChange,
    AllergyIntolerance,
    ApplicationReview,
    Condition,
    DataExport,
    DeviceSession,
    DirectoryWord,
    DoctorProfile,
    EmailChange,
    EmergencyContact,
    ExternalIdentity,
    MedicationStatement,
    Passkey,
    PasswordReset,
    PatientProfile,
    RecoveryCode,
    Registration,
    Status,
    StatusChange,
    Totp,
    User,
)
from accounts.policies import ConfirmationNeeded, SecondFactorNeeded
from accounts.services import changes
from accounts.services.addresses import request_change, verify_change
from accounts.services.anonymise import WrongAddress, anonymise_user
from accounts.services.health import add_entry, update_health
from accounts.services.passwords import prepare_reset, request_reset
from accounts.services.review import reject_doctor
from accounts.services.sessions import Device
from accounts.services.users import AccountIsGone, OwnAccount, activate_user, suspend_user
from accounts.tests.factories import AdminFactory, DoctorFactory
from accounts.tests.registering import code_of, complete_patient, registering, verified
from accounts.tests.reviewing import send_back
from common.errors import InvalidInput, NotAllowed
from connections.services.connections import connect, end_connection
from connections.tests.factories import ConnectionFactory
from medisync.tests.client import api_client, page_client, sign_in
from medisync.tests.races import errors, race
from notifications.models import EmailDelivery, Notification
from notifications.services import notify
from notifications.wording import Kind
from prescriptions.models import Prescription
from prescriptions.tests.factories import issue

pytestmark = pytest.mark.django_db
OLD = "zebulina.quartermain@example.org"
PHONE = "+201112223334"


@pytest.fixture
def session(admin: User) -> DeviceSession:
    return sign_in(admin)


@pytest.fixture
def person() -> User:
    """A patient who came in by registration."""
    user = complete_patient(
        verified(email=OLD, first_name="Zebulina", last_name="Quartermain"), phone=PHONE
    )
    user.refresh_from_db()
    return user


def forget(session: DeviceSession, user: User, **changes: Any) -> User:
    given = {"email": user.email, "reason": "She asked to be forgotten."} | changes
    return anonymise_user(session=session, user_id=user.pk, **given)


def leave_traces(user: User, admin: User) -> None:
    """One of everything that a person leaves behind."""
    now = timezone.now()
    sign_in(user)
    Totp.objects.create(user=user, seed="SEED", confirmed_at=now)
    RecoveryCode.objects.create(user=user, digest="d" * 64)
    Passkey.objects.create(user=user, name="Zebulina's phone", credential_id=b"1", credential=b"2")
    ExternalIdentity.objects.create(user=user, issuer="https://idp.example", subject="zebulina")
    PasswordReset.objects.create(email=OLD, asked_at=now, expires_at=now)
    EmailChange.objects.create(user=user, email="quartermain@new.example", expires_at=now)
    export = DataExport.objects.create(user=user, status=DataExport.Status.READY)
    export.file.save("x", ContentFile(b"Zebulina"))
    notify(recipient=user, kind=Kind.NEW_DEVICE, url="/", context={"device": "Zebulina's"})
    registering(email=OLD)
    AccountChange.objects.create(
        user=user,
        kind=AccountChange.Kind.NAME,
        old_values={"first_name": "Maiden"},
        new_values={"first_name": "Zebulina"},
        reason="Ms Quartermain married.",
        note="Zebulina sent the deed.",
        proposed_by=admin,
        decision=AccountChange.Decision.APPROVED,
        decided_by=AdminFactory(),
        decided_at=now,
    )
    suspend_user(session=sign_in(admin), user_id=user.pk, reason=f"Zebulina wrote from {OLD}.")
    activate_user(session=sign_in(admin), user_id=user.pk, reason=f"Called {PHONE}, all well.")


def tables_with(*words: str) -> dict[str, str]:
    """Every table that holds one of the words somewhere, in whatever column, and the word."""
    found = {}
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" t WHERE to_jsonb(t)::text ILIKE %s',
                    [f"%{word}%"],
                )
                if cursor.fetchone()[0]:
                    found[table] = word
    return found


def test_no_table_tells_who_a_patient_was(
    session: DeviceSession, admin: User, person: User, doctor: User
) -> None:
    connection = connect(actor=person, doctor_id=doctor.pk, origin="QR")
    issue(connection)
    end_connection(actor=person, connection_id=connection.pk)
    leave_traces(person, admin)
    index = PatientProfile.objects.get(user=person).national_id_index
    words = ("zebulina", "quartermain", OLD, PHONE, "1112223334", index)
    assert {"accounts_user", "auditlog_logentry", "accounts_statuschange"} <= set(
        tables_with(*words)
    )

    forget(session, person)

    assert tables_with(*words) == {}


def test_no_table_but_what_they_signed_tells_who_a_doctor_was(
    session: DeviceSession, admin: User
) -> None:
    doctor = DoctorFactory(
        email=OLD, first_name="Zebulina", last_name="Quartermain", phone=PHONE,
        profile__licence_number="EG-ZQ-77",
    )  # fmt: skip
    prescription = issue(ConnectionFactory(doctor=doctor))
    leave_traces(doctor, admin)
    ApplicationReview.objects.create(
        profile=doctor.doctor_profile,
        decision="REJECTED",
        reason_code="OTHER",
        note="Licence EG-ZQ-77 of Dr Quartermain is not readable.",
        decided_by=admin,
        decided_at=timezone.now(),
    )
    words = ("zebulina", "quartermain", OLD, PHONE, "EG-ZQ-77")

    forget(session, doctor)

    assert set(tables_with(*words)) == {"prescriptions_prescription"}
    prescription = Prescription.objects.with_items().get(pk=prescription.pk)
    assert prescription.prescriber_name == "Zebulina Quartermain"
    assert prescription.is_intact()


def test_history_stays_of_a_person_without_a_name(
    session: DeviceSession, person: User, doctor: User
) -> None:
    connection = connect(actor=person, doctor_id=doctor.pk, origin="QR")
    issue(connection)

    forget(session, person)

    person.refresh_from_db()
    assert person.full_name == "Anonymised person"
    assert person.email == f"anonymised-{person.pk}@medisync.invalid"
    assert (person.phone, person.has_usable_password()) == (None, False)
    shown = Prescription.objects.visible_to(doctor).with_items().get()
    assert (shown.patient, shown.is_intact()) == (person, True)
    assert "Anonymised person" in page_client(doctor).get("/connections").content.decode()


def test_of_the_birth_date_the_year_stays(session: DeviceSession, person: User) -> None:
    forget(session, person)

    profile = PatientProfile.objects.get(user=person)
    assert profile.birth_date == dt.date(1990, 1, 1)
    assert (profile.national_id, profile.national_id_index) == (None, None)


def test_health_stays_and_names_nobody(session: DeviceSession, person: User) -> None:
    profile = update_health(
        actor=person,
        changes={"blood_type": "A+", "address": "7 Quartermain Lane", "city": "Zebulina"},
    )
    add = partial(add_entry, actor=person)
    note = f"Ask Dr Hany or {PHONE} about Zebulina"
    add(kind=AllergyIntolerance, values={"substance": "Penicillin", "reaction": note, "note": note})
    add(kind=Condition, values={"name": "Asthma", "note": note})
    add(kind=MedicationStatement, values={"name": "Salbutamol", "dosage": note})
    add(kind=EmergencyContact, values={"name": "Yusuf Quartermain", "phone": PHONE})

    forget(session, person)

    profile.refresh_from_db()
    assert (profile.blood_type, profile.address, profile.city) == ("A+", "", "")
    assert AllergyIntolerance.objects.get().substance == "Penicillin"
    assert Condition.objects.get().name == "Asthma"
    assert MedicationStatement.objects.get().name == "Salbutamol"
    assert not EmergencyContact.objects.exists()
    assert tables_with("zebulina", "quartermain", PHONE) == {}


def test_practice_of_a_doctor_is_forgotten(session: DeviceSession) -> None:
    doctor = DoctorFactory(
        profile__bio="Dr Quartermain listens.", profile__clinic_address="7 Lane",
        profile__city="Giza",
    )  # fmt: skip

    forget(session, doctor)

    profile = DoctorProfile.objects.get()
    assert (profile.bio, profile.clinic_address, profile.city) == ("", "", "")


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.SUSPENDED])
def test_directory_forgets_their_words_at_once_and_those_of_others_never(
    session: DeviceSession, status: Status
) -> None:
    doctor = DoctorFactory(
        first_name="Zebulina", last_name="O'Nabil", profile__city="Giza Quartermain"
    )
    DoctorFactory(first_name="Karim", last_name="Nabil", profile__city="Giza")
    User.objects.filter(pk=doctor.pk).update(status=status)

    forget(session, doctor)

    words = set(DirectoryWord.objects.values_list("word", flat=True))
    assert {"karim", "nabil", "giza"} <= words
    assert words.isdisjoint({"zebulina", "quartermain"})


def test_what_others_were_told_names_nobody(
    session: DeviceSession, person: User, doctor: User
) -> None:
    connect(actor=person, doctor_id=doctor.pk, origin="QR")

    forget(session, person)

    told = Notification.objects.get(recipient=doctor)
    assert "Anonymised person" in told.title


@pytest.mark.django_db(transaction=True)
def test_documents_go_with_the_commit(admin: User) -> None:
    doctor = DoctorFactory()
    profile = doctor.doctor_profile
    names = [profile.licence_document.name, profile.national_id_document.name]
    export = DataExport.objects.create(user=doctor, status=DataExport.Status.READY)
    export.file.save("x", ContentFile(b"everything"))
    names.append(export.file.name)
    assert all(default_storage.exists(name) for name in names)

    forget(sign_in(admin), doctor)

    assert not any(default_storage.exists(name) for name in names)
    profile.refresh_from_db()
    assert (profile.licence_document.name, profile.national_id_document.name) == ("", "")


@pytest.mark.django_db(transaction=True)
def test_document_that_another_profile_shares_stays(admin: User) -> None:
    profile, other = DoctorFactory().doctor_profile, DoctorFactory().doctor_profile
    shared, own = other.licence_document.name, profile.national_id_document.name
    DoctorProfile.objects.filter(pk=profile.pk).update(licence_document=shared)

    forget(sign_in(admin), profile.user)

    assert default_storage.exists(shared)
    assert not default_storage.exists(own)


def test_application_of_a_forgotten_doctor_still_opens(admin: User) -> None:
    doctor = forget(sign_in(admin), DoctorFactory())
    browser = page_client(admin)

    page = browser.get(f"/admin/accounts/doctorprofile/{doctor.doctor_profile.pk}/change/")

    assert page.status_code == 200
    assert browser.get(f"/admin/accounts/user/{doctor.pk}/change/").status_code == 200


def test_documents_stay_when_it_does_not_come_to_the_commit(session: DeviceSession) -> None:
    profile = DoctorFactory().doctor_profile

    with pytest.raises(WrongAddress):
        forget(session, profile.user, email="slip@example.org")

    assert default_storage.exists(DoctorProfile.objects.get().licence_document.name)


def test_nothing_signs_in_any_more(session: DeviceSession, admin: User, person: User) -> None:
    leave_traces(person, admin)
    app, browser = api_client(person), page_client(person)

    forget(session, person)

    assert app.get("/api/v1/users/profile").status_code == 401
    assert browser.get("/profile").status_code == 302
    login = {"email": OLD, "password": "correct horse battery"}
    assert api_client().post("/api/v1/auth/login", login).status_code == 401
    for model in (DeviceSession, Totp, RecoveryCode, Passkey, ExternalIdentity, DataExport):
        assert not model.objects.filter(user=person).exists(), model


def test_mail_on_its_way_is_not_sent(session: DeviceSession, person: User) -> None:
    notify(recipient=person, kind=Kind.NEW_DEVICE, url="/", context={"device": "x"})

    forget(session, person)

    statuses = set(EmailDelivery.objects.values_list("status", "secret_context"))
    assert statuses == {(EmailDelivery.Status.WITHHELD, None)}
    assert page_client(session.user).get("/admin/").context["emails_failed"] == 0


def test_address_is_free_again(session: DeviceSession, person: User) -> None:
    forget(session, person)

    assert verified(email=OLD).pk != person.pk


def test_another_who_has_a_former_address_now_loses_nothing(
    session: DeviceSession, person: User
) -> None:
    User.objects.filter(pk=person.pk).update(email="moved@example.org")
    Registration.objects.filter(user=person).update(email="first@example.org")
    heir = verified(email="first@example.org")
    mails = EmailDelivery.objects.filter(to_address="first@example.org").count()
    person.refresh_from_db()

    forget(session, person)

    assert Registration.objects.filter(user=heir).exists()
    assert EmailDelivery.objects.filter(to_address="first@example.org").count() == mails


def moved(user: User, *addresses: str) -> None:
    """One address after the other is proved."""
    for address in addresses:
        session = sign_in(user)
        change = request_change(session=session, new_email=address)
        verify_change(session=session, change_id=change.pk, code=code_of(change))
        user.refresh_from_db()


def test_addresses_on_the_way_are_forgotten_as_long_as_mail_to_them_is_known(
    session: DeviceSession, person: User
) -> None:
    moved(person, "second@example.org", "third@example.org")

    with time_machine.travel(timezone.now() + EmailDelivery.KEPT_FOR - dt.timedelta(days=1)):
        delete_expired_proofs()
        forget(sign_in(session.user), person)

    assert not tables_with("second@example.org")


def test_address_that_was_asked_for_and_not_proved_is_anothers(
    session: DeviceSession, person: User
) -> None:
    request_change(session=sign_in(person), new_email="neighbour@example.org")
    moved(person, "second@example.org")
    registering(email="neighbour@example.org")

    forget(session, person)

    assert Registration.objects.filter(email="neighbour@example.org").exists()


def test_log_says_who_did_it_and_why(session: DeviceSession, person: User) -> None:
    forget(session, person, reason=" Asked in writing. ")

    change = StatusChange.objects.filter(user=person).first()
    assert change.to_status == Status.ANONYMISED
    assert (change.changed_by, change.reason) == (session.user, "Asked in writing.")


def test_it_cannot_be_undone_or_done_twice(session: DeviceSession, person: User) -> None:
    person = forget(session, person)

    for act in (activate_user, forget_again := anonymise_user):
        with pytest.raises(AccountIsGone):
            given = {"email": person.email} if act is forget_again else {}
            act(session=session, user_id=person.pk, reason="Again.", **given)


def test_nobody_forgets_themselves(session: DeviceSession) -> None:
    with pytest.raises(OwnAccount):
        forget(session, session.user)


def test_another_administrator_can_be_forgotten(session: DeviceSession) -> None:
    other = AdminFactory(email=OLD, first_name="Zebulina", last_name="Quartermain")
    suspend_user(session=sign_in(other), user_id=DoctorFactory().pk, reason="A complaint.")

    forget(session, other)

    assert tables_with("zebulina", "quartermain") == {}


@pytest.mark.parametrize("email", ["", "other@example.org", "zebulina"])
def test_address_has_to_be_typed(session: DeviceSession, person: User, email: str) -> None:
    with pytest.raises(WrongAddress):
        forget(session, person, email=email)


def test_address_may_be_typed_in_capitals(session: DeviceSession, person: User) -> None:
    assert forget(session, person, email=f" {OLD.upper()} ").status == Status.ANONYMISED


def test_reason_is_needed(session: DeviceSession, person: User) -> None:
    with pytest.raises(InvalidInput):
        forget(session, person, reason=" ")


def test_administrators_with_a_second_factor_alone_may(
    admin: User, person: User, doctor: User
) -> None:
    with pytest.raises(NotAllowed):
        forget(sign_in(doctor), person)
    with pytest.raises(SecondFactorNeeded):
        forget(sign_in(admin, factor=""), person)


def test_administrator_has_just_shown_that_it_is_them(session: DeviceSession, person: User) -> None:
    later = timezone.now() + DeviceSession.CONFIRMATION_LASTS

    with time_machine.travel(later), pytest.raises(ConfirmationNeeded):
        forget(session, person)


def propose(session: DeviceSession, doctor: User) -> AccountChange:
    return changes.propose_name(
        session=session, user_id=doctor.pk, first_name="Zed", last_name="New", reason="Court."
    )


def test_nobody_is_asked_to_decide_about_somebody_forgotten(
    session: DeviceSession, doctor: User
) -> None:
    propose(session, doctor)

    forget(session, doctor)

    assert not AccountChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_forgetting_and_approving_a_change_at_once_both_come_to_an_end(
    session: DeviceSession, doctor: User
) -> None:
    """Both lock the account first; otherwise each would hold what the other waits for."""
    change, second = propose(session, doctor), sign_in(AdminFactory())

    racers = race(
        lambda: forget(session, doctor),
        lambda: changes.approve_change(session=second, change_id=change.pk),
        gate=User,
    )

    assert errors(racers) == ["", "Http404"]


@pytest.mark.django_db(transaction=True)
def test_forgetting_and_deciding_on_an_application_at_once_both_come_to_an_end(
    session: DeviceSession,
) -> None:
    """A round decided with a note, which is redacted, decided once more from an old page."""
    applicant = DoctorFactory(status=Status.PENDING_APPROVAL)
    send_back(session, applicant)
    decided = ApplicationReview.objects.get()

    racers = race(
        lambda: forget(session, applicant),
        lambda: reject_doctor(session=session, review_id=decided.pk, reason_code="FORGED"),
        gate=User,
    )

    assert errors(racers) == ["", "NotWaitingForApproval"]


@pytest.mark.django_db(transaction=True)
def test_forgetting_and_answering_a_forgotten_password_at_once_both_come_to_an_end(
    session: DeviceSession, patient: User
) -> None:
    reset = request_reset(email=patient.email, device=Device(ip_address="203.0.113.7"))

    racers = race(
        lambda: prepare_reset(reset_id=reset.pk),
        lambda: forget(session, patient),
        gate=PasswordReset,
    )

    assert errors(racers) == ["", ""]
    assert not PasswordReset.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_proposed_about_somebody_being_forgotten(
    session: DeviceSession, doctor: User
) -> None:
    other = sign_in(AdminFactory())

    racers = race(lambda: forget(session, doctor), lambda: propose(other, doctor), gate=User)

    assert errors(racers) == ["", "NotReviewed"]
    assert not AccountChange.objects.exists()


def test_page_asks_for_the_address(admin: User, person: User) -> None:
    browser, page = page_client(admin), f"/admin/accounts/user/{person.pk}/anonymise/"

    slip = browser.post(page, {"email": "slip@example.org", "reason": "Asked."})
    done = browser.post(page, {"email": OLD, "reason": "Asked."}, follow=True)

    assert slip.status_code == 400
    assert "This is not the e-mail address of the account." in slip.content.decode()
    assert "The account is anonymised" in done.content.decode()


def test_every_table_of_a_person_is_known_here() -> None:
    """A new table that points at a user: say what becomes of it in `anonymise.py`, or that it
    names nobody, and add it."""
    known = {
        "Absence", "AccessGrant", "AccountChange", "AccountListExport", "AllergyIntolerance",
        "ApplicationReview", "Appointment", "CannedReply", "Condition", "Connection",
        "ConnectionRequest",
        "DataExport", "DeviceSession", "DirectoryEntry", "DoctorProfile", "EmailChange",
        "EmailDelivery", "EmergencyCard", "EmergencyContact", "ExternalIdentity", "LogEntry",
        "MedicationStatement", "Message", "Notification", "Participant", "Passkey",
        "PasskeyChallenge",
        "PasswordReset", "PatientProfile", "PendingSignIn", "Preferences", "Prescription",
        "PrescriptionTemplate", "QrSighting", "QrToken", "Record", "RecoveryCode", "RefillRequest",
        "Registration", "SecondFactorReset", "SharedLink", "StatusChange", "Totp",
    }  # fmt: skip
    pointing = {
        model.__name__
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.related_model is User and not model._meta.proxy
    }

    # By id alone, or by way of an e-mail.
    naming = {
        model.__name__
        for model in apps.get_models()
        if {"patient_id", "actor_id", "answered_by_id", "delivery_id"}
        & {field.attname for field in model._meta.concrete_fields}
    }

    assert pointing == known
    assert naming - known == {
        "AccessCase", "AccessChain", "AccessEvent", "DeliveryAttempt", "SealedHead",
    }  # fmt: skip
