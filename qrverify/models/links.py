"""SMART Health Links: what a patient shares with whoever has the link."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common import crypto
from common.fields import EncryptedTextField
from common.models import BaseModel
from connections.models import DataCategory


class LinkedData(models.TextChoices):
    """What of a patient's data a summary can show, by the codes of `DataCategory`."""

    ALLERGIES = DataCategory.ALLERGIES.value, _("Allergies")
    CONDITIONS = DataCategory.CONDITIONS.value, _("Chronic conditions")
    MEDICATIONS = DataCategory.MEDICATIONS.value, _("Medicines you take")
    PRESCRIPTIONS = DataCategory.PRESCRIPTIONS.value, _("Prescribed medicines")
    FACTS = DataCategory.FACTS.value, _("Sex, blood type, height and weight")
    EMERGENCY_CONTACTS = DataCategory.EMERGENCY_CONTACTS.value, _("Emergency contacts")


class SharedLinkQuerySet(models.QuerySet["SharedLink"]):
    def visible_to(self, user: Any) -> SharedLinkQuerySet:
        """A link is its patient's. Whoever holds it opens it by its secret."""
        return self.filter(patient_id=user.pk)

    def live(self, at: dt.datetime) -> SharedLinkQuerySet:
        """Those that still open something."""
        return self.filter(
            revoked_at=None, expires_at__gt=at, wrong_passcodes__lt=SharedLink.PASSCODE_TRIES
        )

    def by_manifest_id(self, manifest_id: str) -> SharedLinkQuerySet:
        """The one whose address holds this secret, whatever became of it."""
        return self.filter(manifest_digest=crypto.digest(manifest_id))


class SharedLink(BaseModel):
    """A patient lets whoever has the link read what they chose, as it is at that moment.

    Its address is a secret of 256 bits, and so is the key that opens what is found there; both
    are kept, encrypted, to show the patient the link again. Of a passcode only a hash is kept,
    and ten wrong ones, however they come, end the link. One that is withdrawn keeps neither.
    """

    LABEL_LENGTH = 80
    PASSCODE_TRIES = 10
    SHORTEST, LONGEST = dt.timedelta(hours=1), dt.timedelta(days=365)

    class Content(models.TextChoices):
        EMERGENCY = "EMERGENCY", _("Your emergency card")
        SUMMARY = "SUMMARY", _("A summary of your data")

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", pgettext_lazy("link", "Active")
        EXPIRED = "EXPIRED", pgettext_lazy("link", "Expired")
        REVOKED = "REVOKED", pgettext_lazy("link", "Withdrawn")
        LOCKED = "LOCKED", pgettext_lazy("link", "Too many wrong passcodes")

    patient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="shared_links"
    )
    label = models.CharField(_("label"), max_length=LABEL_LENGTH, blank=True)
    content = models.CharField(_("what it shows"), max_length=10, choices=Content)
    categories = ArrayField(
        models.CharField(max_length=20, choices=LinkedData), default=list, blank=True
    )
    manifest_id = EncryptedTextField(purpose="qrverify.link.manifest_id", null=True)
    manifest_digest = models.CharField(max_length=64, unique=True)
    key = EncryptedTextField(purpose="qrverify.link.key", null=True)
    passcode = models.CharField(max_length=128, blank=True)
    wrong_passcodes = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    opened_count = models.PositiveIntegerField(default=0)
    last_opened_at = models.DateTimeField(null=True, blank=True)

    objects = SharedLinkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient", "-id"], name="link_by_patient")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(content="EMERGENCY", categories=[])
                | models.Q(content="SUMMARY", categories__len__gt=0)
                & models.Q(categories__contained_by=LinkedData.values),
                name="link_shows_something",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, manifest_id__isnull=False, key__isnull=False)
                | models.Q(revoked_at__isnull=False, manifest_id=None, key=None, passcode=""),
                name="link_withdrawn_holds_nothing",
            ),
            models.CheckConstraint(
                condition=models.Q(wrong_passcodes__lte=10), name="link_passcode_tries_limited"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
            # What it shows, and for how long, is what the patient chose when they made it.
            pgtrigger.ReadOnly(
                name="keeps_its_terms",
                fields=["patient", "content", "categories", "manifest_digest", "expires_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.label or str(self.get_content_display())

    @property
    def is_emergency(self) -> bool:
        """Whether what is behind it is the patient's emergency card."""
        return self.content == self.Content.EMERGENCY

    @property
    def has_passcode(self) -> bool:
        return bool(self.passcode)

    @property
    def remaining_tries(self) -> int:
        return self.PASSCODE_TRIES - self.wrong_passcodes

    def state(self, at: dt.datetime) -> State:
        """What became of it."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at <= at:
            return self.State.EXPIRED
        return self.State.ACTIVE if self.remaining_tries else self.State.LOCKED

    @property
    def category_labels(self) -> list[str]:
        """What a summary shows, in words."""
        return [str(data.label) for data in LinkedData if data in self.categories]


class LinkOpeningQuerySet(models.QuerySet["LinkOpening"]):
    def by_ticket(self, ticket: str) -> LinkOpeningQuerySet:
        """The opening that gave out this ticket."""
        return self.filter(ticket_digest=crypto.digest(ticket))


class LinkOpening(BaseModel):
    """One opening of a link: who said they were. Where their device was in the network is not
    kept. Where the file did not come with the answer, a ticket fetches it, once and soon."""

    RECIPIENT_LENGTH = 120
    TICKET_LASTS = dt.timedelta(minutes=5)

    link = models.ForeignKey(SharedLink, on_delete=models.PROTECT, related_name="openings")
    recipient = models.CharField(_("who"), max_length=RECIPIENT_LENGTH)
    # How many emergency contacts were written to, where the link shows an emergency card.
    contacts_told = models.PositiveSmallIntegerField(default=0)
    ticket_digest = models.CharField(max_length=64, blank=True)
    fetched_at = models.DateTimeField(null=True)

    objects = LinkOpeningQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["link", "-id"], name="link_opening_by_link")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["ticket_digest"],
                condition=~models.Q(ticket_digest=""),
                name="link_ticket_once",
            )
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="fetched_once_or_forgotten",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF to_jsonb(NEW) - '{recipient,fetched_at}'::text[]
                            = to_jsonb(OLD) - '{recipient,fetched_at}'::text[]
                        AND (NEW.recipient = OLD.recipient OR NEW.recipient = '')
                        AND (OLD.fetched_at IS NULL OR NEW.fetched_at = OLD.fetched_at) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'Who opened a link, and when, is never changed.';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.recipient
