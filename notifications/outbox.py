"""The outbox: a row is claimed by one conditional UPDATE, sent, and marked.

A worker that dies between the mail server's "accepted" and the mark leaves the row claimed;
it is sent again under the same Message-ID. SMTP has no way to tell the two cases apart, and
of losing a mail and repeating one, repeating is the lesser harm (see ADR 4).

What one person is told of leaves in the order in which it was made: a row can only be claimed
while no other is pending before it (`in_turn`), and whoever is done with a mail hands over the
next one of that person (see ADR 17).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from notifications.models import DeliveryAttempt, EmailDelivery
from notifications.wording import OPTIONAL, WORDING

logger = logging.getLogger(__name__)

FIRST_RETRY = dt.timedelta(seconds=30)
SWEEP_SIZE = 500
GIVEN_UP: dict[str, Any] = {"status": EmailDelivery.Status.FAILED, "secret_context": None}


def deliver(delivery_id: UUID | str) -> bool:
    """Send one e-mail if it is due, in turn, and nobody else has it; True once it is done
    with: sent, or given up."""
    delivery = _claim(delivery_id, now=timezone.now())
    if delivery is None:
        return False
    try:
        _compose(delivery).send()
    except Exception as error:  # noqa: BLE001 - whatever it was, the row must not be stuck
        return _postpone(delivery, error)
    sent: dict[str, Any] = {
        "status": EmailDelivery.Status.SENT,
        "sent_at": timezone.now(),
        "last_error": "",
    }
    return _end(delivery, DeliveryAttempt.Outcome.ACCEPTED, secret_context=None, **sent)


def following(delivery_id: UUID | str) -> UUID | None:
    """What is first in line for the same person, to be handed over if it can leave now."""
    recipient = EmailDelivery.objects.filter(pk=delivery_id).values("recipient")[:1]
    now = timezone.now()
    first = EmailDelivery.objects.pending().filter(recipient=recipient).in_line().first()
    if first is None or first.due_at > now:
        return None
    waiting = EmailDelivery.objects.due(now).filter(pk=first.pk)
    return first.pk if waiting.update(published_at=now) else None


def release_due(now: dt.datetime) -> list[UUID]:
    """Free the claims of dead workers; return the rows that want publishing again.

    A row is returned at most once a minute, so a long backlog does not flood the broker; and
    only while it is in turn, so that one person's backlog does not keep others out.
    """
    _free_stale(now)
    overlooked = (
        EmailDelivery.objects.due(now)
        .filter(published_at__lt=now - EmailDelivery.CLAIM_LASTS)
        .in_turn()
    )
    ids = list(overlooked.order_by("due_at").values_list("pk", flat=True)[:SWEEP_SIZE])
    EmailDelivery.objects.filter(pk__in=ids).update(published_at=now)
    return ids


@transaction.atomic
def requeue(delivery_id: UUID) -> bool:
    """Owe an e-mail anew that was given up; it goes to the end of its person's line."""
    now = timezone.now()
    failed = EmailDelivery.objects.filter(pk=delivery_id, status=EmailDelivery.Status.FAILED)
    return bool(
        failed.update(
            status=EmailDelivery.Status.QUEUED,
            attempts=0,
            release_at=now,
            due_at=now,
            published_at=now,
        )
    )


@transaction.atomic
def _claim(delivery_id: UUID | str, *, now: dt.datetime) -> EmailDelivery | None:
    claimed = (
        EmailDelivery.objects.due(now)
        .in_turn()
        .filter(pk=delivery_id)
        .update(status=EmailDelivery.Status.SENDING, claimed_at=now, attempts=F("attempts") + 1)
    )
    if not claimed:
        return None
    DeliveryAttempt.objects.create(delivery_id=delivery_id, started_at=now)
    delivery = EmailDelivery.objects.select_related("recipient").get(pk=delivery_id)
    _follow(delivery)
    return delivery


