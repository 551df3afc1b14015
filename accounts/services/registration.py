"""Registration in four steps: role, details, proof of the address, profile."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    DoctorProfile,
    OneTimeCode,
    PatientProfile,
    Registration,
    Role,
    Status,
    StatusChange,
    User,
)
from accounts.national_id import InvalidNationalId, NationalId, parse_national_id
from accounts.policies import check_can_complete_profile
from common import crypto
from common.clock import clinic_date
from common.documents import check_document
from common.errors import DomainError, InvalidInput
from notifications.services import post_email
from notifications.wording import Kind
from specializations.models import Specialization

PLAIN_ADDRESS = re.compile(r'[^\s"\x00-\x1f\x7f]+@[^\s"\x00-\x1f\x7f]+')


class RegistrationExpired(InvalidInput):
    code = "registration_expired"
    detail = _("This registration has expired. Please start again.")


class WrongStep(DomainError):
    code = "wrong_step"
    detail = _("This registration is at another step.")


class InvalidCode(InvalidInput):
    code = "invalid_code"
    detail = _("This code is not right, or no longer valid. Ask for a new one.")


class ResendTooSoon(DomainError):
    code = "resend_too_soon"
    detail = _("A code was sent less than a minute ago. Please wait, then ask again.")
    status_code = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class AlreadyRegistered(DomainError):
    code = "already_registered"
    detail = _("This address has an account by now. Please sign in.")


class NationalIdTaken(DomainError):
    code = "national_id_taken"
    detail = _("This national ID belongs to another account.")


class LicenceTaken(DomainError):
    code = "licence_taken"
    detail = _("This licence number belongs to another account.")


@dataclass(frozen=True, slots=True)
class PatientDetails:
    phone: str
    birth_date: dt.date | None = None
    sex: str = ""
    national_id: str = ""


@dataclass(frozen=True, slots=True)
class DoctorDetails:
    phone: str
    specialization_id: UUID
    licence_number: str
    licence_document: UploadedFile[bytes]
    national_id_document: UploadedFile[bytes]


def start_registration(*, role: Role, language: str) -> Registration:
    """Step 1: choose to be a patient or a doctor."""
    return Registration.objects.create(
        role=role, language=language, expires_at=timezone.now() + Registration.LASTS
    )


@transaction.atomic
def submit_details(
    *,
    registration_id: UUID,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    language: str | None = None,
) -> Registration:
    """Step 2: who you are. The answer is the same whether or not the address is taken: its
    owner is told by mail, and no code that could ever match is sent."""
    registration = _locked(registration_id)
    if registration.status == Registration.Step.EMAIL_VERIFIED:
        raise WrongStep
    email = _checked_address(email)
    _check_password(password, User(email=email, first_name=first_name, last_name=last_name))
    registration.email = email
    registration.password = make_password(password)
    registration.first_name, registration.last_name = first_name, last_name
    registration.language = language or registration.language
    registration.status = Registration.Step.PENDING_EMAIL_VERIFICATION
    registration.save()
    _send_code(registration, now=timezone.now())
    return registration


@transaction.atomic
def resend_code(*, registration_id: UUID) -> None:
    """A new code, at most once a minute; the old one stops working."""
    registration = _locked(registration_id)
    if registration.status != Registration.Step.PENDING_EMAIL_VERIFICATION:
        raise WrongStep
    _send_code(registration, now=timezone.now())


def verify_email(*, registration_id: UUID, code: str) -> User:
    """Step 3: the code from the mail makes the user.

    A wrong try is spent even though the answer is an error, so the count is committed before
    the code is looked at.
    """
    now = timezone.now()
    one_time_code = _spend_try(registration_id, now=now)
    if one_time_code is None or not constant_time_compare(
        one_time_code.digest, _code_digest(registration_id, code)
    ):
        raise InvalidCode(attr="otp")
    try:
        with transaction.atomic():
            return _create_user(registration_id, one_time_code, now=now)
    except IntegrityError as error:
        raise AlreadyRegistered from error


@transaction.atomic
def complete_patient_profile(*, user_id: UUID, details: PatientDetails) -> User:
    """Step 4 for patients: they are active from here on."""
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    check_can_complete_profile(user, Role.PATIENT)
    birth_date, sex = details.birth_date, details.sex
    index = None
    if details.national_id:
        known = _parsed_national_id(details.national_id)
        birth_date, sex = birth_date or known.birth_date, sex or known.sex
        if (birth_date, sex) != (known.birth_date, known.sex):
            raise InvalidInput(
                _("The national ID does not agree with the birth date or sex."),
                attr="national_id",
            )
        index = crypto.blind_index(details.national_id, purpose="accounts.patient.national_id")
    _check_birth_date(birth_date)
    if not sex:
        raise InvalidInput(_("Please choose."), attr="sex")
    try:
        with transaction.atomic():
            PatientProfile.objects.create(
                user=user,
                birth_date=birth_date,
                sex=sex,
                national_id=details.national_id or None,
                national_id_index=index,
            )
    except IntegrityError as error:
        raise NationalIdTaken(attr="national_id") from error
    return _enter_status(user, Status.ACTIVE, phone=details.phone)


@transaction.atomic
def complete_doctor_profile(*, user_id: UUID, details: DoctorDetails) -> User:
    """Step 4 for doctors: they wait for an administrator from here on."""
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    check_can_complete_profile(user, Role.DOCTOR)
    specialization = Specialization.objects.offered().filter(pk=details.specialization_id).first()
    if specialization is None:
        raise InvalidInput(_("Choose one of the list."), attr="specialization_id")
    check_document(details.licence_document, attr="licence_document")
    check_document(details.national_id_document, attr="national_id_document")
    # Asked before the files are stored; of two at once, the constraint refuses the second.
    if DoctorProfile.objects.filter(licence_number=details.licence_number).exists():
        raise LicenceTaken(attr="licence_number")
    try:
        with transaction.atomic():
            DoctorProfile.objects.create(
                user=user,
                specialization=specialization,
                licence_number=details.licence_number,
                licence_document=details.licence_document,
                national_id_document=details.national_id_document,
            )
    except IntegrityError as error:
        raise LicenceTaken(attr="licence_number") from error
    return _enter_status(user, Status.PENDING_APPROVAL, phone=details.phone)


def _locked(registration_id: UUID) -> Registration:
    registration = (
        Registration.objects.select_for_update(no_key=True).filter(pk=registration_id).first()
    )
    if registration is None:
        raise Http404
    if registration.expires_at <= timezone.now():
        raise RegistrationExpired
    return registration


def _checked_address(email: str) -> str:
    """The address in small letters. Quoted local parts are legal, but they may hold what ends a
    line in a mail's head, and nobody has one."""
    email = email.lower()
    if not PLAIN_ADDRESS.fullmatch(email) or len(email) > User.EMAIL_LENGTH:
        raise InvalidInput(_("Enter a valid email address."), attr="email")
    return email


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), attr="password") from error


