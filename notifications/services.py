"""Telling people things, and what they do with it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone, translation

from common.live import announce, user_group
from notifications import tasks
from notifications.models import EmailDelivery, Notification
from notifications.wording import Kind


@transaction.atomic
def notify(
    *, recipient: Any, kind: Kind, url: str, context: dict[str, Any] | None = None
) -> Notification:
    """Tell one person: a row in their list, a frame to their open pages, an e-mail.

    Everything is written in the caller's transaction. `recipient` is a user with `email` and
    `language`; `context` fills the title's placeholders.
    """
    notification = Notification.objects.create(
        recipient=recipient, kind=kind, context=context or {}, url=url
    )
    post_email(
        to_address=recipient.email,
        language=recipient.language,
        kind=kind,
        url=url,
        notification=notification,
        idempotency_key=f"notification:{notification.pk}",
    )
    with translation.override(recipient.language):
        title = notification.title
    announce(
        user_group(recipient.pk),
        {"type": "notification", "id": str(notification.pk), "title": title, "url": url},
    )
    return notification


@transaction.atomic
def post_email(
    *,
    to_address: str,
    language: str,
    kind: Kind,
    idempotency_key: str,
    url: str = "",
    secret_context: dict[str, str] | None = None,
    notification: Notification | None = None,
) -> EmailDelivery:
    """Owe one e-mail: an outbox row now, a worker's task after the commit.

    A second call with the same `idempotency_key` returns the first row. If the task cannot
    be handed over, the sweep does it later.
    """
    now = timezone.now()
    delivery, is_new = EmailDelivery.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "notification": notification,
            "to_address": to_address,
            "language": language,
            "kind": kind,
            "url": url,
            "secret_context": json.dumps(secret_context) if secret_context else None,
            "due_at": now,
            "published_at": now,
        },
    )
    if is_new:
        transaction.on_commit(lambda: tasks.send_email.delay(str(delivery.pk)), robust=True)
    return delivery


def mark_read(*, actor: Any, notification_id: UUID) -> Notification:
    """Mark one of the actor's notifications read; a second time changes nothing."""
    mine = Notification.objects.visible_to(actor)
    mine.unread().filter(pk=notification_id).update(read_at=timezone.now())
    notification = mine.filter(pk=notification_id).first()
    if notification is None:
        raise Http404
    return notification


def mark_all_read(*, actor: Any) -> int:
    """Mark all of the actor's notifications read; returns how many were not."""
    return Notification.objects.visible_to(actor).unread().update(read_at=timezone.now())


def delete_notification(*, actor: Any, notification_id: UUID) -> None:
    """Take one notification out of the actor's list."""
    deleted, _ = Notification.objects.visible_to(actor).filter(pk=notification_id).delete()
    if not deleted:
        raise Http404
