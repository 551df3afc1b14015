"""Registration in four steps: role, details, proof of the address, profile."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import (
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
from accounts.services import codes
from accounts.services.statuses import enter_status
from accounts.services.texts import checked_name
from common import crypto
from common.clock import clinic_date
from common.errors import DomainError, InvalidInput
from notifications.wording import Kind

PLAIN_ADDRESS = re.compile(r'[^\s"\x00-\x1f\x7f]+@[^\s"\x00-\x1f\x7f]+')


class RegistrationExpired(InvalidInput):
    code = "registration_expired"
    detail = _("This registration has expired. Please start again.")


class WrongStep(DomainError):
    code = "wrong_step"
    detail = _("This registration is at another step.")


class AlreadyRegistered(DomainError):
    code = "already_registered"
    detail = _("This address has an account by now.")


class NationalIdTaken(DomainError):
    code = "national_id_taken"
    detail = _("This national ID belongs to another account.")


@dataclass(frozen=True, slots=True)
class PatientDetails:
    phone: str
    birth_date: dt.date | None = None
    sex: str = ""
    national_id: str = ""


def start_registration(*, role: Role, language: str) -> Registration:
    """Step 1: choose to be a patient or a doctor."""
    return Registration.objects.create(
        role=role, language=language, expires_at=timezone.now() + Registration.LASTS
    )


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
    email = checked_address(email)
    first_name = checked_name(first_name, attr="first_name")
    last_name = checked_name(last_name, attr="last_name")
    check_password(password, User(email=email, first_name=first_name, last_name=last_name))
    _check_may_submit(registration_id)
    codes.spend_mailbox(email)
    with transaction.atomic():
        registration = _locked(registration_id)
        if registration.status == Registration.Step.EMAIL_VERIFIED:
            raise WrongStep
        registration.email = email
        registration.password = make_password(password)
        registration.first_name, registration.last_name = first_name, last_name
        registration.language = language or registration.language
        registration.status = Registration.Step.PENDING_EMAIL_VERIFICATION
        registration.save()
        _send_code(registration, now=timezone.now())
    return registration


def resend_code(*, registration_id: UUID) -> None:
    """A new code, at most once a minute; the old one stops working."""
    with transaction.atomic():
        email = _waiting_for_code(registration_id).email
    codes.spend_mailbox(email)
    with transaction.atomic():
        _send_code(_waiting_for_code(registration_id), now=timezone.now())


def verify_email(*, registration_id: UUID, code: str) -> User:
    """Step 3: the code from the mail makes the user."""
    now = timezone.now()
    registration = Registration.objects.open(now).filter(pk=registration_id).first()
    if registration is None:
        raise codes.InvalidCode(attr="otp")
    one_time_code = codes.try_code(registration, code, now=now)
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
    user.phone = details.phone
    user.save(update_fields=["phone"])
    return enter_status(user, Status.ACTIVE, actor=user)


def _locked(registration_id: UUID) -> Registration:
    registration = (
        Registration.objects.select_for_update(no_key=True).filter(pk=registration_id).first()
    )
    if registration is None:
        raise Http404
    if registration.expires_at <= timezone.now():
        raise RegistrationExpired
    return registration


def checked_address(email: str, *, attr: str = "email") -> str:
    """The address in small letters. Quoted local parts are legal, but they may hold what ends a
    line in a mail's head, and nobody has one."""
    email = email.lower()
    if not PLAIN_ADDRESS.fullmatch(email) or len(email) > User.EMAIL_LENGTH:
        raise InvalidInput(_("Enter a valid email address."), attr=attr)
    return email


def check_password(password: str, user: User, *, attr: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), attr=attr) from error


def _check_may_submit(registration_id: UUID) -> None:
    """Before a mail is counted: there is a step to take, and a minute has passed."""
    with transaction.atomic():
        registration = _locked(registration_id)
        if registration.status == Registration.Step.EMAIL_VERIFIED:
            raise WrongStep
        codes.check_may_send(registration, now=timezone.now())


def _waiting_for_code(registration_id: UUID) -> Registration:
    registration = _locked(registration_id)
    if registration.status != Registration.Step.PENDING_EMAIL_VERIFICATION:
        raise WrongStep
    codes.check_may_send(registration, now=timezone.now())
    return registration


def _send_code(registration: Registration, *, now: dt.datetime) -> None:
    """Mail a code, or the owner of a taken address."""
    codes.check_may_send(registration, now=now)
    owner = User.objects.filter(email=registration.email).first()
    codes.send_code(
        registration,
        address=registration.email,
        language=owner.language if owner else registration.language,
        kind=Kind.REGISTRATION_CODE,
        instead=Kind.ALREADY_REGISTERED if owner else None,
        now=now,
    )


def _create_user(registration_id: UUID, code: OneTimeCode, *, now: dt.datetime) -> User:
    registration = Registration.objects.select_for_update(no_key=True).get(pk=registration_id)
    codes.use_code(code, now=now)
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
