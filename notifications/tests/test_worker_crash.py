"""A worker is killed in the middle of its work; nothing is lost and nothing is said twice."""

from __future__ import annotations

import time

import pytest
from django.utils import timezone

from medisync.devstack.mailbox import Mailbox
from medisync.tests.servers import kill, worker
from notifications import outbox
from notifications.models import EmailDelivery
from notifications.services import post_email
from notifications.tasks import send_email
from notifications.wording import Kind

MAILS = 60
PATIENCE_SECONDS = 120


def wait_until_sent(at_least: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    sent = EmailDelivery.objects.filter(status=EmailDelivery.Status.SENT)
    while sent.count() < at_least:
        assert time.monotonic() < deadline, f"only {sent.count()} of {at_least} were sent"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_every_mail_arrives_once_though_the_worker_is_killed(mailbox: Mailbox) -> None:
    for number in range(MAILS):
        post_email(
            to_address=f"person{number}@example.org",
            language="en",
            kind=Kind.ALREADY_REGISTERED,
            url="/login",
            idempotency_key=f"crash:{number}",
        )

    with worker() as first:
        wait_until_sent(MAILS // 4)
        kill(first)
        assert EmailDelivery.objects.exclude(status=EmailDelivery.Status.SENT).exists()

        with worker():
            later = timezone.now() + 2 * EmailDelivery.CLAIM_LASTS
            for delivery_id in outbox.release_due(later):
                send_email.delay(str(delivery_id))
            wait_until_sent(MAILS)

    arrived = [address for mail in mailbox.newest() for address in mail.to]
    assert sorted(arrived) == sorted(f"person{number}@example.org" for number in range(MAILS))
