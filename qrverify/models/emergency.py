"""A patient's emergency card, and who opened it."""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import SpokenLanguage
from audit.models import AccessEvent
from common import crypto
from common.fields import EncryptedTextField
from common.lines import check_plain_line
from common.models import BaseModel


class CardField(models.TextChoices):
    """What a card can say, in the order in which somebody in a hurry needs it. There is no
    national ID among them, and there never is."""

    ALLERGIES = "ALLERGIES", _("Allergies")
    NAME = "NAME", _("Name")
    BIRTH_DATE = "BIRTH_DATE", _("Birth date")
    SEX = "SEX", _("Sex")
    BLOOD_TYPE = "BLOOD_TYPE", _("Blood type")
    LANGUAGES = "LANGUAGES", _("Languages")
    EMERGENCY_CONTACTS = "EMERGENCY_CONTACTS", _("Emergency contacts")
    CONDITIONS = "CONDITIONS", _("Chronic conditions")
    MEDICATIONS = "MEDICATIONS", _("Medicines taken")
    PRESCRIPTIONS = "PRESCRIPTIONS", _("Prescribed medicines")
    NOTE = "NOTE", _("Note")


class EmergencyCardQuerySet(models.QuerySet["EmergencyCard"]):
    def visible_to(self, user: Any) -> EmergencyCardQuerySet:
        """A card is its patient's. Whoever holds it reads it by its secret, not by who they are."""
        return self.filter(patient_id=user.pk)

    def live(self) -> EmergencyCardQuerySet:
        """Neither replaced nor withdrawn."""
        return self.filter(revoked_at=None)

    def by_secret(self, secret: str) -> EmergencyCardQuerySet:
        """The one whose QR carries this, whatever became of it."""
        return self.filter(secret_digest=crypto.digest(secret))

    def with_patient(self) -> EmergencyCardQuerySet:
        """With the patient and what they chose, for reading its content."""
        return self.select_related("patient__patient_profile").prefetch_related("choices")


class EmergencyCard(BaseModel):
    """What a patient lets anybody read who holds their card, when they cannot speak.

    A row is one secret: printed anew, it is another row, and the one before ends. Of each patient
    one is live. It says which fields are shown and holds those that stand nowhere else; the rest
    is read from the profile and the lists when the card is opened. One that has ended keeps its
    digest alone, so that old paper is told what became of it, and opens nothing.
    """

    NOTE_LENGTH = 300

    class EndReason(models.TextChoices):
        REPLACED = "REPLACED", _("Replaced by a newer card")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")
        ANONYMISED = "ANONYMISED", _("The account was anonymised")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="emergency_cards",
        verbose_name=_("patient"),
    )
    secret = EncryptedTextField(purpose="qrverify.emergency.secret", null=True)
    secret_digest = models.CharField(max_length=64, unique=True)
    # Whether first name and initial stand on paper, and on the page before it is opened.
    shows_name = models.BooleanField(_("first name and initial on the outside"), default=False)
    languages = ArrayField(
        models.CharField(max_length=2, choices=SpokenLanguage),
        verbose_name=_("languages"),
        default=list,
        blank=True,
    )
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True)
    revoked_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(
        _("why it ended"), max_length=10, choices=EndReason, blank=True, default=""
    )

    objects = EmergencyCardQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("emergency card")
        verbose_name_plural = _("emergency cards")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=models.Q(revoked_at=None),
                name="emergency_card_one_live",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, end_reason="", secret__isnull=False)
                | models.Q(
                    revoked_at__isnull=False, secret=None, note="", languages=[], shows_name=False
                )
                & ~models.Q(end_reason=""),
                name="emergency_card_ended_holds_nothing",
            ),
            models.CheckConstraint(
                condition=models.Q(languages__contained_by=SpokenLanguage.values),
                name="emergency_card_languages_known",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(
                name="ended_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__revoked_at__isnull=False),
            ),
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None

    @property
    def url(self) -> str:
        """What its QR holds; empty once it has ended."""
        return f"{settings.SITE_URL}/e/{self.secret}" if self.secret else ""

    @property
    def outer_name(self) -> str:
        """What the outside says of who it is: first name and initial, if the patient wants it."""
        if not self.shows_name:
            return ""
        return f"{self.patient.first_name} {self.patient.last_name[:1]}."

    @property
    def chosen(self) -> list[CardField]:
        """The fields that it shows, or will once they are confirmed, in their order."""
        codes = {choice.field for choice in self.choices.all()}
        return [field for field in CardField if field in codes]


class EmergencyChoice(BaseModel):
    """One field that a card shows, and when the patient last said that it is right.

    `confirmed_version` is what it said then (`services.emergency_content.version_of`). Until it
    is confirmed for the first time, nobody but the patient sees it.
    """

    card = models.ForeignKey(EmergencyCard, on_delete=models.CASCADE, related_name="choices")
    field = models.CharField(max_length=20, choices=CardField)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_version = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["card", "field"], name="emergency_field_once"),
            models.CheckConstraint(
                condition=models.Q(field__in=CardField), name="emergency_field_known"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_at=None, confirmed_version="")
                | models.Q(confirmed_at__isnull=False) & ~models.Q(confirmed_version=""),
                name="emergency_field_confirmed_as_something",
            ),
        ]

    def __str__(self) -> str:
        return self.field


class EmergencyScanQuerySet(models.QuerySet["EmergencyScan"]):
    def visible_to(self, user: Any) -> EmergencyScanQuerySet:
        """The patient whose card it was."""
        return self.filter(card__patient_id=user.pk)


class EmergencyScan(BaseModel):
    """One opening of a card: who said they were, and why.

    It is never changed, but for forgetting what was typed with the patient it is about. Where
    the responder's device was in the network is not kept.
    """

    NAME_LENGTH = 120
    REASON_LENGTH = 200

    class Reason(models.TextChoices):
        UNCONSCIOUS = "UNCONSCIOUS", _("The person is unconscious or cannot answer")
        ACCIDENT = "ACCIDENT", _("An accident or an injury")
        ILLNESS = "ILLNESS", _("The person has suddenly fallen ill")
        LOST = "LOST", _("The person is lost or confused")
        OTHER = "OTHER", _("Something else")

    card = models.ForeignKey(EmergencyCard, on_delete=models.PROTECT, related_name="scans")
    responder_name = models.CharField(
        _("name"), max_length=NAME_LENGTH, validators=[check_plain_line]
    )
    reason_code = models.CharField(_("reason"), max_length=12, choices=Reason)
    reason = models.CharField(_("in words"), max_length=REASON_LENGTH, blank=True)
    # The same in the access log, by which the patient questions it.
    event = models.OneToOneField(AccessEvent, on_delete=models.PROTECT, related_name="+")
    # How many emergency contacts were written to.
    contacts_told = models.PositiveSmallIntegerField(default=0)

    objects = EmergencyScanQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["card", "-id"], name="emergency_scan_by_card")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(
                    reason_code__in=["UNCONSCIOUS", "ACCIDENT", "ILLNESS", "LOST", "OTHER"]
                ),
                name="emergency_scan_reason_known",
            )
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="only_forgotten",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF NEW.responder_name = '' AND NEW.reason = ''
                        AND to_jsonb(NEW) - '{responder_name,reason}'::text[]
                            = to_jsonb(OLD) - '{responder_name,reason}'::text[] THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'Who opened an emergency card, and why, is never changed.';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.get_reason_code_display()

    @property
    def reason_text(self) -> str:
        """The reason in words: those chosen, or those typed."""
        return self.reason or str(self.get_reason_code_display())
