"""The access log: events in one chain per patient, and the seals over the chains."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import chain
from common.fields import EncryptedTextField
from common.models import BaseModel

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
NEVER_EMPTIED = pgtrigger.Trigger(
    name="never_emptied",
    level=pgtrigger.Statement,
    when=pgtrigger.Before,
    operation=pgtrigger.Truncate,
    func="RAISE EXCEPTION 'The access log is never emptied.';",
)


class AccessEventQuerySet(models.QuerySet["AccessEvent"]):
    def visible_to(self, user: Any) -> AccessEventQuerySet:
        """The patient whose data it is about. Who blocks them is not told: to them the
        connection has ended."""
        return self.filter(patient_id=user.pk).exclude(
            ~models.Q(basis=AccessEvent.Basis.SELF),
            action__in=[AccessEvent.Action.BLOCKED, AccessEvent.Action.UNBLOCKED],
        )

    def by_others(self) -> AccessEventQuerySet:
        """What others than the patient did."""
        return self.exclude(basis=AccessEvent.Basis.SELF)


class AccessEvent(BaseModel):
    """One act on one patient's data, written in the transaction of the act itself.

    People are named by id, so the log needs no other table and outlives every account. A
    pharmacist without an account is an event without an actor. The database numbers the events
    of each patient from 1 without a gap and hashes each onto the one before.
    """

    class Action(models.TextChoices):
        CONNECTED = "CONNECTED", _("connected")
        CONNECTION_ENDED = "CONNECTION_ENDED", _("ended the connection")
        ISSUED = "ISSUED", _("issued")
        READ = "READ", _("read")
        DOWNLOADED = "DOWNLOADED", _("downloaded")
        VERIFIED = "VERIFIED", _("verified")
        LISTED = "LISTED", _("saw the list")
        REQUESTED = "REQUESTED", _("asked to be connected")
        REQUEST_ACCEPTED = "REQUEST_ACCEPTED", _("accepted the request")
        REQUEST_REJECTED = "REQUEST_REJECTED", _("declined the request")
        REQUEST_CANCELLED = "REQUEST_CANCELLED", _("withdrew the request")
        REQUEST_EXPIRED = "REQUEST_EXPIRED", _("let the request lapse")
        BLOCKED = "BLOCKED", _("blocked")
        UNBLOCKED = "UNBLOCKED", _("unblocked")
        GRANTED = "GRANTED", _("gave access")
        GRANT_REVOKED = "GRANT_REVOKED", _("took access back")
        GRANT_RENEWED = "GRANT_RENEWED", _("renewed access")
        AMENDED = "AMENDED", _("issued another version")
        STOPPED = "STOPPED", _("stopped")
        CHECKED = "CHECKED", _("checked for conflicts")
        PIN_REFUSED = "PIN_REFUSED", _("entered a wrong PIN")
        CLAIMED = "CLAIMED", _("took up to dispense")
        DISPENSED = "DISPENSED", _("dispensed")
        DISPENSE_WITHDRAWN = "DISPENSE_WITHDRAWN", _("took back what was dispensed")
        RELEASED = "RELEASED", _("gave back")
        CODE_REISSUED = "CODE_REISSUED", _("made another code")
        REFILL_REQUESTED = "REFILL_REQUESTED", _("asked for the same again")
        REFILL_DECLINED = "REFILL_DECLINED", _("declined to prescribe again")
        EMERGENCY_OPENED = "EMERGENCY_OPENED", _("opened the emergency card")
        CARD_ISSUED = "CARD_ISSUED", _("made a health card")
        LINK_MADE = "LINK_MADE", _("made a link")
        LINK_OPENED = "LINK_OPENED", _("opened a link")
        LINK_REFUSED = "LINK_REFUSED", _("entered a wrong passcode for a link")
        LINK_REVOKED = "LINK_REVOKED", _("withdrew a link")

    class Basis(models.TextChoices):
        """Why it was allowed."""

        SELF = "SELF", _("their own data")
        AUTHOR = "AUTHOR", _("wrote it")
        GRANT = "GRANT", _("was given access")
        CARE = "CARE", _("is or asks to be connected")
        ADMINISTRATION = "ADMINISTRATION", _("administration")
        QR = "QR", _("held the printed code")

    patient_id = models.UUIDField()
    actor_id = models.UUIDField(null=True)
    action = models.CharField(max_length=20, choices=Action)
    basis = models.CharField(max_length=20, choices=Basis)
    # The code of a category of data; which there are, `connections` knows.
    category = models.CharField(max_length=20, blank=True)
    object_type = models.CharField(max_length=40)
    object_id = models.UUIDField()
    # What the database fills in, whatever is given.
    seq = models.BigIntegerField(db_default=0, editable=False)
    previous_hash = models.CharField(max_length=64, db_default="", editable=False)
    hash = models.CharField(max_length=64, db_default="", editable=False)

    objects = AccessEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient_id", "-id"], name="access_by_patient"),
            models.Index(
                fields=["patient_id", "-id"],
                name="access_by_others",
                condition=~models.Q(basis="SELF"),
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["patient_id", "seq"], name="access_in_a_chain"),
            models.CheckConstraint(
                condition=models.Q(seq__gte=1) & ~models.Q(hash=""), name="access_is_chained"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    basis="SELF", actor_id__isnull=False, actor_id=models.F("patient_id")
                )
                | (
                    ~models.Q(basis="SELF")
                    & (models.Q(actor_id=None) | ~models.Q(actor_id=models.F("patient_id")))
                ),
                name="access_of_own_data_is_self",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            APPEND_ONLY,
            NEVER_EMPTIED,
            pgtrigger.Trigger(
                name="chained",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=chain.CHAIN,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type}"


class AccessChain(models.Model):
    """Where one patient's chain ends. Only the chaining of an event writes it."""

    patient_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            NEVER_EMPTIED,
            # Within the trigger of a new event the depth is 1.
            pgtrigger.Protect(
                name="follows_the_events",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("pg_trigger_depth() = 0"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.seq}"


class AuditSeal(BaseModel):
    """The whole log as it stood at one moment, vouched for with a key the database lacks.

    `digest` covers the seal before and the head of each chain that grew since; `signature` is
    the digest sealed with `FIELD_ENCRYPTION_KEYS`: only who has a key can make one that opens.
    """

    number = models.BigIntegerField(unique=True)
    made_at = models.DateTimeField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    signature = EncryptedTextField(purpose="audit.seal")

    class Meta:
        ordering: ClassVar[list[str]] = ["-number"]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [APPEND_ONLY, NEVER_EMPTIED]

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"


class SealedHead(models.Model):
    """Where a chain ended when it was sealed."""

    pk = models.CompositePrimaryKey("patient_id", "seq")
    patient_id = models.UUIDField()
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    seal_number = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["seal_number", "patient_id"], name="sealed_head_by_seal")
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [APPEND_ONLY, NEVER_EMPTIED]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.seq}"


