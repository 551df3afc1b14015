"""What is said: entries of a log, which are only ever added."""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models.chats import Chat
from common import counts
from common.models import BaseModel
from connections.models import Connection
from prescriptions.models import Prescription


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: Any) -> MessageQuerySet:
        """Patients read all of their chats, for good. Doctors do while the connection stands;
        after it they read what they wrote themselves. Nobody else reads any."""
        if not user.is_authenticated:
            return self.none()
        stands = models.Q(chat__connection__status=Connection.Status.ACTIVE)
        return self.filter(
            models.Q(chat__connection__patient_id=user.pk)
            | models.Q(chat__connection__doctor_id=user.pk) & (stands | models.Q(sender_id=user.pk))
        )

    def said(self) -> MessageQuerySet:
        """Messages, without the entries that withdraw one."""
        return self.filter(kind=Message.Kind.MESSAGE)

    def standing(self) -> MessageQuerySet:
        """Messages that were not withdrawn."""
        return self.said().filter(retraction__isnull=True)

    def unread_by(self, user: Any) -> MessageQuerySet:
        """What others said, and did not withdraw, behind the place up to which they have read."""
        return (
            self.visible_to(user)
            .standing()
            .exclude(sender_id=user.pk)
            .filter(
                chat__participants__user_id=user.pk,
                seq__gt=models.F("chat__participants__last_read_seq"),
            )
        )

    def with_details(self) -> MessageQuerySet:
        """Without what only a search compares."""
        return self.select_related("retraction", "target").defer(
            "folded", "retraction__folded", "target__folded"
        )

    def with_people(self) -> MessageQuerySet:
        return self.select_related(
            "chat__connection__patient", "chat__connection__doctor__doctor_profile"
        )


class Message(BaseModel):
    """One entry of a chat: something said, or the withdrawal of something said.

    Nothing is edited and nothing deleted; a trigger refuses both. A withdrawn message keeps its
    words in the table, as part of the patient's record, and shows them to nobody (`text`).
    `client_id` is made by the sender's device, so that sending again after a lost answer finds
    the first.
    """

    MAX_LENGTH = 5000
    COUNTED_TO = counts.COUNTED_TO

    class Kind(models.TextChoices):
        MESSAGE = "MESSAGE", _("Message")
        RETRACTION = "RETRACTION", _("Withdrawal")

    # Neither has an index of its own: constraints and `message_by_sender` begin with them.
    chat = models.ForeignKey(
        Chat, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    seq = models.PositiveBigIntegerField()
    # Of the instant at which it took its number, which the chat remembers, too.
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.MESSAGE)
    client_id = models.UUIDField()
    content = models.TextField(max_length=MAX_LENGTH, blank=True)
    # What a search compares. Kept, for folding costs far more than looking: whoever searches a
    # long chat would hold up a server by it.
    folded = models.GeneratedField(
        expression=models.Func("content", function="search_fold"),
        output_field=models.TextField(),
        db_persist=True,
    )
    # One of the same patient's, mentioned; it opens only for whoever may see it.
    prescription = models.ForeignKey(
        Prescription, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Of a withdrawal: the message that is withdrawn.
    target = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="retraction"
    )

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["seq"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["sender", "created_at"], name="message_by_sender"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["chat", "seq"], name="message_seq_in_chat"),
            models.UniqueConstraint(fields=["sender", "client_id"], name="message_sent_once"),
            models.CheckConstraint(
                condition=models.Q(kind="MESSAGE", target=None)
                & (~models.Q(content="") | models.Q(prescription__isnull=False))
                | models.Q(kind="RETRACTION", target__isnull=False, content="", prescription=None),
                name="message_or_retraction",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="never_changes", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="takes_its_turn",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT FROM chat_chat JOIN connections_connection AS pair
                            ON pair.id = connection_id
                        WHERE chat_chat.id = NEW.chat_id AND last_seq = NEW.seq
                        AND NEW.sender_id IN (pair.patient_id, pair.doctor_id)
                    ) THEN
                        RAISE EXCEPTION 'An entry is by one of the two, and takes the next number.';
                    END IF;
                    IF NEW.target_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM chat_message AS said
                        WHERE said.id = NEW.target_id AND said.chat_id = NEW.chat_id
                        AND said.sender_id = NEW.sender_id AND said.kind = 'MESSAGE'
                    ) THEN
                        RAISE EXCEPTION 'Who said something withdraws it, in the same chat.';
                    END IF;
                    IF NEW.prescription_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM prescriptions_prescription AS mentioned
                        JOIN chat_chat ON chat_chat.id = NEW.chat_id
                        JOIN connections_connection AS pair ON pair.id = chat_chat.connection_id
                        WHERE mentioned.id = NEW.prescription_id
                        AND mentioned.patient_id = pair.patient_id
                    ) THEN
                        RAISE EXCEPTION 'A prescription that is mentioned is the patient''s.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def mark_as_standing(self) -> None:
        """It was written down this moment, so nobody need ask whether it was withdrawn."""
        Message.retraction.related.set_cached_value(self, None)

    @property
    def is_retracted(self) -> bool:
        return getattr(self, "retraction", None) is not None

    @property
    def text(self) -> str:
        """What was said, as far as it still is: the empty text once it was withdrawn."""
        return "" if self.is_retracted else self.content
