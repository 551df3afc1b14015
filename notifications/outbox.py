"""The outbox: a row is claimed by one conditional UPDATE, sent, and marked.

A worker that dies between the mail server's "accepted" and the mark leaves the row claimed;
it is sent again under the same Message-ID. SMTP has no way to tell the two cases apart, and
of losing a mail and repeating one, repeating is the lesser harm (see ADR 4).
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
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone, translation

from notifications.models import EmailDelivery
from notifications.wording import WORDING

logger = logging.getLogger(__name__)

FIRST_RETRY = dt.timedelta(seconds=30)
SWEEP_SIZE = 500
GIVEN_UP: dict[str, Any] = {"status": EmailDelivery.Status.FAILED, "secret_context": None}


def deliver(delivery_id: UUID | str) -> bool:
    """Send one e-mail if it is due and nobody else has it; True when it was sent."""
    delivery = _claim(delivery_id, now=timezone.now())
    if delivery is None:
        return False
    try:
        _compose(delivery).send()
    except Exception as error:  # noqa: BLE001 - whatever it was, the row must not be stuck
        _postpone(delivery, error)
        return False
    _claimed(delivery).update(
        status=EmailDelivery.Status.SENT,
        sent_at=timezone.now(),
        secret_context=None,
        last_error="",
    )
    return True


def release_due(now: dt.datetime) -> list[UUID]:
    """Free the claims of dead workers; return the rows that want publishing again.

    A row is returned at most once a minute, so a long backlog does not flood the broker.
    """
    stale = EmailDelivery.objects.stale(now)
    stale.filter(attempts__gte=EmailDelivery.MAX_ATTEMPTS).update(**GIVEN_UP)
    stale.update(status=EmailDelivery.Status.QUEUED)
    overlooked = EmailDelivery.objects.due(now).filter(
        published_at__lt=now - EmailDelivery.CLAIM_LASTS
    )
    ids = list(overlooked.order_by("due_at").values_list("pk", flat=True)[:SWEEP_SIZE])
    EmailDelivery.objects.filter(pk__in=ids).update(published_at=now)
    return ids


def _claim(delivery_id: UUID | str, *, now: dt.datetime) -> EmailDelivery | None:
    claimed = (
        EmailDelivery.objects.due(now)
        .filter(pk=delivery_id)
        .update(status=EmailDelivery.Status.SENDING, claimed_at=now, attempts=F("attempts") + 1)
    )
    return EmailDelivery.objects.get(pk=delivery_id) if claimed else None


def _claimed(delivery: EmailDelivery) -> Any:
    """The row, as long as this worker's claim on it stands."""
    return EmailDelivery.objects.filter(
        pk=delivery.pk,
        status=EmailDelivery.Status.SENDING,
        claimed_at=delivery.claimed_at,
    )


def _postpone(delivery: EmailDelivery, error: Exception) -> None:
    """Try again later, each time after twice the wait; give up after the last attempt."""
    now = timezone.now()
    logger.warning("An e-mail was not accepted (%s).", type(error).__name__)
    later: dict[str, Any] = {
        "status": EmailDelivery.Status.QUEUED,
        "due_at": now + FIRST_RETRY * 2 ** (delivery.attempts - 1),
        "published_at": now,
    }
    is_last = delivery.attempts >= EmailDelivery.MAX_ATTEMPTS
    _claimed(delivery).update(
        **(GIVEN_UP if is_last else later), last_error=_without_addresses(error)
    )


def _without_addresses(error: Exception) -> str:
    """What went wrong, without the recipient that SMTP errors quote."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code or ''}".strip()[:200]


def _compose(delivery: EmailDelivery) -> EmailMultiAlternatives:
    wording = WORDING[delivery.kind]
    secrets: dict[str, str] = json.loads(delivery.secret_context or "{}")
    with translation.override(delivery.language):
        context = {
            "subject": str(wording.subject),
            "body": str(wording.body) % secrets,
            "action": str(wording.action),
            "link": f"{settings.SITE_URL}{delivery.url}" if delivery.url else "",
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