def end_of_case() -> dt.datetime:
    return timezone.now() + AccessCase.ANSWERED_WITHIN


class AccessCaseQuerySet(models.QuerySet["AccessCase"]):
    def visible_to(self, user: Any) -> AccessCaseQuerySet:
        """The patient who asked. Administrators open a case in the admin, and that is logged."""
        return self.filter(patient_id=user.pk)

    def open(self) -> AccessCaseQuerySet:
        """Those that wait for an answer."""
        return self.filter(status=AccessCase.Status.OPEN)

    def overdue(self, at: dt.datetime) -> AccessCaseQuerySet:
        """Those that should have been answered by then."""
        return self.open().filter(due_at__lte=at)


class AccessCase(BaseModel):
    """A patient's question about one act of somebody else on their data, and the answer.

    One open case an act. An answer is final: who is not content with it asks again.
    """

    QUESTION_LENGTH = 1000
    ANSWER_LENGTH = 2000
    ANSWERED_WITHIN = dt.timedelta(days=7)

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Waiting for an answer")
        ANSWERED = "ANSWERED", _("Answered")

    patient_id = models.UUIDField(editable=False)
    event = models.ForeignKey(AccessEvent, on_delete=models.PROTECT, related_name="cases")
    question = models.CharField(_("question"), max_length=QUESTION_LENGTH)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    due_at = models.DateTimeField(_("answer due"), default=end_of_case)
    # When administrators were last told that it is overdue.
    reminded_at = models.DateTimeField(null=True)
    answer = models.CharField(_("answer"), max_length=ANSWER_LENGTH, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    answered_by_id = models.UUIDField(null=True)

    objects = AccessCaseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        verbose_name = _("questioned access")
        verbose_name_plural = _("questioned accesses")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["patient_id", "-id"], name="access_case_by_patient"),
            models.Index(
                fields=["due_at"],
                condition=models.Q(status="OPEN"),
                name="access_case_by_due",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["event"],
                condition=models.Q(status="OPEN"),
                name="access_case_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(status="OPEN", answer="", answered_at=None, answered_by_id=None)
                | models.Q(
                    status="ANSWERED", answered_at__isnull=False, answered_by_id__isnull=False
                )
                & ~models.Q(answer=""),
                name="access_case_answered_by_someone",
            ),
            models.CheckConstraint(condition=~models.Q(question=""), name="access_case_asks"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="of_anothers_act",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    PERFORM FROM audit_accessevent
                    WHERE id = NEW.event_id AND patient_id = NEW.patient_id AND basis <> 'SELF'
                        AND (
                            NEW.answered_by_id IS NULL
                            OR NEW.answered_by_id NOT IN (patient_id, coalesce(actor_id, id))
                        );
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'What others did is questioned, and others answer.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(
                name="answered_for_good",
                operation=pgtrigger.UpdateOf("status", "answered_at", "answered_by_id"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__status="ANSWERED"),
            ),
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.get_status_display()

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    def is_overdue(self, at: dt.datetime) -> bool:
        return self.is_open and self.due_at <= at