def _follow(delivery: EmailDelivery) -> None:
    """It goes where its recipient is by now: who has waited out quiet hours or a retry may have
    another address, and the old one may be somebody else's."""
    if delivery.recipient and delivery.to_address != delivery.recipient.email:
        delivery.to_address = delivery.recipient.email
        delivery.save(update_fields=["to_address"])


@transaction.atomic
def _end(
    delivery: EmailDelivery, outcome: DeliveryAttempt.Outcome, error: str = "", **changes: Any
) -> bool:
    """Put on record what came of an attempt; the row is changed if the claim still stands."""
    DeliveryAttempt.objects.filter(
        delivery=delivery, started_at=delivery.claimed_at, ended_at=None
    ).update(ended_at=timezone.now(), outcome=outcome, error=error)
    return bool(_claimed(delivery).update(**changes))


def _claimed(delivery: EmailDelivery) -> Any:
    """The row, as long as this worker's claim on it stands."""
    return EmailDelivery.objects.filter(
        pk=delivery.pk,
        status=EmailDelivery.Status.SENDING,
        claimed_at=delivery.claimed_at,
    )


def _postpone(delivery: EmailDelivery, error: Exception) -> bool:
    """Try again later, each time after twice the wait; give up after the last attempt. True
    once given up."""
    now = timezone.now()
    logger.warning("An e-mail was not accepted (%s).", type(error).__name__)
    later: dict[str, Any] = {
        "status": EmailDelivery.Status.QUEUED,
        "due_at": now + FIRST_RETRY * 2 ** (delivery.attempts - 1),
        "published_at": now,
    }
    is_last = delivery.attempts >= EmailDelivery.MAX_ATTEMPTS
    said = _without_addresses(error)
    changes = (GIVEN_UP if is_last else later) | {"last_error": said}
    return _end(delivery, DeliveryAttempt.Outcome.FAILED, said, **changes) and is_last


@transaction.atomic
def _free_stale(now: dt.datetime) -> None:
    stale = EmailDelivery.objects.stale(now).select_for_update(skip_locked=True)
    ids = list(stale.values_list("pk", flat=True))
    DeliveryAttempt.objects.filter(delivery__in=ids, ended_at=None).update(
        ended_at=now, outcome=DeliveryAttempt.Outcome.LOST
    )
    freed = EmailDelivery.objects.filter(pk__in=ids)
    freed.filter(attempts__gte=EmailDelivery.MAX_ATTEMPTS).update(**GIVEN_UP)
    freed.filter(attempts__lt=EmailDelivery.MAX_ATTEMPTS).update(status=EmailDelivery.Status.QUEUED)


def _without_addresses(error: Exception) -> str:
    """What went wrong, without the recipient that SMTP errors quote."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code or ''}".strip()[:200]


def _compose(delivery: EmailDelivery) -> EmailMultiAlternatives:
    wording = WORDING[delivery.kind]
    secrets: dict[str, str] = json.loads(delivery.secret_context or "{}")
    path = secrets.get("link") or delivery.url
    with translation.override(delivery.language):
        context = {
            "subject": str(wording.subject),
            "body": str(wording.body) % secrets,
            "action": str(wording.action),
            "link": f"{settings.SITE_URL}{path}" if path else "",
            "preferences": _preferences_link(delivery),
            "language": delivery.language,
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
        }
        text = render_to_string("notifications/email.txt", context)
        html = render_to_string("notifications/email.html", context)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    message = EmailMultiAlternatives(
        subject=context["subject"],
        body=text,
        to=[delivery.to_address],
        headers={
            "Message-ID": f"<{delivery.pk}@{domain}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": delivery.language,
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _preferences_link(delivery: EmailDelivery) -> str:
    """Where whoever does not want such mail says so; nothing under what is mandatory."""
    if delivery.kind not in OPTIONAL:
        return ""
    return f"{settings.SITE_URL}{reverse('notification-preferences')}"
