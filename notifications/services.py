"""Telling people things, and what they do with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Sequence
from typing import Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.http import Http404
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError, InvalidInput
from common.live import announce, user_group
from notifications import outbox, tasks
from notifications.models import EmailDelivery, Notification, Preferences
from notifications.wording import MANDATORY, WORDING, Kind, events_for


class NotGivenUp(DomainError):
    code = "delivery_not_failed"
    detail = _("This e-mail is not among those that could not be delivered any more.")


class SecretErased(DomainError):
    code = "delivery_secret_erased"
    detail = _("This e-mail carried a code, which is erased. The person has to ask for another.")


class Choice(TypedDict):
    """By which ways somebody wants to be told of one event."""

    kind: str
    email: bool
    live: bool


@transaction.atomic
def notify(
    *,
    recipient: Any,
    kind: Kind,
    url: str,
    about: Any = None,
    context: dict[str, Any] | None = None,
) -> Notification | None:
    """Tell one person: a row in their list, a frame to their open pages, an e-mail.

    Everything is written in the caller's transaction. `recipient` is a user with `email`,
    `language` and `time_zone`; who may not be told (`may_be_told`) is told nothing, and None is
    returned. The title names `about`, another user, as `display_name` has it when it is read;
    `context` fills its other placeholders and holds no name. The list keeps everything; frame and
    e-mail come as the recipient wants them, unless they are mandatory.
    """
    if not recipient.may_be_told:
        return None
    notification = Notification.objects.create(
        recipient=recipient, kind=kind, about=about, context=context or {}, url=url
    )
    now = timezone.now()
    wishes = Preferences() if kind in MANDATORY else preferences_of(recipient)
    release_at = wishes.next_loud(now, ZoneInfo(recipient.time_zone))
    if kind not in wishes.no_email:
        _post_notification(notification, release_at)
    if kind not in wishes.no_live and release_at == now:
        _announce(notification)
    return notification


def _post_notification(notification: Notification, release_at: dt.datetime) -> None:
    post_email(
        to_address=notification.recipient.email,
        language=notification.recipient.language,
        kind=Kind(notification.kind),
        url=notification.url,
        notification=notification,
        release_at=release_at,
        idempotency_key=f"notification:{notification.pk}",
    )


def _announce(notification: Notification) -> None:
    with translation.override(notification.recipient.language):
        title = notification.title
    frame = {"id": str(notification.pk), "title": title, "url": notification.url}
    announce(user_group(notification.recipient_id), {"type": "notification"} | frame)


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
    release_at: dt.datetime | None = None,
) -> EmailDelivery:
    """Owe one e-mail: an outbox row now, a worker's task after the commit.

    A second call with the same `idempotency_key` returns the first row. If the task cannot
    be handed over, the sweep does it later, as it does for what `release_at` holds back. Only
    mails of a `notification` keep an order. A link that opens something by itself is no `url`,
    but the `link` of the `secret_context`.
    """
    now = timezone.now()
    release_at = release_at or now
    delivery, is_new = EmailDelivery.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "notification": notification,
            "recipient": notification.recipient if notification else None,
            "to_address": to_address,
            "language": language,
            "kind": kind,
            "url": url,
            "secret_context": json.dumps(secret_context) if secret_context else None,
            "release_at": release_at,
            "due_at": release_at,
            "published_at": now,
        },
    )
    if is_new and release_at <= now:
        _hand_over(delivery.pk)
    return delivery


@transaction.atomic
def retry_email(*, delivery_id: UUID) -> EmailDelivery:
    """Owe an e-mail again that was given up, to the address its recipient has by now."""
    delivery = (
        EmailDelivery.objects.select_for_update(of=["self"], no_key=True)
        .select_related("recipient")
        .filter(pk=delivery_id)
        .first()
    )
    if delivery is None:
        raise Http404
    if WORDING[delivery.kind].needs_secret:
        raise SecretErased
    if not outbox.requeue(delivery_id):
        raise NotGivenUp
    if delivery.recipient:
        EmailDelivery.objects.filter(pk=delivery_id).update(to_address=delivery.recipient.email)
    _hand_over(delivery_id)
    delivery.refresh_from_db()
    return delivery


def _hand_over(delivery_id: UUID) -> None:
    transaction.on_commit(lambda: tasks.send_email.delay(str(delivery_id)), robust=True)


def preferences_of(user: Any) -> Preferences:
    """What somebody has chosen; an unsaved row of nothing but defaults if they never did."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


@transaction.atomic
def set_preferences(
    *,
    actor: Any,
    quiet_from: dt.time | None,
    quiet_until: dt.time | None,
    events: Sequence[Choice],
) -> Preferences:
    """Replace what somebody has chosen; an event that is not named comes by every way."""
    _check_quiet_hours(quiet_from, quiet_until)
    _check_events(actor, events)
    wishes, _is_new = Preferences.objects.update_or_create(
        user=actor,
        defaults={
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "no_email": [event["kind"] for event in events if not event["email"]],
            "no_live": [event["kind"] for event in events if not event["live"]],
        },
    )
    return wishes


def _check_quiet_hours(quiet_from: dt.time | None, quiet_until: dt.time | None) -> None:
    if (quiet_from is None) != (quiet_until is None):
        missing = "quiet_from" if quiet_from is None else "quiet_until"
        raise InvalidInput(_("Quiet hours have a beginning and an end."), attr=missing)
    if quiet_from is not None and quiet_from == quiet_until:
        raise InvalidInput(
            _("Quiet hours end at another time than they begin."), attr="quiet_until"
        )


def _check_events(actor: Any, events: Sequence[Choice]) -> None:
    known = set(events_for(actor.role))
    for place, event in enumerate(events):
        if event["kind"] not in known:
            raise InvalidInput(
                _("You are not told of such an event, or it is named twice."),
                attr=f"events.{place}.kind",
            )
        known.remove(Kind(event["kind"]))
        unwanted = [channel for channel in ("email", "live") if not event[channel]]
        if unwanted and event["kind"] in MANDATORY:
            raise InvalidInput(
                _("This cannot be turned off: it keeps your account and your data safe."),
                attr=f"events.{place}.{unwanted[0]}",
            )


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


@transaction.atomic
def forget_recipient(*, recipient: Any, addresses: Collection[str]) -> None:
    """Forget what somebody was told, how they wanted it, and at which addresses. What was not
    sent to them is not sent any more; that it was owed stays on record, without the address."""
    theirs = EmailDelivery.objects.filter(
        models.Q(to_address__in=addresses) | models.Q(recipient=recipient)
    )
    theirs.exclude(status=EmailDelivery.Status.SENT).update(
        status=EmailDelivery.Status.WITHHELD, secret_context=None
    )
    theirs.update(to_address=recipient.email)
    Notification.objects.filter(recipient=recipient).delete()
    Preferences.objects.filter(user=recipient).delete()