def _code_digest(registration_id: UUID, code: str) -> str:
    return salted_hmac(
        f"accounts.one_time_code.{registration_id}", code, algorithm="sha256"
    ).hexdigest()


def _send_code(registration: Registration, *, now: dt.datetime) -> None:
    """Replace the registration's code and mail it, or mail the owner of a taken address."""
    earlier = OneTimeCode.objects.filter(registration=registration).first()
    if earlier and now < earlier.sent_at + OneTimeCode.RESEND_AFTER:
        wait = earlier.sent_at + OneTimeCode.RESEND_AFTER - now
        raise ResendTooSoon(int(wait.total_seconds()) + 1)
    code = f"{secrets.randbelow(10**6):06d}"
    is_taken = User.objects.filter(email=registration.email).exists()
    OneTimeCode.objects.update_or_create(
        registration=registration,
        defaults={
            # Nothing anyone can type has this digest, so a taken address cannot be "proven".
            "digest": "" if is_taken else _code_digest(registration.pk, code),
            "sent_at": now,
            "expires_at": now + OneTimeCode.LASTS,
            "tries_left": OneTimeCode.TRIES,
            "used_at": None,
        },
    )
    post_email(
        to_address=registration.email,
        language=registration.language,
        kind=Kind.ALREADY_REGISTERED if is_taken else Kind.REGISTRATION_CODE,
        url="/login" if is_taken else "",
        secret_context=None if is_taken else {"code": code},
        idempotency_key=f"registration:{registration.pk}:{now.isoformat()}",
    )


def _spend_try(registration_id: UUID, *, now: dt.datetime) -> OneTimeCode | None:
    """Take one of the tries, atomically; None when the code is spent, expired or absent.

    The UPDATE joins no other table: after waiting for a rival, PostgreSQL re-reads the row it
    waited for and nothing else, so a condition inside a subquery would let one try too many in.
    """
    if not Registration.objects.open(now).filter(pk=registration_id).exists():
        return None
    spent = OneTimeCode.objects.filter(
        registration_id=registration_id,
        used_at=None,
        expires_at__gt=now,
        tries_left__gt=0,
    ).update(tries_left=F("tries_left") - 1)
    return OneTimeCode.objects.get(registration_id=registration_id) if spent else None


def _create_user(registration_id: UUID, code: OneTimeCode, *, now: dt.datetime) -> User:
    registration = Registration.objects.select_for_update(no_key=True).get(pk=registration_id)
    is_first = OneTimeCode.objects.filter(pk=code.pk, digest=code.digest, used_at=None).update(
        used_at=now
    )
    if not is_first:
        raise InvalidCode(attr="otp")
    user = User(
        email=registration.email,
        password=registration.password,
        role=registration.role,
        first_name=registration.first_name,
        last_name=registration.last_name,
        language=registration.language,
    )
    user.save(force_insert=True)
    StatusChange.objects.create(user=user, to_status=user.status, changed_by=user)
    registration.user = user
    registration.status = Registration.Step.EMAIL_VERIFIED
    registration.password = ""
    registration.save(update_fields=["user", "status", "password"])
    return user


def _parsed_national_id(number: str) -> NationalId:
    try:
        return parse_national_id(number, today=clinic_date())
    except InvalidNationalId as error:
        raise InvalidInput(_("This is not a valid national ID."), attr="national_id") from error


def _check_birth_date(birth_date: dt.date | None) -> None:
    if birth_date is None:
        raise InvalidInput(_("Please give your birth date."), attr="birth_date")
    if not dt.date(1900, 1, 1) <= birth_date <= clinic_date():
        raise InvalidInput(_("This birth date cannot be right."), attr="birth_date")


def _enter_status(user: User, status: Status, *, phone: str) -> User:
    StatusChange.objects.create(
        user=user, from_status=user.status, to_status=status, changed_by=user
    )
    user.status, user.phone = status, phone
    user.save(update_fields=["status", "phone"])
    return user
