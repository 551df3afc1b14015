"""People, how they came in, and where they are signed in."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar
from uuid import uuid4

from auditlog.registry import auditlog
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from common.fields import EncryptedTextField
from common.models import BaseModel
from specializations.models import Specialization


class Role(models.TextChoices):
    PATIENT = "PATIENT", _("Patient")
    DOCTOR = "DOCTOR", _("Doctor")
    ADMIN = "ADMIN", _("Administrator")


# What people may register as; administrators are made by others.
OPEN_ROLES = [(role.value, role.label) for role in (Role.PATIENT, Role.DOCTOR)]


class Status(models.TextChoices):
    EMAIL_VERIFIED = "EMAIL_VERIFIED", _("Profile not complete")
    PENDING_APPROVAL = "PENDING_APPROVAL", _("Waiting for approval")
    ACTIVE = "ACTIVE", _("Active")
    RETURNED = "RETURNED", _("Returned for correction")
    REJECTED = "REJECTED", _("Rejected")
    INACTIVE = "INACTIVE", _("Deactivated")
    SUSPENDED = "SUSPENDED", _("Suspended")


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    ARABIC = "ar", _("Arabic")


class Sex(models.TextChoices):
    """FHIR's administrative gender, as far as national documents record it."""

    MALE = "MALE", _("Male")
    FEMALE = "FEMALE", _("Female")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").lower())

    def create_superuser(self, email: str, password: str, **names: Any) -> User:
        """`manage.py createsuperuser`: the command-line way to make an administrator."""
        user = self.model(email=email.lower(), role=Role.ADMIN, status=Status.ACTIVE, **names)
        user.set_password(password)
        user.save(using=self._db)
        return user


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        """Those who may use MediSync today."""
        return self.filter(status=Status.ACTIVE)

    def doctors(self) -> UserQuerySet:
        return self.filter(role=Role.DOCTOR)


class User(AbstractBaseUser, BaseModel):
    """A person with a proven e-mail address.

    Rights come from `role` and `status` alone: there are no groups and no superusers, so no
    flag can open a clinical row.
    """

    EMAIL_LENGTH = 254

    email = models.EmailField(_("e-mail"), max_length=EMAIL_LENGTH)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.EMAIL_VERIFIED
    )
    first_name = models.CharField(_("first name"), max_length=80)
    last_name = models.CharField(_("last name"), max_length=80)
    phone = PhoneNumberField(_("phone"), null=True, blank=True)
    language = models.CharField(
        _("language"), max_length=2, choices=Language, default=Language.ENGLISH
    )
    time_zone = models.CharField(_("time zone"), max_length=50, default="Africa/Cairo")

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["email"], name="user_email_unique"),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_lower_case"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role), name="user_role_known"),
            models.CheckConstraint(condition=models.Q(status__in=Status), name="user_status_known"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def display_name(self) -> str:
        """How others address this person; doctors with their title."""
        if self.role == Role.DOCTOR:
            return _("Dr %(name)s") % {"name": self.full_name}
        return self.full_name

    def display_name_for(self, reader: User) -> str:
        """The same, in the language of whoever will read it."""
        with translation.override(reader.language):
            return str(self.display_name)

    @property
    def is_patient(self) -> bool:
        return self.role == Role.PATIENT

    @property
    def is_doctor(self) -> bool:
        return self.role == Role.DOCTOR

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def may_sign_in(self) -> bool:
        """Everyone but the suspended and deactivated; what they may do is another question."""
        return self.status not in {Status.INACTIVE, Status.SUSPENDED}

    @property
    def is_in_good_standing(self) -> bool:
        return self.status == Status.ACTIVE

    # What django.contrib asks of a user.

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.may_sign_in

    @property
    def is_staff(self) -> bool:
        return self.is_admin and self.is_in_good_standing

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class PatientProfile(BaseModel):
    """What a patient tells about themselves when they register."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="patient_profile", verbose_name=_("user")
    )
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=6, choices=Sex)
    national_id = EncryptedTextField(
        _("national ID"), purpose="accounts.patient.national_id", null=True, blank=True
    )
    national_id_index = models.CharField(max_length=64, unique=True, null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(sex__in=Sex), name="patient_sex_known"),
            models.CheckConstraint(
                condition=models.Q(national_id=None, national_id_index=None)
                | models.Q(national_id__isnull=False, national_id_index__isnull=False),
                name="patient_national_id_indexed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)


def document_path(instance: models.Model, filename: str) -> str:
    """A random key: what a document is called or whose it is never shows in storage."""
    return f"documents/{uuid4().hex}"


class DoctorProfile(BaseModel):
    """What a doctor practises, and the documents that prove it."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="doctor_profile", verbose_name=_("user")
    )
    specialization = models.ForeignKey(
        Specialization,
        on_delete=models.PROTECT,
        related_name="doctors",
        verbose_name=_("specialization"),
    )
    licence_number = models.CharField(_("licence number"), max_length=40, unique=True)
    licence_document = models.FileField(_("licence document"), upload_to=document_path)
    national_id_document = models.FileField(_("national ID document"), upload_to=document_path)
    applied_at = models.DateTimeField(_("applied"), default=timezone.now)

    class Meta:
        verbose_name = _("doctor's application")
        verbose_name_plural = _("doctors' applications")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["applied_at"], name="doctor_by_application")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.licence_number})"


