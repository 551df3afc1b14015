"""One chat per connection, and how far each of its two people has come in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Case, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from common.models import BaseModel
from connections.models import Connection

WAITS = models.Q(awaiting_since__isnull=False, connection__status=Connection.Status.ACTIVE)
# No chat will ever have so many entries; it is also the last number that every reader of JSON has.
MOST_SEQ = 2**53 - 1
# More microseconds than have passed since 1970, by far.
FIRST = 10**17


class Microseconds(models.Func):
    """An instant as a number."""

    template = "(extract(epoch FROM %(expressions)s) * 1000000)::bigint"
    output_field = models.BigIntegerField()


class ChatQuerySet(models.QuerySet["Chat"]):
    def visible_to(self, user: Any) -> ChatQuerySet:
        """The two people's, also after they parted; what is read in it then is for
        `Message.objects.visible_to` to say. A chat is made of a connection that stands, so these
        are the chats of the connections one sees; asked so, of the one join that lists need."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(
            models.Q(connection__patient_id=user.pk) | models.Q(connection__doctor_id=user.pk)
        )

    def live_to(self, user: Any) -> ChatQuerySet:
        """Those in which something can happen: the connection stands. Sockets hear these alone."""
        return self.visible_to(user).filter(connection__status=Connection.Status.ACTIVE)

    def awaiting_reply(self) -> ChatQuerySet:
        """Those in which a patient waits for the doctor's answer, who can still give it."""
        return self.filter(WAITS)

    def with_turn(self, user: Any) -> ChatQuerySet:
        """Each with its `turn` in this user's list, the largest first: what was last spoken in,
        and before it, to doctors, what waits for their answer, the longest first."""
        turn: models.Expression = Microseconds("active_at")
        if user.is_authenticated and user.is_doctor:
            waits = Value(FIRST, models.BigIntegerField()) - Microseconds("awaiting_since")
            turn = Case(
                When(WAITS, then=waits), default=turn, output_field=models.BigIntegerField()
            )
        return self.annotate(turn=turn)

    def with_people(self) -> ChatQuerySet:
        return self.select_related(
            "connection__patient", "connection__doctor__doctor_profile__specialization"
        )


class Chat(BaseModel):
    """The conversation of one connection: FHIR `Communication`s on one topic.

    It is a log of entries numbered from 1 without a gap; `last_seq` is the newest number, raised
    under the row's lock. Triggers hold that it grows by one, and that each number is used.
    """

    connection = models.OneToOneField(Connection, on_delete=models.PROTECT, related_name="chat")
    last_seq = models.PositiveBigIntegerField(default=0)
    # When something was last said, or it was opened.
    active_at = models.DateTimeField(db_default=Now())
    # Since when the doctor owes an answer: the oldest message of the patient that came after the
    # doctor's last and after what the doctor has settled.
    awaiting_since = models.DateTimeField(null=True, blank=True)
    # Up to here the doctor has said that no answer is needed.
    settled_seq = models.PositiveBigIntegerField(default=0)

    objects = ChatQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-active_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["active_at"], name="chat_by_activity"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(settled_seq__lte=models.F("last_seq")), name="chat_settled_past"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="counts_by_one",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("last_seq"),  # type: ignore[no-untyped-call]
                func="""
                    IF NEW.last_seq NOT IN (OLD.last_seq, OLD.last_seq + 1) THEN
                        RAISE EXCEPTION 'The entries of a chat are numbered without a gap.';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="numbers_are_used",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("last_seq"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM chat_message
                        WHERE chat_id = NEW.id AND seq = NEW.last_seq
                    ) THEN
                        RAISE EXCEPTION 'A number of a chat belongs to an entry.';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def patient_id(self) -> Any:
        return self.connection.patient_id

    @property
    def doctor_id(self) -> Any:
        return self.connection.doctor_id

    @property
    def awaited_since(self) -> dt.datetime | None:
        """`awaiting_since`, as long as the doctor can answer."""
        return self.awaiting_since if self.is_live else None

    @property
    def is_live(self) -> bool:
        """Whether something can still be said."""
        return self.connection.is_active


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has come, as whoever looks may know it."""

    user_id: UUID
    delivered_seq: int
    read_seq: int


class Participant(BaseModel):
    """How far one of the two has come: what reached a device of theirs, what they have read, and
    what a notification told them of. Each only grows; unread is counted, never kept.

    The other side is shown it while the connection stands. After the end what it is shown stays
    as it was, though a patient reads on.
    """

    chat = models.ForeignKey(
        Chat,
        on_delete=models.CASCADE,
        related_name="participants",
        db_index=False,  # `participant_once` begins with it
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="chat_places"
    )
    last_delivered_seq = models.PositiveBigIntegerField(_("delivered up to"), default=0)
    last_read_seq = models.PositiveBigIntegerField(_("read up to"), default=0)
    told_seq = models.PositiveBigIntegerField(_("told of up to"), default=0)
    # What the other side is shown of it.
    shown_delivered_seq = models.PositiveBigIntegerField(default=0, db_default=0)
    shown_read_seq = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["chat", "user"], name="participant_once"),
            models.CheckConstraint(
                condition=models.Q(last_read_seq__lte=models.F("last_delivered_seq")),
                name="participant_reads_what_arrived",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    shown_read_seq__lte=models.F("last_read_seq"),
                    shown_delivered_seq__lte=models.F("last_delivered_seq"),
                ),
                name="participant_shows_what_is_so",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Trigger(
                name="only_goes_on",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF NEW.last_read_seq < OLD.last_read_seq
                        OR NEW.last_delivered_seq < OLD.last_delivered_seq
                        OR NEW.shown_read_seq < OLD.shown_read_seq
                        OR NEW.shown_delivered_seq < OLD.shown_delivered_seq
                        OR NEW.told_seq < OLD.told_seq
                    THEN
                        RAISE EXCEPTION 'What was read stays read.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.chat_id}"

    def seen_by(self, reader: Any) -> Place:
        """One's own place as it is; of the other's what it was while the connection stood."""
        if reader.pk == self.user_id:
            return Place(self.user_id, self.last_delivered_seq, self.last_read_seq)
        return Place(self.user_id, self.shown_delivered_seq, self.shown_read_seq)
