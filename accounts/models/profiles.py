"""What patients and doctors tell about themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.listing import LISTING_OF_PROFILES
from accounts.models.users import Role, Sex, Status, User
from common.fields import EncryptedTextField
from common.models import BaseModel
from specializations.models import Specialization


class Governorate(models.TextChoices):
    """The governorates of Egypt, by their codes of ISO 3166-2."""

    ALEXANDRIA = "EG-ALX", _("Alexandria")
    ASWAN = "EG-ASN", _("Aswan")
    ASYUT = "EG-AST", _("Asyut")
    BEHEIRA = "EG-BH", _("Beheira")
    BENI_SUEF = "EG-BNS", _("Beni Suef")
    CAIRO = "EG-C", _("Cairo")
    DAKAHLIA = "EG-DK", _("Dakahlia")
    DAMIETTA = "EG-DT", _("Damietta")
    FAIYUM = "EG-FYM", _("Faiyum")
    GHARBIA = "EG-GH", _("Gharbia")
    GIZA = "EG-GZ", _("Giza")
    ISMAILIA = "EG-IS", _("Ismailia")
    KAFR_EL_SHEIKH = "EG-KFS", _("Kafr El Sheikh")
    LUXOR = "EG-LX", _("Luxor")
    MATROUH = "EG-MT", _("Matrouh")
    MINYA = "EG-MN", _("Minya")
    MONUFIA = "EG-MNF", _("Monufia")
    NEW_VALLEY = "EG-WAD", _("New Valley")
    NORTH_SINAI = "EG-SIN", _("North Sinai")
    PORT_SAID = "EG-PTS", _("Port Said")
    QALYUBIA = "EG-KB", _("Qalyubia")
    QENA = "EG-KN", _("Qena")
    RED_SEA = "EG-BA", _("Red Sea")
    SHARQIA = "EG-SHR", _("Sharqia")
    SOHAG = "EG-SHG", _("Sohag")
    SOUTH_SINAI = "EG-JS", _("South Sinai")
    SUEZ = "EG-SUZ", _("Suez")


class BloodType(models.TextChoices):
    """AB0 group and rhesus factor."""

    A_POSITIVE = "A+", "A+"
    A_NEGATIVE = "A-", "A−"
    B_POSITIVE = "B+", "B+"
    B_NEGATIVE = "B-", "B−"
    AB_POSITIVE = "AB+", "AB+"
    AB_NEGATIVE = "AB-", "AB−"
    O_POSITIVE = "O+", "O+"
    O_NEGATIVE = "O-", "O−"


class SpokenLanguage(models.TextChoices):
    """What a doctor can speak with a patient, by the codes of ISO 639-1."""

    ARABIC = "ar", _("Arabic")
    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")
    GERMAN = "de", _("German")
    ITALIAN = "it", _("Italian")
    SPANISH = "es", _("Spanish")


# What is written, and stored, of a body and a practice: the least and the most.
HEIGHT_CM = (20, 280)
WEIGHT_KG = (Decimal("0.3"), Decimal(500))
EXPERIENCE_YEARS = (0, 70)
FEE_EGP = (Decimal(0), Decimal(100_000))


def within(least: Any, most: Any) -> list[Any]:
    return [MinValueValidator(least), MaxValueValidator(most)]


class PatientProfile(BaseModel):
    """What a patient tells about themselves: the first four when they register, the rest when
    they like."""

    # The kind of data that birth date, sex and the body's measures are shared as.
    CATEGORY = "FACTS"

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="patient_profile", verbose_name=_("user")
    )
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=6, choices=Sex)
    national_id = EncryptedTextField(
        _("national ID"), purpose="accounts.patient.national_id", null=True, blank=True
    )
    national_id_index = models.CharField(max_length=64, unique=True, null=True, blank=True)
    blood_type = models.CharField(_("blood type"), max_length=3, choices=BloodType, blank=True)
    height_cm = models.PositiveSmallIntegerField(
        _("height in cm"), null=True, blank=True, validators=within(*HEIGHT_CM)
    )
    weight_kg = models.DecimalField(
        _("weight in kg"),
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=within(*WEIGHT_KG),
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    governorate = models.CharField(_("governorate"), max_length=6, choices=Governorate, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(sex__in=Sex), name="patient_sex_known"),
            models.CheckConstraint(
                condition=models.Q(national_id=None, national_id_index=None)
                | models.Q(national_id__isnull=False, national_id_index__isnull=False),
                name="patient_national_id_indexed",
            ),
            models.CheckConstraint(
                condition=models.Q(blood_type__in=["", *BloodType]),
                name="patient_blood_type_known",
            ),
            models.CheckConstraint(
                condition=models.Q(height_cm=None) | models.Q(height_cm__range=HEIGHT_CM),
                name="patient_height_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(weight_kg=None) | models.Q(weight_kg__range=WEIGHT_KG),
                name="patient_weight_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(governorate__in=["", *Governorate]),
                name="patient_governorate_known",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)


def document_path(instance: models.Model, filename: str) -> str:
    """A random key: what a document is called or whose it is never shows in storage."""
    return f"documents/{uuid4().hex}"


class DoctorProfileQuerySet(models.QuerySet["DoctorProfile"]):
    def practising(self) -> DoctorProfileQuerySet:
        return self.filter(user__role=Role.DOCTOR, user__status=Status.ACTIVE)

    def listed(self, ids: Collection[UUID] | None = None) -> DoctorProfileQuerySet:
        """Those the directory shows, of these accounts if they are named, as it shows them."""
        found = self.practising().select_related("user", "specialization")
        return found if ids is None else found.filter(user_id__in=ids)

    def licence_ends_by(self, day: dt.date) -> DoctorProfileQuerySet:
        """Those who practise here under a licence that ends on that day or before."""
        return self.practising().filter(licence_expiry_date__lte=day)

    def licence_in_force(self, day: dt.date) -> DoctorProfileQuerySet:
        """Those whose licence counts on that day; it does on its last one, too."""
        return self.filter(licence_expiry_date__gte=day)

    def licence_ended(self, day: dt.date) -> DoctorProfileQuerySet:
        """Those whose licence no longer counts on that day."""
        return self.filter(licence_expiry_date__lt=day)

    def keeping(self, document: str) -> DoctorProfileQuerySet:
        """Those whose document that file of the storage is."""
        return self.filter(
            models.Q(licence_document=document) | models.Q(national_id_document=document)
        )


class DoctorProfile(BaseModel):
    """What a doctor practises, and the documents that prove it."""

    LICENCE_LENGTH = 40

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="doctor_profile", verbose_name=_("user")
    )
    specialization = models.ForeignKey(
        Specialization,
        on_delete=models.PROTECT,
        related_name="doctors",
        verbose_name=_("specialization"),
    )
    licence_number = models.CharField(_("licence number"), max_length=LICENCE_LENGTH, unique=True)
    # Unknown until an administrator has read it off the licence.
    licence_expiry_date = models.DateField(_("licence valid until"), null=True, blank=True)
    # The end that the doctor has been warned of.
    licence_end_told = models.DateField(null=True, editable=False)
    licence_document = models.FileField(_("licence document"), upload_to=document_path)
    national_id_document = models.FileField(_("national ID document"), upload_to=document_path)
    applied_at = models.DateTimeField(_("applied"), default=timezone.now)
    bio = models.CharField(_("about you"), max_length=2000, blank=True)
    years_of_experience = models.PositiveSmallIntegerField(
        _("years of experience"), null=True, blank=True, validators=within(*EXPERIENCE_YEARS)
    )
    consultation_fee = models.DecimalField(
        _("consultation fee in EGP"),
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=within(*FEE_EGP),
    )
    languages = ArrayField(
        models.CharField(max_length=2, choices=SpokenLanguage),
        verbose_name=_("languages"),
        default=list,
        blank=True,
    )
    clinic_address = models.CharField(_("clinic address"), max_length=300, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    governorate = models.CharField(_("governorate"), max_length=6, choices=Governorate, blank=True)

    objects = DoctorProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("doctor's application")
        verbose_name_plural = _("doctors' applications")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(years_of_experience=None)
                | models.Q(years_of_experience__range=EXPERIENCE_YEARS),
                name="doctor_experience_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(consultation_fee=None)
                | models.Q(consultation_fee__range=FEE_EGP),
                name="doctor_fee_possible",
            ),
            models.CheckConstraint(
                condition=models.Q(languages__contained_by=SpokenLanguage.values),
                name="doctor_languages_known",
            ),
            models.CheckConstraint(
                condition=models.Q(governorate__in=["", *Governorate]),
                name="doctor_governorate_known",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["applied_at"], name="doctor_by_application"),
            models.Index(fields=["licence_expiry_date"], name="doctor_by_licence_expiry"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = LISTING_OF_PROFILES

    def __str__(self) -> str:
        return f"{self.user} ({self.licence_number})"

    @property
    def spoken(self) -> str:
        """The languages, in the one being spoken."""
        return _(", ").join(str(SpokenLanguage(code).label) for code in self.languages)


class Licence(DoctorProfile):
    """A doctor's profile, looked at for when the licence ends."""

    class Meta:
        proxy = True
        verbose_name = _("doctor's licence")
        verbose_name_plural = _("doctors' licences")