class StatusChange(BaseModel):
    """Who moved an account from one status to another, when and why."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="status_changes")
    from_status = models.CharField(_("from"), max_length=20, choices=Status, blank=True)
    to_status = models.CharField(_("to"), max_length=20, choices=Status)
    changed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("changed by")
    )
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def open(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those that can still be continued."""
        return self.filter(expires_at__gt=at)

    def abandoned(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those that nobody went on with; one that made a user is kept with that user."""
        return self.filter(expires_at__lte=at, user=None)

    def known(self, at: dt.datetime) -> RegistrationQuerySet:
        """Those whose status can be asked: open ones, and those that made a user."""
        return self.filter(models.Q(expires_at__gt=at) | models.Q(user__isnull=False))


class Registration(BaseModel):
    """Someone on the way to an account. No user exists until the address is proven, so
    nobody can occupy another person's address."""

    LASTS = dt.timedelta(hours=24)

    class Step(models.TextChoices):
        INIT = "INIT"
        PENDING_EMAIL_VERIFICATION = "PENDING_EMAIL_VERIFICATION"
        EMAIL_VERIFIED = "EMAIL_VERIFIED"

    role = models.CharField(max_length=10, choices=OPEN_ROLES)
    status = models.CharField(max_length=30, choices=Step, default=Step.INIT)
    email = models.EmailField(blank=True)
    password = models.CharField(max_length=128, blank=True)
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=2, choices=Language, default=Language.ENGLISH)
    user = models.OneToOneField(
        User, on_delete=models.CASCADE, null=True, related_name="registration"
    )
    expires_at = models.DateTimeField()

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["expires_at"], name="registration_expiry")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(role__in=["PATIENT", "DOCTOR"]),
                name="registration_role_open",
            ),
            models.CheckConstraint(
                condition=models.Q(status="EMAIL_VERIFIED", user__isnull=False, password="")
                | (~models.Q(status="EMAIL_VERIFIED") & models.Q(user=None)),
                name="registration_user_once_verified",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.status}"


class OneTimeCode(BaseModel):
    """Six digits sent to the address of a registration; only a keyed digest is kept."""

    LASTS = dt.timedelta(minutes=10)
    TRIES = 5
    RESEND_AFTER = dt.timedelta(seconds=60)

    registration = models.OneToOneField(Registration, on_delete=models.CASCADE, related_name="code")
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField(default=TRIES)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return "one-time code"


class DeviceSessionQuerySet(models.QuerySet["DeviceSession"]):
    def live(self, at: dt.datetime) -> DeviceSessionQuerySet:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=at)

    def visible_to(self, user: Any) -> DeviceSessionQuerySet:
        return self.filter(user_id=user.pk)


class DeviceSession(BaseModel):
    """One sign-in on one device: the row behind a token pair or a portal cookie."""

    LASTS = dt.timedelta(days=7)
    # A client whose answer got lost may present the spent refresh token again for so long.
    REFRESH_GRACE = dt.timedelta(seconds=10)

    class Method(models.TextChoices):
        PASSWORD = "PASSWORD", _("password")
        REGISTRATION = "REGISTRATION", _("registration")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="device_sessions")
    method = models.CharField(max_length=20, choices=Method)
    device_name = models.CharField(max_length=100, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    ip_address = models.GenericIPAddressField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    refresh_id = models.UUIDField(default=uuid4)
    previous_refresh_id = models.UUIDField(null=True)
    rotated_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=40, blank=True)

    objects = DeviceSessionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-last_seen_at"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["user", "-last_seen_at"],
                condition=models.Q(revoked_at=None),
                name="session_live_by_user",
            )
        ]

    def __str__(self) -> str:
        return self.device_name or self.user_agent or self.ip_address


# The change log keeps what an account may do, never whose it is.
auditlog.register(User, include_fields=["role", "status"])
