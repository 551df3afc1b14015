"""People: who they are to MediSync, and how that changed."""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from auditlog.registry import auditlog
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Concat, Lower
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models.listing import LISTING_OF_USERS
from common.lines import check_plain_line
from common.models import BaseModel


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
    ANONYMISED = "ANONYMISED", _("Anonymised")


# Nobody signs in to these, and every session of theirs has ended.
CLOSED = frozenset({Status.INACTIVE, Status.SUSPENDED, Status.ANONYMISED})


# An authenticator app that was set up, or a passkey. Codes on paper stand for either.
HAS_SECOND_FACTOR = models.Q(totp__confirmed_at__isnull=False) | models.Q(passkeys__isnull=False)


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


def searched_text() -> Lower:
    """What a search looks through, in small letters. The index is made over the very same
    expression; spelt otherwise, it would not be used."""
    space = models.Value(" ")
    return Lower(
        Concat(
            "email", space, "first_name", space, "last_name", space, "phone",
            output_field=models.TextField(),
        )
    )  # fmt: skip


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> UserQuerySet:
        """Those who may use MediSync today."""
        return self.filter(status=Status.ACTIVE)

    def doctors(self) -> UserQuerySet:
        return self.filter(role=Role.DOCTOR)

    def may_sign_in(self) -> UserQuerySet:
        """Those whose account is not closed."""
        return self.exclude(status__in=CLOSED)

    def closed(self) -> UserQuerySet:
        return self.filter(status__in=CLOSED)

    def matching(self, text: str) -> UserQuerySet:
        """Those whose e-mail address, name or phone number holds every word of the text."""
        found = self.alias(searched=searched_text())
        for word in text.lower().split():
            found = found.filter(searched__contains=word)
        return found

    def with_second_factor(self) -> UserQuerySet:
        """Each with `second_factor`: whether signing in takes more than a password."""
        with_it = User.objects.filter(HAS_SECOND_FACTOR, pk=models.OuterRef("pk"))
        return self.annotate(second_factor=models.Exists(with_it))

    def visible_to(self, user: Any) -> UserQuerySet:
        """Administrators see every account, everybody else their own."""
        if not user.is_authenticated:
            return self.none()
        return self.all() if user.is_staff else self.filter(pk=user.pk)


class User(AbstractBaseUser, BaseModel):
    """A person with a proven e-mail address.

    Rights come from `role` and `status` alone: there are no groups and no superusers, so no
    flag can open a clinical row.
    """

    EMAIL_LENGTH = 254
    NAME_LENGTH = 80

    email = models.EmailField(_("e-mail"), max_length=EMAIL_LENGTH)
    role = models.CharField(_("role"), max_length=10, choices=Role)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.EMAIL_VERIFIED
    )
    first_name = models.CharField(
        _("first name"), max_length=NAME_LENGTH, validators=[check_plain_line]
    )
    last_name = models.CharField(
        _("last name"), max_length=NAME_LENGTH, validators=[check_plain_line]
    )
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
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["role", "status", "-id"], name="user_by_role"),
            models.Index(fields=["status", "-id"], name="user_by_status"),
            models.Index(fields=["created_at"], name="user_by_registration"),
            GinIndex(OpClass(searched_text(), "gin_trgm_ops"), name="user_search"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = LISTING_OF_USERS

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
        """Everyone whose account is not closed; what they may do is another question."""
        return self.status not in CLOSED

    @property
    def may_be_told(self) -> bool:
        """Whether there is still somebody to tell anything: who is anonymised is told nothing."""
        return self.status != Status.ANONYMISED

    @property
    def is_in_good_standing(self) -> bool:
        return self.status == Status.ACTIVE

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in takes more than a password."""
        return User.objects.filter(HAS_SECOND_FACTOR, pk=self.pk).exists()

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


class StatusChange(BaseModel):
    """Who moved an account from one status to another, when and why."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="status_changes")
    from_status = models.CharField(_("from"), max_length=20, choices=Status, blank=True)
    to_status = models.CharField(_("to"), max_length=20, choices=Status)
    changed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("changed by")
    )
    reason_code = models.CharField(_("reason code"), max_length=40, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_from_status_display()} → {self.get_to_status_display()}"


# The change log keeps what an account may do, never whose it is.
auditlog.register(User, include_fields=["role", "status"])
